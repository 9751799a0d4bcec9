"""burstmail in a process that can be killed at any moment: what it acknowledged is known all the same.

With `--confirm`, each batch of lines in the journal is answered with one OK on standard output; what it had said
when it was killed is still in the pipe. Lines are written in blocks, each by one write, and a batch is one block or
several: so n answers are for n blocks at least. Forked from a process that has everything imported, since a start then
takes milliseconds.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

READY = b"OK\n"


def import_all() -> None:
    """What a child would import, once and before it is forked; importing is not what gets killed here."""
    import email.policy
    import pkgutil
    import sqlite3
    from importlib import import_module

    import burstmail

    for module in pkgutil.walk_packages(burstmail.__path__, "burstmail."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    assert email.policy and sqlite3


class Child:
    """One burstmail with `--confirm`: its lines go in, its acknowledgements are counted. Its log goes to `log`."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        stdin, self._lines = os.pipe()
        self._replies, stdout = os.pipe()
        self._blocks: list[Sequence[int]] = []
        self._said = b""
        self.pid = os.fork()
        if self.pid == 0:
            _become_burstmail(arguments, log, stdin, stdout)
        os.close(stdin)
        os.close(stdout)
        os.set_blocking(self._lines, False)
        os.set_blocking(self._replies, False)

    def write(self, numbers: Sequence[int], lines: bytes) -> bool:
        """Write a block, the lines of these numbers; False when the pipe is full, or nobody reads it any more."""
        # So that all of it is written, or nothing (pipe(7)).
        assert len(lines) <= select.PIPE_BUF
        try:
            os.write(self._lines, lines)
        except (BlockingIOError, BrokenPipeError):
            return False
        self._blocks.append(numbers)
        return True

    @property
    def ready(self) -> bool:
        """Whether it has said its first OK."""
        return READY in self._listen()

    @property
    def answered(self) -> bool:
        """Whether there are as many answers as blocks."""
        return self._listen().count(READY) > len(self._blocks)

    @property
    def acknowledged(self) -> list[int]:
        """The lines it has answered for, so far."""
        answers = self._listen().count(READY) - 1
        return [number for block in self._blocks[: max(0, answers)] for number in block]

    @property
    def complaints(self) -> list[str]:
        """What it has said that is no OK."""
        return [line.decode() for line in self._listen().split(b"\n")[:-1] if line + b"\n" != READY]

    def kill(self) -> None:
        """SIGKILL, and reap."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._close()

    def signal(self, number: signal.Signals) -> None:
        """A signal, and go on."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """End its input, and go on."""
        os.close(self._lines)
        self._lines = -1

    def end(self, seconds: float = 30.0) -> int:
        """End its input and wait: its exit status. Killed, and TimeoutError, when it does not end."""
        self.hang_up()
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            # It may have more to say than its pipe holds.
            self._listen()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._close()
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        self.kill()
        raise TimeoutError(f"not ended {seconds:g} s after the end of its input")

    def _listen(self) -> bytes:
        while self._replies >= 0 and select.select([self._replies], [], [], 0)[0]:
            if not (data := os.read(self._replies, 65536)):
                break
            self._said += data
        return self._said

    def _close(self) -> None:
        self._listen()
        for fd in (self._lines, self._replies):
            if fd >= 0:
                os.close(fd)
        self._lines = self._replies = -1


def run(arguments: Sequence[str], log: Path, patience: float) -> int:
    """The exit status of a command that is done soon, 0 for one that is killed; what it says is in the log."""
    pid = os.fork()
    if pid == 0:
        _become_burstmail(arguments, log, os.open(os.devnull, os.O_RDONLY))
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 0


def _become_burstmail(arguments: Sequence[str], log: Path, *pipes: int) -> NoReturn:
    """The forked half: descriptors, then the command line's own main. What is no pipe goes to the log."""
    status = 70
    with suppress(BaseException):
        said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number, fd in enumerate((*pipes, said, said)[:3]):
            os.dup2(fd, number)
        # Other children's pipes among them: held open here, they would never end.
        os.closerange(3, 1024)
        from burstmail.cli import main

        status = main(list(arguments), patience=0)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
