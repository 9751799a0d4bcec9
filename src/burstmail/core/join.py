"""Batch -> Batch. Lines that go on from the line before them become one record with it: stack traces stay whole.

A record leaves whole, its further lines indented, when the next of its key begins, after `wait` seconds of quiet, or
when it is full, or when it has gone on for AGE times as long: nobody holds back what another has said. Text stays
lines, and each is counted; whoever decides about a record does so by its first line.
Limits: `lines` and `bytes` of a record (what comes then begins another); `keys` records that are open, and `budget`
bytes of them, over which the one that has been quiet for longest leaves early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from weakref import WeakValueDictionary

from .fields import parse
from .key import splitter
from .kinds import counts, seconds
from .model import Batch
from .record import Read, Record
from .split import Splitter
from .stage import State, opened
from .traces import AWAITING, CAUSE, Rule, begun, plain, words_in

# A trace is written at once, also by a slow disk. What goes on for longer is not one, and others wait to read it.
AGE = 10.0


class Join:
    """Records of lines. A line goes on that is indented, or looks like a stack trace at the margin, or as `more` says.

    `begin` is a regular expression for what begins a record: all other lines go on, and nothing else counts. `more` is
    one for what goes on besides the usual. Both are searched in the message, without the header, of which they see the
    first 4,096 characters. A line without a header goes on from the line before it in its source, any other from the
    one before it of its `key`; a header that says no more than the first line's is dropped. Put it in front of filters,
    thresholds and routes: they take a record as one. Raises ValueError for an expression that is none, a `wait` below
    0.001 or not finite, and for what is below 1 of the others.

    >>> from burstmail import Batch, Join
    >>> stage = Join()
    >>> _ = stage.feed(Batch.of(["ERROR: lost", "Traceback (most recent call last):", "  line 1", "KeyError: 7"]), 0.0)
    >>> [batch.lines for batch in stage.poll(1.0)]
    [['ERROR: lost', '\\tTraceback (most recent call last):', '\\t  line 1', '\\tKeyError: 7']]
    """

    def __init__(
        self,
        *,
        begin: str | None = None,
        more: str | None = None,
        # A trace is written at once; longer than this, and a mail would be late for nothing.
        wait: float = 1.0,
        lines: int = 500,
        bytes: int = 65536,
        key: str | Splitter | None = "host,program,pid",
        keys: int = 1000,
        budget: int = 6 * 1024 * 1024,
    ) -> None:
        seconds("Join", wait=wait)
        if not 0.001 <= wait < inf:
            raise ValueError(f"Join(wait={wait!r}): must be 0.001 seconds or more, and finite")
        counts("Join", lines=lines, bytes=bytes, keys=keys, budget=budget)
        self._rule, self._split = Rule(begin, more), splitter(key)
        self._usual = self._rule.usual
        self._wait, self._lines, self._bytes, self._keys, self._budget = wait, lines, bytes, keys, budget
        # By source and key, the one that has been quiet for longest first; and the last one of each source.
        self._open: dict[tuple[str, str], Record] = {}
        self._last: dict[str, Record] = {}
        self._weight = self._below = 0
        # Of the records that are open, and no others.
        self._reads: WeakValueDictionary[tuple[str, int], Read] = WeakValueDictionary()

    @property
    def deadline(self) -> float:
        """When the next record has been quiet for long enough; `inf` while none is open."""
        return next((record.last + self._wait for record in self._open.values()), inf)

    @property
    def held(self) -> int:
        """Lines of the records that are open."""
        return sum(record.count for record in self._open.values())

    def feed(self, item: Batch, now: float) -> Sequence[Batch]:
        """`poll(now)`, then the lines: what leaves is whole records."""
        keys = {line: key for key, part in self._split(item) for line in part.text.split("\n")}
        out = self.poll(now)
        self._below += item.below
        source = item.place[0] if item.place else item.source
        words = words_in(item.text)
        done: list[Record] = []
        for at, line in enumerate(item.lines, item.gone):
            name = (source, keys.get(line, ""))
            if self._usual and plain(line, words) and not self._awaited(name):
                done += self._begin(name, item, at, line, CAUSE, now)
            else:
                done += self._line(name, item, at, line, now)
        while self._open and (len(self._open) > self._keys or self._weight > self._budget):
            done.append(self._closed(next(iter(self._open))))
        return self._told([*out, *_batches(done, now)])

    def _line(self, name: tuple[str, str], item: Batch, at: int, line: str, now: float) -> Sequence[Record]:
        """Take one line in, which is the one with this number in its read; returns the record that it ends."""
        text = parse(line).message
        bare = len(text) == len(line)
        record = self._last.get(name[0]) if bare else self._open.get(name)
        fits = record and now < record.since + AGE * self._wait and record.room(line, self._lines, self._bytes)
        if record and fits and self._rule(text, record.before):
            self._weight -= record.size
            record.add(text, line, now)
            self._put(self._open.pop(record.name))
            return ()
        return self._begin(name, item, at, line, begun(text), now)

    def _awaited(self, name: tuple[str, str]) -> bool:
        """Whether a line may go on that looks like any other."""
        if (last := self._last.get(name[0])) is not None and last.before in AWAITING:
            return True
        return (record := self._open.get(name)) is not None and record.before in AWAITING

    def _begin(
        self, name: tuple[str, str], item: Batch, at: int, line: str, before: str, now: float
    ) -> Sequence[Record]:
        """Begin a record; returns the one that it ends."""
        ended = [self._closed(name)] if name in self._open else ()
        self._put(Record(name, item, self._read(item, at), line, before, now))
        return ended

    def _read(self, item: Batch, at: int) -> Read:
        name = (item.epoch, item.seq)
        if (read := self._reads.get(name)) is None:
            read = self._reads[name] = Read(name, at)
        return read

    def _put(self, record: Record) -> None:
        """The record is the one that has been quiet for the shortest time."""
        self._open[record.name] = self._last[record.name[0]] = record
        self._weight += record.size

    def _closed(self, name: tuple[str, str]) -> Record:
        record = self._open.pop(name)
        self._weight -= record.size
        if self._last.get(name[0]) is record:
            del self._last[name[0]]
        return record

    def _told(self, out: list[Batch]) -> list[Batch]:
        """With what is to be told by the first batch that leaves."""
        if out and self._below:
            out[0], self._below = replace(out[0], below=self._below), 0
        return out

    def poll(self, now: float) -> list[Batch]:
        """Records that have been quiet for long enough leave, each as of then."""
        out: list[Batch] = []
        while (due := self.deadline) <= now:
            out += _batches([self._closed(next(iter(self._open)))], due)
        return self._told(out)

    def flush(self, now: float) -> list[Batch]:
        """Close all records."""
        return [*self.poll(now), *self._told(_batches([self._closed(name) for name in [*self._open]], now))]

    drain = flush

    def dump(self) -> State:
        """The records that are open."""
        last = [list(record.name) for record in self._last.values()]
        return ["join", 1, self._below, last, [record.dump() for record in self._open.values()]]

    def load(self, state: State) -> None:
        """The dumped records, under this stage's own rules."""
        below, last, rows = opened(state, "join", 3)
        reads: dict[tuple[str, int], Read] = {}
        found = [Record.restored(row, reads) for row in rows]
        self._open = {record.name: record for record in found}
        self._last = {source: self._open[source, key] for source, key in last}
        self._reads = WeakValueDictionary(reads)
        self._weight = sum(record.size for record in found)
        self._below = below


def _batches(records: Sequence[Record], now: float) -> list[Batch]:
    """Records as they leave: such as began together, in a row, are one batch."""
    groups: list[list[Record]] = []
    for record in records:
        if groups and record.follows(groups[-1][-1]):
            groups[-1].append(record)
        else:
            groups.append([record])
    return [_batch(group, now) for group in groups]


def _batch(group: Sequence[Record], now: float) -> Batch:
    first = group[0]
    batch = first.batch(now)
    if len(group) > 1:
        count = sum(record.count for record in group)
        batch = replace(batch, text="".join([record.text for record in group]), count=count)
    first.read.given += batch.count
    return batch
