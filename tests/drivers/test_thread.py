"""The thread driver, with real threads and real time; kept short."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from burstmail import (
    Aggregator,
    Batch,
    Burst,
    CallbackSink,
    DeliveryError,
    Item,
    IterableSource,
    PermanentDeliveryError,
    Pipeline,
    TemporaryDeliveryError,
    each,
)
from burstmail.drivers import thread as driver
from burstmail.testing import ManualClock, RecordingSink
from tests.drivers.steps import at, interrupt


class Signalling(RecordingSink):
    """Tells when something has arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Event()

    def send(self, item: Item) -> Mapping[str, DeliveryError]:
        failed = super().send(item)
        self.arrived.set()
        return failed


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_burst_arrives_after_the_gap_with_no_further_input() -> None:
    sink = Signalling()
    with Pipeline(Aggregator(gap=0.2), sink=sink) as pipeline:
        started = time.monotonic()
        pipeline.feed("a")
        pipeline.feed("b")
        assert sink.arrived.wait(10)
        assert time.monotonic() - started >= 0.2
        assert [burst.head for burst in sink.bursts] == [("a", "b")]


def test_run_reads_a_source_to_its_end_and_counts() -> None:
    sink = RecordingSink()
    statistics = Pipeline(Aggregator(), sink=sink).run(IterableSource(["a", "b", "c"]))
    assert [burst.count for burst in sink.bursts] == [3]
    assert (statistics.lines_in, statistics.lines_out, statistics.lines_held, statistics.sent) == (3, 3, 0, 1)


def test_batches_are_stamped_with_wall_time_and_number() -> None:
    sink = RecordingSink()
    pipeline = Pipeline(Aggregator(max_lines=1), sink=sink)
    pipeline.run(IterableSource(["a", "b"]))
    first, second = sink.bursts
    assert (first.seq, second.seq) == (1, 2)
    assert first.epoch == second.epoch
    assert len(first.epoch) == 32
    assert abs(first.first - time.time()) < 60


def test_feed_does_not_wait_for_a_sink_that_hangs() -> None:
    release = threading.Event()
    sent: list[Burst | object] = []

    def hang(item: Item) -> None:
        release.wait(20)
        sent.append(item)

    pipeline = Pipeline(Aggregator(max_lines=1), sink=CallbackSink(hang))
    started = time.monotonic()
    for number in range(100):
        pipeline.feed(str(number))
    assert time.monotonic() - started < 5
    assert pipeline.statistics().waiting == 100
    release.set()
    pipeline.close(grace=10)
    assert len(sent) == 100


def test_close_waits_no_longer_than_its_grace_and_counts_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    pipeline = Pipeline(Aggregator(), sink=CallbackSink(lambda item: release.wait(20)), grace=0.1)
    pipeline.feed("a\nb")
    with caplog.at_level(logging.ERROR, logger="burstmail"):
        started = time.monotonic()
        pipeline.close()
    assert time.monotonic() - started < 5
    assert "1 mail (2 lines) not delivered at exit, and lost; last error: none yet" in caplog.text
    release.set()


def test_close_is_safe_twice_and_feeding_after_it_is_an_error() -> None:
    pipeline = Pipeline(Aggregator(), sink=RecordingSink())
    pipeline.close()
    pipeline.close()
    with pytest.raises(RuntimeError, match="closed"):
        pipeline.feed("a")


def test_flush_sends_what_is_open() -> None:
    sink = Signalling()
    with Pipeline(Aggregator(gap=3600, max_age=3600), sink=sink) as pipeline:
        pipeline.feed("a")
        pipeline.flush()
        assert sink.arrived.wait(10)


def test_a_temporary_error_is_tried_again_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    sink = RecordingSink([TemporaryDeliveryError("greylisted")])
    with caplog.at_level(logging.WARNING, logger="burstmail"):
        pipeline = Pipeline(Aggregator(max_lines=1), sink=sink)
        pipeline.feed("a")
        deadline = time.monotonic() + 10
        while not pipeline.statistics().deferred and time.monotonic() < deadline:
            time.sleep(0.01)
        pipeline.close()
    assert [burst.count for burst in sink.bursts] == [1]
    assert "try 1 failed for all: greylisted" in caplog.text


def test_a_dead_message_is_told_to_on_dead() -> None:
    dead: list[tuple[int, str]] = []
    sink = RecordingSink([PermanentDeliveryError("no such user")])
    pipeline = Pipeline(Aggregator(), sink=sink, on_dead=lambda item, error: dead.append((item.count, str(error))))
    assert pipeline.run(IterableSource(["a"])).dead == 1
    assert dead == [(1, "no such user")]


