"""Burst -> Message. One route's way to one destination: its caps, its composer, and what its readers must be told.

Notes about burstmail itself go into the next mail of the lane. Dead letters lead to a notice; those of one route never
stand in the notice of another, since their readers are others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from .chain import chain
from .model import Burst, DeadLetter, Item, Message, Outage
from .notice import Notices, echo_note
from .stage import Pausable, Stage, State

# A mail tells five of them and counts the others.
NOTES = 50


class Lane:
    """The stages from the caps on; or from a Composer on, where there are none; or nothing."""

    def __init__(self, stages: Sequence[Stage[Any, Any]] = ()) -> None:
        self.stages = list(stages)
        first: Any = stages[0] if stages else None
        self._caps: Pausable | None = first if isinstance(first, Pausable) else None
        self._gate: Stage[Any, Any] | None = first if self._caps else None
        rest = stages[1:] if self._caps else stages
        self._rest = chain(*rest) if rest else None
        self._notices = Notices()
        self.bursts = self.left_out = 0
        # What the next burst has to say about burstmail itself.
        self._notes: list[str] = []
        self._echoes, self._sample = 0, ""
        self._outage: tuple[float, float, int] | None = None

    @property
    def _all(self) -> list[Stage[Any, Any]]:
        return [part for part in (self._gate, self._rest, self._notices) if part is not None]

    @property
    def deadline(self) -> float:
        """The earliest of all parts."""
        return min(part.deadline for part in self._all)

    @property
    def held(self) -> int:
        """Lines held by caps and composer."""
        return sum(part.held for part in self._all)

    @property
    def recipients(self) -> tuple[str, ...]:
        """To whom its mails go; () where it makes none."""
        return next((tuple(stage.recipients) for stage in self.stages if hasattr(stage, "recipients")), ())

    def note(self, sentence: str) -> None:
        """Say this in the next mail; it may be long until there is one."""
        self._notes = list(dict.fromkeys((*self._notes, sentence)))[:NOTES]

    def echoed(self, count: int, sample: str) -> None:
        """Say in the next mail that so many lines about burstmail's own mails were left out."""
        self._echoes, self._sample = self._echoes + count, self._sample or sample

    def outage(self, outage: tuple[float, float, int]) -> None:
        """Say in the next mail from when to when nothing could be delivered, and how many mails were late."""
        self._outage = outage

    def feed(self, item: Item, now: float) -> list[Item]:
        """The burst; nothing is due before `now` any more."""
        return self._compose(self._gate.feed(item, now) if self._gate else [item], now)

    def _compose(self, items: Sequence[Item], now: float) -> list[Item]:
        out: list[Item] = []
        for item in items:
            told = self._told(item, now)
            out += self._rest.feed(told, now) if self._rest else [told]
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

    def bury(self, letter: DeadLetter, now: float) -> Sequence[Message]:
        """A message that will not be tried again: the notice about it, if one may leave."""
        return self._notices.feed(letter, now)

    def poll(self, now: float) -> list[Item]:
        """What is due at `now`, last part first: what leaves one enters the next as of that moment."""
        out: list[Item] = [*self._notices.poll(now)]
        out += self._rest.poll(now) if self._rest else []
        return out + (self._compose(self._gate.poll(now), now) if self._gate else [])

    def turn(self, paused: bool, now: float) -> list[Item] | None:
        """Pause or resume the caps; None where there is nothing to change."""
        if self._caps is None or self._caps.paused == paused:
            return None
        return self._compose((self._caps.pause if paused else self._caps.resume)(now), now)

    def end(self, now: float, *, drain: bool) -> list[Item]:
        """Close what is open: through the caps, or with all that they hold."""
        out: list[Item] = []
        if self._gate:
            out += self._compose(self._gate.drain(now) if drain else self._gate.flush(now), now)
        if self._rest:
            out += self._rest.drain(now) if drain else self._rest.flush(now)
        return out + ([*self._notices.drain(now)] if drain else [])

    def wake(self, now: float) -> float:
        """Nobody has looked for a while: what was due meanwhile is done now. Returns since when the caps had any."""
        due = self._gate.deadline if self._gate else inf
        if self._caps:
            self._caps.wake(now)
        return due

    def dump(self) -> State:
        """Everything but the stages: what the readers are to be told."""
        outage = list(self._outage) if self._outage else None
        return [self._notices.dump(), list(self._notes), [self._echoes, self._sample], outage]

    def load(self, state: State) -> None:
        """The dumped lane."""
        notices, notes, (echoes, sample), outage = state
        self._notices.load(notices)
        self._echoes, self._sample = echoes, sample
        self._notes, self._outage = list(notes), tuple(outage) if outage else None
