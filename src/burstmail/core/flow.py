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
from .counts import counts, ended
from .echo import Echo
from .heads import Heads
from .layout import laid
from .model import Attempt, Batch, DeadLetter
from .paths import Paths
from .recall import Left, Stray, parted, recall, snapshot, strays
from .salvage import as_it_is
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
        front, routes, lanes = laid(stages)
        self._heads = Heads(front, {name: head for name, (head, _) in lanes.items()}, routes, self.note)
        self._echo = Echo()
        own = {name: rest for name, (_, rest) in lanes.items()}
        # The messages that wait, among other things: `changes`, `rows`, `restore`, `trying`, `go_on`.
        self.paths = Paths(own, destinations, self._echo.know, backoff, give_up)
        self._epoch = epoch
        self._reads = self._lines = self._own = 0
        # What other parameters, or a restart, make due in the past is done now: time never runs backwards.
        self._now = -inf
        # What a flow is that has seen nothing yet.
        self._blank = self.state()[4]

    @property
    def deadline(self) -> float:
        """The earliest of all parts."""
        return min(self._heads.deadline, self.paths.deadline)

    @property
    def held(self) -> int:
        """Lines taken in and neither delivered nor dead, once for each destination."""
        return sum(self._heads.held + path.held for path in self.paths)

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
            out += self.paths.feed(self._heads.feed(batch, now), now)
        count, sample = self._echo.take()
        self._own, self._lines = self._own + count, self._lines + item.count
        for path in self.paths:
            path.echoed(count, sample)
        return out

    def poll(self, now: float) -> list[Attempt]:
        """Let time pass up to `now`, deadline by deadline."""
        out: list[Attempt] = []
        while (at := self.deadline) < inf and (due := max(at, self._now)) <= now:
            self._now = due
            out += self.paths.poll(due)
            out += self.paths.feed(self._heads.poll(due), due)
            if self.deadline <= due:
                raise RuntimeError(f"a stage is due at {self.deadline} after poll({due}): it breaks the progress law")
        self._now = max(self._now, now)
        return out

    def wake(self, now: float) -> float:
        """Nobody has looked for a while, as at a start: what was due meanwhile is done now.

        Returns for how many seconds lines have been due, at most.
        """
        due = min([self._heads.deadline, *(path.wake(now) for path in self.paths)])
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
        out += self.paths.feed(self._heads.close(now, end=end), now)
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
        return counts(self._heads, list(self.paths), taken=self._lines, own=self._own)

    def state(self) -> State:
        """All but the messages that wait."""
        return ["flow", 2, self._epoch, self._reads, snapshot(self._heads, self.paths.named, self._echo)]

    def recall(self, state: State, now: float) -> list[Stray]:
        """Become what `state()` gave, as far as it fits; without its messages. Returns the lines that fit no stage.

        Never raises, whatever the state is.
        """
        recall(self._blank, self._heads, self.paths.named, self._echo)
        self._now = now
        self.paths.empty(now)
        try:
            self._epoch, reads, kept = opened(state, "flow", 3, version=2)
            self._reads = int(reads)
        except (StateMismatch, TypeError, ValueError):
            return self._strays([Left("", (), state)], now)
        left = recall(kept, self._heads, self.paths.named, self._echo)
        self._lines = self.held + self._own + ended(self._heads) + sum(path.outbox.lines_out for path in self.paths)
        return self._strays(left, now)

    def salvage(self, state: State, now: float) -> list[Stray]:
        """What can be read of a state that `state()` gave, without becoming it. Never raises."""
        return self._strays(parted(state), now)

    def _strays(self, left: Sequence[Left], now: float) -> list[Stray]:
        return strays(left, now, (lambda batch: self.raw(batch, now)) if self._heads.routed else None)

    def raw(self, batch: Batch, now: float) -> list[Stray]:
        """Lines that a stage could not take, each by its route."""
        return [Stray(replace(as_it_is(part, now), route=name), ()) for name, part in self._heads.judged(batch)]

    def take(self, found: Sequence[Stray], now: float, why: str) -> list[Attempt]:
        """Lines from elsewhere, to the caps of every destination, with a word about it.

        Those of a route that is no more go to whom its mails went to, and nobody else.
        """
        if found:
            self.note(why)
        out: list[Attempt] = []
        for burst, recipients in found:
            self._lines += burst.count
            if burst.route not in self._heads.lanes and recipients:
                out += self.paths.forward(replace(burst, notes=(*burst.notes, why)), recipients, now)
            else:
                route = burst.route if burst.route in self._heads.lanes else next(iter(self._heads.lanes))
                out += self.paths.feed([(route, replace(burst, route=route))], now)
        return out

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
