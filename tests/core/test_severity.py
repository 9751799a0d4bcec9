"""The number before a syslog header."""

from __future__ import annotations

import pytest

from burstmail.core.severity import NONE, severities, severity_of, told, worst_of


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
