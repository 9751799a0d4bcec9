"""The shape of every timed machine, and how two become one.

A stage is told `now` (monotonic seconds, never decreasing) and cannot ask. What is due is done *as of its due time*,
before new input is looked at, so that it makes no difference how often or how late anybody polls.
The seven laws every stage keeps are in docs/design.md; tests/core/laws.py checks them for any stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, overload

from ..errors import StateMismatch

# None, bool, int, float, str and lists of these: what JSON can carry.
State: TypeAlias = Any

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """Items in, items out, and one deadline."""

    @property
    def deadline(self) -> float:
        """The moment at which `poll` has something to do; `inf` when only input matters."""
        ...

    @property
    def held(self) -> int:
        """Lines taken in and not yet given out."""
        ...

    def feed(self, item: In, now: float) -> Sequence[Out]:
        """`poll(now)`, then take the item in."""
        ...

    def poll(self, now: float) -> Sequence[Out]:
        """Let time pass up to `now`."""
        ...

    def flush(self, now: float) -> Sequence[Out]:
        """Close what is open; a cap still gives only what has a slot."""
        ...

    def drain(self, now: float) -> Sequence[Out]:
        """Give up everything: the end. A cap gives at most one folded burst over its limit."""
        ...

    def dump(self) -> State:
        """All that the stage remembers, as JSON can carry it."""
        ...

    def load(self, state: State) -> None:
        """Become the stage that was dumped. Raises StateMismatch and changes nothing if it does not fit."""
        ...


class Instant(Generic[A, B]):
    """Base for stages that hold nothing and never wait: they need only `feed`."""

    @property
    def deadline(self) -> float:
        """Never."""
        return inf

    @property
    def held(self) -> int:
        """Nothing."""
        return 0

    def feed(self, item: A, now: float) -> Sequence[B]:
        """Turn one item into any number of others."""
        raise TypeError(f"{type(self).__name__} has no feed()")

    def poll(self, now: float) -> Sequence[B]:
        """Nothing is ever due."""
        return []

    flush = drain = poll

    def dump(self) -> State:
        """Nothing but the name."""
        return [type(self).__name__, 1]

    def load(self, state: State) -> None:
        """Accept the name."""
        opened(state, type(self).__name__, 0)


def opened(state: State, name: str, length: int) -> list[Any]:
    """The `length` values of a state `[name, 1, ...]`, or StateMismatch."""
    if not isinstance(state, list) or state[:2] != [name, 1] or len(state) != length + 2:
        found = state[:2] if isinstance(state, list) else type(state).__name__
        raise StateMismatch(f"this is no state of {name} version 1: {found!r}; give it to the stage that dumped it")
    return state[2:]


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
