"""Text -> columns. What the headers of all records say, and their messages: read together, at a fraction of what
parse() takes for each.

They are what parse() says: a column for each of the COLUMNS that are wanted, with a text for each record. '-' and ''
both say nothing. A priority that no number stands for is written `FACILITY.SEVERITY`, where either may be missing.
Limits: a message's first 4,096 characters (MESSAGE).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, lru_cache
from typing import TypeAlias

from .fields import Fields
from .forms import BEGINS, PRIORITY, header

COLUMNS = ("priority", "host", "program", "pid", "message")
# A user's expression may take time that grows with the square of the text, or worse: it never sees more than this.
MESSAGE = 4096

# A column of more different texts than a byte has values is looked at text by text.
BYTE = 256

Columns: TypeAlias = dict[str, list[str]]

# Structured data, in front of the message of a record of one line (as in forms.py, where a record may have more).
_DATA = r'\[(?:[^\]"\\\n]++|"(?:[^"\\\n]++|\\.)*+"|\\.)*+\]'
_DETAILS = rf"(?:[^ \n]{{1,32}}+ (?:-|(?:{_DATA})++)(?: |(?=\n))\ufeff?+|)"


class Reader:
    """Reads the wanted columns of texts."""

    def __init__(self, wanted: Collection[str], joined: bool) -> None:
        # Where there is no program, there is no header of the usual forms.
        self.names = tuple(name for name in COLUMNS if name in {*wanted, "program"})
        self._joined = joined

    def read(self, text: str, records: Sequence[str], fields: Callable[[int], Fields]) -> Columns:
        """The columns of all records; `fields` gives those of one, of which no more than its form is known."""
        # Most streams have one form of header, and need not pay for the other: the first line tells which to try.
        modern = ">1 " in text[:6] and not self._joined
        found = self._found("new" if modern else "old", text)
        columns = {name: column if name == "program" else _filled(column) for name, column in found.items()}
        if lost := _lost(columns["program"]):
            # No line without ">1 " is of RFC 5424; and a record of several lines may have structured data that has.
            if modern or (not self._joined and ">1 " in text):
                lost = self._again("old" if modern else "new", columns, lost, records)
            for number in lost:
                for name, told in self._other(records[number], number, fields).items():
                    columns[name][number] = told
        return columns  # type: ignore[return-value]  # nothing is lost any more

    def _found(self, form: str, text: str) -> dict[str, list[str | None]]:
        # It makes no row for each record, as findall does: what comes is parted by column at memory's speed.
        flat = _pattern(form, self._joined, self.names).split(text)
        step = len(self.names) + 1
        found = {name: flat[place::step] for place, name in enumerate(self.names, 1)}
        if self._joined and "message" in found:
            found["message"] = [message[:MESSAGE] for message in found["message"]]
        return found

    def _again(
        self, form: str, columns: dict[str, list[str | None]], lost: Sequence[int], records: Sequence[str]
    ) -> list[int]:
        """Fill in what the other form tells of records; those of which it tells nothing either."""
        found = self._found(form, "\n".join([*map(records.__getitem__, lost), ""]))
        for name, column in columns.items():
            for number, told in zip(lost, found[name], strict=True):
                column[number] = told if name == "program" else told or ""
        return [number for number in lost if columns["program"][number] is None]

    def _other(self, record: str, number: int, fields: Callable[[int], Fields]) -> dict[str, str]:
        """Of a record whose header is of no usual form."""
        if not _begins()(record):
            # Neither of another: all of it is the message, but for the priority in its angle brackets.
            given = _priority()(record) if record.startswith("<") else None
            priority = given[1] if given else ""
            return self._wanted(priority, "", "", "", record[given.end() :] if given else record)
        known = fields(number)
        codes = (known.facility, known.severity)
        priority = "" if codes == (None, None) else ".".join("" if code is None else str(code) for code in codes)
        return self._wanted(priority, known.host, known.program, known.pid, known.message)

    def _wanted(self, *texts: str) -> dict[str, str]:
        return {name: text[:MESSAGE] for name, text in zip(COLUMNS, texts, strict=True) if name in self.names}


def _filled(column: list[str | None]) -> list[str | None]:
    """With '' for what is not there."""
    return [text or "" for text in column] if None in column else column


def _lost(programs: Sequence[str | None]) -> list[int]:
    """The records of which no header was found."""
    return [number for number, program in enumerate(programs) if program is None] if None in programs else []


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


@cache
def _priority() -> Callable[[str], re.Match[str] | None]:
    return re.compile(f"<({PRIORITY})>").match


@lru_cache(maxsize=64)
def _pattern(form: str, joined: bool, names: tuple[str, ...]) -> re.Pattern[str]:
    """Matches every record exactly once: one split of the text gives all of them, each with its columns."""
    prefix, details = ("new_", _DETAILS) if form == "new" else ("", " ?+")
    # A pid is no part of the message: a header is read to its end only if that is asked for.
    head = header({name if name == "priority" else prefix + name for name in names}, form, whole="message" in names)
    # A message is cut here; of a joined record, whose newlines are the message's, it is cut when it has been found.
    message = r".*+(?:\n[ \t].*+)*+" if joined else rf".{{0,{MESSAGE}}}+"
    message = f"({message})" if "message" in names else message
    return re.compile(head + details + message + ("" if joined else ".*+") + r"\n")
