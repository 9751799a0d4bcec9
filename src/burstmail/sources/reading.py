"""One open file -> Batch. What has been added to it; and whether it is still what it was.

Each read begins a little before the place where the last one ended, and what stands there has to be the same: a file
that was truncated, and has grown past our place between two looks, is found out by that alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from ..core.accept import Framer
from ..core.follow import WINDOW, Spot, Status
from ..core.model import Batch
from .opening import status_of

# As StreamSource gathers.
CHUNK = 131072


class Truncated(Exception):
    """What we have read is no longer in the file."""


class Reading:
    """A file at a position. `fd` is -1 while it is not open."""

    def __init__(self, spot: Spot, bound: int, fd: int = -1, now: float = 0.0) -> None:
        self.spot = spot
        self.fd = fd
        self.active = now
        """When something was last added to it, or it got its successor."""
        self.seen: Status | None = None
        """What it was like when all of it had been read."""
        self._framer = Framer(bound)
        # How far it has been read, which is behind the spot while a line is unfinished, and what stands before.
        self._position = spot.offset
        size = min(WINDOW, spot.offset)
        self._before = os.pread(fd, size, spot.offset - size) if fd >= 0 else b""

    @property
    def behind(self) -> bool:
        """Whether there is more to read, as far as known."""
        return self.seen is None

    @property
    def untouched(self) -> bool:
        """Whether nothing was read of it, nor stands before its place."""
        return not self._position

    def refresh(self) -> None:
        """Find out whether there is more to read by now."""
        if self.fd >= 0 and status_of(os.fstat(self.fd)) != self.seen:
            self.seen = None

    def read(self, status: Status, now: float) -> Sequence[Batch]:
        """Lines that are complete by now, one Batch at most. Raises Truncated, and OSError when it cannot be read."""
        if self.seen == status:
            return ()
        start = self._position - len(self._before)
        chunk = b"" if status.size < self._position else os.pread(self.fd, len(self._before) + CHUNK, start)
        if not chunk.startswith(self._before) or status.size < self._position:
            raise Truncated
        data = chunk[len(self._before) :]
        self.active = now if data else self.active
        # Asked again, so that the time is that of the last byte which was read, and not of the one before.
        after = status_of(os.fstat(self.fd))
        ended = after.size == self._position + len(data)
        self.seen = after if ended else None
        return self._take(data, after if ended else status)

    def _take(self, data: bytes, status: Status) -> Sequence[Batch]:
        known = self._before + data
        whole = known[: len(self._before) + data.rfind(b"\n") + 1] if b"\n" in data else b""
        self._position += len(data)
        self._before = known[-WINDOW:]
        self.spot = self.spot.seen(status)
        if whole:
            self.spot = self.spot.stepped(whole, self._position - len(known) + len(whole))
        if self.spot.size < self._position:
            self.spot = replace(self.spot, size=self._position)
        return self._framer.feed(data, 0.0)

    def rest(self) -> Sequence[Batch]:
        """The unfinished line, when nothing more will come."""
        return self._framer.drain(0.0)

    def close(self) -> None:
        """Let go of the file; the position stays."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)
