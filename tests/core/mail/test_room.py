"""How a line is shown, and how many lines fit: the bytes that are counted are the bytes that will be on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.escape import visible
from burstmail.core.mail.markup import markup
from burstmail.core.mail.mime import encoded
from burstmail.core.mail.room import LONGEST, Room, presented

TEXT = st.text(st.characters(codec="utf-8")).map(visible) | st.text(st.sampled_from("<&@.=From 日😀"), max_size=300)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("<34>a", "crit    a"),
        ("<28>a", "warning a"),
        ("<192>a", "<192>a"),
        ("a\x07", "a\\x07"),
        ("", ""),
    ],
)
def test_a_line_is_shown_with_its_severity(line: str, shown: str) -> None:
    assert presented(line) == (shown, False)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), st.integers(1, 3000))
def test_a_line_that_is_cut_is_a_beginning_of_what_it_was(text: str, times: int) -> None:
    line = text * times
    shown, cut = presented("<34>" + line)
    assert cut == (len(visible(line)) > LONGEST)
    if not cut:
        assert shown == "crit    " + visible(line)
        return
    begin, _, rest = shown.removeprefix("crit    ").rpartition("... [")
    taken = len(line) - int(rest.removesuffix(" characters more]").replace(",", ""))
    assert begin == visible(line[:taken])
    assert len(begin) <= LONGEST < len(visible(line[: taken + 1]))


@given(st.lists(TEXT, max_size=20), st.booleans())
def test_what_is_counted_is_what_the_wire_carries(lines: list[str], html: bool) -> None:
    room = Room(10**6, html=html)
    for line in lines:
        assert room.add(line, "<p>")
    text = "".join(f"  {line}\n" for line in lines)
    page = "".join(f"<p>{markup(line)}\n" for line in lines)
    wire = len(encoded(text)[1]) + (len(encoded(page)[1]) if html else 0)
    # In base64 the last row of each view may be short.
    assert 10**6 - room.left <= wire <= 10**6 - room.left + 12


@pytest.mark.parametrize(("size", "longest"), [(-9, 200), (4823, 200), (24_000, 1000), (48_000, 2000), (99_000, 2000)])
def test_lines_are_cut_shorter_where_there_is_little_room(size: int, longest: int) -> None:
    assert Room(size).longest == longest
    assert presented("x" * 3000, longest) == (f"{'x' * longest}... [{3000 - longest:,} characters more]", True)


def test_the_dearest_lines_fit_where_they_are_cut_to() -> None:
    for text in ("😀" * 3000, "日" * 3000, "&" * 3000, "@" * 3000, "\x1b" * 3000, "=" * 3000, "日=" * 1500):
        room = Room(30_000)
        line, _ = presented(text, room.longest)
        assert room.add(line) and room.add(line)


def test_lines_are_taken_from_both_ends_in_turns() -> None:
    lines = [str(n) for n in range(10)]
    assert Room(0, html=False).fitting(lines[:5], lines[5:]) == (("0",), ("9",))
    one = len("  0\r\n")
    assert Room(3 * one, html=False).fitting(lines[:5], lines[5:]) == (("0", "1"), ("9",))
    assert Room(7 * one, html=False).fitting(lines[:2], lines[2:]) == (("0", "1"), ("5", "6", "7", "8", "9"))
    assert Room(99 * one, html=False).fitting(lines[:2], lines[2:]) == (("0", "1"), tuple(lines[2:]))
    assert Room(99, html=False).fitting([], []) == ((), ())
