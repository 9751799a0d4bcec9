"""Chunks of lines -> Excerpt. Chunks stay whole until the end: that is what makes a flood cheap.

Limits: those of Keep, and one chunk more behind the gap.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from .excerpt import Excerpt
from .keep import Keep, ending, opening

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

    @property
    def weight(self) -> int:
        return self.size + OVERHEAD * max(1, len(self.chunks))

    def add(self, text: str, count: int, size: int) -> None:
        self.count += count
        self.size += size
        if self.chunks and self.chunks[-1][2] + size <= CHUNK:
            before, lines, bytes = self.chunks.pop()
            text, count, size = before + text, lines + count, bytes + size
        self.chunks.append((text, count, size))

    def trim(self, room: int) -> None:
        """Drop leading chunks that no run of `room` bytes can reach any more; the last line stays."""
        while len(self.chunks) > 1 and self.size - self.chunks[0][2] >= room:
            _, count, size = self.chunks.popleft()
            self.count -= count
            self.size -= size

    @property
    def text(self) -> str:
        return "".join(text for text, _, _ in self.chunks)

    @classmethod
    def of(cls, texts: list[str]) -> _Run:
        run = cls()
        for text in texts:
            chunk = (text, text.count("\n"), _size(text))
            run.chunks.append(chunk)
            run.count += chunk[1]
            run.size += chunk[2]
        return run


class Collector:
    """Chunks of lines in, an Excerpt out."""

    __slots__ = ("_back", "_front", "_full", "count", "keep", "size")

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.count = 0
        self.size = 0
        self._front = _Run()
        self._back = _Run()
        # Whether the next line goes to the back.
        self._full = False

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly: what a budget over many windows adds up."""
        return self._front.weight + self._back.weight

    @property
    def whole(self) -> str:
        """All lines, while there is no gap and nothing behind it; else ''."""
        return "" if self._full else self._front.text

    def add(self, text: str, count: int, size: int) -> None:
        """Take `count` lines, each ended by a newline, `size` bytes together."""
        self.count += count
        self.size += size
        room = self.keep.front_bytes - self._front.size
        if not self._full and size <= room:
            self._front.add(text, count, size)
            return
        if not self._full:
            text, count, size = self._fill(text, count, size, room)
        if count:
            self._back.add(text, count, size)
            self._back.trim(self.keep.back_bytes)

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
        start = ending(text, self.keep.back_bytes)
        back = text[start:]
        missing = self.count - self._front.count - (back.count("\n") if start else self._back.count)
        return Excerpt(
            keep=self.keep, front=self._front.text, back=back, missing=missing, count=self.count, size=self.size
        )

    def shed(self) -> None:
        """Give memory back: half of what is kept at each end, but the first and the last line stay."""
        kept = self.excerpt()
        front = kept.front[: opening(kept.front, _size(kept.front) // 2)]
        rest = kept.back or kept.front[len(front) :]
        back = rest[ending(rest, _size(rest) // 2) :]
        if len(front) + len(back) < self._front_and_back():
            self._full = True
            self._front = _Run.of([front])
            self._back = _Run.of([back] if back else [])

    def _front_and_back(self) -> int:
        return len(self._front.text) + len(self._back.text)

    def dump(self) -> list[Any]:
        """As JSON can carry it: the chunks, and the counts."""
        front, back = ([text for text, _, _ in run.chunks] for run in (self._front, self._back))
        return [front, back, self._full, self.count, self.size]

    def load(self, state: list[Any]) -> None:
        """The dumped lines, as much of them as this collector keeps."""
        front, back, full, self.count, self.size = state
        self._front, self._back, self._full = _Run.of(front), _Run.of(back), full
        if self._front.size > self.keep.front_bytes:
            text = self._front.text
            self._front = _Run.of([text[: opening(text, self.keep.front_bytes)]])
            # What has been cut off is a gap.
            self._full = True
        self._back.trim(self.keep.back_bytes)
