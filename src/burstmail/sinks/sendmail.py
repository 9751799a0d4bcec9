"""Message -> the sendmail(8) command, of whatever mail server provides it.

The recipients are arguments after `--` and never read from the text (no `-t`), a lone dot ends nothing (`-i`), no shell
is involved. Limits: one deadline for the whole attempt, and `LEAVE` seconds for a killed command to go; of what the
command says, 1 KiB is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from ..clock import SystemClock
from ..core.escape import one_line
from ..core.kinds import paths, spans
from ..core.model import Message
from ..errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from . import load, mail
from .steps import LONGEST, Reason, Step, Watch, line, tell

if TYPE_CHECKING:
    import subprocess

PLACES = ("/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/local/sbin/sendmail", "/usr/bin/sendmail")

# sysexits.h: what is wrong with this message (usage, data, user, host). All else may be mended: 75 (try again),
# 78 (the mail server's configuration), and so on; the age of the message bounds the patience.
CONDEMNED = {64: "usage", 65: "bad data", 67: "no such user", 68: "no such host"}

KEPT = 1024

# How soon the end of a command is noticed whose own background process keeps stderr open; and of one that has closed
# it, at first: it is about to end, so waiting doubles from there.
TICK = 0.05
SHORT = 0.0005

# How long a killed command may take to go: one that waits for a dead disk, or that runs as another user, does not.
LEAVE = 2.0

# Stands for a returncode that something else in this process has taken away.
UNKNOWN = 256


class Unsent(Exception):
    """Why one run of the command has sent nothing: the words, the reason of a Step, its code, the error it becomes."""

    def __init__(
        self,
        words: str,
        reason: Reason = "system",
        code: int = 0,
        kind: type[DeliveryError] = TemporaryDeliveryError,
    ) -> None:
        super().__init__(words)
        self.reason, self.code, self.kind = reason, code, kind


class SendmailSink:
    """Runs `path` (default: the usual places, then PATH) for each message; `timeout` bounds it, in seconds.

    All recipients share the command's exit status: 0 is accepted, 64, 65, 67 and 68 are permanent, all else temporary.
    After a permanent one for several recipients it runs once for each, since only one of them may be meant.
    `watch` is called with every Step, in the thread that sends.
    Raises FileNotFoundError when there is no such command on this machine.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, timeout: float = 60.0, watch: Watch | None = None
    ) -> None:
        spans(timeout=timeout)
        if path is not None:
            paths(path=path)
        self._path = os.fspath(path) if path is not None else _found()
        if not _runs(self._path):
            raise FileNotFoundError(f"sendmail {self._path!r}: no such command; name another, or use SMTP or a Maildir")
        self._timeout = timeout
        self._watch = watch
        load("select", "signal", "subprocess")
        # Commands that could not be killed.
        self._left: list[subprocess.Popen[bytes]] = []

    def __repr__(self) -> str:
        return f"SendmailSink({self._path!r})"

    def send(self, item: Message) -> Mapping[str, DeliveryError]:
        """Run the command with the message on its standard input; lines end in `\\n` there, as on Unix."""
        message = mail(item)
        deadline = SystemClock().monotonic() + self._timeout
        try:
            self._run(message, message.recipients, deadline)
        except PermanentDeliveryError:
            if len(message.recipients) == 1:
                raise
            # Some mail servers' command has queued it for the others by then, some has not, and the status does not
            # say. A duplicate with the same Message-ID is better than a loss.
            return self._one_by_one(message, deadline)
        return {}

    def _one_by_one(self, message: Message, deadline: float) -> Mapping[str, DeliveryError]:
        errors: dict[str, DeliveryError] = {}
        for recipient in message.recipients:
            try:
                self._run(message, (recipient,), deadline)
            except DeliveryError as error:
                errors[recipient] = error
        return errors

    def _run(self, message: Message, recipients: Sequence[str], deadline: float) -> None:
        about = one_line(", ".join(recipients), LONGEST)
        try:
            said = self._said(message, recipients, deadline)
        except Unsent as error:
            words = str(error)
            tell(
                self._watch, Step(name="sendmail", words=line(words), about=about, reason=error.reason, code=error.code)
            )
            raise error.kind(words) from None
        words = f"{self._path} exited with 0" + (f": {said}" if said else "")
        tell(self._watch, Step(name="sendmail", words=line(words), about=about))

    def _said(self, message: Message, recipients: Sequence[str], deadline: float) -> str:
        """What the command says, in one line, when it takes the message."""
        _must_hear_of_children()
        self._must_be_alone()
        if SystemClock().monotonic() >= deadline:
            raise Unsent(f"{self._path}: no time was left of {self._timeout:g} s", "timeout")
        # No sender (RFC 5321 section 4.5.5) is written so for every mail server; not all take an empty argument.
        argv = [self._path, "-i", "-f", message.sender or "<>", "--", *recipients]
        child = self._started(argv, message.data.replace(b"\r\n", b"\n"))
        said = one_line(self._watched(child, deadline).decode("utf-8", "replace").strip(), KEPT)
        status = child.returncode
        if status == 0:
            return said
        if status == UNKNOWN:
            raise Unsent(f"{self._path}: its exit status was lost; something else in this process collects children")
        told = f": {said}" if said else ""
        if status < 0:
            raise Unsent(f"{self._path} was killed by signal {-status}{told}", "killed", -status)
        if status in CONDEMNED:
            told = f" ({CONDEMNED[status]}){told}"
        kind = PermanentDeliveryError if status in CONDEMNED else TemporaryDeliveryError
        raise Unsent(f"{self._path} exited with {status}{told}", "exit", status, kind)

    def _must_be_alone(self) -> None:
        """Not another one while an earlier one cannot be killed: it may be sending this very mail, and they pile up."""
        self._left = [child for child in self._left if not _ended(child)]
        if self._left:
            pid = self._left[0].pid
            raise Unsent(f"{self._path} of an earlier mail is still running (pid {pid}) and cannot be killed")

    def _started(self, argv: Sequence[str], data: bytes) -> subprocess.Popen[bytes]:
        from subprocess import DEVNULL, PIPE, Popen

        try:
            with _spool() as spool:
                spool.write(data)
                spool.seek(0)
                # A group of its own: a signal meant for this program's group must not end a delivery half-way.
                return Popen(argv, stdin=spool, stdout=DEVNULL, stderr=PIPE, process_group=0)
        except OSError as error:
            raise Unsent(f"cannot run {self._path}: {error.strerror}", code=error.errno or 0) from None
        except ValueError as error:
            # A NUL in an address: no argument can carry it, ever.
            raise Unsent(f"cannot run {self._path}: {error}", "address", kind=PermanentDeliveryError) from None

    def _watched(self, child: subprocess.Popen[bytes], deadline: float) -> bytes:
        """What the command says until it ends: all is read, so that it never blocks, and the beginning kept."""
        clock = SystemClock()
        pause = SHORT
        try:
            kept = b""
            ended = False
            while not ended:
                # In this order: what it said before it ended is still read.
                ended = _ended(child)
                silent = child.stderr is None
                pause = min(2 * pause, TICK) if silent else SHORT
                left = deadline - clock.monotonic()
                kept = _heard(child, kept, 0 if ended else min(pause if silent else TICK, left))
                if not ended and clock.monotonic() >= deadline:
                    told = f"{self._path} was still running after {self._timeout:g} s, and was killed"
                    raise Unsent(told, "timeout")
            return kept
        finally:
            if not _reaped(child):
                self._left.append(child)


