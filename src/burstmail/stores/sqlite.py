"""Store in a directory: a database and a journal. They survive a kill at any moment, and a power cut up to the sync.

State, outbox, dead letters and what others have staged are in an SQLite file. What is read is in the journal's file,
which is emptied when a state on the disk covers it. Whoever has the lock reads and writes; others only stage. What is
damaged is replaced by what can still be read of it, and kept beside. Any error closes the files; `open` begins anew,
on new descriptors, since an fsync that has failed once succeeds the next time without having written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..core.kinds import paths
from ..core.salvage import salvaged
from ..core.stage import State
from ..errors import StoreError
from . import FLUSH, LINES, RETRY, Change, Entry, Saved, numbered
from .journal import Journal
from .opening import fitting, made, opened, recovered, written
from .place import Place
from .rows import CORE, EPOCH, POSITION, STATE, TROUBLES, Damaged, entry_of, entry_row, value_of, value_row
from .salvage import Remains, Row, is_damage, remains_of
from .tables import connected, insert, prepared, put, transaction

if TYPE_CHECKING:
    from sqlite3 import Connection

# Dead letters that are kept; the oldest go.
DEAD = 1000
# Bytes of journal for which a sync is worth while, to empty it.
WORTH = 1 << 20
# What one `adopt` moves at most, in bytes: others may have staged a flood.
ADOPTED = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a store holds, for a person to look at."""

    waiting: Sequence[tuple[str, State]] = ()
    """Outbox rows by key, oldest first."""
    dead: Sequence[tuple[str, State]] = ()
    """Dead letters by key, oldest first."""
    entries: int = 0
    """Entries in the journal."""
    lines: int = 0
    """Lines in the journal and in entries that wait to be adopted."""
    held: int = 0
    """Lines in open bursts and held by the caps, as the state has them; with several destinations, once for each."""
    staged: int = 0
    """Entries that wait to be adopted."""
    follows: bool = False
    """Whether it holds how far a file or a journal has been read."""
    asked: Sequence[str] = ()
    """Keys that a retry has been asked for and not yet made."""
    damage: str = ""
    """What else there was and cannot be read, in words; '' when all can be."""


