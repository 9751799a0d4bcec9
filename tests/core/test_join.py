"""Lines that go on from others become records with them. What goes on: test_traces.py; the laws: test_laws.py."""

from __future__ import annotations

import json
from math import inf
from typing import Any

import pytest

from burstmail import Aggregator, Batch, Join, StateMismatch, chain, each

LETTER = each(lambda line: line[:1])


def batch(*lines: str, **more: Any) -> Batch:
    text = "".join(f"{line}\n" for line in lines)
    return Batch(text=text, count=len(lines), **more)


def fed(stage: Join, now: float, *lines: str, **more: Any) -> list[list[str]]:
    return [made.lines for made in stage.feed(batch(*lines, **more), now)]


def head(program: str, text: str, pid: int = 7) -> str:
    return f"<11>Nov 23 12:00:00 web1 {program}[{pid}]: {text}"


def test_a_record_leaves_when_the_next_one_begins() -> None:
    stage = Join()
    assert fed(stage, 0.0, "a", " 1") == []
    assert stage.held == 2
    assert fed(stage, 0.5, " 2", "b") == [["a", " 1", " 2"]]
    assert (stage.held, stage.deadline) == (1, 1.5)


def test_a_record_leaves_after_quiet_as_of_then() -> None:
    stage = Join(wait=2.0)
    stage.feed(batch("a", time=100.0, epoch="e", seq=4), 0.0)
    stage.feed(batch("\t1", time=101.0, epoch="e", seq=5), 1.5)
    assert stage.deadline == 3.5
    (made,) = stage.poll(50.0)
    assert (made.lines, made.time, made.late, made.seq, made.joined) == (["a", "\t1"], 100.0, 3.5, 4, True)
    assert (stage.held, stage.deadline) == (0, inf)


def test_a_record_that_goes_on_and_on_is_not_held_back() -> None:
    stage = Join(wait=1)
    stage.feed(Batch.of(["PANIC", "  0"]), 0.0)
    out = [fed(stage, tenth / 10, f"  {tenth}") for tenth in range(5, 200, 5)]
    # Ten seconds after it began, and what goes on then begins another.
    assert out[19] == [["PANIC", "  0", *(f"  {tenth}" for tenth in range(5, 100, 5))]]
    assert (sum(map(len, out)), stage.held) == (1, 20)


def test_a_burst_of_it_has_the_times_at_which_lines_came() -> None:
    stage = chain(Join(wait=1.0), Aggregator(gap=5))
    stage.feed(batch("a", time=100.0), 0.0)
    (burst,) = stage.poll(50.0)
    assert (burst.first, burst.last, burst.closed) == (100.0, 100.0, 106.0)


def test_plain_lines_leave_as_one_batch_but_for_the_last() -> None:
    stage = Join()
    (made,) = stage.feed(batch("a", "b", " 1", "c", "d", epoch="e", seq=3, gone=2), 0.0)
    assert (made.lines, made.count, made.gone, made.joined) == (["a", "b", " 1", "c"], 4, 2, True)
    (rest,) = stage.flush(0.0)
    assert (rest.lines, rest.gone, rest.late) == (["d"], 6, 0.0)


def test_what_goes_on_at_the_margin_is_indented_and_what_is_empty_too() -> None:
    assert fed(Join(), 0.0, "a", "Caused by: b", "", "c") == [["a", "\tCaused by: b", "\t"]]


def test_a_header_that_says_no_more_is_dropped() -> None:
    stage = Join()
    lines = [head("app", "lost"), head("app", "\tat a"), head("app", "Caused by: b"), head("app", "next")]
    assert fed(stage, 0.0, *lines) == [[lines[0], "\t\tat a", "\tCaused by: b"]]


def test_what_is_indented_stays_so_beside_what_is_not() -> None:
    traceback = ["Traceback (most recent call last):", '  File "x.py", line 1', "    boom()", "ValueError: nope"]
    for first in ([], ["ERROR: it failed"]):
        (made,) = Join().feed(batch(*first, *traceback, "b"), 0.0)
        begin, *rest = [*first, *traceback]
        assert made.lines == [begin, *(f"\t{line}" for line in rest)]


def test_where_all_of_it_is_indented_it_stays_as_it_came() -> None:
    (made,) = Join().feed(batch("a", "  1", "\t2", " 3", "b"), 0.0)
    assert made.lines == ["a", "  1", "\t2", " 3"]


def test_a_header_that_says_more_stays() -> None:
    stage = Join(key="host")
    lines = [head("app", "lost"), head("db", "\tat a"), head("app", " b", pid=8), head("app", "next")]
    assert fed(stage, 0.0, *lines) == [[lines[0], f"\t{lines[1]}", f"\t{lines[2]}"]]


def test_records_of_other_keys_do_not_come_between() -> None:
    stage = Join()
    app, web = (head("app", "lost"), head("app", "\tat a")), (head("web", "lost"), head("web", "\tat w"))
    assert fed(stage, 0.0, app[0], web[0], app[1], web[1]) == []
    assert fed(stage, 0.1, head("web", "next")) == [[web[0], "\tat w"]]
    assert [made.lines for made in stage.drain(0.2)] == [[app[0], "\tat a"], [head("web", "next")]]


def test_a_line_without_a_header_goes_on_from_the_line_before_it() -> None:
    stage = Join()
    web, app = head("web", "ready"), head("app", "lost")
    assert fed(stage, 0.0, web, app, "\tat a", "Caused by: b") == []
    assert fed(stage, 0.5, "\tat b", "plain") == []
    (made, rest) = stage.drain(0.6)
    assert (made.lines, rest.lines) == ([web, app, "\t\tat a", "\tCaused by: b", "\t\tat b"], ["plain"])


