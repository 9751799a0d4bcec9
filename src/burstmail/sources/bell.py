"""What wakes a source: anybody may ring, and whoever waits for something hears it.

It rings once and for good. Nothing here takes a lock or a moment, so that a signal handler may ring too.
"""

from __future__ import annotations

import os


class Bell:
    """A descriptor that is readable from the first `ring` on."""

    def __init__(self) -> None:
        self._ear, self._rope = os.pipe()
        os.set_blocking(self._rope, False)
        self.rung = False
        """Whether somebody has."""

    def ring(self) -> None:
        """Wake who waits. Safe in a signal handler and in any thread."""
        self.rung = True
        try:
            os.write(self._rope, b"x")
        except BlockingIOError:
            # Full: it has rung a thousand times.
            return

    def fileno(self) -> int:
        """What becomes readable, for poll(2); never read, so that it stays so."""
        return self._ear

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it rings: whether it has."""
        from select import POLLIN, poll

        poller = poll()
        poller.register(self._ear, POLLIN)
        return bool(poller.poll(seconds * 1000))

    def __del__(self) -> None:
        for fd in (getattr(self, "_ear", -1), getattr(self, "_rope", -1)):
            if fd >= 0:
                os.close(fd)
