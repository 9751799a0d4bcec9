"""Lines -> Patterns. Lines that differ only in what varies count as one; all lines count.

A Tally takes chunks as they are read; how the lines were cut into chunks makes no difference. The counts of all
patterns and `other` always add up to `count`. Limits: those of the table, 400 shapes. Up to 16 KiB nothing is looked at
before somebody asks: a thousand small windows cost no more than their text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from .masks import Masker
from .row import Pattern as Pattern
from .row import Row
from .severity import NONE, severities
from .table import Table

# A burst of a million lines has perhaps a hundred shapes. With four times as many a tally stays well below 1 MiB.
LIMIT = 400

# Characters that are looked at together; and for how many a piece counts beside its own.
_CHUNK = 16 * 1024
_PIECE = 160

# Text, how many lines, and when they were read.
_Piece = tuple[str, int, float]


class Tally:
    """Counts lines by pattern."""

    __slots__ = ("_final", "_patterns", "_severities", "_size", "_table", "_waiting", "count")

    def __init__(self, masker: Masker | None = None, *, limit: int = LIMIT) -> None:
        """At most `limit` shapes (400). Raises ValueError for less than 2."""
        if limit < 2:
            raise ValueError(f"limit={limit!r}: must be 2 or more")
        self.count = 0
        """All lines."""
        self._severities: Counter[int] = Counter()
        self._table = Table(masker or Masker(), limit)
        # What has not been looked at: few lines at a time cost as much as many.
        self._waiting: list[_Piece] = []
        self._size = 0
        # The rows are patterns already, and not to be merged again.
        self._final = False
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
        return self._table.other

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
        return self._table.weight + self._size

    def add(self, text: str, count: int, time: float) -> None:
        """Count `count` lines, each ended by one newline, read at wall time `time`. No text makes it raise."""
        self._waiting.append((text, count, time))
        self.count += count
        self._size += len(text) + _PIECE
        self._patterns = None
        if self._size >= _CHUNK:
            self._work()

    def _work(self) -> None:
        """Look at what waits."""
        if not self._waiting:
            return
        raw = "".join(text for text, _, _ in self._waiting).encode("utf-8", "backslashreplace")
        ends = list(accumulate(count for _, count, _ in self._waiting))
        times = [time for _, _, time in self._waiting]
        self._wait([])
        lines = raw.split(b"\n")[:-1]
        found = severities(raw, lines)
        self._severities.update(found)
        self._table.take(raw, lines, self.count - ends[-1], ends, times, min(found, default=NONE))
        self._final = False

    def _wait(self, pieces: list[_Piece]) -> None:
        self._waiting = pieces
        self._size = sum(len(text) + _PIECE for text, _, _ in pieces)

    def shed(self) -> None:
        """Give memory back: at most half of the shapes that may be, the most frequent, stay."""
        self._work()
        self._table.shrink()
        self._patterns = None

    def patterns(self) -> list[Pattern]:
        """The patterns, the most frequent first; of equally frequent ones the one that came first."""
        self._work()
        if self._patterns is None:
            self._patterns = tuple(row.pattern() for _, row in self._ranked())
        return list(self._patterns)

    def _ranked(self) -> list[tuple[str, Row]]:
        rows = self._table.rows if self._final else self._table.folded()
        return sorted(rows.items(), key=lambda item: (-item[1].count, item[1].since))

    def top(self, count: int) -> Tally:
        """With the `count` most frequent patterns only; the lines of all others are in `other`."""
        if self._looked_at == 0 and self.count <= count:
            return self
        self._work()
        ranked = self._ranked()
        left_out = sum(row.count for _, row in ranked[count:])
        tally = self._with(self._table.with_rows(dict(ranked[:count]), left_out))
        tally._final = True
        return tally

    def mapped(self, line: Callable[[str], str], text: Callable[[str, str], str] | None = None) -> Tally:
        """With `line(text)` for each line that it keeps, and `text(text, first line)` for each pattern's text.

        Both give one line, without a newline; without `text`, `line` makes the pattern's text too. A pattern has its
        program only if the first line still has it; and of its values only their number is left.
        """
        tally = self._with(self._table.mapped(line, text))
        tally._final = self._final
        for lines, count, time in self._waiting:
            tally._waiting.append(("".join(f"{line(old)}\n" for old in lines.split("\n")[:-1]), count, time))
        tally._wait(tally._waiting)
        return tally

    def skipping(self, count: int) -> Tally:
        """With `count` lines more of which nothing else is known."""
        if not count:
            return self
        self._work()
        tally = self._with(self._table.copy())
        tally._table.other += count
        tally.count += count
        return tally

    def _with(self, table: Table) -> Tally:
        tally = Tally(table.masker, limit=table.limit)
        tally.count, tally._severities, tally._table = self.count, self._severities.copy(), table
        return tally

    @property
    def _looked_at(self) -> int:
        return self.count - sum(count for _, count, _ in self._waiting)

    def join(self, other: Tally) -> Tally:
        """The tally of both, one after the other, under this one's limit and masks."""
        if other._looked_at == 0:
            tally = self._with(self._table.copy())
            tally._wait(list(self._waiting))
            # More of the same: for a cap that folds a thousand small bursts.
            for piece in other._waiting:
                tally.add(*piece)
            return tally
        self._work()
        other._work()
        tally = self._with(self._table.join(other._table, self.count))
        tally.count += other.count
        tally._severities.update(other._severities)
        return tally

    def dump(self, text: str = "") -> list[Any]:
        """As JSON can carry it: the counts, the rows, and what has not been looked at.

        The latter without its text if that is just `text`, for whoever keeps it anyway.
        """
        pieces = [[count, time] for _, count, time in self._waiting]
        waiting = "".join(piece for piece, _, _ in self._waiting)
        severities = [list(item) for item in sorted(self._severities.items())]
        table = [self._table.other, list(self._table.masker.masks), self._table.dump()]
        return [self.count, severities, self._final, *table, pieces, None if waiting == text else waiting]

    @classmethod
    def restored(cls, state: list[Any], masker: Masker | None = None, *, limit: int = LIMIT, text: str = "") -> Tally:
        """The dumped tally, as much of it as this limit keeps. `text` is what `dump` was given.

        Its masks are those it had, unless others are given. Raises ValueError for what does not fit together.
        """
        count, severities, final, other, masks, rows, pieces, waiting = state
        tally = cls(masker or Masker(masks), limit=limit)
        tally._table = tally._table.with_rows({name: Row.restored(row) for name, *row in rows}, other)
        tally._severities.update(dict(severities))
        tally.count, tally._final = count, final
        tally._wait(_cut(text if waiting is None else waiting, pieces))
        return tally


def _cut(text: str, pieces: Sequence[tuple[int, float]]) -> list[_Piece]:
    """The text in pieces of so many lines."""
    out: list[_Piece] = []
    for count, time in pieces:
        *lines, text = text.split("\n", count)
        if len(lines) < count:
            raise ValueError(f"a tally with {len(lines)} lines instead of {count}")
        out.append(("".join(f"{line}\n" for line in lines), count, time))
    return out
