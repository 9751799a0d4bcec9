"""Batches split by fields: in bulk as one line at a time, by records where lines are joined."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail import Batch, by, each
from burstmail.core.fields import FACILITIES, SEVERITIES, parse
from burstmail.core.rows import NAMES
from tests.core.headers import KNOWN, LINES


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


@pytest.mark.parametrize("names", [(name,) for name in NAMES] + [("host", "program"), NAMES], ids="-".join)
def test_lines_of_all_systems_are_split_as_they_are_read(names: tuple[str, ...]) -> None:
    lines = [line for _, line, _ in KNOWN]
    splitter = by(*names)
    for batch in (Batch.of(lines), Batch.of(lines[::-1])):
        keys = {line: key for key, part in splitter(batch) for line in part.lines}
        assert keys == {line: expected(line, names) for line in lines}


RECORDS = st.tuples(
    LINES, st.lists(st.sampled_from(["\tat a.b(C.java)", "  more", "\t", " Nov 23 10:00:00 web9 su: x"]), max_size=3)
)


@given(
    st.lists(RECORDS, max_size=8),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True).map(tuple),
)
@example([("Mon Nov 23 10:00:00 2026 daemon.info", ["\tno message"])], ("facility",))
@example([("\tnothing before it", []), ("Nov 23 10:00:00 web1 su: x", ["\tb"])], ("host",))
def test_what_belongs_to_a_line_stays_with_it(records: list[tuple[str, list[str]]], names: tuple[str, ...]) -> None:
    # A line that begins with a blank belongs to the one before it, wherever it comes from.
    whole: list[list[str]] = []
    for line in (line for first, more in records for line in (first, *more)):
        if whole and line[:1] in (" ", "\t"):
            whole[-1].append(line)
        else:
            whole.append([line])
    batch = replace(Batch.of([line for record in whole for line in record]), joined=True)
    groups: dict[str, list[str]] = {}
    for record in whole:
        groups.setdefault(expected(record[0], names), []).extend(record)
    for splitter in (by(*names), each(lambda line: expected(line, names))):
        assert [(key, part.lines, part.count) for key, part in splitter(batch)] == [
            (key, lines, len(lines)) for key, lines in groups.items()
        ]


def test_parts_are_joined_and_late_as_the_whole_and_what_came_before_is_counted_once() -> None:
    batch = Batch(text="a\n\tx\nb\n", count=3, joined=True, below=7, late=1.5, place=("file:x", 3))
    assert each(str)(batch) == [
        ("a", Batch(text="a\n\tx\n", count=2, joined=True, below=7, late=1.5)),
        ("b", Batch(text="b\n", count=1, joined=True, below=0, late=1.5)),
    ]


def test_old_new_and_other_headers_of_one_source_stay_in_order() -> None:
    lines = [
        "Nov 23 10:00:00 fw : %ASA-6-1: a",
        "<38>1 - fw %ASA-6-1 - - - b",
        "plain",
        "Nov 23 10:00:00 fw %ASA-6-1: c",
        "<38>Nov 23 10:00:00 fw sshd[1]: d",
        "<38>1 - fw sshd - - - e",
    ]
    for order in (lines, [lines[1], lines[0], *lines[2:]], [lines[4], lines[2], lines[5], *lines[:2], lines[3]]):
        wanted: dict[str, list[str]] = {}
        for line in order:
            wanted.setdefault(expected(line, ("host", "program")), []).append(line)
        assert {key: part.lines for key, part in by("host", "program")(Batch.of(order))} == wanted


def test_the_same_words_in_other_places_are_another_key() -> None:
    lines = ["Nov 23 10:00:00 web1 su[1]: a", "Jun 21 2017 14:36:27 web1 1[su]: b"]
    assert [key for key, _ in by("pid", "program")(Batch.of(lines))] == ["1 su", "su 1"]
