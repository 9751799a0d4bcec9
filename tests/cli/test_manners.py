"""How the program behaves towards whoever started it: real processes, pipes and signals."""

from __future__ import annotations

import fcntl
import gzip
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.cli.process import COMMAND, HASTY, catching, ended, environment, mails, run, running, shown, until

STAYS_OPEN = ("--gap", "1h", "--max-age", "2h")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a mail server that accepts a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"smtp://127.0.0.1:{server.getsockname()[1]}"


def script(folder: Path, text: str) -> Path:
    path = folder / "sendmail"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@contextmanager
def writing(process: subprocess.Popen[bytes], loop: str = "while true") -> Iterator[None]:
    """A writer that does not pause for as long as a closed source lingers, until its loop or the block ends."""
    assert process.stdin
    command = ["sh", "-c", f"{loop}; do echo line; sleep 0.05; done"]
    with subprocess.Popen(command, stdout=process.stdin, stderr=subprocess.DEVNULL) as writer:
        process.stdin.close()
        catching(process)
        try:
            yield
        finally:
            writer.kill()


# The end of input


def test_end_of_input_mails_what_is_open_at_once(box: Path) -> None:
    started = time.monotonic()
    done = run("--to", "root", "--maildir", str(box), lines=b"one\ntwo\n")
    assert time.monotonic() - started < 5
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [shown(text) for text in mails(box)] == [["one", "two"]]


def test_an_unfinished_last_line_is_a_line(box: Path) -> None:
    assert run("--to", "root", "--maildir", str(box), lines=b"one\nhalf a li").returncode == 0
    assert [shown(text) for text in mails(box)] == [["one", "half a li"]]


@pytest.mark.parametrize("lines", [b"", b"\n"])
def test_nothing_and_almost_nothing(box: Path, lines: bytes) -> None:
    done = run("--to", "root", "--maildir", str(box), lines=lines)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(mails(box)) == len(lines)


def test_every_byte_is_an_input(box: Path) -> None:
    done = run("--to", "root", "--maildir", str(box), lines=b"nul \0 esc \x1b bad \xff\xfe cr \r end\nnext\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [shown(text) for text in mails(box)] == [[r"nul \x00 esc \x1b bad \xff\xfe cr \x0d end", "next"]]


def test_a_line_of_100_mib_is_cut_and_marked(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box)) as process:
        assert process.stdin
        piece = b"x" * (1 << 20)
        for _ in range(100):
            while piece:
                piece = piece[process.stdin.write(piece) :]
            piece = b"x" * (1 << 20)
        peak = int(Path(f"/proc/{process.pid}/status").read_text().split("VmHWM:")[1].split()[0])
        process.stdin.write(b"\nnext\n")
        process.stdin.close()
        assert ended(process)[0] == 0
    assert peak < 64 * 1024
    (text,) = mails(box)
    assert shown(text)[-1] == "next"
    # The mail shows the beginning of such a line, and the file that goes along all that was kept of it.
    (path,) = (box / "new").iterdir()
    (file,) = message_from_bytes(path.read_bytes(), policy=policy.default).iter_attachments()
    assert f"[... {100 * 2**20 - 65536} bytes cut]\n  next\n" in gzip.decompress(file.get_content()).decode()


def test_a_file_can_be_the_input(box: Path, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"line\n" * 1000)
    with (tmp_path / "log").open("rb") as file:
        done = run("--to", "root", "--maildir", str(box), stdin=file, input=None)
    assert done.returncode == 0
    assert "1,000 lines" in mails(box)[0]


# Signals


def test_an_expression_that_takes_for_ever_holds_up_no_end(box: Path) -> None:
    hasty = "from burstmail.cli import main, manners; manners.READING = manners.GRACE = manners.NEVER = 0.2; main()"
    given = ("--to", "root", "--maildir", str(box), "--mask", "(x+x+)+y", "--gap", "50ms", "--grace", "0s")
    with running(*given, command=[sys.executable, "-c", hasty]) as process:
        assert process.stdin
        catching(process)
        process.stdin.write(b"x" * 900 + b"\n")
        process.terminate()
        status, seconds = ended(process)
    assert status == -signal.SIGALRM
    assert seconds < 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_drains_the_pipe(box: Path, number: signal.Signals) -> None:
    # Stopped while 1,000 lines are written and the signal sent: they are in the pipe, unread, when it wakes up. More
    # than one read gives.
    with running("--to", "root", "--maildir", str(box), *STAYS_OPEN) as process:
        assert process.stdin and process.stdout and process.stderr
        fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, 1 << 20)
        catching(process)
        process.send_signal(signal.SIGSTOP)
        process.stdin.write(b"".join(b"%500d\n" % number for number in range(1000)))
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        # The writer is still there: there is no end of input.
        status, seconds = ended(process)
        assert (status, process.stdout.read(), process.stderr.read()) == (0, b"", b"")
    assert seconds < 5
    (text,) = mails(box)
    assert "1,000 lines" in text
    assert shown(text)[-1] == f"{999:500}"


