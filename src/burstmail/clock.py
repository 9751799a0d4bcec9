"""The only file that reads a clock.

Machines measure with `monotonic()`, people read `time()`. Nothing else in the package asks what time it is,
so a test that brings its own Clock owns every second of the program.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from .core.stage import Stage

In = TypeVar("In")
Out = TypeVar("Out")


class Clock(Protocol):
    """Two readings. Any object with these two methods is a clock."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never decreases."""
        ...

    def time(self) -> float:
        """Wall-clock seconds since 1970-01-01 UTC; may step."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never decreases."""
        return time.monotonic()

    def time(self) -> float:
        """Wall-clock seconds since 1970-01-01 UTC; may step."""
        return time.time()


class Clocked(Generic[In, Out]):
    """A stage bound to a clock, for calls without `now`.

    >>> from burstmail import Aggregator, Batch, Clocked
    >>> from burstmail.testing import ManualClock
    >>> clock = ManualClock()
    >>> bursts = Clocked(Aggregator(gap=5), clock)
    >>> bursts.feed(Batch.of("disk failed"))
    []
    >>> clock.advance(5)
    >>> [burst.count for burst in bursts.poll()]
    [1]
    """

    def __init__(self, stage: Stage[In, Out], clock: Clock | None = None) -> None:
        self.stage = stage
        self.clock = clock or SystemClock()

    @property
    def wait(self) -> float:
        """Seconds until the next `poll()` is worth while; `inf` when only input matters."""
        return max(0.0, self.stage.deadline - self.clock.monotonic())

    @property
    def held(self) -> int:
        """Lines taken in and not yet given out."""
        return self.stage.held

    def feed(self, item: In) -> Sequence[Out]:
        """Take one item in, now."""
        return self.stage.feed(item, self.clock.monotonic())

    def poll(self) -> Sequence[Out]:
        """Let time pass up to now."""
        return self.stage.poll(self.clock.monotonic())

    def flush(self) -> Sequence[Out]:
        """Close what is open, now."""
        return self.stage.flush(self.clock.monotonic())

    def drain(self) -> Sequence[Out]:
        """Give up everything, now."""
        return self.stage.drain(self.clock.monotonic())
