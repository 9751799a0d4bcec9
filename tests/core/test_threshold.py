"""Lines wait until there are enough of them; those that stay too few are counted. The laws are in test_laws.py."""

from __future__ import annotations

import json
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Aggregator, Batch, Join, StateMismatch, Threshold, chain, contains, each
from burstmail.core.threshold import ROW, SHELF

WALL = 1000.0
LETTER = each(lambda line: line[:1])


def fed(stage: Threshold, now: float, *lines: str, **more: Any) -> list[tuple[str, ...]]:
    """The lines of each batch that leaves."""
    batch = Batch.of(lines, time=WALL + now)
    return [tuple(made.lines) for made in stage.feed(Batch(text=batch.text, count=batch.count, **more), now)]


def test_lines_wait_for_the_one_that_completes_them_and_leave_before_it() -> None:
    stage = Threshold(3, per=10)
    assert (fed(stage, 0.0, "a"), fed(stage, 4.0, "b")) == ([], [])
    assert (stage.held, stage.deadline) == (2, 10.0)
    assert fed(stage, 9.0, "c", "d") == [("a",), ("b",), ("c", "d")]
    assert (stage.held, stage.deadline, stage.below) == (0, inf, 0)


def test_each_leaves_with_its_own_stamps() -> None:
    stage = Threshold(2, per=10)
    stage.feed(Batch(text="a\n", count=1, time=1.0, epoch="e", seq=7, gone=3, place=("file:x", 5)), 0.0)
    first, last = stage.feed(Batch(text="b\n", count=1, time=2.0, epoch="e", seq=8, late=0.5, joined=True), 4.0)
    assert (first.time, first.epoch, first.seq, first.gone, first.late, first.place) == (1.0, "e", 7, 3, 4.0, None)
    assert (last.time, last.seq, last.late, last.joined) == (2.0, 8, 0.5, True)


def test_what_reaches_the_threshold_by_itself_passes_untouched() -> None:
    batch = Batch.of(["a", "b", "c"])
    assert Threshold(3, per=10).feed(batch, 0.0) == [batch]
    assert Threshold(1, per=10).feed(batch, 0.0)[0] is batch


def test_what_is_urgent_waits_for_no_others_and_takes_along_what_waits_of_its_key() -> None:
    stage = Threshold(3, per=10, key=LETTER, urgent=contains("panic"))
    assert fed(stage, 0.0, "a one") == fed(stage, 0.0, "b one") == []
    assert fed(stage, 4.0, "a panic") == [("a one",), ("a panic",)]
    assert (stage.held, stage.below) == (1, 0)
    # Those that have passed count all the same.
    assert fed(stage, 5.0, "a three") == [("a three",)]
    assert fed(stage, 30.0, "c panic") == [("c panic",)]
    assert stage.below == 1


def test_an_urgent_record_is_decided_whole() -> None:
    stage = Threshold(2, per=10, urgent=contains("panic"))
    assert fed(stage, 0.0, "a", "\tpanic", joined=True) == [("a", "\tpanic")]
    assert fed(stage, 20.0, "b", "\tcalm", joined=True) == []


def test_a_function_that_raises_has_changed_nothing() -> None:
    def fails(line: str) -> bool:
        raise ZeroDivisionError

    stage = Threshold(2, per=10, urgent=fails)
    before = stage.dump()
    with pytest.raises(ZeroDivisionError):
        fed(stage, 0.0, "a")
    assert stage.dump() == before


def test_the_time_slides_and_its_end_is_not_in_it() -> None:
    stage = Threshold(3, per=10)
    assert fed(stage, 0.0, "a") == fed(stage, 9.0, "b") == fed(stage, 10.0, "c") == []
    assert fed(stage, 18.999, "d") == [("b",), ("c",), ("d",)]
    assert stage.below == 1


def test_after_that_lines_pass_at_once_while_the_last_ones_are_near() -> None:
    stage = Threshold(3, per=10)
    for now in (0.0, 1.0, 2.0):
        fed(stage, now, "x")
    assert fed(stage, 10.5, "d") == [("d",)]
    # The last two came at 2.0 and 10.5.
    assert fed(stage, 12.0, "e") == []
    assert fed(stage, 12.5, "f") == [("e",), ("f",)]


def test_lines_that_stay_too_few_are_told_of_by_the_next_batch_that_leaves() -> None:
    stage = Threshold(2, per=10)
    assert fed(stage, 0.0, "a") == []
    assert (stage.poll(9.9), stage.held, stage.below) == ([], 1, 0)
    assert (stage.poll(10.0), stage.held, stage.below, stage.deadline) == ([], 0, 1, inf)
    fed(stage, 20.0, "b")
    fed(stage, 40.0, "c")
    first, second = stage.feed(Batch.of("d"), 41.0)
    assert (first.lines, first.below, second.below) == (["c"], 2, 0)
    assert stage.feed(Batch.of("e"), 42.0)[0].below == 0
    assert stage.below == 2


