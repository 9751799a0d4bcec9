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
from .place import Place, synced
from .rows import CORE, EPOCH, POSITION, TROUBLES, Damaged, entry_row
from .salvage import Remains, is_damage, remains_of
from .tables import build, complete, connected, insert, prepared, put, transaction

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
        remains = remains_of(database)
        _check(database, remains)
    except (DatabaseError, Damaged) as error:
        if database:
            database.close()
        if not is_damage(error):
            raise
        return _mended(place, str(error))
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
    if place.identity() is None:
        if os.path.lexists(place.database + "-wal"):
            return "only its write-ahead log is there"
        build(place, Remains())
        place.install(place.slot(place.database))
    return ""


def recovered(place: Place, database: Connection, remains: Remains, journal: Journal) -> int:
    """Add what is in the journal's file to what was read, and open it. Returns the generation of what is to come.

    Raises StoreError, OSError and sqlite3.Error. Damage moves the file aside, and its entries into the database.
    """
    found = written(place, remains, journal)
    _, _, generation = remains.core.get(POSITION, (0, 0, found.generation))
    if found.lost:
        generation = max(generation, found.generation) + 1
        _set_aside(place, database, remains, found, generation)
        found = Found()
    if journal.open(found.end, max((entry.id for entry in found.entries), default=0)):
        synced(place.directory)
    return int(generation)


def written(place: Place, remains: Remains, journal: Journal) -> Found:
    """Read the journal's file, and add what is not in the state yet to the entries from the database, in order."""
    # Without a position nobody knows what is left over: better twice than not at all.
    position, _, generation = remains.core.get(POSITION, (0, 0, None))
    found = journal.read(generation) if place.check(place.journal) else Found(lost=1)
    entries = {entry.id: entry for entry in (*remains.adopted, *found.entries)}
    # A damaged database may show entries that had left.
    remains.adopted = [entries[id] for id in sorted(entries) if id > position]
    return found


def _set_aside(place: Place, database: Connection, remains: Remains, found: Found, generation: int) -> None:
    kept = place.slot(place.journal)
    lost = f"{number(found.lost)} bytes of it, with {plural(found.lines, 'line')}, could not be read"
    words = f"the journal {place.journal} was damaged and is kept as {kept}; {lost}"
    position, last = remains.core.get(POSITION, [0, 0])[:2]
    remains.core[POSITION] = [position, last, generation]
    remains.core[TROUBLES] = [*remains.core.get(TROUBLES, []), words]
    database.execute("PRAGMA synchronous = FULL")
    with transaction(database):
        database.execute("DELETE FROM adopted")
        insert(database, "adopted", ((entry.id, *entry_row(entry)) for entry in remains.adopted))
        for key in (POSITION, TROUBLES):
            put(database, "core", CORE.index(key), key, remains.core[key])
    database.execute("PRAGMA synchronous = NORMAL")
    place.keep(place.journal, kept)


def _check(database: Connection, remains: Remains) -> None:
    if not remains.whole:
        raise Damaged("some of it cannot be read")
    said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise Damaged(" ".join(str(said).split()))
    if not isinstance(remains.core.get(EPOCH), str):
        raise Damaged("it has no name")


def _mended(place: Place, fault: str) -> tuple[Connection, Remains]:
    """Keep the damaged file beside, and make a fresh one of what can be read of it."""
    remains = _rest(place)
    kept = place.slot(place.database)
    words = f"the store {place.database} was damaged ({fault}) and is kept as {kept}; {remains.words()}"
    remains.core[TROUBLES] = [*remains.core.get(TROUBLES, []), words]
    build(place, remains)
    place.install(kept)
    database = prepared(place.database)
    return database, remains_of(database)


def _rest(place: Place) -> Remains:
    from sqlite3 import DatabaseError

    if not place.check(*place.files) or place.identity() is None:
        return Remains.nothing()
    try:
        with closing(connected(place.database, mode="ro")) as database:
            return remains_of(database)
    except DatabaseError as error:
        if not is_damage(error):
            raise
        return Remains.nothing()
