"""Lines -> Excerpt. The first and last lines kept, all counted.

Folding two excerpts equals keeping their concatenation, so nothing that is kept depends on where a cap or a batch
happened to cut. Limits: lines and bytes; the first line and the last one always fit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

# What a chunk in memory costs beside its text (string header, tuple, deque slot): many short lines are not free.
OVERHEAD = 160


def _size(line: str) -> int:
    return (len(line) if line.isascii() else len(line.encode())) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much of a burst is kept. The rest is counted."""

    # 200 + 200 lines and 64 KiB: large enough to explain a burst, and well below the 100 kB at which providers clip.
    head: int = 200
    """First lines."""
    tail: int = 200
    """Last lines."""
    bytes: int = 65536
    """Bytes of both together, shared in proportion to head and tail."""

    def __post_init__(self) -> None:
        for name in ("head", "tail"):
            if getattr(self, name) < 0:
                raise ValueError(f"Keep({name}={getattr(self, name)!r}): must be 0 or more")
        if self.head + self.tail < 1:
            raise ValueError("Keep(head=0, tail=0): keep at least one line")
        if self.bytes < 1:
            raise ValueError(f"Keep(bytes={self.bytes!r}): must be 1 or more")

    @property
    def head_bytes(self) -> int:
        """The head's share of `bytes`."""
        return self.bytes * self.head // (self.head + self.tail)

    @property
    def tail_bytes(self) -> int:
        """The tail's share of `bytes`."""
        return self.bytes - self.head_bytes

    def prefix(self, lines: Iterable[str], count: int = 0, size: int = 0) -> list[str]:
        """The longest run of first lines that fits, after `count` lines of `size` bytes that are kept already."""
        return _fitting(lines, self.head - count, self.head_bytes - size, first=not count)

    def suffix(self, lines: Iterable[str]) -> list[str]:
        """The longest run of last lines that fits; takes the lines last to first, gives them first to last."""
        return _fitting(lines, self.tail, self.tail_bytes, first=True)[::-1]


def _fitting(lines: Iterable[str], count: int, room: int, *, first: bool) -> list[str]:
    found = list(islice(lines, max(0, count)))
    # Mostly all of them fit, and to see that takes far less than to look at each.
    if _size("".join(found)) + len(found) <= room + 1:
        return found
    for number, line in enumerate(found):
        room -= _size(line)
        # The very first line always fits: a burst without any would explain nothing.
        if room < 0 and not (first and number == 0):
            return found[:number]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """What is kept of some lines, and the count of all."""

    keep: Keep
    head: tuple[str, ...]
    tail: tuple[str, ...]
    count: int
    """All lines."""
    size: int
    """Bytes of all lines in UTF-8, newlines included."""

    @property
    def elided(self) -> int:
        """Lines between head and tail that are counted only."""
        return self.count - len(self.head) - len(self.tail)

    def join(self, other: Excerpt) -> Excerpt:
        """The excerpt of both, one after the other, under this one's Keep."""
        keep = self.keep
        first, last = self.head + self.tail, other.head + other.tail
        # Only what stands before the first gap can become head, and only what stands after the last one tail.
        front = self.head if self.elided else first + (other.head if other.elided else last)
        head = self.head if self.elided else tuple(keep.prefix(front))
        if other.elided:
            back = other.tail
        elif self.elided:
            back = self.tail + last
        else:
            back = front[len(head) :]
        tail = keep.suffix(reversed(back))
        return Excerpt(
            keep=keep, head=head, tail=tuple(tail), count=self.count + other.count, size=self.size + other.size
        )

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        keep = self.keep
        return [keep.head, keep.tail, keep.bytes, list(self.head), list(self.tail), self.count, self.size]

    @classmethod
    def restored(cls, state: list[Any]) -> Excerpt:
        """The dumped excerpt."""
        head, tail, room, first, last, count, size = state
        keep = Keep(head=head, tail=tail, bytes=room)
        return cls(keep=keep, head=tuple(first), tail=tuple(last), count=count, size=size)


