"""A disk that fills up and is cleared again: reading and mailing go on, and the store comes back by itself."""

from __future__ import annotations

import re
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.daemon import LINES, PATIENCE, Daemon, Process

SIZE = 256 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(file: Path) -> None:
    """Take all that is left of the disk."""
    with file.open("wb", buffering=0) as full:
        for size in (4096, 1):
            while True:
                try:
                    full.write(bytes(size))
                except OSError:
                    break


def until(what: Callable[[], object], daemon: Daemon, words: str) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, f"{words}\n{daemon}"
        time.sleep(0.02)


def say(process: Process, *lines: str) -> None:
    assert process.stdin
    process.stdin.write("".join(f"{line}\n" for line in lines).encode())


@pytest.mark.servers
def test_a_full_disk_delays_no_mail_and_loses_none(tmp_path: Path, disk: Path) -> None:
    daemon = Daemon(tmp_path, state=disk / "state")
    with daemon.running() as process:
        say(process, "before")
        until(lambda: "before" in daemon.mailed, daemon, "no mail before")
        fill(disk / "filler")
        for number in range(20):
            say(process, f"full {number} {'x' * 3000}")
            until(lambda: len(daemon.mailed) == number + 2, daemon, "no mail meanwhile")  # noqa: B023 - called at once
        (disk / "filler").unlink()
        until(lambda: "the store works again" in daemon.words, daemon, "the store never came back")
        say(process, "after")
        until(lambda: "after" in daemon.mailed, daemon, "no mail after")
        process.kill()
    daemon.restart("again")
    daemon.must_have_mailed(["before", "after", "again"])
    assert len(daemon.mailed) == 23
    assert "disk" in " ".join(daemon.texts.values()), str(daemon)


@pytest.mark.servers
def test_a_flood_larger_than_the_disk_is_counted_to_the_last_line(tmp_path: Path, disk: Path) -> None:
    daemon = Daemon(tmp_path, state=disk / "state")
    lines = [f"{number} {'y' * 1000}" for number in range(4000)]
    with daemon.running() as process:
        for start in range(0, len(lines), 100):
            say(process, *lines[start : start + 100])
        assert process.stdin
        process.stdin.close()
        assert process.wait(PATIENCE) == 0, str(daemon)
    daemon.restart()
    assert counted(daemon) == len(lines), str(daemon)


@pytest.mark.servers
def test_the_logger_hears_of_a_full_disk_and_of_its_end(tmp_path: Path, disk: Path) -> None:
    daemon = Daemon(tmp_path, state=disk / "state")

    def full(process: Process) -> None:
        fill(disk / "filler")
        threading.Timer(1.5, (disk / "filler").unlink).start()

    long = [f"{line} {'z' * 9000}" for line in LINES]
    daemon.live(lines=long, then=full)
    assert daemon.acknowledged == long, str(daemon)
    # More than once: what is small still fits on a full disk.
    assert daemon.words.count("the store fails") == daemon.words.count("the store works again") >= 1, str(daemon)
    assert daemon.status == 0
    daemon.must_have_mailed()


@pytest.mark.parametrize("lifted", [False, True])
def test_files_that_may_not_grow_lose_nothing_acknowledged(
    tmp_path: Path, lifted: bool, pytestconfig: pytest.Config
) -> None:
    """A write over the limit is a short one; the next gives EFBIG (setrlimit(2)). Limits grow until a run passes."""
    step = 999 if pytestconfig.getoption("--full") else 24_999
    passed = False
    for limit in range(0, 200_000, step):
        # A limit that stays will not be over by waiting.
        daemon = Daemon(tmp_path / str(limit), again=2)

        def lift(process: Process) -> None:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        daemon.live(["prlimit", f"--fsize={limit}:unlimited"], then=lift if lifted else None)
        passed = daemon.acknowledged == list(LINES)
        if lifted:
            assert daemon.acknowledged[-4:] == list(LINES[2:]), str(daemon)
        daemon.restart()
        daemon.must_have_mailed()
        if passed:
            break
    assert passed


def counted(daemon: Daemon) -> int:
    """All lines of all mails, shown or left out; a mail that came twice is one."""
    counts: dict[bytes, int] = {}
    for path in (daemon.maildir / "new").glob("*"):
        id, lines = (re.search(pattern, path.read_bytes()) for pattern in (rb"Message-ID: (.*)", rb"lines=(\d+)"))
        assert id and lines
        counts[id[1]] = int(lines[1])
    return sum(counts.values())
