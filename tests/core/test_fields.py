"""Headers of syslog lines, and batches split by them: one line at a time and in bulk must agree."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail import Batch, Fields, by, each
from burstmail.core.fields import FACILITIES, SEVERITIES, parse

NAMES = ("host", "program", "pid", "facility", "severity")


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
    assert parse(line) == fields


@pytest.mark.parametrize(
    ("rest", "fields"),
    [
        ("web1 su 77 ID47 - it failed", Fields(host="web1", program="su", pid="77", message="it failed")),
        ("- - - - - it failed", Fields(message="it failed")),
        ("web1 su - ID47 -", Fields(host="web1", program="su")),
        ('web1 a:b[c] 1 - [x@1 a="]\\"" b="2"][y@2] m', Fields(host="web1", program="a:b[c]", pid="1", message="m")),
        ("web1 su 77 - - \ufeffm", Fields(host="web1", program="su", pid="77", message="m")),
        ("web1 su 77 - [torn", Fields(host="web1", program="su", pid="77", message="- [torn")),
    ],
)
def test_rfc_5424_is_read(rest: str, fields: Fields) -> None:
    got = parse(f"<34>1 2026-11-23T10:00:00.003Z {rest}")
    assert got == Fields(
        host=fields.host, program=fields.program, pid=fields.pid, facility=4, severity=2, message=fields.message
    )
    assert parse(f"<34>1 - {rest}") == got


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


def test_a_batch_splits_by_host_and_program_in_order_of_appearance() -> None:
    lines = [
        "<38>Nov 23 10:00:00 web2 sshd[1]: a",
        "garbage",
        "Nov 23 10:00:00 web1 kernel: b",
        "<38>Nov 23 10:00:01 web2 sshd[2]: c",
        "Nov 23 10:00:01 cron: d",
    ]
    parts = by("host", "program")(Batch.of(lines))
    assert [(key, part.lines) for key, part in parts] == [
        ("web2 sshd", [lines[0], lines[3]]),
        ("", [lines[1]]),
        ("web1 kernel", [lines[2]]),
        ("cron", [lines[4]]),
    ]


def test_old_and_new_headers_of_one_source_are_one_key_in_order() -> None:
    lines = ["<34>Nov 23 10:00:00 web1 su[1]: a", "<34>1 - web1 su 1 - - b", "<34>Nov 23 10:00:00 web1 su[1]: c"]
    for names in (("host", "program"), ("program",), ("pid", "host"), NAMES):
        ((_, part),) = by(*names)(Batch.of(lines))
        assert part.lines == lines
    other = "<34>1 - web2 su 1 - - d"
    parts = by("host", "program")(Batch.of([*lines[:2], other, lines[2]]))
    assert [(key, part.lines) for key, part in parts] == [("web1 su", lines), ("web2 su", [other])]


def test_a_batch_that_opens_with_rfc_5424_splits_by_any_names() -> None:
    lines = ["<34>1 - web1 su 1 - - a", "<35>1 - web2 su 2 - - b", "<34>1 - web1 su 3 - - c"]
    for names, keys in (
        (("host", "program"), ["web1 su", "web2 su"]),
        (("host",), ["web1", "web2"]),
        (("severity",), ["crit", "err"]),
        (("severity", "host"), ["crit web1", "err web2"]),
    ):
        parts = list(by(*names)(Batch.of(lines)))
        assert [(key, part.lines) for key, part in parts] == [(keys[0], [lines[0], lines[2]]), (keys[1], [lines[1]])]


def test_parts_keep_when_and_where_their_lines_were_read() -> None:
    batch = Batch(text="a\nb\na\n", count=3, time=9.5, epoch="e", seq=4, gone=2)
    (first, second) = each(str.upper)(batch)
    assert first == ("A", Batch(text="a\na\n", count=2, time=9.5, epoch="e", seq=4, gone=2))
    assert second == ("B", Batch(text="b\n", count=1, time=9.5, epoch="e", seq=4, gone=2))


def test_lines_of_one_key_stay_the_batch_they_are() -> None:
    batch = Batch.of("a\nb")
    assert [part is batch for _, part in each(lambda line: "same")(batch)] == [True]
    assert [part is batch for _, part in by("host")(batch)] == [True]


def test_an_empty_batch_has_no_parts() -> None:
    empty = Batch(text="", count=0)
    assert list(by("host")(empty)) == list(each(str)(empty)) == []


def test_an_exception_of_the_function_passes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        list(each(lambda line: str(1 // 0))(Batch.of("a")))


@pytest.mark.parametrize("names", [(), ("hots",), ("host", "message"), ("pair",), ("",)])
def test_a_name_that_is_no_field_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="use one or more of host, program, pid, facility, severity"):
        by(*names)


def expected(line: str, names: tuple[str, ...]) -> str:
    fields = parse(line)
    words = {
        "facility": "" if fields.facility is None else FACILITIES[fields.facility],
        "severity": "" if fields.severity is None else SEVERITIES[fields.severity],
    }
    return " ".join(filter(None, (words[name] if name in words else getattr(fields, name) for name in names)))


# Pieces of headers in likely and unlikely order come closer to the edges than any free text.
PIECES = st.sampled_from(
    [
        *("<34>", "<200>", "<7>", "1 ", "Nov 23 10:00:00", "2026-11-23T10:00:00.1Z", "-", " ", "web1", "::1", "su"),
        *("[1]", ":", "]", "[", "\r", "\t", "\x85", "\u2028", "é", 'x@1 a="b"', "h" * 255),
    ]
)
LINES = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20),
    st.tuples(
        st.sampled_from(["", "<34>", "<34>1 ", "<9999>"]),
        st.sampled_from(["Nov 23 10:00:00 ", "2026-11-23T10:00:00,5+01:00 ", "- "]),
        st.sampled_from(["", "web1 ", "web2 ", "- ", "::1 ", "a: "]),
        st.sampled_from(["su[1]: ", "su: ", "su 1 - - ", "- - - - ", "su", "su[1] "]),
    ).map("".join),
)


@given(st.lists(LINES, max_size=8), st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True).map(tuple))
@example(["- - a: "], ("host", "program"))
@example(["<34>1 - - su 1 - - x", "Nov 23 10:00:00 su: x"], ("host", "program"))
def test_bulk_and_single_lines_agree(lines: list[str], names: tuple[str, ...]) -> None:
    batch = Batch.of(lines)
    groups: dict[str, list[str]] = {}
    for line in batch.lines:
        groups.setdefault(expected(line, names), []).append(line)
    assert [(key, part.lines, part.count) for key, part in by(*names)(batch)] == [
        (key, found, len(found)) for key, found in groups.items()
    ]


@given(LINES)
def test_a_header_and_its_message_are_the_line(line: str) -> None:
    assert line.endswith(parse(line).message)


HOSTILE = ["a", " ", "[", ":", "<", "<1>", "a ", "[a]", '[a="', '[a="\\', "[a]]", "0", "Nov 23 10:00:00 "]


@pytest.mark.parametrize(
    "start", ["", "<34>1 - - - - - ", "<34>1 - - - - ", "Nov 23 10:00:00 ", "Nov 23 10:00:00 web1 su["]
)
def test_a_hostile_line_takes_no_more_than_a_scan(start: str) -> None:
    # Quadratic time would be hours for a mebibyte; the bound is a hundred times what is usual.
    batches = [Batch.of(start + piece * (2**20 // len(piece))) for piece in HOSTILE]
    began = process_time()
    for batch in batches:
        parse(batch.lines[0])
        assert len(list(by("host", "program")(batch))) == 1
    assert process_time() - began < 60
