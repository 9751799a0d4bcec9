"""bytes, Status -> Spot. Where we are in a file that grows, and how to know it again.

A name and an inode say little: files are renamed, copied, truncated, replaced, and inodes are used again. So a position
has marks: checksums of what stands before it, and before some places further back, ever wider apart. A file is the one
we read if all marks that it is long enough for are in it.
Limits: about a dozen marks, 512 bytes each; a file truncated and filled again with the very same bytes is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias
from zlib import crc32

WINDOW = 512
"""Bytes before a place that its mark is made of."""

TELLING = 4096
"""So many bytes are the same in two files only if one is a copy; fewer may be a heading that all of them begin with."""

# How far behind the end of what is read at once marks are made; between reads, each is so much wider than the last.
_DISTANCES = (32, 256, 2048, 16384)
_WIDER = 8
_MARKS = 24

Mark: TypeAlias = tuple[int, int]
"""An offset, and the checksum of up to 512 bytes before it."""


class Fit(Enum):
    """Whether a file is the one that we have read."""

    NONE = "none"
    SHORT = "short"
    """It is, but ends before our place: a copy, made just before the original was truncated."""
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What stat(2) says of a file."""

    device: int
    inode: int
    size: int
    time: int
    """When it was last written to, in nanoseconds."""

    @property
    def identity(self) -> tuple[int, int]:
        """What no other file has as long as this one is there."""
        return self.device, self.inode


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A position in a file: behind the last whole line that was given out."""

    device: int
    inode: int
    offset: int
    size: int
    """How long it was known to be."""
    time: int
    """When it was last written to, as far as known: nanoseconds."""
    since: int
    """The same, when we began with it: what is older is of other content."""
    marks: tuple[Mark, ...] = ()
    """The nearest first."""

    @classmethod
    def at(cls, status: Status, offset: int = 0) -> Spot:
        """A position in a file of which nothing is known but its status."""
        return cls(
            device=status.device,
            inode=status.inode,
            offset=offset,
            size=status.size,
            time=status.time,
            since=status.time,
        )

    @property
    def identity(self) -> tuple[int, int]:
        """That of the file."""
        return self.device, self.inode

    def seen(self, status: Status) -> Spot:
        """The same position, in the file as it is now."""
        return replace(
            self, device=status.device, inode=status.inode, size=max(status.size, self.offset), time=status.time
        )

    def stepped(self, text: bytes, offset: int) -> Spot:
        """The position `offset`, where `text` ends: whole lines, with as much as is known of what stands before."""
        begin = offset - len(text)
        cuts = [len(text), *(text.rfind(b"\n", 0, max(0, len(text) - distance)) + 1 for distance in _DISTANCES)]
        if not begin:
            cuts.append(text.find(b"\n") + 1)
        whole = [cut for cut in dict.fromkeys(cuts) if cut >= WINDOW or (cut and not begin)]
        new = {begin + cut: crc32(text[max(0, cut - WINDOW) : cut]) for cut in whole}
        return replace(self, offset=offset, marks=_thinned(sorted({**dict(self.marks), **new}.items(), reverse=True)))

    def fits(self, size: int, checksum: Callable[[int], int | None]) -> Fit:
        """Whether a file of this size, with this checksum before any offset (None: unreadable), is ours."""
        marks = [mark for mark in self.marks if mark[0] <= size]
        if any(checksum(offset) != expected for offset, expected in marks):
            return Fit.NONE
        if size >= self.offset:
            return Fit.FULL
        return Fit.SHORT if marks else Fit.NONE

    def begins(self, size: int, checksum: Callable[[int], int | None]) -> bool:
        """Whether a file, perhaps a shorter one, is a copy of ours: by so much that no heading is as long."""
        return any(TELLING <= at <= size for at, _ in self.marks) and self.fits(size, checksum) is not Fit.NONE

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        numbers = [self.device, self.inode, self.offset, self.size, self.time, self.since]
        return [*numbers, [number for mark in self.marks for number in mark]]


def _thinned(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Of marks, the nearest first: each about eight times as far away as the one before; and the first of all."""
    kept, wanted = [marks[0]], 1
    for mark in marks[1:-1]:
        if (distance := marks[0][0] - mark[0]) >= wanted:
            kept.append(mark)
            wanted = distance * _WIDER
    return (*kept, *marks[1:][-1:])


VERSION = 2


def dumped(spots: Sequence[Spot], since: int = 0) -> list[Any]:
    """What a Place has of one name: positions in its files, the oldest first. None at all: there is no file yet.

    `since` is when the last of all that was read was written, also in files that are not among them any more.
    """
    return [VERSION, max(since, newest(spots)), *(spot.dump() for spot in spots)]


def newest(spots: Sequence[Spot]) -> int:
    """When the last of what was read in these files was written, in nanoseconds."""
    return max((spot.time for spot in spots), default=0)


def loaded(state: Any) -> tuple[tuple[Spot, ...], int]:
    """Dumped positions, and their `since`. Raises ValueError for anything else."""
    if isinstance(state, list) and state[:1] == [1]:
        # Of a version that did not keep `since`.
        spots = tuple(_loaded(each) for each in state[1:])
        return spots, newest(spots)
    if not isinstance(state, list) or state[:1] != [VERSION] or type(since := (state[1:2] or [None])[0]) is not int:
        raise ValueError("no position of this version")
    return tuple(_loaded(each) for each in state[2:]), since


def _loaded(state: Any) -> Spot:
    if not isinstance(state, list) or len(state) != 7 or not isinstance(state[6], list):
        raise ValueError("no position in a file")
    *numbers, pairs = state
    if len(pairs) % 2 or len(pairs) > 2 * _MARKS or not all(type(one) is int and one >= 0 for one in numbers + pairs):
        raise ValueError("a position in a file is made of numbers")
    device, inode, offset, size, time, since = numbers
    marks = tuple(zip(pairs[::2], pairs[1::2], strict=True))
    return Spot(device=device, inode=inode, offset=offset, size=size, time=time, since=since, marks=marks)
