"""Batch -> what the burst of a window tells besides its lines: an urgent one, those below a threshold, where from.

Limits: those of Urgency for the urgent line, and MOST sources (core/whence.py).
"""

from __future__ import annotations

from math import inf
from typing import Any

from .model import Batch
from .urgent import Urgency
from .whence import Counted, counted, restored
from .window import URGENT


class Remarks:
    """Of one window, from its first line on."""

    __slots__ = ("alarm", "below", "due", "sources")

    def __init__(self) -> None:
        self.due = inf
        """When an urgent line wants the window closed; `inf` while there is none."""
        self.alarm = ""
        """The first urgent line."""
        self.below = 0
        """Lines below a threshold."""
        self.sources: Counted = ()
        """What the lines were read from."""

    @property
    def urgent(self) -> bool:
        """Whether there is an urgent line."""
        return self.due < inf

    def take(self, part: Batch, now: float, urgency: Urgency | None) -> None:
        """What is to be told of these lines; `urgency` has looked at them."""
        self.below += part.below
        if part.source:
            self.sources = counted((*self.sources, (part.source, part.count)))
        if urgency and not self.urgent and (line := urgency.first(part)) is not None:
            self.due, self.alarm = now + URGENT, line

    def dump(self) -> list[Any]:
        """As JSON can carry it. A version that knows of no sources can read what has none."""
        told = [[self.due, self.alarm] if self.urgent else None, self.below]
        return [*told, list(map(list, self.sources))] if self.sources else told

    @classmethod
    def restored(cls, state: list[Any]) -> Remarks:
        """The dumped remarks."""
        remarks = cls()
        alarm, remarks.below, *sources = state
        remarks.due, remarks.alarm = alarm or (inf, "")
        remarks.sources = restored(sources[0]) if sources else ()
        return remarks
