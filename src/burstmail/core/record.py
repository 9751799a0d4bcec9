"""Lines -> one record, while it is open. Its first line as it came, and what goes on from it, each indented.

If one of these is not, all get a tab more: what is indented in a stack trace stays so beside what is not.
Limits: those of Join.
"""

from __future__ import annotations

from typing import Any

from .fields import Fields, parse
from .model import Batch, size_of
from .shelf import dump_batch, restored_batch
from .traces import gone_on, indented


class Read:
    """How many lines of a read have left in records that began in it: no two of them have the same number."""

    __slots__ = ("__weakref__", "given", "name")

    def __init__(self, name: tuple[str, int], given: int) -> None:
        self.name, self.given = name, given


class Record:
    """A record that may go on. Times are moments of `now`."""

    __slots__ = (
        *("_bare", "_lines", "before", "first", "last", "late", "name", "read", "since", "size", "source", "time"),
    )

    def __init__(self, name: tuple[str, str], item: Batch, read: Read, line: str, before: str, now: float) -> None:
        """`line` is its first line, and `before` what may go on after it."""
        self.name, self.read = name, read
        self.since = self.last = now
        self.time, self.late, self.source = item.time, item.late, item.source
        self.first = line
        self._lines = [line]
        # Whether a line that goes on is not indented.
        self._bare = False
        self.size = size_of(line) + 1
        self.before = before

    @property
    def count(self) -> int:
        """How many lines."""
        return len(self._lines)

    @property
    def text(self) -> str:
        """The lines, each with its newline."""
        return ("\n\t" if self._bare else "\n").join(self._lines) + "\n"

    def follows(self, other: Record) -> bool:
        """Whether it can leave in one batch with one that leaves just before it: both began at once, in one read."""
        # What begins with an indented line would be taken for a part of the record before it.
        alike = (self.since, self.time, self.late, self.source) == (other.since, other.time, other.late, other.source)
        return self.read is other.read and alike and not indented(self.first)

    def room(self, line: str, lines: int, bytes: int) -> bool:
        """Whether one more fits."""
        # With the tab that it may get, and its newline.
        return len(self._lines) < lines and self.size + size_of(line) + 2 <= bytes

    def add(self, text: str, line: str, now: float) -> None:
        """One more: `text` is its message; its header goes, if that of the first line tells as much."""
        fields = parse(line) if len(text) < len(line) else None
        told = text if fields is None or _who(fields) == _who(parse(self.first)) else line
        self._bare = self._bare or not indented(told)
        self._lines.append(told)
        self.size += size_of(told) + 2
        self.last = now
        self.before = gone_on(text, self.before)

    def batch(self, now: float) -> Batch:
        """The record as it leaves."""
        epoch, seq = self.read.name
        return Batch(
            text=self.text,
            count=len(self._lines),
            time=self.time,
            epoch=epoch,
            seq=seq,
            gone=self.read.given,
            joined=True,
            late=self.late + (now - self.since),
            source=self.source,
        )

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        return [list(self.name), [self.since, self.last], self.before, self._bare, dump_batch(self.batch(self.since))]

    @classmethod
    def restored(cls, state: list[Any], reads: dict[tuple[str, int], Read]) -> Record:
        """The dumped record; its read is one of these, if it is among them."""
        (source, key), (since, last), before, bare, row = state
        batch = restored_batch(row)
        name = (batch.epoch, batch.seq)
        read = reads.setdefault(name, Read(name, batch.gone))
        first, *rest = batch.lines
        record = cls((source, key), batch, read, first, before, since)
        record._lines += [line[1:] for line in rest] if bare else rest
        record._bare = bool(bare)
        record.size = sum(size_of(line) + 2 for line in record._lines) - 1
        record.last = last
        return record


def _who(fields: Fields) -> tuple[str, str, str]:
    return fields.host, fields.program, fields.pid
