"""Lines of one shape -> a row -> a Pattern. What a tally remembers of them, and what it shows.

Limits: 1,024 bytes of the first and of the last line; 256 different values, searched for in the first 5,000 lines,
since the search takes as long as all the rest.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from typing import Any

from .masks import shown

EXAMPLE = 1024
VALUES = 256
SEARCHED = 5_000

# Close enough, where an address has been found before.
_ADDRESS = re.compile(rb"[0-9A-Fa-f:.]{2,45}+")


class Row:
    """Counts, times, examples and values of one shape."""

    __slots__ = ("at", "begin", "count", "end", "first", "last", "more", "noun", "values", "worth")

    def __init__(self, line: bytes, time: float, noun: str) -> None:
        self.count = 0
        # The count, less what has been taken off to make room: it decides who stays.
        self.worth = 0
        self.first = self.last = time
        self.begin = self.end = line[:EXAMPLE]
        # The number of the last line among all lines.
        self.at = -1
        # What the values are: 'address', 'name', '' for not known.
        self.noun = noun
        self.values: set[str] = set()
        self.more = False

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return 600 + len(self.begin) + len(self.end) + 90 * len(self.values)

    def take(self, lines: list[bytes], places: list[int], *, start: int, time: float, before: bytes) -> None:
        """Count the lines at these places, of which the last was read at `time`; `start` is the number of the first.

        `before` is what an address stands behind, b'' if none is to be looked for.
        """
        if before and not self.more and self.noun:
            self._search([lines[place] for place in places[: max(0, SEARCHED - self.count)]], before)
        self.count += len(places)
        self.worth += len(places)
        self.more = self.more or (before != b"" and self.count > SEARCHED)
        at = start + places[-1]
        if at > self.at:
            self.at, self.last, self.end = at, time, lines[places[-1]][:EXAMPLE]

    def _search(self, lines: list[bytes], before: bytes) -> None:
        match, size = _ADDRESS.match, len(before)
        found = {at[0] for line in lines if (at := match(line, line.find(before) + size))}
        self._learn({value.decode().rstrip(".:") for value in found})

    def _learn(self, values: set[str]) -> None:
        self.values |= values
        if len(self.values) > VALUES:
            self.values, self.more = set(sorted(self.values)[:VALUES]), True

    def named(self, name: str | None) -> Row:
        """A copy, before it becomes part of a template: `name` stands at the one place that varies.

        None: there is no such place, or it is not known what stands there. '': names that are among the values already.
        """
        row = copy(self)
        row.values = set(self.values)
        if self.noun != "address" and name != "":
            row.noun = "" if name is None else "name"
            row.values = set() if name is None else {name}
        return row

    def join(self, other: Row, start: int = 0) -> None:
        """Take in the row of later lines, whose numbers begin at `start`; or another row of the same template."""
        self.count += other.count
        self.worth += other.worth
        if other.at + start > self.at:
            self.at, self.last, self.end = other.at + start, other.last, other.end
        if self.noun != other.noun:
            self.noun, self.values, self.more = "", set(), False
        else:
            self.more = self.more or other.more or (self.noun == "address" and self.count > SEARCHED)
            self._learn(other.values)

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        examples = [text.decode("utf-8", "ignore") for text in (self.begin, self.end)]
        numbers = [self.count, self.worth, self.first, self.last, self.at]
        return [*numbers, *examples, self.noun, sorted(self.values), self.more]

    @classmethod
    def restored(cls, state: list[Any]) -> Row:
        """The dumped row."""
        count, worth, first, last, at, begin, end, noun, values, more = state
        row = cls(begin.encode("utf-8", "backslashreplace"), first, noun)
        row.count, row.worth, row.last, row.at, row.more = count, worth, last, at, more
        row.end, row.values = end.encode("utf-8", "backslashreplace"), set(values)
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Lines that are one message with different values."""

    text: str
    """The message: `Failed password for <*> from <ip> port <n>`. As hostile as the lines."""
    program: str
    """Who wrote it, by the syslog header; '' without one."""
    count: int
    """How many lines."""
    first: float
    """Wall time of the first, in seconds."""
    last: float
    """Wall time of the last, in seconds."""
    examples: tuple[str, ...]
    """The first and the last line, up to 1,024 bytes of each; one if they are the same."""
    noun: str
    """What it has different values of: 'address', 'name', or '' where that is not known."""
    values: int
    """How many different ones there were; 0 where that is not known."""
    more: bool
    """Whether there may be more than that."""

    @classmethod
    def of(cls, shape: str, row: Row) -> Pattern:
        """The pattern of a row."""
        program, _, text = shape.rpartition("\n")
        first, last = (line.decode("utf-8", "ignore") for line in (row.begin, row.end))
        return cls(
            text=shown(text),
            program=program,
            count=row.count,
            first=row.first,
            last=row.last,
            examples=(first,) if first == last else (first, last),
            noun=row.noun if row.values else "",
            values=len(row.values),
            more=row.more,
        )
