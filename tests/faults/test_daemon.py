"""The command line with a fault at each call: what it acknowledged is delivered, by this run or by the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.daemon import LINES, Daemon
from tests.faults.strace import CHANGING, EVERY, Fault, faults_of, needs_strace, traced

pytestmark = [pytest.mark.servers, needs_strace]

# Not `write`: that is how it answers, too, and a pipe is never full in this sense.
FAILING = CHANGING.removeprefix("write,")
Run = Callable[[Daemon, Fault | None], None]


def everywhere(daemon: Daemon, fault: Fault | None) -> None:
    """The fault counts calls of any thread on any file."""
    calls = CHANGING if fault is None or not fault.error else FAILING
    daemon.live(traced(daemon.trace, fault, calls=calls))


def in_the_thread(daemon: Daemon, fault: Fault | None) -> None:
    """The fault counts calls of the thread that delivers, after the first mail."""
    daemon.live(then=daemon.watch(fault))


def in_the_store(daemon: Daemon, fault: Fault | None) -> None:
    """The fault counts calls on the store's files; what opens, reads and locks them among these."""
    daemon.live(traced(daemon.trace, fault, files=daemon.files, calls=EVERY))


def lives(place: Path, run: Run, faults: Iterable[Fault]) -> Iterator[Daemon]:
    """All of them, two at a time."""

    def live(fault: Fault) -> Daemon:
        # A run has its own timing: a retry less, and the last calls of the reference are never made.
        for attempt in range(3):
            daemon = Daemon(place / f"{fault}-{attempt}")
            run(daemon, fault)
            if daemon.trace.fired:
                break
        return daemon

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(live, faults)


def counted(place: Path, run: Run) -> Counter[str]:
    """What two runs without a fault both call: timing adds some calls, and moves others to another thread."""
    counts = []
    for name in ("one", "two"):
        daemon = Daemon(place / name)
        run(daemon, None)
        assert daemon.status == 0, str(daemon)
        assert daemon.acknowledged == list(LINES), str(daemon)
        daemon.must_have_mailed(LINES)
        counts.append(daemon.trace.counts)
    return counts[0] & counts[1]


def step(config: pytest.Config, sample: int) -> int:
    """Every one with --full, else a sample."""
    return 1 if config.getoption("--full") else sample


@pytest.mark.parametrize("run", [everywhere, in_the_thread])
def test_killed_at_any_call_the_next_run_delivers(tmp_path: Path, run: Run, pytestconfig: pytest.Config) -> None:
    faults = faults_of(counted(tmp_path, run), [""], step=step(pytestconfig, 7))
    assert len(faults) > 3
    for daemon in lives(tmp_path, run, faults):
        assert daemon.trace.fired == 1, str(daemon)
        daemon.restart()
        daemon.must_have_mailed()


@pytest.mark.parametrize("run", [everywhere, in_the_thread, in_the_store])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS", "EMFILE", "EINTR"])
def test_what_fails_once_is_made_up_for(tmp_path: Path, run: Run, error: str, pytestconfig: pytest.Config) -> None:
    faults = faults_of(counted(tmp_path, run), [error], step=step(pytestconfig, 29))
    for daemon in lives(tmp_path, run, faults):
        assert daemon.trace.fired, str(daemon)
        assert daemon.status == 0, str(daemon)
        assert daemon.acknowledged == list(LINES), str(daemon)
        daemon.restart()
        daemon.must_have_mailed(LINES)


@pytest.mark.parametrize("run", [everywhere, in_the_store])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS", "EMFILE"])
def test_what_fails_for_good_loses_nothing_acknowledged(
    tmp_path: Path, run: Run, error: str, pytestconfig: pytest.Config
) -> None:
    counts = counted(tmp_path, run)
    for daemon in lives(tmp_path, run, faults_of(counts, [error], on=True, step=step(pytestconfig, 29))):
        assert daemon.trace.fired, str(daemon)
        assert daemon.status in (0, 75), str(daemon)
        daemon.restart()
        daemon.must_have_mailed()
