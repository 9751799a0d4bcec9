"""Item -> Out. One machine per key, and a stage again.

An item is split by key for all its lines before any state changes, so a splitter that raises leaves everything as it
was. Limit: `keys` machines. When crowded, the least recently active one gives up what it holds early: that delays less
and loses nothing. A machine that holds nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from math import inf
from typing import Generic, TypeVar

from ..errors import StateMismatch
from .kinds import counts
from .stage import Stage, State, opened

In = TypeVar("In")
Out = TypeVar("Out")


class Keyed(Generic[In, Out]):
    """The stage `keyed` makes."""

    def __init__(
        self, make: Callable[[str], Stage[In, Out]], split: Callable[[In], Iterable[tuple[str, In]]], keys: int
    ) -> None:
        counts(keys=keys)
        self._make = make
        self._split = split
        self._keys = keys
        # The least recently active machine stands first.
        self._machines: dict[str, Stage[In, Out]] = {}
        # (deadline, serial, key), at least one per machine, never later than the machine's own deadline; a machine's
        # serial orders machines that are due at the same moment, whoever polls and however often.
        self._timers: list[tuple[float, int, str]] = []
        self._serials: dict[str, int] = {}
        self._next = 0

    @property
    def deadline(self) -> float:
        """The earliest of all machines."""
        timers = self._timers
        while timers:
            due, serial, key = timers[0]
            actual = self._machines[key].deadline if self._serials.get(key) == serial else None
            if actual == due:
                return due
            # Windows move their deadline with every line; only a timer that comes up is set right.
            if actual is None or actual == inf:
                heappop(timers)
            else:
                heapreplace(timers, (actual, serial, key))
        return inf

    @property
    def held(self) -> int:
        """Lines held by all machines."""
        return sum(machine.held for machine in self._machines.values())

    def feed(self, item: In, now: float) -> Sequence[Out]:
        """`poll(now)`, then each key's part to its machine."""
        parts = list(self._split(item))
        out = self.poll(now)
        for key, part in parts:
            if key not in self._machines and len(self._machines) >= self._keys:
                out += self._evict(now)
            out += self._feed(key, part, now)
        return out

    def _feed(self, key: str, part: In, now: float) -> Sequence[Out]:
        machine = self._machines.pop(key, None)
        if machine is None:
            machine = self._make(key)
            self._serials[key] = self._next
            self._next += 1
        before = machine.deadline
        self._machines[key] = machine
        out = machine.feed(part, now)
        self._settle(key, machine, before)
        return out

    def _settle(self, key: str, machine: Stage[In, Out], before: float) -> None:
        """After a machine has moved: forget it when it is done, else see that a timer stands for it."""
        due = machine.deadline
        if due == inf and not machine.held:
            self._forget(key)
        elif due < before or (before == inf and due != inf):
            heappush(self._timers, (due, self._serials[key], key))

    def _forget(self, key: str) -> None:
        del self._machines[key], self._serials[key]

    def _evict(self, now: float) -> Sequence[Out]:
        key, machine = next(iter(self._machines.items()))
        self._forget(key)
        return self._give_up(machine, now)

    def _give_up(self, machine: Stage[In, Out], now: float) -> Sequence[Out]:
        """What is left of a machine that has to go."""
        return machine.drain(now)

    def poll(self, now: float) -> list[Out]:
        """Let each machine's time pass, in the order in which they are due."""
        out: list[Out] = []
        while (due := self.deadline) <= now:
            _, _, key = heappop(self._timers)
            machine = self._machines[key]
            out += machine.poll(due)
            self._settle(key, machine, inf)
        return out

    def flush(self, now: float) -> list[Out]:
        """Close what is open, oldest machine first."""
        return self._end(now, lambda machine: machine.flush(now))

    def drain(self, now: float) -> list[Out]:
        """Give up everything, oldest machine first."""
        return self._end(now, lambda machine: machine.drain(now))

    def _end(self, now: float, end: Callable[[Stage[In, Out]], Sequence[Out]]) -> list[Out]:
        out = self.poll(now)
        for key in sorted(self._machines, key=self._serials.__getitem__):
            machine = self._machines[key]
            before = machine.deadline
            out += end(machine)
            self._settle(key, machine, before)
        return out

    def dump(self) -> State:
        """Every machine with its key, the least recently active first."""
        rows = [[key, self._serials[key], machine.dump()] for key, machine in self._machines.items()]
        return ["keyed", 1, self._next, rows]

    def load(self, state: State) -> None:
        """Machines for every dumped key."""
        following, rows = opened(state, "keyed", 2)
        machines = {key: self._make(key) for key, _, _ in rows}
        for key, _, inner in rows:
            machines[key].load(inner)
        if len(machines) != len(rows):
            raise StateMismatch("this state of keyed names a key twice; it was not dumped by this version")
        self._machines, self._next = machines, following
        self._serials = {key: serial for key, serial, _ in rows}
        self._timers = [(machines[key].deadline, serial, key) for key, serial, _ in rows]
        heapify(self._timers)


def keyed(
    make: Callable[[str], Stage[In, Out]], split: Callable[[In], Iterable[tuple[str, In]]], *, keys: int = 1000
) -> Keyed[In, Out]:
    """One machine per key, each made by `make(key)`.

    `split(item)` gives (key, part) pairs in order. At most `keys` machines (1,000: a key table is an attack surface);
    for one more, the least recently active one is drained. Raises ValueError for keys < 1.
    """
    return Keyed(make, split, keys)
