"""kill -9 of a process that follows a file, while it is renamed and truncated: nothing is lost, nothing repeated.

Rotated by hand, where tests/servers/test_logrotate.py has the real one.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from random import Random

import pytest

from tests.servers.logrotate import Reader, Writer
from tests.servers.processes import wait_for


def killed(directory: Path, kills: int, seed: int) -> None:
    random, logs = Random(seed), directory / "logs"
    logs.mkdir()
    writer = Writer(logs / "app.log", seed, creates=True, told=False)
    reader = Reader(directory, str(logs / "app.log*"))
    writer.start()
    try:
        wait_for(f"a position {reader.log}", lambda: reader.numbers())
        for number in range(kills):
            time.sleep(random.random() * 0.3)
            reader.kill()
            for each in range(random.randrange(3)):
                name = logs / f"app.log-20261123-{10_000 + 10 * number + each}"
                # Copied under the hands of its writer: what is lost between the two is in no file.
                copied(logs / "app.log", name) if random.random() < 0.3 else renamed(logs / "app.log", name)
                time.sleep(random.random() * 0.05)
            reader.start()
            if random.random() < 0.7:
                reached(reader, writer.count)
    finally:
        writer.end()
    wait_for(f"the last line {reader.log}", lambda: writer.count - 1 in reader.numbers())
    reader.stop()
    on_disk = {int(line.split()[1][:-1]) for path in logs.iterdir() for line in path.read_text().splitlines()}
    numbers = reader.numbers()
    assert not (lost := on_disk - set(numbers)), (seed, len(lost), sorted(lost)[:5], reader.log)
    assert not (repeated := [number for number in numbers if numbers[number] > 1]), (seed, repeated[:5], reader.log)
    # A kill in the middle of a write leaves half an entry: its lines are read again from their file.
    told = [line for line in reader.log.splitlines() if "was cut off, as by an end while it was written" not in line]
    assert len(on_disk) > 20 * kills and not told


def reached(reader: Reader, line: int) -> None:
    wait_for(f"line {line} {reader.log}", lambda: max(reader.numbers(), default=0) >= line)


def copied(path: Path, to: Path) -> None:
    shutil.copyfile(path, to)
    os.truncate(path, 0)


def renamed(path: Path, to: Path) -> None:
    path.rename(to)
    path.touch()


def test_a_follower_that_is_killed_while_files_rotate(tmp_path: Path) -> None:
    killed(tmp_path, 8, seed=3)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 103))
def test_a_follower_that_is_killed_a_hundred_times(seed: int, tmp_path: Path) -> None:
    killed(tmp_path, 100, seed)
