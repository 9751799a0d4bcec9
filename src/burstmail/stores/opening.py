"""A place -> an open database and what is in it, whatever state the files are in.

A missing file is made. A damaged one is kept beside, and a fresh one made of all that can still be read of it. A crash
at any moment of that leaves files from which the next start goes on.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from ..core.words import number, plural
from .journal import Found, Journal
from .pages import lost_transactions, overlaid
from .place import Place, synced, told
from .rows import CORE, EPOCH, POSITION, SCHEMA, TROUBLES, Damaged, entry_row
from .salvage import Remains, is_damage, remains_of
from .tables import build, complete, connected, cut_log, front, insert, marked, prepared, put, transaction

if TYPE_CHECKING:
    from sqlite3 import Connection


def opened(place: Place, suspicion: str = "") -> tuple[Connection, Remains]:
    """The database, for writing, and all that it holds. `suspicion` is what was wrong with it when last used.

    To be called behind the place's door, by whoever has its lock. Raises StoreError; and sqlite3.Error for what is no
    damage.
    """
    if fault := suspicion or made(place):
        return _mended(place, fault)
    from sqlite3 import DatabaseError

    database = None
    try:
        database = prepared(place.database)
        remains = fitting(remains_of(database))
        _check(place, database, remains)
    except (DatabaseError, UnicodeDecodeError, Damaged) as error:
        if not is_damage(error):
            if database:
                database.close()
            raise
        return _mended(place, str(error), database)
    return database, remains


def made(place: Place) -> str:
    """See to it that there is a database. Returns what is wrong with it, as far as can be seen from outside.

    To be called behind the place's door.
    """
    if place.identity() is None and complete(place):
        # A crash had come between the two renamings of a mended file.
        place.install(place.slot(place.database))
    place.discard()
    if not place.check(*place.files):
        return "it is no file"
    if place.identity() and not os.path.getsize(place.database):
        # SQLite would remove its log.
        return "it is empty"
    if place.identity() is None:
        if os.path.lexists(place.database + "-wal"):
            return "only its write-ahead log is there"
        build(place, Remains())
        place.install(place.slot(place.database))
    return ""


def fitting(remains: Remains) -> Remains:
    """Without what another version has put where this one would stumble over it."""
    core = remains.core
    position, troubles = core.get(POSITION, [0, 0, 0]), core.get(TROUBLES, [])
    if not (isinstance(position, list) and len(position) == 3 and all(type(value) is int for value in position)):
        del core[POSITION]
    if not (isinstance(troubles, list) and all(isinstance(words, str) for words in troubles)):
        del core[TROUBLES]
    return remains


def recovered(place: Place, database: Connection, remains: Remains, journal: Journal) -> int:
    """Add what is in the journal's file to what was read, and open it. Returns the generation of what is to come.

    Raises StoreError, OSError and sqlite3.Error. Damage moves the file aside, and its entries into the database.
    """
    found = written(place, remains, journal)
    _, _, generation = remains.core.get(POSITION, (0, 0, 0))
    if found.generation > generation:
        _tell(remains, f"the last changes of the store {place.database} were lost: mails may be sent again, or missing")
    generation = max(generation, found.generation)
    if found.torn:
        which = f"the last entry of the journal {place.journal}, {plural(found.torn, 'line')}"
        _tell(remains, f"{which}, was cut off, as by an end while it was written")
    if found.lost:
        generation += 1
        _set_aside(place, database, remains, found, generation)
        found = Found()
    if journal.open(found.end, max((entry.id for entry in found.entries), default=0)):
        synced(place.directory)
    return int(generation)


def written(place: Place, remains: Remains, journal: Journal) -> Found:
    """Read the journal's file, and add what is not in the state yet to the entries from the database, in order."""
    # Without a position nobody knows what is left over: better twice than not at all.
    position, _, generation = remains.core.get(POSITION, (0, 0, 0))
    found = journal.read(generation) if place.check(place.journal) else Found(lost=1)
    entries = {entry.id: entry for entry in (*remains.adopted, *found.entries)}
    # A damaged database may show entries that had left.
    remains.adopted = [entries[id] for id in sorted(entries) if id > position]
    return found


