"""Lines -> how many of them lie within the last `per` seconds, one key's. What Threshold knows of a key.

Exact: it remembers when each line came, and not how many came in an interval of the clock.
Limit: the last `count` lines; those that came together are one row.
"""

from __future__ import annotations

from collections import deque
from typing import Any


class Recent:
    """When the last lines came, in rows of (when, how many, the number of a batch that waits or 0)."""

    __slots__ = ("lines", "rows")

    def __init__(self) -> None:
        self.rows: deque[tuple[float, int, int]] = deque()
        self.lines = 0

    def add(self, now: float, lines: int, number: int) -> None:
        """Lines that came now; `number` is that of the batch if it has to wait."""
        self.rows.append((now, lines, number))
        self.lines += lines

    def age(self, per: float, now: float) -> int:
        """Forget what is `per` seconds old or older. Returns how many rows that were."""
        rows, before = self.rows, len(self.rows)
        while rows and rows[0][0] + per <= now:
            self.lines -= rows.popleft()[1]
        return before - len(rows)

    def passed(self, needed: int) -> list[int]:
        """All that waited has left: keep no more than tells of the `needed` last lines. Returns the numbers."""
        rows = self.rows
        numbers = [number for _, _, number in rows if number]
        if numbers:
            self.rows = rows = deque((came, lines, 0) for came, lines, _ in rows)
        while rows and self.lines - rows[0][1] >= needed:
            self.lines -= rows.popleft()[1]
        return numbers

    @property
    def last(self) -> float:
        """When the last line came; there is always one."""
        return self.rows[-1][0]

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        return [list(row) for row in self.rows]

    def load(self, state: list[Any]) -> Recent:
        """The dumped rows."""
        for came, lines, number in state:
            self.add(came, lines, number)
        return self
