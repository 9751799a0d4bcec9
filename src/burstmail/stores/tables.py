"""The database file: how it is opened, made and filled.

WAL mode, so that a write is one append to one file. A new file is made under another name, complete, and then put into
its place: what is in the place always has its tables.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from ..core.stage import State
from . import new_epoch
from .pages import PAGE
from .place import Place
from .rows import APPLICATION, CORE, EPOCH, SCHEMA, VERSION, Damaged, entry_row, value_row
from .salvage import Remains, Row, is_damage

if TYPE_CHECKING:
    from sqlite3 import Connection

# Bytes at which the log is copied into the file, and to which it is cut back.
LOG = 4 << 20
# Seconds to wait for another's transaction. They are short; one who holds it longer is an operator at a prompt.
BUSY = 5.0


def connected(path: str, *, mode: str = "rw") -> Connection:
    """A connection for any thread, one at a time. Raises sqlite3.Error."""
    from sqlite3 import connect

    # The only characters that mean something in SQLite's file URIs.
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    database = connect(
        f"file:{quoted}?mode={mode}", uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False
    )
    # Damaged text is for us to judge; temporary files would be one more place that can fail; and Debian's SQLite
    # writes zeros over all that is deleted, which here is everything: the file is nobody else's.
    database.text_factory = _text
    for setting in ("temp_store = MEMORY", "secure_delete = OFF", "cell_size_check = ON", "trusted_schema = OFF"):
        database.execute(f"PRAGMA {setting}")
    return database


def prepared(path: str) -> Connection:
    """A connection for writing. Raises sqlite3.Error, and Damaged."""
    database = connected(path)
    try:
        if _version(database) != [APPLICATION, VERSION]:
            raise Damaged("it is no store of this version of burstmail")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA journal_size_limit = {LOG}")
        size = database.execute("PRAGMA page_size").fetchone()[0]
        database.execute(f"PRAGMA wal_autocheckpoint = {LOG // size}")
        database.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        database.close()
        raise
    return database


def build(place: Place, remains: Remains) -> None:
    """A new file with this in it, under another name. Its numbering is new, too. Raises StoreError, sqlite3.Error."""
    place.create()
    with closing(connected(place.draft)) as database:
        database.execute(f"PRAGMA page_size = {PAGE}")
        database.execute("PRAGMA synchronous = FULL")
        with transaction(database):
            for statement in SCHEMA:
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {VERSION}")
            _fill(database, remains)


def front(place: Place) -> bytes:
    """The first page of a new database: it says where the tables begin, and every store has the same."""
    build(place, Remains())
    with open(place.draft, "rb") as file:
        return file.read(PAGE)


def complete(place: Place) -> bool:
    """Whether there is a draft, and `build` had finished with it."""
    from sqlite3 import DatabaseError

    if not os.path.lexists(place.draft):
        return False
    try:
        with closing(connected(place.draft)) as database:
            return _version(database) == [APPLICATION, VERSION]
    except (DatabaseError, UnicodeDecodeError) as error:
        if not is_damage(error):
            raise
        return False


def _fill(database: Connection, remains: Remains) -> None:
    # A new name for the numbering: numbers that are lost may have been used.
    core = remains.core | {EPOCH: new_epoch()}
    insert(database, "core", ((CORE.index(key), *value_row(key, value)) for key, value in core.items()))
    insert(database, "adopted", ((entry.id, *entry_row(entry)) for entry in remains.adopted))
    insert(database, "staged", ((number, *entry_row(entry)) for number, entry in enumerate(remains.staged, 1)))
    insert(database, "outbox", remains.outbox)
    insert(database, "dead", remains.dead)


def _version(database: Connection) -> list[int]:
    return [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]


def insert(database: Connection, table: str, rows: Iterable[Row]) -> None:
    """Add rows, each with its id."""
    for row in rows:
        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def put(database: Connection, table: str, id: int, key: str, value: State) -> None:
    """Set the value with this id."""
    database.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", (id, *value_row(key, value)))


@contextmanager
def transaction(database: Connection, mark: str = "") -> Iterator[None]:
    """All of it, or nothing. A deferred one would meet "database is locked" at once, without any waiting.

    The file `mark` is not empty meanwhile. Whoever finds it so has survived somebody who was killed at this, and cuts
    off what that one left in the log: behind a shorter transaction it would look like one that has been lost.
    """
    database.execute("BEGIN IMMEDIATE")
    if mark and marked(mark):
        database.execute("ROLLBACK")
        cut_log(database)
        database.execute("BEGIN IMMEDIATE")
    _set(mark, 1)
    yield
    database.execute("COMMIT")
    _set(mark, 0)


def marked(mark: str) -> bool:
    """Whether somebody is in a transaction, or was killed in one."""
    return os.path.exists(mark) and os.path.getsize(mark) > 0


def cut_log(database: Connection) -> None:
    """Copy the log into the file and empty it, as far as nobody is reading."""
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _set(mark: str, size: int) -> None:
    # Without it a kill may be taken for damage, once: no reason to refuse a transaction. A length takes no space.
    if mark:
        with suppress(OSError):
            fd = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(fd, size)
            finally:
                os.close(fd)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
