"""Other stages for a pipeline that runs: nothing is lost or repeated, and what waits goes on waiting."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import (
    ANYTHING,
    Aggregator,
    Attempt,
    Batch,
    Burst,
    Caps,
    Composer,
    DeliveryError,
    Instant,
    Item,
    Limit,
    MemoryStore,
    Message,
    PermanentDeliveryError,
    Pipeline,
    Route,
    Routes,
    Stage,
    TemporaryDeliveryError,
    contains,
)
from burstmail.core.flow import Flow
from burstmail.drivers.engine import Engine
from burstmail.testing import ManualClock, RecordingSink, Simulation

Step = tuple[float, str]


def path(gap: float = 5, count: int = 2) -> list[Stage[Any, Any]]:
    return [Aggregator(gap=gap, key="host"), Caps(Limit(count, per=60), per_key=None)]


def told(run: Simulation) -> list[tuple[float, Burst]]:
    return [(delivery.at, delivery.item) for delivery in run.deliveries if isinstance(delivery.item, Burst)]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 80).map(float), st.sampled_from(["<13>Nov 23 12:00:00 a x: 1", "<13>Nov 23 12:00:00 b x: 2", ""])
    ),
    max_size=20,
)


@given(STEPS)
def test_with_the_same_stages_it_is_a_flush(steps: list[Step]) -> None:
    def lived(*, other: bool) -> Simulation:
        run, now = Simulation(*path()), 0.0
        for wait, line in steps:
            now += wait
            run.at(now, *([line] if line else []))
            if not line:
                run.reconfigure(*path()) if other else run.flush()
        return run.until(now + 10_000)

    one, two = lived(other=True), lived(other=False)
    assert told(one) == told(two)
    assert one.statistics() == two.statistics()


@given(STEPS, st.data())
def test_whatever_the_stages_every_line_comes_once(steps: list[Step], data: st.DataObject) -> None:
    makes = [
        lambda: path(),
        lambda: path(gap=50, count=1),
        lambda: [Aggregator(gap=1)],
        lambda: [
            Routes(
                Route(contains("1"), *path(count=1), name="one"),
                Route(ANYTHING, Aggregator(gap=3), name="other"),
            )
        ],
    ]
    run, now, fed = Simulation(*data.draw(st.sampled_from(makes))()), 0.0, 0
    for number, (wait, line) in enumerate(steps):
        now += wait
        run.at(now, *([f"{line} {number}"] if line else []))
        fed += bool(line)
        if not line:
            run.reconfigure(*data.draw(st.sampled_from(makes))())
    run.until(now + 10_000)
    shown = [line for _, burst in told(run) for line in (*burst.head, *burst.tail)]
    assert len(shown) == len(set(shown)) == fed
    counts = run.statistics()
    assert (counts.lines_in, counts.lines_out, counts.lines_held) == (fed, fed, 0)


def test_what_is_open_closes_under_the_old_stages_and_the_caps_go_on() -> None:
    run = Simulation(Aggregator(gap=600), Caps(Limit(1, per=60), per_key=None))
    run.at(0, "a").reconfigure(Aggregator(gap=600), Caps(Limit(1, per=60), per_key=None))
    run.expect_burst(at=0, lines=1).at(10, "b").flush()
    run.reconfigure(Aggregator(gap=1), Caps(Limit(1, per=60), per_key=None))
    run.expect_nothing(until=59).expect_burst(at=60, lines=1)


class Run:
    """An engine whose attempts are made when the test says so."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.clock = ManualClock()
        self.engine = Engine(Flow(*mailing("old@a.org")), self.clock, store=store)
        self.todo: list[Attempt] = list(self.engine.start())
        self.items: list[Message] = []

    def feed(self, *lines: str) -> None:
        self.todo += self.engine.feed(Batch.of(lines))

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.todo += self.engine.poll()

    def become(self, *stages: Stage[Any, Any], **more: Any) -> None:
        self.todo += self.engine.become(Flow(*stages, **more))

    def settle(self, failed: DeliveryError | Mapping[str, DeliveryError]) -> None:
        attempt = self.todo.pop(0)
        assert isinstance(attempt.item, Message)
        if not failed:
            self.items.append(attempt.item)
        self.todo += self.engine.settle(attempt, failed)[0]


def mailing(to: str) -> Sequence[Stage[Any, Any]]:
    return [Aggregator(gap=1), Composer(to, sender="me@a.org", host="h")]


@pytest.mark.parametrize("stored", [False, True])
def test_queued_mail_keeps_its_recipients_and_its_text(stored: bool) -> None:
    run = Run(MemoryStore() if stored else None)
    run.feed("a")
    run.wait(1)
    first = run.todo[0].item
    run.settle(TemporaryDeliveryError("busy"))
    run.become(*mailing("new@a.org"))
    run.feed("b")
    run.wait(60)
    while run.todo:
        run.settle({})
    assert first in run.items
    assert sorted(item.recipients for item in run.items) == [("new@a.org",), ("old@a.org",)]


