"""Batch -> Attempt. The whole path as one pure machine: stamps in front, stages, an outbox at the end.

Every driver is this plus a clock and somebody who makes the attempts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import DeliveryError
from .chain import chain
from .deliver import DeadLetter, Outbox
from .model import Attempt, Batch, Burst, Item
from .stage import Instant, Stage, State, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A snapshot of a flow's counts. Lines: `lines_in == lines_held + lines_out`."""

    lines_in: int
    """Lines taken in."""
    lines_held: int
    """Lines in open windows, held by caps, or in messages that wait."""
    lines_out: int
    """Lines of messages delivered or dead."""
    lines_left_out: int
    """Lines that bursts count but do not show."""
    bursts: int
    """Bursts that have left the stages; each is one message."""
    sent: int
    """Messages accepted."""
    deferred: int
    """Attempts that failed for now."""
    dead: int
    """Messages refused for good, or given up, for at least one recipient."""
    waiting: int
    """Messages not delivered yet."""


class _Count(Instant[Item, Item]):
    """Item -> Item. Counts what passes."""

    def __init__(self) -> None:
        self.bursts = self.left_out = 0

    def feed(self, item: Item, now: float) -> Sequence[Item]:
        self.bursts += 1
        self.left_out += (item if isinstance(item, Burst) else item.burst).elided
        return [item]


class Flow:
    """Stages from Batch to Burst or Message, joined with an Outbox. `epoch` names the numbering of the reads."""

    def __init__(self, *stages: Stage[Any, Any], outbox: Outbox | None = None, epoch: str = "") -> None:
        self._outbox = outbox or Outbox()
        self._count = _Count()
        self._path: Stage[Batch, Attempt] = chain(*stages, self._count, self._outbox)
        self._epoch = epoch
        self._reads = 0
        self._lines = 0

    @property
    def deadline(self) -> float:
        """When `poll` has something to do."""
        return self._path.deadline

    @property
    def held(self) -> int:
        """Lines taken in and neither delivered nor dead."""
        return self._path.held

    @property
    def trying(self) -> bool:
        """Whether an attempt is under way."""
        return self._outbox.trying

    def stamp(self, batch: Batch, time: float) -> Batch:
        """Give a batch its number and, unless its source knows it, the wall time `time`."""
        self._reads += 1
        return replace(batch, time=batch.time or time, epoch=self._epoch, seq=self._reads)

    def feed(self, item: Batch, now: float) -> Sequence[Attempt]:
        """`poll(now)`, then the lines."""
        out = self._path.feed(item, now)
        self._lines += item.count
        return out

    def poll(self, now: float) -> Sequence[Attempt]:
        """Let time pass up to `now`."""
        return self._path.poll(now)

    def flush(self, now: float) -> Sequence[Attempt]:
        """Close what is open."""
        return self._path.flush(now)

    def drain(self, now: float) -> Sequence[Attempt]:
        """Give up everything."""
        return self._path.drain(now)

    def settle(
        self, failed: DeliveryError | Mapping[str, DeliveryError], now: float, jitter: float = 0.0
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of the attempt under way: see `Outbox.settle`."""
        return self._outbox.settle(failed, now, jitter)

    def statistics(self) -> Statistics:
        """The counts so far."""
        box = self._outbox
        return Statistics(
            lines_in=self._lines,
            lines_held=self.held,
            lines_out=box.lines_out,
            lines_left_out=self._count.left_out,
            bursts=self._count.bursts,
            sent=box.sent,
            deferred=box.deferred,
            dead=box.dead,
            waiting=box.waiting,
        )

    def dump(self) -> State:
        """The stages, the outbox and the numbering."""
        return ["flow", 1, self._epoch, self._reads, self._path.dump()]

    def load(self, state: State) -> None:
        """The dumped flow, numbering included."""
        epoch, reads, path = opened(state, "flow", 3)
        self._path.load(path)
        self._epoch, self._reads = epoch, reads
        self._lines = self.held
