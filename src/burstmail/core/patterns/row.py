"""Lines of one shape -> a row -> a Pattern. What a tally remembers of them, and what it shows.

Limits: 1,024 bytes of the first and of the last line; 256 different values, searched for in the first 5,000 lines,
since the search takes as long as all the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..fields import SEVERITIES, parse
from ..severity import NONE, level_of, worst_of
from .masks import SEEN, Masker, before_address, shown

EXAMPLE = 1024
VALUES = 256
SEARCHED = 5_000

# Close enough, where an address has been found before.
_ADDRESS = re.compile(rb"[0-9A-Fa-f:.]{2,45}+")


class Row:
    """Counts, times, examples and values of one shape."""

    __slots__ = (
        *("at", "before", "begin", "count", "end", "first", "last", "more", "noun", "shape", "since", "values"),
        *("level", "worst", "worth"),
    )

    def __init__(self, shape: str, line: bytes, number: int, time: float) -> None:
        self.shape = shape
        self.count = 0
        # The count, less what has been taken off to make room: it decides who stays.
        self.worth = 0
        self.first = self.last = time
        self.begin = self.end = line[:EXAMPLE]
        # How its lines tell of their severity, if not by a number in front.
        self.level = level_of(self.begin)
        # The numbers of the first and of the last line among all lines.
        self.since = self.at = number
        # What the values are: 'address', 'name', '' for not known.
        self.noun = ""
        # What an address stands behind, b'' if none is looked for.
        self.before = b""
        self.values: set[str] = set()
        self.more = False
        # The number of the worst severity.
        self.worst = NONE

    @classmethod
    def of(cls, line: bytes, masker: Masker, number: int, time: float) -> Row:
        """An empty row for lines like this one, which is `number` among all lines."""
        text = line[: 4 * SEEN].decode("utf-8", "ignore")
        row = cls(masker.shape(text), line, number, time)
        row.before = before_address(text, row.shape)
        row.noun = "address" if row.before else ""
        return row

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return 600 + len(self.begin) + len(self.end) + 90 * len(self.values)

    def graded(self, lines: list[bytes], places: list[int]) -> Counter[int]:
        """How many of the lines at these places have which severity, if it is not told by a number in front."""
        found = [self.level(lines[place]) for place in places] if self.level else []
        graded = Counter(level for level in found if level is not None)
        self.worst = min([self.worst, *graded])
        return graded

    def take(self, lines: list[bytes], places: list[int], *, start: int, time: float, worst: int) -> None:
        """Count the lines at these places, of which the last was read at `time`.

        `start` is the number of the first of all, `worst` their worst severity by a number in front.
        """
        if self.before and self.count < SEARCHED:
            self._search([lines[place] for place in places[: SEARCHED - self.count]])
        if self.worst > worst:
            self.worst = min(self.worst, worst_of([lines[place] for place in places]))
        self.count += len(places)
        self.worth += len(places)
        self.more = self.more or (self.before != b"" and self.count > SEARCHED)
        at = start + places[-1]
        if at > self.at:
            self.at, self.last, self.end = at, time, lines[places[-1]][:EXAMPLE]

    def _search(self, lines: list[bytes]) -> None:
        match, before, size = _ADDRESS.match, self.before, len(self.before)
        starts = [(line, line.find(before)) for line in lines]
        found = {at[0] for line, start in starts if start >= 0 and (at := match(line, start + size))}
        # Where it is not found, there may be another address.
        self.more = self.more or any(start < 0 for _, start in starts)
        self._learn({value.decode().rstrip(".:") for value in found})

    def _learn(self, values: set[str]) -> None:
        # The set is never changed, so that copies can share it.
        if not values <= self.values:
            self.values = self.values | values
        if len(self.values) > VALUES:
            self.values, self.more = set(sorted(self.values)[:VALUES]), True

    def copy(self, start: int = 0) -> Row:
        """The same, with `start` lines before it."""
        row = Row.__new__(Row)
        for name in Row.__slots__:
            setattr(row, name, getattr(self, name))
        row.since += start
        row.at += start
        return row

    def mapped(self, line: Callable[[str], str], text: Callable[[str, str], str] | None) -> Row:
        """With `line(example)` for its examples, and `text(its text, first example)`; of the values only the number."""
        row = self.copy()
        first, last = (example.decode("utf-8", "ignore") for example in (self.begin, self.end))
        program, _, message = self.shape.rpartition("\n")
        shape = text(message, first) if text else line(message)
        row.begin, row.end = (made.encode("utf-8", "backslashreplace")[:EXAMPLE] for made in (line(first), line(last)))
        # Whose line it was may be what is not to be told.
        told = program and parse(line(first)).program == program
        row.shape = f"{program}\n{shape}" if told else shape
        row.before, row.values = b"", set(map(str, range(len(self.values))))
        return row

    def named(self, template: str, name: str | None) -> Row:
        """A copy, as part of a template where `name` stands at the one place that varies.

        None: there is no such place, or it is not known what stands there. '': names that are among the values already.
        """
        row = self.copy()
        row.shape = template
        if self.noun != "address" and name != "":
            row.noun = "" if name is None else "name"
            row.values = set() if name is None else {name}
        return row

    def join(self, other: Row, start: int = 0) -> None:
        """Take in a row that began later: its lines' numbers go on from `start`, or it has the same template."""
        self.count += other.count
        self.worth += other.worth
        self.worst = min(self.worst, other.worst)
        if other.at + start > self.at:
            self.at, self.last, self.end = other.at + start, other.last, other.end
        if self.before != other.before:
            # Where to look differs from line to line.
            self.before = b""
        if self.noun != other.noun:
            self.noun, self.values, self.more = "", set(), False
        else:
            self.more = self.more or other.more or (self.noun == "address" and self.count > SEARCHED)
            self._learn(other.values)

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        examples = [text.decode("utf-8", "ignore") for text in (self.begin, self.end)]
        numbers = [self.count, self.worth, self.worst, self.first, self.last, self.since, self.at]
        # What an address stands behind is so many bytes, and may begin within a character.
        before = self.before.decode("latin-1")
        return [*numbers, *examples, self.shape, before, self.noun, sorted(self.values), self.more]

    @classmethod
    def restored(cls, state: list[Any], start: int = 0) -> Row:
        """The dumped row; its lines are counted from `start` on."""
        count, worth, worst, first, last, since, at, begin, end, shape, before, noun, values, more = state
        row = cls(shape, begin.encode("utf-8", "backslashreplace"), since + start, first)
        row.before, row.noun = before.encode("latin-1"), noun
        row.count, row.worth, row.worst, row.last, row.at, row.more = count, worth, worst, last, at + start, more
        row.end, row.values = end.encode("utf-8", "backslashreplace"), set(values)
        return row

    def pattern(self) -> Pattern:
        """What a person gets to see of it."""
        program, _, text = self.shape.rpartition("\n")
        first, last = (line.decode("utf-8", "ignore") for line in (self.begin, self.end))
        return Pattern(
            text=shown(text),
            program=program,
            count=self.count,
            first=self.first,
            last=self.last,
            examples=(first,) if first == last else (first, last),
            noun=self.noun if self.values else "",
            values=len(self.values),
            more=self.more,
            severity=(*SEVERITIES, "")[self.worst],
        )


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
    severity: str = ""
    """The worst syslog severity of its lines: 'emerg' to 'debug', '' without one."""
