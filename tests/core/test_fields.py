"""Headers of syslog lines, one line at a time: the two forms that nearly all have, and those of other systems."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest
from hypothesis import given

from burstmail import Batch, Fields, by
from burstmail.core.details import Data
from burstmail.core.fields import FACILITIES, SEVERITIES, parse
from tests.core.headers import KNOWN, LINES

# How many expressions are compiled for the first line that is read.
COMPILED = """
import re, sys
from burstmail.core.fields import parse

made, honest = [], re.compile
re.compile = lambda *given: made.append(given) or honest(*given)
parse(sys.argv[1])
print(len(made))
"""
NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


def test_enough_systems_are_known() -> None:
    assert len(KNOWN) >= 80


@pytest.mark.parametrize(("line", "known"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN])
def test_what_a_system_writes_is_read(line: str, known: dict[str, Any]) -> None:
    fields = parse(line)
    levels = {name: table.index(known[name]) for name, table in LEVELS.items() if name in known}
    expected = Fields(**{name: value for name, value in known.items() if name != "time"} | levels)
    assert fields == expected
    if "time" in known:
        time = known["time"] and pytest.approx(datetime.fromisoformat(known["time"]).timestamp(), abs=1e-6)
        assert fields.time(NOW) == time


LEVELS = {"facility": FACILITIES, "severity": SEVERITIES}


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (
            "<38>Nov 23 10:00:00 web1 sshd[12]: Failed password",
            Fields(host="web1", program="sshd", pid="12", facility=4, severity=6, message="Failed password"),
        ),
        ("Nov  3 10:00:00 web1 kernel: [1.5] USB", Fields(host="web1", program="kernel", message="[1.5] USB")),
        ("<38>Nov 23 10:00:00 sshd[12]: x", Fields(program="sshd", pid="12", facility=4, severity=6, message="x")),
        ("Nov 23 10:00:00 kernel: a b: c", Fields(program="kernel", message="a b: c")),
        ("Nov 23 10:00:00 kernel: usb: x", Fields(program="kernel", message="usb: x")),
        (
            "2026-11-23T10:00:00.123456+01:00 web1 postfix/smtpd[9]: x",
            Fields(host="web1", program="postfix/smtpd", pid="9", message="x"),
        ),
        ("2026-11-23T10:00:00Z 2001:db8::1 app: x", Fields(host="2001:db8::1", program="app", message="x")),
        ("2026-11-23T10:00:00+0100 web1 app:", Fields(host="web1", program="app")),
        (
            "Nov 23 10:00:00 web1 su(pam_unix)[1]:  x",
            Fields(host="web1", program="su(pam_unix)", pid="1", message=" x"),
        ),
        ("Nov 23 10:00:00 web1 app[]:x", Fields(host="web1", program="app", message="x")),
        ("Nov 23 10:00:00 web1 app[7] no colon", Fields(host="web1", program="app", pid="7", message="no colon")),
        ("Nov 23 10:00:00 web1 app[torn", Fields(host="web1", program="app", message="[torn")),
    ],
)
def test_the_old_header_is_read(line: str, fields: Fields) -> None:
    assert replace(parse(line), stamp="") == fields


@pytest.mark.parametrize(
    ("rest", "fields"),
    [
        ("web1 su 77 ID47 - it failed", Fields(host="web1", program="su", pid="77", msgid="ID47", message="it failed")),
        ("- - - - - it failed", Fields(message="it failed")),
        ("web1 su - ID47 -", Fields(host="web1", program="su", msgid="ID47")),
        (
            'web1 a:b[c] 1 - [x@1 a="]\\"" b="2"][y@2] m',
            Fields(host="web1", program="a:b[c]", pid="1", data=Data('[x@1 a="]\\"" b="2"][y@2]'), message="m"),
        ),
        ("web1 su 77 - - \ufeffm", Fields(host="web1", program="su", pid="77", message="m")),
        ("web1 su 77 - [torn", Fields(host="web1", program="su", pid="77", message="- [torn")),
    ],
)
def test_rfc_5424_is_read(rest: str, fields: Fields) -> None:
    got = parse(f"<34>1 2026-11-23T10:00:00.003Z {rest}")
    assert got.stamp == "2026-11-23T10:00:00.003Z"
    got = replace(got, stamp="")
    assert parse(f"<34>1 - {rest}") == got
    assert got == replace(fields, facility=4, severity=2)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no header: at all",
        "Nov 23 10:00:00 last message repeated 3 times",
        "Nov 23 10:00:00",
        "1 2026-11-23T10:00:00Z web1 su 77 - - without priority",
        "<192>Nov 23 10:00:00 web1 sshd[1]: no such priority",
        "<034>Nov 23 10:00:00 web1 sshd[1]: zeros in front are not allowed",
        "Nov 23 10:00:00 web1\nsshd[1]: two lines",
        f"Nov 23 10:00:00 {'h' * 256} sshd[1]: too long",
        f"Nov 23 10:00:00 web1 {'p' * 129}[1]: too long",
    ],
)
def test_any_other_line_is_all_message(line: str) -> None:
    assert parse(line) == Fields(message=line)


def test_a_priority_counts_without_a_header() -> None:
    assert parse("<13>hello: x") == Fields(facility=1, severity=5, message="hello: x")
    assert parse("<13>1 hello") == Fields(facility=1, severity=5, message="1 hello")


def test_every_priority_is_a_facility_and_a_severity() -> None:
    for number in range(192):
        fields = parse(f"<{number}>x")
        assert (fields.facility, fields.severity) == (number // 8, number % 8)
        assert [key for key, _ in by("facility", "severity")(Batch.of(f"<{number}>x"))] == [
            f"{FACILITIES[number // 8]} {SEVERITIES[number % 8]}"
        ]


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("Nov 23 10:00:00 12345: x", ""),
        ("Nov 23 10:00:00 web1 45: x", "web1"),
        ("Nov 23 10:00:00 web1 45[6]: x", "web1"),
        ("Nov 23 10:00:00 web1 %odd: x", "web1"),
    ],
)
def test_a_program_may_be_a_number(line: str, host: str) -> None:
    fields = parse(line)
    assert (fields.host, fields.message) == (host, "x")
    assert fields.program


def test_a_line_that_only_begins_like_a_header_is_all_message() -> None:
    for line in ("12:00:00 up", "Nov 23 soon", "[x] y", "%SYS-9-X: y", "Mon 23", "kern  :odd   : [    1.0] x"):
        assert parse(line) == Fields(message=line)


def test_levels_that_do_not_exist_are_none() -> None:
    assert parse("Nov 23 10:00:00 <99.3> web1 su: x").facility is None
    assert parse("Nov 23 10:00:00 <99.3> web1 su: x").severity == 3


def test_a_priority_outranks_what_the_header_says_in_words() -> None:
    assert parse("<0>45: %SYS-5-X: y").severity == 0
    assert parse("<0>Nov 23 10:00:00 web1 user.info su: y").facility == 0


def test_fields_are_values() -> None:
    line = '<34>1 - web1 su - - [a b="c"] x'
    assert parse(line) == parse(line)
    assert len({parse(line), parse(line)}) == 1
    assert parse(line) != parse(line.replace('"c"', '"d"'))


def test_a_line_without_a_time_has_none() -> None:
    assert parse("no header").time(NOW) is None
    assert parse("<34>1 - web1 su - - - x").time(NOW) is None


@given(LINES)
def test_a_header_and_its_message_are_the_line(line: str) -> None:
    assert line.endswith(parse(line).message)


@given(LINES)
def test_nothing_fails_on_any_text(line: str) -> None:
    fields = parse(line)
    assert fields.time(NOW) is None or fields.stamp
    assert isinstance(dict(fields.data), dict)


HOSTILE = [
    *("a", " ", "[", ":", "<", "<1>", "a ", "[a]", '[a="', '[a="\\', "[a]]", "0", "Nov 23 10:00:00 ", "1: ", "%A-"),
    *("Mon ", "2026-11-23 10:00:00 ", "A/0", "kern :", "[ "),
]
BEGINS = ["", "<34>1 - - - - - ", "<34>1 - - - - ", "Nov 23 10:00:00 ", "Nov 23 10:00:00 web1 su[", "45: ", "2026 Nov "]


@pytest.mark.parametrize("start", BEGINS)
def test_a_hostile_line_takes_no_more_than_a_scan(start: str) -> None:
    # Quadratic time would be hours for a mebibyte; the bound is a hundred times what is usual.
    batches = [Batch.of(start + piece * (2**20 // len(piece))) for piece in HOSTILE]
    began = process_time()
    for batch in batches:
        dict(parse(batch.lines[0]).data)
        assert len(list(by("host", "program")(batch))) == 1
    assert process_time() - began < 60


@pytest.mark.parametrize("line", ["disk failed", "", "<38>Nov 23 10:00:00 web1 su: x", "<38>x"])
def test_forms_of_other_systems_are_compiled_by_a_line_that_begins_as_they_do(line: str) -> None:
    # They take a good tenth of all that a run of one line computes, and most input has none of them.
    assert compiled(line) + 10 <= compiled("[    1.000000] usb 1-1: new device")


def compiled(line: str) -> int:
    done = subprocess.run([sys.executable, "-c", COMPILED, line], capture_output=True, text=True, check=True)
    return int(done.stdout)
