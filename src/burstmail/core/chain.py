"""Stage + Stage -> Stage. Joining two gives a third of the same shape.

Time advances deadline by deadline: the second stage sees what the first gives out at the moment it came, and not at the
moment somebody happened to poll.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

from ..errors import StateMismatch
from .stage import Stage, State, opened

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class Joined(Generic[A, B, C]):
    """Two stages in a row: a third of the same shape."""

    def __init__(self, first: Stage[A, B], second: Stage[B, C]) -> None:
        self.first = first
        self.second = second

    @property
    def deadline(self) -> float:
        """The earlier of both."""
        return min(self.first.deadline, self.second.deadline)

    @property
    def held(self) -> int:
        """Lines held by both."""
        return self.first.held + self.second.held

    def feed(self, item: A, now: float) -> Sequence[C]:
        """`poll(now)`, then the item."""
        out = self.poll(now)
        return out + self._on(self.first.feed(item, now), now)

    def poll(self, now: float) -> list[C]:
        """Advance deadline by deadline: the second stage must see a burst at the moment it closed, not at `now`."""
        out: list[C] = []
        while (due := self.deadline) <= now:
            out += self.second.poll(due)
            out += self._on(self.first.poll(due), due)
            if self.deadline <= due:
                raise RuntimeError(f"a stage is due at {self.deadline} after poll({due}): it breaks the progress law")
        return out

    def flush(self, now: float) -> Sequence[C]:
        """Close what is open, first to last."""
        return self._end(now, lambda stage: stage.flush(now))

    def drain(self, now: float) -> Sequence[C]:
        """Give up everything, first to last."""
        return self._end(now, lambda stage: stage.drain(now))

    def _end(self, now: float, end: Callable[[Stage[Any, Any]], Sequence[Any]]) -> list[C]:
        out = self.poll(now)
        out += self._on(end(self.first), now)
        out += end(self.second)
        return out

    def _on(self, items: Sequence[B], now: float) -> list[C]:
        return [made for item in items for made in self.second.feed(item, now)]

    def dump(self) -> State:
        """Both states."""
        return ["chain", 1, self.first.dump(), self.second.dump()]

    def load(self, state: State) -> None:
        """Both states, or neither."""
        first, second = opened(state, "chain", 2)
        before = self.first.dump()
        self.first.load(first)
        try:
            self.second.load(second)
        except StateMismatch:
            self.first.load(before)
            raise


@overload
def chain(a: Stage[A, B], /) -> Stage[A, B]: ...
@overload
def chain(a: Stage[A, B], b: Stage[B, C], /) -> Stage[A, C]: ...
@overload
def chain(a: Stage[A, B], b: Stage[B, C], c: Stage[C, D], /) -> Stage[A, D]: ...
@overload
def chain(a: Stage[A, B], b: Stage[B, C], c: Stage[C, D], d: Stage[D, E], /) -> Stage[A, E]: ...
@overload
def chain(*stages: Stage[Any, Any]) -> Stage[Any, Any]: ...
def chain(*stages: Stage[Any, Any]) -> Stage[Any, Any]:
    """Join stages, first to last; the result is a stage. Raises ValueError without any."""
    if not stages:
        raise ValueError("chain() needs at least one stage")
    joined, *rest = stages
    for stage in rest:
        joined = Joined(joined, stage)
    return joined