class Collector:
    """Chunks of lines in, an Excerpt out. Chunks stay whole until then: that is what makes a flood cheap."""

    __slots__ = ("_chunks", "_full", "_head", "_head_size", "_rest", "_stored", "count", "keep", "size")

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.count = 0
        self.size = 0
        self._head: list[str] = []
        self._head_size = 0
        self._full = not keep.head
        self._chunks: deque[tuple[str, int, int]] = deque()
        # Lines and bytes in _chunks.
        self._rest = 0
        self._stored = 0

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly: what a budget over many windows adds up."""
        return self._stored + self._head_size + OVERHEAD * (len(self._chunks) + len(self._head))

    def add(self, text: str, count: int, size: int) -> None:
        """Take `count` lines, each ended by a newline, `size` bytes together."""
        self.count += count
        self.size += size
        if not self._full:
            text, count, size = self._fill_head(text, count, size)
        if count:
            self._chunks.append((text, count, size))
            self._rest += count
            self._stored += size
            self._trim()

    def _fill_head(self, text: str, count: int, size: int) -> tuple[str, int, int]:
        *lines, text = text.split("\n", min(self.keep.head - len(self._head), count))
        fitting = self.keep.prefix(lines, len(self._head), self._head_size)
        taken = sum(map(_size, fitting))
        self._head += fitting
        self._head_size += taken
        left = lines[len(fitting) :]
        self._full = bool(left) or len(self._head) >= self.keep.head
        text = "".join(line + "\n" for line in left) + text
        return text, count - len(fitting), size - taken

    def _trim(self) -> None:
        """Drop leading chunks that no suffix can reach any more."""
        keep = self.keep
        # The last line always fits, so the last chunk is needed; but not without any tail.
        while len(self._chunks) > bool(keep.tail):
            _, count, size = self._chunks[0]
            if self._rest - count < keep.tail and self._stored - size < keep.tail_bytes:
                return
            self._chunks.popleft()
            self._rest -= count
            self._stored -= size

    def excerpt(self) -> Excerpt:
        """What is kept so far."""
        tail = self.keep.suffix(self._backwards())
        return Excerpt(keep=self.keep, head=tuple(self._head), tail=tuple(tail), count=self.count, size=self.size)

    def _backwards(self) -> Iterator[str]:
        for text, _, _ in reversed(self._chunks):
            yield from reversed(text[:-1].rsplit("\n", self.keep.tail + 1)[-self.keep.tail - 1 :])

    def shed(self) -> None:
        """Give memory back: half of what is kept at the head and at the tail, but the first and the last line stay."""
        kept = self.excerpt()
        half = max(1, len(kept.head) // 2)
        rest = kept.tail or kept.head[half:]
        tail = self.keep.suffix(reversed(rest[len(rest) // 2 :]))
        full = self._full or len(kept.head) > half
        text = "".join(line + "\n" for line in tail)
        chunks = [[text, len(tail), sum(map(_size, tail))]] if tail else []
        self.load([list(kept.head[:half]), chunks, full, self.count, self.size])

    def dump(self) -> list[Any]:
        """As JSON can carry it: the head, the chunks after it, and the counts."""
        return [list(self._head), [list(chunk) for chunk in self._chunks], self._full, self.count, self.size]

    def load(self, state: list[Any]) -> None:
        """The dumped lines, as much of them as this collector keeps."""
        head, chunks, full, self.count, self.size = state
        self._head = self.keep.prefix(head)
        self._head_size = sum(map(_size, self._head))
        # A head that had to be cut has a gap behind it.
        self._full = full or len(self._head) < len(head) or len(self._head) >= self.keep.head
        self._chunks = deque((text, count, size) for text, count, size in chunks)
        self._rest = sum(count for _, count, _ in self._chunks)
        self._stored = sum(size for _, _, size in self._chunks)
        self._trim()
