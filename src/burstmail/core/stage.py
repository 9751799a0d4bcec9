"""The shape of every timed machine.

A stage is told `now` (monotonic seconds, never decreasing) and cannot ask. What is due is done *as of its due time*,
before new input is looked at, so that it makes no difference how often or how late anybody polls.
The seven laws every stage keeps are in docs/design.md; tests/core/laws.py checks them for any stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from ..errors import StateMismatch

# None, bool, int, float, str and lists of these: what JSON can carry.
State: TypeAlias = Any

A = TypeVar("A")
B = TypeVar("B")
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


@runtime_checkable
class Pausable(Protocol):
    """A stage that can be told to let nothing leave, and to fold what comes: Caps is one."""

    @property
    def paused(self) -> bool:
        """Whether nothing leaves."""
        ...

    def pause(self, now: float) -> Sequence[Any]:
        """`poll(now)`, then let nothing leave."""
        ...

    def resume(self, now: float) -> Sequence[Any]:
        """Let leave again what has a slot."""
        ...

    def wake(self, now: float) -> None:
        """Nobody has looked for a while: nothing leaves as of a moment before `now`."""
        ...


def opened(state: State, name: str, length: int, *, version: int = 1) -> list[Any]:
    """The `length` values of a state `[name, version, ...]`, or StateMismatch."""
    if not isinstance(state, list) or state[:2] != [name, version] or len(state) != length + 2:
        found = state[:2] if isinstance(state, list) else type(state).__name__
        wanted = f"{name} version {version}"
        raise StateMismatch(f"this is no state of {wanted}: {found!r}; give it to the stage that dumped it")
    return state[2:]
