"""logrotate taken apart: between any two of its system calls somebody writes, looks, or ends and begins again.

The files are real, the times are the test's own. What logrotate does is in tests/servers; here is every moment of it.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.sources.test_file import Reader


class World:
    """A log, its writer, a logrotate with `compress` and `delaycompress`, and a reader that has its positions."""

    def __init__(self, directory: Path, random: Random, *, copying: bool) -> None:
        self.log = directory / "app.log"
        self.copying = copying
        self.written = 0
        self.unsure: set[int] = set()
        """Written between a copy and the truncation: these logrotate itself loses."""
        self.began = 0
        """The first line in the file that the writer has open."""
        self.told = False
        """Whether the writer knows that there is a new file."""
        self.rotating: Iterator[None] | None = None
        self.reader: Reader | None = None
        self._random, self._directory = random, directory
        self._places: dict[str, Any] = {}
        self._lines: list[str] = []
        self._now = 1_700_000_000_000_000_000
        self.log.touch()
        self._stamp(self.log, 0)
        self._fd = self._opened()
        self.look()

    def _opened(self) -> int:
        return os.open(self.log, os.O_WRONLY | os.O_APPEND)

    def _stamp(self, path: Path | int, *steps: int) -> None:
        self._now += self._random.choice(steps or (0, 1000, 1_000_000, 1_000_000_000))
        os.utime(path, ns=(self._now, self._now))

    @property
    def read(self) -> list[int]:
        return [int(line.split()[1]) for line in self._lines]

    # --- whatever may happen ------------------------------------------------------------------------------------

    def write(self) -> None:
        count = self._random.choice([1, 1, 3, 30])
        text = "".join(f"line {number} says something\n" for number in range(self.written, self.written + count))
        os.write(self._fd, text.encode())
        self.written += count
        self._stamp(self._fd, 1000, 1_000_000, 1_000_000_000)

    def reopen(self) -> None:
        if self.told:
            os.close(self._fd)
            self._fd, self.began, self.told = self._opened(), self.written, False

    def look(self) -> None:
        if self.copying and self.rotating and self.reader is None:
            # Who begins between a copy and its truncation cannot know which of the two is which.
            return
        if self.reader is None:
            self.reader = Reader(self.log, start="beginning", linger=2.0, places=self._places)
        else:
            self.reader.look(self._random.choice([1, 1, 1, 3]))
        self._lines += self.reader.lines
        self.reader.lines = []

    def end(self) -> None:
        if self.reader is not None and not (self.copying and self.rotating):
            self.reader.end()
            self._places, self.reader = self.reader.places, None

    def rotate(self) -> None:
        """The next step; the first only if all that is compressed by it was read."""
        if self.rotating is None:
            if self.told or (self.began and self.began - 1 not in self.read):
                return
            if self.copying and not self.log.stat().st_size:
                # A copy of nothing and a file that was renamed empty look the same.
                return
            self.rotating = self._rotation()
        if next(self.rotating, self) is self:
            self.rotating = None

    def _rotation(self) -> Iterator[None]:
        last, packed = self._file("1"), self._file("1.gz")
        if last.exists():
            content_is_of = os.stat(last).st_mtime_ns
            for content in (b"", gzip.compress(last.read_bytes())):
                packed.write_bytes(content)
                self._stamp(packed)
                yield
            os.utime(packed, ns=(content_is_of, content_is_of))
            yield
            last.unlink()
            yield
        for number in range(len(list(self._directory.iterdir())), 0, -1):
            if (old := self._file(f"{number}.gz")).exists():
                old.rename(self._file(f"{number + 1}.gz"))
                yield
        yield from self._copied(last) if self.copying else self._renamed(last)

    def _renamed(self, last: Path) -> Iterator[None]:
        self.log.rename(last)
        yield
        self.log.touch()
        self._stamp(self.log)
        self.told = True

    def _copied(self, last: Path) -> Iterator[None]:
        last.write_bytes(b"")
        self._stamp(last, 1000)
        yield
        last.write_bytes(self.log.read_bytes())
        self._stamp(last)
        first = self.written
        yield
        self.unsure |= set(range(first, self.written))
        os.truncate(self.log, 0)
        self._stamp(self.log)
        self.began = self.written

    def _file(self, suffix: str) -> Path:
        return self._directory / f"app.log.{suffix}"

    def close(self) -> None:
        os.close(self._fd)
        if self.reader:
            self.reader.end()


def lived(directory: Path, seed: int, *, copying: bool) -> World:
    directory.mkdir()
    random = Random(seed)
    world = World(directory, random, copying=copying)
    steps = [world.write] * 2 + [world.look] * 3 + [world.end, world.reopen] + [world.rotate] * 5
    for _ in range(random.randrange(5, 80)):
        random.choice(steps)()
    while world.rotating:
        world.rotate()
    for _ in range(3):
        world.look()
    world.close()
    return world


def check(tmp_path: Path, caplog: pytest.LogCaptureFixture, seeds: range, *, copying: bool) -> None:
    lines = 0
    for seed in seeds:
        world = lived(tmp_path / str(seed), seed, copying=copying)
        read, lines = world.read, lines + world.written
        assert len(read) == len(set(read)), (seed, "read twice")
        assert set(range(world.written)) - world.unsure <= set(read) <= set(range(world.written)), (seed, "lost")
        # A copy has the time of its making: once it is compressed, nobody can tell that its content was read.
        assert copying or not caplog.text, (seed, "said to be lost")
    assert lines > 5 * len(seeds)


@pytest.mark.parametrize("copying", [False, True])
def test_no_line_is_lost_or_repeated_or_said_to_be_whatever_happens_between_two_steps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, copying: bool
) -> None:
    check(tmp_path, caplog, range(600), copying=copying)


@pytest.mark.full
@pytest.mark.parametrize("copying", [False, True])
def test_the_same_for_many_more_lives(tmp_path: Path, caplog: pytest.LogCaptureFixture, copying: bool) -> None:
    check(tmp_path, caplog, range(1000, 21_000), copying=copying)
