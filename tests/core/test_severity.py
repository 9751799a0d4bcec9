"""The number before a syslog header, and what says the same without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.fields import SEVERITIES, parse
from burstmail.core.patterns.tally import Tally
from burstmail.core.severity import NONE, level_of, severities, severity_of, told, worst_of


@pytest.mark.parametrize(
    ("line", "severity"),
    [("<0>x", "emerg"), ("<34>x", "crit"), ("<191>x", "debug"), ("<192>x", ""), ("<07>x", ""), (" <7>x", ""), ("", "")],
)
def test_a_line_says_how_bad_it_is(line: str, severity: str) -> None:
    assert severity_of(line) == severity
    assert told(line) == (severity, "x" if severity else line)


def test_lines_are_counted_by_severity() -> None:
    lines = [b"<34>a", b"<2>b", b"c", b"<999>d", b"<191>e"]
    assert severities(b"\n".join(lines) + b"\n", lines) == {2: 2, 7: 1}
    assert severities(b"c\n", [b"c"]) == {}
    assert severities(b"<3>c\n<3>d\n", [b"<3>c", b"<3>d"]) == {3: 2}
    assert (worst_of(lines), worst_of([b"c"]), worst_of([])) == (2, NONE, NONE)


FORMS = {
    "*Mar  1 18:46:11.123: %LINK-3-UPDOWN: Interface changed": "err",
    "Nov 23 10:00:00 r1 45: *Mar  1 18:46:11: %SYS-5-CONFIG_I: Configured": "notice",
    "Mon Nov 23 10:00:00 2026 daemon.warn dnsmasq[1]: no servers": "warning",
    "Nov 23 10:00:00 <3.4> fw1 sshd[1]: x": "warning",
    "Nov 23 10:00:00 <kern.crit> fw1 kernel: x": "crit",
    "2026-11-23T10:00:00.000Z Er(27) vmkernel[1]: x": "err",
    "kern  :err   : [    1.000000] x": "err",
    "[    1.000000] x": "",
    "Nov 23 10:00:00 web1 sshd[1]: (x) <3.3> %LINK-3-UPDOWN: no header says so": "",
}


@pytest.mark.parametrize("line", FORMS)
def test_a_header_without_a_number_says_it_in_its_own_form(line: str) -> None:
    assert told(line) == (FORMS[line], line)
    level = level_of(line.encode())
    assert (SEVERITIES[level(line.encode()) or 0] if level else "") == FORMS[line]
    assert level_of(f"<34>{line}".encode()) is None


def test_what_only_looks_like_it_is_not_taken_for_it() -> None:
    # A host may be named so: what stands first is not what the form says.
    line = "Nov 23 10:00:00 Ab(2) %LINK-3-UPDOWN: x"
    assert severity_of(line) == ("" if (severity := parse(line).severity) is None else SEVERITIES[severity])
    level = level_of(b"2026 Nov 23 10:00:00: %ASA-6-302013: Db(7) x")
    assert level and level(b"2026 Nov 23 10:00:00: %ASA-1-302013: Db(7) x") == 1


@given(st.lists(st.tuples(st.sampled_from([*FORMS, "<34>Nov 23 10:00:00 web1 x: y", "plain"]), st.integers(0, 9))))
def test_lines_are_counted_whatever_tells_their_severity(parts: list[tuple[str, int]]) -> None:
    # With another digit somewhere, as lines of one shape have them.
    lines = [line.replace("3", str(digit), 1) for line, digit in parts]
    whole, single = Tally(), Tally()
    whole.add("".join(f"{line}\n" for line in lines), len(lines), 0.0)
    for line in lines:
        single.add(f"{line}\n", 1, 0.0)
        assert single.severities is not None
    names = [severity_of(line) for line in lines]
    assert whole.severities == single.severities
    assert whole.severities == {
        number: names.count(name) for number, name in enumerate(SEVERITIES) if names.count(name)
    }
    assert {row.severity for row in whole.patterns()} <= {*names}
