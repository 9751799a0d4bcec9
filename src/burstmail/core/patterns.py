"""Lines -> Patterns. Lines that differ only in what varies count as one; all lines count.

A Tally takes chunks as they are read: the digits are deleted by one pass of C code, equal results are counted together,
and only a result that is new is looked at with care. It makes no difference how the lines were cut into chunks.

Limits: `limit` shapes. When there are more, those that are alike become one; where that is not enough, the rarer half
goes into `other` (the summary of Misra and Gries, 1982): a shape of more than 2 / `limit` of all lines is always there at
the end, and what its count lacks is in `other`. The counts of all patterns and `other` always add up to `count`.
A line is judged by the first one with the same characters but for the digits.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from .masks import SEEN, Masker, before_address, shown
from .merge import merged
from .row import Row

# A burst of a million lines has perhaps a hundred shapes. With four times as many a tally stays well below 1 MiB.
LIMIT = 400

_DIGITS = b"0123456789"
# What is remembered of lines without their digits: longer ones are looked at each time they come, and so is the rest
# when there are too many.
_LONGEST = 1024
_REMEMBERED = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Lines that are one message with different values."""

    text: str
    """The message: `Failed password for <*> from <ip> port <n>`. As hostile as the lines."""
    program: str
    """Who wrote it, by the syslog header; '' without one."""
    count: int
    """How many lines."""
    first: float
    """Wall time of the first, in seconds."""
    last: float
    """Wall time of the last, in seconds."""
    examples: tuple[str, ...]
    """The first and the last line, up to 1,024 bytes of each; one if they are the same."""
    noun: str
    """What it has different values of: 'address', 'name', or '' where that is not known."""
    values: int
    """How many different ones there were; 0 where that is not known."""
    more: bool
    """Whether there may be more than that."""

    @classmethod
    def of(cls, shape: str, row: Row) -> Pattern:
        """The pattern of a row."""
        program, _, text = shape.rpartition("\n")
        first, last = (line.decode("utf-8", "ignore") for line in (row.begin, row.end))
        return cls(
            text=shown(text),
            program=program,
            count=row.count,
            first=row.first,
            last=row.last,
            examples=(first,) if first == last else (first, last),
            noun=row.noun if row.values else "",
            values=len(row.values),
            more=row.more,
        )


class Tally:
    """Counts lines by pattern."""

    __slots__ = ("_known", "_limit", "_masker", "_remembered", "_rows", "count", "other")

    def __init__(self, masker: Masker | None = None, *, limit: int = LIMIT) -> None:
        """At most `limit` shapes (400). Raises ValueError for less than 2."""
        if limit < 2:
            raise ValueError(f"limit={limit!r}: must be 2 or more")
        self._masker = masker or Masker()
        self._limit = limit
        self.count = 0
        """All lines."""
        self.other = 0
        """Those that are in no pattern."""
        self._rows: dict[str, Row] = {}
        # A line without digits -> where it counts, and what stands before the address in it.
        self._known: dict[bytes, tuple[Row, bytes]] = {}
        self._remembered = 0

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return self._remembered + sum(row.weight + 2 * len(shape) for shape, row in self._rows.items())

    def add(self, text: str, count: int, time: float) -> None:
        """Count `count` lines, each ended by a newline, read at wall time `time`. Raises for no text."""
        raw = text.encode("utf-8", "backslashreplace")
        lines = raw.split(b"\n", count)
        groups: defaultdict[bytes, list[int]] = defaultdict(list)
        # Paid on every line, and the only such loop, as in fields.py.
        for place, key in enumerate(raw.translate(None, _DIGITS).split(b"\n", count)[:count]):
            groups[key].append(place)
        for key, places in groups.items():
            row, before = self._known.get(key) or self._meet(key, lines[places[0]], time)
            row.take(lines, places, start=self.count, time=time, before=before)
        self.count += min(count, len(lines))

    def _meet(self, key: bytes, line: bytes, time: float) -> tuple[Row, bytes]:
        """Where lines with that key count; a new row if no row has their shape."""
        seen = line[: 4 * SEEN].decode("utf-8", "ignore")
        shape = self._masker.shape(seen)
        row = self._rows.get(shape)
        before = before_address(seen, shape)
        if row is None:
            if len(self._rows) >= self._limit:
                self._shrink()
            row = self._rows[shape] = Row(line, time, "address" if before else "")
        if len(key) <= _LONGEST:
            self._remembered += len(key) + 200
            if self._remembered > _REMEMBERED:
                self._forget()
            self._known[key] = row, before
        return row, before

    def _forget(self) -> None:
        self._known = {}
        self._remembered = 0

    def _folded(self) -> dict[str, Row]:
        """The rows by template: those that are alike are one, in copies."""
        folded: dict[str, Row] = {}
        for shape, (template, name) in merged(self._rows).items():
            row = self._rows[shape].named(name)
            if template in folded:
                folded[template].join(row)
            else:
                folded[template] = row
        return folded

    def _shrink(self) -> None:
        """Make room: at most half of the shapes stay."""
        self._rows = self._folded()
        self._forget()
        if len(self._rows) > self._limit // 2:
            # Taking the same off all, those that go and those that stay, is what makes the guarantee true.
            worth = sorted(row.worth for row in self._rows.values())[-1 - self._limit // 2]
            self.other += sum(row.count for row in self._rows.values() if row.worth <= worth)
            self._rows = {shape: row for shape, row in self._rows.items() if row.worth > worth}
            for row in self._rows.values():
                row.worth -= worth

    def shed(self) -> None:
        """Give memory back: the rarer shapes, down to half of what may be."""
        self._shrink()

    def patterns(self) -> list[Pattern]:
        """The patterns, the most frequent first; of equally frequent ones the one that came first."""
        found = [Pattern.of(shape, row) for shape, row in self._folded().items()]
        return sorted(found, key=lambda pattern: -pattern.count)

    def join(self, other: Tally) -> Tally:
        """The tally of both, one after the other, under this one's limit and masks."""
        tally = Tally.restored(self.dump(), self._masker, limit=self._limit)
        for shape, row in other._rows.items():
            if shape not in tally._rows:
                tally._rows[shape] = Row.restored(row.dump())
                tally._rows[shape].at += self.count
            else:
                tally._rows[shape].join(row, self.count)
        tally.count += other.count
        tally.other += other.other
        if len(tally._rows) > self._limit:
            tally._shrink()
        return tally

    def dump(self) -> list[Any]:
        """As JSON can carry it: the counts and the rows."""
        return [self.count, self.other, [[shape, *row.dump()] for shape, row in self._rows.items()]]

    @classmethod
    def restored(cls, state: list[Any], masker: Masker | None = None, *, limit: int = LIMIT) -> Tally:
        """The dumped tally, as much of it as this limit keeps."""
        tally = cls(masker, limit=limit)
        tally.count, tally.other, rows = state
        tally._rows = {shape: Row.restored(row) for shape, *row in rows}
        if len(tally._rows) > limit:
            tally._shrink()
        return tally
