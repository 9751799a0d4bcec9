"""Bytes become lines: the same ones however the stream was cut, bounded, and none lost."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Sequence
from math import inf
from typing import Any

import laws
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail import Batch, Framer, StateMismatch

CHUNK = 65536
# Every way a character can be unfinished: the last byte of a character takes all 64 values. Python's decoder waits for
# the rest of an encoded surrogate too, although it will refuse it: at a cut its bytes are counted, not shown.
UNFINISHED = {
    encoded[:length]
    for encoded in (chr(point).encode("utf-8", "surrogatepass") for point in range(0x80, 0x110000, 64))
    for length in range(1, len(encoded))
}


def framed(*chunks: bytes, bound: int = 65536) -> list[Batch]:
    framer = Framer(bound)
    return [batch for chunk in chunks for batch in framer.feed(chunk, 0.0)] + list(framer.drain(0.0))


def lines(*chunks: bytes, bound: int = 65536) -> list[str]:
    return [line for batch in framed(*chunks, bound=bound) for line in batch.lines]


def expected(data: bytes, bound: int) -> list[str]:
    """Line by line, as nobody would do it in a hurry."""
    *whole, last = data.split(b"\n")
    return [one_line(line.removesuffix(b"\r"), bound) for line in [*whole, *([last] if last else [])]]


def one_line(line: bytes, bound: int) -> str:
    if len(line) <= bound:
        return line.decode("utf-8", "backslashreplace")
    kept = line[:bound]
    end = next((bound - back for back in (3, 2, 1) if kept[-back:] in UNFINISHED and back <= bound), bound)
    return kept[:end].decode("utf-8", "backslashreplace") + f" [... {len(line) - end} bytes cut]"


streams = st.lists(
    st.sampled_from([b"\n", b"\n", b"\r", b"\r\n", b"a", b"bcd", "é".encode(), "€".encode(), "𝄞".encode(), b"\0\x1b"])
    | st.sampled_from([b"\xff", b"\xe2", b"\xe0\x80", b"\xed\xa0\x80", b"\xf0\x9f", b"\x80"])
    | st.binary(max_size=4),
    max_size=25,
).map(b"".join)


@st.composite
def cut_streams(draw: st.DrawFn) -> list[bytes]:
    data = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(cut_streams(), st.integers(1, 12))
@example([b"abcd\r", b"\n"], 4)
@example([b"abcdefgh", b"\r\n", b"\r\n"], 4)
@example([b"ab\xe2\x82", b"\xac\n"], 4)
@example([b"\xed\xa0\x80"], 2)
def test_what_comes_out_does_not_depend_on_how_the_stream_was_cut(chunks: list[bytes], bound: int) -> None:
    batches = framed(*chunks, bound=bound)
    assert [line for batch in batches for line in batch.lines] == expected(b"".join(chunks), bound)
    for batch in batches:
        assert batch.count == batch.text.count("\n") > 0
        assert batch.text.encode()


@given(cut_streams(), st.integers(1, 12))
def test_each_chunk_gives_at_most_one_batch_and_what_is_held_is_half_a_line(chunks: list[bytes], bound: int) -> None:
    framer, fed = Framer(bound), b""
    for chunk in chunks:
        fed += chunk
        assert len(framer.feed(chunk, 0.0)) == (b"\n" in chunk)
        assert framer.held == (bool(fed) and not fed.endswith(b"\n"))
        assert (framer.deadline, framer.poll(0.0), framer.flush(0.0)) == (inf, [], [])
    assert sum(batch.count for batch in framer.drain(0.0)) == (bool(fed) and not fed.endswith(b"\n"))
    assert (framer.held, framer.drain(0.0)) == (0, [])


@given(st.lists(st.tuples(st.floats(0, 9), st.just(laws.FLUSH) | streams), max_size=6), st.integers(1, 12))
def test_it_keeps_the_laws_of_a_stage(script: list[tuple[float, Any]], bound: int) -> None:
    laws.poll_law(lambda: Framer(bound), script)
    laws.progress(lambda: Framer(bound), script)
    laws.dump_law(lambda: Framer(bound), script)


def test_one_chunk_is_one_batch_that_nobody_has_stamped() -> None:
    assert framed(b"one\ntwo\nthr", b"ee\n") == [Batch(text="one\ntwo\n", count=2), Batch(text="three\n", count=1)]


def test_lines_end_at_a_newline_only() -> None:
    odd = "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i\0j\x1b[31mk\rl"
    assert lines(odd.encode() + b"\nnext\n") == [odd, "next"]


@pytest.mark.parametrize(
    ("chunks", "wanted"),
    [
        ([b"a\r\n"], ["a"]),
        ([b"a\r", b"\nb\n"], ["a", "b"]),
        ([b"a\r\r\n"], ["a\r"]),
        ([b"\ra\rb\n"], ["\ra\rb"]),
        ([b"a\r"], ["a"]),
        ([b"\r"], [""]),
        ([b"\r\n\n"], ["", ""]),
    ],
)
def test_one_carriage_return_belongs_to_the_end_of_a_line(chunks: list[bytes], wanted: list[str]) -> None:
    assert lines(*chunks) == wanted


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"\xff\n", "\\xff"),
        (b"caf\xe9 au lait\n", "caf\\xe9 au lait"),
        (b"\xc3\n", "\\xc3"),
        (b"\xc0\xaf\n", "\\xc0\\xaf"),
        (b"\xed\xa0\x80\n", "\\xed\\xa0\\x80"),
        (b"\xf4\x90\x80\x80\n", "\\xf4\\x90\\x80\\x80"),
    ],
)
def test_bytes_that_are_no_utf8_are_shown_in_hexadecimal(data: bytes, wanted: str) -> None:
    assert lines(data) == [wanted]


def test_a_character_may_be_split_between_reads() -> None:
    note = "𝄞\n".encode()
    assert lines(*(note[place : place + 1] for place in range(len(note)))) == ["𝄞"]


def test_an_empty_stream_has_no_lines_and_a_last_line_needs_no_newline() -> None:
    assert framed() == framed(b"") == []
    assert lines(b"one\ntwo") == ["one", "two"]
    assert lines(b"\n") == [""]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_bound_is_the_longest_line_without_its_end(end: bytes) -> None:
    assert lines(b"a" * 8 + end, bound=8) == ["a" * 8]
    assert lines(b"a" * 9 + end, bound=8) == ["a" * 8 + " [... 1 bytes cut]"]
    # The same inside a chunk, with lines around it.
    assert lines(b"x\n" + b"a" * 8 + end + b"b" * 9 + end + b"y\n", bound=8)[1:3] == [
        "a" * 8,
        "b" * 8 + " [... 1 bytes cut]",
    ]


def test_a_cut_never_splits_a_character() -> None:
    assert lines("ab€\n".encode(), bound=4) == ["ab [... 3 bytes cut]"]
    assert lines("€€\n".encode(), bound=3) == ["€ [... 3 bytes cut]"]
    assert lines("é\n".encode(), bound=1) == [" [... 2 bytes cut]"]


@pytest.mark.parametrize("piece", [1, CHUNK, 100 * 2**20])
def test_a_line_without_end_costs_no_more_memory_than_the_bound(piece: int) -> None:
    total = 100_000 if piece == 1 else 100 * 2**20
    chunk, framer = b"x" * piece, Framer()
    tracemalloc.start()
    try:
        for _ in range(total // piece):
            assert framer.feed(chunk, 0.0) == []
        (batch,) = framer.feed(b"\nnext\n", 0.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert batch.lines == ["x" * 65536 + f" [... {total - 65536} bytes cut]", "next"]
    assert peak < 4 * 2**20


def calls(chunk: bytes) -> int:
    """Calls of Python and C functions that one feed makes, a half line before it."""
    framer, count = Framer(), 0
    framer.feed(b"half a ", 0.0)

    def tell(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tell)
    try:
        framer.feed(chunk, 0.0)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_many_lines_in_a_chunk_cost_no_more_calls_than_two(end: bytes) -> None:
    few = calls((b"line" + end) * 2)
    assert 5 < few < 40
    assert calls((b"line" + end) * (CHUNK // 6)) == few


def test_a_state_goes_into_a_framer_of_another_bound_without_a_silent_gap() -> None:
    small, large = Framer(4), Framer(16)
    small.feed(b"abcdefgh", 0.0)
    large.load(small.dump())
    assert [batch.text for batch in large.feed(b"ij\n", 0.0)] == ["abcd [... 6 bytes cut]\n"]
    large.feed(b"abcdefgh", 0.0)
    small.load(large.dump())
    assert [batch.text for batch in small.feed(b"\n", 0.0)] == ["abcd [... 4 bytes cut]\n"]


def test_a_state_is_plain_json_whatever_the_bytes() -> None:
    framer, fresh = Framer(), Framer()
    framer.feed(bytes(byte for byte in range(256) if byte != 10), 0.0)
    fresh.load(json.loads(json.dumps(framer.dump())))
    assert fresh.feed(b"\n", 0.0) == framer.feed(b"\n", 0.0)


@pytest.mark.parametrize(
    "state",
    [
        None,
        ["framer", 2, "", 0, False],
        ["session", 1, "", 0, False],
        ["framer", 1, "", 0],
        ["framer", 1, 5, 1, False],
        ["framer", 1, "\u1234", 1, False],
        ["framer", 1, "", 5, False],
        ["framer", 1, "abc", 2, False],
        ["framer", 1, "abc", "3", False],
        ["framer", 1, "", -1, False],
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state: Sequence[Any]) -> None:
    framer = Framer()
    framer.feed(b"half", 0.0)
    with pytest.raises(StateMismatch, match="this"):
        framer.load(state)
    assert [batch.text for batch in framer.drain(0.0)] == ["half\n"]


@pytest.mark.parametrize("bound", [0, -1])
def test_a_bound_below_one_byte_is_refused(bound: int) -> None:
    with pytest.raises(ValueError, match=f"bound={bound}"):
        Framer(bound)
