"""Text -> records. Where in a whole chunk a text is found, as fast as memory is read; most chunks have nothing of it.

Limits: 16 records for each text; where it is in more, they are not worth to be found one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MANY = 16


class Glance:
    """Looks for texts in a chunk of such records, each with a newline behind it; once for each text.

    In a joined chunk what begins with a space or tab goes on with the record before it.
    """

    def __init__(self, chunk: str, records: Sequence[str], joined: bool) -> None:
        self._chunk = chunk
        self._records = records
        self._joined = joined
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
        # Nothing is everywhere; and what goes over the end of a record is in none.
        if not text or "\n" in text:
            return None
        found: list[str] = []
        chunk, end = self._chunk, 0
        place = chunk.find(text)
        while place >= 0:
            if len(found) == MANY:
                return None
            begin, end = chunk.rfind("\n", end, place) + 1, chunk.find("\n", place)
            if self._joined:
                begin, end = self._record(begin, end)
            found.append(chunk[begin:end])
            place = chunk.find(text, end)
        return self._numbers(found)

    def _record(self, begin: int, end: int) -> tuple[int, int]:
        """All of a record, of which a line is given."""
        while begin and self._chunk[begin] in " \t":
            begin = self._chunk.rfind("\n", 0, begin - 1) + 1
        while self._chunk[end + 1 : end + 2] in (" ", "\t"):
            end = self._chunk.find("\n", end + 1)
        return begin, end

    def _numbers(self, found: Iterable[str]) -> list[int]:
        # The next equal one is the one that was found: whatever is equal has been found as well.
        numbers: list[int] = []
        for record in found:
            numbers.append(self._records.index(record, numbers[-1] + 1 if numbers else 0))
        return numbers
