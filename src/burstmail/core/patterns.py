"""Lines -> Patterns. Lines that differ only in what varies count as one; all lines count.

A Tally takes chunks as they are read: the digits are deleted by one pass of C code, equal results are counted together,
and only a result that is new is looked at with care. It makes no difference how the lines were cut into chunks.

Limits: `limit` shapes. When there are more, those that are alike become one; where that is not enough, the rarer half
goes into `other` (the summary of Misra and Gries, 1982): a shape of more than 2 / `limit` of all lines is always there
at the end, and what its count lacks is in `other`. The counts of all patterns and `other` always add up to `count`.
Lines with the same characters but for digits and identifiers are judged by the first of them.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from .masks import DIGITS, Masker, bare
from .merge import merged
from .row import Pattern as Pattern
from .row import Row

# A burst of a million lines has perhaps a hundred shapes. With four times as many a tally stays well below 1 MiB.
LIMIT = 400

# Characters that are looked at together.
_CHUNK = 16 * 1024

# What is remembered of lines without their digits: longer ones are looked at each time they come, and so is the rest
# when there are too many.
_LONGEST = 1024
_REMEMBERED = 256 * 1024


def _grouped(keys: Iterable[bytes], places: Iterable[int] | None = None) -> dict[bytes, list[int]]:
    """Where each key stands."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    # Paid on every line, and the only such loop, as in fields.py.
    for place, key in enumerate(keys) if places is None else zip(places, keys, strict=False):
        groups[key].append(place)
    return groups


def _digest(text: bytes) -> str:
    from hashlib import sha256

    return sha256(text).hexdigest()


