"""Entry -> a file that is only appended to, and back.

An entry is one record, written by one call: a head with its checksum and the text's, then the text. It costs a sixth of
what a row in a database costs, and no more bytes on the disk than were read. Records have a generation: those of
an earlier one are left over from before the file was emptied, and are not there. What is half written at the end when a
process dies is no record. A damaged one is skipped: the next is found by its mark, which no UTF-8 contains.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import TypeAlias
from zlib import crc32

from . import FLUSH, LINES, Entry
from .placed import PLACED, entry_from, told

MARK = b"\xff\xfebm"
KINDS = (LINES, FLUSH, PLACED)
# Mark and checksum of what follows; checksum and bytes of the text; generation, id, now, wall, count, kind.
_FRONT, _HEAD = Struct("<4sI"), Struct("<IIQQddQB")
_SIZE = _FRONT.size + _HEAD.size
_Head: TypeAlias = tuple[int, int, int, int, float, float, int, int]
# Bytes that are left to others, and to what takes the journal's place: a full disk is then left by committing.
RESERVE = 256 * 1024


@dataclass(slots=True)
class Found:
    """What a journal holds."""

    entries: list[Entry] = field(default_factory=list)
    generation: int = 0
    """The highest that was met."""
    lost: int = 0
    """Bytes that are no record, where one must have been."""
    lines: int = 0
    """Lines in them, as far as can be seen."""
    torn: int = 0
    """Lines in a record at the end that is not whole; 1 if it does not say."""
    end: int = 0
    """Where the last record ends."""


class Journal:
    """The file at `path`. Every method but `close` raises OSError."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None
        self._end = 0
        self.last = 0
        """The highest id in the file."""

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._end

    @property
    def there(self) -> bool:
        """Whether the file that is written to is the one that others see."""
        try:
            return os.path.samestat(os.fstat(self._open_fd()), os.lstat(self._path))
        except FileNotFoundError:
            return False

    def read(self, generation: int) -> Found:
        """The records of a generation, and of later ones."""
        try:
            with open(os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                return parsed(file.read(), generation)
        except FileNotFoundError:
            return Found()

    def open(self, end: int, last: int) -> bool:
        """Go on writing at `end`, behind the entry with the id `last`. Returns whether the file is new."""
        self.close()
        new = not os.path.lexists(self._path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        self._cut(end)
        self.last = last
        return new

    def append(self, entry: Entry, generation: int) -> None:
        """Write a record. Nothing of it is there when that fails."""
        fd = self._open_fd()
        kind, words = told(entry)
        text = words.encode("utf-8", "backslashreplace")
        data: list[bytes | memoryview] = [_head(entry, kind, generation, text), text]
        self._must_fit(_SIZE + len(text))
        left = _SIZE + len(text)
        try:
            while left := left - (written := os.writev(fd, data)):
                # On a disk that fills up the first write is short; the second says why.
                data = [memoryview(b"".join(data))[written:]]
        except BaseException:
            self._cut(self._end)
            raise
        self._end += _SIZE + len(text)
        self.last = entry.id

    def sync(self) -> None:
        """All records are on the disk; there are none where it was not opened."""
        if self._fd is not None:
            os.fdatasync(self._fd)

    def empty(self) -> None:
        """No records any more."""
        if self._end:
            self._cut(0)
        self.last = 0

    def close(self) -> None:
        """Let go of the file."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _open_fd(self) -> int:
        if self._fd is None:
            raise OSError(errno.EBADF, "its journal is not open")
        return self._fd

    def _cut(self, end: int) -> None:
        os.ftruncate(self._open_fd(), end)
        self._end = end

    def _must_fit(self, size: int) -> None:
        disk = os.fstatvfs(self._open_fd())
        # Root may use what is reserved for it.
        free = (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize
        if free < size + min(RESERVE, disk.f_blocks * disk.f_frsize // 4):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def parsed(data: bytes, generation: int) -> Found:
    """The records in the bytes of a file."""
    found = Found()
    for start, end, head in _records(data):
        if start > found.end:
            _skipped(found, data[found.end : start])
        crc, _, of, id, now, wall, count, kind = head
        found.end, found.generation = end, max(found.generation, of)
        text = data[start + _SIZE : end]
        if of >= generation and crc32(text) == crc:
            words = text.decode("utf-8", "backslashreplace")
            found.entries.append(entry_from(KINDS[kind], words, id=id, now=now, wall=wall, count=count))
        elif of >= generation:
            found.lost, found.lines = found.lost + end - start, found.lines + count
    rest = data[found.end :]
    if rest.strip(b"\0"):
        begun = _told(rest, 0)
        # Less than a head, or than the head says: it was being written when the process died.
        if begun or len(rest) < _SIZE:
            found.torn = max(1, begun[6]) if begun else 1
        else:
            _skipped(found, rest)
    return found


def _skipped(found: Found, data: bytes) -> None:
    """Bytes that begin with what was a head: no line ends in it, whatever its numbers are."""
    found.lost += len(data)
    found.lines += data.count(b"\n", _SIZE)


def _records(data: bytes) -> Iterator[tuple[int, int, _Head]]:
    """Start, end and head of each record whose head is whole."""
    at = data.find(MARK)
    while at >= 0:
        head = _told(data, at)
        if head is None or (end := at + _SIZE + head[1]) > len(data):
            at = data.find(MARK, at + 1)
            continue
        yield at, end, head
        at = data.find(MARK, end)


def _head(entry: Entry, kind: str, generation: int, text: bytes) -> bytes:
    values = (generation, entry.id, entry.now, entry.wall, entry.count, KINDS.index(kind))
    head = _HEAD.pack(crc32(text), len(text), *values)
    return _FRONT.pack(MARK, crc32(head)) + head


def _told(data: bytes, at: int) -> _Head | None:
    """What a head says; None when it is none."""
    head = data[at + _FRONT.size : at + _SIZE]
    if len(head) < _HEAD.size or _FRONT.unpack_from(data, at) != (MARK, crc32(head)):
        return None
    values: _Head = _HEAD.unpack(head)
    return values if values[-1] < len(KINDS) else None
