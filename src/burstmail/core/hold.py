"""Burst -> what caps hold. By key, oldest first; and a digest, which takes the place of all that were held before it.

Which is due is not decided here. Limits: those of Caps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from .fold import SOURCES, dump_burst, fold, restored_burst
from .model import Burst


@dataclass(frozen=True, slots=True)
class Held:
    """Bursts that wait, as one."""

    burst: Burst
    since: float
    """When the oldest burst came."""
    latest: float
    """When the newest came: the moment of `burst.time`."""
    ready: float
    """When it came; for a digest, the first moment at which one of its keys could have left by itself."""

    def plus(self, burst: Burst, now: float, ready: float) -> Held:
        """With one burst more, which came just now."""
        return Held(fold(self.burst, burst), self.since, now, ready)

    def through(self, start: float, end: float) -> Held:
        """The same after a pause."""
        pause = self.burst.paused + (end - max(start, self.since))
        return replace(self, burst=replace(self.burst, paused=pause))

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        return [dump_burst(self.burst), self.since, self.latest, self.ready]


class Hold:
    """All that is held."""

    __slots__ = ("digest", "held")

    def __init__(self) -> None:
        # Beside a digest: urgent ones of other keys, that came later.
        self.held: dict[str, Held] = {}
        self.digest: Held | None = None

    def __iter__(self) -> Iterator[tuple[str | None, Held]]:
        """With its key each; the digest with None."""
        if self.digest:
            yield None, self.digest
        yield from self.held.items()

    def may_hold(self, key: str) -> bool:
        """Whether the digest has lines of this key, or may have: it cannot name all."""
        parts = self.digest.burst.parts if self.digest else ()
        return len(parts) > SOURCES or key in dict(parts)

    def drop(self, key: str | None) -> None:
        """What is held under the key has left."""
        if key is None:
            self.digest = None
        else:
            del self.held[key]

    def together(self) -> Held:
        """All of it as one, what is oldest in front, as of the newest."""
        waiting = [held for _, held in self]
        newest = max(reversed(waiting), key=lambda held: held.latest)
        burst = reduce(fold, [held.burst for held in waiting])
        burst = replace(burst, time=newest.burst.time, closed=newest.burst.closed, reason=newest.burst.reason)
        return Held(burst, waiting[0].since, newest.latest, waiting[0].ready)

    def become(self, digest: Held | None) -> None:
        """Nothing but this."""
        self.held, self.digest = {}, digest

    def through(self, start: float, end: float) -> None:
        """All has waited for a pause."""
        self.held = {key: held.through(start, end) for key, held in self.held.items()}
        self.digest = self.digest and self.digest.through(start, end)

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        return [[[key, *held.dump()] for key, held in self.held.items()], self.digest and self.digest.dump()]

    @classmethod
    def restored(cls, state: list[Any]) -> Hold:
        """What was dumped."""
        rows, digest = state
        hold = cls()
        hold.held = {key: Held(restored_burst(burst), *times) for key, burst, *times in rows}
        hold.digest = Held(restored_burst(digest[0]), *digest[1:]) if digest else None
        return hold
