"""Times -> Timeline. How many lines came when: a row of equal slots, small enough to be drawn in a mail.

Slots lie on a fixed grid and double their width when there would be too many, so that it makes no difference in which
order lines were counted, how they were cut into reads, or what a cap has folded. Limit: SLOTS slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .words import LATEST

# As many bars as fit in one row of a text, or on a telephone.
SLOTS = 60
# A burst that took less than a second is no story. A power of two, as floats can be added up without loss.
NARROWEST = 0.125


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Lines per slot of time, from the first slot with a line to the last one."""

    width: float = NARROWEST
    """Seconds that a slot is wide."""
    start: int = 0
    """The number of the first slot: it begins at wall time `start * width`."""
    counts: tuple[int, ...] = ()
    """Lines in each slot; () while there are none."""

    @property
    def count(self) -> int:
        """All lines."""
        return sum(self.counts)

    def plus(self, time: float, count: int) -> Timeline:
        """With `count` lines more that came at wall time `time`. A time outside the calendar is drawn in."""
        at = int(min(max(0.0, time), LATEST) // self.width) - self.start
        if 0 <= at < len(self.counts):
            counts = (*self.counts[:at], self.counts[at] + count, *self.counts[at + 1 :])
            return Timeline(width=self.width, start=self.start, counts=counts)
        return self.join(Timeline(width=self.width, start=at + self.start, counts=(count,)))

    def join(self, other: Timeline) -> Timeline:
        """The lines of both."""
        parts = [part for part in (self, other) if part.counts]
        if len(parts) < 2:
            return parts[0] if parts else self
        width = max(part.width for part in parts)
        one, two = (part._at_least(width) for part in parts)
        while max(one._end, two._end) - min(one.start, two.start) > SLOTS:
            one, two = one._doubled(), two._doubled()
        start = min(one.start, two.start)
        counts = [0] * (max(one._end, two._end) - start)
        for part in (one, two):
            for at, count in enumerate(part.counts, part.start - start):
                counts[at] += count
        return Timeline(width=one.width, start=start, counts=tuple(counts))

    @property
    def _end(self) -> int:
        return self.start + len(self.counts)

    def _at_least(self, width: float) -> Timeline:
        timeline = self
        while timeline.width < width:
            timeline = timeline._doubled()
        return timeline

    def _doubled(self) -> Timeline:
        # On the grid of the doubled slots: one that begins with an odd number is the second half of the one before.
        counts = (0,) * (self.start % 2) + self.counts
        pairs = [sum(counts[at : at + 2]) for at in range(0, len(counts), 2)]
        return Timeline(width=2 * self.width, start=self.start // 2, counts=tuple(pairs))

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        return [self.width, self.start, list(self.counts)]

    @classmethod
    def restored(cls, state: list[Any]) -> Timeline:
        """The dumped timeline. Raises ValueError for what cannot be one: it would never fit to another."""
        width, start, counts = state
        sound = isinstance(start, int) and start >= 0 and all(isinstance(count, int) and count >= 0 for count in counts)
        if not sound or not NARROWEST <= width < LATEST or len(counts) > SLOTS:
            raise ValueError(f"no timeline: {state!r:.200}")
        return cls(width=width, start=start, counts=tuple(counts))
