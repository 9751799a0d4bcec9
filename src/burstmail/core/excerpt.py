"""Lines -> Excerpt. The first and last lines kept, all counted.

Folding two excerpts equals keeping their concatenation, so nothing that is kept depends on where a cap or a batch
happened to cut. Limits: lines and bytes; the first line and the last one always fit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# What a chunk in memory costs beside its text (string header, tuple, deque slot), so that many short lines are not free.
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
        return list(_fitting(lines, self.head - count, self.head_bytes - size, first=not count))

    def suffix(self, lines: Iterable[str]) -> list[str]:
        """The longest run of last lines that fits; takes the lines last to first, gives them first to last."""
        return list(_fitting(lines, self.tail, self.tail_bytes, first=True))[::-1]


def _fitting(lines: Iterable[str], count: int, room: int, *, first: bool) -> Iterator[str]:
    for number, line in enumerate(lines):
        room -= _size(line)
        # The very first line always fits: a burst without any would explain nothing.
        if number >= count or (room < 0 and not (first and number == 0)):
            return
        yield line


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
        front, back = self.head, other.tail
        if not self.elided:
            front += self.tail + other.head
            if not other.elided:
                front += other.tail
        head = self.keep.prefix(front)
        if not other.elided:
            back = other.head + other.tail if self.elided else ()
            back = (self.tail + back) if self.elided else front[len(head) :]
        return Excerpt(
            keep=self.keep,
            head=tuple(head),
            tail=tuple(self.keep.suffix(reversed(back))),
            count=self.count + other.count,
            size=self.size + other.size,
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
        self._full = False
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
        room = max(0, self.keep.head - len(self._head))
        *lines, text = text.split("\n", min(room, count))
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
        while len(self._chunks) > 1:
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
        now = self.excerpt()
        self._head = self._head[: (len(self._head) + 1) // 2]
        tail = now.tail[len(now.tail) // 2 :]
        self._head_size = sum(map(_size, self._head))
        self._full = True
        text = "".join(line + "\n" for line in tail)
        size = sum(map(_size, tail))
        self._chunks = deque([(text, len(tail), size)] if tail else [])
        self._rest, self._stored = len(tail), size

    def load(self, excerpt: Excerpt) -> None:
        """Go on from an excerpt."""
        self.count, self.size = excerpt.count, excerpt.size
        self._head = list(excerpt.head)
        self._head_size = sum(map(_size, self._head))
        self._full = bool(excerpt.tail or excerpt.elided) or len(self._head) >= self.keep.head
        self._chunks = deque((line + "\n", 1, _size(line)) for line in excerpt.tail)
        self._rest = len(excerpt.tail)
        self._stored = sum(map(_size, excerpt.tail))
