"""Messages out of a connection: the same ones however it was cut, bounded, and none swallowed by a length that lies."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail.core.octets import Octets, message

BOUND = 12


def told(*chunks: bytes, bound: int = 65536) -> list[bytes]:
    octets = Octets(bound)
    out = b"".join(octets.feed(chunk) for chunk in chunks) + octets.drain()
    assert octets.held == 0
    assert not out or out.endswith(b"\n")
    return out.split(b"\n")[:-1]


def counted(*messages: bytes) -> bytes:
    return b"".join(b"%d %s" % (len(text), text) for text in messages)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", []),
        (b"<34>one\n<34>two\n", [b"<34>one", b"<34>two"]),
        (b"<34>one\r\n<34>half", [b"<34>one", b"<34>half"]),
        # Python's SysLogHandler ends messages with a NUL on TCP too.
        (b"<34>one\0<34>two\0", [b"<34>one", b"<34>two"]),
        (b"\n\0\r\n<34>one\n", [b"<34>one"]),
        (b"7 <34>one7 <34>two", [b"<34>one", b"<34>two"]),
        # RFC 6587 section 3.4.1 has no newline between two, and some send one.
        (b"7 <34>one\n7 <34>two\r\n\0", [b"<34>one", b"<34>two"]),
        (b"8 <34>one\n7 <34>two", [b"<34>one", b"<34>two"]),
        (b"9 <34>one\r\n7 <34>two", [b"<34>one", b"<34>two"]),
        # A message of several lines stays one.
        (b"14 <34>one\ntwo\r\nx7 <34>two", [b"<34>one", b"\ttwo", b"\tx", b"<34>two"]),
        (b"15 <34>a\n\n<34>evil", [b"<34>a", b"\t", b"\t<34>evil"]),
        # It ends in the middle of a message, or of its length.
        (b"7 <34>one9 <34>tw", [b"<34>one", b"<34>tw"]),
        (b"7 <34>one12", [b"<34>one", b"12"]),
        (b"12", [b"12"]),
        (b"12 ", [b"12 "]),
    ],
)
def test_both_framings_are_read(data: bytes, wanted: list[bytes]) -> None:
    assert told(data) == wanted
    assert told(*(data[index : index + 1] for index in range(len(data)))) == wanted


@pytest.mark.parametrize(
    "data",
    [
        *(b"0 <34>one\n", b"007 <34>one\n", b"-7 <34>one\n", b"+7 <34>one\n", b"7.0 <34>one\n", b" 7 <34>one\n"),
        *(b"12345678 <34>one\n", b"99999999999999999999 <34>one\n", b"7  <34>one\n", b"7<34>one\n", b"7 one two\n"),
        *(b"404 GET /\n", b"2026-11-23T10:00:00Z web1 app: one\n", "\u0667 <34>one\n".encode(), b"0x7 <34>one\n"),
    ],
)
def test_what_is_no_length_is_text(data: bytes) -> None:
    assert told(data) == [data[:-1]]
    # Behind a message of known length it ends where a length is, and what follows is read as if nothing had been.
    first, *between, last = told(b"7 <34>one" + data + b"7 <34>two")
    assert (first, last) == (b"<34>one", b"<34>two")
    resumed = data.startswith((b"-7 ", b"+7 ", b" 7 <", b"0x7 "))
    assert b"".join(between) == (data[:-1].replace(b"7 ", b"") if resumed else data[:-1])


def test_a_length_that_is_too_small_loses_nothing() -> None:
    # In characters instead of bytes: what many who count by themselves do.
    text = "<34>gr\u00fc\u00dfe".encode()
    wrong = b"%d %s" % (len(text) - 2, text)
    assert told(wrong + counted(b"<34>two")) == [text[:-2], text[-2:], b"<34>two"]


def test_a_length_that_is_too_large_takes_only_what_follows() -> None:
    assert told(b"9 <34>one7 <34>two7 <34>three\n7 <34>four") == [
        b"<34>one7 ",
        b"<34>two",
        b"<34>three"[:7],
        b"ee",
        b"<34>fou",
        b"r",
    ]


def test_a_newline_in_a_line_cannot_begin_a_length_that_swallows_others() -> None:
    lines = b"<34>user=eve\n9999999 <34>x\n<34>one\n<34>two\n"
    assert told(lines) == [b"<34>user=eve", b"9999999 <34>x", b"<34>one", b"<34>two"]


def test_a_message_longer_than_the_bound_is_cut_and_marked() -> None:
    long = b"<34>" + b"x" * 96
    wanted = [b"<34>xxxxxxxx [... 88 bytes cut]", b"<34>two"]
    assert told(counted(long, b"<34>two"), bound=BOUND) == wanted
    assert told(long + b"\n<34>two\n", bound=BOUND) == wanted
    assert told(b"7 <34>one" + b"x" * 100 + b"\n", bound=BOUND) == [b"<34>one", b"x" * 12 + b" [... 88 bytes cut]"]
    # Between characters.
    text = "<34>abcdefg\u20ac".encode()
    assert told(counted(text), bound=BOUND) == [b"<34>abcdefg [... 3 bytes cut]"]


def test_an_exact_fit_is_not_cut() -> None:
    text = b"<34>" + b"x" * 8
    assert told(counted(text, text), bound=BOUND) == [text, text]


def test_what_is_kept_is_bounded_whatever_is_claimed() -> None:
    for begin in (b"9999999 <34>", b"7 <34>one", b"<34>"):
        octets = Octets(1000)
        octets.feed(begin)
        tracemalloc.start()
        for _ in range(100):
            assert octets.feed(b"x" * 65536) == b""
            assert octets.held <= 1000 + 9
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 300_000
        assert octets.drain().endswith(b"bytes cut]\n")


def test_held_counts_what_is_unfinished() -> None:
    octets = Octets()
    assert octets.held == 0
    for data, held in ((b"1", 1), (b"0 ", 3), (b"<34>one", 7), (b"two", 0), (b"x", 1), (b"yz", 3), (b"\n", 0)):
        octets.feed(data)
        assert octets.held == held, data
    octets = Octets()
    octets.feed(b"<34>one")
    assert octets.held == 7


@pytest.mark.parametrize("data", [b"\n" * 65536, b"\0\r\n" * 20000 + b"x", b"1" * 65536, b"1 " * 32768, b"1 <" * 20000])
def test_garbage_takes_no_more_time_than_text(data: bytes) -> None:
    # Quadratic would be minutes.
    for begin in (b"", b"7 <34>one"):
        octets = Octets()
        octets.feed(begin)
        for _ in range(8):
            octets.feed(data)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b"", b""),
        (b"\n\0\r\n", b""),
        (b"<34>one\n\0", b"<34>one"),
        (b"a\nb", b"a\n\tb"),
        (b"a\r\nb\rc\n", b"a\n\tb\rc"),
        (b"a\n\n b", b"a\n\t\n\t b"),
        (b"\na", b"\n\ta"),
    ],
)
def test_a_datagram_is_one_message(raw: bytes, wanted: bytes) -> None:
    assert message(raw) == wanted


def test_a_datagram_is_cut_like_a_line() -> None:
    assert message(b"x" * 13, 12) == b"x" * 12 + b" [... 1 bytes cut]"
    assert message(b"x" * 12 + b"\n", 13) == b"x" * 12
    assert message(b"ab\n" * 5, 12) == b"ab\n\tab\n\tab\n\tab\n\t [... 3 bytes cut]"


pieces = st.lists(
    st.sampled_from(
        [b"7 <34>one", b"<34>one\n", b"12 <34>a\nb\nc\n\0", b"\n", b"\0", b"\r\n", b"1", b"0", b" ", b"<", b"3 <"]
    )
    | st.sampled_from([b"20 <34>0123456789abcdef", b"9999999 <", b"9 <34>", "\u20ac".encode(), b"\xff", b"77777777"])
    | st.binary(max_size=5),
    max_size=20,
).map(b"".join)


@given(pieces, st.lists(st.integers(0, 200), max_size=8), st.integers(4, 30))
@example(b"7 <34>one123456789 <x", [18], 30)
@example(b"5 <34>\n1", [6], 4)
@example(b"7 <34>one777777777 <34>one", [20], 4)
@example(b"7 <34>one777777777 <xy34>one", [22], 4)
@example(b"7 <34>one7777777777 <34>one", [18], 4)
@example(b"7 <34>onex07 <34>one", [11], 4)
@example(b"7 <34>one07 <34>one", [19], 4)
@example(b"7 <34>one0000000000000007 <34>one", [19, 20, 24, 28], 30)
def test_what_comes_out_does_not_depend_on_how_it_was_cut(data: bytes, cuts: list[int], bound: int) -> None:
    ends = sorted({min(cut, len(data)) for cut in cuts})
    chunks = [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]
    assert told(*chunks, bound=bound) == told(data, bound=bound)


@given(st.lists(st.text(alphabet="ab \n\u20ac<>17", min_size=1, max_size=9), max_size=8), st.integers(1, 9))
def test_counted_messages_come_out_as_they_went_in(texts: list[str], step: int) -> None:
    messages = [b"<34>" + text.encode() for text in texts]
    data = counted(*messages)
    chunks = [data[start : start + step] for start in range(0, len(data), step)]
    wanted = [line for raw in messages for line in message(raw).split(b"\n")]
    assert told(*chunks) == wanted
    assert all(line.startswith((b"<34>", b"\t")) for line in wanted)


@given(pieces)
def test_every_line_that_is_not_the_first_of_its_message_is_indented_or_sent_as_a_line(data: bytes) -> None:
    octets = Octets()
    # Nothing is invented: without tabs, newlines and NULs, the text is the stream's own, in its order.
    out = (octets.feed(data) + octets.drain()).translate(None, b"\t\n\r\0")
    rest = iter(data.translate(None, b"\t\n\r\0"))
    assert all(byte in rest for byte in out)
