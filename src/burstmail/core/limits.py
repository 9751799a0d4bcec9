"""Departures -> the moment of the next one. Limits, cool-downs, and what they remember of each key.

A limit is exact: it looks at a log of its last `count` departures. A token bucket lets nearly twice the limit through,
a counter per clock hour doubles at the edge. Limits: `bound` keys; past that all newcomers share one memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import inf
from typing import Any, TypeAlias

from .backoff import check_growth
from .kinds import numbers, of_kind, seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` departures in any `per` seconds: departure i + count leaves no earlier than i does plus `per`.

    Raises ValueError for a count below 1, or a `per` below 0.001 or not finite.
    """

    count: int
    per: float

    def __post_init__(self) -> None:
        numbers("Limit", count=self.count)
        seconds("Limit", per=self.per)
        if not self.count >= 1:
            raise ValueError(f"Limit(count={self.count!r}): must be 1 or more; a limit delays, it never drops")
        if not 0.001 <= self.per < inf:
            raise ValueError(f"Limit(per={self.per!r}): must be 0.001 seconds or more, and finite")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolDown:
    """Ever wider intervals while a key stays noisy; durations in seconds.

    The first departure is free; the next waits `first`, each further one `factor` times longer, `longest` at most.
    Once no burst of the key has come or left for `longest`, all starts again. Raises ValueError for a `first` below
    0.001, a factor below 1, a `longest` below `first`, or anything not finite.
    """

    # One mail at once, then news at 1, 3, 7, 15 and 30 minutes: a person is told soon, and then left to work.
    first: float = 60.0
    factor: float = 2.0
    longest: float = 900.0

    def __post_init__(self) -> None:
        check_growth("CoolDown", self.first, self.factor, self.longest)


Rule: TypeAlias = Limit | CoolDown


class Rules:
    """Rules that hold together for one series of departures. Raises ValueError for more than one CoolDown."""

    __slots__ = ("cool", "horizon", "limits", "log", "per")

    def __init__(self, rules: Sequence[Rule]) -> None:
        of_kind(Limit | CoolDown, rules, "per_key={!r}: must be a Limit or a CoolDown, as CoolDown(first=60)")
        self.limits = tuple(rule for rule in rules if isinstance(rule, Limit))
        cools = [rule for rule in rules if isinstance(rule, CoolDown)]
        if len(cools) > 1:
            raise ValueError(f"per_key={rules!r}: one CoolDown at most; its intervals would hide the other's")
        self.cool = cools[0] if cools else None
        # How far back a departure matters to a limit, how many of them do, and after which quiet nothing matters.
        self.per = max((limit.per for limit in self.limits), default=0.0)
        self.log = max((limit.count for limit in self.limits), default=1)
        self.horizon = max(self.per, self.cool.longest if self.cool else 0.0)


class Gate:
    """The departures of one series, as far as they still matter."""

    __slots__ = ("_interval", "_log", "_rules", "touched")

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._log: deque[float] = deque()
        # What the cool-down asks for after the last departure; 0 when it has forgotten.
        self._interval = 0.0
        # When a burst last came or left.
        self.touched = -inf

    @property
    def opens(self) -> float:
        """The moment from which one more may leave, never before the last one; -inf when nothing ever left."""
        return self.opening()

    def opening(self, reserve: int = 0, *, cool: bool = True) -> float:
        """The same, with so many slots of each limit taken for others; or without regard to the cool-down."""
        if not (log := self._log):
            return -inf
        limits = [
            log[reserve - limit.count] + limit.per for limit in self._rules.limits if len(log) >= limit.count - reserve
        ]
        return max([log[-1] + (self._interval if cool else 0.0), *limits])

    def touch(self, now: float) -> None:
        """A burst came: after a long enough quiet it is the first again."""
        cool = self._rules.cool
        if cool and now >= self.touched + cool.longest:
            self._interval = 0.0
        self.touched = now

    def record(self, now: float) -> None:
        """A burst leaves."""
        self.touch(now)
        if cool := self._rules.cool:
            self._interval = min(self._interval * cool.factor, cool.longest) if self._interval else cool.first
        # No more departures, and none for longer, than some limit asks for: a count may be large.
        while self._log and (len(self._log) >= self._rules.log or self._log[0] + self._rules.per <= now):
            self._log.popleft()
        self._log.append(now)

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        return [list(self._log), self._interval, None if self.touched == -inf else self.touched]

    def load(self, state: list[Any]) -> Gate:
        """The dumped departures, under this gate's own rules."""
        log, interval, touched = state
        self._log.extend(log)
        cool = self._rules.cool
        self._interval = min(interval, cool.longest) if cool else 0.0
        self.touched = -inf if touched is None else touched
        return self


class Gates:
    """One gate per key. A memory is never evicted while it matters: past `bound` keys, newcomers share one."""

    __slots__ = ("_bound", "_gates", "_rules", "_shared")

    def __init__(self, rules: Rules, bound: int) -> None:
        self._rules = rules
        # Without rules there is nothing to remember.
        self._bound = bound if rules.horizon else 0
        # The least recently touched stands first, so that what no longer matters is found at once.
        self._gates: dict[str, Gate] = {}
        self._shared = Gate(rules)

    def of(self, key: str) -> Gate:
        """The gate of an admitted key."""
        return self._gates.get(key, self._shared)

    def admit(self, key: str, now: float, busy: Collection[str]) -> Gate:
        """The gate of a key of which a burst came or leaves. `busy` keys have theirs and are not forgotten."""
        if key not in self._gates and key not in busy:
            stale = takewhile(lambda name: self._stale(name, now), self._gates)
            for name in [name for name in stale if name not in busy]:
                del self._gates[name]
            if len(self._gates) < self._bound:
                self._gates[key] = Gate(self._rules)
        return self._touched(key, now)

    def glance(self, key: str, now: float) -> float:
        """When a burst that came just now could leave by itself; its key is not admitted."""
        if key not in self._gates and len(self._gates) < self._bound:
            return now
        return max(now, self._touched(key, now).opens)

    def _touched(self, key: str, now: float) -> Gate:
        gate = self.of(key)
        gate.touch(now)
        if key in self._gates:
            self._gates[key] = self._gates.pop(key)
        return gate

    def _stale(self, key: str, now: float) -> bool:
        return self._gates[key].touched + self._rules.horizon <= now

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        return [[[key, gate.dump()] for key, gate in self._gates.items()], self._shared.dump()]

    def load(self, state: list[Any]) -> Gates:
        """The dumped gates, the latest `bound` of them."""
        rows, shared = state
        kept = rows[max(0, len(rows) - self._bound) :]
        self._gates = {key: Gate(self._rules).load(gate) for key, gate in kept}
        self._shared = Gate(self._rules).load(shared)
        return self
