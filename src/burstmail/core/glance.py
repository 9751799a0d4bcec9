"""Text -> lines. Where in a whole chunk a text is found, as fast as memory is read; most chunks have nothing of it.

Limits: 16 lines for each text; where it is in more, they are not worth to be found one by one.
"""

from __future__ import annotations

from collections.abc import Iterable

MANY = 16


class Glance:
    """Looks for texts in the lines of a chunk; once for each."""

    def __init__(self, chunk: str) -> None:
        self._chunk = chunk
        self._found: dict[str, list[int] | None] = {}

    def any(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts is anywhere."""
        return any(self.lines(text) != [] for text in texts)

    def lines(self, text: str) -> list[int] | None:
        """The numbers of the lines that have the text in them, from 0; None if they are many."""
        if text not in self._found:
            self._found[text] = self._look(text)
        return self._found[text]

    def _look(self, text: str) -> list[int] | None:
        numbers: list[int] = []
        last = number = 0
        place = self._chunk.find(text)
        while place >= 0:
            # Nothing is everywhere.
            if len(numbers) == MANY or not text:
                return None
            number += self._chunk.count("\n", last, place)
            numbers.append(number)
            last = place
            place = self._chunk.find(text, self._chunk.index("\n", place) + 1)
        return numbers
