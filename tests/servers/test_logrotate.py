"""The real logrotate under load, in all its ways; and whoever reads is ended or killed in between."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random

import pytest

from tests.conftest import HOW
from tests.servers.logrotate import Reader, Rotation, Writer
from tests.servers.processes import wait_for

pytestmark = pytest.mark.servers

KEPT = ("rotate 1000",)
PACKED = ("rotate 1000", "compress", "delaycompress")
# logrotate's finest date is a second.
DATED = ("dateext", "dateformat -%Y%m%d-%s")

WAYS = {
    "create": (("create 644", *PACKED), "app.log"),
    "nocreate": (("nocreate", *KEPT), "app.log*"),
    "copytruncate": (("copytruncate", *PACKED), "app.log"),
    "extension": (("create 644", "extension .log", *KEPT), "app*"),
    "create, dates": (("create 644", *DATED, *PACKED), "*"),
    "copytruncate, dates": (("copytruncate", *DATED, *KEPT), "app.log*"),
}
FEW = {"create": 20, "nocreate": 8, "copytruncate": 20, "extension": 5, "create, dates": 3, "copytruncate, dates": 3}
MANY = {"create": 200, "nocreate": 200, "copytruncate": 200, "extension": 50, "create, dates": 50}


def rotated(directory: Path, way: str, rotations: int, seed: int) -> None:
    if not shutil.which("logrotate"):
        pytest.skip(f"no logrotate here: {HOW}")
    (options, pattern), random = WAYS[way], Random(seed)
    rotation = Rotation(directory, *options)
    writer = Writer(rotation.log, seed, creates="nocreate" in options, told="dates" not in way)
    reader = Reader(directory, str(rotation.logs / pattern))
    writer.start()
    try:
        wait_for(f"lines {reader.log}", lambda: reader.numbers())
        for _ in range(rotations):
            time.sleep(random.random() * 0.2 + (1.0 if "dates" in way else 0.0))
            before = writer.count
            rotation.rotate()
            time.sleep(random.random() * 0.05)
            writer.reopen.set()
            disturbed(reader, random)
            # What was rotated now is compressed the next time, and nobody can follow who was away so long.
            wait_for("a writer that knows", lambda before=before: writer.began >= before)  # type: ignore[misc]
            last = writer.began - 1
            wait_for(f"line {last} {reader.log}", lambda last=last: max(reader.numbers()) >= last)  # type: ignore[misc]
    finally:
        writer.end()
    check(rotation, writer, reader, seed)


def disturbed(reader: Reader, random: Random) -> None:
    chance = random.random()
    if chance < 0.4:
        time.sleep(random.random() * 0.1)
        reader.kill()
        time.sleep(random.random() * 0.1)
        reader.start()
    elif chance < 0.6:
        reader.stop()
        reader.start()


def check(rotation: Rotation, writer: Writer, reader: Reader, seed: int) -> None:
    on_disk, last = rotation.on_disk(), writer.count - 1
    wait_for(f"the last line {reader.log}", lambda: last in reader.numbers())
    reader.stop()
    numbers = reader.numbers()
    # What logrotate loses between its copy and its truncation may have been read, or not.
    lost = on_disk - set(numbers)
    assert not lost, (seed, len(lost), sorted(lost)[:5], reader.log)
    repeated = {number: count for number, count in numbers.items() if count > 1}
    assert not repeated, (seed, len(repeated), sorted(repeated)[:5], reader.log)
    assert set(numbers) <= set(range(writer.count)) and len(on_disk) > 100 * reader.lives / 2
    assert "Traceback" not in reader.log and "is in no mail" not in reader.log


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_lost_or_repeated(way: str, tmp_path: Path) -> None:
    rotated(tmp_path, way, FEW[way], seed=1)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("way", MANY)
def test_nothing_is_lost_or_repeated_in_hundreds_of_rotations(way: str, seed: int, tmp_path: Path) -> None:
    rotated(tmp_path, way, MANY[way], seed=100 + seed)
