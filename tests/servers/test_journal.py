"""Real journals, followed by a real journalctl: nothing lost, nothing repeated, whoever is killed in between."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import burstmail
from burstmail import JournalSource
from burstmail.core.fields import parse
from burstmail.sources import journal as module
from tests.conftest import HOW
from tests.servers.processes import log_lines, mails, wait_for
from tests.servers.systemd import BOOTS, WRITER, Journal, journalctls

pytestmark = pytest.mark.servers


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    if not (WRITER and shutil.which("journalctl")):
        pytest.skip(f"no journalctl or systemd-journal-remote here: {HOW}")
    made = Journal(tmp_path / "journal")
    yield made
    made.stop()


class Reading:
    """A source that is read in a thread; where it is, and what came."""

    def __init__(self, directory: Path, *matches: str, place: str | None = None, **options: Any) -> None:
        self.source = JournalSource(*matches, directory=directory, name="x", **options)
        if place is not None:
            self.source.resume(lambda: {"journal:x": place})
        self.lines: list[str] = []
        self.place: str | None = None
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for batch in self.source:
            assert batch.place
            self.lines += batch.lines
            self.place = batch.place[1]

    @property
    def messages(self) -> list[str]:
        return [parse(line).message for line in self.lines]

    def until(self, count: int) -> list[str]:
        wait_for(f"{count} lines, but {self.lines}", lambda: len(self.lines) >= count)
        return self.messages

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()
        self._thread.join(20)
        assert not journalctls()


Read = Callable[..., Reading]


def test_what_is_there_and_what_comes(journal: Journal) -> None:
    journal.log("one", "two")
    with Reading(journal.directory, start="beginning") as reading:
        assert reading.until(2) == ["one", "two"]
        journal.log("three", end=False)
        assert reading.until(3) == ["one", "two", "three"]
    fields = parse(reading.lines[0])
    assert (fields.host, fields.program, fields.pid, fields.severity, fields.facility) == ("web1", "app", "42", 6, 1)


def test_the_end_is_behind_what_is_there(journal: Journal) -> None:
    journal.log("old")
    with Reading(journal.directory, place=None) as reading:
        wait_for("journalctl that follows", lambda: following(journalctls()))
        journal.log("new")
        assert reading.until(1) == ["new"]


def following(pids: list[int]) -> bool:
    # The one that was asked for the end of the journal may be gone by now.
    with suppress(FileNotFoundError, ProcessLookupError):
        return any(b"--follow" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
    return False


def test_a_journal_that_is_not_there_yet(journal: Journal) -> None:
    with Reading(journal.directory) as reading:
        wait_for("journalctl that follows", lambda: following(journalctls()))
        journal.log("first")
        assert reading.until(1) == ["first"]


def test_all_boots_are_followed(journal: Journal) -> None:
    journal.log("one")
    journal.boot = BOOTS[1]
    journal.log("two")
    with Reading(journal.directory, start="beginning") as reading:
        assert reading.until(2) == ["one", "two"]
        journal.boot = BOOTS[2]
        journal.log("three")
        journal.log("other machine", file="other")
        assert reading.until(4) == ["one", "two", "three", "other machine"]
        place = reading.place
    # `--after-cursor` of systemd 252 leaves out the first entry of another boot.
    journal.boot = BOOTS[3]
    journal.log("four", "five")
    with Reading(journal.directory, place=place) as reading:
        assert reading.until(2) == ["four", "five"]


def test_matches_choose(journal: Journal) -> None:
    def entries(*programs: str) -> list[list[tuple[str, str | bytes]]]:
        return [[("MESSAGE", f"of {program}"), ("SYSLOG_IDENTIFIER", program)] for program in programs]

    journal.log(*entries("a", "b", "c", "a"))
    chosen = ["SYSLOG_IDENTIFIER=a", "+", "SYSLOG_IDENTIFIER=c", "MESSAGE=of c"]
    with Reading(journal.directory, *chosen, start="beginning") as reading:
        assert reading.until(3) == ["of a", "of c", "of a"]
        place = reading.place
    # The first that fits is not the one that was read last.
    journal.log(*entries("b", "c", "a"))
    with Reading(journal.directory, *chosen, place=place) as reading:
        assert reading.until(2) == ["of c", "of a"]


def test_the_end_is_that_of_what_fits(journal: Journal) -> None:
    journal.log("a", "b")
    with Reading(journal.directory, "MESSAGE=a") as reading:
        wait_for("journalctl that follows", lambda: following(journalctls()))
        journal.log("c", "a")
        assert reading.until(1) == ["a"]


def test_messages_of_any_form(journal: Journal) -> None:
    forged = "first\n<0>Nov 23 12:00:00 web1 sshd[1]: forged"
    large = "x" * 300_000
    journal.log(
        forged,
        [("MESSAGE", b"\xff\x00\x1b[1mbytes"), ("SYSLOG_IDENTIFIER", "a b\nc"), ("PRIORITY", "2")],
        [("MESSAGE", "one"), ("MESSAGE", b"\xfe"), ("MESSAGE", "three")],
        [("MESSAGE", large)],
        [("MESSAGE", b"\xff" * 2_000_000), ("SYSLOG_IDENTIFIER", "huge")],
        [("PRIORITY", "3")],
        "last",
    )
    with Reading(journal.directory, start="beginning") as reading:
        reading.until(10)
    lines = reading.lines
    assert parse(lines[0]).message == "first" and lines[1] == "\t" + forged.split("\n")[1]
    assert (parse(lines[2]).program, parse(lines[2]).message) == ("a_b_c", "\\xff\0\x1b[1mbytes")
    assert parse(lines[3]).message == "one" and lines[4:6] == ["\t\\xfe", "\tthree"]
    assert parse(lines[6]).message.startswith("x" * 60_000) and lines[6].endswith("bytes cut]")
    assert parse(lines[7]).message.startswith("[an entry of ") and parse(lines[7]).program == "huge"
    assert parse(lines[8]).message == "" and parse(lines[9]).message == "last"


def test_a_cursor_that_is_gone_is_told_of(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    journal.log("one", "two", file="a")
    with Reading(journal.directory, start="beginning") as reading:
        reading.until(2)
        place = reading.place
    journal.log("three", file="b")
    # As journald does to keep its limits.
    (journal.directory / "a.journal").unlink()
    journal.log("four", file="b")
    with Reading(journal.directory, place=place) as reading:
        assert reading.until(2) == ["three", "four"]
    assert "the journal no longer has the entry that was read last" in caplog.text


def test_files_that_rotate_lose_and_repeat_nothing(journal: Journal) -> None:
    with Reading(journal.directory, start="beginning") as reading:
        for number in range(10):
            journal.log(*(f"{number}.{each}" for each in range(50)))
            (journal.directory / "system.journal").rename(journal.directory / f"system@{number}.journal")
        messages = reading.until(500)
    assert messages == [f"{number}.{each}" for number in range(10) for each in range(50)]


def logged(journal: Journal, count: int, pause: float) -> threading.Thread:
    """Numbered entries, written in small groups while others go on."""

    def write() -> None:
        for number in range(0, count, 10):
            journal.log(*(f"line {each}" for each in range(number, number + 10)), end=False)
            time.sleep(pause)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.full)])
def test_journalctl_killed_under_load(journal: Journal, kills: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    count, chance = 250 * kills, random.Random(5)
    writer = logged(journal, count, 0.005)
    with Reading(journal.directory, start="beginning") as reading:
        for _ in range(kills):
            for pid in wait_for("journalctl", journalctls):
                # It may be the one before, which is only now waited for.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(chance.uniform(0, 0.2))
        writer.join()
        messages = reading.until(count)
        time.sleep(0.2)
    assert reading.messages == messages == [f"line {each}" for each in range(count)]


READER = """
import logging, sys
from burstmail import Aggregator, Composer, FileStore, JournalSource, MaildirSink, Pipeline