def test_a_half_line_at_the_end_is_kept(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box), *STAYS_OPEN) as process:
        assert process.stdin
        catching(process)
        process.stdin.write(b"whole\nhalf")
        process.terminate()
        assert ended(process)[0] == 0
    assert [shown(text) for text in mails(box)] == [["whole", "half"]]


def test_a_writer_that_never_pauses_is_left_after_3_seconds(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box), *STAYS_OPEN) as process, writing(process):
        process.terminate()
        status, seconds = ended(process)
    assert status == 0
    assert 2.5 < seconds < 5
    assert mails(box)


def test_a_person_who_asks_twice_is_obeyed_at_once(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box), *STAYS_OPEN) as process, writing(process):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        status, seconds = ended(process)
    assert status == 0
    assert seconds < 1.5
    assert mails(box)


def test_two_sigterms_still_drain_the_pipe(box: Path) -> None:
    # systemd stops the whole control group, and syslog-ng in it stops its children: one SIGTERM each.
    with (
        running("--to", "root", "--maildir", str(box), *STAYS_OPEN) as process,
        writing(process, "seq 20 | while read x"),
    ):
        for _ in range(2):
            process.terminate()
            time.sleep(0.2)
        assert ended(process)[0] == 0
    assert len(shown(mails(box)[0])) == 20


def test_asked_before_it_is_ready_it_still_drains(box: Path) -> None:
    # The signal comes while the parts are being made.
    code = """
import os, signal, sys
from burstmail.cli import main, service
made = service.pipeline_of
def slow(*given):
    os.kill(os.getpid(), signal.SIGTERM)
    return made(*given)
service.pipeline_of = slow
sys.exit(main())
"""
    with running("--to", "root", "--maildir", str(box), command=[sys.executable, "-c", code]) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        status, seconds = ended(process)
    assert status == 0
    assert seconds < 5
    assert [shown(text) for text in mails(box)] == [["one"]]


def test_the_time_it_takes_to_start_is_not_added_to_that_of_the_end(silent: str) -> None:
    code = """
import os, signal, sys, time
from burstmail.cli import main, service
made = service.pipeline_of
def slow(*given):
    print(time.monotonic(), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)
    return made(*given)
service.pipeline_of = slow
sys.exit(main())
"""
    with running("--to", "root", "--smtp", silent, command=[sys.executable, "-c", code]) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"one\n")
        asked = float(process.stdout.readline())
        assert ended(process)[0] == 0
        # 4.3 s, as ever, and not 3 more.
        assert time.monotonic() - asked < 6


def test_sighup_mails_what_is_open_and_reading_goes_on(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box), "--cool-down", "off", *STAYS_OPEN) as process:
        assert process.stdin
        catching(process)
        for number in (1, 2):
            process.stdin.write(b"line %d\n" % number)
            # The line is read once the pipe is empty and the process waits again.
            until(lambda: _idle(process))
            process.send_signal(signal.SIGHUP)
            until(lambda number=number: len(mails(box)) == number)
        process.stdin.close()
        assert ended(process)[0] == 0
    assert sorted(line for text in mails(box) for line in shown(text)) == ["line 1", "line 2"]


