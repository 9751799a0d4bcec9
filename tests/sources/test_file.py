"""Real files, looked at by a clock of the test's own: what is read, in which order, and where reading goes on."""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from burstmail import Batch, FileSource
from burstmail.core.follow import Spot, Status
from burstmail.sources import Resumable, following, holdings, patterns
from burstmail.sources import file as module
from burstmail.sources.holdings import Holdings
from burstmail.sources.opening import status_of
from burstmail.sources.reading import Reading
from burstmail.testing import ManualClock


class Reader:
    """A source that looks when it is told to; what it has read, and its positions, which JSON has carried."""

    def __init__(self, *paths: Path | str, places: dict[str, Any] | None = None, **options: Any) -> None:
        self.clock = ManualClock()
        self.places: dict[str, Any] = json.loads(json.dumps(places or {}))
        self.source = FileSource(*paths, clock=self.clock, **options)
        self.source.resume(lambda: self.places)
        self.lines: list[str] = []
        self.sources: set[str] = set()
        self._shown = 0
        self._batches = self._read()
        next(self._batches)
        self._shown = 0 if places else len(self.lines)

    def _read(self) -> Iterator[None]:
        """Between two looks, what bell.wait would wait for is left to the test."""
        self.source._bell.wait = lambda seconds: False  # type: ignore[method-assign]
        self.source._pause = lambda: 0.0  # type: ignore[method-assign]
        self.source._begin(self.places)
        while True:
            for batch in self.source._round(False):
                self._take(batch)
            yield

    def _take(self, batch: Batch) -> None:
        assert batch.place and batch.count == batch.text.count("\n")
        self.sources |= {batch.source}
        self.lines += batch.lines
        name, position = json.loads(json.dumps(batch.place))
        self.places.pop(name, None)
        if position is not None:
            self.places[name] = position

    def look(self, seconds: float = 2.0) -> list[str]:
        """What came since the last call, and in so long: a look a second."""
        before = self._shown
        for _ in range(int(seconds)):
            self.clock.advance(1.0)
            next(self._batches)
        self._shown = len(self.lines)
        return self.lines[before:]

    def again(self, *paths: Path | str, **options: Any) -> Reader:
        """A new process that has the positions."""
        self.end()
        return Reader(*paths, places=self.places, **options)

    def end(self) -> None:
        for each in self.source._followed.values():
            each.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def add(path: Path, *lines: str, end: str = "\n") -> None:
    with path.open("ab") as file:
        file.write("\n".join(lines).encode("utf-8", "surrogateescape") + end.encode())


def rotate(path: Path, suffix: str = ".1") -> Path:
    return path.rename(path.with_name(path.name + suffix))


def copytruncate(path: Path, suffix: str = ".1") -> None:
    shutil.copy(path, path.with_name(path.name + suffix))
    os.truncate(path, 0)


def compress(path: Path) -> None:
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    shutil.copystat(path, packed)
    path.unlink()


def test_it_begins_at_the_end_and_reads_what_comes(log: Path) -> None:
    add(log, "old")
    reader = Reader(log)
    assert isinstance(reader.source, Resumable)
    add(log, "new", "newer")
    assert reader.look() == ["new", "newer"]
    add(log, "newest")
    assert reader.look() == ["newest"]


def test_lines_say_which_file_they_are_from(tmp_path: Path) -> None:
    names = [tmp_path / os.fsdecode(name) for name in (b"a.log", b"b\\\xff\n.log")]
    reader = Reader(*names)
    for name in names:
        add(name, "new")
    assert reader.look() == ["new", "new"]
    # What has no lines is of no file; bytes that are no UTF-8 can be mailed all the same.
    assert reader.sources == {"", f"{tmp_path}/a.log", f"{tmp_path}/b\\\\xff\n.log"}


def test_it_begins_at_the_beginning_if_told_to(log: Path) -> None:
    add(log, "old")
    assert Reader(log, start="beginning").lines == ["old"]


def test_a_file_that_appears_is_read_from_its_beginning(log: Path) -> None:
    reader = Reader(log)
    assert reader.look() == []
    add(log, "first")
    assert reader.look() == ["first"]


