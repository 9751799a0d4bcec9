"""What a journal entry says as lines: the header, fields of any form, and nothing that a log can forge."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.fields import parse
from burstmail.core.journal import FIELDS, lines_of, same, usable

ENTRY = {
    "__REALTIME_TIMESTAMP": "1795435200123456",
    "__CURSOR": "s=a;i=1",
    "_HOSTNAME": "web1",
    "PRIORITY": "3",
    "SYSLOG_FACILITY": "4",
    "SYSLOG_IDENTIFIER": "sshd",
    "SYSLOG_PID": "812",
    "_PID": "813",
    "_COMM": "sshd-session",
    "MESSAGE": "Failed password for root",
}
CURSOR = "s=713db2;i=28;b=012345;m=40f;t=660f6dc1;x=e0a8d3"


def lines(**changes: object) -> str:
    return lines_of({**ENTRY, **changes}, UTC)


def test_an_entry_is_a_syslog_line() -> None:
    assert lines() == "<35>2026-11-23T12:00:00.123456+00:00 web1 sshd[812]: Failed password for root\n"


def test_the_fields_of_the_line_are_those_of_the_entry() -> None:
    fields = parse(lines().rstrip("\n"))
    assert (fields.host, fields.program, fields.pid) == ("web1", "sshd", "812")
    assert (fields.facility, fields.severity, fields.message) == (4, 3, "Failed password for root")


def test_times_are_told_in_the_zone() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert "2026-11-23T17:30:00.123456+05:30" in lines_of(ENTRY, zone)


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"SYSLOG_IDENTIFIER": None}, "<35>T web1 sshd-session[812]: "),
        ({"SYSLOG_IDENTIFIER": "", "_COMM": ""}, "<35>T web1 -[812]: "),
        ({"SYSLOG_PID": None}, "<35>T web1 sshd[813]: "),
        ({"SYSLOG_PID": "0"}, "<35>T web1 sshd[813]: "),
        ({"SYSLOG_PID": "12 34"}, "<35>T web1 sshd[813]: "),
        ({"SYSLOG_PID": "9" * 40, "_PID": "2147483648"}, "<35>T web1 sshd: "),
        ({"SYSLOG_PID": None, "_PID": None}, "<35>T web1 sshd: "),
        ({"_HOSTNAME": None}, "<35>T - sshd[812]: "),
        ({"PRIORITY": None}, "T web1 sshd[812]: "),
        ({"PRIORITY": "8"}, "T web1 sshd[812]: "),
        ({"PRIORITY": "-1"}, "T web1 sshd[812]: "),
        ({"PRIORITY": "\u0663"}, "T web1 sshd[812]: "),
        ({"SYSLOG_FACILITY": None}, "<11>T web1 sshd[812]: "),
        ({"SYSLOG_FACILITY": "24"}, "<11>T web1 sshd[812]: "),
        ({"SYSLOG_FACILITY": "0"}, "<3>T web1 sshd[812]: "),
        ({"SYSLOG_IDENTIFIER": "a b:c[d]\n<0>\x00e\x7f"}, "<35>T web1 a_b_c_d__<0>_e_[812]: "),
        ({"SYSLOG_IDENTIFIER": ["a", "b"]}, "<35>T web1 a_b[812]: "),
        ({"SYSLOG_IDENTIFIER": "x" * 200}, f"<35>T web1 {'x' * 128}[812]: "),
        ({"_HOSTNAME": "h" * 300}, f"<35>T {'h' * 255} sshd[812]: "),
        ({"_HOSTNAME": "web1:"}, "<35>T web1_ sshd[812]: "),
    ],
)
def test_a_header_from_what_there_is(changes: dict[str, object], header: str) -> None:
    stamp = "2026-11-23T12:00:00.123456+00:00"
    assert lines(**changes) == header.replace("T ", f"{stamp} ", 1) + "Failed password for root\n"


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("two\nlines", "two\n\tlines"),
        ("a\n<0>Nov 23 12:00:00 h sshd: forged", "a\n\t<0>Nov 23 12:00:00 h sshd: forged"),
        ("empty\n\n\tinside", "empty\n\t\n\t\tinside"),
        ("ended\n\n", "ended"),
        ("", ""),
        ([98, 105, 255, 0, 27], "bi\\xff\0\x1b"),
        ([228, 184, 150, 10, 120], "世\n\tx"),
        (["one", [255], None, 3, ["deep"], "two"], "one\n\t\\xff\n\t\n\t\n\t\n\ttwo"),
        ([], ""),
        ([256], ""),
        (None, "[not shown: it is too large]"),
        (17, ""),
        ({"a": 1}, ""),
        (True, ""),
    ],
)
def test_a_message_of_any_form(message: object, wanted: str) -> None:
    assert lines(MESSAGE=message).split(": ", 1)[1] == wanted + "\n"


def test_an_entry_without_a_message_is_its_header() -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "MESSAGE"}
    assert lines_of(entry, UTC).endswith(" web1 sshd[812]: \n")


@pytest.mark.parametrize("time", [None, "", "x", "-5", "9" * 18, "9" * 19, "9" * 30, [["1"]], {}])
def test_a_time_that_is_none_is_the_beginning_of_time(time: object) -> None:
    assert lines(__REALTIME_TIMESTAMP=time)[4:23] == "1970-01-01T00:00:00"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary().map(list),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "__REALTIME_TIMESTAMP", "__CURSOR"]), VALUES))
def test_any_entry_is_one_message(entry: dict[str, object]) -> None:
    first, *more = lines_of(entry, UTC).split("\n")
    assert more.pop() == ""
    assert all(line.startswith("\t") for line in more)
    fields = parse(first)
    assert fields.program or fields.host or " - -" in first


@given(st.text(), st.text())
def test_no_name_ends_before_its_message(host: str, program: str) -> None:
    line = lines(_HOSTNAME=host, SYSLOG_IDENTIFIER=program, _COMM="").rstrip("\n")
    assert "\n" not in line
    assert parse(json.loads(json.dumps(line))).message == "Failed password for root"


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (CURSOR, True),
        (CURSOR.replace("i=28", "i=29"), False),
        # Copied by `journalctl --flush`: numbered anew.
        (CURSOR.replace("s=713db2;i=28", "s=99;i=1"), True),
        (CURSOR.replace("s=713db2;i=28", "s=99;i=1").replace("x=e0a8d3", "x=1"), False),
        (CURSOR.replace("s=713db2;i=28", "s=99;i=1").replace("m=40f", "m=410"), False),
        ("s=99;i=28", False),
        ("t=660f6dc1", False),
        ("", False),
    ],
)
def test_cursors_of_one_entry_are_known(other: str, wanted: bool) -> None:
    assert same(CURSOR, other) is wanted
    assert same(other, CURSOR) is wanted


def test_cursors_that_say_nothing_are_of_no_entry() -> None:
    assert not same("", "")
    assert not same("t=1", "t=1")


@pytest.mark.parametrize("cursor", [CURSOR, "s=1;i=2", "b=1;m=2", "t=3"])
def test_a_cursor_can_be_used(cursor: str) -> None:
    assert usable(cursor)


@pytest.mark.parametrize(
    "cursor", [None, 5, "", "x", "s=1", "i=1;m=2", "t=", "t=xyz", "t=1;;", "t=1\n", "t=" + "1" * 500, ["t=1"], "--all"]
)
def test_what_is_no_cursor_is_not_used(cursor: object) -> None:
    assert not usable(cursor)