def test_a_storm_of_sighups_blocks_nothing(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box)) as process:
        assert process.stdin
        catching(process)
        for number in range(2000):
            process.stdin.write(b"line %d\n" % number)
            process.send_signal(signal.SIGHUP)
        process.stdin.close()
        status, seconds = ended(process)
    assert status == 0
    assert seconds < 5
    assert sum(len(shown(text)) for text in mails(box)) > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_the_parent_wants_ignored_is_ignored(box: Path, number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with running("--to", "root", "--maildir", str(box), *STAYS_OPEN, restore_signals=False) as process:
            assert process.stdin
            until(lambda: _idle(process))
            process.stdin.write(b"one\n")
            until(lambda: _idle(process))
            process.send_signal(number)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            assert not mails(box)
            process.stdin.close()
            assert ended(process)[0] == 0
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(("state", "expected", "fate"), [("none", 75, "lost"), ("state", 0, "kept for the next start")])
def test_a_delivery_that_hangs_does_not_hold_up_the_end(
    silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, expected: int, fate: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with running("--to", "root", "--smtp", silent, "--state", state) as process:
        assert process.stdin and process.stderr
        process.stdin.write(b"one\ntwo\n")
        catching(process)
        process.terminate()
        status, seconds = ended(process)
        said = process.stderr.read()
    assert status == expected
    assert seconds < 5
    assert f"1 mail (2 lines) not delivered at exit, and {fate}".encode() in said


def test_neither_do_a_writer_and_a_server_together(silent: str) -> None:
    with running("--to", "root", "--smtp", silent, *STAYS_OPEN) as process, writing(process):
        process.terminate()
        status, seconds = ended(process)
    assert status == 0
    assert seconds < 5


@pytest.mark.parametrize(("grace", "least", "most"), [("0s", 0, 3), ("1s", 1, 3.5), ("6s", 6, 9)])
def test_how_long_deliveries_may_take_at_the_end_can_be_chosen(
    silent: str, grace: str, least: float, most: float
) -> None:
    with running("--to", "root", "--smtp", silent, "--grace", grace) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        catching(process)
        process.terminate()
        status, seconds = ended(process)
    assert status == 0
    assert least <= seconds < most


def test_children_are_not_in_the_group_that_is_stopped(tmp_path: Path) -> None:
    # Supervisors signal the whole group: a delivery under way must not die of it.
    sendmail = script(
        tmp_path, f"cat > {tmp_path}/draft; echo > {tmp_path}/started; sleep 1; mv {tmp_path}/draft {tmp_path}/sent"
    )
    with running("--to", "root", "--sendmail", str(sendmail), "--max-lines", "1", process_group=0) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        until((tmp_path / "started").exists)
        os.killpg(process.pid, signal.SIGTERM)
        assert ended(process)[0] == 0
    assert "one" in (tmp_path / "sent").read_text()


def test_it_does_not_wake_up_while_idle(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box), "--state", "none") as process:
        catching(process)
        until(lambda: _idle(process) and _settled(process))
        before = _switches(process)
        time.sleep(2)
        assert _switches(process) == before


def test_with_a_store_it_looks_once_a_second_for_what_others_leave(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box)) as process:
        catching(process)
        until(lambda: _idle(process))
        before = _switches(process)
        time.sleep(3)
        assert 1 <= _switches(process) - before < 20


def test_sigusr1_writes_the_counts_to_the_log(box: Path) -> None:
    with running("--to", "root", "--maildir", str(box), *STAYS_OPEN) as process:
        assert process.stdin and process.stderr
        catching(process)
        process.stdin.write(b"one\ntwo\n")
        until(lambda: _idle(process))
        process.send_signal(signal.SIGUSR1)
        said = process.stderr.readline()
        process.stdin.close()
        assert ended(process)[0] == 0
    assert said.startswith(b"burstmail: statistics: lines_in=2 lines_held=2 ")
    assert said.endswith(b" waiting=0\n")


# Errors


def test_what_was_not_delivered_is_counted_with_the_last_error() -> None:
    done = run("--to", "root", "--smtp", "smtp://127.0.0.1:1", "--state", "none", lines=b"one\ntwo\nthree\n")
    assert (done.returncode, done.stdout) == (75, b"")
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("burstmail: 1 mail (3 lines) not delivered")
    assert "Connection refused" in last