class Tally:
    """Counts lines by pattern."""

    __slots__ = ("_known", "_limit", "_masker", "_other", "_remembered", "_rows", "_size", "_waiting", "count")

    def __init__(self, masker: Masker | None = None, *, limit: int = LIMIT) -> None:
        """At most `limit` shapes (400). Raises ValueError for less than 2."""
        if limit < 2:
            raise ValueError(f"limit={limit!r}: must be 2 or more")
        self._masker = masker or Masker()
        self._limit = limit
        self.count = 0
        """All lines."""
        self._other = 0
        # By what is left of a line without digits and identifiers; by template where several rows have become one.
        self._rows: dict[str, Row] = {}
        # By what is left of a line without its digits: what needs no second thought.
        self._known: dict[bytes, Row] = {}
        self._remembered = 0
        # What has not been looked at: few lines at a time cost as much as many.
        self._waiting: list[tuple[str, int, float]] = []
        self._size = 0

    def __eq__(self, other: object) -> bool:
        return self.dump() == other.dump() if isinstance(other, Tally) else NotImplemented

    def __hash__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"<Tally of {self.count} lines>"

    @property
    def other(self) -> int:
        """Lines that are in no pattern."""
        self._work()
        return self._other

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        rows = sum(row.weight + 2 * len(name) for name, row in self._rows.items())
        return rows + self._remembered + self._size + 160 * len(self._waiting)

    def add(self, text: str, count: int, time: float) -> None:
        """Count `count` lines, each ended by one newline, read at wall time `time`. No text makes it raise."""
        self._waiting.append((text, count, time))
        self.count += count
        self._size += len(text)
        if self._size >= _CHUNK:
            self._work()

    def _work(self) -> None:
        """Look at what waits."""
        if not self._waiting:
            return
        raw = "".join(text for text, _, _ in self._waiting).encode("utf-8", "backslashreplace")
        ends = list(accumulate(count for _, count, _ in self._waiting))
        times = [time for _, _, time in self._waiting]
        self._waiting, self._size = [], 0
        lines = raw.split(b"\n")
        start = self.count - ends[-1]
        groups = _grouped(raw.translate(None, DIGITS).split(b"\n")[:-1])
        # What comes once may differ from what is known in an identifier, which has letters too.
        once = [key for key, places in groups.items() if len(places) == 1 and key not in self._known]
        new = [groups.pop(key)[0] for key in once]
        rest = bare(b"\n".join([lines[place] for place in new])).split(b"\n") if new else []
        # In the order of their first lines: a row's shape is that of its first.
        for key, places in sorted([*groups.items(), *_grouped(rest, new).items()], key=lambda group: group[1][0]):
            row = self._known.get(key)
            if row is None:
                at = places[0]
                row = self._find(key, lines[at], start + at, times[bisect(ends, at)])
            row.take(lines, places, start=start, time=times[bisect(ends, places[-1])])

    def _find(self, key: bytes, line: bytes, number: int, time: float) -> Row:
        """Where the lines with an unknown key count; a new row if there is none."""
        bared = bare(line)
        name = bared.decode("utf-8", "replace") if len(bared) <= _LONGEST else _digest(bared)
        row = self._rows.get(name)
        if row is None:
            if len(self._rows) >= self._limit:
                self._shrink()
            row = self._rows[name] = Row.of(line, self._masker, number, time)
        if len(key) <= _LONGEST:
            if self._remembered > _REMEMBERED:
                self._forget()
            self._known[key] = self._known[bared] = row
            self._remembered += len(key) + len(bared) + 400
        return row

    def _forget(self) -> None:
        self._known = {}
        self._remembered = 0

    def _folded(self) -> dict[str, Row]:
        """The rows, in copies, those that are alike as one: under a name that no line has."""
        templates = merged(dict.fromkeys(row.shape for row in self._rows.values()))
        families: defaultdict[str, list[tuple[str, Row]]] = defaultdict(list)
        for name, row in self._rows.items():
            template, value = templates[row.shape]
            families[template].append((name, row.named(template, value)))
        folded: dict[str, Row] = {}
        for template, ((name, row), *others) in families.items():
            folded[f"\n{template}" if others else name] = row
            for _, other in others:
                row.join(other)
        return folded

    def _shrink(self) -> None:
        """Make room: at most half of the shapes stay."""
        self._rows = self._folded()
        self._forget()
        if len(self._rows) > self._limit // 2:
            # Taking the same off all, those that go and those that stay, is what makes the guarantee true.
            worth = sorted(row.worth for row in self._rows.values())[-1 - self._limit // 2]
            self._other += sum(row.count for row in self._rows.values() if row.worth <= worth)
            self._rows = {name: row for name, row in self._rows.items() if row.worth > worth}
            for row in self._rows.values():
                row.worth -= worth

    def shed(self) -> None:
        """Give memory back: at most half of the shapes that may be, the most frequent, stay."""
        self._work()
        self._shrink()

    def patterns(self) -> list[Pattern]:
        """The patterns, the most frequent first; of equally frequent ones the one that came first."""
        self._work()
        return [row.pattern() for row in sorted(self._folded().values(), key=lambda row: (-row.count, row.since))]

    def join(self, other: Tally) -> Tally:
        """The tally of both, one after the other, under this one's limit and masks."""
        tally = Tally.restored(self.dump(), self._masker, limit=self._limit)
        tally._other += other.other
        for name, row in other._rows.items():
            if name not in tally._rows:
                tally._rows[name] = Row.restored(row.dump(), self.count)
            else:
                tally._rows[name].join(row, self.count)
        tally.count += other.count
        if len(tally._rows) > self._limit:
            tally._shrink()
        return tally

    def dump(self) -> list[Any]:
        """As JSON can carry it: the counts and the rows."""
        return [self.count, self.other, [[name, *row.dump()] for name, row in self._rows.items()]]

    @classmethod
    def restored(cls, state: list[Any], masker: Masker | None = None, *, limit: int = LIMIT) -> Tally:
        """The dumped tally, as much of it as this limit keeps."""
        tally = cls(masker, limit=limit)
        tally.count, tally._other, rows = state
        tally._rows = {name: Row.restored(row) for name, *row in rows}
        if len(tally._rows) > limit:
            tally._shrink()
        return tally