def _ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the command has ended; then `returncode` says how.

    Not Popen.poll(): when something else in this process collects children, that takes the lost status for success.
    """
    if child.returncode is None:
        try:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
        except ChildProcessError:
            # Not 0, which would be a mail that is lost.
            child.returncode = UNKNOWN
        else:
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode is not None


def _heard(child: subprocess.Popen[bytes], kept: bytes, patience: float) -> bytes:
    """`kept` and what there is to read on stderr, waited for so many seconds."""
    from select import POLLIN, poll

    poller = poll()
    if (stream := child.stderr) is not None:
        poller.register(stream, POLLIN)
    # Without anything to hear this is a pause.
    if not poller.poll(max(0.0, patience) * 1000) or stream is None:
        return kept
    if data := os.read(stream.fileno(), 65536):
        return kept + data[: KEPT - len(kept)]
    stream.close()
    child.stderr = None
    return kept


def _reaped(child: subprocess.Popen[bytes]) -> bool:
    """Leave neither a process nor a zombie nor a descriptor; False when the process is stronger."""
    if child.stderr is not None:
        child.stderr.close()
        child.stderr = None
    if child.returncode is None:
        # It is not reaped yet, so the number is still its own; what it started dies with it, unless it left the group.
        # EPERM: some mail servers' command becomes another user.
        for kill in (os.killpg, os.kill):
            with suppress(OSError):
                kill(child.pid, 9)
    clock = SystemClock()
    deadline = clock.monotonic() + LEAVE
    pause = SHORT
    while not _ended(child) and clock.monotonic() < deadline:
        _heard(child, b"", pause)
        pause = min(2 * pause, TICK)
    return child.returncode is not None


def _must_hear_of_children() -> None:
    """With SIGCHLD ignored (that is inherited) the system throws the exit status away: a failure looks like success."""
    from signal import SIG_IGN, SIGCHLD, getsignal

    if getsignal(SIGCHLD) == SIG_IGN:
        raise Unsent("SIGCHLD is ignored in this process, so sendmail cannot report: set it to SIG_DFL")


def _spool() -> IO[bytes]:
    """A file for the message: with a pipe, a command that does not read could hold us up.

    In memory where the system can, for the mail may be about a full disk.
    """
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("burstmail"), "w+b")
    from tempfile import TemporaryFile

    return TemporaryFile()


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _found() -> str:
    from shutil import which

    for place in PLACES:
        if _runs(place):
            return place
    if (path := which("sendmail")) is None:
        raise FileNotFoundError("no sendmail command on this machine; install a mail server, or use SMTP or a Maildir")
    return path
