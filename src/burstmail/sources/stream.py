"""A file descriptor -> Batch. One read is one Batch.

Told to close, it still reads what is there: a logger that stops closes the pipe just after it has sent SIGTERM, and the
lines in it are wanted. Limits: 64 KiB a read, and Framer's bound on a line.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterator
from typing import Protocol

from ..core.accept import Framer
from ..core.model import Batch

# What a Linux pipe holds by default: more than that no read can give.
CHUNK = 65536


class HasFileno(Protocol):
    """An open file, socket or pipe."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


class StreamSource:
    """Lines from a descriptor (0, the default, is standard input) or from anything with `fileno()`.

    `linger`, in seconds, is how long a closed stream must be silent before it counts as read. `bound` is the longest
    line in bytes. The descriptor is not closed. Iterating raises OSError, naming the descriptor, when it cannot be read.
    """

    def __init__(self, stream: int | HasFileno = 0, *, linger: float = 0.5, bound: int = 65536) -> None:
        if not linger >= 0:
            raise ValueError(f"linger={linger!r}: must be 0 seconds or more")
        self._fd = stream if isinstance(stream, int) else stream.fileno()
        self._linger = linger
        self._framer = Framer(bound)
        self._closes = 0
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)

    def __iter__(self) -> Iterator[Batch]:
        """Batches until the end of the stream, the unfinished last line included."""
        while self._closes < 2 and self._wait():
            try:
                data = os.read(self._fd, CHUNK)
            except BlockingIOError:
                continue
            except OSError as error:
                if error.errno == errno.EIO:
                    # A terminal whose other side has gone.
                    break
                raise OSError(error.errno, f"cannot read descriptor {self._fd}: {error.strerror}") from None
            if not data:
                break
            yield from self._framer.feed(data, 0.0)
        yield from self._framer.drain(0.0)

    def close(self) -> None:
        """Finish: read what is there, then end. Called a second time: end at once.

        Safe in a signal handler and in any thread.
        """
        self._closes += 1
        try:
            os.write(self._waker, b"x")
        except OSError:
            # Full: it is awake already. Closed: it has ended already.
            return

    def _wait(self) -> bool:
        """Wait until something can be read; False when it is time to end."""
        if not self._closes and self._fd in _readable(None, self._fd, self._wake):
            return True
        # Told to finish: what comes within the linger time is still read.
        return self._closes < 2 and self._fd in _readable(self._linger, self._fd)

    def __del__(self) -> None:
        for fd in (getattr(self, "_wake", -1), getattr(self, "_waker", -1)):
            if fd >= 0:
                os.close(fd)


def _readable(seconds: float | None, *fds: int) -> list[int]:
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(None if seconds is None else seconds * 1000)]
