"""Burst -> Attempt. One destination's way out: its caps, its composer, its queue.

While its destination is down and three mails wait, the caps let nothing leave and fold what comes: an outage of a day
ends in a few digests. Whether they are paused follows from the queue alone, so that no crash can leave them so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from ..errors import DeliveryError
from .chain import chain
from .deliver import Outbox
from .model import Attempt, Burst, DeadLetter, Item, Outage
from .notice import Notices, echo_note
from .stage import Pausable, Stage, State

# The first mails of an outage wait as they are; what comes then is put together. A destination that is only slow may
# have an hour's worth of mails, as many as the default caps let through.
DOWN, SLOW = 3, 20
# A mail tells five of them and counts the others.
NOTES = 50


class Path:
    """The stages from the caps on (or from a Composer on, where there are none), joined with an Outbox."""

    def __init__(self, stages: Sequence[Stage[Any, Any]], outbox: Outbox) -> None:
        self.stages = list(stages)
        first: Any = stages[0] if stages else None
        self._caps: Pausable | None = first if isinstance(first, Pausable) else None
        self._gate: Stage[Any, Any] | None = first if self._caps else None
        rest = stages[1:] if self._caps else stages
        self._rest = chain(*rest) if rest else None
        self._notices = Notices()
        self.outbox = outbox
        self.bursts = self.left_out = 0
        # What other parameters, or a restart, make due in the past is done now: time never runs backwards.
        self._now = -inf
        # What the next burst has to say about burstmail itself.
        self._notes: list[str] = []
        self._echoes, self._sample = 0, ""
        self._outage: tuple[float, float, int] | None = None

    @property
    def _all(self) -> list[Stage[Any, Any]]:
        return [part for part in (self._gate, self._rest, self._notices, self.outbox) if part is not None]

    @property
    def deadline(self) -> float:
        """The earliest of all parts."""
        return min((part.deadline for part in self._all), default=inf)

    @property
    def held(self) -> int:
        """Lines held by caps and composer, and in messages that wait."""
        return sum(part.held for part in self._all)

    def note(self, sentence: str) -> None:
        """Say this in the next mail; it may be long until there is one."""
        self._notes = list(dict.fromkeys((*self._notes, sentence)))[:NOTES]

    def echoed(self, count: int, sample: str) -> None:
        """Say in the next mail that so many lines about burstmail's own mails were left out."""
        self._echoes, self._sample = self._echoes + count, self._sample or sample

    def feed(self, item: Item, now: float) -> list[Attempt]:
        """`poll(now)`, then the burst."""
        out = self.poll(now)
        return out + self._enter(item, now) + self.compare(now)

    def _enter(self, item: Item, now: float) -> list[Attempt]:
        return self._compose(self._gate.feed(item, now) if self._gate else [item], now)

    def _compose(self, items: Sequence[Item], now: float) -> list[Attempt]:
        out: list[Attempt] = []
        for item in items:
            told = self._told(item, now)
            out += self._queue(self._rest.feed(told, now) if self._rest else [told], now)
        return out

    def _told(self, item: Item, now: float) -> Item:
        if not isinstance(item, Burst):
            return item
        self.bursts += 1
        self.left_out += item.elided
        if self._echoes:
            self._notes.append(echo_note(self._echoes, self._sample))
            self._echoes, self._sample = 0, ""
        if not self._notes and not self._outage:
            return item
        notes, self._notes = tuple(dict.fromkeys((*item.notes, *self._notes))), []
        outage, self._outage = self._outage, None
        if outage:
            since, until, mails = outage
            wall = item.time - now
            return replace(item, notes=notes, outage=Outage(since=wall + since, until=wall + until, mails=mails))
        return replace(item, notes=notes)

    def _queue(self, items: Sequence[Item], now: float) -> list[Attempt]:
        return [attempt for item in items for attempt in self.outbox.feed(item, now)]

    def poll(self, now: float) -> list[Attempt]:
        """Let time pass, deadline by deadline, last part first: what leaves one enters the next as of that moment."""
        out: list[Attempt] = []
        while (at := self.deadline) < inf and (due := max(at, self._now)) <= now:
            self._now = due
            out += self.outbox.poll(due)
            out += self._queue(self._notices.poll(due), due)
            out += self._queue(self._rest.poll(due), due) if self._rest else []
            out += self._compose(self._gate.poll(due), due) if self._gate else []
            out += self.compare(due)
            if self.deadline <= due:
                raise RuntimeError(f"a stage is due at {self.deadline} after poll({due}): it breaks the progress law")
        self._now = max(self._now, now)
        return out

    def compare(self, now: float) -> list[Attempt]:
        """Pause or resume the caps, as the queue asks for."""
        out: list[Attempt] = []
        while self._caps and (full := self._full()) != self._caps.paused:
            out += self._compose((self._caps.pause if full else self._caps.resume)(now), now)
        return out

    def _full(self) -> bool:
        return self.outbox.waiting >= (DOWN if self.outbox.health.down else SLOW)

    def end(self, now: float, *, drain: bool) -> list[Attempt]:
        """Close what is open: through the caps, or with all that they hold and whatever rests."""
        out = self.poll(now)
        if self._gate:
            out += self._compose(self._gate.drain(now) if drain else self._gate.flush(now), now)
        if self._rest:
            out += self._queue(self._rest.drain(now) if drain else self._rest.flush(now), now)
        if drain:
            out += self._queue(self._notices.drain(now), now)
            out += self.outbox.drain(now)
        return out + self.compare(now)

    def settle(
        self, failed: DeliveryError | Mapping[str, DeliveryError], now: float, jitter: float
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of the attempt under way: see `Outbox.settle`. A dead letter leads to a notice."""
        out, letters = self.outbox.settle(failed, now, jitter)
        for letter in letters:
            out += self._queue(self._notices.feed(letter, now), now)
        self._outage = self.outbox.health.outage() or self._outage
        return out + self.compare(now), letters

    def retry(self, key: str, now: float) -> list[Attempt]:
        """Try a message that waits as soon as possible."""
        return self.poll(now) + self.outbox.retry(key, now)

    def remove(self, key: str, now: float) -> list[Attempt]:
        """Forget a message that waits."""
        self.outbox.remove(key)
        return self.compare(now)

    def wake(self, now: float) -> float:
        """Nobody has looked for a while: what was due meanwhile is done now. Returns since when the caps had any."""
        due = self._gate.deadline if self._gate else inf
        if self._caps:
            self._caps.wake(now)
        self._now = max(self._now, now)
        return due

    def empty(self, now: float) -> None:
        """Forget all messages: another copy of them follows. Time goes on from `now`."""
        self.outbox.empty()
        self._now = now

    def dump(self) -> State:
        """Everything but the messages and the stages: what the reader is to be told, and how the destination is."""
        outage = list(self._outage) if self._outage else None
        echoes = [self._echoes, self._sample]
        return [self._notices.dump(), list(self._notes), echoes, outage, self.outbox.note()]

    def load(self, state: State) -> None:
        """The dumped path."""
        notices, notes, (echoes, sample), outage, queue = state
        self._notices.load(notices)
        self.outbox.load_note(queue)
        self._echoes, self._sample = echoes, sample
        self._notes, self._outage = list(notes), tuple(outage) if outage else None
