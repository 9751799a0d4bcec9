"""Chunks of lines -> Excerpt. Chunks stay whole until the end: that is what makes a flood cheap.

Limits: those of Keep, and one chunk more behind the gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Any

from .excerpt import Excerpt
from .keep import Keep, ending, opening
from .packed import packed, unpacked

# What a chunk in memory costs beside its text (string header, tuple, deque slot): many short lines are not free, and
# become one chunk up to this size.
OVERHEAD = 160
CHUNK = 4096


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


class _Run:
    """Texts, their lines and their bytes."""

    __slots__ = ("chunks", "count", "size")

    def __init__(self) -> None:
        self.chunks: deque[tuple[str, int, int]] = deque()
        self.count = self.size = 0

    @classmethod
    def of(cls, texts: Iterable[str]) -> _Run:
        run = cls()
        for text in texts:
            run._put((text, text.count("\n"), _size(text)))
        return run

    def _put(self, chunk: tuple[str, int, int]) -> None:
        self.chunks.append(chunk)
        self.count += chunk[1]
        self.size += chunk[2]

    def _take(self, chunk: tuple[str, int, int]) -> tuple[str, int, int]:
        self.count -= chunk[1]
        self.size -= chunk[2]
        return chunk

    def dump(self) -> list[Any]:
        return [packed(self.text), [len(text) for text, _, _ in self.chunks]]

    @classmethod
    def restored(cls, state: list[Any]) -> _Run:
        text, lengths = unpacked(state[0]), state[1]
        ends = [0, *accumulate(lengths)]
        return cls.of(text[start:end] for start, end in pairwise(ends))

    @property
    def text(self) -> str:
        return "".join([text for text, _, _ in self.chunks])

    def add(self, text: str, count: int, size: int) -> None:
        if self.chunks and self.chunks[-1][2] + size <= CHUNK:
            before = self._take(self.chunks.pop())
            text, count, size = before[0] + text, before[1] + count, before[2] + size
        self._put((text, count, size))

    def trim(self, room: int) -> None:
        """Only the last `room` bytes and less than a chunk more, and the last line."""
        while len(self.chunks) > 1 and self.size - self.chunks[0][2] >= room:
            self._take(self.chunks.popleft())

    def first(self, room: int) -> None:
        """Only the first lines that fit into `room` bytes, one at least. Of what goes no text is looked at."""
        while self.size > room:
            text, _, _ = self._take(self.chunks.pop())
            if self.size >= room and self.chunks:
                continue
            text = text[: opening(text, room - self.size)]
            if not self.chunks or self.size + _size(text) <= room:
                self._put((text, text.count("\n"), _size(text)))
            return

    def last(self, room: int) -> None:
        """Only the last lines that fit into `room` bytes, one at least."""
        self.chunks.reverse()
        while self.size > room:
            text, _, _ = self._take(self.chunks.pop())
            if self.size >= room and self.chunks:
                continue
            text = text[ending(text, room - self.size) :]
            if not self.chunks or self.size + _size(text) <= room:
                self._put((text, text.count("\n"), _size(text)))
            break
        self.chunks.reverse()


class Collector:
    """Chunks of lines in, an Excerpt out."""

    __slots__ = ("_back", "_back_bytes", "_front", "_front_bytes", "_full", "count", "keep", "size")

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.count = 0
        self.size = 0
        self._front, self._front_bytes = _Run(), keep.front_bytes
        self._back, self._back_bytes = _Run(), keep.back_bytes
        # Whether the next line goes to the back.
        self._full = False

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly: what a budget over many windows adds up."""
        front, back = self._front, self._back
        # A back that is still to come counts, too: to shed lines never makes more.
        return front.size + back.size + OVERHEAD * (len(front.chunks) + (len(back.chunks) or 1))

    @property
    def whole(self) -> str:
        """All lines, while there is no gap and nothing behind it; else ''."""
        return "" if self._full else self._front.text

    def add(self, text: str, count: int, size: int) -> None:
        """Take `count` lines, each ended by a newline, `size` bytes together."""
        self.count += count
        self.size += size
        if not self._full:
            room = self._front_bytes - self._front.size
            if size <= room:
                self._front.add(text, count, size)
                return
            text, count, size = self._fill(text, count, size, room)
        if count:
            self._back.add(text, count, size)
            self._back.trim(self._back_bytes)

    def _fill(self, text: str, count: int, size: int, room: int) -> tuple[str, int, int]:
        """Take into the front what fits; the rest."""
        self._full = True
        end = opening(text, room)
        first = text[:end]
        # The very first line always fits, a later one has to.
        if (taken := _size(first)) > room and self._front.count:
            return text, count, size
        lines = first.count("\n")
        self._front.add(first, lines, taken)
        return text[end:], count - lines, size - taken

    def excerpt(self) -> Excerpt:
        """What is kept so far."""
        text = self._back.text
        start = ending(text, self._back_bytes)
        missing = self.count - self._front.count - self._back.count + text.count("\n", 0, start)
        return Excerpt(
            keep=self.keep, front=self._front.text, back=text[start:], missing=missing, count=self.count, size=self.size
        )

    def slim(self) -> None:
        """Give memory back: half of what is kept at each end, but nothing of what is shown."""
        self._halve(self.keep.head_bytes, self.keep.tail_bytes)

    def shed(self) -> None:
        """Give memory back: half of what is kept at each end, but not the first line nor the last one."""
        self._halve(0, 0)

    def _halve(self, first: int, last: int) -> None:
        """Keep half of it, but no less than so many bytes at each end."""
        front, back = self._front, self._back
        if front.size + back.size <= first + last or front.count + back.count < 3:
            return
        if front.count + back.count == self.count:
            # Without a gap it is one text, and what goes first is the middle of all. The front never gets more.
            text, size = front.text + back.text, front.size + back.size
            end = opening(text, max(first, min(size // 2, size - last, front.size)))
            front, back = _Run.of([text[:end]]), _Run.of([text[end:]])
        front.first(max(first, front.size // 2))
        back.last(max(last, back.size // 2))
        self._front, self._back = front, back
        self._full = True

    def dump(self) -> list[Any]:
        """As JSON can carry it: both texts with the lengths of their chunks, and the counts."""
        return [self._front.dump(), self._back.dump(), self._full, self.count, self.size]

    def load(self, state: list[Any]) -> None:
        """The dumped lines, as much of them as this collector keeps."""
        front, back, full, self.count, self.size = state
        self._front, self._back, self._full = _Run.restored(front), _Run.restored(back), full
        if self._front.size > self._front_bytes:
            text, gap = self._front.text, self.count > self._front.count + self._back.count
            end = opening(text, self._front_bytes)
            self._front = _Run.of([text[:end]])
            # What has been cut off is part of the gap, and without one it goes to the back.
            if end < len(text) and not gap:
                rest = text[end:] + self._back.text
                self._back = _Run.of([rest[ending(rest, self._back_bytes) :]])
            self._full = True
        self._back.trim(self._back_bytes)
