"""Lines -> rows. One row per shape, the lines of rare shapes in `other`.

Lines with the same characters but for digits and identifiers (naming.py) are judged by the first of them.

Limits: `limit` shapes. When there are more, those that are alike become one; where that is not enough, the rarer half
goes into `other` (the summary of Misra and Gries, 1982): a shape of more than 2 / `limit` of all lines is always there
at the end, and what its count lacks is in `other`.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from ..severity import NONE
from .masks import Masker
from .merge import merged
from .naming import named
from .row import Row

# Of longer names there is a digest.
_LONGEST = 1024
# How many times as many lines as shapes that stay may go without a look for what is alike.
_RARELY = 64


def _readable(name: bytes) -> str:
    if len(name) <= _LONGEST:
        return name.decode("utf-8", "replace")
    from hashlib import sha256

    return sha256(name).hexdigest()


class Table:
    """Rows by the shape of lines."""

    __slots__ = ("_known", "_masker", "_remembered", "_shared", "_weight", "limit", "other", "rows")

    def __init__(self, masker: Masker, limit: int) -> None:
        self.limit = limit
        # By the name of lines; by template where several rows have become one.
        self.rows: dict[str, Row] = {}
        self.other = 0
        self._masker = masker
        # By name, as lines have it.
        self._known: dict[bytes, Row] = {}
        self._remembered = self._weight = 0
        # Another table has the same rows: they must not change.
        self._shared = False

    @property
    def masker(self) -> Masker:
        """What makes the shapes."""
        return self._masker

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return self._weight + self._remembered

    def take(
        self,
        text: bytes,
        lines: list[bytes],
        start: int,
        ends: Sequence[int],
        times: Sequence[float],
        worst: int = NONE,
    ) -> Counter[int]:
        """Count the lines of the text, of which the first is number `start` and the worst severity `worst`.

        Returns the severities of those that tell them otherwise than by a number in front. Those before the first of
        `ends` were read at the first of `times`, and so on.
        """
        self._own()
        graded: Counter[int] = Counter()
        for name, places in named(text, lines, self._row):
            at = places[0]
            row = self._row(name) or self._made(name, lines[at], start + at, times[bisect(ends, at)])
            before = row.weight
            row.take(lines, places, start=start, time=times[bisect(ends, places[-1])], worst=worst)
            if row.level is not None:
                graded += row.graded(lines, places)
            self._weight += row.weight - before
        return graded

    def _row(self, name: bytes) -> Row | None:
        """Where lines of this name count."""
        row = self._known.get(name)
        if row is None and (row := self.rows.get(_readable(name))):
            self._remember(name, row)
        return row

    def _made(self, name: bytes, line: bytes, number: int, time: float) -> Row:
        """A new row, where lines like this one will count."""
        if len(self.rows) >= self.limit:
            self.shrink()
        key = _readable(name)
        row = self.rows[key] = Row.of(line, self._masker, number, time)
        self._weight += _weight(key, row)
        self._remember(name, row)
        return row

    def _remember(self, name: bytes, row: Row) -> None:
        if len(name) <= _LONGEST:
            self._known[name] = row
            self._remembered += len(name) + 200

    def _forget(self) -> None:
        self._known = {}
        self._remembered = 0

    def _own(self) -> None:
        """Rows that may be changed."""
        if self._shared:
            self._become({name: row.copy() for name, row in self.rows.items()})

    def _become(self, rows: dict[str, Row], other: int = 0) -> None:
        """Other rows, and so many lines more that are in none."""
        self.rows = rows
        self.other += other
        self._shared = False
        self._weight = sum(_weight(name, row) for name, row in rows.items())
        self._forget()

    def folded(self) -> dict[str, Row]:
        """The rows, in copies, those that are alike as one: under a name that no line has."""
        templates = merged(dict.fromkeys(row.shape for row in self.rows.values()))
        families: defaultdict[str, list[tuple[str, Row]]] = defaultdict(list)
        for name, row in self.rows.items():
            template, value = templates[row.shape]
            families[template].append((name, row.named(template, value)))
        folded: dict[str, Row] = {}
        for template, ((name, row), *others) in families.items():
            # Of a row with a template's name the template may be another now, and that name another row's.
            folded[f"\n{template}" if others or name.startswith("\n") else name] = row
            for _, other in others:
                row.join(other)
        return folded

    def shrink(self) -> None:
        """Make room: at most half of the shapes stay."""
        surplus = self._surplus(self.rows)
        gone = sum(row.count for row in self.rows.values() if row.worth <= surplus)
        rows = self.folded() if self._due(gone) else {name: row.copy() for name, row in self.rows.items()}
        surplus = self._surplus(rows)
        # Taking the same off all, those that go and those that stay, is what makes the guarantee true.
        stay = {name: row for name, row in rows.items() if row.worth > surplus}
        for row in stay.values():
            row.worth -= surplus
        self._become(stay, sum(row.count for row in rows.values()) - sum(row.count for row in stay.values()))

    def _surplus(self, rows: dict[str, Row]) -> int:
        """What has to be taken off each row so that at most half of the shapes have something left."""
        worth = sorted(row.worth for row in rows.values())
        return worth[-1 - self.limit // 2] if len(rows) > self.limit // 2 else 0

    def _due(self, gone: int) -> bool:
        """Whether to look for what is alike before so many lines go into `other`.

        That takes long, and where it helped little before, lines have gone: it is due again when twice as many have,
        and after so many that it no longer matters. Told by `other` alone, a dumped table goes on in the same way.
        """
        before, after = (lines // max(1, self.limit // 2) for lines in (self.other, self.other + gone))
        return not gone or before.bit_length() != after.bit_length() or before // _RARELY != after // _RARELY

    def with_rows(self, rows: dict[str, Row], other: int = 0) -> Table:
        """A table like this one with other rows, and so many lines more that are in none."""
        table = Table(self._masker, self.limit)
        table._become(rows, self.other + other)
        if len(rows) > self.limit:
            table.shrink()
        # Some of them may be this one's.
        self._shared = table._shared = True
        return table

    def copy(self) -> Table:
        """The same. Both may be added to: the rows are copied when it comes to that."""
        table = Table(self._masker, self.limit)
        table.rows, table.other, table._weight = self.rows, self.other, self._weight
        self._shared = table._shared = True
        return table

    def join(self, other: Table, start: int) -> Table:
        """The table of both, one after the other, `start` lines being in this one."""
        rows = dict(self.rows)
        for name, row in other.rows.items():
            if name in rows:
                rows[name] = rows[name].copy()
                rows[name].join(row, start)
            else:
                rows[name] = row.copy(start)
        return self.with_rows(rows, other.other)

    def mapped(self, line: Callable[[str], str], text: Callable[[str, str], str] | None) -> Table:
        """With the rows as `Row.mapped` makes them."""
        rows: dict[str, Row] = {}
        for row in sorted((row.mapped(line, text) for row in self.rows.values()), key=lambda row: row.since):
            # Names are made of lines, and must not tell what has been taken out of them.
            if (same := rows.setdefault(f"\n{row.shape}", row)) is not row:
                same.join(row)
        return self.with_rows(rows)

    def dump(self) -> list[Any]:
        """As JSON can carry it: the rows with their names."""
        return [[name, *row.dump()] for name, row in self.rows.items()]


def _weight(name: str, row: Row) -> int:
    return row.weight + 2 * len(name)
