"""What is kept of some lines, whatever the pieces they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Excerpt, Keep
from burstmail.core.excerpt import OVERHEAD, Collector


def size_of(lines: list[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def add(collector: Collector, lines: list[str]) -> None:
    if lines:
        collector.add("".join(f"{line}\n" for line in lines), len(lines), size_of(lines))


def excerpt(lines: list[str], keep: Keep) -> Excerpt:
    collector = Collector(keep)
    add(collector, lines)
    return collector.excerpt()


def model(lines: list[str], keep: Keep) -> tuple[list[str], list[str]]:
    """Head and tail as documented: the longest runs that fit, and the first and the last line always."""
    head = longest([lines[:n] for n in range(len(lines) + 1)], keep.head, keep.head_bytes)
    rest = lines[len(head) :]
    tail = longest([rest[len(rest) - n :] for n in range(len(rest) + 1)], keep.tail, keep.tail_bytes)
    return head, tail


def longest(runs: list[list[str]], count: int, room: int) -> list[str]:
    return max((run for run in runs if len(run) <= count and (len(run) <= 1 or size_of(run) <= room)), key=len)


sizes = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 30) | st.just(1000))
keeps = sizes.filter(lambda size: size[0] + size[1] > 0).map(
    lambda size: Keep(head=size[0], tail=size[1], bytes=size[2])
)
texts = st.sampled_from(["", "a", "bb", "ä", "😀", "c" * 9, "d" * 40]) | st.text("xyz", max_size=6)
lines_of = st.lists(texts, max_size=12)
pieces = st.lists(lines_of, max_size=6)


@given(keep=keeps, pieces=pieces)
def test_what_is_kept_does_not_depend_on_the_pieces(keep: Keep, pieces: list[list[str]]) -> None:
    collector = Collector(keep)
    lines: list[str] = []
    for piece in pieces:
        add(collector, piece)
        lines += piece
        kept = collector.excerpt()
        assert (list(kept.head), list(kept.tail)) == model(lines, keep)
        assert (kept.count, kept.size) == (collector.count, collector.size) == (len(lines), size_of(lines))
        assert kept.elided == len(lines) - len(kept.head) - len(kept.tail)


@given(keep=keeps, pieces=pieces)
def test_folding_equals_keeping_the_concatenation(keep: Keep, pieces: list[list[str]]) -> None:
    whole = excerpt([], keep)
    for piece in pieces:
        whole = whole.join(excerpt(piece, keep))
    assert whole == excerpt([line for piece in pieces for line in piece], keep)


@given(keep=keeps, pieces=st.lists(lines_of, min_size=3, max_size=3))
def test_it_does_not_matter_which_fold_comes_first(keep: Keep, pieces: list[list[str]]) -> None:
    a, b, c = (excerpt(piece, keep) for piece in pieces)
    assert a.join(b).join(c) == a.join(b.join(c))


@given(mine=keeps, yours=keeps, first=lines_of, last=lines_of)
def test_a_fold_keeps_what_the_first_ones_keep_allows(
    mine: Keep, yours: Keep, first: list[str], last: list[str]
) -> None:
    made = excerpt(first, mine).join(excerpt(last, yours))
    assert made.keep == mine
    assert len(made.head) <= mine.head
    assert len(made.tail) <= mine.tail
    assert made.elided >= 0
    assert (made.count, made.size) == (len(first + last), size_of(first + last))
    assert list(made.head) == (first + last)[: len(made.head)]
    if made.tail and mine.tail and yours.tail:
        assert list(made.tail) == (first + last)[-len(made.tail) :]


@given(keep=keeps, pieces=pieces, at=st.integers(0, 6))
def test_a_dumped_collector_goes_on_as_before(keep: Keep, pieces: list[list[str]], at: int) -> None:
    collector, twin = Collector(keep), Collector(keep)
    for number, piece in enumerate(pieces):
        if number == at:
            twin.load(json.loads(json.dumps(collector.dump())))
            assert twin.dump() == collector.dump()
        for each in (collector, twin) if number >= at else (collector,):
            add(each, piece)
            if piece and piece[0] == "a":
                each.shed()
    if at < len(pieces):
        assert (twin.excerpt(), twin.weight) == (collector.excerpt(), collector.weight)


@given(old=keeps, new=keeps, before=lines_of, after=lines_of)
def test_a_dumped_collector_fits_another_keep(old: Keep, new: Keep, before: list[str], after: list[str]) -> None:
    collector, twin = Collector(old), Collector(new)
    add(collector, before)
    twin.load(json.loads(json.dumps(collector.dump())))
    add(twin, after)
    kept, lines = twin.excerpt(), before + after
    assert (kept.count, kept.size, kept.keep) == (len(lines), size_of(lines), new)
    assert kept.elided >= 0
    assert len(kept.head) <= new.head
    assert list(kept.head) == lines[: len(kept.head)]
    assert list(kept.tail) == lines[len(lines) - len(kept.tail) :]
    if new == old:
        assert kept == excerpt(lines, new)


@given(keep=keeps, lines=lines_of.filter(len), later=lines_of, times=st.integers(1, 6))
def test_shedding_keeps_first_and_last_lines_and_every_count(
    keep: Keep, lines: list[str], later: list[str], times: int
) -> None:
    collector = Collector(keep)
    add(collector, lines)
    for _ in range(times):
        before = collector.weight
        collector.shed()
        assert collector.weight <= before
    kept = collector.excerpt()
    assert list(kept.head[:1]) == lines[: min(1, keep.head)]
    assert kept.tail[-1:] == tuple(lines[-1:]) if keep.tail and len(lines) > len(kept.head) else not kept.tail
    add(collector, later)
    kept, lines = collector.excerpt(), lines + later
    assert (kept.count, kept.size) == (len(lines), size_of(lines))
    assert kept.elided >= 0
    assert list(kept.head) == lines[: len(kept.head)]
    assert list(kept.tail) == lines[len(lines) - len(kept.tail) :]


def test_shedding_goes_on_until_one_line_at_each_end_is_left() -> None:
    lines = [f"line {number}" for number in range(100)]
    for keep in (Keep(head=10, tail=10), Keep(head=200, tail=200), Keep(head=3, tail=1)):
        collector = Collector(keep)
        add(collector, lines)
        weights = [collector.weight + 1, collector.weight]
        while weights[-1] < weights[-2]:
            collector.shed()
            weights.append(collector.weight)
        kept = collector.excerpt()
        assert (kept.head, kept.elided, kept.tail) == (("line 0",), 98, ("line 99",))


def test_without_a_tail_nothing_is_stored_behind_the_head() -> None:
    collector = Collector(Keep(head=1, tail=0))
    for _ in range(3):
        add(collector, ["x" * 1000] * 1000)
    assert collector.weight == 1001 + OVERHEAD
    assert collector.excerpt().elided == 2999


def test_a_flood_of_single_lines_stays_within_the_keep() -> None:
    keep = Keep(head=5, tail=5, bytes=1000)
    collector = Collector(keep)
    for number in range(10_000):
        add(collector, [f"{number:05}"])
    assert collector.weight == 10 * (6 + OVERHEAD)
    assert collector.excerpt().tail == tuple(f"{number:05}" for number in range(9995, 10_000))


def test_a_single_line_does_not_cost_another_look_at_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    original = Keep.prefix

    def watched(self: Keep, lines: Any, *more: Any) -> list[str]:
        counted.extend(lines := list(lines))
        return original(self, lines, *more)

    monkeypatch.setattr(Keep, "prefix", watched)
    collector = Collector(Keep(head=300, tail=300))
    for number in range(500):
        add(collector, [str(number)])
    assert counted == [str(number) for number in range(300)]


def test_a_line_longer_than_all_bytes_is_kept_at_each_end() -> None:
    lines = ["a" * 50, "b" * 50, "c" * 50]
    kept = excerpt(lines, Keep(head=2, tail=2, bytes=10))
    assert (kept.head, kept.elided, kept.tail) == (("a" * 50,), 1, ("c" * 50,))


def test_the_bytes_are_shared_in_proportion_and_counted_in_utf8() -> None:
    keep = Keep(head=1, tail=3, bytes=40)
    assert (keep.head_bytes, keep.tail_bytes) == (10, 30)
    assert len(excerpt(["ä" * 9] * 5, Keep(head=2, tail=2, bytes=76)).head) == 2
    assert len(excerpt(["ä" * 9] * 5, Keep(head=2, tail=2, bytes=75)).head) == 1


@given(keep=keeps, lines=lines_of)
def test_an_excerpt_comes_back_from_json_as_it_was(keep: Keep, lines: list[str]) -> None:
    made = excerpt(lines, keep)
    assert Excerpt.restored(json.loads(json.dumps(made.dump()))) == made


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"head": -1}, r"Keep\(head=-1\): must be 0 or more"),
        ({"tail": -1}, r"Keep\(tail=-1\): must be 0 or more"),
        ({"head": 0, "tail": 0}, r"Keep\(head=0, tail=0\): keep at least one line"),
        ({"bytes": 0}, r"Keep\(bytes=0\): must be 1 or more"),
    ],
)
def test_a_wrong_keep_is_named(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Keep(**wrong)
