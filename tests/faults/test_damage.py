"""A damaged store never keeps burstmail from starting: what is new is mailed, what is old is mailed or told of."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest

from tests.faults.daemon import LINES, Daemon

NEW = "after the damage"
Damage = Callable[[bytes], bytes]


@pytest.fixture(scope="module", params=["closed", "killed"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    """A store with mails that wait; its process closed it, or was killed with lines in the journal."""
    daemon = Daemon(tmp_path_factory.mktemp(request.param))
    # Where the Maildir should be is a file: every delivery fails for now.
    daemon.maildir.write_text("")
    with daemon.running(more=["--confirm", "--grace", "100ms"]) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == b"OK\n", str(daemon)
        for line in LINES:
            if line == LINES[-2]:
                # The burst before ends here, and its mail waits.
                time.sleep(0.3)
            process.stdin.write(f"{line}\n".encode())
            assert process.stdout.readline() == b"OK\n", str(daemon)
        if request.param == "killed":
            process.kill()
        else:
            process.stdin.close()
            assert process.wait(20) == 0, str(daemon)
    daemon.maildir.unlink()
    return daemon


def copies(whole: Daemon, place: Path, damages: Iterable[tuple[str, Damage]], name: str) -> Iterator[Daemon]:
    """For each damage a copy of the store with one damaged file, and a run on it."""

    def run(number: int, damage: tuple[str, Damage]) -> Daemon:
        daemon = Daemon(place / f"{name}-{number}-{damage[0]}")
        shutil.copytree(whole.state, daemon.state)
        file = daemon.store / name
        file.write_bytes(damage[1](file.read_bytes()))
        daemon.restart(NEW)
        return daemon

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(run, count(), damages)


def must_have_said(daemon: Daemon) -> None:
    """The new line is mailed; every old one too, or both the log and a mail say that something is missing."""
    daemon.must_have_mailed([NEW])
    if set(LINES) <= set(daemon.mailed):
        return
    assert "damaged" in daemon.words, str(daemon)
    assert any("damaged" in text for text in daemon.texts.values()), f"{daemon}\n{daemon.texts}"


def readable(file: Path) -> int:
    """How many mails that wait SQLite itself can read in a file shorter than it should be."""
    found = 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as database, suppress(sqlite3.Error):
        # Without this it refuses the file as a whole.
        database.execute("PRAGMA writable_schema = ON")
        for (value,) in database.execute("SELECT CAST(value AS BLOB) FROM outbox"):
            # What is missing of a page is zeros, or nothing.
            found += bool(value) and not value.endswith(b"\0")
    return found


def cut(at: int) -> tuple[str, Damage]:
    return f"cut-{at}", lambda data: data[:at]


def flipped(at: int, bit: int) -> tuple[str, Damage]:
    return f"flip-{at}.{bit}", lambda data: data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def test_truncated_at_every_64th_byte(whole: Daemon, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    size = (whole.store / "store.db").stat().st_size
    places = range(0, size, 64)
    chosen = places if pytestconfig.getoption("--full") else random.Random(3).sample(places, 8)
    for daemon in copies(whole, tmp_path, map(cut, chosen), "store.db"):
        must_have_said(daemon)
        if damaged := list(daemon.store.glob("*.damaged-1")):
            assert len(daemon.texts) > readable(damaged[0]), str(daemon)


def test_flipped_bits(whole: Daemon, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    size = (whole.store / "store.db").stat().st_size
    dice = random.Random(4)
    many = 1000 if pytestconfig.getoption("--full") else 12
    # A third of them where the file says what it is.
    places = [dice.randrange(200 if number % 3 == 0 else size) for number in range(many)]
    for daemon in copies(whole, tmp_path, [flipped(at, dice.randrange(8)) for at in places], "store.db"):
        must_have_said(daemon)


@pytest.mark.parametrize("name", ["store.journal", "store.db-wal", "store.db-shm"])
def test_what_a_killed_process_leaves_beside_it(
    whole: Daemon, tmp_path: Path, name: str, pytestconfig: pytest.Config
) -> None:
    """The end of a log that is missing is what a power cut leaves: nobody can tell that there was more."""
    size = (whole.store / name).stat().st_size if (whole.store / name).exists() else 0
    if not size:
        pytest.skip("a store that was closed has nothing there")
    dice = random.Random(5)
    many = 300 if pytestconfig.getoption("--full") else 4
    for daemon in copies(whole, tmp_path, [cut(dice.randrange(size)) for _ in range(many)], name):
        daemon.must_have_mailed([NEW])
    flips = [flipped(dice.randrange(size), dice.randrange(8)) for _ in range(many)]
    for daemon in copies(whole, tmp_path, flips, name):
        must_have_said(daemon)


GARBAGE: dict[str, Damage] = {
    "empty": lambda data: b"",
    "text": lambda data: b"this is no database\n" * 100,
    "random": lambda data: random.Random(6).randbytes(len(data)),
    "zeros": lambda data: bytes(len(data)),
    "only its header": lambda data: data[:100] + random.Random(7).randbytes(len(data) - 100),
    "twice": lambda data: data + data,
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage(whole: Daemon, tmp_path: Path, kind: str) -> None:
    for daemon in copies(whole, tmp_path, [("garbage", GARBAGE[kind])], "store.db"):
        must_have_said(daemon)


@pytest.mark.parametrize("name", ["store.db", "store.db-wal", "store.db-shm", "store.journal", "lock", "door"])
def test_a_directory_in_the_place_of_a_file(whole: Daemon, tmp_path: Path, name: str) -> None:
    daemon = Daemon(tmp_path / "run")
    shutil.copytree(whole.state, daemon.state)
    (daemon.store / name).unlink(missing_ok=True)
    (daemon.store / name).mkdir()
    daemon.restart(NEW)
    daemon.must_have_mailed([NEW])
