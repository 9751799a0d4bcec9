"""Lines -> Patterns. Lines that differ only in what varies count as one; all lines count.

A Tally takes chunks as they are read: the digits are deleted by one pass of C code, equal results are counted together,
and only a result that is new is looked at with care. It makes no difference how the lines were cut into chunks.

Limits: `limit` shapes. When there are more, those that are alike become one; where that is not enough, the rarer half
goes into `other` (the summary of Misra and Gries, 1982): a shape of more than 2 / `limit` of all lines is always there
at the end, and what its count lacks is in `other`. The counts of all patterns and `other` always add up to `count`.
Lines with the same characters but for digits and identifiers are judged by the first of them.

Up to 16 KiB nothing is looked at before somebody asks: a thousand small windows cost no more than their text.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

from .masks import DIGITS, Masker, bare
from .merge import merged
from .row import Pattern as Pattern
from .row import Row
from .severity import severities

# A burst of a million lines has perhaps a hundred shapes. With four times as many a tally stays well below 1 MiB.
LIMIT = 400

# Characters that are looked at together; and for how many a piece counts beside its own.
_CHUNK = 16 * 1024
_PIECE = 160

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

    __slots__ = (
        *("_final", "_known", "_limit", "_masker", "_other", "_patterns", "_remembered", "_rows", "_severities"),
        *("_shared", "_size", "_waiting", "_weight", "count"),
    )

    def __init__(self, masker: Masker | None = None, *, limit: int = LIMIT) -> None:
        """At most `limit` shapes (400). Raises ValueError for less than 2."""
        if limit < 2:
            raise ValueError(f"limit={limit!r}: must be 2 or more")
        self._masker = masker or Masker()
        self._limit = limit
        self.count = 0
        """All lines."""
        self._other = 0
        self._severities: Counter[int] = Counter()
        # By what is left of a line without digits and identifiers; by template where several rows have become one.
        self._rows: dict[str, Row] = {}
        # Another tally has the same rows, which must not change; rows that are templates, not to be merged again.
        self._shared = self._final = False
        # By what is left of a line without its digits: what needs no second thought.
        self._known: dict[bytes, Row] = {}
        self._remembered = self._weight = 0
        # What has not been looked at: few lines at a time cost as much as many.
        self._waiting: list[tuple[str, int, float]] = []
        self._size = 0
        self._patterns: tuple[Pattern, ...] | None = None

    def __eq__(self, other: object) -> bool:
        return self._worked() == other._worked() if isinstance(other, Tally) else NotImplemented

    def __hash__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"<Tally of {self.count} lines>"

    def _worked(self) -> list[Any]:
        self._work()
        return self.dump()

    @property
    def other(self) -> int:
        """Lines that are in no pattern."""
        self._work()
        return self._other

    @property
    def severities(self) -> dict[int, int]:
        """Lines by severity, the worst first (0: emerg), of all lines whose header has one (RFC 5424 section 6.2.1)."""
        self._work()
        return dict(sorted(self._severities.items()))

    @property
    def worst(self) -> int | None:
        """The worst severity of all lines; None if no line has any."""
        return min(self.severities, default=None)

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return self._weight + self._remembered + self._size

    def add(self, text: str, count: int, time: float) -> None:
        """Count `count` lines, each ended by one newline, read at wall time `time`. No text makes it raise."""
        self._waiting.append((text, count, time))
        self.count += count
        self._size += len(text) + _PIECE
        self._patterns = None
        if self._size >= _CHUNK:
            self._work()

    def skipping(self, count: int) -> Tally:
        """With `count` lines more of which nothing else is known."""
        if not count:
            return self
        self._work()
        tally = self._copy()
        tally.count += count
        tally._other += count
        return tally

    def _work(self) -> None:
        """Look at what waits."""
        if not self._waiting:
            return
        self._own()
        raw = "".join(text for text, _, _ in self._waiting).encode("utf-8", "backslashreplace")
        ends = list(accumulate(count for _, count, _ in self._waiting))
        times = [time for _, _, time in self._waiting]
        self._waiting, self._size = [], 0
        lines = raw.split(b"\n")
        self._severities.update(severities(raw, lines))
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
            before = row.weight
            row.take(lines, places, start=start, time=times[bisect(ends, places[-1])])
            self._weight += row.weight - before

    def _own(self) -> None:
        """Rows that may be changed."""
        if self._shared:
            self._rows = {name: row.copy() for name, row in self._rows.items()}
            self._forget()
        self._shared = self._final = False

    def _find(self, key: bytes, line: bytes, number: int, time: float) -> Row:
        """Where the lines with an unknown key count; a new row if there is none."""
        bared = bare(line)
        name = bared.decode("utf-8", "replace") if len(bared) <= _LONGEST else _digest(bared)
        row = self._rows.get(name)
        if row is None:
            if len(self._rows) >= self._limit:
                self._shrink()
            row = self._rows[name] = Row.of(line, self._masker, number, time)
            self._weight += row.weight + 2 * len(name)
        if len(key) <= _LONGEST:
            if self._remembered > _REMEMBERED:
                self._forget()
            self._known[key] = self._known[bared] = row
            self._remembered += len(key) + len(bared) + 400
        return row

    def _forget(self) -> None:
        self._known = {}
        self._remembered = 0

    def _become(self, rows: dict[str, Row], other: int = 0) -> None:
        """Other rows, and so many lines more that are in none."""
        self._rows = rows
        self._other += other
        self._weight = sum(row.weight + 2 * len(name) for name, row in rows.items())
        self._patterns = None
        self._forget()

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
        rows, gone = self._folded(), 0
        if len(rows) > self._limit // 2:
            # Taking the same off all, those that go and those that stay, is what makes the guarantee true.
            worth = sorted(row.worth for row in rows.values())[-1 - self._limit // 2]
            gone = sum(row.count for row in rows.values() if row.worth <= worth)
            rows = {name: row for name, row in rows.items() if row.worth > worth}
            for row in rows.values():
                row.worth -= worth
        self._become(rows, gone)

    def shed(self) -> None:
        """Give memory back: at most half of the shapes that may be, the most frequent, stay."""
        self._work()
        self._shrink()

    def patterns(self) -> list[Pattern]:
        """The patterns, the most frequent first; of equally frequent ones the one that came first."""
        self._work()
        if self._patterns is None:
            self._patterns = tuple(row.pattern() for _, row in self._ranked())
        return list(self._patterns)

    def _ranked(self) -> list[tuple[str, Row]]:
        rows = self._rows if self._final else self._folded()
        return sorted(rows.items(), key=lambda item: (-item[1].count, item[1].since))

    def top(self, count: int) -> Tally:
        """With the `count` most frequent patterns only; the lines of all others are in `other`."""
        if self.count <= count and not self._rows:
            return self
        self._work()
        ranked = self._ranked()
        tally = self._copy()
        tally._become(dict(ranked[:count]), sum(row.count for _, row in ranked[count:]))
        tally._final = True
        return tally

    def mapped(self, line: Callable[[str], str], text: Callable[[str, str], str] | None = None) -> Tally:
        """With `line(text)` for each line that it keeps, and `text(text, first line)` for each pattern's text.

        Both give one line, without a newline; without `text`, `line` makes the pattern's text too. A pattern has its
        program only if the first line still has it; and of its values only their number is left.
        """
        tally = self._copy()
        tally._waiting = [
            ("".join(f"{line(old)}\n" for old in lines.split("\n")[:-1]), count, time)
            for lines, count, time in self._waiting
        ]
        tally._size = sum(len(lines) + _PIECE for lines, _, _ in tally._waiting)
        rows: dict[str, Row] = {}
        for row in sorted((row.mapped(line, text) for row in self._rows.values()), key=lambda row: row.since):
            # Names are made of lines, and must not tell what has been taken out of them.
            if (same := rows.setdefault(f"\n{row.shape}", row)) is not row:
                same.join(row)
        tally._become(rows)
        return tally

    def _copy(self) -> Tally:
        tally = Tally(self._masker, limit=self._limit)
        tally.count, tally._other, tally._severities = self.count, self._other, self._severities.copy()
        tally._rows, tally._weight = dict(self._rows), self._weight
        tally._waiting, tally._size = list(self._waiting), self._size
        self._shared = tally._shared = True
        tally._final = self._final
        return tally

    def join(self, other: Tally) -> Tally:
        """The tally of both, one after the other, under this one's limit and masks."""
        if sum(count for _, count, _ in other._waiting) == other.count:
            # None of it has been looked at: it is only more of the same.
            tally = self._copy()
            for piece in other._waiting:
                tally.add(*piece)
            return tally
        self._work()
        other._work()
        tally = self._copy()
        tally._final = False
        rows = tally._rows
        for name, row in other._rows.items():
            if (mine := rows.get(name)) is None:
                rows[name] = row.copy(self.count)
            else:
                rows[name] = mine.copy()
                rows[name].join(row, self.count)
        tally.count += other.count
        tally._severities.update(other._severities)
        tally._become(rows, other._other)
        if len(rows) > self._limit:
            tally._shrink()
        return tally

    def dump(self, text: str = "") -> list[Any]:
        """As JSON can carry it: the counts, the rows, and what has not been looked at.

        The latter without its text if that is just `text`, for whoever keeps it anyway.
        """
        rows = [[name, *row.dump()] for name, row in self._rows.items()]
        pieces = [[count, time] for _, count, time in self._waiting]
        waiting = "".join(piece for piece, _, _ in self._waiting)
        severities = [list(item) for item in sorted(self._severities.items())]
        kept = [self._final, list(self._masker.masks), rows, pieces, None if waiting == text else waiting]
        return [self.count, self._other, severities, *kept]

    @classmethod
    def restored(cls, state: list[Any], masker: Masker | None = None, *, limit: int = LIMIT, text: str = "") -> Tally:
        """The dumped tally, as much of it as this limit keeps. `text` is what `dump` was given.

        Its masks are those it had, unless others are given. Raises ValueError for what does not fit together.
        """
        count, other, severities, final, masks, rows, pieces, waiting = state
        tally = cls(masker or Masker(masks), limit=limit)
        tally._severities.update(dict(severities))
        tally._become({name: Row.restored(row) for name, *row in rows}, other)
        tally.count, tally._final = count, final
        tally._waiting = _cut(text if waiting is None else waiting, pieces)
        tally._size = sum(len(lines) + _PIECE for lines, _, _ in tally._waiting)
        if len(tally._rows) > limit:
            tally._shrink()
        return tally


def _cut(text: str, pieces: Sequence[tuple[int, float]]) -> list[tuple[str, int, float]]:
    """The text in pieces of so many lines."""
    out: list[tuple[str, int, float]] = []
    for count, time in pieces:
        *lines, text = text.split("\n", count)
        if len(lines) < count:
            raise ValueError(f"a tally with {len(lines)} lines instead of {count}")
        out.append(("".join(f"{line}\n" for line in lines), count, time))
    return out
