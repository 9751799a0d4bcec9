"""What is kept of some lines, whatever the pieces they come in, and what is shown of that."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from burstmail import Excerpt, Keep
from burstmail.core.collector import CHUNK, OVERHEAD, Collector


def size_of(lines: list[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def add(collector: Collector, lines: list[str]) -> None:
    if lines:
        collector.add(text_of(lines), len(lines), size_of(lines))


def excerpt(lines: list[str], keep: Keep) -> Excerpt:
    collector = Collector(keep)
    add(collector, lines)
    return collector.excerpt()


def longest(runs: list[list[str]], count: int, room: int) -> list[str]:
    return max((run for run in runs if len(run) <= count and (len(run) <= 1 or size_of(run) <= room)), key=len)


def ends(lines: list[str], first: tuple[int, int], last: tuple[int, int]) -> tuple[list[str], list[str]]:
    """The longest runs of (lines, bytes) at both ends, and the first and the last line always."""
    head = longest([lines[:n] for n in range(len(lines) + 1)], *first)
    rest = lines[len(head) :]
    return head, longest([rest[len(rest) - n :] for n in range(len(rest) + 1)], *last)


def shown(lines: list[str], keep: Keep) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Head and tail as documented."""
    head, tail = ends(lines, (keep.head, keep.head_bytes), (keep.tail, keep.tail_bytes))
    return tuple(head), tuple(tail)


def kept(lines: list[str], keep: Keep) -> tuple[str, int, str]:
    """The log as documented."""
    many = len(lines) + 1
    front, back = ends(lines, (many, keep.front_bytes), (many, keep.back_bytes))
    missing = len(lines) - len(front) - len(back)
    return (text_of(front), missing, text_of(back)) if missing else (text_of(lines), 0, "")