def _tell(remains: Remains, words: str) -> None:
    remains.core[TROUBLES] = [*remains.core.get(TROUBLES, []), words]


def _set_aside(place: Place, database: Connection, remains: Remains, found: Found, generation: int) -> None:
    kept = place.slot(place.journal)
    lost = f"{number(found.lost)} bytes of it, with {plural(found.lines, 'line')}, could not be read"
    words = f"the journal {place.journal} was damaged and is kept as {kept}; {lost}"
    position, last = remains.core.get(POSITION, [0, 0])[:2]
    remains.core[POSITION] = [position, last, generation]
    _tell(remains, words)
    database.execute("PRAGMA synchronous = FULL")
    with transaction(database, place.mark):
        database.execute("DELETE FROM adopted")
        insert(database, "adopted", ((entry.id, *entry_row(entry)) for entry in remains.adopted))
        for key in (POSITION, TROUBLES):
            put(database, "core", CORE.index(key), key, remains.core[key])
    database.execute("PRAGMA synchronous = NORMAL")
    place.keep(place.journal, kept)


def _check(place: Place, database: Connection, remains: Remains) -> None:
    tables = [sql for (sql,) in database.execute("SELECT sql FROM sqlite_schema ORDER BY rowid")]
    if tables != SCHEMA or not remains.whole:
        raise Damaged("some of it cannot be read")
    said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise Damaged(" ".join(str(said).split()))
    if not isinstance(remains.core.get(EPOCH), str):
        raise Damaged("it has no name")
    # Copies the log into the file, and gives: blocked or not, frames in it, frames copied.
    _, read, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    lost = lost_transactions(place.database + "-wal", max(read, 0))
    if lost and marked(place.mark):
        # Somebody was killed in one, while somebody else kept the log in use: so it has never been made.
        cut_log(database)
    # One may be what is left of such a one where the mark has been cleared by another, just then.
    elif lost > (read > 0):
        raise Damaged(f"the last {plural(lost, 'transaction')} in its log cannot be read")


def _mended(place: Place, fault: str, database: Connection | None = None) -> tuple[Connection, Remains]:
    """Keep the damaged file beside, and make a fresh one of what can be read of it."""
    remains = fitting(_rest(place))
    if database:
        _closed(place, database)
    kept = place.slot(place.database)
    words = f"the store {place.database} was damaged ({fault}) and is kept as {kept}; {remains.words()}"
    _tell(remains, words)
    build(place, remains)
    place.install(kept)
    database = prepared(place.database)
    return database, fitting(remains_of(database))


def _closed(place: Place, database: Connection) -> None:
    """Close it, and leave its log: SQLite removes that, with all that it has not read."""
    log = place.database + "-wal"
    with told(f"cannot keep {log}"):
        with open(log, "rb") as file:
            data = file.read()
        database.close()
        if not os.path.lexists(log):
            with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(data)


def _rest(place: Place) -> Remains:
    if not place.check(*place.files) or place.identity() is None:
        return Remains.nothing()
    remains = _readable(place.database) if os.path.getsize(place.database) else Remains.nothing()
    # Its log is not read behind a damage; and without the first page, which says where the others are, nothing is.
    for first in (b"", front(place)):
        place.create()
        with told(f"cannot copy {place.database}"):
            overlaid(place.database, place.draft, first)
        remains = _better(remains, _readable(place.draft))
    place.discard()
    return remains


def _better(one: Remains, other: Remains) -> Remains:
    """The later one; of two equally late, the larger."""
    return max(one, other, key=lambda found: (found.position, found.rows, -len(found.torn)))


def _readable(path: str) -> Remains:
    from sqlite3 import DatabaseError

    try:
        with closing(connected(path, mode="ro")) as database:
            return remains_of(database)
    except (DatabaseError, UnicodeDecodeError) as error:
        if not is_damage(error):
            raise
        return Remains.nothing()
