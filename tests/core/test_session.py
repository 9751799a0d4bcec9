"""One window: when it closes, why, and what its burst says."""

from __future__ import annotations

from math import inf

import pytest

from burstmail import Batch, CloseReason, Keep, Session, StateMismatch, Window


def lines(*texts: str, time: float = 1000.0, seq: int = 1) -> Batch:
    batch = Batch.of(texts, time=time)
    return Batch(text=batch.text, count=batch.count, time=time, epoch="e", seq=seq)


def test_a_window_closes_after_the_gap_as_of_its_due_time() -> None:
    session = Session(Window(gap=5))
    assert session.deadline == inf
    assert session.feed(lines("a"), 10.0) == []
    assert session.feed(lines("b"), 12.0) == []
    assert session.deadline == 17.0
    (burst,) = session.poll(100.0)
    assert (burst.reason, burst.count, burst.head) == (CloseReason.GAP, 2, ("a", "b"))
    assert (burst.first, burst.last, burst.closed, burst.time) == (1000.0, 1002.0, 1007.0, 1007.0)
    assert (session.held, session.deadline) == (0, inf)


def test_a_stream_that_never_pauses_closes_at_max_age() -> None:
    session = Session(Window(gap=5, max_age=60))
    out = [burst for second in range(130) for burst in session.feed(lines("x"), float(second))]
    assert [(burst.reason, burst.count, burst.closed - burst.first) for burst in out] == [
        (CloseReason.MAX_AGE, 60, 60.0),
        (CloseReason.MAX_AGE, 60, 60.0),
    ]


def test_what_is_due_closes_before_new_lines_are_looked_at() -> None:
    session = Session(Window(gap=5))
    session.feed(lines("a"), 0.0)
    (burst,) = session.feed(lines("b"), 5.0)
    assert (burst.head, session.held) == (("a",), 1)


def test_max_lines_closes_with_the_line_that_reaches_it() -> None:
    session = Session(Window(max_lines=2))
    out = session.feed(lines("a", "b", "c", "d", "e"), 0.0)
    assert [(burst.head, burst.reason, burst.gone) for burst in out] == [
        (("a", "b"), CloseReason.MAX_LINES, 0),
        (("c", "d"), CloseReason.MAX_LINES, 2),
    ]
    (rest,) = session.flush(1.0)
    assert (rest.head, rest.gone, rest.reason) == (("e",), 4, CloseReason.FLUSH)


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)])
def test_max_bytes_closes_with_the_line_that_reaches_it(limit: int, expected: int) -> None:
    session = Session(Window(max_bytes=limit))
    out = session.feed(lines("a", "b", "c"), 0.0)
    assert (out[0].count, out[0].reason) == (expected, CloseReason.MAX_BYTES)
    assert sum(burst.count for burst in out) + session.held == 3


def test_max_bytes_counts_utf8_not_characters() -> None:
    session = Session(Window(max_bytes=4))
    (burst,) = session.feed(lines("äö", "b"), 0.0)
    assert (burst.head, session.held) == (("äö",), 1)


def test_the_tighter_of_max_lines_and_max_bytes_names_the_reason() -> None:
    by_bytes = Session(Window(max_lines=3, max_bytes=2)).feed(lines("a", "b", "c"), 0.0)
    assert [burst.reason for burst in by_bytes] == [CloseReason.MAX_BYTES] * 3
    by_lines = Session(Window(max_lines=1, max_bytes=100)).feed(lines("a", "b"), 0.0)
    assert [burst.reason for burst in by_lines] == [CloseReason.MAX_LINES] * 2


def test_the_identity_is_that_of_the_first_line() -> None:
    session = Session(key="web1")
    session.feed(lines("a", seq=7), 0.0)
    session.feed(lines("b", seq=8), 1.0)
    (burst,) = session.drain(2.0)
    assert (burst.key, burst.epoch, burst.seq, burst.gone, burst.reason) == ("web1", "e", 7, 0, CloseReason.END)


def test_a_stepping_wall_clock_changes_nothing_but_the_first_stamp() -> None:
    session = Session(Window(gap=5))
    session.feed(lines("a", time=1000.0), 0.0)
    session.feed(lines("b", time=50.0), 3.0)
    (burst,) = session.poll(8.0)
    assert (burst.first, burst.last, burst.closed) == (1000.0, 1003.0, 1008.0)


def test_nothing_open_gives_nothing() -> None:
    session = Session()
    assert session.feed(Batch(text="", count=0), 0.0) == session.flush(1.0) == session.drain(2.0) == []