def test_a_bug_in_a_sink_surfaces_and_loses_nothing() -> None:
    calls: list[Item] = []

    def buggy(item: Item) -> None:
        calls.append(item)
        if len(calls) == 1:
            raise KeyError("oops")

    pipeline = Pipeline(Aggregator(max_lines=1), sink=CallbackSink(buggy))
    pipeline.feed("a")
    until(lambda: pipeline.statistics().deferred == 1)
    with pytest.raises(KeyError, match="oops"):
        pipeline.close()
    assert len(calls) == 2
    assert pipeline.statistics().sent == 1


class Says:
    """A sink that returns what it should not."""

    def __init__(self, said: object) -> None:
        self.said = said
        self.items: list[Item] = []

    def send(self, item: Item) -> Any:
        self.items.append(item)
        return self.said


def test_a_sink_that_returns_nothing_has_accepted_all() -> None:
    sink = Says(None)
    with Pipeline(Aggregator(max_lines=1), sink=sink) as pipeline:
        pipeline.feed("a")
    assert len(sink.items) == 1
    assert pipeline.statistics().sent == 1


@pytest.mark.parametrize("said", [False, "sent", {"": "no such user"}])
def test_what_a_sink_should_not_return_is_a_bug_and_no_flood(said: object) -> None:
    sink = Says(said)
    pipeline = Pipeline(Aggregator(max_lines=1), sink=sink)
    pipeline.feed("a")
    until(lambda: pipeline.statistics().deferred == 1)
    pipeline.feed("b")
    with pytest.raises(TypeError, match="it must be the recipients that failed"):
        pipeline.close()
    assert len(sink.items) <= 4


def test_a_bug_in_on_dead_surfaces() -> None:
    def hook(item: Item, error: DeliveryError) -> None:
        raise KeyError("hook")

    pipeline = Pipeline(Aggregator(), sink=RecordingSink([PermanentDeliveryError("no")]), on_dead=hook)
    with pytest.raises(KeyError, match="hook"):
        pipeline.run(IterableSource(["a"]))


def test_a_callable_that_raises_surfaces_where_it_was_fed_and_changes_nothing() -> None:
    sink = RecordingSink()
    pipeline = Pipeline(Aggregator(key=each(lambda line: str(int(line)))), sink=sink)
    pipeline.feed("1")
    with pytest.raises(ValueError, match="invalid literal"):
        pipeline.feed("x")
    pipeline.close()
    assert [burst.head for burst in sink.bursts] == [("1",)]
    assert pipeline.statistics().lines_in == 1


def test_feeding_from_many_threads_loses_nothing() -> None:
    sink = RecordingSink()
    with Pipeline(Aggregator(max_lines=10), sink=sink) as pipeline:
        threads = [
            threading.Thread(target=lambda: [pipeline.feed(Batch.of("x\ny")) for _ in range(200)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(burst.count for burst in sink.bursts) == 3200
    assert pipeline.statistics().lines_in == 3200


def test_an_interrupt_at_any_step_leaves_no_lock_taken() -> None:
    for step in itertools.count():
        pipeline = Pipeline(Aggregator(), sink=RecordingSink())
        pipeline.feed("a")
        more = False
        with suppress(KeyboardInterrupt):
            more = True
            more = at(step, partial(pipeline.feed, "b"), interrupt, {driver.__file__, threading.__file__})
        # In a thread of its own: what waits for a lock that nobody gives back waits for ever.
        closing = threading.Thread(target=pipeline.close, daemon=True)
        closing.start()
        closing.join(10)
        assert not closing.is_alive(), f"step {step}"
        if not more:
            break
    assert step > 3


def test_an_idle_pipeline_does_not_wake_up() -> None:
    others = set(threading.enumerate())
    with Pipeline(Aggregator(gap=0.05), sink=RecordingSink()) as pipeline:
        pipeline.feed("a")
        until(lambda: pipeline.statistics().sent == 1)
        (thread,) = {thread for thread in threading.enumerate() if thread.name == "burstmail"} - others
        status = f"/proc/self/task/{thread.native_id}/status"
        # On a busy machine it may take a while until it has done what there was to do.
        until(lambda: _rests(status))
        before = _switches(status)
        time.sleep(1.0)
        assert _switches(status) == before


def _rests(status: str) -> bool:
    before = _switches(status)
    time.sleep(0.1)
    return "State:\tS" in Path(status).read_text() and _switches(status) == before


def _switches(status: str) -> int:
    return sum(int(line.split()[1]) for line in Path(status).read_text().splitlines() if "ctxt_switches" in line)


def test_what_is_not_done_in_time_is_told_to_a_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    # The background thread is there, and does nothing.
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    clock = ManualClock()
    with Pipeline(Aggregator(gap=5), sink=RecordingSink(), clock=clock, grace=0) as pipeline:
        assert pipeline.late() == 0
        pipeline.feed("disk failed")
        clock.advance(4)
        assert pipeline.late() == 0
        clock.advance(4)
        assert pipeline.late() == pytest.approx(3)
        pipeline.flush()
        assert pipeline.late() == 0
        pipeline.feed("disk failed")
        clock.advance(8)
    assert pipeline.late() == 0, "closed: nothing is due any more"
