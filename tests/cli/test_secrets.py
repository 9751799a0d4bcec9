"""The password of a mail server is in its file and on the wire to that server, and nowhere else."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import HASTY, ended, environment, run, running, until

SECRET = "hunter2-correct-horse"
# As a mail server gets it, alone and with the user (RFC 4616, RFC 4954 section 4).
FORMS = [
    SECRET.encode(),
    base64.b64encode(SECRET.encode()).rstrip(b"="),
    base64.b64encode(f"\0me\0{SECRET}".encode()).rstrip(b"="),
]
# A server that is not there: each try fails, and is told.
NOBODY = "smtps://me@127.0.0.1:9"


def clean(*said: bytes | str) -> bool:
    whole = b"\n".join(one.encode() if isinstance(one, str) else one for one in said)
    return not any(form in whole for form in FORMS)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "password"
    path.parent.mkdir()
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def files(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


def test_it_is_neither_in_the_process_list_nor_in_the_environment(password: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--to", "root", "--smtp", NOBODY, "--password-file", str(password), "--gap", "50ms", "--log", str(log))
    with running(*options) as process:
        assert process.stdin
        process.stdin.write(b"one\n")
        # Not before: while the options are read, the file is open.
        until(lambda: log.exists() and b"try 1 failed" in log.read_bytes())
        about = Path(f"/proc/{process.pid}")
        assert clean((about / "cmdline").read_bytes(), (about / "environ").read_bytes())
        assert not [link for link in (about / "fd").iterdir() if os.readlink(link) == str(password)]
        process.terminate()
        assert ended(process)[0] == 0


def test_it_is_neither_in_the_log_nor_in_the_store(password: Path, tmp_path: Path) -> None:
    state, log = tmp_path / "state", tmp_path / "log"
    options = ("--to", "root", "--smtp", NOBODY, "--password-file", str(password), "--gap", "50ms", "--log", str(log))
    with running(*options, env=environment(state)) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"one\n")
        until(lambda: log.exists() and b"try 1 failed" in log.read_bytes())
        process.send_signal(signal.SIGUSR1)
        until(lambda: b"statistics" in log.read_bytes())
        process.terminate()
        assert ended(process)[0] == 0
        assert clean(process.stdout.read(), process.stderr.read(), log.read_bytes())
    assert len(list(files(state))) >= 1
    assert clean(*files(state))
    assert clean(*(str(path) for path in state.rglob("*")))
    shown = [run("queue", *more, env=environment(state)) for more in ((), ("list",), ("show", "1"))]
    assert b"waits" in shown[0].stdout
    assert clean(*(done.stdout + done.stderr for done in shown))


# Where the next part raises, whatever it is, the whole traceback goes to the log: "this is a bug".
BUG = """
import sys
from burstmail import SMTPSink
from burstmail.cli import destination, main
def broken(*given, **named):
    sink = SMTPSink(*given, **named)
    raise RuntimeError(f"broken: {sink!r} {sink}")
destination.SMTPSink.from_url = lambda url, password=None, **more: broken("localhost", 25, user="me", password=password)
sys.exit(main(patience=0))
"""


def test_it_is_in_no_traceback(password: Path) -> None:
    command = [HASTY[0], "-c", BUG]
    done = run("--to", "root", "--smtp", NOBODY, "--password-file", str(password), lines=b"x\n", command=command)
    assert done.returncode == 70
    assert b"Traceback" in done.stderr and b"broken: SMTPSink(" in done.stderr
    assert clean(done.stdout, done.stderr)


@pytest.mark.parametrize(
    "url",
    [f"smtp://me:{SECRET}@localhost", f"smtps://me:{SECRET}@host:port", f"ftp://me:{SECRET}@x", f"smtp://:{SECRET}@[x"],
)
def test_in_a_url_it_is_refused_and_not_repeated(url: str) -> None:
    done = run("--to", "root", "--smtp", url, lines=b"x\n")
    assert done.returncode == 78
    assert done.stderr.count(b"\n") == 1
    assert clean(done.stdout, done.stderr)


def test_a_file_that_is_not_safe_is_refused_without_a_word_of_it(password: Path) -> None:
    password.chmod(0o644)
    done = run("--to", "root", "--smtp", NOBODY, "--password-file", str(password), lines=b"x\n")
    assert done.returncode == 78
    assert b"can be read or written by others: run chmod 600 on it" in done.stderr
    assert clean(done.stdout, done.stderr)


def test_a_credential_of_systemd_is_found_by_its_name(password: Path, tmp_path: Path) -> None:
    password.chmod(0o440)
    where = environment() | {"CREDENTIALS_DIRECTORY": str(password.parent)}
    given = ("--to", "root", "--smtp", NOBODY, "--state", "none", "--grace", "0s", "--password-file")
    done = run(*given, "password", lines=b"x\n", env=where)
    # Nobody takes the mail, but the option is right.
    assert done.returncode == 75
    assert clean(done.stdout, done.stderr)
    assert run(*given, "passwort", lines=b"x\n", env=where).returncode == 78