def test_sources_are_told_apart() -> None:
    stage = Join()
    assert fed(stage, 0.0, "a", place=("file:a", 2)) == fed(stage, 0.0, "b", place=("file:b", 2)) == []
    assert fed(stage, 0.1, " 1", "c", place=("file:a", 7)) == [["a", " 1"]]
    assert fed(stage, 0.2, " 2", "d", place=("file:b", 7)) == [["b", " 2"]]


def test_what_goes_on_from_nothing_is_a_record_of_its_own_in_a_batch_of_its_own() -> None:
    stage = Join(lines=2)
    assert fed(stage, 0.0, "a", " 1", " 2", " 3", "b") == [["a", " 1"], [" 2", " 3"]]
    assert fed(Join(), 0.0, " 1", " 2", "a", "b") == [[" 1", " 2", "a"]]


def test_bounds_cut_a_record_and_the_rest_begins_with_its_line_as_it_came() -> None:
    stage = Join(lines=2)
    lines = [head("app", text) for text in ("lost", " 1", " 2", "next")]
    assert fed(stage, 0.0, *lines) == [[lines[0], " 1", lines[2]]]
    stage = Join(bytes=10)
    assert fed(stage, 0.0, "aaaa", " bb", " c") == [["aaaa", " bb"]]
    # A tab that a line may get is counted, and a line that is longer is a record all the same.
    assert fed(Join(bytes=7), 0.0, "aa", " bb", "c" * 50, "d") == [["aa"], [" bb", "c" * 50]]


def test_with_begin_everything_else_goes_on() -> None:
    stage = Join(begin=r"^\[")
    assert fed(stage, 0.0, "[1] a", "b", "", "[2] c") == [["[1] a", "\tb", "\t"]]
    stage = Join(begin="^start")
    lines = [head("app", "start 1"), head("app", "middle"), head("app", "start 2")]
    assert fed(stage, 0.0, *lines) == [[lines[0], "\tmiddle"]]


def test_more_goes_on_too() -> None:
    assert fed(Join(more="^->"), 0.0, "a", "-> b", "c") == [["a", "\t-> b"]]


def test_lines_below_a_threshold_are_handed_on_with_what_leaves_next() -> None:
    stage = Join()
    stage.feed(batch("a", below=3), 0.0)
    (made,) = stage.poll(1.0)
    assert made.below == 3
    stage.feed(batch("b", "c", below=2), 2.0)
    assert [made.below for made in stage.feed(batch("d", "e"), 2.0)] == [0]


def test_when_crowded_the_record_that_was_quiet_for_longest_leaves_early() -> None:
    stage = Join(key=LETTER, keys=2)
    assert fed(stage, 0.0, "a", "b") == []
    assert fed(stage, 0.1, "c") == [["a"]]
    stage = Join(key=LETTER, budget=8)
    assert fed(stage, 0.0, "a1", "b1") == []
    assert fed(stage, 0.1, "c1") == [["a1"]]
    assert fed(stage, 0.2, "a2", " a3") == [["b1"], ["c1"]]
    assert [made.lines for made in stage.drain(0.3)] == [["a2", " a3"]]


def test_a_splitter_that_raises_changes_nothing() -> None:
    def key(line: str) -> str:
        return {"a": "a"}[line]

    stage = Join(key=each(key))
    stage.feed(batch("a"), 0.0)
    before = stage.dump()
    with pytest.raises(KeyError):
        stage.feed(batch("a", "b", below=3), 20.0)
    assert (stage.dump(), stage.held) == (before, 1)


def test_a_line_that_a_splitter_leaves_out_is_not_lost() -> None:
    stage = Join(key=lambda batch: [])
    assert fed(stage, 0.0, "a", "b") == [["a"]]


def test_a_restart_goes_on_with_the_record() -> None:
    stage = Join()
    stage.feed(batch("x", "Traceback (most recent call last):", time=100.0, epoch="e", seq=4, late=0.5), 0.0)
    fresh = Join()
    fresh.load(json.loads(json.dumps(stage.dump())))
    (made,) = fresh.feed(batch(" 1", "Error: 2", "b", time=101.0, epoch="f", seq=1), 0.5)
    assert made.lines == ["x", "\tTraceback (most recent call last):", "\t 1", "\tError: 2"]
    assert (made.time, made.epoch, made.seq, made.late) == (100.0, "e", 4, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wait": 0}, r"Join\(wait=0\): must be 0.001 seconds or more, and finite"),
        ({"wait": inf}, r"Join\(wait=inf\)"),
        ({"lines": 0}, r"Join\(lines=0\): must be 1 or more"),
        ({"bytes": 0}, r"Join\(bytes=0\)"),
        ({"keys": 0}, r"Join\(keys=0\)"),
        ({"budget": 0}, r"Join\(budget=0\)"),
        ({"key": "colour"}, r"key 'colour': use one or more of"),
    ],
)
def test_a_wrong_value_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Join(**options)


def test_another_stages_state_is_refused_and_changes_nothing() -> None:
    stage = Join()
    stage.feed(batch("a"), 0.0)
    before = stage.dump()
    with pytest.raises(StateMismatch, match="no state of join"):
        stage.load(Aggregator().dump())
    assert stage.dump() == before
