"""What one process leaves another one finds: restarts, two at once, an operator in between. Real processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from burstmail.cli import place
from burstmail.cli.options import parse
from tests.cli.process import catching, ended, environment, mails, run, running, shown, text_of, until

# A sendmail that fails for now while there is a file `down`, refuses for good while there is `refusing`, and else keeps
# the mail in a file of its own.
SENDMAIL = """#!/bin/sh
cd {folder}
[ -e down ] && exit 75
[ -e refusing ] && {{ case "$*" in *nobody*) exit 67;; esac; }}
cat > draft.$$ && mv draft.$$ mail.$$
"""


@pytest.fixture
def sendmail(tmp_path: Path) -> Path:
    path = tmp_path / "sendmail"
    path.write_text(SENDMAIL.format(folder=tmp_path))
    path.chmod(0o755)
    return path


def options(sendmail: Path, *more: str, to: str = "nobody") -> list[str]:
    state = str(sendmail.parent / "state")
    return ["--to", to, "--sendmail", str(sendmail), "--state", state, "--name", "auth", "--gap", "100ms", *more]


def delivered(folder: Path) -> list[list[str]]:
    """The log lines of each mail that sendmail took, oldest first."""
    found = sorted(folder.glob("mail.*"), key=lambda path: path.stat().st_mtime_ns)
    return [shown(text_of(path.read_bytes())) for path in found]


def all_lines(folder: Path) -> list[str]:
    return [line for mail in delivered(folder) for line in mail]


def queue(folder: Path, *arguments: str) -> str:
    # Not by --state, for which it is an error that no burstmail has made the directory yet.
    done = run("queue", *arguments, env=environment(folder / "state"))
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_what_could_not_be_delivered_leaves_after_the_next_start(sendmail: Path, tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    done = run(*options(sendmail, "--backoff", "1s..1s"), lines=b"one\n")
    assert done.returncode == 0
    assert b"1 mail (1 line) not delivered at exit, and kept for the next start" in done.stderr
    assert "  1  waits  " in queue(tmp_path)
    (tmp_path / "down").unlink()
    with running(*options(sendmail)) as process:
        until(lambda: delivered(tmp_path))
        process.terminate()
        assert ended(process)[0] == 0
    assert delivered(tmp_path) == [["one"]]
    assert queue(tmp_path).startswith("auth: 0 mails waiting, 0 dead")


def test_an_open_burst_survives_a_kill(sendmail: Path, tmp_path: Path) -> None:
    with running(*options(sendmail, "--gap", "1h", "--max-age", "2h")) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        until(lambda: "1 line in the journal" in queue(tmp_path))
        process.kill()
    assert run(*options(sendmail, "--cool-down", "off"), lines=b"two\n").returncode == 0
    assert sorted(all_lines(tmp_path)) == ["one", "two"]


def test_a_retry_reaches_a_burstmail_that_runs(sendmail: Path, tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    with running(*options(sendmail, "--backoff", "1h..2h")) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        until(lambda: "tried once" in queue(tmp_path))
        (tmp_path / "down").unlink()
        assert "will retry it within a second" in queue(tmp_path, "retry", "1")
        started = time.monotonic()
        until(lambda: delivered(tmp_path) == [["one"]])
        assert time.monotonic() - started < 5
        until(lambda: queue(tmp_path) == "auth: 0 mails waiting, 0 dead\n")


def test_a_deletion_reaches_a_burstmail_that_runs(sendmail: Path, tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    with running(*options(sendmail, "--backoff", "1h..2h")) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        until(lambda: "tried once" in queue(tmp_path))
        assert "will delete it within a second" in queue(tmp_path, "delete", "1")
        until(lambda: queue(tmp_path) == "auth: 0 mails waiting, 0 dead\n")
        (tmp_path / "down").unlink()
        process.terminate()
        assert ended(process)[0] == 0
    assert delivered(tmp_path) == []


@pytest.mark.parametrize("alive", [True, False])
def test_a_dead_letter_can_be_sent_after_all(sendmail: Path, tmp_path: Path, alive: bool) -> None:
    (tmp_path / "refusing").touch()
    assert run(*options(sendmail), lines=b"one\n").returncode == 0
    # The sender was told; that is a mail without log lines.
    assert delivered(tmp_path) == [[]]
    assert "  1.1  dead  " in queue(tmp_path)
    (tmp_path / "refusing").unlink()
    if not alive:
        assert "as soon as a burstmail of this name starts" in queue(tmp_path, "retry", "1.1")
    with running(*options(sendmail)) as process:
        if alive:
            until(lambda: "no burstmail" not in queue(tmp_path))
            queue(tmp_path, "retry", "1.1")
        until(lambda: ["one"] in delivered(tmp_path))
        until(lambda: queue(tmp_path) == "auth: 0 mails waiting, 0 dead\n")
        process.terminate()
        assert ended(process)[0] == 0
    assert len(delivered(tmp_path)) == 2


def test_two_of_one_name_share_the_work(sendmail: Path, tmp_path: Path) -> None:
    more = ("--gap", "1s", "--cool-down", "off")
    with running(*options(sendmail, *more)) as first, running(*options(sendmail, *more)) as second:
        assert first.stdin and second.stdin
        for process in (first, second):
            catching(process)
        first.stdin.write(b"of the first\n")
        second.stdin.write(b"of the second\n")
        until(lambda: sorted(all_lines(tmp_path)) == ["of the first", "of the second"])
        # Whoever ends leaves the store to the other.
        first.stdin.close()
        assert ended(first)[0] == 0
        second.stdin.write(b"later\n")
        until(lambda: ["later"] in delivered(tmp_path))
        second.stdin.close()
        assert ended(second)[0] == 0
    assert len(all_lines(tmp_path)) == 3


def test_a_trial_run_sends_nothing_that_waits(sendmail: Path, tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    state = os.environ["STATE_DIRECTORY"]
    given = ("--to", "root", "--sendmail", str(sendmail), "--backoff", "1s..1s")
    run(*given, lines=b"one\n")
    (tmp_path / "down").unlink()
    time.sleep(1.5)
    (tmp_path / "lines").write_bytes(b"two\n")
    with (tmp_path / "lines").open() as lines:
        assert run(*given, stdin=lines, input=None).returncode == 0
    assert delivered(tmp_path) == [["two"]]
    assert b"1 mail waiting" in run("queue", "--state", state).stdout


def test_behind_a_logger_the_log_is_in_the_state_directory(sendmail: Path, tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    with open(os.devnull, "wb") as null, running(*options(sendmail), stdout=null, stderr=null) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        until(lambda: "tried once" in queue(tmp_path))
        process.send_signal(signal.SIGUSR1)
        log = tmp_path / "state" / "auth" / "log"
        until(lambda: log.exists() and "statistics: " in log.read_text())
        process.terminate()
        assert ended(process)[0] == 0
    text = log.read_text()
    assert f"burstmail[{process.pid}]: try 1 failed for all: " in text
    assert "kept for the next start" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_state_directory_of_somebody_else_stops_nothing(tmp_path: Path) -> None:
    place = tmp_path / "state" / "auth"
    place.mkdir(parents=True)
    os.chown(place, 65534, 65534)
    box = tmp_path / "mail"
    done = run("--to", "root", "--maildir", str(box), "--state", str(place.parent), "--name", "auth", lines=b"one\n")
    assert done.returncode == 0
    assert b"burstmail: the store fails, going on in memory until it works again: " in done.stderr
    (text,) = mails(box)
    assert shown(text) == ["one"]
    assert "The store fails" in " ".join(text.split())


def test_a_filter_that_is_tuned_goes_on_where_the_other_was(tmp_path: Path) -> None:
    log, state, box = tmp_path / "app.log", tmp_path / "state", tmp_path / "out"
    log.touch()
    follow = ["--to", "root", "--maildir", str(box), "--state", str(state), "--file", str(log), "--gap", "1ms"]
    with running(*follow, "--include", "ERROR", "--from-beginning") as first:
        until(lambda: list(state.glob("*/store.db")))
        log.write_text("ERROR one\n")
        until(lambda: len(mails(box)) == 1)
        with log.open("a") as more:
            more.write("ERROR two\n")
        until(lambda: "; 1 line " in run("queue", "--state", str(state)).stdout.decode())
        first.terminate()
        assert first.wait(30) == 0
    with log.open("a") as more:
        more.write("FATAL three\n")
    with running(*follow, "--include", "ERROR|FATAL", "--cool-down", "off"):
        until(lambda: sum(len(shown(mail)) for mail in mails(box)) == 3)
    assert {line for mail in mails(box) for line in shown(mail)} == {"ERROR one", "ERROR two", "FATAL three"}
    assert len(list(state.iterdir())) == 1


def test_options_that_make_another_name_leave_nothing_behind_in_silence(tmp_path: Path) -> None:
    """Tried with --file, whose position is kept under the name."""
    log, state = tmp_path / "app.log", tmp_path / "state"
    log.touch()
    follow = ["--to", "root", "--maildir", str(tmp_path / "out"), "--state", str(state), "--file", str(log)]
    old = place.name_of(parse(follow))
    with running(*follow, "--gap", "1ms", "--from-beginning") as first:
        until(lambda: (state / old / "store.db").exists())
        log.write_text("ERROR one\n")
        until(lambda: len(mails(tmp_path / "out")) == 1)
        with log.open("a") as more:
            more.write("ERROR two\n")
        until(lambda: "; 1 line " in run("queue", "--state", str(state)).stdout.decode())
        first.terminate()
        assert first.wait(30) == 0
    for times_told in (1, 0):
        with running(*follow, "--subject", "[app] {what}") as second:
            catching(second)
            second.terminate()
            told = (second.communicate()[1]).decode()
        assert (
            told.count(f"; {old} keeps 1 line and how far it has read, and no burstmail of that name runs")
            == times_told
        )
        assert told.count(f"to go on there, say --name {old}\n") == times_told


def test_a_name_that_has_read_no_file_is_no_place_to_go_on_reading(tmp_path: Path) -> None:
    """A cron job with the same state directory: whoever went on under its name would be nowhere."""
    log, state = tmp_path / "app.log", tmp_path / "state"
    log.touch()
    common = ["--to", "root", "--maildir", str(tmp_path / "out"), "--state", str(state)]
    assert run("run", *common, "--", "echo", "done").returncode == 0
    assert len(list(state.iterdir())) == 1
    with running(*common, "--file", str(log)) as service:
        until(lambda: len(list(state.iterdir())) == 2)
        catching(service)
        service.terminate()
        assert service.communicate()[1] == b""
