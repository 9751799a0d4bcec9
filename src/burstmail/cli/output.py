"""A pipe that a command writes into -> a source of its lines, that ends soon after the command.

A child that the command leaves behind may have its output open for years. What it writes in the same breath is read;
after half a second of silence, or 5 seconds, nobody waits for it any longer. With `tee`, all is passed on to standard
output as it came, as fast as that takes it.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress

from burstmail import StreamSource

# Who still writes after so many seconds is a daemon, and nobody waits for the end of that.
LEFT = 5.0
CHUNK = 65536


class Output:
    """Iterate `lines`, then call `done`; `ending` as soon as the command has ended."""

    def __init__(self, descriptor: int, *, tee: bool = False) -> None:
        self._pipe = descriptor
        self._tee: threading.Thread | None = None
        self._over = threading.Event()
        if tee:
            ours, copy = os.pipe()
            self._tee = threading.Thread(target=self._pass_on, args=(copy,), name="tee", daemon=True)
            self._tee.start()
        self.lines = StreamSource(ours if tee else descriptor)

    def ending(self) -> None:
        """The command has ended: what is there is read, and no more. Returns when it has been, or nobody waits."""
        self.lines.close()
        if not self._over.wait(LEFT):
            self.cut()

    def cut(self) -> None:
        """Read no more."""
        self.lines.close()
        self.lines.close()

    @property
    def open(self) -> bool:
        """Whether somebody could still write."""
        poll = select.poll()
        poll.register(self._pipe, 0)
        # A pipe that nobody has open for writing any more has hung up, and says so unasked.
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def done(self) -> None:
        """All has been read."""
        self._over.set()
        # What is passed on must arrive; of a child that is left behind, what there is by now.
        if self._tee and not self.open:
            self._tee.join()

    def discard(self) -> None:
        """Read on, and forget it: whoever writes must not wait for nobody."""
        threading.Thread(target=_forget, args=(self.lines,), name="discard", daemon=True).start()

    def _pass_on(self, copy: int) -> None:
        listening = True
        while data := os.read(self._pipe, CHUNK):
            _write(copy, data)
            if listening:
                try:
                    _write(1, data)
                except OSError:
                    # Nobody reads it any more: that is no reason to stop the command, or the mail.
                    listening = False
        os.close(copy)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _forget(lines: StreamSource) -> None:
    with suppress(OSError):
        for _ in lines:
            continue
