"""How much is kept, and where a text is cut for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Aggregator, Keep
from burstmail.core.keep import ending, first_lines, last_lines, opening

lines_of = st.lists(st.sampled_from(["", "a", "ää", "😀", "ccccc"]) | st.text("aä", max_size=4), max_size=8)


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def longest(runs: list[str], room: int) -> str:
    """The longest of the runs that fits, or that of one line."""
    return max((run for run in runs if run.count("\n") <= 1 or len(run.encode()) <= room), key=len)


@given(lines_of, st.integers(-3, 40))
def test_a_text_is_cut_between_lines_where_the_room_ends(lines: list[str], room: int) -> None:
    text = text_of(lines)
    places = range(len(lines) + 1)
    assert text[: opening(text, room)] == longest([text_of(lines[:n]) for n in places], room)
    assert text[ending(text, room) :] == longest([text_of(lines[n:]) for n in places], room)


@given(lines_of, st.integers(0, 9))
def test_lines_are_taken_from_both_ends(lines: list[str], count: int) -> None:
    assert first_lines(text_of(lines), count) == lines[:count]
    assert last_lines(text_of(lines), count) == lines[max(0, len(lines) - count) :]


def test_the_bytes_are_shared_in_proportion_and_the_log_by_halves() -> None:
    keep = Keep(head=1, tail=3, bytes=40, log=101)
    assert (keep.head_bytes, keep.tail_bytes) == (10, 30)
    assert (keep.front_bytes, keep.back_bytes) == (51, 50)


def test_the_log_is_never_less_than_what_is_shown() -> None:
    keep = Keep(head=1, tail=3, bytes=40, log=24)
    assert (keep.front_bytes, keep.back_bytes) == (12, 30)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"head": -1}, r"Keep\(head=-1\): must be 0 or more"),
        ({"tail": -1}, r"Keep\(tail=-1\): must be 0 or more"),
        ({"log": -1}, r"Keep\(log=-1\): must be 0 or more"),
        ({"head": 0, "tail": 0}, r"Keep\(head=0, tail=0\): keep at least one line"),
        ({"bytes": 0}, r"Keep\(bytes=0\): must be 1 or more"),
    ],
)
def test_a_wrong_keep_is_named(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Keep(**wrong)


@pytest.mark.parametrize("wrong", [10, 0, "200+200", (200, 200)])
def test_a_number_is_no_keep(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"must be a Keep, as Keep\(200, 200\)"):
        Aggregator(keep=wrong)
