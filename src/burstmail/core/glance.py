"""Text -> records. Where in a whole chunk a text is found, as fast as memory is read; most chunks have nothing of it.

Limits: 16 records for each text; where it is in more, they are not worth to be found one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

MANY = 16


class Glance:
    """Looks for texts in a chunk of such records, each with a newline behind it; once for each text."""

    def __init__(self, chunk: str, records: Sequence[str]) -> None:
        self._chunk = chunk
        self._records = records
        self._ends: list[int] = []
        self._found: dict[str, list[int] | None] = {}

    def any(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts is anywhere."""
        return any(self.records(text) != [] for text in texts)

    def records(self, text: str) -> list[int] | None:
        """The numbers of the records that have the text in them, from 0; None if they are many."""
        if text not in self._found:
            self._found[text] = self._look(text)
        return self._found[text]

    def _look(self, text: str) -> list[int] | None:
        numbers: list[int] = []
        place = self._chunk.find(text)
        while place >= 0:
            # Nothing is everywhere.
            if len(numbers) == MANY or not text:
                return None
            self._ends = self._ends or list(accumulate([len(record) + 1 for record in self._records]))
            number = bisect_right(self._ends, place)
            numbers.append(number)
            place = self._chunk.find(text, self._ends[number])
        return numbers
