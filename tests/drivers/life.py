"""A pipeline's life in simulated time: crashes at any write, a store that fails, a sink that does, clocks that step.

All lines are numbered. What a store had accepted when `feed` returned must come out, at least once, and under one
Message-ID only; what is left out of a mail is counted in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from burstmail import Batch, Change, DeliveryError, Entry, MemoryStore, Message, Saved, Stage, StoreError
from burstmail.core.flow import Flow
from burstmail.core.fold import restored_item
from burstmail.core.model import Attempt
from burstmail.drivers.engine import Engine
from burstmail.testing import ManualClock

Make = Callable[[], Sequence[Stage[Any, Any]]]


class Crash(BaseException):
    """The process is gone."""


class FaultyStore(MemoryStore):
    """A store that goes by a script, one word for each write: "" works, "crash" and "fail" before it is done,
    "crash after" and "fail after" once it is."""

    def __init__(self, script: Iterator[str]) -> None:
        super().__init__()
        self.script = script

    def _act(self, write: Callable[[], Any]) -> Any:
        word = next(self.script, "")
        made = write() if not word or word.endswith("after") else None
        if word.startswith("crash"):
            raise Crash
        if word.startswith("fail"):
            raise StoreError("no space left on device")
        return made

    def open(self) -> Saved | None:
        word = next(self.script, "")
        if word.startswith("crash"):
            raise Crash
        if word:
            raise StoreError("no space left on device")
        return super().open()

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        self._act(lambda: super(FaultyStore, self).append(entry))

    def commit(self, change: Change, *, sync: bool = True) -> None:
        self._act(lambda: super(FaultyStore, self).commit(change))


@dataclass
class Life:
    """One store, one clock, and one engine after the other."""

    make: Make
    script: Iterator[str] = field(default_factory=lambda: iter(()))
    outcomes: Iterator[str | DeliveryError | Mapping[str, DeliveryError]] = field(default_factory=lambda: iter(()))
    destinations: Sequence[str] = ("",)
    # Whether the same Message-ID always means the same bytes: not where memory was ahead of a store that failed.
    exact: bool = True
    now: float = 1000.0
    wall: float = 1e9

    def __post_init__(self) -> None:
        self.store = FaultyStore(self.script)
        self.number = 0
        self.accepted: set[str] = set()
        # By destination and Message-ID: the mail; by destination: when a new one came.
        self.mails: dict[tuple[str, str], Message] = {}
        self.arrivals: dict[str, list[float]] = {name: [] for name in self.destinations}
        self.crashes = 0
        self.boot()

    def boot(self) -> None:
        """Start, as often as it takes; a machine that boots has a monotonic clock of its own."""
        while True:
            self.clock = ManualClock(self.now, wall=self.wall - self.now)
            self.engine = Engine(Flow(*self.make(), destinations=self.destinations), self.clock, store=self.store)
            self.todo: list[Attempt] = []
            try:
                self.todo += self.engine.start()
                self.send()
                return
            except Crash:
                self.crashes += 1

    def live(self, act: Callable[[], None]) -> None:
        """Do something; if that is the end, start again."""
        try:
            act()
        except Crash:
            self.crashes += 1
            self.boot()

    def wait(self, seconds: float) -> None:
        """Time passes, and what is due is done when it is."""
        end = self.clock.monotonic() + seconds
        self.wall += seconds
        while True:
            left = end - self.clock.monotonic()
            due = self.engine.deadline - self.engine.now
            self.clock.advance(max(0.0, min(left, due)))
            self.now = self.clock.monotonic()
            if due > left:
                return
            self.live(self.poll)
            end = max(end, self.clock.monotonic())

    def poll(self) -> None:
        self.todo += self.engine.poll()
        self.send()

    def lines(self, count: int) -> None:
        """Feed so many lines, each of them new."""
        names = [f"line {self.number + place}" for place in range(count)]
        self.number += count
        self.live(lambda: self._feed(names))

    def _feed(self, names: list[str]) -> None:
        self.todo += self.engine.feed(Batch.of(names))
        if self.engine.keeps:
            self.accepted.update(names)
        self.send()

    def flush(self) -> None:
        self.live(self._flush)

    def _flush(self) -> None:
        self.todo += self.engine.flush()
        self.send()

    def send(self) -> None:
        """Make the attempts that are to be made."""
        while self.todo:
            attempt = self.todo.pop(0)
            outcome = next(self.outcomes, "")
            if outcome == "crash":
                raise Crash
            if not isinstance(outcome, DeliveryError):
                self._arrived(attempt)
            if outcome == "crash after":
                raise Crash
            failed: DeliveryError | Mapping[str, DeliveryError] = {} if isinstance(outcome, str) else outcome
            more, _ = self.engine.settle(attempt, failed)
            self.todo += more

    def _arrived(self, attempt: Attempt) -> None:
        mail = attempt.item
        assert isinstance(mail, Message)
        if not mail.sender:
            # A notice about a mail that was given up: its lines are among the dead letters.
            return
        if (before := self.mails.get((attempt.destination, mail.id))) is None:
            self.mails[attempt.destination, mail.id] = mail
            self.arrivals[attempt.destination].append(self.clock.monotonic())
        if before is not None:
            assert before.burst.head[0] == mail.burst.head[0], "one Message-ID, two bursts"
            assert before.data == mail.data or not self.exact, "one Message-ID, two mails"

    def end(self) -> None:
        """Faults stop; then all that is queued must come out."""
        self.store.script = iter(())
        self.outcomes = iter(())
        self.wait(1800 + 60)
        self.live(self._end)
        self.engine.close()
        self.boot()
        self.wait(3600)
        for _ in range(3):
            self.flush()
            self.wait(3600)

    def _end(self) -> None:
        self.todo += self.engine.end()
        self.send()

    def buried(self) -> set[str]:
        """Lines of mails that were given up, which a person is told of."""
        items = [restored_item(row[0]) for row in self.store.__dict__["_dead"].values()]
        bursts = [item.burst for item in items if isinstance(item, Message)]
        return {line for burst in bursts for line in (*burst.head, *burst.tail)}

    def check(self) -> None:
        """Nothing accepted is missing anywhere, nothing stands in two mails, and the sums are right."""
        assert len({id for _, id in self.mails}) == len(self.mails), "two destinations share a Message-ID"
        for destination in self.destinations:
            bursts = [mail.burst for (name, _), mail in self.mails.items() if name == destination]
            shown = [line for burst in bursts for line in (*burst.head, *burst.tail)]
            missing = self.accepted - set(shown) - self.buried()
            left_out = sum(burst.elided for burst in bursts)
            assert len(shown) == len(set(shown)) or not self.exact, f"twice: {sorted(shown)}"
            assert len(missing) <= left_out, f"lost: {sorted(missing)[:5]} of {len(self.accepted)}"
            assert sum(burst.count for burst in bursts) == len(shown) + left_out
