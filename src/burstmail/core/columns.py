"""Text -> rows. What the headers of all records say, and their messages: read together, at a fraction of what parse()
takes for each.

They are what parse() says: a row for each record, with the COLUMNS that are wanted. '-' and '' both say nothing. A
priority that no number stands for is written `FACILITY.SEVERITY`, where either may be missing.
Limits: a message's first 4,096 characters (MESSAGE).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, lru_cache
from typing import TypeAlias

from .fields import Fields
from .forms import BEGINS, header

COLUMNS = ("priority", "host", "program", "pid", "message")
# A user's expression may take time that grows with the square of the text, or worse: it never sees more than this.
MESSAGE = 4096

# A column of more different texts than a byte has values is looked at text by text.
BYTE = 256

Row: TypeAlias = tuple[str, ...]

# Structured data, in front of the message of a record of one line (as in forms.py, where a record may have more).
_DATA = r'\[(?:[^\]"\\\n]++|"(?:[^"\\\n]++|\\.)*+"|\\.)*+\]'
_DETAILS = rf"(?:[^ \n]{{1,32}}+ (?:-|(?:{_DATA})++)(?: |(?=\n))\ufeff?+|)"


class Reader:
    """Reads the wanted columns of texts."""

    def __init__(self, wanted: Collection[str], joined: bool) -> None:
        # Where there is no program, there is no header of the usual forms; and a priority is no part of the message,
        # nor is a pid: a header is read to its end only if that is asked for.
        needed = {*wanted, "priority", "program", *(["pid"] if "message" in wanted else [])}
        self.names = tuple(name for name in COLUMNS if name in needed)
        self.program = self.names.index("program")
        self._joined = joined

    def read(self, text: str, records: Sequence[str], fields: Callable[[int], Fields]) -> list[Row]:
        """A row for each record; `fields` gives those of one, of which no more than its form is known."""
        rows: list[Row] = []
        # Most streams have one form of header, and need not pay for the other: the first line tells which to try.
        modern = ">1 " in text[:6] and not self._joined
        for form in ("new", "old") if modern else ("old", "new"):
            # No line without ">1 " is of RFC 5424; and a record of several lines may have structured data that has.
            if form == "new" and not modern and (self._joined or ">1 " not in text):
                break
            found: list[Row] = _pattern(form, self._joined, self.names).findall(text)
            if self._joined and "message" in self.names:
                found = [(*row[:-1], row[-1][:MESSAGE]) for row in found]
            rows = [self._better(*pair) for pair in zip(rows, found, strict=True)] if rows else found
            if "" not in [row[self.program] for row in rows]:
                return rows
        return [
            row if row[self.program] else self._other(row[0], records[number], number, fields)
            for number, row in enumerate(rows)
        ]

    def _better(self, row: Row, other: Row) -> Row:
        return row if row[self.program] else other

    def _other(self, priority: str, record: str, number: int, fields: Callable[[int], Fields]) -> Row:
        """The row of a record whose header is of no usual form."""
        if not _begins()(record):
            # Neither of another: all of it is the message, but for the priority in its angle brackets.
            message = record[len(priority) + 2 * bool(priority) :]
            return self._wanted(priority, "", "", "", message)
        known = fields(number)
        codes = (known.facility, known.severity)
        priority = "" if codes == (None, None) else ".".join("" if code is None else str(code) for code in codes)
        return self._wanted(priority, known.host, known.program, known.pid, known.message)

    def _wanted(self, *texts: str) -> Row:
        return tuple(text[:MESSAGE] for name, text in zip(COLUMNS, texts, strict=True) if name in self.names)


def indexed(texts: Iterable[str]) -> tuple[bytes, list[str]] | None:
    """For each text the number of it among the different ones, and these; None if they are too many."""
    numbers = {text: number for number, text in enumerate(set(texts))}
    return (bytes(map(numbers.__getitem__, texts)), list(numbers)) if len(numbers) <= BYTE else None


def numbers(priority: str) -> tuple[int | None, int | None]:
    """Facility and severity, as the column tells them."""
    facility, dot, severity = priority.partition(".")
    if not dot:
        return divmod(int(priority), 8) if priority else (None, None)
    return int(facility) if facility else None, int(severity) if severity else None


def ring(text: str) -> bool:
    """Whether some records may be of the kernel's ring buffer: the only ones with a program that they do not name."""
    # Some of others look like them: that costs time, and nothing else.
    return "] " in text and _ring()(text) is not None


@cache
def _begins() -> Callable[[str], re.Match[str] | None]:
    return re.compile(f"(?:<[0-9]{{1,3}}>|){BEGINS}").match


@cache
def _ring() -> Callable[[str], re.Match[str] | None]:
    # A literal in front, for which re scans with memchr.
    return re.compile(r"\[ {0,8}+[0-9]{1,10}+\.[0-9]{6}\]").search


@lru_cache(maxsize=64)
def _pattern(form: str, joined: bool, names: tuple[str, ...]) -> re.Pattern[str]:
    """Matches every record exactly once: one findall over the text gives all of them, each with its columns."""
    prefix, details = ("new_", _DETAILS) if form == "new" else ("", " ?+")
    head = header({name if name == "priority" else prefix + name for name in names}, form)
    # A message is cut here; of a joined record, whose newlines are the message's, it is cut when it has been found.
    message = r".*+(?:\n[ \t].*+)*+" if joined else rf".{{0,{MESSAGE}}}+"
    message = f"({message})" if "message" in names else message
    return re.compile(head + details + message + ("" if joined else ".*+") + r"\n")
