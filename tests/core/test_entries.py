"""The lines of `journalctl -o json`, however they are cut into reads; what is known, too long, or no entry."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Batch
from burstmail.core.entries import LONGEST, Entries


def entry(number: int, message: object = None, **more: object) -> bytes:
    told = {"__CURSOR": cursor(number), "_HOSTNAME": "h", "SYSLOG_IDENTIFIER": "p", "PRIORITY": "6"}
    return json.dumps({**told, "MESSAGE": f"line {number}" if message is None else message, **more}).encode() + b"\n"


def cursor(number: int) -> str:
    return f"s=1;i={number:x}"


def batches(entries: Entries, chunks: Iterable[bytes]) -> list[Batch]:
    return [batch for chunk in chunks if (batch := entries.feed(chunk))]


def messages(found: Iterable[Batch]) -> list[str]:
    return [line.split(": ", 1)[-1] for batch in found for line in batch.lines]


def test_entries_of_one_chunk_are_one_batch_at_the_last_ones_cursor() -> None:
    (batch,) = batches(Entries("journal:x"), [entry(1) + entry(2)])
    assert messages([batch]) == ["line 1", "line 2"]
    assert (batch.count, batch.place) == (2, ("journal:x", cursor(2)))


def test_an_unfinished_entry_waits_and_does_not_move_the_place() -> None:
    entries = Entries("x")
    assert entries.feed(entry(1)[:30]) is None
    (batch,) = batches(entries, [entry(1)[30:] + entry(2)[:-1]])
    assert batch.place == ("x", cursor(1))
    assert messages(batches(entries, [b"\n"])) == ["line 2"]


@given(st.lists(st.integers(1, 400), max_size=12))
def test_how_it_is_cut_does_not_matter(cuts: list[int]) -> None:
    data = b"-- Boot 1 --\n" + b"".join(entry(n, "two\nlines" if n == 2 else None) for n in range(1, 5))
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    chunks = [data[a:b] for a, b in pairwise(places)]
    whole, cut = Entries("x"), Entries("x")
    found = batches(cut, chunks)
    assert "".join(batch.text for batch in found) == "".join(batch.text for batch in batches(whole, [data]))
    assert found[-1].place == ("x", cursor(4)) and (cut.read, cut.strange) == (4, 0)


def test_the_known_entry_is_left_out() -> None:
    entries = Entries("x", cursor(1))
    assert entries.cursor == cursor(1)
    assert entries.feed(entry(1)) is None
    assert messages(batches(entries, [entry(2)])) == ["line 2"]
    assert (entries.missing, entries.read) == (False, 1)


def test_a_known_entry_that_is_gone_is_missed() -> None:
    entries = Entries("x", cursor(1))
    assert messages(batches(entries, [entry(2) + entry(3)])) == ["line 2", "line 3"]
    assert entries.missing


def test_only_the_first_entry_can_be_the_known_one() -> None:
    entries = Entries("x", cursor(1))
    assert messages(batches(entries, [entry(2) + entry(1)])) == ["line 2", "line 1"]


def test_without_a_cursor_the_place_stays_where_it_was() -> None:
    assert batches(Entries("x"), [entry(1, __CURSOR=None)])[0].place is None
    entries = Entries("x", cursor(1))
    assert batches(entries, [entry(2, __CURSOR="")])[0].place == ("x", cursor(1))
    assert entries.missing


@pytest.mark.parametrize("line", [b"no entry", b"[1]", b"{", b'"x"', b"\xff", b"[" * 100_000, b"{}x", b'{"a":'])
def test_what_is_no_entry_is_counted_and_left_out(line: bytes) -> None:
    entries = Entries("x")
    assert messages(batches(entries, [entry(1) + line + b"\n" + entry(2)])) == ["line 1", "line 2"]
    assert entries.strange == 1


@given(st.lists(st.binary() | st.sampled_from([b"\n", b"{", b"}", b'"MESSAGE":', b"[", entry(1)])))
def test_no_bytes_are_too_much(chunks: list[bytes]) -> None:
    entries = Entries("x", "s=1;i=1")
    for batch in batches(entries, chunks):
        assert batch.count == batch.text.count("\n") == len(batch.lines)
        assert batch.place == ("x", entries.cursor)


def test_remarks_and_empty_lines_are_no_entries() -> None:
    entries = Entries("x")
    assert entries.feed(b"-- Boot 0123 --\n\n-- No entries --\n") is None
    assert entries.strange == 0


def test_the_best_of_lone_surrogates() -> None:
    assert messages(batches(Entries("x"), [entry(1, "\ud800!")])) == ["\\ud800!"]


def test_a_line_is_bounded() -> None:
    (batch,) = batches(Entries("x", bound=100), [entry(1, "a" * 500 + "\nb")])
    assert batch.lines[0].endswith("bytes cut]") and batch.lines[1] == "\tb"


def too_long(size: int, **more: object) -> bytes:
    """An entry whose message comes first, and everything that tells where it comes from behind it."""
    told = {"MESSAGE": [255] * (size // 4), "_HOSTNAME": "h", "__CURSOR": cursor(7), "PRIORITY": "2", **more}
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("chunk", [1000, 65_536, 10_000_000])
def test_an_entry_that_is_too_long_is_told_of(chunk: int) -> None:
    data = too_long(LONGEST + 5000, SYSLOG_IDENTIFIER="p")
    entries = Entries("x")
    found = batches(entries, [(data + entry(8))[at : at + chunk] for at in range(0, len(data) + 300, chunk)])
    assert messages(found) == [f"[an entry of {len(data) - 1:,} bytes is not shown]", "line 8"]
    assert found[0].text.startswith("<10>1970-01-01") and " h p: " in found[0].text
    assert [batch.place for batch in found][-1] == ("x", cursor(8))


def test_what_stands_first_of_an_entry_that_is_too_long_is_known_too() -> None:
    data = b'{"__CURSOR":"s=1;i=7","_HOSTNAME":"h","MESSAGE":"' + b"x" * LONGEST + b'"}\n'
    (batch,) = batches(Entries("x"), [data[at : at + 65536] for at in range(0, len(data), 65536)])
    assert batch.place == ("x", cursor(7)) and " h -: [" in batch.text


def test_one_that_is_too_long_may_come_whole_between_others() -> None:
    (batch,) = batches(Entries("x"), [entry(1) + too_long(LONGEST + 5000) + entry(8)])
    assert [line[-16:] for line in messages([batch])] == ["line 1", "es is not shown]", "line 8"]


def test_however_the_end_of_an_entry_that_is_too_long_is_cut_it_is_known() -> None:
    data = too_long(LONGEST + 5000, SYSLOG_IDENTIFIER="p")
    tail = data[-300:]
    (batch,) = batches(Entries("x"), [data[:-300], *(tail[at : at + 1] for at in range(len(tail)))])
    assert batch.place == ("x", cursor(7)) and " h p: [" in batch.text


def test_a_message_cannot_pretend_to_be_another_field() -> None:
    forged = '","_HOSTNAME":"evil","__CURSOR":"s=6;i=6","' * 30_000
    data = json.dumps({"MESSAGE": forged, "_HOSTNAME": "h", "__CURSOR": cursor(7)}, separators=(",", ":")).encode()
    assert len(data) > LONGEST
    (batch,) = batches(Entries("x"), [data, b"\n"])
    assert batch.place == ("x", cursor(7)) and " h -: [" in batch.text and "evil" not in batch.text


def test_an_entry_without_end_takes_bounded_memory() -> None:
    entries, chunk = Entries("x"), b"1," * 32768
    tracemalloc.start()
    entries.feed(b'{"MESSAGE":[')
    for _ in range(500):
        entries.feed(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * LONGEST
