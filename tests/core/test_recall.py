"""What survives: each stage for itself; what fits none is salvaged; no state makes a start fail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Aggregator, Batch, Burst, Caps, Flow, Instant, Keep, Limit, Stage, StateMismatch, by
from burstmail.core.fold import dump_burst, restored_burst
from burstmail.core.patterns.tally import Tally
from burstmail.core.recall import loaded
from burstmail.core.salvage import salvaged
from burstmail.core.timeline import Timeline

KEEP = Keep(head=50, tail=50)


def stages(gap: float = 5.0) -> Sequence[Stage[Any, Any]]:
    return Aggregator(gap=gap, key=by("host"), keep=KEEP), Caps(Limit(1, per=60), per_key=None)


def line(host: str, number: int) -> str:
    return f"<13>Nov 23 10:00:00 {host} app: {number}"


def busy() -> Flow:
    """Two windows open, two bursts held, one message in the queue."""
    flow = Flow(*stages(), epoch="e")
    for number, host in enumerate(["web1", "web2", "web3"]):
        flow.feed(flow.stamp(Batch.of(line(host, number)), 1e9 + number), number * 6.0)
    flow.poll(20.0)
    flow.feed(flow.stamp(Batch.of([line("web4", 3), line("web5", 4)]), 1e9 + 21), 21.0)
    return flow


def numbers(bursts: Sequence[Burst]) -> set[int]:
    return {int(text.rsplit(" ", 1)[1]) for burst in bursts for text in burst.head}


def test_all_of_it_comes_back() -> None:
    flow, twin = busy(), Flow(*stages(), epoch="other")
    assert twin.recall(json.loads(json.dumps(flow.state())), 21.0) == []
    for key, row in flow.paths.rows().items():
        assert twin.restore(key, json.loads(json.dumps(row)), 21.0)
    twin.paths.go_on(flow.paths.trying(), 21.0)
    assert (twin.epoch, twin.reads, twin.held) == ("e", 4, 5)
    assert flow.settle({}, 22.0) == twin.settle({}, 22.0)
    assert twin.poll(1e4) == flow.poll(1e4)


def test_other_parameters_do_not_make_a_state_unfit_and_time_does_not_run_backwards() -> None:
    flow, twin = busy(), Flow(*stages(gap=0.5), epoch="other")
    assert twin.recall(flow.state(), 23.0) == []
    # The windows are overdue under the new gap: they close now.
    twin.poll(23.0)
    assert twin.deadline > 23.0


def test_a_stage_that_is_gone_leaves_its_lines_as_one_burst() -> None:
    twin = Flow(Aggregator(gap=5), epoch="other")
    (stray,) = twin.recall(busy().state(), 30.0)
    assert numbers([stray.burst]) == {1, 2}
    assert twin.held == 2
    (attempt,) = twin.take([stray], 30.0, "kept by an earlier burstmail")
    assert isinstance(attempt.item, Burst)
    assert (attempt.item.notes, attempt.item.count) == (("kept by an earlier burstmail",), 2)


def held_for(*destinations: str) -> Flow:
    """One message for each, and two lines held for each."""
    flow = Flow(*stages(), destinations=destinations, epoch="e")
    for number in range(3):
        flow.feed(flow.stamp(Batch.of(line("web", number)), 1e9), number * 6.0)
    flow.poll(20.0)
    return flow


def test_paths_with_other_names_hold_what_those_before_them_held() -> None:
    twin = Flow(*stages(), destinations=["new", "same", "newer"])
    assert twin.recall(held_for("old", "same", "older").state(), 30.0) == []
    assert twin.held == 6


def test_a_path_that_is_gone_leaves_its_lines_too() -> None:
    twin = Flow(*stages(), destinations=["same"])
    ((burst, _),) = twin.recall(held_for("old", "same").state(), 30.0)
    assert numbers([burst]) == {1, 2}


def test_a_message_for_a_destination_that_is_gone_goes_to_the_first_one() -> None:
    flow, twin = busy(), Flow(*stages(), destinations=["new", "newer"])
    ((_, row),) = flow.paths.rows().items()
    assert twin.restore("old/17", row, 30.0)
    assert list(twin.paths.rows()) == ["new/1"]


@pytest.mark.parametrize("row", [None, [], [1, 2, 3, 4, 5], ["burst", []], [["message"], 0, 0, None, ""]])
def test_what_is_no_message_is_said_to_be_none(row: Any) -> None:
    flow = Flow(*stages())
    assert not flow.restore("/1", row, 0.0)
    assert not flow.restore("/x", row, 0.0)
    assert flow.paths.rows() == {}


@pytest.mark.parametrize("state", [None, 7, [], ["flow"], ["flow", 99], ["flow", 2, "e", "x", []], {"a": 1}, "text"])
def test_a_state_of_another_kind_is_no_error(state: Any) -> None:
    flow = Flow(*stages(), epoch="e")
    assert flow.recall(state, 1.0) == []
    assert flow.held == 0
    flow.feed(flow.stamp(Batch.of("a"), 1e9), 2.0)


def test_a_state_whose_parts_are_damaged_gives_what_is_left() -> None:
    state = json.loads(json.dumps(busy().state()))
    # The windows' table has lost its name.
    state[4][4][0][1][0][0] = "broken"
    twin = Flow(*stages(), epoch="e")
    ((burst, _),) = twin.recall(state, 30.0)
    assert numbers([burst]) == {3, 4}
    assert {part for part, _ in burst.parts} == {"web4", "web5"} or burst.key == ""
    assert twin.held == 2


@given(st.data())
def test_no_damage_to_a_state_makes_a_start_fail(data: st.DataObject) -> None:
    text = json.dumps(busy().state())
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.sampled_from('0]}["x,n-')) + text[place + 1 :]
    try:
        state = json.loads(damaged)
    except ValueError:
        return
    flow = Flow(*stages())
    left = flow.recall(state, 30.0)
    assert sum(burst.count for burst, _ in left) >= 0


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=12)))
def test_salvage_takes_anything(state: Any) -> None:
    assert isinstance(salvaged(state, 0.0), list)


def test_salvage_has_an_end() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert salvaged(deep, 0.0) == []


def test_salvage_believes_no_counts_that_cannot_be() -> None:
    tally, timeline = Tally().dump(), Timeline().dump()
    kept = [["a\nb\n", [4]], ["", []], False, 1, 4]
    window: list[Any] = ["session", 2, [0.0, 0.0, 0.0], ["e", 1, 0], kept, tally, timeline]
    assert salvaged(window, 0.0) == []
    window[4][3] = 2
    assert [burst.count for burst in salvaged(["x", window], 0.0)] == [2]


def test_a_dumped_flow_fits_only_a_flow_of_the_same_destinations() -> None:
    with pytest.raises(StateMismatch, match="other stages or destinations"):
        Flow(*stages(), destinations=["new"]).load(busy().dump())


def test_a_state_that_loads_and_cannot_be_used_is_taken_back() -> None:
    flow = busy()
    state = json.loads(json.dumps(flow.state()))
    windows = state[4][4][0][1][0]
    # The moment at which a window opened is no number.
    windows[3][0][2][2][0] = None
    twin = Flow(*stages(), epoch="e")
    ((burst, _),) = twin.recall(state, 30.0)
    assert (numbers([burst]) <= {3, 4}, twin.held) == (True, 2)
    twin.poll(1e4)


def test_stages_that_are_no_list_are_no_error() -> None:
    state = json.loads(json.dumps(busy().state()))
    state[4][5][0][1][0][1] = 7
    twin = Flow(*stages(), epoch="e")
    assert twin.recall(state, 30.0) == []


class Undue(Instant[Any, Any]):
    """A stage whose state loads whatever it is."""

    due: Any = 1.0

    @property
    def deadline(self) -> float:
        return float(self.due)

    def dump(self) -> Any:
        return ["undue", 1, self.due]

    def load(self, state: Any) -> None:
        self.due = state[2]


def test_a_deadline_that_is_no_moment_is_no_state() -> None:
    part = Undue()
    assert not loaded(part, ["undue", 1, float("nan")])
    assert not loaded(part, ["undue", 1, "soon"])
    assert part.due == 1.0
    assert loaded(part, ["undue", 1, 2.0])


@pytest.mark.parametrize(
    "kept",
    [
        *(["rubbish"], None, ["stages", 1, [], [], 7], ["stages", 1, [], 7, []]),
        *(
            ["stages", 2, [], [], 7, []],
            ["stages", 2, [], [], [], 7],
            ["stages", 2, [], 7, [["", 7, []]], [["", [], 7]]],
        ),
    ],
)
def test_a_snapshot_of_another_shape_is_no_error(kept: Any) -> None:
    flow = Flow(*stages(), epoch="e")
    assert flow.recall(["flow", 2, "e", 3, kept], 1.0) == []
    assert (flow.held, flow.reads) == (0, 3)


def earlier(state: Any) -> Any:
    """The state as it was written before there were routes."""
    state = json.loads(json.dumps(state))
    _, _, echo, front, [[_, shared, _]], ways = state[4]
    assert front == []
    old = [[name, own, [*told, queue]] for name, [[_, own]], [[[_, told]], queue] in ways]
    state[4] = ["stages", 1, echo, shared, old]
    return state


def test_a_state_from_before_there_were_routes_comes_back() -> None:
    flow, twin = busy(), Flow(*stages(), epoch="other")
    flow.note("told later")
    assert twin.recall(earlier(flow.state()), 21.0) == []
    assert twin.state() == flow.state()


# As they were dumped before there were a log, patterns and times: nine lines, of which two and two were kept.
OLD_WINDOW = [
    *("session", 1, [1.0, 2.0, 100.0], ["e", 7, 3]),
    [["line 0", "line 1"], [["line 2\nline 3\n", 2, 14], ["line 4\n", 1, 7]], True, 5, 35],
]
OLD_BURST = [
    "web1",
    [2, 2, 65536, ["line 0", "line 1"], ["line 7", "line 8"], 9, 63],
    *([100.0, 101.0, 106.0, 106.0], "gap", ["e", 7, 3], 1, [0.0, 0.0], None, [], None, []),
]


def test_a_window_of_an_earlier_version_is_salvaged_whole() -> None:
    (found,) = salvaged([["web1", 3, OLD_WINDOW]], 5.0)
    assert (found.key, found.count, found.first, found.epoch, found.seq, found.gone) == ("web1", 5, 100.0, "e", 7, 3)
    assert (*found.head, *found.tail) == tuple(f"line {number}" for number in range(5)) and not found.elided


def test_a_burst_of_an_earlier_version_has_all_it_had() -> None:
    found = restored_burst(OLD_BURST)
    assert (found.count, found.elided, found.head, found.tail) == (9, 5, ("line 0", "line 1"), ("line 7", "line 8"))
    assert not found.patterns and not found.timeline.counts
    assert restored_burst(dump_burst(found)) == found
    assert salvaged(OLD_BURST, 5.0) == [found]


@pytest.mark.parametrize(
    "timeline",
    [
        *([0.0, 1, [1]], [-1.0, 1, [1]], [1e300, 1, [1]]),
        *([1.0, -1, [1]], [1.0, 0.5, [1]], [1.0, 1, [-1]], [1.0, 1, [1] * 99]),
    ],
)
def test_a_damaged_timeline_costs_the_times_and_no_line(timeline: list[Any]) -> None:
    burst = restored_burst(OLD_BURST)
    damaged = [*dump_burst(burst)[:-1], timeline]
    with pytest.raises(ValueError, match="no timeline"):
        Timeline.restored(timeline)
    # Two of them would be joined.
    (found,) = salvaged([damaged, damaged], 5.0)
    assert found.count == 18 and not found.timeline.counts
