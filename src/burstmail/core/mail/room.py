"""Lines -> those that a mail can show. How much they take on the wire, in both of its views.

Providers cut a mail's text off at about 100 kB, and nothing says so to the reader: what does not fit is counted here.
Limits: 2,000 characters of a line; a size, in bytes of the encodings that mime.py has; of it, lines are taken from
both ends in turns, and the first and the last are shown whatever they take.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import zip_longest

from ..escape import visible
from ..fields import SEVERITIES
from ..severity import told
from ..words import number
from .markup import markup
from .mime import ROW, quoted

# A line longer than this is no message any more; with 64 KiB of it the mail could show no other.
LONGEST = 2000
SHORTEST = 200
# Bytes of the dearest character in both views: four of UTF-8 in base64, twice.
DEAREST = 12
# The longest severity, so that the text of all lines starts in one column.
WIDTH = max(map(len, SEVERITIES))


def presented(line: str, limit: int = LONGEST) -> tuple[str, bool]:
    """The line as a mail shows it: its severity in words, visible, cut; and whether it has been cut."""
    severity, line = told(line)
    prefix = f"{severity:{WIDTH}} " if severity else ""
    if len(line) <= limit and len(text := visible(line)) <= limit:
        return prefix + text, False
    # What a character is shown as may depend on those before it, never on those behind it.
    taken = bisect(range(1, limit + 1), limit, key=lambda size: len(visible(line[:size])))
    text = visible(line[:taken])
    return f"{prefix}{text}... [{number(len(line) - taken)} characters more]", True


class _View:
    """One part of the mail: the size of its text in the two encodings, of which the shorter one will be taken."""

    def __init__(self) -> None:
        self._quoted = self._raw = 0

    def add(self, text: str) -> None:
        raw = text.encode()
        self._quoted += len(quoted(raw))
        self._raw += len(raw) + text.count("\n")

    @property
    def size(self) -> int:
        return min(self._quoted, self._raw * (ROW // 3 * 4 + 2) // ROW)


class Room:
    """The bytes a mail may take, less those of what has been added."""

    def __init__(self, size: int, *, html: bool = True) -> None:
        self._size = size
        self._html = html
        self._views = _View(), _View()

    @property
    def left(self) -> int:
        """Bytes that are free; below 0 when too much has been added."""
        return self._size - sum(view.size for view in self._views)

    @property
    def longest(self) -> int:
        """How many characters of a line can be shown, for the first and the last to fit whatever is in them."""
        return min(LONGEST, max(SHORTEST, self.left // (2 * DEAREST)))

    def add(self, text: str, tags: str = "<div class=e><br></div>") -> bool:
        """Take a line of the mail in, with what stands around it in HTML; whether it did fit."""
        text_view, page_view = self._views
        text_view.add(f"  {text}\n")
        if self._html:
            page_view.add(f"{tags}{markup(text)}\n")
        return self.left >= 0

    def fitting(self, head: Sequence[str], tail: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The first of the head and the last of the tail, as many as fit, in the order in which they stand."""
        ends: tuple[list[str], list[str]] = [], []
        for place, lines in enumerate(zip_longest(head, reversed(tail))):
            for end, line in zip(ends, lines, strict=True):
                if line is None:
                    continue
                if not self.add(line) and place:
                    return tuple(ends[0]), tuple(reversed(ends[1]))
                end.append(line)
        return tuple(ends[0]), tuple(reversed(ends[1]))
