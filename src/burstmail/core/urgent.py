"""Batch -> which of its lines are urgent. Asked once for all lines of a read, before anything changes.

So a function of the user's that raises leaves every window as it was. Limits: none; it holds nothing between reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .admit import Filter
from .lines import Lines
from .model import Batch

# Longer than what is shown of it: a secret must not be cut in two before it is taken out.
LOOK = 4096

Decide: TypeAlias = Filter | Callable[[str], bool]


class Urgency:
    """What the windows of one Aggregator ask.

    A record that Join has made is decided whole, and known by its first line.
    """

    __slots__ = ("_decide", "_found")

    def __init__(self, decide: Decide) -> None:
        if not (isinstance(decide, Filter) or callable(decide)):
            raise TypeError(f"urgent={decide!r}: must be a filter, as contains('panic'), or a function of a line")
        self._decide = decide
        self._found: frozenset[str] = frozenset()

    def look(self, batch: Batch) -> None:
        """Decide the lines of a read. Raises whatever the user's function does."""
        if isinstance(self._decide, Filter):
            view = Lines(batch, self._decide.columns)
            found = self._decide.lines(view)
            records = [] if view.empty(found) else Lines(view.take(found)).records
        else:
            records = [record for record in Lines(batch).records if self._decide(record)]
        self._found = frozenset(record.partition("\n")[0] for record in records)

    def first(self, part: Batch) -> str | None:
        """The first of these lines, of the read that was looked at, that is urgent."""
        # The same line is decided the same way wherever it stands.
        found = self._found
        line = next((line for line in part.lines if line in found), None) if found else None
        return line if line is None else line[:LOOK]
