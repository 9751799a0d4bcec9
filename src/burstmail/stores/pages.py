"""A damaged database -> a copy in which more can be read. SQLite's file formats, as far as that takes.

The log of a database (https://www.sqlite.org/fileformat2.html, section 4) is a header and frames of one page each.
SQLite reads it up to the first frame whose checksum is wrong, and says nothing of those behind. Rows have checksums of
their own: so every page of every finished transaction is taken, and what does not fit falls out row by row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from shutil import copyfileobj
from struct import Struct
from typing import BinaryIO

# As written by `build`; larger pages are no faster for what is in the database, and smaller ones write less.
PAGE = 4096
# Page number; size of the database in pages if a transaction ends here, else 0; the salts of the log; checksums.
_FRAME = Struct(">II4s4s8x")
_HEADER = 32
_STEP = _FRAME.size + PAGE


def frames(log: str, first: int = 0) -> Iterator[tuple[int, int, int]]:
    """Offset of the page, its number, and whether a transaction ends there (not 0), of each frame from `first` on.

    Frames of an older use of the file have two other salts, and are not there. Raises OSError.
    """
    if not os.path.exists(log):
        return
    with open(log, "rb") as file:
        salts = _salts(file)
        at = _HEADER + first * _STEP
        while len(head := _at(file, at, _FRAME.size)) == _FRAME.size:
            page, ends, one, other = _FRAME.unpack(head)
            # One of them may be damaged.
            if page and (one == salts[:4] or other == salts[4:]):
                yield at + _FRAME.size, page, ends
            at += _STEP


def lost_transactions(log: str, read: int) -> int:
    """Finished transactions in the log behind the frames that SQLite has read: it has dropped them. Raises OSError."""
    size = os.path.getsize(log) if os.path.exists(log) else 0
    return sum(1 for at, _, ends in frames(log, read) if ends and at + PAGE <= size)


def overlaid(database: str, copy: str, front: bytes = b"") -> None:
    """Copy a database with all finished transactions of its log; `front`, if given, becomes its first page.

    Raises OSError.
    """
    log = database + "-wal"
    found = list(frames(log))
    last = max((number for number, frame in enumerate(found) if frame[2]), default=-1)
    with open(copy, "r+b") as target:
        with open(database, "rb") as source:
            copyfileobj(source, target)
        for at, page, _ in found[: last + 1]:
            with open(log, "rb") as source:
                data = _at(source, at, PAGE)
            target.seek((page - 1) * PAGE)
            target.write(data.ljust(PAGE, b"\0"))
        _finish(target, front)


def _finish(target: BinaryIO, front: bytes) -> None:
    """No log any more (1, 1), the right size, and no page of the tables beyond the end."""
    pages = max(-(-target.seek(0, os.SEEK_END) // PAGE), int.from_bytes(front[28:32], "big"))
    target.truncate(pages * PAGE)
    if front:
        target.seek(0)
        target.write(front)
    target.seek(18)
    target.write(b"\1\1")
    target.seek(28)
    target.write(pages.to_bytes(4, "big"))


def _salts(file: BinaryIO) -> bytes:
    """The header's; of a damaged header, the first frame's."""
    header, first = _at(file, 16, 8), _at(file, _HEADER + 8, 8)
    return first if _at(file, 0, 3) != b"\x37\x7f\x06" else header


def _at(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
