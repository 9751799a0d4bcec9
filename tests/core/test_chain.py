"""Joining stages."""

from __future__ import annotations

import pytest

from burstmail import Aggregator, Batch, Burst, Caps, Instant, Limit, State, StateMismatch, chain


def test_a_chain_needs_a_stage() -> None:
    with pytest.raises(ValueError, match="at least one"):
        chain()


def test_a_chain_of_one_is_that_stage() -> None:
    stage = Aggregator()
    assert chain(stage) is stage


def test_the_second_stage_sees_a_burst_at_the_moment_it_closed() -> None:
    path = chain(Aggregator(gap=5), Caps(Limit(1, per=10), per_key=None))
    path.feed(Batch.of("a"), 0.0)
    path.feed(Batch.of("b"), 6.0)
    assert path.deadline == 11.0
    # a left at 5, so b, which closed at 11, leaves at 15; polled only at 100.
    (burst,) = path.poll(100.0)
    assert (burst.head, burst.waited) == (("b",), 4.0)


def test_flush_and_drain_go_through_every_stage() -> None:
    path = chain(Aggregator(), Caps(Limit(1, per=60), per_key=None))
    path.feed(Batch.of("a"), 0.0)
    assert [burst.head for burst in path.flush(1.0)] == [("a",)]
    path.feed(Batch.of("b"), 2.0)
    assert list(path.flush(3.0)) == []
    assert path.held == 1
    assert [burst.head for burst in path.drain(4.0)] == [("b",)]
    assert path.held == 0


def test_a_stage_that_makes_no_progress_is_named_not_spun_on() -> None:
    class Stuck(Instant[Burst, Burst]):
        @property
        def deadline(self) -> float:
            return 1.0

    path = chain(Aggregator(), Stuck())
    with pytest.raises(RuntimeError, match="progress law"):
        path.poll(2.0)


@pytest.mark.parametrize("state", [None, [], ["chain", 2, [], []], ["chain", 1, []], "chain"])
def test_a_state_that_does_not_fit_is_refused(state: State) -> None:
    with pytest.raises(StateMismatch):
        chain(Aggregator(), Caps()).load(state)


def test_a_chain_loads_both_states_or_neither() -> None:
    path = chain(Aggregator(), Caps())
    path.feed(Batch.of("a"), 0.0)
    before = path.dump()
    other = chain(Aggregator(), Caps()).dump()
    with pytest.raises(StateMismatch):
        path.load([*other[:3], ["caps", 99]])
    assert path.dump() == before