def test_mail_refused_for_good_is_lost_unless_a_store_keeps_it(tmp_path: Path) -> None:
    # Who sends it is told; that mail is not refused.
    refusing = f'case "$*" in *nobody*) echo no such user >&2; exit 67;; esac; cat > {tmp_path}/notice'
    sendmail = str(script(tmp_path, refusing))
    options = ("--to", "nobody", "--sendmail", sendmail, "--name", "auth", "--state")
    for state, expected in (("none", 75), (str(tmp_path), 0)):
        done = run(*options, state, lines=b"one\n")
        assert done.returncode == expected
        assert b"no such user" in done.stderr
    assert "not delivered" in (tmp_path / "notice").read_text()
    assert b"auth: 0 mails waiting, 1 dead" in run("queue", "--state", str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--to ADDRESS is missing"),
        (["--too", "root"], "there is no option '--too'"),
        (["--too=root"], "there is no option '--too'"),
        (["queu"], "there is no command 'queu': did you mean `burstmail queue`?"),
        (["rum", "--to", "root"], "there is no command 'rum': did you mean `burstmail run`?"),
        (["frobnicate"], "there is no command 'frobnicate': there are run, check, "),
        (["alerts.toml"], "there is no command 'alerts.toml': did you mean `burstmail run -c alerts.toml`?"),
        (["run", "alerts.toml"], "there is no command 'alerts.toml': did you mean `burstmail run -c alerts.toml`?"),
        (["--to", "root", "alerts.toml"], "'alerts.toml' is no option: did you mean -c alerts.toml?"),
        (["--to", "root,ops"], "is more than one address"),
        (["--to"], "--to"),
        (["--to", "-x"], "--to"),
        (["--to=-x@example.org"], "-x@example.org"),
        (["--to", "root\nBcc: evil@example.org"], r"root\nBcc"),
        (["--to", ""], "address"),
        (["--to", "a@example.org,b@example.org"], "a@example.org,b@example.org"),
        (["--to", "root", "--from", "a b"], "a b"),
        (["--to", "root", "--gap", "soon"], "--gap: 'soon' is no duration"),
        (["--to", "root", "--gap", "0s"], "gap"),
        (["--to", "root", "--cap", "0/min"], "--cap: '0/min' would never"),
        (["--to", "root", "--cool-down", "15m..1m"], "is no cool-down: write it like 1m..15m, or off: the shorter one"),
        (["--to", "root", "--keep", "0+0"], "--keep"),
        (["--to", "root", "--key", "host,colour"], "colour"),
        (["--to", "root", "--subject", "{nonsense}"], "nonsense"),
        (["--to", "root", "--frobnicate"], "--frobnicate"),
        (["--to", "root", "extra"], "extra"),
        (["--to", "root", "--print", "--maildir", "x"], "not allowed with"),
        (["--to", "root", "--smtp", "http://example.org"], "http://example.org"),
        (["--to", "root", "--smtp", "smtp://user@example.org"], "password"),
        (["--to", "root", "--password-file", "/nonexistent"], "--password-file: '/nonexistent': No such file"),
        (["--to", "root", "--smtp", "smtp://example.org", "--smtp-ca", "/nonexistent"], "No such file"),
        (["--to", "root", "--print", "--smtp-ca", "/etc/ssl/certs/ca-certificates.crt"], "--smtp"),
        (["--to", "root", "--sendmail", "/nonexistent"], "/nonexistent"),
        (["--to", "root", "--state", ""], "--state: '' is no path"),
        (["--to", "root", "--name", "../etc"], "--name: '../etc' is no name"),
        (["--to", "root", "--sync", "always"], "--sync"),
        (["--to", "root", "--backoff", "30s"], "--backoff: '30s' is no backoff"),
        (["--to", "root", "--backoff", "30m..30s"], "--backoff: '30m..30s'"),
        (["--to", "root", "--give-up", "0s"], "give_up"),
        (["--to", "root", "--give-up", "never"], "--give-up: 'never' is no duration"),
        (["--to", "root", "--log", ""], "--log: '' is no path"),
        (["--to", "root", "--print", "--confirm"], "--confirm answers on standard output"),
        (["--to", "root", "--maildir", "x", "--confirm", "--state", "none"], "one of --confirm and --state none"),
    ],
)
def test_a_wrong_option_is_explained_in_one_line(options: list[str], words: str) -> None:
    done = run(*options, lines=b"a line\n")
    assert (done.returncode, done.stdout) == (78, b"")
    said = done.stderr.decode()
    assert said.startswith("burstmail: ")
    assert said.count("\n") == 1
    assert words in said


