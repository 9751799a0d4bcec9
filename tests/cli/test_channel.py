"""Diagnostics always have somewhere to go, and never stop the mail."""

from __future__ import annotations

import logging
import os
import select
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from burstmail.cli import channel
from tests.cli.process import HASTY, LONG, environment, run

logger = logging.getLogger("burstmail")


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    level = logger.level
    yield
    channel.detach()
    logger.setLevel(level)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    channel.attach(str(path), None)
    return path


def tails(path: Path) -> list[str]:
    """The lines without their heads."""
    return [line.partition("]: ")[2] for line in path.read_text().splitlines()]


# Where it goes


def test_words_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    channel.attach(None, "/nonexistent")
    logger.warning("try %d failed", 3)
    assert capfd.readouterr().err == "burstmail: try 3 failed\n"


@pytest.mark.parametrize("closed", ["2>/dev/null", "2>&-"])
def test_where_nobody_listens_they_go_to_a_file_in_the_state_directory(tmp_path: Path, closed: str) -> None:
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *HASTY]
    done = run("--to", "root", "--name", "auth", "--sendmail", "/nonexistent", command=shell, env=environment(tmp_path))
    assert done.returncode == 78
    (line,) = (tmp_path / "auth" / "log").read_text().splitlines()
    assert "/nonexistent" in line
    assert stat.S_IMODE((tmp_path / "auth" / "log").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "auth").stat().st_mode) == 0o700


def test_what_is_wrong_before_the_name_is_known_is_told_in_a_log_of_its_own(tmp_path: Path) -> None:
    shell = ["sh", "-c", 'exec "$@" 2>/dev/null', "sh", *HASTY]
    done = run("--to", "root", "--gap", "soon", "--state", str(tmp_path), command=shell)
    assert done.returncode == 78
    assert "'soon' is no duration" in (tmp_path / "startup" / "log").read_text()


def test_a_log_is_found_even_if_other_options_are_wrong(tmp_path: Path) -> None:
    done = run("--gap", "soon", "--log", str(tmp_path / "log"))
    assert (done.returncode, done.stderr) == (78, b"")
    assert "'soon' is no duration" in (tmp_path / "log").read_text()


def test_a_file_that_says_nothing_is_not_made(tmp_path: Path) -> None:
    shell = ["sh", "-c", 'exec "$@" 2>/dev/null', "sh", *HASTY]
    box = tmp_path / "mail"
    run("--to", "root", "--name", "auth", "--maildir", str(box), command=shell, env=environment(tmp_path))
    assert not (tmp_path / "auth" / "log").exists()


def test_none_is_silence(capfd: pytest.CaptureFixture[str]) -> None:
    channel.attach("none", None)
    logger.error("nobody hears this")
    assert capfd.readouterr() == ("", "")


