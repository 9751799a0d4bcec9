"""A file descriptor -> Batch. What can be read at once is one Batch.

Told to close, it still reads what is there: a logger that stops closes the pipe just after it has sent SIGTERM, and the
lines in it are wanted. Limits: 64 KiB a read, 128 KiB a Batch, and Framer's bound on a line.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Iterator
from typing import Protocol

from ..core.accept import Framer
from ..core.kinds import seconds
from ..core.model import Batch

# What a Linux pipe holds by default: more than that no read can give.
CHUNK = 65536
# Reads are joined to so much while there is more at once, so that a store has less to do for each line. Not more: it is
# measured to be as fast as single reads without a store, and 512 KiB, which no cache holds, to be slower by a tenth.
GATHERED = 131072


class HasFileno(Protocol):
    """An open file, socket or pipe."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


class StreamSource:
    """Lines from a descriptor (0, the default, is standard input) or from anything with `fileno()`.

    `linger`, in seconds, is how long a closed stream must be silent before it counts as read. `bound` is the longest
    line in bytes. The descriptor is not closed. Iterating raises OSError, naming the descriptor, when it cannot be
    read, after all that could be. Nobody else should read from it meanwhile.
    """

    def __init__(self, stream: int | HasFileno = 0, *, linger: float = 0.5, bound: int = 65536) -> None:
        seconds(linger=linger)
        if not linger >= 0:
            raise ValueError(f"linger={linger!r}: must be 0 seconds or more")
        if not (isinstance(stream, int) or hasattr(stream, "fileno")):
            raise TypeError(f"stream={stream!r}: must be a descriptor or an open file; FileSource follows a path")
        # A file that nobody holds closes its descriptor.
        self._stream = stream
        self._fd = stream if isinstance(stream, int) else stream.fileno()
        # Longer than this (24 days) poll(2) cannot wait.
        self._linger = min(linger * 1000, 2**31 - 1)
        self._framer = Framer(bound)
        self._failure: OSError | None = None
        # Ask, without taking anything: one that is open for writing only would be waited for without end, and the
        # number of a closed one would be given to the pipe below.
        self._read(0)
        # Each close() leaves a byte in the pipe; only the iteration counts them, so that nothing needs a lock.
        self._closes = 0
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)

    def __iter__(self) -> Iterator[Batch]:
        """Batches until the end of the stream, the unfinished last line included."""
        while not self._failure and self._wait():
            data, ended = self._gather()
            yield from self._framer.feed(data, 0.0)
            if ended:
                break
        yield from self._framer.drain(0.0)
        if self._failure:
            raise self._failure

    def close(self) -> None:
        """Finish: read what is there, then end. Called a second time: end at once.

        Safe in a signal handler and in any thread.
        """
        try:
            os.write(self._waker, b"x")
        except BlockingIOError:
            # Full: thousands of calls wait already.
            return

    def _read(self, size: int) -> bytes | None:
        """What one read gives, nothing at the end; None when there is nothing yet."""
        try:
            return os.read(self._fd, size)
        except BlockingIOError:
            return None
        except OSError as error:
            # EIO from a terminal: its other side has gone. From a disk it means what it says.
            if error.errno != errno.EIO or not stat.S_ISCHR(os.fstat(self._fd).st_mode):
                self._failure = OSError(error.errno, f"cannot read descriptor {self._fd}: {error.strerror}")
            return b""

    def _gather(self) -> tuple[bytes, bool]:
        """What is there, without waiting for more; and whether the end has come."""
        parts: list[bytes] = []
        size, ready = 0, True
        while ready and size < GATHERED:
            data = self._read(CHUNK)
            if data == b"":
                return b"".join(parts), True
            parts.append(data or b"")
            size += len(data or b"")
            ready = [(self._fd, select.POLLIN)] == self._poll.poll(0)
        return b"".join(parts), False

    def _wait(self) -> bool:
        """Wait until something can be read; False when it is time to end."""
        while self._closes < 2:
            ready = [fd for fd, _ in self._poll.poll(self._linger if self._closes else None)]
            if self._wake in ready:
                self._closes += len(os.read(self._wake, 2))
            else:
                return bool(ready)
        return False

    def __del__(self) -> None:
        for fd in (getattr(self, "_wake", -1), getattr(self, "_waker", -1)):
            if fd >= 0:
                os.close(fd)
