"""Batch -> Burst. The stages that all destinations share, in front of the caps; there may be none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from .chain import chain
from .model import Batch, Burst
from .stage import Stage


class Head:
    """The stages as one. Without any, batches pass."""

    def __init__(self, stages: Sequence[Stage[Any, Any]]) -> None:
        self.stages = stages
        self._chain: Stage[Batch, Any] | None = chain(*stages) if stages else None

    @property
    def deadline(self) -> float:
        """When something is due."""
        return self._chain.deadline if self._chain else inf

    @property
    def held(self) -> int:
        """Lines in open windows."""
        return self._chain.held if self._chain else 0

    def feed(self, batch: Batch, now: float) -> Sequence[Any]:
        """The lines; nothing is due before `now` any more."""
        return self._chain.feed(batch, now) if self._chain else [batch]

    def poll(self, now: float) -> list[Any]:
        """What is due, each as of its due time, and leaving now: that is later only after nobody has looked."""
        out: list[Any] = []
        due = -inf
        while self._chain and due < (due := self._chain.deadline) <= now:
            made = self._chain.poll(due)
            late = now - due
            out += [replace(item, time=item.time + late) if late and isinstance(item, Burst) else item for item in made]
        return out

    def close(self, now: float, *, end: bool) -> Sequence[Any]:
        """Close what is open, at the end of the input or before it."""
        if not self._chain:
            return []
        return self._chain.drain(now) if end else self._chain.flush(now)
