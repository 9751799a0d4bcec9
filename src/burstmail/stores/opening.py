"""A place -> an open database and what is in it, whatever state the files are in.

A missing file is made. A damaged one is kept beside, and a fresh one made of all that can still be read of it. A crash
at any moment of that leaves files from which the next start goes on.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from .place import Place
from .rows import EPOCH, TROUBLES, Damaged
from .salvage import Remains, is_damage, remains_of
from .tables import build, complete, connected, prepared

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
        place.install(place.slot())
    place.discard()
    if not place.check():
        return "it is no file"
    if place.identity() is None:
        if os.path.lexists(place.database + "-wal"):
            return "only its write-ahead log is there"
        build(place, Remains())
        place.install(place.slot())
    return ""


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
    kept = place.slot()
    words = f"the store {place.database} was damaged ({fault}) and is kept as {kept}; {remains.words()}"
    remains.core[TROUBLES] = [*remains.core.get(TROUBLES, []), words]
    build(place, remains)
    place.install(kept)
    database = prepared(place.database)
    return database, remains_of(database)


def _rest(place: Place) -> Remains:
    from sqlite3 import DatabaseError

    if not place.check() or place.identity() is None:
        return Remains.nothing()
    try:
        with closing(connected(place.database, mode="ro")) as database:
            return remains_of(database)
    except DatabaseError as error:
        if not is_damage(error):
            raise
        return Remains.nothing()
