"""JournalSource and a journalctl that does as a script says: what it is told, its end, and where reading goes on."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from burstmail import Batch, JournalSource
from burstmail.core.journal import FIELDS
from burstmail.sources import Resumable, journal, journalctl

MACHINE = "0123456789abcdef0123456789abcdef"
PLACE = "journal:x"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = tmp_path / "machine-id"
    machine.write_text(MACHINE + "\n")
    monkeypatch.setattr(journalctl, "MACHINE_ID", str(machine))
    monkeypatch.setattr(journal, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(journal, "ASK", 0.01)


class Script:
    """A journalctl. The n-th to be started writes down what it is told, then does what the n-th turn says."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()
        self.path = directory / "journalctl"
        self.install()
        self.version("systemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT")

    def version(self, text: str) -> None:
        (self._directory / "version").write_text(text)

    def install(self) -> None:
        self.path.write_text(SCRIPT.format(directory=self._directory))
        self.path.chmod(0o755)

    def turn(self, number: int, *entries: int, then: str = "") -> None:
        """What the n-th says, and does then: a shell script; without one it goes on following."""
        said = self._directory / f"said.{number}"
        said.write_text("".join(entry(each) for each in entries))
        (self._directory / f"turn.{number}").write_text(f"cat {said}\n{then}\n")

    def told(self, number: int) -> list[str]:
        return (self._directory / f"told.{number}").read_text().split("\n")[:-1]

    def options(self, number: int) -> list[str]:
        """What it was told, without what it is always told."""
        return [word for word in self.told(number)[4:] if word not in ("--boot=all", "--merge", "--")]

    @property
    def started(self) -> int:
        return len(list(self._directory.glob("told.*")))

    def pid(self, number: int) -> int:
        return int((self._directory / f"pid.{number}").read_text())


SCRIPT = """#!/bin/sh
if [ "$1" = --version ]; then cat {directory}/version; exit; fi
n=1
while ! mkdir {directory}/n.$n 2> /dev/null; do n=$((n + 1)); done
echo $$ > {directory}/pid.$n
printf '%s\\n' "$@" > {directory}/new.$n && mv {directory}/new.$n {directory}/told.$n
[ ! -e {directory}/turn.$n ] || . {directory}/turn.$n
exec sleep 1000
"""


def cursor(number: int) -> str:
    return f"s=1;i={number:x}"


def entry(number: int) -> str:
    told = {"__CURSOR": cursor(number), "__REALTIME_TIMESTAMP": "0", "MESSAGE": f"line {number}"}
    return json.dumps(told) + "\n"


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path / "script")