@pytest.mark.parametrize("start", ["end", "beginning"])
def test_half_a_line_waits_for_the_rest_of_it(log: Path, start: str) -> None:
    add(log, "whole", "ha", end="")
    reader = Reader(log, start=start)
    seen = ["whole"] if start == "beginning" else []
    assert reader.lines == seen
    again = reader.again(log)
    add(log, "lf")
    assert again.look() == ["half"]


def test_bytes_that_are_no_utf8_and_lines_without_end(log: Path) -> None:
    log.write_bytes(b"\xff\x00\r\n" + b"x" * 300_000 + b"\n")
    reader = Reader(log, start="beginning", bound=1000)
    reader.look(5)
    assert reader.lines == ["\\xff\x00", "x" * 1000 + " [... 299000 bytes cut]"]


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(log: Path) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    add(log, "b")
    old = rotate(log)
    add(log, "d")
    add(old, "c")
    assert reader.look() == ["b", "c", "d"]
    # Its writer has not been told yet.
    add(log, "e")
    add(old, "late")
    assert sorted(reader.look()) == ["e", "late"]
    reader.look(61)
    add(old, "too late")
    add(log, "f")
    assert reader.look() == ["f"]
    assert len(reader.places[f"file:{log}"]) == 3


def test_a_renamed_file_is_looked_at_as_long_as_the_new_one_is_empty(log: Path) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    old = rotate(log)
    log.touch()
    reader.look(200)
    add(old, "b")
    assert reader.look() == ["b"]


def test_half_a_line_of_a_file_that_is_gone_is_a_line(log: Path) -> None:
    add(log, "a", "ha", end="")
    reader = Reader(log, start="beginning")
    rotate(log)
    add(log, "b")
    assert reader.look() == ["b"]
    assert reader.look(70) == ["ha"]


def test_a_deleted_file_is_read_to_its_end_and_comes_back(log: Path) -> None:
    reader = Reader(log)
    add(log, "a")
    assert reader.look() == ["a"]
    add(log, "b", "most", end="")
    last = os.stat(log).st_mtime_ns
    log.unlink()
    assert reader.look() == ["b"]
    assert reader.look(70) == ["most"]
    assert reader.places == {f"file:{log}": [2, last]}
    add(log, "a")
    assert reader.look() == ["a"]


def test_several_rotations_between_two_looks(log: Path) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    for number in range(12):
        rotate(log, f"-202611{10 + number}")
        add(log, f"line {number}")
    assert reader.look(40) == [f"line {number}" for number in range(12)]


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("kind", ["rename", "copytruncate"])
def test_rotations_while_nobody_looks_or_reads(log: Path, kind: str, held: bool) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    add(log, "b")
    for number in range(3, 0, -1):
        rotate(log, f".{number}") if kind == "rename" else copytruncate(log, f".{number}")
        add(log, *(f"{number}.{each}" for each in range(50)))
    if not held:
        reader = reader.again(log)
    expected = ["b", *(f"{number}.{each}" for number in (3, 2, 1) for each in range(50))]
    assert reader.look(5) == expected
    assert reader.again(log).look() == []


def test_a_truncated_file_that_has_grown_past_our_place(log: Path) -> None:
    add(log, "a" * 100)
    reader = Reader(log, start="beginning")
    add(log, "b")
    copytruncate(log)
    add(log, "c" * 300)
    assert reader.look(4) == ["b", "c" * 300]


def test_a_file_that_was_truncated_twice_when_it_was_empty(log: Path) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    copytruncate(log, ".2")
    assert reader.look() == []
    add(log, "b")
    copytruncate(log, ".1")
    add(log, "c")
    assert reader.look(4) == ["b", "c"]