sizes = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 30) | st.just(1000), st.integers(0, 60))
keeps = sizes.filter(lambda size: size[0] + size[1] > 0).map(
    lambda size: Keep(head=size[0], tail=size[1], bytes=size[2], log=size[3])
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
        made = collector.excerpt()
        assert made.log() == kept(lines, keep)
        assert (made.head, made.tail) == shown(lines, keep)
        assert (made.count, made.size) == (collector.count, collector.size) == (len(lines), size_of(lines))
        assert made.elided == len(lines) - len(made.head) - len(made.tail)


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
    made, lines = excerpt(first, mine).join(excerpt(last, yours)), first + last
    assert made.keep == mine
    assert len(made.head) <= mine.head
    assert len(made.tail) <= mine.tail
    assert made.elided >= 0
    assert (made.count, made.size) == (len(lines), size_of(lines))
    assert made.head == tuple(lines[: len(made.head)])
    front, missing, back = made.log()
    assert text_of(lines).startswith(front)
    assert text_of(lines).endswith(back)
    assert front.count("\n") + missing + back.count("\n") == len(lines)
    if made.tail:
        assert made.tail == tuple(lines[-len(made.tail) :])


@given(keep=keeps, pieces=pieces, at=st.integers(0, 6))
def test_a_dumped_collector_goes_on_as_before(keep: Keep, pieces: list[list[str]], at: int) -> None:
    collector, twin = Collector(keep), Collector(keep)
    for number, piece in enumerate(pieces):
        if number == at:
            twin.load(json.loads(json.dumps(collector.dump())))
            assert twin.dump() == collector.dump()
            assert twin.whole == collector.whole
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
    made, lines = twin.excerpt(), before + after
    assert (made.count, made.size, made.keep) == (len(lines), size_of(lines), new)
    assert made.elided >= 0
    front, missing, back = made.log()
    assert text_of(lines).startswith(front)
    assert text_of(lines).endswith(back)
    assert front.count("\n") + missing + back.count("\n") == len(lines)
    assert len(made.back.encode()) <= max(new.back_bytes, size_of(lines[-1:]))
    assert len(made.front.encode()) <= max(new.front_bytes, size_of(lines[:1]))
    if new == old:
        assert made == excerpt(lines, new)


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
    front, _, back = collector.excerpt().log()
    assert front.startswith(lines[0] + "\n")
    assert (back or front).endswith(lines[-1] + "\n")
    add(collector, later)
    made, lines = collector.excerpt(), lines + later
    assert (made.count, made.size) == (len(lines), size_of(lines))
    front, missing, back = made.log()
    assert text_of(lines).startswith(front)
    assert text_of(lines).endswith(back)
    assert front.count("\n") + missing + back.count("\n") == len(lines)
    assert made.elided >= 0


# The last line alone stood behind, and what is shown before it was given up.
@example(keep=Keep(head=0, tail=2, bytes=8, log=21), lines=["xxx", "xxxxxx", ""], times=1)
@given(keep=keeps, lines=lines_of, times=st.integers(1, 6))
def test_what_is_shown_stays_when_only_the_rest_is_given_up(keep: Keep, lines: list[str], times: int) -> None:
    collector = Collector(keep)
    add(collector, lines)
    wanted = shown(lines, keep)
    for _ in range(times):
        before = collector.weight
        collector.slim()
        assert collector.weight <= before
        made = collector.excerpt()
        assert (made.head, made.tail, made.count) == (*wanted, len(lines))


def test_giving_up_what_is_not_shown_goes_on_until_nothing_else_is_left() -> None:
    lines = [f"line {number:02}" for number in range(99)]
    for keep in (Keep(head=2, tail=1, bytes=48), Keep(head=2, tail=1, bytes=48, log=320)):
        collector = Collector(keep)
        add(collector, lines)
        for _ in range(9):
            collector.slim()
        assert collector.excerpt().log() == (text_of(lines[:4]), 93, text_of(lines[-2:]))


def test_shedding_goes_on_until_one_line_at_each_end_is_left() -> None:
    lines = [f"line {number:02}" for number in range(100)]
    for keep in (Keep(), Keep(head=3, tail=1, log=100), Keep(head=1, tail=3, log=500)):
        collector = Collector(keep)
        add(collector, lines)
        weights = [collector.weight + 1, collector.weight]
        while weights[-1] < weights[-2]:
            collector.shed()
            weights.append(collector.weight)
        assert collector.excerpt().log() == ("line 00\n", 98, "line 99\n")


def test_a_flood_of_single_lines_stays_within_the_keep() -> None:
    collector = Collector(Keep(head=5, tail=5, bytes=1000, log=20_000))
    for number in range(100_000):
        add(collector, [f"{number:05}"])
    # One chunk more than what is kept, for it may be the last line of it that is needed.
    assert collector.weight <= 20_000 + CHUNK + 8 * OVERHEAD
    front, missing, back = collector.excerpt().log()
    assert (len(front), missing, len(back)) == (9996, 100_000 - 2 * 1666, 9996)


def test_a_line_longer_than_all_bytes_is_kept_at_each_end() -> None:
    made = excerpt(["a" * 50, "b" * 50, "c" * 50], Keep(head=2, tail=2, bytes=10, log=10))
    assert (made.head, made.elided, made.tail) == (("a" * 50,), 1, ("c" * 50,))


def test_more_is_kept_than_is_shown() -> None:
    lines = [f"{number:03}" for number in range(100)]
    made = excerpt(lines, Keep(head=2, tail=1, bytes=12, log=40))
    assert (made.head, made.elided, made.tail) == (("000", "001"), 97, ("099",))
    assert made.log() == (text_of(lines[:5]), 90, text_of(lines[-5:]))


def test_what_is_shown_is_kept_however_small_the_log() -> None:
    made = excerpt([f"{number:03}" for number in range(100)], Keep(head=3, tail=1, bytes=16, log=0))
    assert (made.head, made.tail) == (("000", "001", "002"), ("099",))


@given(keep=keeps, lines=lines_of)
def test_a_slim_excerpt_shows_the_same_and_has_no_more(keep: Keep, lines: list[str]) -> None:
    made = excerpt(lines, keep)
    slim = made.slim()
    assert (slim.head, slim.tail, slim.count, slim.elided) == (made.head, made.tail, made.count, made.elided)
    assert slim.log() == ((text_of([*made.head]), made.elided, text_of([*made.tail])) if made.elided else made.log())
    assert slim.slim() == slim


@given(keep=keeps, lines=lines_of)
def test_lines_are_rewritten_one_by_one_and_counts_stay(keep: Keep, lines: list[str]) -> None:
    made = excerpt(lines, keep).mapped(lambda line: f"[{line}]")
    front, missing, back = kept(lines, keep)
    wanted = [text_of([f"[{line}]" for line in text.split("\n")[:-1]]) for text in (front, back)]
    assert made.log() == (wanted[0], missing, wanted[1])
    assert (made.count, made.size) == (len(lines), size_of(lines))
    assert made.elided >= 0


@given(first=lines_of, last=lines_of, more=st.integers(0, 3))
def test_an_excerpt_is_made_of_lines(first: list[str], last: list[str], more: int) -> None:
    made = Excerpt.of(first, last, count=len(first) + len(last) + more)
    assert made.log() == ((text_of(first), more, text_of(last)) if more else (text_of(first + last), 0, ""))
    assert Excerpt.of(first, last).missing == 0
    assert made.size == size_of(first + last)


@given(keep=keeps, lines=lines_of)
def test_an_excerpt_comes_back_from_json_as_it_was(keep: Keep, lines: list[str]) -> None:
    made = excerpt(lines, keep)
    assert Excerpt.restored(json.loads(json.dumps(made.dump()))) == made


def test_the_whole_text_is_known_while_nothing_is_missing() -> None:
    keep = Keep(head=1, tail=1, bytes=8, log=8)
    assert excerpt(["a", "b"], keep).whole == "a\nb\n"
    assert excerpt(["a", "b", "c"], keep).whole == ""
    assert excerpt(["a", "b", "c", "d", "e"], keep).whole == ""


@given(lines=lines_of, keep=keeps, other=keeps, sheds=st.integers(0, 2))
def test_loaded_under_another_keep_the_first_and_the_last_line_stay(
    lines: list[str], keep: Keep, other: Keep, sheds: int
) -> None:
    old, new = Collector(keep), Collector(other)
    add(old, lines)
    for _ in range(sheds):
        old.shed()
    new.load(json.loads(json.dumps(old.dump())))
    front, missing, back = new.excerpt().log()
    left = (front + back).split("\n")[:-1]
    assert len(left) + missing == len(lines)
    assert (left[:1], left[-1:]) == (lines[:1], lines[-1:])
    if not old.excerpt().missing and other.front_bytes <= keep.front_bytes:
        assert (front, missing, back) == kept(lines, other)


def test_a_window_loaded_under_a_smaller_keep_shows_its_end() -> None:
    old, new = Collector(Keep()), Collector(Keep(head=5, tail=5, bytes=1000, log=0))
    lines = [f"line {number}" for number in range(1000)]
    add(old, lines)
    new.load(old.dump())
    assert new.excerpt() == excerpt(lines, new.keep)
    assert len(new.excerpt().tail) == 5
    assert new.weight < 2000


def test_what_is_no_character_is_escaped() -> None:
    made = Excerpt.of(["\ud800x"], ["\udcffy"], count=3)
    assert (made.head, made.tail) == (("\\ud800x",), ("\\udcffy",))
    assert made.size == 16
    assert Excerpt.restored(json.loads(json.dumps(made.dump()))) == made


def test_loaded_under_the_same_keep_it_dumps_the_same() -> None:
    old, new = Collector(Keep(log=20_000, bytes=1000)), Collector(Keep(log=20_000, bytes=1000))
    # The first line does not fit, and the others stay in pieces.
    for line in ("x" * 15_000, "y" * 2500, "z" * 2500):
        add(old, [line])
    new.load(json.loads(json.dumps(old.dump())))
    assert new.dump() == old.dump()


def test_an_excerpt_of_a_time_without_a_log_has_the_lines_it_showed() -> None:
    made = Excerpt.restored([2, 1, 99, ["a", "b"], ["z"], 9, 18])
    assert (made.head, made.tail, made.count, made.missing, made.size) == (("a", "b"), ("z",), 9, 6, 18)
    assert made.keep == Keep(head=2, tail=1, bytes=99)


@given(st.lists(st.sampled_from([1, 100, 1500, 3000, 6000]), min_size=1, max_size=14), st.integers(1, 9))
def test_however_much_is_shed_the_first_and_the_last_lines_stay(sizes: list[int], sheds: int) -> None:
    collector = Collector(Keep(log=30_000, bytes=100))
    lines = [chr(97 + number) * size for number, size in enumerate(sizes)]
    for line in lines:
        add(collector, [line])
    for _ in range(sheds):
        collector.shed()
        front, missing, back = collector.excerpt().log()
        first, last = front.split("\n")[:-1], back.split("\n")[:-1]
        assert len(first) + missing + len(last) == len(lines)
        assert lines[: len(first)] == first and lines[len(lines) - len(last) :] == last
        assert first and (last or len(first) == len(lines))