state, maildir, journal = sys.argv[1:]
logging.basicConfig()
source = JournalSource(directory=journal, start="beginning", name="x")
import signal
signal.signal(signal.SIGTERM, lambda *_: source.close())
print("up", flush=True)
Pipeline(
    Aggregator(gap=0.2, max_age=0.5, max_lines=100),
    Composer(to="root", sender="root@localhost"),
    sink=MaildirSink(maildir),
    store=FileStore(state),
).run(source)
"""


class Reader:
    """A process that mails what a journal says, and can be killed."""

    def __init__(self, tmp_path: Path, journal: Journal) -> None:
        self._arguments = [str(tmp_path / "state"), str(tmp_path / "mails"), str(journal.directory)]
        self.maildir = tmp_path / "mails"
        self._log = tmp_path / "reader.log"

    def start(self) -> subprocess.Popen[bytes]:
        env = {**os.environ, "PYTHONPATH": str(Path(burstmail.__file__).parents[1])}
        command = [sys.executable, "-c", READER, *self._arguments]
        with self._log.open("ab") as log:
            started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=env)
        assert started.stdout and started.stdout.readline() == b"up\n"
        started.stdout.close()
        return started

    def mailed(self) -> list[str]:
        """The messages in all mails; a mail that came twice, as it may after a kill, counts once."""
        if not (self.maildir / "new").exists():
            return []
        unique = {mail["Message-ID"]: mail for mail in mails(self.maildir)}
        return [line.rsplit(": ", 1)[1] for mail in unique.values() for line in log_lines(mail)]


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.full)])
def test_the_reading_process_killed_under_load(journal: Journal, tmp_path: Path, kills: int) -> None:
    count, chance = 400 * kills, random.Random(6)
    reader = Reader(tmp_path, journal)
    writer = logged(journal, count, 0.01)
    for _ in range(kills):
        process = reader.start()
        time.sleep(chance.uniform(0.05, 0.6))
        process.kill()
        process.wait()
    writer.join()
    process = reader.start()
    wait_for("mails", lambda: len(reader.mailed()) >= count, 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    wait_for("end of every journalctl", lambda: not readers_of(journal.directory))
    found = Counter(reader.mailed())
    assert [f"line {each}" for each in range(count) if f"line {each}" not in found] == []
    assert [message for message, times in found.items() if times > 1] == []


def readers_of(directory: Path) -> list[int]:
    """The journalctls that read a directory, whoever has started them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"journalctl" in command and str(directory).encode() in command:
            found.append(int(process.name))
    return found


def test_the_mailed_lines_of_a_stop_and_a_start(journal: Journal, tmp_path: Path) -> None:
    reader = Reader(tmp_path, journal)
    for number in range(3):
        journal.log(*(f"{number}.{each}" for each in range(30)))
        process = reader.start()
        wait_for("the last line in a mail", lambda last=f"{number}.29": last in reader.mailed())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert reader.mailed() == [f"{number}.{each}" for number in range(3) for each in range(30)]
