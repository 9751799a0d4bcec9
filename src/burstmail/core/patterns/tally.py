"""Lines -> Patterns. Lines that differ only in what varies count as one; all lines count.

A Tally takes chunks as they are read; how the lines were cut into chunks makes no difference. The counts of all
patterns and `other` always add up to `count`. Limits: those of the table, 400 shapes. Up to 16 KiB nothing is looked at
before somebody asks: a thousand small windows cost no more than their text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from ..severity import NONE, severities
from .masks import Masker
from .row import Pattern as Pattern
from .row import Row
from .table import Table

# A burst of a million lines has perhaps a hundred shapes. With four times as many a tally stays well below 1 MiB.
LIMIT = 400

# Characters that are looked at together; and for how many a piece counts beside its own.
_CHUNK = 16 * 1024
_PIECE = 160

# Text, how many lines, and when they were read.
_Piece = tuple[str, int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What has been looked at, and what waits for it."""

    table: Table
    severities: Counter[int]
    waiting: list[_Piece] = field(default_factory=list)
    # The rows are patterns already, and not to be merged again.
    final: bool = False


class Tally:
    """Counts lines by pattern. Only `add` and `shed` change it: on a burst it is a value, for threads too."""

    __slots__ = ("_patterns", "_seen", "_size", "count")

    def __init__(self, masker: Masker | None = None, *, limit: int = LIMIT) -> None:
        """At most `limit` shapes (400). Raises ValueError for less than 2."""
        if limit < 2:
            raise ValueError(f"limit={limit!r}: must be 2 or more")
        self.count = 0
        """All lines."""
        # Few lines at a time cost as much as many: they wait. Readers swap it for another, and never change it.
        self._seen = _Seen(table=Table(masker or Masker(), limit), severities=Counter())
        self._size = 0
        self._patterns: tuple[Pattern, ...] | None = None

    def __eq__(self, other: object) -> bool:
        return self._worked() == other._worked() if isinstance(other, Tally) else NotImplemented

    def __hash__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"<Tally of {self.count} lines>"

    def _worked(self) -> list[Any]:
        return self._dumped(self._work(), "")

    @property
    def other(self) -> int:
        """Lines that are in no pattern."""
        return self._work().table.other

    @property
    def severities(self) -> dict[int, int]:
        """Lines by severity, the worst first (0: emerg), of all lines whose header has one (RFC 5424 section 6.2.1)."""
        return dict(sorted(self._work().severities.items()))

    @property
    def worst(self) -> int | None:
        """The worst severity of all lines; None if no line has any."""
        return min(self.severities, default=None)

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        seen = self._seen
        return seen.table.weight + (self._size if seen.waiting else 0)

    def add(self, text: str, count: int, time: float) -> None:
        """Count `count` lines, each ended by one newline, read at wall time `time`. No text makes it raise."""
        self._size = (self._size if self._seen.waiting else 0) + len(text) + _PIECE
        self._seen.waiting.append((text, count, time))
        self.count += count
        self._patterns = None
        if self._size >= _CHUNK:
            self._look(self._seen, self._seen.table)

    def _work(self) -> _Seen:
        """With all that waits looked at, for whoever may not be the only one that asks."""
        seen = self._seen
        return self._look(seen, seen.table.copy()) if seen.waiting else seen

    def _look(self, seen: _Seen, table: Table) -> _Seen:
        """Count what waits in this table."""
        raw = "".join(text for text, _, _ in seen.waiting).encode("utf-8", "backslashreplace")
        ends = list(accumulate(count for _, count, _ in seen.waiting))
        times = [time for _, _, time in seen.waiting]
        lines = raw.split(b"\n")[:-1]
        found = severities(raw, lines)
        found += table.take(raw, lines, self.count - ends[-1], ends, times, min(found, default=NONE))
        self._seen = new = _Seen(table=table, severities=seen.severities + found)
        return new

    def shed(self) -> None:
        """Give memory back: at most half of the shapes that may be, the most frequent, stay."""
        self._work().table.shrink()
        self._patterns = None

    def patterns(self) -> list[Pattern]:
        """The patterns, the most frequent first; of equally frequent ones the one that came first."""
        found = self._patterns
        if found is None:
            found = self._patterns = tuple(row.pattern() for _, row in _ranked(self._work()))
        return list(found)

    def top(self, count: int) -> Tally:
        """With the `count` most frequent patterns only; the lines of all others are in `other`."""
        if self._looked_at == 0 and self.count <= count:
            return self
        seen = self._work()
        ranked = _ranked(seen)
        left_out = sum(row.count for _, row in ranked[count:])
        return self._with(replace(seen, table=seen.table.with_rows(dict(ranked[:count]), left_out), final=True))

    def mapped(self, line: Callable[[str], str], text: Callable[[str, str], str] | None = None) -> Tally:
        """With `line(text)` for each line that it keeps, and `text(text, first line)` for each pattern's text.

        Both give one line, without a newline; without `text`, `line` makes the pattern's text too. A pattern has its
        program only if the first line still has it; and of its values only their number is left.
        """
        seen = self._seen
        waiting = [
            ("".join(f"{line(old)}\n" for old in lines.split("\n")[:-1]), count, time)
            for lines, count, time in seen.waiting
        ]
        return self._with(replace(seen, table=seen.table.mapped(line, text), waiting=waiting))

    def skipping(self, count: int) -> Tally:
        """With `count` lines more of which nothing else is known."""
        if not count:
            return self
        seen = self._work()
        tally = self._with(replace(seen, table=seen.table.copy()), count)
        tally._seen.table.other += count
        return tally

    def _with(self, seen: _Seen, count: int = 0) -> Tally:
        """Another one, with so many lines more."""
        tally = Tally(seen.table.masker, limit=seen.table.limit)
        tally.count = self.count + count
        # Nobody else may add to what waits there.
        tally._seen = replace(seen, waiting=list(seen.waiting))
        tally._size = sum(len(text) + _PIECE for text, _, _ in seen.waiting)
        return tally

    @property
    def _looked_at(self) -> int:
        return self.count - sum(count for _, count, _ in self._seen.waiting)

    def join(self, other: Tally) -> Tally:
        """The tally of both, one after the other, under this one's limit and masks."""
        second = other._seen
        if other.count == sum(count for _, count, _ in second.waiting):
            first = self._seen
            tally = self._with(replace(first, table=first.table.copy()))
            # More of the same: for a cap that folds a thousand small bursts.
            for piece in second.waiting:
                tally.add(*piece)
            return tally
        first, second = self._work(), other._work()
        table = first.table.join(second.table, self.count)
        return self._with(_Seen(table=table, severities=first.severities + second.severities), other.count)

    def dump(self, text: str = "") -> list[Any]:
        """As JSON can carry it: the counts, the rows, and what has not been looked at.

        The latter without its text if that is just `text`, for whoever keeps it anyway.
        """
        return self._dumped(self._seen, text)

    def _dumped(self, seen: _Seen, text: str) -> list[Any]:
        pieces = [[count, time] for _, count, time in seen.waiting]
        waiting = "".join(piece for piece, _, _ in seen.waiting)
        severities = [list(item) for item in sorted(seen.severities.items())]
        table = [seen.table.other, list(seen.table.masker.masks), seen.table.dump()]
        return [self.count, severities, seen.final, *table, pieces, None if waiting == text else waiting]

    @classmethod
    def restored(cls, state: list[Any], masker: Masker | None = None, *, limit: int = LIMIT, text: str = "") -> Tally:
        """The dumped tally, as much of it as this limit keeps. `text` is what `dump` was given.

        Its masks are those it had, unless others are given. Raises ValueError for what does not fit together.
        """
        count, severities, final, other, masks, rows, pieces, waiting = state
        tally = cls(masker or Masker(masks), limit=limit)
        table = tally._seen.table.with_rows({name: Row.restored(row) for name, *row in rows}, other)
        cut = _cut(text if waiting is None else waiting, pieces)
        return tally._with(_Seen(table=table, severities=Counter(dict(severities)), waiting=cut, final=final), count)


def _ranked(seen: _Seen) -> list[tuple[str, Row]]:
    rows = seen.table.rows if seen.final else seen.table.folded()
    return sorted(rows.items(), key=lambda item: (-item[1].count, item[1].since))


def _cut(text: str, pieces: Sequence[tuple[int, float]]) -> list[_Piece]:
    """The text in pieces of so many lines."""
    out: list[_Piece] = []
    for count, time in pieces:
        *lines, text = text.split("\n", count)
        if len(lines) < count:
            raise ValueError(f"a tally with {len(lines)} lines instead of {count}")
        out.append(("".join(f"{line}\n" for line in lines), count, time))
    return out
