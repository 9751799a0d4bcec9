"""What is read after a rotation: single cases, and a whole world of rotations without a disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.follow import WINDOW, Fit, Spot, Status
from burstmail.core.generations import Found, generation
from burstmail.core.heirs import Plan, plan

LIVE = "app.log"


@dataclass
class File:
    inode: int
    content: bytes = b""
    time: int = 0

    @property
    def status(self) -> Status:
        return Status(device=1, inode=self.inode, size=len(self.content), time=self.time)


@dataclass
class Disk:
    """A directory, and a clock that moves with everything that happens."""

    files: dict[str, File] = field(default_factory=dict)
    now: int = 1_000_000
    inodes: int = 10
    lines: int = 0
    heading: bytes = b""

    def tick(self) -> int:
        self.now += 1_000_000
        return self.now

    def write(self, count: int, name: str = LIVE) -> None:
        if name not in self.files:
            self.inodes += 1
            self.files[name] = File(self.inodes, self.heading)
        text = b"".join(b"line %d says something\n" % number for number in range(self.lines, self.lines + count))
        self.lines += count
        self.files[name].content += text
        self.files[name].time = self.tick()

    def rename(self, scheme: str) -> None:
        """As logrotate does with `create`."""
        if LIVE in self.files:
            self.files[self._free(scheme)] = self.files.pop(LIVE)
        self.inodes += 1
        self.files[LIVE] = File(self.inodes, self.heading, self.tick())

    def copy(self, scheme: str) -> None:
        if LIVE in self.files:
            self.inodes += 1
            self.files[self._free(scheme)] = File(self.inodes, self.files[LIVE].content, self.tick())

    def truncate(self) -> None:
        if LIVE in self.files:
            self.files[LIVE].content = self.heading
            self.files[LIVE].time = self.tick()

    def _free(self, scheme: str) -> str:
        if scheme == "dates":
            return f"{LIVE}-20261123-{self.tick()}"
        for number in range(len(self.files), 0, -1):
            if f"{LIVE}.{number}" in self.files:
                self.files[f"{LIVE}.{number + 1}"] = self.files.pop(f"{LIVE}.{number}")
        return f"{LIVE}.1"

    def found(self) -> list[Found]:
        made = []
        for name, file in self.files.items():
            kind = None if name == LIVE else generation(LIVE, name)
            made.append(Found(name=name, status=file.status, generation=kind, live=name == LIVE))
        return made

    def plan(self, spot: Spot, **options: object) -> Plan:
        return plan(spot, self.found(), lambda file: self.fit(spot, file), self.begins, **options)  # type: ignore[arg-type]

    def begins(self, file: Found, other: Found) -> bool:
        return self.files[other.name].content.startswith(self.files[file.name].content)

    def fit(self, spot: Spot, file: Found) -> Fit:
        content = self.files[file.name].content
        return spot.fits(len(content), lambda at: crc32(content[max(0, at - WINDOW) : at]))

    def spot(self, name: str = LIVE, end: int | None = None) -> Spot:
        """Of one who has read the file, to its end or less far."""
        file = self.files[name]
        spot = Spot.at(file.status)
        end = len(file.content) if end is None else file.content.rfind(b"\n", 0, end) + 1
        return spot.stepped(file.content[:end], end) if end else spot


def reads(made: Plan) -> list[tuple[str, int]]:
    return [(file.name, offset) for file, offset in made.reads]


@pytest.fixture
def disk() -> Disk:
    made = Disk()
    made.write(100)
    return made


def test_nothing_has_happened(disk: Disk) -> None:
    spot = disk.spot()
    disk.write(1)
    assert reads(disk.plan(spot)) == [(LIVE, spot.offset)]
    assert disk.plan(spot, held=True) == Plan(reads=(), goes_on=False, lost=False)


def test_the_rest_of_a_renamed_file_then_all_after_it(disk: Disk) -> None:
    spot = disk.spot(end=500)
    for _ in range(3):
        disk.rename("numbers")
        disk.write(5)
    rest = [("app.log.2", 0), ("app.log.1", 0), (LIVE, 0)]
    assert reads(disk.plan(spot)) == [("app.log.3", spot.offset), *rest]
    assert reads(disk.plan(spot, held=True)) == rest


def test_a_held_file_that_is_deleted_is_followed_by_what_is_newer(disk: Disk) -> None:
    spot = disk.spot()
    disk.write(5, "app.log.7")
    disk.files["app.log.7"].time = 1
    for _ in range(2):
        disk.rename("dates")
        disk.write(5)
    first, second = sorted(name for name in disk.files if "-" in name)
    del disk.files[first]
    assert disk.plan(spot, held=True).lost is False
    assert reads(disk.plan(spot, held=True)) == [(second, 0), (LIVE, 0)]


def test_the_rest_is_in_the_copy(disk: Disk) -> None:
    spot = disk.spot(end=500)
    disk.copy("numbers")
    disk.truncate()
    disk.write(3)
    disk.copy("numbers")
    disk.truncate()
    # Past our place again.
    disk.write(400)
    assert reads(disk.plan(spot)) == [("app.log.2", spot.offset), ("app.log.1", 0), (LIVE, 0)]


def test_a_copy_that_ends_before_our_place_has_nothing_for_us(disk: Disk) -> None:
    disk.copy("numbers")
    disk.write(3)
    spot = disk.spot()
    disk.truncate()
    disk.write(1)
    made = disk.plan(spot)
    assert reads(made) == [(LIVE, 0)] and not made.lost and not made.goes_on


def test_an_older_file_that_begins_alike_is_not_ours() -> None:
    disk = Disk(heading=b"# a heading, always the same\n")
    for _ in range(2):
        disk.write(2)
        disk.rename("numbers")
    disk.write(100)
    spot = disk.spot()
    disk.truncate()
    disk.write(1)
    assert reads(disk.plan(spot)) == [(LIVE, 0)]


def test_a_truncated_file_that_begins_alike_has_begun_anew() -> None:
    disk = Disk(heading=b"# a heading, always the same\n")
    disk.write(0)
    spot = disk.spot().seen(disk.files[LIVE].status)
    disk.write(50)
    spot = spot.seen(disk.files[LIVE].status)
    disk.copy("numbers")
    disk.truncate()
    disk.write(3)
    assert reads(disk.plan(spot)) == [("app.log.1", spot.offset), (LIVE, 0)]


def test_an_inode_that_is_used_again_is_another_file(disk: Disk) -> None:
    spot = disk.spot()
    disk.rename("numbers")
    disk.files[LIVE].inode = spot.inode
    disk.files["app.log.1"].inode = 99
    disk.write(200)
    assert reads(disk.plan(spot)) == [("app.log.1", spot.offset), (LIVE, 0)]
    del disk.files["app.log.1"]
    assert reads(disk.plan(spot)) == [(LIVE, 0)]


@pytest.mark.parametrize("end", [0, None])
@pytest.mark.parametrize("held", [True, False])
def test_what_is_compressed_is_never_ours(disk: Disk, end: int | None, held: bool) -> None:
    spot = disk.spot(end=end)
    disk.rename("numbers")
    disk.files["app.log.1.gz"] = disk.files.pop("app.log.1")
    assert reads(disk.plan(spot, held=held)) == [(LIVE, 0)]


def test_a_file_that_an_editor_has_replaced_is_the_same(disk: Disk) -> None:
    spot = disk.spot()
    disk.files[LIVE].inode = 99
    disk.write(1)
    assert reads(disk.plan(spot)) == [(LIVE, spot.offset)]


def test_a_file_that_was_moved_away_under_any_name(disk: Disk) -> None:
    spot = disk.spot(end=200)
    disk.files["saved"] = disk.files.pop(LIVE)
    assert reads(disk.plan(spot)) == [("saved", spot.offset)]
    disk.write(1)
    assert reads(disk.plan(spot)) == [("saved", spot.offset), (LIVE, 0)]


@pytest.mark.parametrize("unread", [True, False])
def test_what_was_compressed_before_it_was_read_is_told_of(disk: Disk, unread: bool) -> None:
    spot = disk.spot()
    if unread:
        disk.write(3)
    disk.rename("numbers")
    disk.files["app.log.1.gz"] = disk.files.pop("app.log.1")
    disk.files["app.log.1.gz"].content = b"packed" * 9
    disk.files["app.log.1.gz"].inode = 77
    disk.write(1)
    made = disk.plan(spot)
    assert reads(made) == [(LIVE, 0)] and made.lost is unread


@pytest.mark.parametrize("filled", [True, False])
def test_what_was_empty_when_seen_and_compressed_before_it_was_read_is_told_of(disk: Disk, filled: bool) -> None:
    disk.rename("numbers")
    spot = disk.spot()
    if filled:
        disk.write(1)
    disk.rename("numbers")
    for number in (2, 1):
        disk.files[f"app.log.{number}.gz"] = old = disk.files.pop(f"app.log.{number}")
        old.inode += 70
    disk.write(1)
    disk.rename("numbers")
    disk.write(1)
    made = disk.plan(spot)
    assert reads(made) == [("app.log.1", 0), (LIVE, 0)] and made.lost is filled
    # The inode is used again.
    disk.files["app.log.1"].inode = spot.inode
    assert disk.plan(spot).lost is filled
    assert not disk.plan(spot, since=disk.now).lost


def test_a_generation_that_was_empty_and_is_compressed_was_not_lost(disk: Disk) -> None:
    disk.write(1)
    spot = disk.spot()
    disk.rename("numbers")
    for size, lost in [(20, False), (21, True)]:
        disk.files = {"app.log.2.gz": File(77, b"x" * size, disk.tick()), LIVE: disk.files[LIVE]}
        assert disk.plan(spot).lost is lost


def test_what_is_being_compressed_is_not_lost(disk: Disk) -> None:
    disk.write(1)
    disk.rename("numbers")
    disk.write(1)
    last = disk.spot(end=0)
    # It has the time of its making, until it is done.
    disk.files["app.log.1.gz"] = File(77, b"packed" * 9, disk.tick())
    since = disk.files["app.log.1"].time
    assert not disk.plan(last, since=since).lost
    del disk.files["app.log.1"]
    assert disk.plan(last, since=since).lost
    disk.files["app.log.1.gz"].time = since
    assert not disk.plan(last, since=since).lost


@pytest.mark.parametrize("away", [False, True])
def test_what_was_renamed_while_it_was_empty_may_still_be_written_to(disk: Disk, away: bool) -> None:
    disk.rename("numbers")
    spot = disk.spot()
    for _ in range(1 + away):
        disk.rename("numbers")
    if away:
        del disk.files["app.log.2"]
    assert ("app.log.1", 0) in reads(disk.plan(spot))
    if not away:
        disk.write(1)
        assert reads(disk.plan(spot)) == [("app.log.1", 0), (LIVE, 0)]


@pytest.mark.parametrize("written", [0, 1])
def test_a_copy_that_has_only_begun_is_not_read(disk: Disk, written: int) -> None:
    disk.rename("numbers")
    spot = disk.spot()
    disk.write(written)
    disk.copy("numbers")
    disk.files["app.log.1"].content = b""
    assert reads(disk.plan(spot)) == [(LIVE, 0)]


def test_what_was_known_to_be_there_and_is_gone_is_told_of(disk: Disk) -> None:
    spot = disk.spot(end=100)
    disk.files = {}
    assert disk.plan(spot) == Plan(reads=(), goes_on=False, lost=True)


def test_a_copy_that_somebody_made_is_not_read_again(disk: Disk) -> None:
    disk.write(400)
    spot = disk.spot()
    disk.rename("dates")
    disk.write(1)
    (old,) = (name for name in disk.files if "-" in name)
    disk.files["app.log-20261124"] = File(78, disk.files[old].content, disk.tick())
    assert reads(disk.plan(spot, held=True)) == [(LIVE, 0)]


def test_what_is_read_already_is_not_read_twice(disk: Disk) -> None:
    spot = disk.spot()
    disk.rename("numbers")
    known = disk.files[LIVE].status.identity
    assert reads(disk.plan(spot, held=True, known={known})) == []


def test_a_log_with_a_number_in_its_name_is_not_taken_for_a_generation(disk: Disk) -> None:
    spot = disk.spot()
    disk.files = {"app-2.log": File(50, b"mine\n", disk.tick()), LIVE: File(51, b"new\n", disk.tick())}
    assert reads(disk.plan(spot)) == [(LIVE, 0)]


def test_generations_of_two_kinds_are_told_by_their_times(disk: Disk) -> None:
    spot = disk.spot()
    names = ["app.log.1", "app.log-20261123"]
    disk.files = {name: File(number, b"x\n", disk.tick()) for number, name in enumerate(names)}
    disk.write(1)
    assert reads(disk.plan(spot)) == [("app.log.1", 0), ("app.log-20261123", 0), (LIVE, 0)]


STEPS = st.lists(st.sampled_from(["write", "write", "rename", "copy", "look", "half", "late"]), max_size=30)


@given(STEPS, st.sampled_from(["numbers", "dates"]), st.integers(1, 40))
def test_whatever_happens_between_two_looks_each_line_is_read_once(
    steps: Sequence[str], scheme: str, count: int
) -> None:
    disk = Disk()
    disk.write(1)
    reader = _Reader(disk)
    gone = set()
    for step in [*steps, "look"]:
        if step == "write":
            disk.write(count)
        elif step == "rename":
            disk.rename(scheme)
        elif step == "copy":
            disk.copy(scheme)
            disk.truncate()
        elif step == "late":
            # Lines between copy and truncation: logrotate loses them, if we have not read them by chance.
            disk.copy(scheme)
            gone |= set(range(disk.lines, disk.lines + 2))
            disk.write(2)
            reader.look(None)
            disk.truncate()
        else:
            reader.look(None if step == "look" else 300)
    assert len(reader.lines) == len(set(reader.lines))
    assert set(range(disk.lines)) - gone <= set(reader.lines) <= set(range(disk.lines))
    assert reader.lines == sorted(reader.lines)


class _Reader:
    """Looks now and then, as one does who was away in between; the last file perhaps not to its end."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.spot = Spot.at(disk.files[LIVE].status)
        self.lines: list[int] = []

    def look(self, limit: int | None) -> None:
        made = self._disk.plan(self.spot)
        for file, offset in made.reads:
            content = self._disk.files[file.name].content
            last = file is made.reads[-1][0]
            end = content.rfind(b"\n", 0, offset + limit if last and limit else None) + 1
            spot = self.spot if offset else Spot.at(file.status)
            self.spot = spot.seen(file.status)
            if end > offset:
                self.spot = self.spot.stepped(content[max(0, offset - WINDOW) : end], end)
                self.lines += [int(line.split()[1]) for line in content[offset:end].decode().splitlines()]
