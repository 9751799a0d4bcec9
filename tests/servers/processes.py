"""What both servers need: waiting with a limit, a process of one's own, and mails in a Maildir."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import TypeVar

import burstmail
from tests.cli.process import shown

T = TypeVar("T")

# One mail's counts, from its X-Burstmail header.
Counts = dict[str, int]


def wait_for(what: str, probe: Callable[[], T], seconds: float = 20.0) -> T:
    """The probe's first true answer; fails with `what` when there is none in time."""
    end = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < end, f"no {what} within {seconds:g} s"
        time.sleep(0.02)
    return answer


def burstmail_script(directory: Path) -> Path:
    """An executable `burstmail` that runs the package under test, wherever it is installed."""
    script = directory / "burstmail"
    where = Path(burstmail.__file__).parents[1]
    script.write_text(f'#!/bin/sh\nPYTHONPATH={where} exec {sys.executable} -m burstmail "$@"\n')
    script.chmod(0o755)
    return script


def printed(script: Path, *words: str) -> str:
    """What `burstmail setup` prints."""
    done = subprocess.run([script, "setup", *words], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Foreground:
    """A daemon in the foreground, in a session of its own: it is stopped by its own pid and by nothing else."""

    def __init__(self, command: Sequence[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=env
            )

    def must_run(self) -> None:
        """Fail with the daemon's own words if it has ended."""
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.log.read_text()}"

    def stop(self, pid: int | None = None) -> None:
        """SIGTERM to the daemon, and SIGKILL should it not end."""
        if self.process.poll() is None:
            os.kill(pid or self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class Mailer:
    """A sendmail command that does as it is told, and logs as Postfix does. Each mail it takes is a file of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "mailer"
        self.maildir = self._directory / "mails"
        for folder in ("tmp", "new"):
            (self.maildir / folder).mkdir(parents=True)
        self.command = self._directory / "sendmail"
        self.command.write_text(MAILER.format(directory=self._directory))
        self.command.chmod(0o755)

    def set(self, what: str, value: str | None) -> None:
        """`status`: what to exit with, without delivering; `seconds`: how long to hang; `log`: a socket to log into."""
        file = self._directory / what
        draft = file.with_suffix(".new")
        if value is None:
            file.unlink(missing_ok=True)
            return
        draft.write_text(value)
        draft.rename(file)

    @property
    def calls(self) -> int:
        """How often it was run."""
        calls = self._directory / "calls"
        return len(calls.read_text()) if calls.exists() else 0


# In the words and the order of a Postfix: only one of its lines names the Message-ID.
MAILER = """#!/bin/sh
cd {directory}
printf . >> calls
[ -e seconds ] && sleep "$(cat seconds)"
[ -e status ] && exit "$(cat status)"
cat > mails/tmp/$$ && mv mails/tmp/$$ mails/new/$(date +%s%N).$$ || exit 71
[ -e log ] || exit 0
say() {{ logger --socket "$(cat log)" -p mail.info -t "postfix/$1[$$]" "$2"; }}
id=$(sed -n 's/^Message-ID: //p;/^$/q' mails/new/*.$$)
say pickup "3F8A91C0B2: uid=0 from=<root>"
say cleanup "3F8A91C0B2: message-id=$id"
say qmgr "3F8A91C0B2: from=<root@web1.example.org>, size=812, nrcpt=1 (queue active)"
say local "3F8A91C0B2: to=<root@web1.example.org>, relay=local, dsn=2.0.0, status=sent (delivered to mailbox)"
say qmgr "3F8A91C0B2: removed"
"""


def mails(maildir: Path) -> list[EmailMessage]:
    """What a Maildir has received, oldest first."""
    found = sorted((maildir / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
    return [parsed(path.read_bytes()) for path in found]


def parsed(data: bytes) -> EmailMessage:
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def counts(mail: EmailMessage) -> Counts:
    """`lines=412; shown=400; left-out=12; bursts=1` as numbers."""
    pairs = (item.strip().partition("=") for item in mail["X-Burstmail"].split(";"))
    return {name: int(value) for name, _, value in pairs}


def body(mail: EmailMessage) -> list[str]:
    """The decoded text, split at newlines only; without the HTML, in which all of it stands once more."""
    text = mail.get_body(("plain",))
    assert text is not None
    return str(text.get_content()).replace("\r\n", "\n").split("\n")


def log_lines(mail: EmailMessage) -> list[str]:
    """The log lines in a mail, without what its tables say of them."""
    return shown("\n".join(body(mail)))


class Load:
    """Sends a line every 2 milliseconds while its block runs; `sent` counts them."""

    def __init__(self, send: Callable[[list[str]], object], line: Callable[[int], str]) -> None:
        self.sent = 0
        self._line, self._send_lines = line, send
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def _send(self) -> None:
        for number in count():
            self._send_lines([self._line(number)])
            self.sent = number + 1
            if self._ends.wait(0.002):
                return

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
