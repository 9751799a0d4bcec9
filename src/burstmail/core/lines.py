"""Batch -> records. A batch looked at once, for all that decide about its lines; each look is made when asked for.

A record is a line; in a joined batch, a line with those after it that begin with a space or tab. Its header is that of
its first line. A filter is given the first 4,096 characters of a record's message (MESSAGE), and no more.
Limits: those of a batch; what is kept lives as long as the batch is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import compress
from typing import TypeAlias

from .fields import Fields, header, parse
from .model import Batch

# A user's expression may take time that grows with the square of the text, or worse: it never sees more than this.
MESSAGE = 4096

# A number whose n-th byte is 1 if record n is in it: sets of records are cut and joined by one machine instruction for
# eight of them, and come out of, and go into, C loops over bytes.
Selection: TypeAlias = int

# Structured data, in front of the message of a record of one line (as in fields.py, where a record may have more).
_DATA = r'\[(?:[^\]"\\\n]++|"(?:[^"\\\n]++|\\.)*+"|\\.)*+\]'
_DETAILS = rf"(?:[^ \n]{{1,32}}+ (?:-|(?:{_DATA})++)(?: |(?=\n))\ufeff?+|)"
COLUMNS = ("priority", "host", "program", "pid", "message")
_PROGRAM = COLUMNS.index("program")

Row: TypeAlias = tuple[str, str, str, str, str]


class Lines:
    """The records of a batch, by number, and selections of them."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._fields: dict[int, Fields] = {}
        # Whether the columns are there.
        self.read = False

    @cached_property
    def records(self) -> list[str]:
        """Each record, without its last newline."""
        text = self.batch.text
        if not self.batch.joined:
            return text.split("\n")[:-1]
        return re.findall(r"(.*+(?:\n[ \t].*+)*+)\n", text)

    @cached_property
    def lowered(self) -> list[str] | None:
        """The same in lower case; None if there is anything but ASCII, of which the letters are not one to one."""
        if not self.batch.text.isascii():
            return None
        return Lines(replace(self.batch, text=self._lower)).records

    @cached_property
    def _lower(self) -> str:
        return self.batch.text.lower()

    @cached_property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Each of COLUMNS for all records: the texts in the headers ('-' included), and the messages.

        A priority that no number stands for is written `FACILITY.SEVERITY`, where either may be missing.
        """
        self.read = True
        return dict(zip(COLUMNS, zip(*self._rows(), strict=True), strict=True))

    def _rows(self) -> list[Row]:
        text, joined = self.batch.text, self.batch.joined
        # Most streams have one form of header, and need not pay for the other: the first line tells which to try.
        forms = ["new", "old"] if ">1 " in text[:6] else ["old", "new"]
        rows: list[Row] = []
        for form in forms:
            # No line without ">1 " is of RFC 5424; and a record of several lines may have structured data that has.
            if form == "new" and (joined or ">1 " not in text):
                continue
            found: list[Row] = _reader(form, joined).findall(text)
            rows = [row if row[_PROGRAM] else other for row, other in zip(rows, found, strict=True)] if rows else found
            if "" not in [row[_PROGRAM] for row in rows]:
                break
        else:
            rows = [row if row[_PROGRAM] else _row(self.fields(number)) for number, row in enumerate(rows)]
        return [(*row[:-1], row[-1][:MESSAGE]) for row in rows] if joined else rows

    def fields(self, number: int) -> Fields:
        """The fields of one record: many times slower than a column, if all are asked for."""
        if number not in self._fields:
            self._fields[number] = parse(self.records[number])
        return self._fields[number]

    @cached_property
    def everything(self) -> Selection:
        """All records."""
        return int.from_bytes(b"\1" * len(self.records), "little")

    def few(self, asked: Selection) -> bool:
        """Whether one by one is faster than all together."""
        return asked.bit_count() * (50 if self.read else 8) <= len(self.records) + 50

    def numbers(self, asked: Selection) -> Iterator[int]:
        """The records of a selection, in order."""
        return compress(range(len(self.records)), asked.to_bytes(len(self.records), "little"))

    def those(self, asked: Selection, passes: Callable[[int], bool]) -> Selection:
        """The asked that pass, each looked at by its number."""
        flags = bytearray(len(self.records))
        for number in self.numbers(asked):
            flags[number] = bool(passes(number))
        return int.from_bytes(flags, "little")

    def where(self, column: str, passes: Callable[[str], bool]) -> Selection:
        """Those whose text in a column passes; each different text is looked at once."""
        texts = self.columns[column]
        decided = {text: bool(passes(text)) for text in set(texts)}
        return int.from_bytes(bytes(map(decided.__getitem__, texts)), "little")

    def may_have(self, literals: Collection[str], lowered: bool = False) -> bool:
        """Whether any record may have one of the literals in it; at the cost of a glance."""
        if lowered and not self.batch.text.isascii():
            return True
        text = self._lower if lowered else self.batch.text
        return any(literal in text for literal in literals)

    def having(self, literals: Iterable[str], asked: Selection, lowered: bool = False) -> Selection:
        """The asked that have one of the literals anywhere in them; or that may have, where letters are not ASCII."""
        records = self.lowered if lowered else self.records
        if records is None:
            return asked
        found = 0
        for literal in literals:
            if literal in (self._lower if lowered else self.batch.text):
                found |= marked(literal, records)
        return asked & found

    def both(self, a: Selection, b: Selection) -> Selection:
        """Those of a that are in b."""
        return a & b

    def without(self, a: Selection, b: Selection) -> Selection:
        """Those of a that are not in b."""
        return a & ~b

    def empty(self, a: Selection) -> bool:
        """Whether there are none."""
        return not a

    def take(self, selection: Selection) -> Batch:
        """These records as a batch, with no place; the batch itself if it is all of them."""
        if selection == self.everything:
            return self.batch
        chosen = [*compress(self.records, selection.to_bytes(len(self.records), "little")), ""]
        text = "\n".join(chosen)
        count = text.count("\n") if self.batch.joined else len(chosen) - 1
        return replace(self.batch, text=text, count=count, place=None)


def marked(literal: str, texts: Iterable[str]) -> Selection:
    """The numbers of the texts that have the literal in them."""
    return int.from_bytes(bytes([literal in text for text in texts]), "little")


@lru_cache(maxsize=4)
def _reader(form: str, joined: bool) -> re.Pattern[str]:
    """Matches every record exactly once: one findall over the batch gives all of them, each with its columns."""
    prefix, details = ("new_", _DETAILS) if form == "new" else ("", " ?+")
    head = header({"priority", *(prefix + name for name in ("host", "program", "pid"))}, form)
    # In a joined record the newlines belong to the message, and it is cut when it has been found.
    message = r"(.*+(?:\n[ \t].*+)*+)\n" if joined else rf"(.{{0,{MESSAGE}}}+).*+\n"
    return re.compile(head + details + message)


def _row(fields: Fields) -> Row:
    known = (fields.facility, fields.severity)
    priority = "" if known == (None, None) else ".".join("" if number is None else str(number) for number in known)
    return (priority, fields.host, fields.program, fields.pid, fields.message[:MESSAGE])
