"""Entry, Saved -> Flow. Everything that a store gives back goes into the core here, and nothing of it stops a start.

An entry that makes a stage raise leaves as it is, through the caps, with a word about it; lines of a state that fits no
stage leave as one burst. Entries go in strictly in order, at their own time, and time never runs backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

from ..core.flow import Flow
from ..core.model import Attempt
from ..core.recall import pair_of
from ..core.waiting import renewed
from ..core.words import plural
from ..stores import FLUSH, LINES, Entry, Saved
from .later import Later
from .places import Places

OTHER = "These lines were kept under other settings than these, or by another version of burstmail."
BROKEN = "These lines are as they were found, since a stage or a callable raised."
RAISED = "a stage or a callable of yours raised; the lines are mailed as they are"


class Replay:
    """A flow and its time: `core` is the latest moment that the flow has been told."""

    def __init__(self, flow: Flow, logger: Later) -> None:
        self._flow = flow
        self.logger = logger
        self.core = -inf
        self.places = Places()
        # The entry that is being taken in.
        self._at = 0

    def take(self, entry: Entry) -> list[Attempt]:
        """One entry. An exception of a stage or a callable passes through."""
        self._at = entry.id
        self.places.note(entry.place)
        now = max(entry.now, self.core)
        if entry.kind == FLUSH:
            self._flow.begin("", entry.id)
            out = self._flow.flush(now)
        else:
            out = list(self._flow.feed(entry.batch(self._flow.epoch), now))
        self._at, self.core = 0, now
        return out

    def load(
        self, saved: Saved, start: float, bad: Mapping[int, Exception] | None = None, tried: list[str] | None = None
    ) -> list[Attempt]:
        """State, messages, journal. What is in the flow is forgotten; attempts at the `tried` are still under way.

        `bad` entries are known to raise. When another one does, all starts again without it.
        """
        known = dict(bad or {})
        while True:
            try:
                return self._loaded(saved, start, known, tried or [])
            except Exception as bug:
                if not self._at or self._at in known:
                    raise
                self.logger.exception(RAISED)
                known[self._at] = bug

    def salvage(self, saved: Saved, now: float, tried: list[str]) -> list[Attempt]:
        """As `load`, past the stages in front of the caps: what is in a state that makes one of them raise."""
        self._at = 0
        self.core = max(now, *(entry.now for entry in saved.journal), -inf)
        self.places.become(saved)
        self._flow.recall(None, self.core)
        self._flow.begin("", saved.last)
        self._lost(sum(not self._flow.restore(key, row, self.core) for key, row in saved.outbox.items()))
        out = self._flow.paths.go_on(tried, self.core)
        bursts = self._flow.salvage(saved.state, self.core)
        for entry in saved.journal:
            bursts += self._flow.raw(entry.batch(saved.epoch), self.core) if entry.kind == LINES and entry.count else []
        return out + self._flow.take(bursts, self.core, BROKEN)

    def _loaded(self, saved: Saved, start: float, bad: Mapping[int, Exception], tried: list[str]) -> list[Attempt]:
        self._at = 0
        self.places.become(saved)
        then = pair_of(saved.state)
        self.core = start = then[0] if then else min((entry.now for entry in saved.journal), default=start)
        left = self._flow.recall(saved.state[3] if then else saved.state, start)
        self._flow.begin(saved.epoch, 0)
        lost = sum(not self._flow.restore(key, row, start) for key, row in saved.outbox.items())
        self._lost(lost)
        out = self._flow.paths.go_on(tried, start)
        if left:
            self.logger.warning("%s", OTHER)
            out += self._flow.take(left, start, OTHER)
        for entry in saved.journal:
            out += self._raw(entry, bad[entry.id]) if entry.id in bad else self.take(entry)
        return out

    def _lost(self, mails: int) -> None:
        if mails:
            self.logger.error("%s in the store could not be read, and lost", plural(mails, "mail"))
            self._flow.note(f"{plural(mails, 'mail')} in the store could not be read, and lost.")

    def _raw(self, entry: Entry, bug: Exception) -> list[Attempt]:
        self.core = max(entry.now, self.core)
        why = f"{plural(entry.count, 'line')} as they came, since a stage or a callable raised {type(bug).__name__}."
        self._flow.begin("", entry.id)
        return self._flow.take(self._flow.raw(entry.batch(self._flow.epoch), self.core), self.core, why)

    def merge(self, saved: Saved, now: float) -> list[Attempt]:
        """What a store holds, into a flow that has lines of its own: the store failed when it started."""
        rows = saved.outbox.items()
        self._lost(sum(not self._flow.restore(key, renewed(row, now), now, new=True) for key, row in rows))
        self._flow.begin("", saved.last)
        out = self._flow.paths.go_on(self._flow.paths.trying(), now)
        out += self._flow.take(self._flow.salvage(saved.state, now), now, OTHER)
        self.places.add(saved)
        for entry in saved.journal:
            own = replace(entry, id=self._flow.reads + 1, now=now, place=None)
            try:
                out += self.take(own)
            except Exception as bug:
                self.logger.exception(RAISED)
                out += self._raw(own, bug)
        return out