def test_a_new_choice_replaces_the_old_one(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logger.error("first")
    channel.attach("stderr", None)
    logger.error("second")
    assert tails(log) == ["first"]
    assert capfd.readouterr().err == "burstmail: second\n"


# What it says


def test_a_line_of_a_file_says_when_and_which_process(log: Path) -> None:
    logger.error("down")
    head = log.read_text().split(" ", 1)
    assert len(head[0]) == len("2026-11-23T10:00:00+0100")
    assert head[1] == f"burstmail[{os.getpid()}]: down\n"


def test_nothing_a_server_says_forges_a_line_or_moves_a_cursor(log: Path) -> None:
    logger.error("try failed: %s", "550 no\nburstmail: all is well\x1b[2J\u202e\r\udc80 grüße\t.")
    (line,) = tails(log)
    assert line == r"try failed: 550 no\nburstmail: all is well\x1b[2J\u202e\r\udc80 grüße" + "\t."


def test_lines_of_a_traceback_cannot_pass_for_lines_of_ours(log: Path) -> None:
    try:
        raise ValueError("one\nburstmail: all is well")
    except ValueError:
        logger.exception("this is a bug")
    lines = log.read_text().splitlines()
    assert lines[0].endswith("]: this is a bug")
    assert lines[1] == "  Traceback (most recent call last):"
    assert lines[-1] == "  burstmail: all is well"
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_record_has_a_bound(log: Path) -> None:
    logger.error("x" * 100_000)
    assert len(log.read_text()) < 2100


# What it survives


def test_a_file_is_bounded_with_one_older_beside_it(log: Path) -> None:
    for number in range(1000):
        logger.error("%d %s", number, "x" * 1900)
    older = log.with_name("log.1")
    assert sorted(path.name for path in log.parent.iterdir()) == ["log", "log.1"]
    assert log.stat().st_size <= channel.FILE_BYTES
    assert older.stat().st_size <= channel.FILE_BYTES
    kept = [int(line.split()[0]) for path in (older, log) for line in tails(path)]
    # The newest, without a gap.
    assert kept == list(range(kept[0], 1000))


def test_several_processes_share_a_file_and_its_bound(tmp_path: Path) -> None:
    code = """
import logging, sys
from burstmail.cli import channel
channel.attach(sys.argv[1], None)
for number in range(400):
    logging.getLogger("burstmail").error("%s %d %s", sys.argv[2], number, "x" * 1900)
"""
    path = tmp_path / "log"
    command = [sys.executable, "-c", code, str(path)]
    children = [subprocess.Popen([*command, str(number)], env=environment()) for number in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["log", "log.1"]
    # Who sees the other just moving the file writes a line more.
    assert max(found.stat().st_size for found in tmp_path.iterdir()) < channel.FILE_BYTES + 3 * 2100
    assert all(line.count("]: ") == 1 for found in tmp_path.iterdir() for line in found.read_text().splitlines())


def test_who_comes_second_to_move_a_file_does_not_move_the_new_one(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger.error("x" * 1900)
    monkeypatch.setattr(channel, "FILE_BYTES", 2500)

    def moved(*_: object) -> None:
        # Another process was just faster.
        log.rename(log.with_name("log.1"))
        log.write_text("new\n")

    monkeypatch.setattr(channel.fcntl, "flock", moved)
    logger.error("y" * 1900)
    assert tails(log.with_name("log.1")) == ["x" * 1900]
    assert log.read_text().startswith("new\n")
    assert "yyy" in log.read_text()


def test_a_file_that_somebody_moves_away_is_made_again(log: Path) -> None:
    logger.error("before")
    log.rename(log.with_name("archive"))
    logger.error("after")
    assert tails(log) == ["after"]


def test_what_could_not_be_written_is_counted_when_it_can_be_again(log: Path) -> None:
    logger.error("one")
    log.unlink()
    log.mkdir()
    logger.error("two")
    logger.error("three")
    log.rmdir()
    logger.error("four")
    assert tails(log) == ["2 log lines could not be written", "four"]


def test_a_message_with_wrong_arguments_raises_nothing(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # To our handler alone: that of the tests would raise.
    (handler,) = (handler for handler in logger.handlers if isinstance(handler, channel.Channel))
    handler.emit(logging.LogRecord("burstmail", logging.ERROR, "", 0, "%d", ("no number",), None))
    logger.error("next")
    assert tails(log) == ["1 log lines could not be written", "next"]
    assert capfd.readouterr() == ("", "")


def test_a_reader_of_standard_error_that_sleeps_holds_up_nothing() -> None:
    code = """
import logging, os
from burstmail.cli import channel
channel.attach("stderr", None)
for number in range(1000):
    logging.getLogger("burstmail").error("%d %s", number, "x" * 1000)
os.write(1, b"done\\n")
os.read(0, 1)
logging.getLogger("burstmail").error("awake")
"""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", code], env=environment(), bufsize=0, **pipes) as process:
        assert process.stdin and process.stdout and process.stderr
        try:
            # It says so although nobody has read a line.
            assert select.select([process.stdout], [], [], LONG)[0]
            assert process.stdout.read(5) == b"done\n"
            assert len(process.stderr.read(1 << 20)) > 4096
            process.stdin.write(b"x")
            rest = process.stderr.read()
        finally:
            process.kill()
    assert b"log lines could not be written\nburstmail: awake\n" in rest


def test_a_standard_error_that_has_gone_raises_nothing() -> None:
    code = """
import logging, os
from burstmail.cli import channel
reading, writing = os.pipe()
os.close(reading)
os.dup2(writing, 2)
channel.attach("stderr", None)
logging.getLogger("burstmail").error("nobody")
"""
    assert subprocess.run([sys.executable, "-c", code], env=environment(), check=False).returncode == 0


# What it refuses


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "hard link", "nowhere", "device"])
def test_a_log_that_is_no_file_of_our_own_is_refused(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "log", tmp_path / "other"
    other.write_text("")
    make = {
        "link": lambda: path.symlink_to(other),
        "pipe": lambda: os.mkfifo(path),
        "directory": path.mkdir,
        "hard link": lambda: path.hardlink_to(other),
        "nowhere": lambda: path.symlink_to("/nonexistent/nowhere"),
        "device": lambda: None,
    }
    make[kind]()
    given = "/dev/null" if kind == "device" else str(path)
    done = run("--to", "root", "--maildir", str(tmp_path / "mail"), "--log", given)
    assert done.returncode == 78
    assert done.stderr.startswith(b"burstmail: --log ")
    assert done.stderr.count(b"\n") == 1
    assert other.read_text() == ""


def test_a_directory_others_can_write_gets_no_log(tmp_path: Path) -> None:
    # Whoever can put a file there could choose what it is a name for.
    place = tmp_path / "auth"
    place.mkdir()
    place.chmod(0o777)
    shell = ["sh", "-c", 'exec "$@" 2>/dev/null', "sh", *HASTY]
    done = run("--to", "root", "--name", "auth", "--sendmail", "/nonexistent", command=shell, env=environment(tmp_path))
    assert done.returncode == 78
    assert not (place / "log").exists()
