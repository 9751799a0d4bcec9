"""Batch -> Attempt. The whole path as one pure machine: stages, and one way out for each destination.

Every driver is this plus a clock and somebody who makes the attempts. The stages from the caps on belong to a
destination: each has its own, so that one that is down neither delays nor repeats the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from ..errors import DeliveryError, StateMismatch
from .backoff import Backoff
from .chain import Joined, chain
from .deliver import DeadLetter, Outbox
from .echo import Echo
from .model import Attempt, Batch, Burst, CloseReason, Message
from .path import Path
from .recall import recall, snapshot
from .salvage import salvaged
from .session import Session
from .stage import Instant, Pausable, Stage, State, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A snapshot of a flow's counts. Lines: `lines_in == lines_held + lines_out + lines_own`.

    With several destinations, held and out count a line once for each, and so do the mails.
    """

    lines_in: int
    """Lines taken in."""
    lines_held: int
    """Lines in open windows, held by caps, or in messages that wait."""
    lines_out: int
    """Lines of messages delivered or dead."""
    lines_own: int
    """Lines about burstmail's own mail: the next mail says how many they are."""
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
        shared, own = _split([part for stage in stages for part in _parts(stage)])
        self._stages = shared
        self._head: Stage[Batch, Any] | None = chain(*shared) if shared else None
        self._paths: dict[str, Path] = {}
        for name in destinations:
            outbox = Outbox(backoff, give_up=give_up, name=name)
            self._paths[name] = Path(deepcopy(own) if self._paths else own, outbox)
        if not self._paths:
            raise ValueError("destinations: name at least one")
        self._echo = Echo()
        self._epoch = epoch
        self._reads = 0
        self._lines = self._own = 0
        # What other parameters, or a restart, make due in the past is done now: time never runs backwards.
        self._now = -inf
        # What a flow is that has seen nothing yet.
        self._blank = self._snapshot()

    @property
    def deadline(self) -> float:
        """The earliest of all parts."""
        return min(self._head.deadline if self._head else inf, *(path.deadline for path in self._paths.values()), inf)

    @property
    def held(self) -> int:
        """Lines taken in and neither delivered nor dead, once for each destination."""
        before = self._head.held if self._head else 0
        return sum(before + path.held for path in self._paths.values())

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

    def stamp(self, batch: Batch, time: float) -> Batch:
        """Give a batch its number and, unless its source knows it, the wall time `time`."""
        self._reads += 1
        return replace(batch, time=batch.time or time, epoch=self._epoch, seq=self._reads)

    def note(self, sentence: str) -> None:
        """Say this about burstmail itself in the next mail to every destination."""
        for path in self._paths.values():
            path.note(sentence)

    def feed(self, item: Batch, now: float) -> Sequence[Attempt]:
        """`poll(now)`, then the lines."""
        out = self.poll(now)
        self._reads = max(self._reads, item.seq)
        for batch in self._echo.feed(item, now):
            bursts = self._head.feed(batch, now) if self._head else [batch]
            out += self._out(bursts, now)
        count, sample = self._echo.take()
        self._own += count
        self._lines += item.count
        for path in self._paths.values():
            path.echoed(count, sample)
        return out

    def _out(self, items: Sequence[Any], now: float) -> list[Attempt]:
        """What comes out of the shared stages, to each destination under a name of its own."""
        out: list[Attempt] = []
        for item in items:
            for place, path in enumerate(self._paths.values()):
                # Two mails about one burst are two mails: under one Message-ID a reader might see only the first.
                own = item if not place else replace(item, epoch=f"{item.epoch}/{path.outbox.name}")
                out += self._known(path.feed(own, now))
        return out

    def _known(self, attempts: list[Attempt]) -> list[Attempt]:
        for attempt in attempts:
            if isinstance(attempt.item, Message):
                self._echo.know(attempt.item.id)
        return attempts

    def poll(self, now: float) -> list[Attempt]:
        """Let time pass up to `now`, deadline by deadline."""
        out: list[Attempt] = []
        while (due := max(self.deadline, self._now)) <= now and self.deadline < inf:
            self._now = due
            for path in self._paths.values():
                out += self._known(path.poll(due))
            if self._head:
                out += self._out(self._head.poll(due), due)
            if self.deadline <= due:
                raise RuntimeError(f"a stage is due at {self.deadline} after poll({due}): it breaks the progress law")
        self._now = max(self._now, now)
        return out

    def flush(self, now: float) -> list[Attempt]:
        """Close what is open; the caps still hold."""
        return self._close(now, lambda head: head.flush(now), drain=False)

    def end(self, now: float) -> list[Attempt]:
        """The input ends, but what the caps hold and what waits goes on elsewhere: a store keeps it."""
        return self._close(now, lambda head: head.drain(now), drain=False)

    def drain(self, now: float) -> list[Attempt]:
        """Give up everything."""
        return self._close(now, lambda head: head.drain(now), drain=True)

    def _close(self, now: float, close: Callable[[Stage[Batch, Any]], Sequence[Any]], *, drain: bool) -> list[Attempt]:
        out = self.poll(now)
        if self._head:
            out += self._out(close(self._head), now)
        for path in self._paths.values():
            out += self._known(path.end(now, drain=drain))
        return out

    def settle(
        self,
        failed: DeliveryError | Mapping[str, DeliveryError],
        now: float,
        jitter: float = 0.0,
        destination: str = "",
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of a destination's attempt: see `Outbox.settle`."""
        attempts, letters = self._paths[destination].settle(failed, now, jitter)
        return self._known(attempts), letters

    def raw(self, batch: Batch, now: float, why: str) -> list[Attempt]:
        """Lines that the stages cannot take, straight to the caps, with a word about it."""
        session = Session()
        session.feed(batch, now)
        self.note(why)
        self._lines += batch.count
        self._reads = max(self._reads, batch.seq)
        return self._out([session.close(now, CloseReason.FLUSH)], now)

    def retry(self, key: str, now: float) -> list[Attempt]:
        """Try a message that waits as soon as possible."""
        return [made for path in self._paths.values() for made in self._known(path.retry(key, now))]

    def remove(self, key: str, now: float) -> list[Attempt]:
        """Forget a message that waits."""
        return [made for path in self._paths.values() for made in self._known(path.remove(key, now))]

    def statistics(self) -> Statistics:
        """The counts so far."""
        paths = self._paths.values()
        boxes = [path.outbox for path in paths]
        return Statistics(
            lines_in=self._lines,
            lines_held=self.held,
            lines_out=sum(box.lines_out for box in boxes),
            lines_own=self._own,
            lines_left_out=sum(path.left_out for path in paths),
            bursts=sum(path.bursts for path in paths),
            sent=sum(box.sent for box in boxes),
            deferred=sum(box.deferred for box in boxes),
            dead=sum(box.dead for box in boxes),
            waiting=sum(box.waiting for box in boxes),
        )

    # What survives: the stages' state, and the messages that wait, by `destination/number`.

    def state(self) -> State:
        """All but the messages that wait."""
        return ["flow", 2, self._epoch, self._reads, self._snapshot()]

    def _snapshot(self) -> State:
        return snapshot(self._stages, self._paths, self._echo)

    def recall(self, state: State, now: float) -> list[Burst]:
        """Become what `state()` gave, as far as it fits; without its messages. Returns the lines that fit no stage.

        Never raises, whatever the state is.
        """
        recall(self._blank, self._stages, self._paths, self._echo)
        self._now = now
        for path in self._paths.values():
            path.empty(now)
        self._lines = self._own = 0
        try:
            self._epoch, reads, kept = opened(state, "flow", 3, version=2)
            self._reads = int(reads)
        except (StateMismatch, TypeError, ValueError):
            return salvaged(state, now)
        left = recall(kept, self._stages, self._paths, self._echo)
        self._lines = self.held
        return salvaged(left, now)

    def take(self, bursts: Sequence[Burst], now: float, why: str) -> list[Attempt]:
        """Bursts from elsewhere, to the caps of every destination, with a word about it."""
        if bursts:
            self.note(why)
        self._lines += sum(burst.count for burst in bursts)
        return self._out(bursts, now)

    def salvage(self, state: State, now: float) -> list[Burst]:
        """The lines in a state that is not taken over, as one burst."""
        return salvaged(state, now)

    def changes(self) -> dict[str, State]:
        """Messages that are new, changed or gone (None) since the last call."""
        return {key: row for path in self._paths.values() for key, row in path.outbox.changes().items()}

    def rows(self) -> dict[str, State]:
        """All messages that wait."""
        return {key: row for path in self._paths.values() for key, row in path.outbox.rows().items()}

    def restore(self, key: str, row: State, now: float, *, new: bool = False) -> bool:
        """A message that `rows()` gave; under a new number if asked to, or if its destination is none of ours.

        Returns whether it was one.
        """
        name, _, serial = key.rpartition("/")
        path = self._paths.get(name)
        box = (path or next(iter(self._paths.values()))).outbox
        before = box.held
        try:
            box.restore(0 if new or path is None else int(serial), row, now)
        except (TypeError, ValueError, LookupError, AttributeError):
            return False
        self._lines += box.held - before
        return True

    def trying(self) -> list[str]:
        """The keys of the messages that are being tried."""
        return [path.outbox.attempted for path in self._paths.values() if path.outbox.attempted]

    def go_on(self, keys: Sequence[str], now: float) -> list[Attempt]:
        """After `recall` and `restore`: attempts still under way, then what the queues ask of the caps."""
        for path in self._paths.values():
            path.outbox.continue_trying(keys)
        return [attempt for path in self._paths.values() for attempt in self._known(path.compare(now))]

    def dump(self) -> State:
        """All of it."""
        return ["flow", 2, self.state(), [[name, path.outbox.dump()] for name, path in self._paths.items()]]

    def load(self, state: State) -> None:
        """The dumped flow, numbering included. Raises StateMismatch if it does not fit."""
        kept, boxes = opened(state, "flow", 2, version=2)
        if self.recall(kept, 0.0) or [name for name, _ in boxes] != list(self._paths):
            raise StateMismatch("this is a state of other stages or destinations; give it to the flow that dumped it")
        for name, box in boxes:
            self._paths[name].outbox.load(box)
        self._lines = self.held


def _parts(stage: Stage[Any, Any]) -> list[Stage[Any, Any]]:
    return [*_parts(stage.first), *_parts(stage.second)] if isinstance(stage, Joined) else [stage]


def _split(stages: list[Stage[Any, Any]]) -> tuple[list[Stage[Any, Any]], list[Stage[Any, Any]]]:
    """The stages that all destinations share, and those that each has for itself: from the caps on.

    Without caps, the stages at the end that hold nothing.
    """
    for place, stage in enumerate(stages):
        if isinstance(stage, Pausable):
            return stages[:place], stages[place:]
    place = len(stages)
    while place and isinstance(stages[place - 1], Instant):
        place -= 1
    return stages[:place], stages[place:]
