"""Batch -> records. A batch looked at once, for all that decide about its lines; each look is made when asked for.

A record is a line; in a joined batch, a line with those after it that begin with a space or tab. Its header is that of
its first line. A filter is given the first 4,096 characters of a record's message, and no more.
Limits: those of a batch; what is kept lives as long as the batch is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import compress
from typing import TypeAlias

from .columns import BYTE, COLUMNS, Columns, Reader, indexed, ring
from .fields import Fields, parse
from .glance import Glance
from .model import Batch

# A number whose n-th byte is 1 if record n is in it: sets of records are cut and joined by one machine instruction for
# eight of them, and come out of, and go into, C loops over bytes.
Selection: TypeAlias = int

# So many of the first records tell whether a good part of all has a literal in it.
_SAMPLE = 32
# Up to one in so many records is looked at by itself.
_FEW = 8


class Lines:
    """The records of a batch, by number, and selections of them.

    `wanted` are the COLUMNS that anybody will ask for; each takes time on all records.
    """

    def __init__(self, batch: Batch, wanted: Collection[str] = COLUMNS) -> None:
        self.batch = batch
        self._reader = _reader(frozenset(wanted), batch.joined)
        self._fields: dict[int, Fields] = {}
        self._indexed: dict[str, tuple[bytes, list[str]] | None] = {}
        self._glances: dict[bool, Glance] = {}
        # Whether the headers have been read.
        self.read = False

    @cached_property
    def records(self) -> list[str]:
        """Each record, without its last newline."""
        text = self.batch.text
        if not self.batch.joined:
            return text.split("\n")[:-1]
        return re.findall(r"(.*+(?:\n[ \t].*+)*+)\n", text)

    @cached_property
    def lowered(self) -> list[str]:
        """The same in lower case. Not for text that is not ASCII: its letters are not one to one."""
        return Lines(replace(self.batch, text=self._lower)).records

    @cached_property
    def _lower(self) -> str:
        return self.batch.text.lower()

    @cached_property
    def ascii(self) -> bool:
        """Whether there is nothing but ASCII."""
        return self.batch.text.isascii()

    def column(self, name: str) -> list[str]:
        """One of COLUMNS for all records."""
        return self._columns[name]

    @cached_property
    def _columns(self) -> Columns:
        self.read = True
        return self._reader.read(self.batch.text, self.records, self.fields)

    def fields(self, number: int) -> Fields:
        """The fields of one record: many times slower than a column, if all are asked for."""
        if number not in self._fields:
            self._fields[number] = parse(self.records[number])
        return self._fields[number]

    @cached_property
    def ring(self) -> bool:
        """Whether some records may be of the kernel's ring buffer, and have a program that they do not name."""
        return ring(self.batch.text)

    @cached_property
    def everything(self) -> Selection:
        """All records."""
        return int.from_bytes(b"\1" * len(self.records), "little")

    def few(self, asked: Selection) -> bool:
        """Whether one by one is faster than all together."""
        count = asked.bit_count()
        return count <= 4 or count * (5 * _FEW if self.read else _FEW) <= len(self.records)

    def numbers(self, asked: Selection) -> Iterator[int]:
        """The records of a selection, in order."""
        flags = self._flags(asked)
        if asked.bit_count() * _FEW > len(flags):
            return compress(range(len(flags)), flags)
        return _ones(flags)

    def _chosen(self, texts: Sequence[str], asked: Selection) -> Iterator[str]:
        """Of texts for all records, those of a selection."""
        flags = self._flags(asked)
        few = asked.bit_count() * _FEW <= len(flags)
        return map(texts.__getitem__, _ones(flags)) if few else compress(texts, flags)

    def _flags(self, asked: Selection) -> bytes:
        return asked.to_bytes(len(self.records), "little")

    def those(self, asked: Selection, passes: Callable[[int], object]) -> Selection:
        """The asked that pass, each looked at by its number."""
        return self._selected([number for number in self.numbers(asked) if passes(number)])

    def _selected(self, numbers: Iterable[int]) -> Selection:
        flags = bytearray(len(self.records))
        for number in numbers:
            flags[number] = 1
        return int.from_bytes(flags, "little")

    def where(self, name: str, passes: Callable[[str], object], asked: Selection) -> Selection:
        """Those of the asked whose text in a column passes; where many are asked, each text is decided once."""
        if name not in self._indexed and self._part(asked):
            texts = self.column(name)
            return self._selected([number for number in self.numbers(asked) if passes(texts[number])])
        return asked & self._decided(name, passes)

    def _part(self, asked: Selection) -> bool:
        """Whether it pays to look at nothing but these."""
        return asked.bit_count() * 2 <= len(self.records)

    def _decided(self, name: str, passes: Callable[[str], object]) -> Selection:
        if name not in self._indexed:
            self._indexed[name] = indexed(self.column(name))
        if (known := self._indexed[name]) is None:
            return int.from_bytes(bytes([bool(passes(text)) for text in self.column(name)]), "little")
        numbers, texts = known
        table = bytes([bool(passes(text)) for text in texts]).ljust(BYTE, b"\0")
        return int.from_bytes(numbers.translate(table), "little")

    def present(self, literals: Iterable[str], lowered: bool = False) -> bool:
        """Whether one of the literals is anywhere in the batch."""
        return self._glance(lowered).any(literals)

    def _glance(self, lowered: bool = False) -> Glance:
        if lowered not in self._glances:
            self._glances[lowered] = Glance(
                *((self._lower, self.lowered) if lowered else (self.batch.text, self.records)), self.batch.joined
            )
        return self._glances[lowered]

    def narrowed(self, literals: Collection[str], asked: Selection, lowered: bool = False) -> Selection:
        """Fewer of the asked: those with one of the literals anywhere in them; or all, where that would be most."""
        hits = {literal: self._glance(lowered).records(literal) for literal in literals}
        many = [literal for literal, numbers in hits.items() if numbers is None]
        found = 0 if many else self._selected(number for numbers in hits.values() for number in numbers or ())
        if many:
            records = self.lowered if lowered else self.records
            sample = records[:_SAMPLE]
            if sum([literal in record for literal in many for record in sample]) * _FEW > len(sample):
                return asked
            for literal in literals:
                found |= _marked(literal, records)
        return asked & found

    def containing(self, literals: Sequence[str], asked: Selection) -> tuple[Selection, str]:
        """Those of the asked that have one of the literals in their messages; and which to look for first next time."""
        # Of those in which none was found so far; who they are is asked only if there are any in the end.
        texts, left = self._chosen(self.column("message"), asked), self.numbers(asked)
        for literal in literals:
            messages = list(texts)
            without = [literal not in message for message in messages]
            if True not in without:
                return asked, literal
            texts, left = compress(messages, without), compress(left, without)
        return asked & ~self._selected(left), literals[0]

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
        text = "\n".join([*self._chosen(self.records, selection), ""])
        count = text.count("\n") if self.batch.joined else selection.bit_count()
        return self.batch.part(text, count, self.batch.below)


def _ones(flags: bytes) -> Iterator[int]:
    place = flags.find(1)
    while place >= 0:
        yield place
        place = flags.find(1, place + 1)


def _marked(literal: str, texts: Iterable[str]) -> Selection:
    """The numbers of the texts that have the literal in them."""
    return int.from_bytes(bytes([literal in text for text in texts]), "little")


@lru_cache(maxsize=64)
def _reader(wanted: frozenset[str], joined: bool) -> Reader:
    return Reader(wanted, joined)
