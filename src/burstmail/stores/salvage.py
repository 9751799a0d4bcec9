"""A database -> what it holds, row by row, and words for what of it cannot be read.

A damaged one is read round the damage: a range of rows that ends in an error is halved, and both halves are read, down
to the single row. Nothing is written. Limit: 200 errors in a row, then the rest of a table is given up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..core.stage import State
from ..core.words import plural
from . import Entry
from .rows import ENTRIES, POSITION, Damaged, checked, entry_of, value_of

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")
Row: TypeAlias = Sequence[Any]
# More than to halve all numbers down to a row, and to try each row of a page.
ERRORS = 200
# More than any row's number.
ALL = (0, 2**48)
# SQLITE_ERROR (no such table), CORRUPT, MISMATCH, FORMAT, NOTADB: the file's fault, and no retry helps.
DAMAGE = {1, 11, 20, 24, 26}
NOUNS = {"adopted": "journal row", "staged": "journal row", "outbox": "waiting mail", "dead": "dead mail"}


@dataclass(slots=True, kw_only=True)
class Remains:
    """What a database holds, as far as it can be read."""

    core: dict[str, State] = field(default_factory=dict)
    outbox: list[Row] = field(default_factory=list)
    dead: list[Row] = field(default_factory=list)
    adopted: list[Entry] = field(default_factory=list)
    staged: list[Entry] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    """Rows that cannot be read, by table; and how many 'lines' they say they had."""
    torn: list[str] = field(default_factory=list)
    """Tables of which an unknown part cannot be read."""

    @classmethod
    def nothing(cls) -> Remains:
        """When a file cannot be read at all."""
        return cls(torn=["core", *NOUNS])

    @property
    def whole(self) -> bool:
        """Whether everything could be read."""
        return not self.lost and not self.torn

    @property
    def position(self) -> int:
        """The last entry that the state has; -1 when that is unknown."""
        return int(self.core.get(POSITION, [-1])[0])

    @property
    def rows(self) -> int:
        """How much could be read."""
        return len(self.core) + len(self.outbox) + len(self.dead) + len(self.adopted) + len(self.staged)

    def words(self) -> str:
        """What is lost, for an operator."""
        if self.whole:
            return "all that was in it could be read"
        lost = [plural(count, noun) for noun, count in self._counts().items()]
        lost += [
            f"an unknown number of {plural(2, noun)[2:]}"
            for noun in dict.fromkeys(NOUNS[t] for t in self.torn if t in NOUNS)
        ]
        if "core" in self.torn or self.lost["core"]:
            lost.append("the state of open windows and caps")
        return f"of what was in it, this could not be read: {', '.join(lost)}"

    def _counts(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for table, count in self.lost.items():
            if table in NOUNS:
                counts[NOUNS[table]] += count
        if self.lost["lines"]:
            counts["line"] = self.lost["lines"]
        return dict(counts)


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is not what was written.

    A UnicodeDecodeError does: it comes of a message of SQLite's that quotes the damage.
    """
    return isinstance(error, Damaged | UnicodeDecodeError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE


def remains_of(database: Connection) -> Remains:
    """Everything that can be read. Raises sqlite3.DatabaseError only for what is no damage (I/O, memory, locks)."""
    remains = Remains()
    remains.core = dict(_decoded(database, "core", remains, value_of))
    remains.adopted = list(_decoded(database, "adopted", remains, entry_of))
    remains.staged = list(_decoded(database, "staged", remains, lambda row: entry_of((0, *row[1:]))))
    remains.outbox = list(_decoded(database, "outbox", remains, checked))
    remains.dead = list(_decoded(database, "dead", remains, checked))
    return remains


def _decoded(database: Connection, table: str, remains: Remains, decode: Callable[[Any], T]) -> Iterator[T]:
    # A torn page can show a row twice, or out of order.
    rows = {row[0]: row for row in _rows(database, table, remains)}
    for _, row in sorted(rows.items()):
        try:
            yield decode(row)
        except Damaged:
            remains.lost[table] += 1
            if table in ENTRIES and isinstance(row[-1], bytes):
                remains.lost["lines"] += row[-1].count(b"\n")


def _rows(database: Connection, table: str, remains: Remains) -> Iterator[tuple[Any, ...]]:
    from sqlite3 import DatabaseError

    ranges, errors = [ALL], 0
    while ranges:
        low, high = ranges.pop()
        try:
            for row in database.execute(f"SELECT * FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id", (low, high)):
                yield row
                low, errors = max(low, row[0] + 1), 0
        except (DatabaseError, UnicodeDecodeError) as error:
            if not is_damage(error):
                raise
            errors += 1
            if errors == ERRORS or getattr(error, "sqlite_errorcode", 1) == 1:
                remains.torn.append(table)
                return
            if low < high:
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]
            elif low == high:
                _miss(database, table, low, remains)


def _miss(database: Connection, table: str, id: int, remains: Remains) -> None:
    """Count a row that cannot be read, if there is one."""
    from sqlite3 import DatabaseError

    column = "count" if table in ENTRIES else "0"
    try:
        for (lines,) in database.execute(f"SELECT {column} FROM {table} WHERE id = ?", (id,)):
            remains.lost[table] += 1
            if isinstance(lines, int):
                remains.lost["lines"] += lines
    except (DatabaseError, UnicodeDecodeError):
        if table not in remains.torn:
            remains.torn.append(table)