def test_what_a_stage_before_it_counted_is_told_with_it() -> None:
    stage = Threshold(2, per=10)
    assert stage.feed(Batch(text="a\n", count=1, below=5), 0.0) == []
    assert [made.below for made in stage.feed(Batch(text="b\n", count=1, below=2), 1.0)] == [7, 0]
    assert stage.below == 0


def test_the_burst_tells_of_them_and_has_the_times_at_which_lines_came() -> None:
    stage = chain(Threshold(2, per=60), Aggregator(gap=5))
    stage.feed(Batch.of("a", time=WALL), 0.0)
    stage.feed(Batch.of("b", time=WALL + 100), 100.0)
    stage.feed(Batch.of("c", time=WALL + 130), 130.0)
    (burst,) = stage.poll(200.0)
    assert (burst.head, burst.below, burst.count) == (("b", "c"), 1, 2)
    assert (burst.first, burst.last, burst.closed) == (WALL + 100, WALL + 130, WALL + 135)
    assert burst.timeline.counts[0] == burst.timeline.counts[-1] == 1


def test_keys_are_counted_each_for_itself() -> None:
    stage = Threshold(2, per=10, key=LETTER)
    assert fed(stage, 0.0, "a1", "b1") == []
    assert fed(stage, 1.0, "b2", "c1") == [("b1",), ("b2",)]
    assert fed(stage, 2.0, "a2", "b3") == [("a1",), ("a2",), ("b3",)]


def test_the_key_may_be_a_field() -> None:
    stage = Threshold(2, per=10, key="host, program")
    line = "Nov 23 12:00:00 {} sshd[{}]: no"
    assert fed(stage, 0.0, line.format("web1", 1), line.format("web2", 1)) == []
    assert fed(stage, 0.0, line.format("web2", 2)) == [(line.format("web2", 1),), (line.format("web2", 2),)]


def test_parts_of_a_read_have_numbers_of_their_own() -> None:
    stage = Threshold(2, per=10, key=LETTER)
    stage.feed(Batch(text="a1\nb1\n", count=2, epoch="e", seq=1), 0.0)
    out = stage.feed(Batch(text="b2\na2\na3\n", count=3, epoch="e", seq=2, gone=4), 1.0)
    assert [(made.lines, made.seq, made.gone) for made in out] == [
        (["b1"], 1, 1),
        (["b2"], 2, 4),
        (["a1"], 1, 0),
        (["a2", "a3"], 2, 5),
    ]


def test_a_record_counts_as_one_line() -> None:
    stage = chain(Join(), Threshold(2, per=10))
    trace = ["first", *(f"\tat {number}" for number in range(30))]
    stage.feed(Batch.of(trace), 0.0)
    assert stage.poll(1.0) == []
    stage.feed(Batch.of("second"), 2.0)
    assert [made.lines for made in stage.poll(3.0)] == [trace, ["second"]]


def test_a_splitter_that_raises_changes_nothing() -> None:
    def key(line: str) -> str:
        return {"a": "a"}[line]

    stage = Threshold(2, per=10, key=each(key))
    stage.feed(Batch.of("a"), 0.0)
    before = stage.dump()
    with pytest.raises(KeyError):
        stage.feed(Batch(text="a\nb\n", count=2, below=3), 20.0)
    assert (stage.dump(), stage.held) == (before, 1)


def test_an_end_counts_what_waits_and_a_restart_goes_on_with_the_count_and_the_moments() -> None:
    stage = Threshold(3, per=10)
    fed(stage, 0.0, "a")
    fed(stage, 1.0, "b")
    assert (stage.flush(2.0), stage.held) == ([], 2)
    assert (stage.drain(2.0), stage.held, stage.below, stage.deadline) == ([], 0, 2, inf)
    fresh = Threshold(3, per=10)
    fresh.load(json.loads(json.dumps(stage.dump())))
    (made,) = fresh.feed(Batch.of("c"), 5.0)
    assert (made.lines, made.below, fresh.below) == (["c"], 2, 0)


# --- bounds


def test_past_the_bound_of_keys_newcomers_count_together_and_none_is_hidden() -> None:
    stage = Threshold(2, per=10, key=LETTER, keys=2)
    assert fed(stage, 0.0, "a1", "b1", "c1") == []
    assert fed(stage, 1.0, "d1") == [("c1",), ("d1",)]
    assert fed(stage, 2.0, "a2") == [("a1",), ("a2",)]