def test_a_machine_without_sendmail_is_told_what_to_do(tmp_path: Path) -> None:
    # The usual places hidden: that no machine the tests run on has one, or that all have, cannot be relied on.
    code = "import os, sys; os.access = lambda *_: False; from burstmail.cli import main; sys.exit(main(patience=0))"
    environment = {"PATH": str(tmp_path)}
    done = run("--to", "root", command=[HASTY[0], "-c", code], env=environment | _package())
    assert done.returncode == 78
    assert done.stderr.startswith(b"burstmail: no sendmail command on this machine")


def test_without_a_terminal_it_waits_before_it_fails() -> None:
    # syslog-ng starts it again at once.
    started = time.monotonic()
    done = run("--to", "root", "--gap", "soon", command=COMMAND)
    assert done.returncode == 78
    assert 5 <= time.monotonic() - started < 10


def test_the_wait_ends_when_asked_to() -> None:
    with running("--to", "root", "--gap", "soon") as process:
        assert process.stderr
        assert process.stderr.read(1) == b"b"
        process.terminate()
        status, seconds = ended(process)
    assert status == 78
    assert seconds < 2


def test_at_a_terminal_it_does_not_wait() -> None:
    ours, theirs = os.openpty()
    started = time.monotonic()
    done = run("--gap", "soon", command=COMMAND, stdin=theirs, input=None)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 78
    assert time.monotonic() - started < 4


