"""Fakes for your own tests: a clock you advance, a sink that remembers, and a whole pipeline in simulated time.

>>> from burstmail import Aggregator
>>> from burstmail.testing import Simulation
>>> run = Simulation(Aggregator(gap=5)).at(0, "disk failed").at(3, "disk failed again")
>>> run.expect_burst(at=8, lines=2).expect_nothing(until=3600).statistics().lines_in
2
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .core.backoff import Backoff
from .core.flow import Flow
from .core.model import Attempt, Batch, Burst, CloseReason, DeadLetter, Item, Message
from .core.stage import Stage
from .core.statistics import Statistics
from .drivers.engine import Engine
from .errors import DeliveryError
from .sinks import Sink
from .stores import Store

# 2026-01-01 00:00:00 UTC: any fixed moment will do, so that mails are the same in every run.
START = 1767225600.0


class ManualClock:
    """A clock that stands still until you advance it. `now` is monotonic seconds, `wall` the wall time at 0."""

    def __init__(self, now: float = 0.0, *, wall: float = START) -> None:
        self._now = now
        self._wall = wall

    def monotonic(self) -> float:
        """Seconds since 0."""
        return self._now

    def time(self) -> float:
        """`wall` plus those seconds."""
        return self._wall + self._now

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises ValueError for less than 0: a monotonic clock never decreases."""
        if seconds < 0:
            raise ValueError(f"advance({seconds!r}): a monotonic clock never decreases")
        self._now += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP would; monotonic time does not notice."""
        self._wall += seconds


class RecordingSink:
    """A sink that keeps what it accepts in `items`. `outcomes` script the first attempts, one each:

    None accepts, a DeliveryError is raised, a mapping of recipient to error is returned. After them all is accepted.
    """

    def __init__(self, outcomes: Iterable[DeliveryError | Mapping[str, DeliveryError] | None] = ()) -> None:
        self._outcomes = iter(outcomes)
        self.items: list[Item] = []
        self.attempts = 0

    @property
    def messages(self) -> list[Message]:
        """The messages among the items."""
        return [item for item in self.items if isinstance(item, Message)]

    @property
    def bursts(self) -> list[Burst]:
        """The items as bursts."""
        return [_burst(item) for item in self.items]

    def send(self, item: Item) -> Mapping[str, DeliveryError]:
        """Do what the script says, else accept."""
        self.attempts += 1
        outcome = next(self._outcomes, None)
        if isinstance(outcome, DeliveryError):
            raise outcome
        self.items.append(item)
        return outcome or {}


@dataclass(frozen=True, slots=True)
class Delivery:
    """An item that a Simulation's sink accepted, and when (seconds since the start)."""

    at: float
    item: Item


class Simulation:
    """A pipeline in simulated time: the same core as Pipeline, with a number for a clock. Nothing sleeps.

    `at`, `until` and `end` move time; `expect_burst` and `expect_nothing` raise AssertionError. All return the
    simulation, so that a scenario reads as one sentence.
    """

    def __init__(
        self,
        *stages: Stage[Any, Any],
        sink: Sink | None = None,
        backoff: Backoff | None = None,
        give_up: float = 259200.0,
        store: Store | None = None,
        clock: ManualClock | None = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.flow = Flow(*stages, backoff=backoff, give_up=give_up, epoch="simulation")
        self.sink: Sink = sink or RecordingSink()
        self.engine = Engine(self.flow, self.clock, store=store)
        self.deliveries: list[Delivery] = []
        self.dead: list[DeadLetter] = []
        self._seen = 0
        self._attempt(self.engine.start())

    @property
    def bursts(self) -> list[Burst]:
        """The bursts delivered so far."""
        return [_burst(delivery.item) for delivery in self.deliveries]

    def at(self, seconds: float, *lines: str | Batch) -> Simulation:
        """Advance to `seconds` since the start and feed the lines, each str as a read of its own."""
        self._advance(seconds)
        for line in lines:
            self._attempt(self.engine.feed(Batch.of(line) if isinstance(line, str) else line))
        return self

    def until(self, seconds: float) -> Simulation:
        """Advance to `seconds` since the start."""
        self._advance(seconds)
        return self

    def flush(self) -> Simulation:
        """Close what is open."""
        self._attempt(self.engine.flush())
        return self

    def reconfigure(
        self, *stages: Stage[Any, Any], backoff: Backoff | None = None, give_up: float = 259200.0
    ) -> Simulation:
        """Close what is open, and go on with other stages: see `Pipeline.reconfigure`."""
        flow = Flow(*stages, backoff=backoff, give_up=give_up, epoch="simulation")
        self.flush()
        self._attempt(self.engine.become(flow))
        self.flow = flow
        return self

    def end(self) -> Simulation:
        """End the input: give up everything; with a store, what the caps hold and what waits is left there."""
        self._attempt(self.engine.end())
        self.engine.close()
        return self

    def expect_burst(
        self, *, at: float, lines: int | None = None, reason: CloseReason | None = None, key: str | None = None
    ) -> Simulation:
        """The next delivery comes at `at` and, where given, has so many lines, that reason, that key."""
        if at > self.clock.monotonic():
            self._advance(at)
        left = self.deliveries[self._seen :]
        assert left, f"no burst at {at:g} s; delivered so far: {self._story()}"
        self._seen += 1
        burst = _burst(left[0].item)
        found = (left[0].at, burst.count, burst.reason, burst.key)
        wanted = (at, lines, reason, key)
        fits = all(want is None or want == have for want, have in zip(wanted, found, strict=True))
        assert fits, f"wanted a burst of (at, lines, reason, key) {wanted}, found {found}"
        return self

    def expect_nothing(self, *, until: float) -> Simulation:
        """No further delivery up to and including `until`."""
        self._advance(until)
        extra = len(self.deliveries) - self._seen
        assert not extra, f"{extra} unexpected: {self._story()}"
        return self

    def statistics(self) -> Statistics:
        """The counts so far."""
        return self.engine.statistics()

    def _advance(self, seconds: float) -> None:
        while (wait := self.engine.deadline - self.engine.now) <= seconds - self.clock.monotonic():
            self.clock.advance(max(0.0, wait))
            self._attempt(self.engine.poll())
        self.clock.advance(seconds - self.clock.monotonic())

    def _attempt(self, attempts: Sequence[Attempt]) -> None:
        self.engine.logger.tell()
        todo = list(attempts)
        while todo:
            attempt = todo.pop(0)
            item = attempt.item
            result: DeliveryError | Mapping[str, DeliveryError]
            try:
                result = self.sink.send(item)
                self.deliveries.append(Delivery(self.clock.monotonic(), item))
            except DeliveryError as error:
                result = error
            more, dead = self.engine.settle(attempt, result)
            todo += more
            self.dead += dead

    def _story(self) -> str:
        told = (f"{delivery.at:g} s: {delivery.item.count} lines" for delivery in self.deliveries)
        return "; ".join(told) or "nothing"


def _burst(item: Item) -> Burst:
    return item.burst if isinstance(item, Message) else item