def test_keys_that_are_quiet_make_room() -> None:
    stage = Threshold(2, per=10, key=LETTER, keys=2)
    fed(stage, 0.0, "a1", "b1")
    fed(stage, 5.0, "a2")
    # b is of no account any more; a is.
    assert fed(stage, 10.0, "c1") == fed(stage, 11.0, "d1") == []
    assert fed(stage, 12.0, "c2") == [("c1",), ("c2",)]
    assert fed(stage, 13.0, "a3") == [("a3",)]


def test_over_the_budget_what_has_waited_longest_is_counted_as_below_but_not_forgotten() -> None:
    stage = Threshold(3, per=10, budget=2 * (SHELF + ROW) + 100)
    fed(stage, 0.0, "a" * 60)
    assert fed(stage, 1.0, "b" * 60) == []
    assert (stage.held, stage.below) == (1, 1)
    assert fed(stage, 2.0, "c") == [("b" * 60,), ("c",)]


def test_over_the_budget_with_nothing_waiting_the_quietest_key_is_forgotten() -> None:
    stage = Threshold(2, per=10, key=LETTER, budget=2 * ROW)
    for now, line in enumerate(["a", "b", "c"]):
        fed(stage, float(now), line, line)
    assert [key for key, _ in stage.dump()[4]] == ["b", "c"]


def test_a_flood_costs_no_memory() -> None:
    stage = Threshold(10, per=300)
    for number in range(1000):
        assert len(fed(stage, number / 1000, *["x"] * 50)) == 1
    assert len(json.dumps(stage.dump())) < 200


def test_the_memory_of_a_flood_of_keys_is_bounded() -> None:
    stage = Threshold(10_000, per=300, key=each(str), keys=100, budget=100_000)
    for number in range(3000):
        fed(stage, number / 1000, f"line {number % 1500}")
    assert len(json.dumps(stage.dump())) < 200_000
    assert stage.held + stage.below == 3000


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Threshold(0, per=1), r"Threshold\(count=0\): must be 1 to 10,000 lines"),
        (lambda: Threshold(10_001, per=1), r"count=10001"),
        (lambda: Threshold(2, per=0.0), r"Threshold\(per=0.0\): must be 0.001 seconds or more, and finite"),
        (lambda: Threshold(2, per=inf), r"per=inf"),
        (lambda: Threshold(2, per=1, keys=0), r"Threshold\(keys=0\): must be 1 or more"),
        (lambda: Threshold(2, per=1, budget=0), r"Threshold\(budget=0\)"),
        (lambda: Threshold(2, per=1, key="colour"), r"key 'colour': use one or more of"),
    ],
)
def test_a_wrong_value_is_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_state_fits_a_threshold_with_other_parameters() -> None:
    stage = Threshold(5, per=100)
    for now in range(4):
        fed(stage, float(now), str(now))
    lower = Threshold(2, per=100)
    lower.load(stage.dump())
    assert fed(lower, 5.0, "x") == [("0",), ("1",), ("2",), ("3",), ("x",)]


def test_another_stages_state_is_refused_and_changes_nothing() -> None:
    stage = Threshold(2, per=10)
    fed(stage, 0.0, "a")
    before = stage.dump()
    with pytest.raises(StateMismatch, match="no state of threshold"):
        stage.load(Aggregator().dump())
    with pytest.raises(ValueError, match="a batch of 2 lines that has 1"):
        stage.load([*before[:5], [[1, 0.0, ["batch", 1, "a\n", 2, [0.0, "", 0, 0], 0.0, False]]]])
    with pytest.raises(ValueError, match="no batch"):
        stage.load([*before[:5], [[1, 0.0, ["batch", 2, "a\n", 1, [0.0, "", 0, 0], 0.0, False]]]])
    assert stage.dump() == before


@given(moments=st.lists(st.floats(0, 30) | st.integers(0, 30), max_size=40), count=st.integers(1, 5))
def test_exactly_those_lines_leave_that_are_among_so_many_within_the_time(moments: list[float], count: int) -> None:
    """The rule told once more, for all moments at once: a line leaves if it is in some run of `count` within `per`."""
    stage, per, moments = Threshold(count, per=7), 7, sorted(moments)
    left: list[str] = []
    for number, moment in enumerate(moments):
        left += [line for lines in fed(stage, moment, str(number)) for line in lines]
    wanted = [
        str(number)
        for number in range(len(moments))
        if any(
            run and len(run) == count and run[0] + per > run[-1]
            for start in range(max(0, number - count + 1), number + 1)
            for run in [moments[start : start + count]]
        )
    ]
    assert left == wanted
    stage.poll(1000.0)
    assert stage.below == len(moments) - len(wanted)
