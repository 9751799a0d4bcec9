"""Where we are in a file, and how it is known again: no disk is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.follow import WINDOW, Fit, Spot, Status, dumped, loaded

STATUS = Status(device=1, inode=2, size=0, time=1000)


def checksums(content: bytes) -> Callable[[int], int | None]:
    return lambda offset: crc32(content[max(0, offset - WINDOW) : offset])


def walked(content: bytes, *ends: int) -> Spot:
    """The spot of a file that was read up to these ends, one after the other."""
    spot, begin = Spot.at(STATUS), 0
    for end in ends:
        whole = content.rfind(b"\n", 0, end) + 1
        if whole > begin:
            spot = spot.stepped(content[max(0, begin - WINDOW) : whole], whole)
        begin = end
    return spot


def fit(spot: Spot, content: bytes) -> Fit:
    return spot.fits(len(content), checksums(content))


def lines(count: int, first: int = 0) -> bytes:
    return b"".join(b"%d says something\n" % number for number in range(first, first + count))


def test_a_file_that_has_grown_is_known_again() -> None:
    content = lines(1000)
    spot = walked(content, 700, 5000)
    assert spot.offset == content.rfind(b"\n", 0, 5000) + 1
    assert fit(spot, content) is Fit.FULL
    assert fit(spot, content[: spot.offset]) is Fit.FULL


def test_a_file_that_was_filled_again_is_another_even_if_it_begins_alike() -> None:
    content = lines(1000)
    spot = walked(content, 5000)
    assert fit(spot, lines(1000, first=5)) is Fit.NONE
    assert fit(spot, lines(10) + lines(2000, first=50)) is Fit.NONE
    # The same end before our place, and another beginning.
    assert fit(spot, b"7" + content[1:]) is Fit.NONE


@pytest.mark.parametrize("ends", [(5000,), (19, 5000), tuple(range(100, 5001, 100))])
def test_a_copy_that_ends_before_our_place_is_known(ends: tuple[int, ...]) -> None:
    content = lines(1000)
    spot = walked(content, *ends)
    for missing in (1, 40, 400, 4000):
        assert fit(spot, content[: spot.offset - missing]) is Fit.SHORT, missing
    assert fit(spot, lines(100, first=3)) is Fit.NONE


def test_a_copy_without_its_last_line_of_two_is_known() -> None:
    content = lines(2)
    assert fit(walked(content, len(content)), lines(1)) is Fit.SHORT


def test_a_copy_is_told_from_a_file_that_only_begins_alike() -> None:
    content = lines(1000)
    spot = walked(content, 5000, len(content))
    for size in (17_000, len(content) - 100, len(content)):
        assert spot.begins(size, checksums(content[:size]))
    assert not spot.begins(300, checksums(content[:300]))
    other = lines(100) + lines(900, first=7)
    assert not spot.begins(len(other), checksums(other))
    assert not walked(lines(9), 100).begins(1000, checksums(lines(100)))


def test_nothing_fits_what_is_empty_and_what_was_not_read_fits_all() -> None:
    assert fit(walked(lines(9), 50), b"") is Fit.NONE
    assert fit(Spot.at(STATUS), b"") is Fit.FULL
    assert fit(Spot.at(STATUS, 10), b"1234567890") is Fit.FULL
    assert fit(Spot.at(STATUS, 10), b"123456789") is Fit.NONE


def test_what_cannot_be_read_does_not_fit() -> None:
    assert walked(lines(9), 50).fits(50, lambda offset: None) is Fit.NONE


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.integers(0, 2**32))
def test_marks_are_few_and_right_and_spread_however_it_was_read(steps: list[int], seed: int) -> None:
    content = b"".join(b"x" * Random(seed + number).randrange(200) + b"\n" for number in range(900))
    ends = [min(sum(steps[: number + 1]), len(content)) for number in range(len(steps))]
    spot = walked(content, *ends)
    assert [crc32(content[max(0, at - WINDOW) : at]) for at, _ in spot.marks] == [sum_ for _, sum_ in spot.marks]
    offsets = [at for at, _ in spot.marks]
    assert offsets == sorted(set(offsets), reverse=True) and len(offsets) <= 10
    assert not offsets or offsets[0] == spot.offset
    distances = [spot.offset - at for at in offsets[1:-1]]
    assert all(8 * near <= far for near, far in pairwise(distances))
    assert loaded(json.loads(json.dumps(dumped([spot, spot], 7)))) == ((spot, spot), max(7, spot.time))


def test_marks_of_an_endless_file_stay_few() -> None:
    spot, offset = Spot.at(STATUS), 0
    for number in range(20_000):
        data = b"%d\n" % number * 50
        spot = spot.stepped(data, offset := offset + len(data))
    assert len(spot.marks) <= 10 and len(json.dumps(spot.dump())) < 300


def test_a_file_is_never_known_to_be_shorter_than_our_place() -> None:
    spot = walked(lines(9), 100)
    seen = spot.seen(replace(STATUS, size=10, inode=7, time=5))
    assert (seen.size, seen.identity, seen.time, seen.since) == (spot.offset, (1, 7), 5, 1000)


@pytest.mark.parametrize(
    "state",
    [
        *(None, 7, "x", {}, [], [2], [3, 0], [2, 0, 5], [2, 0.5], [2, True], [2, "0"], [2, [], 0]),
        *([1, 5], [1, []], [1, [1, 2, 3, 4, 5, 6]], [2, 0, [1, 2, 3, 4, 5, 6, None]], [2, [1, 2, 3, 4, 5, 6, []]]),
        *([1, [1, 2, 3, 4, 5, 6, [1]]], [1, [1, 2, 3, 4, 5, -6, []]], [1, [1, 2, 3, 4, 5, 6.0, []]]),
        *([1, [1, 2, True, 4, 5, 6, []]], [1, [1, 2, 3, 4, 5, 6, ["a", 1]]], [1, [1, 2, 3, 4, 5, 6, [1] * 1000]]),
    ],
)
def test_what_was_not_dumped_is_refused(state: Any) -> None:
    with pytest.raises(ValueError, match="position"):
        loaded(state)


def test_a_name_without_a_file_has_a_position_too() -> None:
    assert loaded(dumped([])) == ((), 0)
    assert loaded(dumped([], 5)) == ((), 5)


def test_positions_of_the_version_before_are_understood() -> None:
    spot = Spot.at(STATUS, 4)
    assert loaded([1, spot.dump(), spot.dump()]) == ((spot, spot), STATUS.time)
    assert loaded([1]) == ((), 0)