def test_somebody_who_looks_on_at_a_terminal_does_not_wait(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("one\n")
    ours, theirs = os.openpty()
    started = time.monotonic()
    with (tmp_path / "lines").open() as lines, running("--gap", "soon", stdin=lines, stderr=theirs) as process:
        assert ended(process)[0] == 78
    os.close(ours)
    os.close(theirs)
    assert time.monotonic() - started < 4


def test_a_file_that_is_to_be_confirmed_is_explained(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("one\n")
    with (tmp_path / "lines").open() as lines:
        done = run("--to", "root", "--maildir", str(tmp_path / "box"), "--confirm", stdin=lines, input=None)
    assert (done.returncode, done.stdout) == (78, b"")
    assert b"there is none when standard input is a file, unless you say --state DIR\n" in done.stderr


def test_a_directory_as_input_is_refused_by_python_itself(tmp_path: Path, box: Path) -> None:
    # Before a line of ours has run.
    done = _redirected(f"< {tmp_path}", "--to", "root", "--maildir", str(box))
    assert done.returncode == 1
    assert b"<stdin> is a directory, cannot continue" in done.stderr


def test_a_closed_standard_input_is_explained(box: Path) -> None:
    done = _redirected("<&-", "--to", "root", "--maildir", str(box))
    assert done.returncode == 78
    assert done.stderr.startswith(b"burstmail: standard input is closed")


def test_an_input_that_cannot_be_read_is_explained(tmp_path: Path, box: Path) -> None:
    done = _redirected(f"0> {tmp_path}/file", "--to", "root", "--maildir", str(box))
    assert done.returncode == 74
    assert done.stderr == b"burstmail: cannot read descriptor 0: Bad file descriptor\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read a file")
def test_a_file_without_read_permission_is_explained(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    # Whatever this Python's home is, nobody may not be able to read that either: imports come first.
    code = "import os, sys, locale; from burstmail.cli import main, service; os.setuid(65534); "
    code += "sys.exit(main(patience=0))"
    options = ("--to", "root", "--smtp", "smtps://user@127.0.0.1", "--password-file", str(secret))
    done = run(*options, command=[HASTY[0], "-c", code])
    assert done.returncode == 78
    assert done.stderr.decode() == (
        f"burstmail: argument --password-file: '{secret}': Permission denied (see burstmail --help)\n"
    )


def test_a_bug_is_shown_whole_and_has_a_status_of_its_own() -> None:
    code = "import sys; from burstmail.cli import main, service; service.pipeline_of = None; sys.exit(main(patience=0))"
    done = run("--to", "root", command=[sys.executable, "-c", code])
    assert done.returncode == 70
    assert done.stderr.startswith(b"burstmail: this is a bug\n  Traceback")


# Standard output and error


def test_print_shows_the_mail_and_nothing_else() -> None:
    done = run("--to", "root", "--from", "me@example.org", "--print", lines="grüße\nb\n".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    head, _, text = done.stdout.decode().partition("\n\n")
    assert [line.split(":")[0] for line in head.splitlines()] == ["From", "To", "Subject", "Date"]
    assert shown(text) == ["grüße", "b"]


def test_print_to_nobody_ends() -> None:
    with running("--to", "root", "--print", "--max-lines", "1", "--cool-down", "off") as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        # The input does not end, but there is nothing more to do.
        process.stdin.write(b"one\n")
        status, seconds = ended(process)
        said = process.stderr.read()
    assert status == 75
    assert seconds < 5
    assert b"nobody reads standard output any more" in said
    assert b"Traceback" not in said and b"Exception" not in said


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_outputs_are_none_of_its_business(box: Path, closed: str) -> None:
    done = _redirected(closed, "--to", "root", "--maildir", str(box), lines=b"one\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [shown(text) for text in mails(box)] == [["one"]]


def test_a_broken_standard_error_changes_no_status() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run("--gap", "soon", capture_output=False, stderr=writing)
    os.close(writing)
    assert done.returncode == 78


def test_a_closed_output_is_no_place_for_a_file_of_its_own(box: Path) -> None:
    # The next file opened would be descriptor 1 or 2, and what some library says there would end up in it.
    options = ("--to", "root", "--maildir", str(box))
    with running(*options, command=["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *COMMAND]) as process:
        catching(process)
        assert {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (1, 2)} == {"/dev/null"}


def test_print_without_a_standard_output_is_misuse() -> None:
    done = _redirected(">&-", "--to", "root", "--print", lines=b"one\n")
    assert done.returncode == 78
    assert b"--print needs a standard output" in done.stderr


def test_a_full_disk_behind_print_is_reported() -> None:
    done = _redirected("> /dev/full", "--to", "root", "--print", lines=b"one\n")
    assert done.returncode == 75
    assert b"No space left on device" in done.stderr
    assert b"Exception ignored" not in done.stderr


def _package() -> dict[str, str]:
    from tests.cli.process import ENVIRONMENT

    return {"PYTHONPATH": ENVIRONMENT["PYTHONPATH"]}


def _redirected(how: str, *options: str, lines: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Started by a shell that redirects."""
    return run(*options, lines=lines, command=["sh", "-c", f'exec "$@" {how}', "sh", *HASTY])


def _idle(process: subprocess.Popen[bytes]) -> bool:
    """Asleep in poll(), with nothing left to read."""
    poll = Path(f"/proc/{process.pid}/wchan").read_text()
    return "poll" in poll and not _unread(process)


def _unread(process: subprocess.Popen[bytes]) -> int:
    from array import array
    from fcntl import ioctl
    from termios import FIONREAD

    count = array("i", [0])
    with open(f"/proc/{process.pid}/fd/0", "rb", buffering=0) as pipe:
        ioctl(pipe, FIONREAD, count)
    return count[0]


def _switches(process: subprocess.Popen[bytes]) -> int:
    """Context switches of all threads."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/status")
    texts = [task.read_text() for task in tasks]
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if "ctxt_switches" in line)


def _settled(process: subprocess.Popen[bytes]) -> bool:
    """Whether none of its threads did anything for a while; those that were started last still may."""
    before = _switches(process)
    time.sleep(0.5)
    return _switches(process) == before


def test_a_sigterm_that_comes_before_it_is_up_costs_no_line_behind_a_trap(box: Path) -> None:
    """docs/syslog-ng.md: the shell ignores SIGTERM for the moment that Python takes to start."""
    command = ["sh", "-c", "trap '' TERM; exec \"$@\"", "sh", *COMMAND, "--to", "root", "--maildir", str(box)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment()) as process:
        assert process.stdin
        process.stdin.write(b"one\ntwo\n")
        process.stdin.flush()
        until(lambda: survives(process.pid, signal.SIGTERM))
        process.send_signal(signal.SIGTERM)
        process.stdin.close()
        assert process.wait(10) == 0
    assert [shown(mail) for mail in mails(box)] == [["one", "two"]]


def survives(pid: int, number: signal.Signals) -> bool:
    """Whether the process ignores or catches the signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [int(status.partition(f"{name}:")[2].split()[0], 16) for name in ("SigIgn", "SigCgt")]
    return any(mask >> (number - 1) & 1 for mask in masks)
