"""Burst -> Burst. Caps delay and merge; they never drop.

All limits of a path are decided here, at one departure: two caps in a row would not be exact at the exit. What is held
folds per key and leaves as soon as a slot frees, even if no further line ever comes; past `separate` keys it folds into
one digest. Limits: `separate` held bursts, the memory of `keys` keys; newcomers beyond share one memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias

from .fold import digest, dump_burst, folded, restored_burst
from .limits import CoolDown, Gate, Limit
from .model import Burst
from .stage import State, opened

Policy: TypeAlias = Limit | CoolDown

# 3 a minute, 5 in 15 minutes: a person reads no more than 20 an hour, and the slots free often enough
# that nobody is without news for more than 15 minutes.
DEFAULT = (Limit(3, 60.0), Limit(5, 900.0))
PACE = CoolDown()


@dataclass(slots=True)
class _Held:
    burst: Burst
    # When the oldest burst came, and the moment for which burst.time stands.
    since: float
    as_of: float


class Caps:
    """The limits of one path.

    `limits` hold over all keys (3 a minute and 5 in 15 minutes when none is given); `per_key`, a policy or several or
    None, holds for each key by itself (a CoolDown from 1 to 15 minutes). Raises ValueError for bounds below 1.

    >>> from burstmail import Caps, Limit
    >>> caps = Caps(Limit(20, per=3600))
    """

    def __init__(
        self,
        *limits: Limit,
        per_key: Policy | Sequence[Policy] | None = PACE,
        separate: int = 3,
        keys: int = 1000,
    ) -> None:
        for name, value in (("separate", separate), ("keys", keys)):
            if value < 1:
                raise ValueError(f"Caps({name}={value!r}): must be 1 or more")
        self._policies = (per_key,) if isinstance(per_key, Limit | CoolDown) else tuple(per_key or ())
        self._separate = separate
        self._keys = keys
        self._limits = limits or DEFAULT
        self._global = [limit.gate() for limit in self._limits]
        self._gates: dict[str, list[Gate]] = {}
        # Shared by the keys past the bound: a cap's memory is never evicted, or a flood of keys would lift it.
        self._overflow = self._fresh()
        self._sweep = -inf
        # Held bursts by key, oldest first; or all in one digest, which may leave when the first of them might have.
        self._waiting: dict[str, _Held] = {}
        self._digest: _Held | None = None
        self._digest_gates = self._fresh()
        self._digest_opens = -inf

    def _fresh(self) -> list[Gate]:
        return [policy.gate() for policy in self._policies]

    @property
    def deadline(self) -> float:
        """When the next held burst may leave."""
        if self._digest:
            return max(self._open_globally, self._digest_opens, _opens(self._digest_gates))
        return max(self._open_globally, min((_opens(self._known(key)) for key in self._waiting), default=inf))

    @property
    def _open_globally(self) -> float:
        return _opens(self._global)

    @property
    def held(self) -> int:
        """Lines in held bursts."""
        waiting = sum(entry.burst.count for entry in self._waiting.values())
        return waiting + (self._digest.burst.count if self._digest else 0)

    def feed(self, item: Burst, now: float) -> Sequence[Burst]:
        """`poll(now)`, then the burst: out at once if every limit has room, else held."""
        out = self.poll(now)
        gates = self._known(item.key, now)
        for gate in gates:
            gate.arrive(now)
        if self._digest:
            self._digest = _joined(self._digest, item, now)
            self._digest_opens = min(self._digest_opens, _opens(gates))
        elif item.key in self._waiting:
            self._waiting[item.key] = _joined(self._waiting[item.key], item, now)
        else:
            self._waiting[item.key] = _Held(item, now, now)
        return out + self._release(now)

    def _known(self, key: str, now: float | None = None) -> list[Gate]:
        """The key's memory; made for a new key only when `now` is given."""
        gates = self._gates.get(key)
        if gates is None and now is not None:
            if len(self._gates) >= self._keys and now >= self._sweep:
                self._forget(now)
            if len(self._gates) < self._keys:
                gates = self._gates[key] = self._fresh()
        return self._overflow if gates is None else gates

    def _forget(self, now: float) -> None:
        """Drop the memory of keys that is as good as new."""
        stale = {key: max((gate.stale for gate in gates), default=-inf) for key, gates in self._gates.items()}
        for key, moment in stale.items():
            if moment <= now and key not in self._waiting:
                del self._gates[key]
        self._sweep = min((moment for moment in stale.values() if moment > now), default=-inf)

    def poll(self, now: float) -> list[Burst]:
        """What may leave by `now`, each as of the moment its slot freed."""
        out: list[Burst] = []
        while (due := self.deadline) <= now:
            out += self._release(due)
        return out

    def _release(self, now: float) -> list[Burst]:
        out: list[Burst] = []
        while self._open_globally <= now and (entry := self._next(now)):
            out.append(self._depart(entry, now))
        self._merge()
        return out

    def _next(self, now: float) -> _Held | None:
        """The oldest held burst whose key is open."""
        if self._digest:
            ready = max(self._digest_opens, _opens(self._digest_gates)) <= now
            entry, self._digest = (self._digest, None) if ready else (None, self._digest)
            return entry
        key = next((key for key in self._waiting if _opens(self._known(key)) <= now), None)
        return None if key is None else self._waiting.pop(key)

    def _merge(self) -> None:
        """Past the bound all that is held becomes one digest: one mail that says it all, instead of many that wait."""
        if len(self._waiting) > self._separate:
            self._digest_opens = min(_opens(self._known(key)) for key in self._waiting)
            self._digest = self._all()
            self._waiting = {}

    def _all(self) -> _Held:
        """Everything held, in one; times as of the latest."""
        entries = [*self._waiting.values(), *([self._digest] if self._digest else [])]
        if len(entries) == 1:
            return entries[0]
        entries.sort(key=lambda entry: entry.since)
        newest = max(entries, key=lambda entry: entry.as_of)
        burst = replace(digest([entry.burst for entry in entries]), time=newest.burst.time)
        return _Held(burst, entries[0].since, newest.as_of)

    def _depart(self, entry: _Held, now: float) -> Burst:
        own = self._digest_gates if entry.burst.parts else self._known(entry.burst.key)
        for gate in (*self._global, *own):
            gate.depart(now)
        time = entry.burst.time + (now - entry.as_of)
        opens = max(self._open_globally, _opens(own))
        resume = time + (opens - now) if opens > now else None
        return replace(entry.burst, time=time, waited=now - entry.since, resume=resume)

    def flush(self, now: float) -> list[Burst]:
        """Only what has a slot: as `poll`."""
        return self.poll(now)

    def drain(self, now: float) -> list[Burst]:
        """What has a slot; then all the rest as one burst, the only one that may exceed the limits."""
        out = self.poll(now)
        if self._waiting or self._digest:
            entry = self._all()
            self._waiting, self._digest = {}, None
            out.append(self._depart(entry, now))
        return out

    def dump(self) -> State:
        """Departures, and what is held."""
        gates = [[key, _dumped(gates)] for key, gates in self._gates.items()]
        shared = [_dumped(self._global), _dumped(self._overflow), _dumped(self._digest_gates)]
        waiting = [_dump_entry(entry) for entry in self._waiting.values()]
        whole = [_dump_entry(self._digest), None if self._digest_opens == -inf else self._digest_opens] if self._digest else []
        return ["caps", 1, shared, gates, waiting, whole]

    def load(self, state: State) -> None:
        """The dumped departures and held bursts, under this stage's own limits."""
        (all_keys, overflow, digests), gates, waiting, whole = opened(state, "caps", 4)
        fresh = Caps(*self._limits, per_key=self._policies, separate=self._separate, keys=self._keys)
        _load(fresh._global, all_keys)
        _load(fresh._overflow, overflow)
        _load(fresh._digest_gates, digests)
        for key, dumped in gates:
            _load(fresh._gates.setdefault(key, fresh._fresh()), dumped)
        entries = [_restored(entry) for entry in waiting]
        fresh._waiting = {entry.burst.key: entry for entry in entries}
        if whole:
            fresh._digest, fresh._digest_opens = _restored(whole[0]), -inf if whole[1] is None else whole[1]
        self.__dict__.update(fresh.__dict__)


def _opens(gates: Sequence[Gate]) -> float:
    return max((gate.opens for gate in gates), default=-inf)


def _joined(entry: _Held, burst: Burst, now: float) -> _Held:
    join = digest([entry.burst, burst]) if entry.burst.parts else folded(entry.burst, burst)
    return _Held(join, entry.since, now)


def _dumped(gates: Sequence[Gate]) -> State:
    return [gate.dump() for gate in gates]


def _load(gates: Sequence[Gate], states: State) -> None:
    # Other limits than those dumped: what fits is kept, a new limit starts afresh.
    for gate, state in zip(gates, states, strict=False):
        gate.load(state)


def _dump_entry(entry: _Held) -> State:
    return [dump_burst(entry.burst), entry.since, entry.as_of]


def _restored(state: State) -> _Held:
    burst, since, as_of = state
    return _Held(restored_burst(burst), since, as_of)
