"""Entry, State <-> rows of a database. Every row carries a checksum of all that it says.

SQLite finds damage to its pages' structure, not to what is in them. A row that fails its checksum is no row: the
functions here raise Damaged for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.stage import State
from . import DELETE, FLUSH, LINES, RETRY, Entry
from .placed import PLACED, entry_from, told

# What is written into the file's header: "burs" (PRAGMA application_id), and the version of what follows.
APPLICATION, VERSION = 0x62757273, 1

# No index but the rows' own numbers: an index is a second place to be damaged, and a page more in every transaction.
# The long value stands last, so that what stands before it can be read without it.
_ENTRY = "id INTEGER PRIMARY KEY, kind TEXT, now REAL, wall REAL, count INTEGER, crc INTEGER, text BLOB"
_VALUE = "id INTEGER PRIMARY KEY, key TEXT, crc INTEGER, value BLOB"
SCHEMA = [
    *(f"CREATE TABLE {name}({_ENTRY})" for name in ("adopted", "staged")),
    *(f"CREATE TABLE {name}({_VALUE})" for name in ("core", "outbox", "dead")),
]
ENTRIES = ("adopted", "staged")
# What the table core holds: the numbering's name; [position, last id]; the core's state; what nobody was told yet.
EPOCH, POSITION, STATE, TROUBLES = CORE = ("epoch", "position", "state", "troubles")


class Damaged(Exception):
    """What is in the file is not what was written there."""

    def __init__(self, reason: str = "a checksum is wrong") -> None:
        super().__init__(reason)


def entry_row(entry: Entry) -> tuple[Any, ...]:
    """The columns after the id."""
    kind, words = told(entry)
    text = words.encode("utf-8", "backslashreplace")
    values = (kind, float(entry.now), float(entry.wall), entry.count)
    return (*values, _entry_crc(entry.id, values, text), text)


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of a row with its id, which for a staged one is 0. Raises Damaged."""
    id, kind, now, wall, count, crc, text = row
    if kind not in (LINES, PLACED, FLUSH, RETRY, DELETE) or not isinstance(text, bytes):
        raise Damaged
    if crc != _entry_crc(id, (kind, now, wall, count), text):
        raise Damaged
    words = text.decode("utf-8", "backslashreplace")
    return entry_from(kind, words, id=id, now=now, wall=wall, count=count)


def value_row(key: str, value: State) -> tuple[str, int, bytes]:
    """The columns after the id."""
    import json

    # ASCII: text that no UTF-8 can carry comes back as it was.
    data = json.dumps(value, separators=(",", ":")).encode()
    return key, _value_crc(key, data), data


def value_of(row: Sequence[Any]) -> tuple[str, State]:
    """Key and value of a row with its id. Raises Damaged."""
    import json

    _, key, _, data = checked(row)
    return key, json.loads(data)


def checked(row: Sequence[Any]) -> Sequence[Any]:
    """A row of a value as it is. Raises Damaged."""
    _, key, crc, data = row
    if not isinstance(key, str) or not isinstance(data, bytes) or crc != _value_crc(key, data):
        raise Damaged
    return row


def _entry_crc(id: int, values: Sequence[Any], text: bytes) -> int:
    from zlib import crc32

    return crc32(text, crc32(repr((id, *values)).encode()))


def _value_crc(key: str, data: bytes) -> int:
    from zlib import crc32

    return crc32(data, crc32(repr(key).encode("utf-8", "replace")))