def test_lines_that_are_not_shown_are_shed_first_then_patterns_then_the_others() -> None:
    session = Session(keep=Keep(head=2, tail=2, bytes=40))
    words = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(300)]
    session.feed(lines(*[f"{word}ed {word}ing {'x' * 100}" for word in words]), 0.0)
    steps = []
    while len(steps) < 2 or steps[-1] != steps[-2]:
        session.shed()
        shed = Session(keep=Keep(head=2, tail=2, bytes=40))
        shed.load(session.dump())
        (burst,) = shed.flush(0.0)
        steps.append((len("".join(map(str, burst.excerpt.log()))), len(burst.patterns)))
        assert sum(pattern.count for pattern in burst.patterns) + burst.tally.other == burst.count == 300
        assert (burst.head[0][:2], burst.tail[-1][:2]) == ("aa", "ln")
    sizes, patterns = zip(*steps, strict=True)
    assert [*sizes] == sorted(sizes, reverse=True)
    # All patterns are there until only what is shown is left of the lines.
    assert patterns[0] == 300
    assert min(size for size, count in steps if count == 300) == sizes[-1]
    assert patterns[-1] <= 200


@pytest.mark.parametrize(
    "fault", [{"gap": 0}, {"gap": inf}, {"gap": float("nan")}, {"max_age": 0.0001}, {"max_lines": 0}, {"max_bytes": -1}]
)
def test_a_bad_window_names_the_value(fault: dict[str, float]) -> None:
    ((name, value),) = fault.items()
    with pytest.raises(ValueError, match=f"^{name}={value}"):
        Window(**fault)  # type: ignore[arg-type]


def test_a_window_over_a_restart_has_the_epochs_of_both() -> None:
    session = Session()
    session.feed(Batch(text="a\n", count=1, epoch="e", seq=1), 0.0)
    session.feed(Batch(text="b\n", count=1, epoch="f", seq=1), 1.0)
    (burst,) = session.flush(2.0)
    assert (burst.epoch, burst.seq) == ("e+f", 1)


def test_without_a_masker_there_are_no_patterns() -> None:
    session = Session(masker=None)
    session.feed(Batch(text="a\n", count=1), 0.0)
    (burst,) = session.flush(1.0)
    assert (burst.count, burst.tally.count, burst.patterns) == (1, 0, [])


def test_where_both_bounds_are_met_by_one_line_the_reason_is_its_number() -> None:
    session = Session(Window(max_lines=2, max_bytes=4))
    assert [burst.reason for burst in session.feed(Batch(text="a\nb\n", count=2), 0.0)] == [CloseReason.MAX_LINES]


def test_lines_that_were_kept_are_told_with_the_time_at_which_they_came() -> None:
    session = Session(Window(gap=5))
    session.feed(lines("a", time=1000.0), 100.0)
    # Older than the first one that was fed.
    session.feed(Batch(text="b\n", count=1, time=990.0, late=14.0), 104.0)
    (burst,) = session.poll(200.0)
    assert (burst.first, burst.last, burst.closed) == (990.0, 1000.0, 1009.0)
    session.feed(Batch(text="c\n", count=1, time=1200.0, late=8.0), 300.0)
    session.feed(Batch(text="d\n", count=1, time=1206.0, late=2.0), 300.0)
    (burst,) = session.poll(400.0)
    assert (burst.first, burst.last, burst.closed) == (1200.0, 1206.0, 1213.0)
    assert (len(burst.timeline.counts), burst.timeline.count) == (49, 2)


def test_lines_below_a_threshold_are_told_once() -> None:
    session = Session(Window(gap=5))
    session.feed(Batch(text="a\nb\n", count=2, below=3), 0.0)
    session.feed(Batch(text="c\n", count=1, below=4), 1.0)
    (burst,) = session.poll(10.0)
    assert (burst.count, burst.below, session.held) == (3, 7, 0)
    session.feed(lines("d"), 11.0)
    assert session.flush(12.0)[0].below == 0


def test_of_lines_that_are_cut_the_first_burst_tells_what_is_below() -> None:
    session = Session(Window(max_lines=1))
    out = session.feed(Batch(text="a\nb\n", count=2, below=3), 0.0)
    assert [burst.below for burst in out] == [3, 0]


def test_a_window_of_the_version_before_is_still_one() -> None:
    session = Session(Window(gap=5))
    session.feed(lines("a", "b"), 10.0)
    session.feed(lines("c"), 12.0)
    _, _, (start, last, _, _, first), born, kept, _, *counts = session.dump()
    older = Session(Window(gap=5))
    older.load(["session", 2, [start, last, first], born, kept, *counts])
    assert older.dump() == session.dump()
    assert older.poll(100.0) == session.poll(100.0)
    with pytest.raises(StateMismatch, match="no state of session version 3"):
        older.load(["session", 2, [start, last, first], born, kept])