def test_a_file_that_was_only_truncated(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    add(log, "a" * 50)
    reader = Reader(log, start="beginning")
    os.truncate(log, 0)
    add(log, "b")
    assert reader.look(4) == ["b"]
    assert not caplog.text


def test_what_was_compressed_unread_is_told_of(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    reader.end()
    add(log, "b")
    rotate(log).rename(log.with_name("app.log.1.gz"))
    add(log.with_name("app.log.1.gz"), "x" * 20)
    add(log, "c")
    os.utime(log.with_name("app.log.1.gz"))
    shutil.copy(log.with_name("app.log.1.gz"), log.with_name("app.log.2.gz"))
    log.with_name("app.log.1.gz").unlink()
    assert reader.again(log).look() == ["c"]
    assert "behind byte 2 was removed or compressed before it was read" in caplog.text


@pytest.mark.parametrize("forgotten", [False, True])
@pytest.mark.parametrize("gone", [False, True])
def test_what_was_rotated_empty_leads_to_no_file_that_is_read_already(log: Path, gone: bool, forgotten: bool) -> None:
    add(log, "one")
    reader = Reader(log, start="beginning")
    old = rotate(log, "-20261123-1")
    log.touch()
    copytruncate(log, "-20261123-2")
    empty = log.with_name("app.log-20261123-2")
    add(log, "three")
    rotate(log, "-20261123-3")
    log.touch()
    reader = reader.again(log)
    # Its writer goes on with the first, which is younger now than the empty one.
    add(old, "two")
    now = os.stat(log).st_mtime_ns
    os.utime(old, ns=(0, now - 10**9))
    os.utime(empty, ns=(0, now - 2 * 10**9))
    assert sorted(reader.look()) == ["three", "two"]
    if gone:
        empty.unlink()
    if forgotten:
        # As where there were more of them than are followed at once.
        (place,) = reader.places.values()
        del place[2]
    again = reader.again(log)
    add(log, "four")
    assert again.look() == ["four"]


def test_what_was_empty_when_last_seen_and_compressed_unread_is_told_of(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    rotate(log, ".3")
    log.touch()
    reader.look()
    reader.end()
    add(log, "b")
    rotate(log, ".2")
    for number in (3, 2):
        compress(log.with_name(f"app.log.{number}"))
    add(log, "c")
    rotate(log)
    add(log, "d")
    assert reader.again(log).look() == ["c", "d"]
    assert caplog.text.count("behind byte 0 was removed or compressed before it was read") == 1


def test_what_was_written_to_a_renamed_file_and_read_is_not_told_of(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    old = rotate(log, ".2")
    log.touch()
    reader.look()
    add(old, "late")
    os.utime(old, ns=(0, os.stat(log).st_mtime_ns + 1_000_000_000))
    assert reader.look() == ["late"]
    reader.end()
    old.rename(log.with_name("app.log.2.gz"))
    rotate(log)
    add(log, "b")
    assert reader.again(log).look() == ["b"]
    assert not caplog.text


def test_what_was_read_and_compressed_then_is_not_told_of(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    old = rotate(log)
    add(log, "b")
    assert reader.look() == ["b"]
    reader.end()
    old.rename(log.with_name("app.log.1.gz"))
    log.with_name("app.log.1.gz").write_bytes(b"packed")
    add(log, "c")
    assert reader.again(log).look() == ["c"]
    assert not caplog.text


def test_what_was_read_is_remembered_when_the_file_is_not_followed_any_more(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    old = rotate(log)
    log.touch()
    reader.look()
    # Its writer is told late, and the file that is empty is the older one.
    add(old, "late")
    os.utime(log, ns=(0, os.stat(old).st_mtime_ns - 1_000_000_000))
    assert reader.look() == ["late"]
    reader.end()
    compress(old)
    for _ in range(2):
        reader = reader.again(log)
        reader.look()
    assert not caplog.text


def test_what_was_seen_and_truncated_before_it_was_read_is_told_of(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    reader = Reader(log)
    add(log, "lost")
    spot = Spot.at(status_of(os.stat(log)))
    reader.end()
    os.truncate(log, 0)
    assert Reader(log, places={f"file:{log}": [2, 0, spot.dump()]}).look() == []
    assert caplog.text.count("behind byte 0 was removed or compressed before it was read") == 1


def test_what_waited_for_its_turn_and_was_truncated_meanwhile_is_told_of(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    add(log, *["b" * 100] * 5000)
    rotate(log)
    add(log, "lost")
    reader.look(1)
    reader.look(1)
    os.truncate(log, 0)
    add(log, "c")
    assert set(reader.look(9)) == {"b" * 100, "c"}
    assert caplog.text.count("behind byte 0 was removed or compressed before it was read") == 1


def test_what_is_written_between_a_look_and_the_opening_is_not_told_of(
    log: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, opened = Reader(log), Holdings.open

    def written_to(self: Holdings, path: str) -> Any:
        add(log, "b")
        return opened(self, path)

    monkeypatch.setattr(Holdings, "open", written_to)
    add(log, "a")
    assert reader.look() == ["a", "b"]
    assert not caplog.text


def test_what_was_filled_copied_and_truncated_between_two_looks_needs_no_further_line(log: Path) -> None:
    log.touch()
    reader = Reader(log)
    add(log, "a")
    copytruncate(log)
    assert reader.look() == ["a"]


def test_a_file_that_was_truncated_while_nobody_looked_is_read_at_the_first_look(log: Path) -> None:
    add(log, "a", "b")
    reader = Reader(log, start="beginning")
    reader.end()
    os.truncate(log, 0)
    add(log, "c")
    assert Reader(log, places=reader.places).lines == ["c"]


def test_a_long_rest_comes_before_all_that_is_newer(log: Path) -> None:
    reader = Reader(log)
    add(log, "a")
    reader.look()
    add(log, *(f"{number:01000}" for number in range(500)))
    rotate(log)
    add(log, "new")
    assert reader.look(10) == [*(f"{number:01000}" for number in range(500)), "new"]


def test_the_time_that_is_kept_is_that_of_the_last_byte_read(log: Path) -> None:
    add(log, "a")
    reading = Reading(Spot.at(status_of(os.stat(log))), 100, os.open(log, os.O_RDONLY))
    before = status_of(os.stat(log))
    add(log, "b")
    os.utime(log, ns=(0, before.time + 5_000_000_000))
    (batch,) = reading.read(before, 0.0)
    assert batch.lines == ["a", "b"]
    assert (reading.spot.time, reading.spot.size) == (before.time + 5_000_000_000, 4)
    reading.close()


def test_all_that_are_quiet_are_looked_at_together(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "a", tmp_path / "b")
    for name in ("a", "b"):
        reader.clock.advance(0.3)
        add(tmp_path / name, name)
        reader.look()
    reader.look(6)
    assert len({due for due, _ in reader.source._next.values()}) == 1
    assert reader.source._refresh in {due for due, _ in reader.source._next.values()}


def test_an_inode_that_is_used_again(log: Path) -> None:
    add(log, "a" * 20)
    reader = Reader(log, start="beginning")
    reader.end()
    log.unlink()
    add(log, "b" * 50)
    assert reader.again(log).look() == ["b" * 50]


def test_patterns_find_new_files_and_no_rotated_ones(tmp_path: Path) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    add(one, "old")
    add(tmp_path / "one.log.1", "older")
    (tmp_path / "two.log.gz").write_bytes(b"packed\n")
    (tmp_path / "directory.log").mkdir()
    os.mkfifo(tmp_path / "fifo.log")
    reader = Reader(tmp_path / "*.log*")
    assert reader.look() == []
    add(two, "2")
    assert reader.look() == ["2"]
    add(one, "new")
    rotate(tmp_path / "one.log.1").rename(tmp_path / "one.log.2")
    rotate(one)
    add(one, "newer")
    assert reader.look(3) == ["new", "newer"]
    two.unlink()
    reader.look(70)
    assert set(reader.places) == {f"file:{one}"}


def test_a_copy_that_somebody_makes_is_not_read_and_one_that_begins_alike_is(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    reader = Reader(tmp_path / "*")
    add(log, "# heading", *(f"line {number}" for number in range(1000)))
    assert len(reader.look()) == 1001
    shutil.copy(log, tmp_path / "app.log.bak")
    add(log, "more")
    add(tmp_path / "other.log", "# heading", "line 0", "other")
    assert sorted(reader.look(3)) == ["# heading", "line 0", "more", "other"]
    # Not all of it, then something else.
    (tmp_path / "most").write_bytes(log.read_bytes()[:-100] + b"\n")
    assert reader.look(3) == []
    add(tmp_path / "most", "own")
    assert reader.look(3) == ["own"]


def test_a_file_that_gets_another_name_is_not_read_again(tmp_path: Path) -> None:
    one = tmp_path / "one.log"
    add(one, "a")
    reader = Reader(tmp_path / "*", start="beginning")
    one = one.rename(tmp_path / "saved")
    add(one, "b")
    assert reader.look(3) == ["b"]
    add(one, "c")
    assert reader.look(3) == ["c"]
    reader = reader.again(tmp_path / "*", start="beginning")
    one.rename(tmp_path / "saved again")
    assert reader.look(3) == []
    assert reader.again(tmp_path / "*", start="beginning").lines == []


def test_what_comes_after_a_file_that_is_read_under_another_name_is_read(tmp_path: Path) -> None:
    log, one, two, three = (tmp_path / f"app{number}.log" for number in ("", ".1", ".2", ".3"))
    add(one, "a")
    add(log, "b")
    reader = Reader(tmp_path / "app.1.log", log, start="beginning")
    one.rename(three)
    log.rename(two)
    add(one, "c")
    add(log, "d")
    reader.look()
    assert reader.lines == ["a", "b", "c", "d"]


@pytest.mark.parametrize("first", ["app.1.log", "app.log"])
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_a_file_that_got_another_name_right_before_a_kill_is_not_read_again(
    tmp_path: Path, first: str, again: bool
) -> None:
    log, one, two = (tmp_path / name for name in ("app.log", "app.1.log", "app.2.log"))
    add(log, "a")
    reader = Reader(tmp_path / "app*", start="beginning")
    old = f"file:{log}"
    told = reader.places[old]
    add(log, "b")
    log.rename(one)
    add(log, "c")
    reader.look()
    # The new name has said how far it is, and the old one, whose look comes later, not yet that it is rid of it.
    places = {name: told if name == old else place for name, place in reader.places.items()}
    reader.end()
    if again:
        one.rename(two)
        log.rename(one)
    add(log, "d")
    in_order = sorted(places, key=lambda name: not name.endswith(f"/{first}"))
    reader = Reader(tmp_path / "app*", places={name: places[name] for name in in_order})
    reader.look(5)
    assert sorted(reader.lines) == ["c", "d"]


def test_a_file_that_is_new_since_the_last_run_is_read_from_its_beginning(tmp_path: Path) -> None:
    add(tmp_path / "one", "a")
    source = FileSource(tmp_path / "*")
    places: dict[str, Any] = {}
    source.resume(lambda: places)
    source.close()
    places.update(batch.place for batch in source if batch.place)
    assert set(places) == {f"file:{tmp_path}/one", f"file:{tmp_path}/*"}
    add(tmp_path / "two", "b")
    assert Reader(tmp_path / "*", places=places).lines == ["b"]


def test_two_names_of_one_file_are_one(tmp_path: Path) -> None:
    add(tmp_path / "a.log", "old")
    os.symlink("a.log", tmp_path / "b.log")
    os.link(tmp_path / "a.log", tmp_path / "c.log")
    reader = Reader(tmp_path / "*.log", start="beginning")
    assert reader.lines == ["old"]
    add(tmp_path / "a.log", "new")
    assert reader.look(4) == ["new"]


def test_a_link_that_leads_to_the_file_of_the_day(tmp_path: Path) -> None:
    link = tmp_path / "current"
    add(tmp_path / "monday", "1")
    link.symlink_to("monday")
    reader = Reader(link, start="beginning")
    add(tmp_path / "monday", "2")
    add(tmp_path / "tuesday", "3")
    link.unlink()
    link.symlink_to("tuesday")
    assert reader.look(3) == ["2", "3"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to somebody else")
def test_a_link_that_somebody_has_laid_is_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret, link = tmp_path / "secret", tmp_path / "app.log"
    add(secret, "secret")
    link.symlink_to("secret")
    os.lchown(link, 65534, 65534)
    reader = Reader(link, start="beginning")
    reader.look(3)
    assert reader.lines == [] and caplog.text.count("a symbolic link of neither root") == 1
    # What is its own may be shown.
    os.chown(secret, 65534, 65534)
    assert reader.look(3) == ["secret"]


def test_a_link_in_the_place_of_a_directory_is_none_either(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("secret", "bob", "amy/logs"):
        (tmp_path / name).mkdir(parents=True)
    add(tmp_path / "secret" / "app.log", "secret")
    add(tmp_path / "amy" / "logs" / "app.log", "amy")
    # The link itself, and one behind another that is in order.
    (tmp_path / "bob" / "logs").symlink_to("../secret")
    (tmp_path / "eve").symlink_to(tmp_path / "bob")
    os.lchown(tmp_path / "bob" / "logs", 65534, 65534)
    reader = Reader(tmp_path / "*" / "logs" / "*.log", start="beginning")
    reader.look(3)
    assert reader.lines == ["amy"] and caplog.text.count("a symbolic link of neither root") == 2
    # What is its own may be shown, once.
    os.chown(tmp_path / "secret" / "app.log", 65534, 65534)
    assert reader.look(3) == ["secret"]


def test_links_in_a_circle(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert Reader(tmp_path / "a", start="beginning").lines == []
    assert "cannot be read, and is waited for" in caplog.text


@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_what_is_no_regular_file_is_said_once_and_waited_for(
    log: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    if kind == "fifo":
        os.mkfifo(log)
    elif kind == "directory":
        log.mkdir()
    else:
        log.symlink_to("/dev/zero")
    reader = Reader(log, start="beginning")
    reader.look(5)
    assert caplog.text.count("app.log cannot be read, and is waited for: it is no regular file") == 1
    log.rmdir() if kind == "directory" else log.unlink()
    add(log, "at last")
    assert reader.look() == ["at last"]


def test_a_directory_that_vanishes_and_comes_back(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "app.log"
    reader = Reader(log)
    log.parent.mkdir()
    add(log, "a")
    assert reader.look() == ["a"]
    log.parent.rename(tmp_path / "away")
    assert reader.look(5) == []
    again = reader.again(log)
    assert again.look(5) == []
    add(tmp_path / "away" / "app.log", "b")
    (tmp_path / "away").rename(log.parent)
    assert again.look(5) == ["b"]


def test_a_file_that_may_not_be_read_yet(log: Path, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    add(log, "old")
    honest = os.open

    def refuse(path: Any, *rest: Any, **more: Any) -> int:
        if path in (log.name, str(log)):
            raise PermissionError(13, "Permission denied")
        return honest(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    reader = Reader(log)
    reader.look(5)
    assert caplog.text.count("cannot be read, and is waited for: Permission denied") == 1
    monkeypatch.undo()
    add(log, "new")
    assert reader.look() == ["new"]


@pytest.mark.parametrize("state", [None, "x", [7], [1, [1]], {"a": 1}])
def test_a_position_that_makes_no_sense_is_not_used(log: Path, state: Any, caplog: pytest.LogCaptureFixture) -> None:
    add(log, "a")
    assert Reader(log, places={f"file:{log}": state}, start="beginning").lines == ["a"]
    assert "the saved position of file:" in caplog.text


def test_names_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\n.log")
    add(path, "a")
    reader = Reader(path, start="beginning")
    assert reader.lines == ["a"] and f"file:{tmp_path}/\\xff\n.log" in reader.places
    add(path, "b")
    assert reader.again(path).look() == ["b"]


@pytest.mark.parametrize(
    "name", [b"a\xff.log", b"a\\xff.log", b"a\\\\.log", b"\\\xff\xc3\xa9\n.log", b"\\x5c.log", b"\\xf.log"]
)
def test_each_name_has_a_place_of_its_own(tmp_path: Path, name: bytes) -> None:
    # What it was, or might be, escaped to.
    other = os.fsdecode(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").encode()
    paths = [tmp_path / os.fsdecode(each) for each in {name, other, name.replace(b"\\", b"\\\\")}]
    for path in paths:
        add(path, "a")
    reader = Reader(tmp_path / "*.log", start="beginning")
    assert reader.lines == ["a"] * len(paths) == ["a"] * len(reader.places)
    for path in paths:
        add(path, "rest")
        rotate(path)
    reader = reader.again(tmp_path / "*.log")
    assert reader.look() == ["rest"] * len(paths)
    assert {*reader.source._followed} == {*map(str, paths)}


def test_at_rest_there_is_one_stat_a_second_for_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        add(tmp_path / f"{number}.log", "x" * number)
    reader = Reader(*(tmp_path / f"{number}.log" for number in range(20)))
    reader.look(5)
    calls: list[str] = []

    def counting(name: str) -> Any:
        honest = getattr(os, name)
        return lambda *words, **more: (calls.append(name), honest(*words, **more))[1]

    for name in ("stat", "fstat", "lstat", "open", "read", "pread", "scandir", "listdir", "readlink"):
        monkeypatch.setattr(os, name, counting(name))
    reader.look(10)
    monkeypatch.undo()
    assert set(calls) == {"stat"} and len(calls) <= 200


def test_whoever_fills_a_directory_does_not_keep_us_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "FILES", 10)
    for number in range(200):
        add(tmp_path / f"{number:03}.log", "old")
        add(tmp_path / f"{number:03}.log.1", "older")
    asked: list[str] = []
    honest = patterns.origins
    monkeypatch.setattr(patterns, "origins", lambda name: asked.append(name) or honest(name))
    found = patterns.Patterns([tmp_path / "*.log*"])
    assert found.paths(()) == [str(tmp_path / f"{number:03}.log") for number in range(10)]
    # Each once, and no more than it takes to know that there are too many.
    assert len(asked) == len({*asked}) == 21


def test_a_thousand_files_and_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert patterns.FILES == 1000
    for number in range(1003):
        add(tmp_path / f"{number:04}.log", "old")
    reader = Reader(tmp_path / "*.log")
    for number in range(1003):
        add(tmp_path / f"{number:04}.log", f"new {number}")
    assert sorted(reader.look(4)) == sorted(f"new {number}" for number in range(1000))
    # More than may be open at a time: renamed while they were not.
    for number in range(0, 1000, 7):
        add(tmp_path / f"{number:04}.log", f"last {number}")
        rotate(tmp_path / f"{number:04}.log")
        add(tmp_path / f"{number:04}.log", f"first {number}")
    assert len(os.listdir("/proc/self/fd")) < min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2, 512) + 100
    got = reader.look(6)
    assert sorted(got) == sorted(f"{word} {number}" for number in range(0, 1000, 7) for word in ("last", "first"))
    assert caplog.text.count("more than 1000 files match") == 1
    reader.end()


def test_files_that_are_renamed_again_and_again_do_not_take_all_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "DESCRIPTORS", 16)
    names = [tmp_path / f"{number}.log" for number in range(12)]
    for name in names:
        add(name, f"{name.stem} 0")
    reader, before = Reader(tmp_path / "*.log", start="beginning"), len(os.listdir("/proc/self/fd"))
    got, most = [*reader.lines], 0
    for generation in range(1, 9):
        for name in names:
            rotate(name, f".{generation:03}")
            # More than a look reads: there is always something behind.
            add(name, *(f"{name.stem} {generation}" for _ in range(20_000 if name.stem < "2" else 1)))
        got += reader.look(1)
        most = max(most, len(os.listdir("/proc/self/fd")) - before)
    got += reader.look(9)
    assert most <= 16 + 4
    assert len(got) == sum(1 + 8 * (20_000 if name.stem < "2" else 1) for name in names)
    for name in names:
        mine = [line for line in got if line.startswith(f"{name.stem} ")]
        assert mine == sorted(mine)
    reader.end()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many files may be open, and one while they change hands."""
    monkeypatch.setattr(holdings, "DESCRIPTORS", 16)
    return 17


def opened(reader: Reader) -> int:
    return sum(one.fd >= 0 for each in reader.source._followed.values() for one in each.readings)


def test_renamed_files_do_not_take_all_descriptors(tmp_path: Path, few: int) -> None:
    logs = [tmp_path / f"{number}.log" for number in range(30)]
    for log in logs:
        add(log, "old")
    reader = Reader(tmp_path / "*.log", linger=20)
    assert opened(reader) <= few
    for turn in range(5):
        olds = [rotate(log, f"-2026112{turn}") for log in logs]
        for log in logs:
            add(log, f"{log.stem} {turn}")
        assert sorted(reader.look()) == sorted(f"{log.stem} {turn}" for log in logs)
        assert opened(reader) <= few
    # Also what is written to them late.
    for old in olds:
        add(old, f"late {old.name}")
    assert sorted(reader.look(25)) == sorted(f"late {old.name}" for old in olds)
    assert opened(reader) <= few
    reader.look(25)
    assert {len(each.readings) for each in reader.source._followed.values()} == {1}
    reader.end()


def test_a_file_that_has_grown_and_was_renamed_is_read_before_it_is_closed(log: Path) -> None:
    add(log, "a")
    reader = Reader(log, start="beginning")
    held = reader.source._holdings
    # There is no room for a renamed file beside this one, which is not read to its end.
    held._limit = 2
    held._kept[Reading(Spot.at(status_of(os.stat(log))), 100)] = None
    add(log, "b")
    rotate(log)
    add(log, "c")
    assert reader.look(1) == ["b"]
    held._kept.clear()
    assert reader.look(3) == ["c"]
    reader.end()


@pytest.mark.parametrize("restart", [False, True])
def test_renamed_files_that_are_not_read_yet_wait_for_their_turn(tmp_path: Path, few: int, restart: bool) -> None:
    logs = [tmp_path / f"{number}.log" for number in range(30)]
    for log in logs:
        add(log, "old")
    reader = Reader(tmp_path / "*.log")
    expected: dict[str, list[str]] = {log.stem: [] for log in logs}
    for turn in range(5):
        for log in logs:
            lines = [f"{log.stem} {number:0999} {turn}" for number in range(200)]
            expected[log.stem] += lines
            add(log, *lines)
            rotate(log, f"-2026112{turn}")
    for log in logs:
        add(log, f"{log.stem} new")
    got = reader.look(2)
    if restart:
        reader = reader.again(tmp_path / "*.log")
    for _ in range(100):
        got += reader.look(1)
        assert opened(reader) <= few
    for name, lines in expected.items():
        assert [line for line in got if line.split()[0] == name] == [*lines, f"{name} new"]
    reader.end()


def test_what_was_let_go_of_is_remembered_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "REMEMBERED", 10)
    held = Holdings()
    for number in range(30):
        held.done(Spot.at(Status(device=1, inode=number, size=0, time=0)))
    assert len(held._done) == 10


def test_it_waits_for_the_positions_while_another_process_has_them(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK", 0.01)
    add(log, "a", "b")
    answers: list[dict[str, Any] | None] = [None, None, {}]
    source = FileSource(log, start="beginning")
    source.resume(lambda: answers.pop(0))
    source.close()
    assert list(source) == [] and len(answers) == 2
    source = FileSource(log, start="beginning")
    source.resume(lambda: answers.pop(0))
    lines = [line for batch in _closing(source) for line in batch.lines]
    assert lines == ["a", "b"] and not answers


def _closing(source: FileSource) -> Iterator[Batch]:
    for batch in source:
        yield batch
        source.close()


def test_close_ends_a_source_that_waits_and_reads_what_is_there(log: Path) -> None:
    add(log, "a")
    source = FileSource(log, start="beginning", poll=3600)
    lines: list[str] = []
    first = threading.Event()

    def read() -> None:
        for batch in source:
            lines.extend(batch.lines)
            first.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert first.wait(10)
    add(log, "b")
    source.close()
    thread.join(10)
    assert not thread.is_alive() and lines == ["a", "b"]


@pytest.mark.parametrize(
    ("paths", "options"),
    [
        ((), {}),
        (("a\0b",), {}),
        (("a",), {"start": "middle"}),
        (("a",), {"poll": 0}),
        (("a",), {"poll": float("nan")}),
        (("a",), {"linger": -1}),
        (("a",), {"bound": 0}),
    ],
)
def test_arguments_that_make_no_sense(paths: tuple[str, ...], options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="patterns|start|poll|linger|bound"):
        FileSource(*paths, **options)


def test_eight_files_at_once_for_one_name() -> None:
    assert following.FILES == 8
