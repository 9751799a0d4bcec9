"""The command line with a fault at each call: what it acknowledged is delivered, by this run or by the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.daemon import AGAIN, LINES, Daemon
from tests.faults.strace import EVERY, FOR_GOOD, ONCE, Fault, faults_of, needs_strace, some, traced

pytestmark = [pytest.mark.servers, needs_strace]

Run = Callable[[Daemon, Fault | None], None]


def everywhere(daemon: Daemon, fault: Fault | None) -> None:
    """The fault counts calls of any thread on any file."""
    daemon.live(traced(daemon.trace, fault))


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
            daemon = Daemon(place / f"{fault}-{attempt}", again=4 if fault.on else AGAIN)
            daemon.prompt = not fault.on
            run(daemon, fault)
            if daemon.trace.fired:
                break
        return daemon

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(live, faults)


@cache
def counted(run: Run) -> Counter[str]:
    """What two runs without a fault both call: timing adds some calls, and moves others to another thread."""
    counts = []
    for _ in range(2):
        with TemporaryDirectory() as place:
            daemon = Daemon(Path(place))
            run(daemon, None)
            assert daemon.status == 0, str(daemon)
            assert daemon.acknowledged == list(LINES), str(daemon)
            daemon.must_have_mailed(LINES)
            counts.append(daemon.trace.counts)
    return counts[0] & counts[1]


def failing(run: Run) -> Counter[str]:
    """Those of them that may fail. Not `write`, where it is also how it answers: a pipe is never full in this sense."""
    left_out = {"write"} if run is everywhere else set()
    return Counter({call: count for call, count in counted(run).items() if call not in left_out})


@pytest.mark.parametrize(("run", "sample"), [(everywhere, 27), (in_the_thread, 6)])
def test_killed_at_any_call_the_next_run_delivers(
    tmp_path: Path, run: Run, sample: int, pytestconfig: pytest.Config
) -> None:
    for daemon in lives(tmp_path, run, faults_of(counted(run), [""], at_most=some(pytestconfig, sample))):
        assert daemon.trace.fired == 1, str(daemon)
        daemon.restart()
        daemon.must_have_mailed()


@pytest.mark.parametrize(("run", "sample"), [(everywhere, 8), (in_the_thread, 5), (in_the_store, 8)])
def test_what_fails_once_is_made_up_for(tmp_path: Path, run: Run, sample: int, pytestconfig: pytest.Config) -> None:
    for daemon in lives(tmp_path, run, faults_of(failing(run), ONCE, at_most=some(pytestconfig, sample))):
        assert daemon.trace.fired, str(daemon)
        assert daemon.status == 0, str(daemon)
        assert daemon.acknowledged == list(LINES), str(daemon)
        daemon.restart()
        daemon.must_have_mailed(LINES)


@pytest.mark.parametrize(("run", "sample"), [(everywhere, 4), (in_the_store, 3)])
def test_what_fails_for_good_loses_nothing_acknowledged(
    tmp_path: Path, run: Run, sample: int, pytestconfig: pytest.Config
) -> None:
    faults = faults_of(failing(run), FOR_GOOD, on=True, at_most=some(pytestconfig, sample))
    for daemon in lives(tmp_path, run, faults):
        assert daemon.trace.fired, str(daemon)
        assert daemon.status in (0, 75), str(daemon)
        daemon.restart()
        daemon.must_have_mailed()
