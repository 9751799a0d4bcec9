"""What must survive a crash: a journal of what was read, the core's state, the outbox, the dead letters.

Two kinds of transaction. *In* (`append`): what was read is written down before the core sees it. *Out* (`commit`): what
came out, the changed state and the end of the journal that they replace. A store knows nothing of what it keeps: states
are what JSON can carry, and their meaning is the core's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..core.model import Batch, Place
from ..core.stage import State

LINES, FLUSH, RETRY, DELETE = "lines", "flush", "retry", "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One input of the core, as the journal keeps it."""

    id: int = 0
    """Its place in the journal, from 1, never used twice; 0 while it is only staged."""
    kind: str = LINES
    """LINES, FLUSH; or RETRY and DELETE, which are staged only, with the outbox key as their text."""
    now: float = 0.0
    """The core's time at which it came, in seconds; 0 while it is only staged."""
    wall: float = 0.0
    """The wall time at which it came."""
    count: int = 0
    """How many lines."""
    text: str = ""
    """The lines, each ended by one newline."""
    place: Place | None = None
    """How far the lines' source has come with them."""
    source: str = ""
    """What the lines were read from, for people."""

    def batch(self, epoch: str) -> Batch:
        """The lines as they were read."""
        return Batch(
            text=self.text,
            count=self.count,
            time=self.wall,
            epoch=epoch,
            seq=self.id,
            place=self.place,
            source=self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One Out transaction: all of it, or nothing."""

    state: State = None
    """The core's state; None leaves the one that is kept."""
    position: int = 0
    """Entries up to this id are in the state: they leave the journal."""
    outbox: Mapping[str, State] = field(default_factory=dict)
    """Messages that wait, by key; None for one that has gone."""
    dead: Mapping[str, State] = field(default_factory=dict)
    """Dead letters, by key; None for one that has gone."""
    whole: bool = False
    """Whether state and outbox replace all that the store keeps of them, and the whole journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a store holds when it is opened."""

    epoch: str
    """128 random bits in hexadecimal, drawn when the store was created: which numbering its ids belong to."""
    state: State = None
    """The core's last state; None when there is none."""
    journal: Sequence[Entry] = ()
    """What came after it, in order."""
    outbox: Mapping[str, State] = field(default_factory=dict)
    """Messages that wait, by key, oldest first."""
    last: int = 0
    """The highest id ever given: numbering goes on behind it."""
    troubles: Sequence[str] = ()
    """What a person must know, one sentence each: a damaged file moved aside, what of it could not be read."""


class Store(Protocol):
    """Where a pipeline keeps what must survive. Every method but `close` raises StoreError when it fails.

    After a StoreError nothing of the call is in the store, or all of it is; `open` may be called again at any time, and
    after an error it starts afresh.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes may stage entries: then whoever has the store looks for them every second."""
        ...

    def open(self) -> Saved | None:
        """Take the store and give what it holds; None while somebody else has it."""
        ...

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        """Add to the journal, under the entry's own id."""
        ...

    def commit(self, change: Change, *, sync: bool = True) -> None:
        """Make one change."""
        ...

    def sync(self) -> None:
        """All that was written survives a power cut from here on."""
        ...

    def stage(self, entry: Entry, *, sync: bool = False) -> None:
        """Leave an entry for whoever has the store. May be called without having it, from any process."""
        ...

    def adopt(self, last: int, now: float, wall: float) -> Sequence[Entry]:
        """What others have staged, in order, moved in one transaction.

        LINES and FLUSH go into the journal, under ids from `last` + 1. `now` and `wall` are the present, read together;
        an entry's `now` is that less its age. RETRY and DELETE are given and forgotten.
        """
        ...

    def dead(self, key: str) -> State:
        """One dead letter; None when there is none of this key."""
        ...

    def close(self) -> None:
        """Let go of the store. Safe to call twice; never raises."""
        ...


class MemoryStore:
    """A store that lives as long as the process: for tests, and to hand over from one Pipeline to the next.

    One Pipeline at a time: it does not see to that.
    """

    shared = False

    def __init__(self) -> None:
        self._epoch = new_epoch()
        self._last = 0
        self._state: State = None
        self._journal: list[Entry] = []
        self._outbox: dict[str, State] = {}
        self._dead: dict[str, State] = {}
        self._staged: list[Entry] = []

    def open(self) -> Saved | None:
        """What the store holds."""
        return Saved(
            epoch=self._epoch,
            state=self._state,
            journal=tuple(self._journal),
            outbox=dict(self._outbox),
            last=self._last,
        )

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        """Add to the journal."""
        self._journal.append(entry)
        self._last = entry.id

    def commit(self, change: Change, *, sync: bool = True) -> None:
        """Make one change."""
        if change.state is not None:
            self._state = change.state
        if change.whole:
            self._journal.clear()
            self._outbox.clear()
        self._journal = [entry for entry in self._journal if entry.id > change.position]
        self._last = max(self._last, change.position)
        for rows, changed in ((self._outbox, change.outbox), (self._dead, change.dead)):
            for key, row in changed.items():
                rows.pop(key, None) if row is None else rows.update({key: row})

    def sync(self) -> None:
        """Nothing survives the process anyway."""

    def stage(self, entry: Entry, *, sync: bool = False) -> None:
        """Leave an entry for whoever has the store."""
        self._staged.append(entry)

    def adopt(self, last: int, now: float, wall: float) -> Sequence[Entry]:
        """What others have staged."""
        adopted = numbered(self._staged, last, now, wall)
        self._staged.clear()
        for entry in adopted:
            if entry.id:
                self.append(entry)
        return adopted

    def dead(self, key: str) -> State:
        """One dead letter."""
        return self._dead.get(key)

    def close(self) -> None:
        """Nothing to let go of."""


def new_epoch() -> str:
    """A name for a numbering of reads that no other has: 128 random bits in hexadecimal."""
    from secrets import token_hex

    return token_hex(16)


def numbered(staged: Sequence[Entry], last: int, now: float, wall: float) -> list[Entry]:
    """Staged entries with their ids and the core's time at which they came."""
    from dataclasses import replace

    out: list[Entry] = []
    for entry in staged:
        if entry.kind in (LINES, FLUSH):
            last += 1
            # A wall clock may have stepped: nothing came later than now.
            entry = replace(entry, id=last, now=now - max(0.0, wall - entry.wall))
        out.append(entry)
    return out
