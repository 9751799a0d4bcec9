"""Batch -> Burst, by route. The stages that all destinations share, in front of the caps; there may be none.

First those in front of the routes, then those of each. Without routes all stages are those of one that has no name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any, TypeAlias

from .chain import chain
from .model import Batch, Burst
from .route import Routes
from .stage import Stage

# A route's name, and what has come by it.
Routed: TypeAlias = tuple[str, Any]


class Heads:
    """The stages as one. Without any, batches pass."""

    def __init__(
        self,
        front: Sequence[Stage[Any, Any]],
        lanes: Mapping[str, Sequence[Stage[Any, Any]]],
        routes: Routes | None = None,
        note: Callable[[str], object] = str,
    ) -> None:
        """`note` is told what readers should know."""
        self.front = front
        self.lanes = lanes
        self._routes = routes
        self._note = note
        self._first: Stage[Batch, Any] | None = chain(*front) if front else None
        self._chains: dict[str, Stage[Batch, Any]] = {name: chain(*own) for name, own in lanes.items() if own}
        self._parts = [part for part in (self._first, *self._chains.values()) if part]
        # Lines that each route has taken in.
        self.taken = dict.fromkeys(lanes, 0)

    @property
    def stages(self) -> Iterator[Stage[Any, Any]]:
        """All of them."""
        yield from self.front
        for own in self.lanes.values():
            yield from own

    @property
    def deadline(self) -> float:
        """When something is due."""
        return min((part.deadline for part in self._parts), default=inf)

    @property
    def held(self) -> int:
        """Lines in open windows, and in what is before them."""
        return sum(part.held for part in self._parts)

    def held_by(self, route: str) -> int:
        """Lines in the stages of one route."""
        return self._chains[route].held if route in self._chains else 0

    def ended(self, what: str) -> int:
        """Lines that have ended in the stages: `refused` by filters and routes, or `below` a threshold."""
        return sum(getattr(part, what, 0) for part in (*self.stages, self._routes))

    def feed(self, batch: Batch, now: float) -> list[Routed]:
        """The lines; nothing is due before `now` any more."""
        return self._on(self._first.feed(batch, now) if self._first else [batch], now)

    def _on(self, batches: Sequence[Batch], now: float) -> list[Routed]:
        out: list[Routed] = []
        for batch in batches:
            for name, part in self._parted(batch):
                self.taken[name] += part.count
                chain = self._chains.get(name)
                out += self._named(name, chain.feed(part, now) if chain else [part])
        return out

    def _parted(self, batch: Batch) -> list[tuple[str, Batch]]:
        if self._routes is None:
            return [("", batch)]
        try:
            return self._routes.split(batch)
        except Exception as bug:  # a user's function
            # Whoever feeds learns of it, and nothing has changed. But what a stage has let go of would be lost.
            if self._first is None:
                raise
            self._note(f"A filter raised {type(bug).__name__}: the line came by the route of that filter.")
            return self._routes.coped(batch)

    def _named(self, name: str, items: Sequence[Any]) -> list[Routed]:
        if not name:
            return [(name, item) for item in items]
        return [(name, replace(item, route=name) if isinstance(item, Burst) else item) for item in items]

    @property
    def routed(self) -> bool:
        """Whether there are routes."""
        return self._routes is not None

    def judged(self, batch: Batch) -> list[tuple[str, Batch]]:
        """Lines that a stage could not take, by route, past all stages."""
        return self._routes.judged(batch) if self._routes else [("", batch)]

    def poll(self, now: float) -> list[Routed]:
        """What is due, each as of its due time, and leaving now: that is later only after nobody has looked."""
        out: list[Routed] = []
        due = -inf
        while due < (due := self.deadline) <= now:
            made = [pair for name, chain in self._chains.items() for pair in self._named(name, chain.poll(due))]
            made += self._on(self._first.poll(due), due) if self._first else []
            late = now - due
            out += [(name, _later(item, late)) for name, item in made] if late else made
        return out

    def close(self, now: float, *, end: bool) -> list[Routed]:
        """Close what is open, at the end of the input or before it."""
        out: list[Routed] = []
        if self._first:
            out += self._on(self._first.drain(now) if end else self._first.flush(now), now)
        for name, part in self._chains.items():
            out += self._named(name, part.drain(now) if end else part.flush(now))
        return out


def _later(item: Any, seconds: float) -> Any:
    return replace(item, time=item.time + seconds) if isinstance(item, Burst) else item
