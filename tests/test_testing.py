"""The shipped fakes are API."""

from __future__ import annotations

import pytest

from burstmail import (
    Aggregator,
    Backoff,
    Batch,
    CallbackSink,
    Caps,
    Clocked,
    CloseReason,
    Composer,
    Limit,
    PermanentDeliveryError,
    SystemClock,
    TemporaryDeliveryError,
)
from burstmail.testing import START, ManualClock, RecordingSink, Simulation


def test_a_manual_clock_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock(10.0)
    assert (clock.monotonic(), clock.time()) == (10.0, START + 10)
    clock.advance(2.5)
    clock.step(-3600)
    assert (clock.monotonic(), clock.time()) == (12.5, START + 12.5 - 3600)
    with pytest.raises(ValueError, match="never decreases"):
        clock.advance(-1)


def test_a_clocked_stage_needs_no_now() -> None:
    clock = ManualClock()
    bursts = Clocked(Aggregator(gap=5), clock)
    assert bursts.wait == float("inf")
    bursts.feed(Batch.of("a"))
    assert (bursts.wait, bursts.held) == (5.0, 1)
    clock.advance(7)
    assert bursts.wait == 0.0
    assert [burst.closed - burst.first for burst in bursts.poll()] == [5.0]
    bursts.feed(Batch.of("b"))
    assert [burst.reason for burst in bursts.flush()] == [CloseReason.FLUSH]
    bursts.feed(Batch.of("c"))
    assert [burst.reason for burst in bursts.drain()] == [CloseReason.END]


def test_a_clocked_stage_uses_the_machines_clock_by_default() -> None:
    assert isinstance(Clocked(Aggregator()).clock, SystemClock)
    assert SystemClock().time() > START


def test_a_scenario_reads_as_one_sentence() -> None:
    (
        Simulation(Aggregator(gap=5), Caps(Limit(1, per=60), per_key=None))
        .at(0, "a", "b")
        .at(3, "c")
        .expect_burst(at=8, lines=3, reason=CloseReason.GAP, key="")
        .at(10, "d")
        .expect_nothing(until=67)
        .expect_burst(at=68, lines=1)
        .at(70, "e")
        .flush()
        .expect_nothing(until=100)
        .end()
        .expect_burst(at=100, lines=1)
    )


@pytest.mark.parametrize("wrong", [{"at": 4}, {"at": 5, "lines": 2}, {"at": 5, "reason": CloseReason.END}])
def test_a_wrong_expectation_says_what_was_found(wrong: dict[str, int]) -> None:
    with pytest.raises(AssertionError, match="found \\(5|no burst at 4"):
        Simulation(Aggregator(gap=5)).at(0, "a").expect_burst(**wrong)  # type: ignore[arg-type]


def test_an_unexpected_delivery_is_told() -> None:
    with pytest.raises(AssertionError, match="1 unexpected: 5 s: 1 lines"):
        Simulation(Aggregator(gap=5)).at(0, "a").expect_nothing(until=10)
    with pytest.raises(AssertionError, match="delivered so far: nothing"):
        Simulation(Aggregator(gap=5)).expect_burst(at=10)


def test_scripted_outcomes_come_first_and_retries_follow_the_backoff() -> None:
    sink = RecordingSink([TemporaryDeliveryError("down"), {}, PermanentDeliveryError("no")])
    run = Simulation(Aggregator(gap=5), sink=sink, backoff=Backoff(first=10)).at(0, "a")
    run.expect_burst(at=15, lines=1).at(20, "b").expect_nothing(until=1000)
    assert (sink.attempts, [burst.count for burst in sink.bursts]) == (3, [1])
    assert [str(letter.error) for letter in run.dead] == ["no"]
    assert (run.statistics().sent, run.statistics().deferred, run.statistics().dead) == (1, 1, 1)


def test_messages_are_the_same_in_every_run() -> None:
    def once() -> bytes:
        sink = RecordingSink()
        composer = Composer(to="ops@example.org", sender="me@example.org", host="example.org")
        Simulation(Aggregator(), composer, sink=sink).at(1, "a").end()
        return sink.messages[0].data

    assert once() == once()


def test_any_sink_will_do_and_a_bug_surfaces() -> None:
    run = Simulation(Aggregator(gap=5), sink=CallbackSink(lambda item: 1 / 0)).at(0, "a")
    with pytest.raises(ZeroDivisionError):
        run.until(5)


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="never decreases"):
        Simulation(Aggregator()).until(5).at(3, "a")
