"""Batch -> Attempt. The whole path as one pure machine: stages, and one way out for each destination.

Every driver is this plus a clock and somebody who makes the attempts. The stages from the caps on belong to a
destination: each has its own, so that one that is down neither delays nor repeats the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from ..errors import DeliveryError, StateMismatch
from .backoff import Backoff
from .echo import Echo
from .head import Head
from .model import Attempt, Batch, Burst, DeadLetter
from .paths import Paths, split
from .recall import recall, snapshot
from .salvage import salvaged
from .stage import Stage, State, opened
from .statistics import Statistics


class Flow:
    """Stages from Batch to Burst or Message, and an Outbox for each of `destinations`.

    `epoch` names the numbering of the reads. `backoff` and `give_up` are those of every Outbox.
    """

    def __init__(
        self,
        *stages: Stage[Any, Any],
        destinations: Sequence[str] = ("",),
        backoff: Backoff | None = None,
        give_up: float = 259200.0,
        epoch: str = "",
    ) -> None:
        shared, own = split(stages)
        self._head = Head(shared)
        self._echo = Echo()
        # The messages that wait, among other things: `changes`, `rows`, `restore`, `trying`, `go_on`.
        self.paths = Paths(own, destinations, self._echo.know, backoff, give_up)
        self._epoch = epoch
        self._reads = 0
        self._lines = self._own = 0
        # What other parameters, or a restart, make due in the past is done now: time never runs backwards.
        self._now = -inf
        # What a flow is that has seen nothing yet.
        self._blank = self.state()[4]

    @property
    def deadline(self) -> float:
        """The earliest of all parts."""
        return min(self._head.deadline, self.paths.deadline)

    @property
    def held(self) -> int:
        """Lines taken in and neither delivered nor dead, once for each destination."""
        return sum(self._head.held + path.held for path in self.paths)

    @property
    def epoch(self) -> str:
        """Which numbering the reads have."""
        return self._epoch

    @property
    def reads(self) -> int:
        """The number of the last read."""
        return self._reads

    def begin(self, epoch: str, reads: int) -> None:
        """Go on numbering after `reads`, under the name `epoch` unless there is one."""
        self._epoch = self._epoch or epoch
        self._reads = max(self._reads, reads)

    def renew(self, epoch: str) -> None:
        """Number under another name from here on."""
        self._epoch = epoch

    def stamp(self, batch: Batch, time: float) -> Batch:
        """Give a batch its number and, unless its source knows it, the wall time `time`."""
        self._reads += 1
        return replace(batch, time=batch.time or time, epoch=self._epoch, seq=self._reads)

    def note(self, sentence: str) -> None:
        """Say this about burstmail itself in the next mail to every destination."""
        for path in self.paths:
            path.note(sentence)

    def feed(self, item: Batch, now: float) -> Sequence[Attempt]:
        """`poll(now)`, then the lines."""
        out = self.poll(now)
        self._reads = max(self._reads, item.seq)
        # Sources may say how far they have come without a line: whoever keeps that has done so by now.
        if not item.count:
            return out
        for batch in self._echo.feed(item, now):
            out += self.paths.feed(self._head.feed(batch, now), now)
        count, sample = self._echo.take()
        self._own += count
        self._lines += item.count
        for path in self.paths:
            path.echoed(count, sample)
        return out

    def poll(self, now: float) -> list[Attempt]:
        """Let time pass up to `now`, deadline by deadline."""
        out: list[Attempt] = []
        while (at := self.deadline) < inf and (due := max(at, self._now)) <= now:
            self._now = due
            out += self.paths.poll(due)
            out += self.paths.feed(self._head.poll(due), due)
            if self.deadline <= due:
                raise RuntimeError(f"a stage is due at {self.deadline} after poll({due}): it breaks the progress law")
        self._now = max(self._now, now)
        return out

    def wake(self, now: float) -> float:
        """Nobody has looked for a while, as at a start: what was due meanwhile is done now.

        Returns for how many seconds lines have been due, at most.
        """
        due = min([self._head.deadline, *(path.wake(now) for path in self.paths)])
        self._now = max(self._now, now)
        return max(0.0, now - due)

    def flush(self, now: float) -> list[Attempt]:
        """Close what is open; the caps still hold."""
        return self._close(now, end=False, drain=False)

    def end(self, now: float) -> list[Attempt]:
        """The input ends, but what the caps hold and what waits goes on elsewhere: a store keeps it."""
        return self._close(now, end=True, drain=False)

    def drain(self, now: float) -> list[Attempt]:
        """Give up everything."""
        return self._close(now, end=True, drain=True)

    def _close(self, now: float, *, end: bool, drain: bool) -> list[Attempt]:
        out = self.poll(now)
        out += self.paths.feed(self._head.close(now, end=end), now)
        return out + self.paths.end(now, drain=drain)

    def settle(
        self,
        failed: DeliveryError | Mapping[str, DeliveryError],
        now: float,
        jitter: float = 0.0,
        destination: str = "",
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of a destination's attempt: see `Outbox.settle`."""
        return self.paths.settle(destination, failed, now, jitter)

    def statistics(self) -> Statistics:
        """The counts so far."""
        boxes = [path.outbox for path in self.paths]
        return Statistics(
            lines_in=self._lines,
            lines_held=self.held,
            lines_waiting=sum(box.held for box in boxes),
            lines_out=sum(box.lines_out for box in boxes),
            lines_own=self._own,
            lines_left_out=sum(path.left_out for path in self.paths),
            bursts=sum(path.bursts for path in self.paths),
            sent=sum(box.sent for box in boxes),
            deferred=sum(box.deferred for box in boxes),
            dead=sum(box.dead for box in boxes),
            waiting=sum(box.waiting for box in boxes),
        )

    def state(self) -> State:
        """All but the messages that wait."""
        return ["flow", 2, self._epoch, self._reads, snapshot(self._head.stages, self.paths.named, self._echo)]

    def recall(self, state: State, now: float) -> list[Burst]:
        """Become what `state()` gave, as far as it fits; without its messages. Returns the lines that fit no stage.

        Never raises, whatever the state is.
        """
        recall(self._blank, self._head.stages, self.paths.named, self._echo)
        self._now = now
        self.paths.empty(now)
        try:
            self._epoch, reads, kept = opened(state, "flow", 3, version=2)
            self._reads = int(reads)
        except (StateMismatch, TypeError, ValueError):
            return salvaged(state, now)
        left = recall(kept, self._head.stages, self.paths.named, self._echo)
        self._lines = self.held + self._own + sum(path.outbox.lines_out for path in self.paths)
        return salvaged(left, now)

    def take(self, bursts: Sequence[Burst], now: float, why: str) -> list[Attempt]:
        """Bursts from elsewhere, to the caps of every destination, with a word about it."""
        if bursts:
            self.note(why)
        self._lines += sum(burst.count for burst in bursts)
        return self.paths.feed(bursts, now)

    def restore(self, key: str, row: State, now: float, *, new: bool = False) -> bool:
        """A message that a store kept: see `Paths.restore`. Its lines count as taken in."""
        before = self.held
        fits = self.paths.restore(key, row, now, new=new)
        self._lines += self.held - before
        return fits

    def dump(self) -> State:
        """All of it."""
        return ["flow", 2, self.state(), [[name, path.outbox.dump()] for name, path in self.paths.named.items()]]

    def load(self, state: State) -> None:
        """The dumped flow, numbering included. Raises StateMismatch if it does not fit."""
        kept, boxes = opened(state, "flow", 2, version=2)
        if self.recall(kept, 0.0) or [name for name, _ in boxes] != list(self.paths.named):
            raise StateMismatch("this is a state of other stages or destinations; give it to the flow that dumped it")
        for name, box in boxes:
            self.paths.named[name].outbox.load(box)
        self._lines = self.held