class FileStore:
    """A store in `directory`, which is made (mode 0700) when it is not there.

    Files are 0600 and the user's own; links, and directories that others can write to, are refused. What was written
    survives a kill at any moment, and a power cut up to the last write with `sync`. 1,000 dead letters are kept. One
    thread at a time; in a process forked from this one, only `close`. The methods are as Store says.
    """

    shared = True

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        paths(directory=directory)
        self._place = Place(directory)
        self._journal = Journal(self._place.journal)
        self._db: Connection | None = None
        # Which file the connection is to.
        self._identity: tuple[int, int] | None = None
        # Whether each commit is synced.
        self._full = False
        # What an operation has found wrong with the file, if anything: the next `open` does not trust it.
        self._suspicion = ""
        # Row numbers of the outbox, by key: only the holder of the lock changes it.
        self._waiting: dict[str, int] = {}
        self._position = self._last = self._generation = 0
        # Whether there is something in the database's log that a power cut could take.
        self._unsynced = True
        self._untold = False

    def __repr__(self) -> str:
        return f"FileStore({self._place.directory!r})"

    def open(self) -> Saved | None:
        """Take the store and give what it holds; None while somebody else has it.

        Damage is mended, and told in `Saved.troubles`. Raises StoreError when the system refuses.
        """
        self._drop()
        with self._guard("open", opens=True):
            self._place.prepare()
            if not self._place.take():
                return None
            with self._place.door():
                self._db, remains = opened(self._place, self._suspicion)
                self._identity, self._full, self._suspicion = self._place.identity(), False, ""
            self._generation = recovered(self._place, self._db, remains, self._journal)
            # What was written before is in the system's memory, at best.
            self._unsynced = True
            return self._saved(remains)

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        """Add to the journal, under the entry's own id."""
        with self._guard("write to"):
            self._journal.append(entry, self._generation)
            self._last = max(self._last, entry.id)
            if sync:
                self._journal.sync()

    def commit(self, change: Change, *, sync: bool = True) -> None:
        """Make one change."""
        with self._guard("write to") as db:
            if sync and self._journal.last > max(self._position, change.position):
                self._journal.sync()
            self._level(db, sync)
            with transaction(db, self._place.mark):
                if change.whole:
                    db.execute("DELETE FROM adopted")
                    db.execute("DELETE FROM outbox")
                    self._waiting.clear()
                self._put_core(db, change)
                self._put_waiting(db, change)
                self._put_dead(db, change)
            self._empty(change.whole)

    def sync(self) -> None:
        """All that was written survives a power cut from here on."""
        with self._guard("sync"):
            self._journal.sync()
            self._sync_log()

    def stage(self, entry: Entry, *, sync: bool = False) -> None:
        """Leave an entry for whoever has the store. May be called without having it, from any process."""
        with self._guard("write to", opens=True):
            self._place.prepare()
            with self._place.door():
                db = self._current()
                self._level(db, sync)
                with transaction(db, self._place.mark):
                    insert(db, "staged", [(_next(db, "staged"), *entry_row(replace(entry, id=0, now=0.0)))])

    def adopt(self, last: int, now: float, wall: float) -> Sequence[Entry]:
        """What others have staged, in order, moved in one transaction: 8 MiB at most, the rest with the next call."""
        with self._guard("write to") as db:
            if self._identity != self._place.identity() or not (self._place.taken and self._journal.there):
                raise StoreError(f"{self._place.directory}: the store's files have been removed or replaced")
            if db.execute("SELECT id FROM staged LIMIT 1").fetchone() is None:
                return []
            self._level(db, False)
            with transaction(db, self._place.mark):
                staged = list(_portion(db))
                entries = numbered([entry_of((0, *row[1:])) for row in staged], last, now, wall)
                kept = [entry for entry in entries if entry.kind in (LINES, FLUSH)]
                insert(db, "adopted", ((entry.id, *entry_row(entry)) for entry in kept))
                db.execute("DELETE FROM staged WHERE id <= ?", (staged[-1][0],))
            self._last = max([self._last, *(entry.id for entry in kept)])
        return entries

    def dead(self, key: str) -> State:
        """One dead letter; None when there is none of this key."""
        with self._guard("read") as db:
            row = db.execute("SELECT * FROM dead WHERE key = ?", (key,)).fetchone()
            return None if row is None else value_of(row)[1]

    def close(self) -> None:
        """Let go of the store. Safe to call twice; never raises."""
        self._drop()
        with suppress(OSError):
            self._place.release()

    def listing(self) -> Listing:
        """What is kept now, whoever has the store; only reads. Raises StoreError when it cannot be read."""
        with self._guard("read", opens=True):
            self._place.prepare()
            if not self._place.check(*self._place.files) or self._place.identity() is None:
                raise StoreError(f"there is no store in {self._place.directory}")
            with closing(connected(self._place.database, mode="ro")) as database:
                database.execute("BEGIN")
                remains = fitting(remains_of(database))
            found = written(self._place, remains, Journal(self._place.journal))
        both = [*remains.adopted, *remains.staged]
        return Listing(
            waiting=[value_of(row) for row in remains.outbox],
            dead=[value_of(row) for row in remains.dead],
            entries=len(remains.adopted),
            lines=sum(entry.count for entry in both if entry.kind == LINES),
            held=sum(burst.count for burst in salvaged(remains.core.get(STATE), 0.0)),
            staged=len(remains.staged),
            follows=_follows(remains.core.get(STATE), both),
            asked=[entry.text for entry in both if entry.kind == RETRY],
            damage="" if remains.whole and not found.lost else remains.words(),
        )

    def __del__(self) -> None:
        # At the end of the interpreter even an import fails.
        with suppress(ImportError):
            # One that was refused when it was made holds nothing.
            if hasattr(self, "_journal"):
                self.close()

    def _saved(self, remains: Remains) -> Saved:
        self._position, last, _ = remains.core.get(POSITION, [0, 0, 0])
        self._last = max([self._position, last, *(entry.id for entry in remains.adopted)])
        self._waiting = {row[1]: row[0] for row in remains.outbox}
        self._untold = TROUBLES in remains.core
        return Saved(
            epoch=remains.core[EPOCH],
            state=remains.core.get(STATE),
            journal=remains.adopted,
            outbox=dict(value_of(row) for row in remains.outbox),
            last=self._last,
            troubles=remains.core.get(TROUBLES, ()),
        )

    def _put_core(self, db: Connection, change: Change) -> None:
        if change.state is not None:
            put(db, "core", CORE.index(STATE), STATE, change.state)
            if self._untold:
                db.execute("DELETE FROM core WHERE key = ?", (TROUBLES,))
                self._untold = False
        if change.position > self._position or change.whole:
            self._position = max(self._position, change.position)
            self._last = max(self._last, self._position)
            # Only when none of the journal is needed any more. A record of a generation that the database does not know
            # shows that the database has lost a transaction.
            self._generation += change.whole or self._position >= self._journal.last
            put(db, "core", CORE.index(POSITION), POSITION, [self._position, self._last, self._generation])
            db.execute("DELETE FROM adopted WHERE id <= ?", (self._position,))

    def _empty(self, whole: bool) -> None:
        """Empty the journal when all of it is in a state, and that on the disk; for little of it no sync is made."""
        if whole or self._position >= self._journal.last:
            if whole or self._journal.size >= WORTH:
                self._sync_log()
            if not self._unsynced:
                self._journal.empty()

    def _sync_log(self) -> None:
        if self._unsynced:
            # Not the database itself: closing a second descriptor of it would drop the locks held through the first.
            fd = os.open(self._place.database + "-wal", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fdatasync(fd)
            finally:
                os.close(fd)
            self._unsynced = False

    def _put_waiting(self, db: Connection, change: Change) -> None:
        for key, row in change.outbox.items():
            if row is None:
                db.execute("DELETE FROM outbox WHERE id = ?", (self._waiting.pop(key, 0),))
            else:
                # A row keeps its number, and with it its place.
                id = self._waiting.setdefault(key, 0) or _next(db, "outbox")
                self._waiting[key] = id
                put(db, "outbox", id, key, row)

    def _put_dead(self, db: Connection, change: Change) -> None:
        for key, row in change.dead.items():
            db.execute("DELETE FROM dead WHERE key = ?", (key,))
            if row is not None:
                insert(db, "dead", [(_next(db, "dead"), *value_row(key, row))])
        if change.dead:
            db.execute("DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?", (DEAD,))

    def _current(self) -> Connection:
        """A connection to the database that is there now; made if need be."""
        if self._db is None or self._identity != self._place.identity():
            self._drop()
            if fault := made(self._place):
                raise Damaged(fault)
            self._db = prepared(self._place.database)
            self._identity, self._full = self._place.identity(), False
        return self._db

    def _level(self, db: Connection, sync: bool) -> None:
        """FULL syncs with each commit; NORMAL only where the file would not survive a power cut otherwise."""
        if sync != self._full:
            db.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
            self._full = sync
        # A synced commit syncs what was written to the log before it, too.
        self._unsynced = not sync

    @contextmanager
    def _guard(self, doing: str, *, opens: bool = False) -> Iterator[Connection]:
        """After any error the database is closed; those of the system become a StoreError."""
        from sqlite3 import Error

        try:
            if self._db is None and not opens:
                raise StoreError(f"the store {self._place.directory} is not open")
            yield self._db  # type: ignore[misc]  # None only for those that open it, and they do not look at it
        except (Error, UnicodeDecodeError, OSError, Damaged) as error:
            self._drop()
            if is_damage(error):
                self._suspicion = str(error)
            raise StoreError(f"cannot {doing} the store {self._place.directory}: {_reason(error)}") from None
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            # What is wrong with it has been said, or will be when it is next opened.
            with suppress(Exception):
                db.close()
        with suppress(OSError):
            self._journal.close()


def _portion(db: Connection) -> Iterator[Row]:
    size = 0
    for row in db.execute("SELECT * FROM staged ORDER BY id"):
        yield row
        size += len(row[-1])
        if size >= ADOPTED:
            return


def _next(db: Connection, table: str) -> int:
    found: int = db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0]
    return found


def _reason(error: BaseException) -> str:
    name = getattr(error, "sqlite_errorname", "")
    words = getattr(error, "strerror", None) or str(error)
    return f"{words} ({name})" if name else words


def _follows(state: State, entries: Sequence[Entry]) -> bool:
    # As drivers/engine.py writes it: version, two clocks, the stages' own, and the places by name.
    kept = state[4] if isinstance(state, list) and len(state) == 5 else None
    return bool(kept) or any(entry.place for entry in entries)
