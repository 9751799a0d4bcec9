"""Words -> exit status. A command that runs as if nobody stood in between: standard input, signals, stops, its status.

It is in our process group, so that a terminal's signals reach it without us; those that are sent to us alone are passed
on. To be made while `SIGNALS` are `blocked`, in all threads: one thread of ours takes them.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

# What is passed on. SIGKILL and SIGSTOP nobody can; the others are about what happens inside a process.
SIGNALS = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGTSTP, signal.SIGCONT),
)
# What says that we are to end, once there is nobody to pass it on to.
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
# Stops that a shell knows of: it waits for us, and has to see that we stopped, too.
STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
# Python ignores them, and that is inherited.
RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)
# As env(1), nice(1) and the shell have it.
NOT_FOUND, NOT_RUN = 127, 126


class NotRun(Exception):
    """A command that cannot be run: why, and the status that says so."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


@contextmanager
def blocked() -> Iterator[set[int]]:
    """SIGNALS wait meanwhile, in this thread and in all that it starts. Gives what was blocked before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield {int(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Child:
    """A command, started. `mask` are the signals it has blocked; `output` takes what it writes, if given.

    `ended()` is called in another thread when it has ended, `leave(status)` when we are asked to end after that.
    Raises NotRun.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        mask: set[int],
        output: int | None = None,
        ended: Callable[[], object] = bool,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._ended, self._leave = ended, leave
        # Guards the pid: once it is reaped, another process may have it.
        self._lock = threading.Lock()
        self._status: int | None = None
        self._pid = _spawned(words, output, mask)
        self._waiter = threading.Thread(target=self._wait, name="command", daemon=True)
        self._waiter.start()
        threading.Thread(target=self._relay, name="signals", daemon=True).start()

    def wait(self) -> int:
        """Wait for its end: its status, or minus the number of the signal that ended it."""
        self._waiter.join()
        return self._status or 0

    def _wait(self) -> None:
        while (found := os.waitid(os.P_PID, self._pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)) is not None:
            if found.si_code != os.CLD_STOPPED:
                break
            os.waitid(os.P_PID, self._pid, os.WSTOPPED | os.WNOHANG)
            if found.si_status in STOPS:
                # Whoever has stopped it otherwise may let it go on without us, and it must not wait for us to read.
                os.kill(os.getpid(), signal.SIGSTOP)
        with self._lock:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        self._ended()

    def _relay(self) -> None:
        while True:
            found = signal.sigwaitinfo(SIGNALS)
            # From the kernel: a terminal, which tells the whole group. From the command: it knows already.
            known = found.si_code > 0 or found.si_pid == self._pid
            status = self._passed_on(found.si_signo, known=known)
            if status is not None and found.si_signo in ENDING:
                self._leave(shown(status))

    def _passed_on(self, number: int, *, known: bool) -> int | None:
        """The command's status, if it has ended; else it has the signal now."""
        with self._lock, suppress(OSError):
            if self._status is None and not known:
                os.kill(self._pid, number)
        return self._status


def shown(status: int) -> int:
    """The status with which a shell, and we, tell of it: 128 and the signal."""
    return status if status >= 0 else 128 - status


def _spawned(words: Sequence[str], output: int | None, mask: set[int]) -> int:
    if not words[0]:
        # A variable that is not set: posix_spawnp(3) says the same, but Python asks it no more.
        raise NotRun(os.strerror(errno.ENOENT), NOT_FOUND)
    actions = [] if output is None else [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    try:
        return _spawn(words, actions, mask)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            status = NOT_FOUND if error.errno == errno.ENOENT else NOT_RUN
            raise NotRun(error.strerror or str(error), status) from None
    # A script without its first line: execvp(3), and so every shell, gives it to sh.
    return _spawn(["/bin/sh", _found(words[0]), *words[1:]], actions, mask)


def _spawn(words: Sequence[str], actions: list[tuple[int, int, int]], mask: set[int]) -> int:
    manner: dict[str, Any] = {"file_actions": actions, "setsigmask": mask, "setsigdef": RESTORED}
    return os.posix_spawnp(words[0], list(words), _environment(), **manner)


def _environment() -> dict[str, str]:
    """What we were given. In the C locale, so in every crontab, Python has put LC_CTYPE into it (PEP 538)."""
    environment = dict(os.environ)
    with suppress(OSError), open("/proc/self/environ", "rb") as file:
        if b"\0LC_CTYPE=" not in b"\0" + file.read():
            environment.pop("LC_CTYPE", None)
    return environment


def _found(word: str) -> str:
    from shutil import which

    return which(word) or word
