"""What a cap allows, and what it has to remember for that.

A policy (Limit, CoolDown) is a value; `gate()` makes the memory one path or key needs to keep to it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import Protocol

from ..errors import StateMismatch
from .stage import State


class Gate(Protocol):
    """The memory of one policy for one key."""

    @property
    def opens(self) -> float:
        """The earliest moment for the next departure; -inf when there is no need to wait."""
        ...

    @property
    def stale(self) -> float:
        """From this moment on the gate is as good as new, and may be forgotten."""
        ...

    def arrive(self, now: float) -> None:
        """A burst has come, whether or not it may leave."""
        ...

    def depart(self, now: float) -> None:
        """A burst leaves."""
        ...

    def dump(self) -> State:
        """As JSON can carry it."""
        ...

    def load(self, state: State) -> None:
        """The dumped memory, under this policy."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` departures in any `per` seconds, exactly: no window of that length holds more."""

    count: int
    per: float

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"Limit(count={self.count!r}): must be 1 or more; 0 would hold mail back for ever")
        if not 0.001 <= self.per < inf:
            raise ValueError(f"Limit(per={self.per!r}): must be 0.001 seconds or more, and finite")

    def gate(self) -> Gate:
        """A fresh log of departures."""
        return _Log(self)


class _Log:
    # The last `count` departures, exactly: a token bucket would let nearly twice as many through, a counter per
    # clock hour likewise at the edge of the hour.
    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._times: deque[float] = deque(maxlen=limit.count)

    @property
    def opens(self) -> float:
        return self._times[0] + self._limit.per if len(self._times) == self._limit.count else -inf

    @property
    def stale(self) -> float:
        return self._times[-1] + self._limit.per if self._times else -inf

    def arrive(self, now: float) -> None:
        pass

    def depart(self, now: float) -> None:
        self._times.append(now)

    def dump(self) -> State:
        return ["log", *self._times]

    def load(self, state: State) -> None:
        self._times = deque(_expect(state, "log"), self._limit.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolDown:
    """The first at once, then ever wider intervals while the noise lasts; from the start again after quiet.

    After a departure the next waits `first` seconds, then `factor` times as long, up to `longest`. Once `longest`
    seconds have passed without a burst, all is forgotten.
    """

    # First mail at once, and never without news for more than 15 minutes: the wish of log4js-node#169.
    first: float = 60.0
    factor: float = 2.0
    longest: float = 900.0

    def __post_init__(self) -> None:
        if not 0.001 <= self.first < inf:
            raise ValueError(f"CoolDown(first={self.first!r}): must be 0.001 seconds or more, and finite")
        if not 1 <= self.factor < inf:
            raise ValueError(f"CoolDown(factor={self.factor!r}): must be 1 or more, and finite")
        if not self.first <= self.longest < inf:
            raise ValueError(f"CoolDown(longest={self.longest!r}): must be at least first={self.first!r}, and finite")

    def gate(self) -> Gate:
        """A fresh pace."""
        return _Pace(self)


class _Pace:
    def __init__(self, policy: CoolDown) -> None:
        self._policy = policy
        self._left = -inf
        self._interval = 0.0
        self._active = -inf

    @property
    def opens(self) -> float:
        return self._left + self._interval

    @property
    def stale(self) -> float:
        return self._active + self._policy.longest

    def arrive(self, now: float) -> None:
        if now >= self.stale:
            self._left, self._interval = -inf, 0.0
        self._active = now

    def depart(self, now: float) -> None:
        policy = self._policy
        self._interval = min(self._interval * policy.factor, policy.longest) if self._interval else policy.first
        self._left = self._active = now

    def dump(self) -> State:
        return ["pace", self._left, self._interval, self._active] if self._interval else ["pace"]

    def load(self, state: State) -> None:
        values = _expect(state, "pace") or [-inf, 0.0, -inf]
        self._left, self._interval, self._active = values


def _expect(state: State, name: str) -> list[float]:
    if not isinstance(state, list) or state[:1] != [name]:
        raise StateMismatch(f"this is no memory of a {name}: {state!r}; give it to the policy that dumped it")
    return state[1:]
