"""Faults at chosen system calls, by strace: the k-th call of a kind kills the process, or fails.

strace counts `when=` per thread and per call, and with `-P` only the calls on those files. A signal that is injected
comes before the call is made. What fired is read from strace's own log, never assumed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

# Calls that change what a restart finds. Those a machine does not have are left out by the question mark.
CHANGING = (
    "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,truncate,fallocate,"
    "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,chmod,fchmod,fchmodat"
)
# Calls that can fail besides. The imports of a start make thousands of them, so they are traced on named files only.
EVERY = CHANGING + ",open,openat,read,pread64,mmap,flock,fcntl,stat,lstat,fstat,newfstatat,statx"
# EINTR for good is no fault of a disk: everybody tries again at once (PEP 475).
FOR_GOOD = ("ENOSPC", "EIO", "EROFS", "EMFILE")
ONCE = (*FOR_GOOD, "EINTR")
# What lies in a store's directory, for a trace on named files.
NAMES = ("lock", "door", "store.journal", "store.db", "store.db.new")
NAMES += tuple(f"{name}{end}" for name in NAMES[3:] for end in ("-wal", "-shm", "-journal"))

_QUIET = ("-e", "quiet=attach,personality,exit")
_CALL = re.compile(r"^(?:(\d+) +)?(\w+)\(")

needs_strace = pytest.mark.skipif(
    not shutil.which("strace")
    or subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0,
    reason="no strace that may trace here: run `bash tests/run --install-servers`",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens at the `nth` call of one kind, in every thread that gets so far; `on`: and at all later ones."""

    call: str
    nth: int
    error: str = ""
    """ENOSPC and the like; empty to kill."""
    on: bool = False

    def __str__(self) -> str:
        return f"{self.call}-{self.nth}{'+' * self.on}-{self.error or 'SIGKILL'}"

    @property
    def injection(self) -> str:
        what = f"error={self.error}" if self.error else "signal=SIGKILL"
        return f"inject={self.call}:{what}:when={self.nth}{'+' * self.on}"


@dataclass(frozen=True, slots=True)
class Trace:
    """strace's log of a run, to be read when the run has ended."""

    path: Path

    def __str__(self) -> str:
        return self.path.read_text() if self.path.exists() else ""

    @property
    def fired(self) -> int:
        """How often the fault happened."""
        text = str(self)
        return text.count("(INJECTED)") + ("+++ killed by SIGKILL +++" in text)

    @property
    def counts(self) -> Counter[str]:
        """How many calls of each kind one thread made: the most that any made."""
        threads: dict[str, Counter[str]] = {}
        for line in str(self).splitlines():
            if found := _CALL.match(line):
                threads.setdefault(found[1] or "", Counter())[found[2]] += 1
        most: Counter[str] = Counter()
        for counts in threads.values():
            most |= counts
        return most


def traced(trace: Trace, fault: Fault | None = None, *, files: Iterable[Path] = (), calls: str = CHANGING) -> list[str]:
    """The words before a command that is to be traced, with all its threads and children."""
    words = ["strace", "-f", *_QUIET, "-o", str(trace.path), "-e", _set(calls)]
    # At a stop for seccomp a signal cannot be injected (strace 6.1); errors can, and it is three times as fast.
    if fault is None or fault.error:
        words.append("--seccomp-bpf")
    return [*words, *_rest(fault, files), "--"]


def attached(trace: Trace, thread: int, fault: Fault | None = None, *, calls: str = CHANGING) -> list[str]:
    """The command that traces one thread that runs, and no other."""
    return ["strace", "-o", str(trace.path), "-e", _set(calls), "-p", str(thread), *_rest(fault, ())]


def faults_of(counts: Counter[str], errors: Sequence[str], *, on: bool = False, at_most: int = 0) -> list[Fault]:
    """A fault for each call, with the errors in turn; an empty error kills. `at_most` so many of them, or, 0, all."""
    calls = [(call, nth) for call in sorted(counts) for nth in range(1, counts[call] + 1)]
    step = -(-len(calls) // at_most) if at_most else 1
    turns = cycle(errors)
    return [Fault(call=call, nth=nth, error=next(turns), on=on) for call, nth in calls[::step]]


def some(config: pytest.Config, sample: int) -> int:
    """How many faults: all with --full."""
    return 0 if config.getoption("--full") else sample


def _set(calls: str) -> str:
    return "trace=" + ",".join(f"?{call}" for call in calls.split(","))


def _rest(fault: Fault | None, files: Iterable[Path]) -> list[str]:
    words = ["-e", fault.injection] if fault else []
    for file in files:
        words += ["-P", str(file)]
    return words