def test_an_attempt_under_way_ends_with_what_it_brings() -> None:
    run = Run()
    run.feed("a")
    run.wait(1)
    run.become(*mailing("new@a.org"))
    assert len(run.todo) == 1
    run.settle({})
    assert not run.todo and not run.engine.busy
    counts = run.engine.statistics()
    assert (counts.lines_in, counts.lines_out, counts.sent, counts.bursts) == (1, 1, 1, 1)


def test_what_comes_due_before_another_flow_is_in_place_leaves_by_that_flow() -> None:
    """Time passes between two calls: an attempt at a destination of the old flow would be nobody's to make."""
    run = Run()
    run.feed("a")
    run.clock.advance(1)
    run.become(*mailing("new@a.org"), destinations=["other"])
    run.wait(0)
    assert [attempt.destination for attempt in run.todo] == ["other"]
    run.settle({})
    assert [item.recipients for item in run.items] == [("new@a.org",)]


def test_what_an_attempt_brings_for_a_destination_that_is_no_more_is_nobodys_news() -> None:
    run = Run()
    run.feed("a")
    run.wait(1)
    run.become(*mailing("new@a.org"), destinations=["other"])
    assert [attempt.destination for attempt in run.todo] == ["", "other"]
    run.settle(PermanentDeliveryError("no"))
    run.settle({})
    assert [item.recipients for item in run.items] == [("old@a.org",)]


def test_the_next_start_goes_on_from_there() -> None:
    store = MemoryStore()
    run = Run(store)
    run.feed("a")
    run.become(*mailing("new@a.org"))
    run.feed("b")
    again = Run(store)
    again.wait(1)
    while again.todo:
        again.settle({})
    # What was open went on in the new stages, from there to the store, and from there to those of the next start.
    assert [(item.recipients, item.burst.count) for item in again.items] == [(("old@a.org",), 2)]


def test_counts_go_on_by_route_too() -> None:
    def routes() -> Routes:
        return Routes(
            Route(contains("a"), Aggregator(gap=1), name="a"), Route(contains("b"), Aggregator(gap=1), name="b")
        )

    run = Simulation(routes()).at(0, "a 1", "b 1", "c").reconfigure(routes()).at(1, "a 2").until(10)
    counts = run.statistics()
    assert [(route.name, route.lines_in, route.bursts) for route in counts.routes] == [("a", 2, 2), ("b", 1, 1)]
    assert (counts.lines_in, counts.lines_refused, counts.bursts, counts.sent) == (4, 1, 3, 3)


class Raising(Instant[Any, Any]):
    """It takes nothing."""

    def feed(self, item: Any, now: float) -> Sequence[Any]:
        raise ZeroDivisionError


def test_what_raises_changes_nothing() -> None:
    run = Simulation(*path(count=1)).at(0, "a").flush().at(1, "b").flush()
    with pytest.raises(ZeroDivisionError):
        # What the caps hold fits no stage of these.
        run.reconfigure(Aggregator(), Raising())
    run.at(2, "c").until(1000)
    assert [line for burst in run.bursts for line in burst.head] == ["a", "b", "c"]


class Named(RecordingSink):
    """Tells which thread sends, and when something has come."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Event()
        self.thread: threading.Thread | None = None

    def send(self, item: Item) -> Mapping[str, DeliveryError]:
        self.thread = threading.current_thread()
        failed = super().send(item)
        self.came.set()
        return failed


def test_a_pipeline_goes_on_with_another_sink_and_the_thread_of_the_old_one_ends() -> None:
    old, new = Named(), Named()
    with Pipeline(Aggregator(gap=60), sink=old) as pipeline:
        pipeline.feed("a")
        pipeline.reconfigure(Aggregator(gap=0.05), sink=new)
        assert old.came.wait(10) and old.thread
        old.thread.join(10)
        assert not old.thread.is_alive()
        pipeline.feed("b")
        assert new.came.wait(10)
    assert ([burst.head for burst in old.bursts], [burst.head for burst in new.bursts]) == ([("a",)], [("b",)])


def test_a_pipeline_refuses_what_no_pipeline_would_take_and_after_its_end_all() -> None:
    sink = RecordingSink()
    pipeline = Pipeline(Aggregator(gap=60), sink=sink)
    pipeline.feed("a")
    with pytest.raises(ValueError, match="name at least one"):
        pipeline.reconfigure(Aggregator(), sink=[])
    assert not sink.items
    pipeline.close()
    with pytest.raises(RuntimeError, match="closed"):
        pipeline.reconfigure(Aggregator(), sink=sink)
    assert [burst.head for burst in sink.bursts] == [("a",)]