@pytest.fixture
def source(script: Script) -> Iterator[Callable[..., JournalSource]]:
    made: list[JournalSource] = []

    def make(*matches: str, **options: Any) -> JournalSource:
        options = {"journalctl": script.path, "name": "x", "start": "beginning", **options}
        made.append(JournalSource(*matches, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def read(source: JournalSource, count: int) -> list[Batch]:
    """Batches until there are so many lines; then it is closed, and read to its end."""
    found: list[Batch] = []
    for batch in source:
        found.append(batch)
        if sum(each.count for each in found) >= count:
            source.close()
    return found


def messages(batches: list[Batch]) -> list[str]:
    return [line.split(": ", 1)[1] for batch in batches for line in batch.lines]


def soon(function: Callable[[], object]) -> None:
    timer = threading.Timer(0.05, function)
    timer.daemon = True
    timer.start()


def until(probe: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not probe():
        assert time.monotonic() < end
        time.sleep(0.005)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


Made = Callable[..., JournalSource]


def test_entries_are_lines_and_their_cursor_is_the_place(script: Script, source: Made) -> None:
    script.turn(1, 1, 2)
    found = read(source(zone=None), 2)
    assert messages(found) == ["line 1", "line 2"]
    assert found[-1].place == (PLACE, cursor(2))
    assert (found[0].time, found[0].joined) == (0.0, False)


def test_what_journalctl_is_told(script: Script, source: Made) -> None:
    script.turn(1, 1)
    read(source("_SYSTEMD_UNIT=ssh.service", "PRIORITY=3", "+", "/usr/sbin/cron"), 1)
    assert script.told(1) == [
        "--output=json",
        f"--output-fields={','.join(FIELDS)}",
        "--all",
        "--no-pager",
        "--follow",
        "--no-tail",
        "--boot=all",
        "--merge",
        "--",
        *(f"_MACHINE_ID={MACHINE}", "_SYSTEMD_UNIT=ssh.service", "PRIORITY=3"),
        *("+", f"_MACHINE_ID={MACHINE}", "/usr/sbin/cron"),
    ]


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("systemd 239 (239-82.el8)\n+PAM", False),
        ("systemd 249", False),
        ("systemd 250 (x)", True),
        ("systemd 258~rc1 (x)", True),
        ("systemd " + "9" * 5000, True),
        ("", True),
    ],
)
def test_all_boots_are_asked_for_as_the_version_wants_it(
    script: Script, source: Made, version: str, wanted: bool
) -> None:
    script.version(version)
    script.turn(1, 1)
    read(source(), 1)
    assert {"--boot=all", "--merge"}.issubset(script.told(1)) is wanted


def test_the_journals_of_a_directory_may_be_of_any_machine(script: Script, source: Made, tmp_path: Path) -> None:
    script.turn(1, 1)
    read(source("A=-1", directory=tmp_path), 1)
    assert script.options(1) == [f"--directory={tmp_path}", "--follow", "--no-tail", "A=-1"]


@pytest.mark.parametrize("text", [None, "", "uninitialized\n", "0123", "\xff" * 32])
def test_a_machine_without_an_id_reads_what_there_is(
    script: Script, source: Made, text: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "id"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(journalctl, "MACHINE_ID", str(file))
    script.turn(1, 1)
    read(source(), 1)
    assert script.options(1) == ["--follow", "--no-tail"]


def test_the_end_is_behind_the_last_entry_there_is(script: Script, source: Made) -> None:
    script.turn(1, 5, then="exit 0")
    script.turn(2, 5, 6)
    assert messages(read(source(start="end"), 1)) == ["line 6"]
    assert "--lines=1" in script.told(1) and "--follow" not in script.told(1)
    assert f"--cursor={cursor(5)}" in script.told(2)


def test_the_end_of_an_empty_journal_is_its_beginning(script: Script, source: Made) -> None:
    script.turn(1, then="echo '-- No entries --'; exit 0")
    script.turn(2, 1, 2)
    assert messages(read(source(start="end"), 2)) == ["line 1", "line 2"]
    assert script.options(2) == ["--follow", "--no-tail", f"_MACHINE_ID={MACHINE}"]


def test_the_end_is_asked_for_until_journalctl_answers(script: Script, source: Made) -> None:
    script.turn(1, 5, then="exit 1")
    script.turn(2, 7, then="exit 0")
    script.turn(3, 7, 8)
    assert messages(read(source(start="end"), 1)) == ["line 8"]


def resumed(source: JournalSource, *places: Mapping[str, Any] | None) -> JournalSource:
    answers = list(places)
    source.resume(lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    return source


def test_it_can_be_resumed(source: Made) -> None:
    assert isinstance(source(), Resumable)


@pytest.mark.parametrize("start", ["end", "beginning"])
def test_reading_goes_on_behind_the_saved_place(script: Script, source: Made, start: str) -> None:
    script.turn(1, 3, 4)
    found = read(resumed(source(start=start), {PLACE: cursor(3), "journal:y": cursor(9)}), 1)
    assert messages(found) == ["line 4"]
    assert f"--cursor={cursor(3)}" in script.told(1)
    assert found[0] == Batch(text="", count=0, place=(PLACE, cursor(3)))


def test_where_it_began_is_said_before_anything_comes(script: Script, source: Made) -> None:
    script.turn(1, 5, then="exit 0")
    reading = iter(resumed(source(start="end"), {}))
    assert next(reading).place == (PLACE, cursor(5))
    reading = iter(resumed(source(), {}))
    assert next(reading).place == (PLACE, "")


def test_a_journal_that_was_empty_is_read_from_its_beginning(script: Script, source: Made) -> None:
    script.turn(1, 1)
    assert messages(read(resumed(source(start="end"), {PLACE: ""}), 1)) == ["line 1"]


@pytest.mark.parametrize("saved", [5, None, "x", "t=1;--file=/x", {"cursor": "t=1"}])
def test_a_saved_place_that_is_no_cursor_is_said_and_not_used(
    script: Script, source: Made, saved: object, caplog: pytest.LogCaptureFixture
) -> None:
    script.turn(1, 1)
    assert messages(read(resumed(source(), {PLACE: saved}), 1)) == ["line 1"]
    assert "the saved position in the journal is no cursor, and not used" in caplog.text


def test_while_another_process_has_the_store_it_waits(script: Script, source: Made) -> None:
    script.turn(1, 3, 4)
    found = read(resumed(source(), None, None, {PLACE: cursor(3)}), 1)
    assert messages(found) == ["line 4"] and script.started == 1


def test_close_ends_that_too(script: Script, source: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ASK", 3600.0)
    waiting = resumed(source(), None)
    soon(waiting.close)
    assert list(waiting) == [] and script.started == 0


def test_a_journalctl_that_ends_is_started_again_at_the_cursor(
    script: Script, source: Made, caplog: pytest.LogCaptureFixture
) -> None:
    script.turn(1, 1, 2, then="echo why >&2; exit 3")
    script.turn(2, 2, 3, then="kill -9 $$")
    script.turn(3, 3, 4)
    assert messages(read(source(), 4)) == ["line 1", "line 2", "line 3", "line 4"]
    assert [record.getMessage() for record in caplog.records] == [
        "journalctl says: why",
        "journalctl has ended with status 3; it is started again in 0.01 s, and goes on where it was",
        "journalctl was ended by signal 9; it is started again in 0.01 s, and goes on where it was",
    ]


def test_an_entry_that_is_cut_off_by_the_end_comes_whole_from_the_next(script: Script, source: Made) -> None:
    script.turn(1, 1, then=f"printf '{entry(2)[:20]}'; exit 1")
    script.turn(2, 1, 2)
    assert messages(read(source(), 2)) == ["line 1", "line 2"]


def test_pauses_grow_until_an_entry_comes(
    script: Script, source: Made, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LONGEST_PAUSE", 0.03)
    script.turn(1, 1, then="exit 1")
    for number in (2, 3, 4):
        script.turn(number, 1, then="exit 1")
    script.turn(5, 1, 2, then="exit 1")
    script.turn(6, 2, 3)
    assert messages(read(source(), 3)) == ["line 1", "line 2", "line 3"]
    assert re.findall("in ([0-9.]+) s", caplog.text) == ["0.01", "0.02", "0.03", "0.03", "0.01"]


def test_a_program_that_goes_away_is_waited_for(script: Script, source: Made, caplog: pytest.LogCaptureFixture) -> None:
    waiting = source()
    script.path.unlink()
    script.turn(1, 1)
    soon(script.install)
    assert messages(read(waiting, 1)) == ["line 1"]
    assert "journalctl cannot be started: " in caplog.text and str(script.path) in caplog.text


def test_an_entry_that_the_journal_has_lost_is_told_of_once(
    script: Script, source: Made, caplog: pytest.LogCaptureFixture
) -> None:
    script.turn(1, 7, then="sleep 0.1; cat $0.more; exit 1")
    Path(f"{script.path}.more").write_text(entry(8))
    script.turn(2, 8, 9)
    assert messages(read(resumed(source(), {PLACE: cursor(3)}), 3)) == ["line 7", "line 8", "line 9"]
    assert caplog.text.count("the journal no longer has the entry that was read last") == 1


def test_remarks_are_logged_as_they_come(script: Script, source: Made, caplog: pytest.LogCaptureFixture) -> None:
    script.turn(1, then="printf 'Hint: not everything\\n\\nis \\033[1mshown' >&2; exec 2>&-")
    waiting = source()
    thread = threading.Thread(target=list, args=(waiting,))
    thread.start()
    until(lambda: "Hint" in caplog.text)
    waiting.close()
    thread.join(10)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["journalctl says: Hint: not everything", "journalctl says: is \\x1b[1mshown"]


def test_one_that_complains_for_ever_is_heard_ten_times(
    script: Script, source: Made, caplog: pytest.LogCaptureFixture
) -> None:
    script.turn(1, then=f"yes {'x' * 2000} | head -c 3000000 >&2; cat $0.more")
    Path(f"{script.path}.more").write_text(entry(1))
    assert messages(read(source(), 1)) == ["line 1"]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 10 and max(map(len, said)) < 600


def test_lines_that_make_no_sense_are_counted(script: Script, source: Made, caplog: pytest.LogCaptureFixture) -> None:
    script.turn(1, 1, then="echo what; echo '-- Boot 1 --'; cat $0.more")
    Path(f"{script.path}.more").write_text(entry(2))
    assert messages(read(source(), 2)) == ["line 1", "line 2"]
    assert "1 line from journalctl made no sense, and are left out" in caplog.text


def test_close_from_a_signal_handler_ends_the_wait(script: Script, source: Made) -> None:
    waiting = source()
    before = signal.signal(signal.SIGALRM, lambda *_: waiting.close())

    def ring() -> None:
        until(lambda: script.started == 1)
        os.kill(os.getpid(), signal.SIGALRM)

    ringing = threading.Thread(target=ring)
    ringing.start()
    assert list(waiting) == []
    ringing.join()
    signal.signal(signal.SIGALRM, before)
    assert script.started == 1 and not is_there(script.pid(1))


def test_what_journalctl_has_said_is_read_before_the_end(script: Script, source: Made) -> None:
    script.turn(1, *range(1, 3000))
    reading = source()
    found = []
    for batch in reading:
        found.append(batch)
        if len(found) == 1:
            # As much as the pipe holds is there again: whoever writes sleeps.
            (cat,) = Path(f"/proc/{script.pid(1)}/task/{script.pid(1)}/children").read_text().split()
            until(lambda cat=cat: Path(f"/proc/{cat}/stat").read_text().rpartition(")")[2].split()[0] == "S")
            reading.close()
    assert len(found) == 2


def test_closed_before_it_is_read_it_starts_nothing(script: Script, source: Made) -> None:
    for start in ("end", "beginning"):
        closed = source(start=start)
        closed.close()
        assert list(closed) == []
    assert script.started == 0


def test_closed_a_thousand_times_it_is_closed(source: Made) -> None:
    closed = source()
    for _ in range(70_000):
        closed.close()
    assert list(closed) == []


def test_who_stops_reading_leaves_no_process(script: Script, source: Made) -> None:
    script.turn(1, 1)
    reading = iter(source())
    next(reading)
    assert is_there(script.pid(1))
    reading.close()  # type: ignore[attr-defined]  # a generator, though a source need not be one
    assert not is_there(script.pid(1))


def test_signals_for_our_group_are_not_for_journalctl(script: Script, source: Made) -> None:
    script.turn(1, 1)
    reading = iter(source())
    next(reading)
    assert os.getpgid(script.pid(1)) == script.pid(1) != os.getpgid(0)


# subprocess warns of it, and reaps it when it can.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_that_cannot_be_killed_is_left_behind(
    script: Script, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journalctl, "LEAVE", 0.05)
    kill = os.killpg
    monkeypatch.setattr(os, "killpg", lambda *_: None)
    script.turn(1, 1)
    assert messages(read(source(), 1)) == ["line 1"]
    kill(script.pid(1), 9)


@pytest.mark.parametrize("then", ["", "exec 2>&-"])
def test_nothing_wakes_up_while_nothing_is_logged(script: Script, source: Made, then: str) -> None:
    script.turn(1, 1, then=then)
    waiting, tasks = source(), []

    def run() -> None:
        tasks.append(threading.get_native_id())
        list(waiting)

    def switches() -> list[str]:
        status = Path(f"/proc/self/task/{tasks[0]}/status").read_text()
        return re.findall("ctxt_switches:\t(.*)", status)

    def settled() -> bool:
        before = switches()
        time.sleep(0.3)
        return switches() == before

    thread = threading.Thread(target=run)
    thread.start()
    # All is said by then.
    until(lambda: script.started == 1 and Path(f"/proc/{script.pid(1)}/comm").read_text() == "sleep\n")
    until(settled)
    before = switches()
    time.sleep(1)
    assert switches() == before
    waiting.close()
    thread.join(10)


@pytest.mark.parametrize(
    "match",
    ["", "FOO", "-x=1", "--file=/x", "foo=1", "__CURSOR=1", "=1", "A B=1", "ü=1", "A" * 65 + "=1", "A=1\0", "++"],
)
def test_what_is_no_match_is_refused(source: Made, match: str) -> None:
    with pytest.raises(ValueError, match="must be FIELD=value"):
        source(match)


@pytest.mark.parametrize("matches", [["+"], ["+", "A=1"], ["A=1", "+"], ["A=1", "+", "+", "B=1"]])
def test_a_plus_stands_between_two(source: Made, matches: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\+ stands between two"):
        source(*matches)


@pytest.mark.parametrize("match", ["_PID=1", "MESSAGE=", "A9_=x=y\nz", "/usr/sbin/sshd"])
def test_what_is_a_match_is_passed_on(script: Script, source: Made, match: str) -> None:
    source(match)


def test_a_start_that_is_none_is_refused(source: Made) -> None:
    with pytest.raises(ValueError, match="start='now'"):
        source(start="now")


def test_a_machine_without_journalctl_is_told_so() -> None:
    with pytest.raises(FileNotFoundError, match="no journalctl-of-nobody on this machine: it comes with systemd"):
        JournalSource(journalctl="journalctl-of-nobody")


@pytest.mark.parametrize(
    ("matches", "directory", "name", "place"),
    [
        ([], None, None, "journal:local"),
        (["A=1"], None, None, "journal:local A=1"),
        ([], "/var/log/journal/remote", None, "journal:/var/log/journal/remote"),
        (["A=1"], "/x", "mine", "journal:mine"),
    ],
)
def test_sources_that_read_something_else_have_other_places(
    script: Script, source: Made, matches: list[str], directory: str | None, name: str | None, place: str
) -> None:
    reading = iter(resumed(source(*matches, directory=directory, name=name), {}))
    assert next(reading).place == (place, "")


def test_it_logs_as_burstmail() -> None:
    assert journal.logger is logging.getLogger("burstmail")
