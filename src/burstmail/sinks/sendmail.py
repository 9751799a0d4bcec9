"""Message -> the sendmail(8) command, of whatever mail server provides it.

The recipients are arguments after `--` and never read from the text (no `-t`), a lone dot ends nothing (`-i`), no shell
is involved. Limits: one deadline for the whole attempt; of what the command says, 1 KiB is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

from ..core.escape import one_line
from ..core.model import Message
from ..errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError

if TYPE_CHECKING:
    import subprocess

PLACES = ("/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/local/sbin/sendmail", "/usr/bin/sendmail")

# sysexits.h: what is wrong with this message (usage, data, user, host). All else may be mended: 75 (try again),
# 78 (the mail server's configuration), and so on; the age of the message bounds the patience.
CONDEMNED = {64: "usage", 65: "bad data", 67: "no such user", 68: "no such host"}

KEPT = 1024


class SendmailSink:
    """Runs `path` (default: the usual places, then PATH) for each message; `timeout` bounds it, in seconds.

    Raises FileNotFoundError when there is no such command on this machine.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, timeout: float = 60.0) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout={timeout!r}: must be more than 0 seconds")
        self._path = os.fspath(path) if path is not None else _found()
        if not os.access(self._path, os.X_OK):
            raise FileNotFoundError(f"sendmail {self._path!r}: no such command; name another, or use SMTP or a Maildir")
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"SendmailSink({self._path!r})"

    def send(self, item: Message) -> Mapping[str, DeliveryError]:
        """Run the command with the message on its standard input."""
        argv = [self._path, "-i", "-f", item.sender, "--", *item.recipients]
        status, said = self._run(argv, item.data.replace(b"\r\n", b"\n"))
        if status == 0:
            return {}
        told = f": {one_line(said.decode('utf-8', 'replace').strip())}" if said.strip() else ""
        if status in CONDEMNED:
            raise PermanentDeliveryError(f"{self._path} exited with {status} ({CONDEMNED[status]}){told}")
        how = f"was killed by signal {-status}" if status < 0 else f"exited with {status}"
        raise TemporaryDeliveryError(f"{self._path} {how}{told}")

    def _run(self, argv: Sequence[str], data: bytes) -> tuple[int, bytes]:
        import subprocess

        with _spooled(data) as spool:
            try:
                child = subprocess.Popen(
                    argv,
                    stdin=spool,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    # A signal meant for this program's group must not end a delivery half-way.
                    process_group=0,
                )
            except OSError as error:
                raise TemporaryDeliveryError(f"cannot run {self._path}: {error.strerror}") from None
        with child:
            said = self._talk(child)
            return child.wait(), said

    def _talk(self, child: subprocess.Popen[bytes]) -> bytes:
        """Drain what the command says until it ends; kill its group at the deadline."""
        import threading

        expired = threading.Event()

        def kill() -> None:
            expired.set()
            os.killpg(child.pid, 9)

        timer = threading.Timer(self._timeout, kill)
        timer.daemon = True
        drain = _Drain(child)
        timer.start()
        try:
            child.wait()
        finally:
            timer.cancel()
        if expired.is_set():
            raise TemporaryDeliveryError(f"{self._path} was still running after {self._timeout:g} s, and was killed")
        return drain.said()


class _Drain:
    """Reads all that a child says on stderr, so that it never blocks, and keeps the beginning."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        import threading

        self._child = child
        self._kept = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        stream = self._child.stderr
        while stream and (data := os.read(stream.fileno(), 65536)):
            self._kept += data[: KEPT - len(self._kept)]

    def said(self) -> bytes:
        # A grandchild may keep stderr open for ever: what it has to say is not waited for.
        self._thread.join(0.2)
        return self._kept


def _spooled(data: bytes) -> IO[bytes]:
    """The message as a file, read from its start: with a pipe, a command that does not read could hold us up.

    In memory where the system can, for the mail may be about a full disk.
    """
    from tempfile import TemporaryFile

    file: IO[bytes]
    if hasattr(os, "memfd_create"):
        file = open(os.memfd_create("burstmail"), "w+b")
    else:
        file = TemporaryFile()
    file.write(data)
    file.seek(0)
    return file


def _found() -> str:
    from shutil import which

    for place in PLACES:
        if os.access(place, os.X_OK):
            return place
    if (path := which("sendmail")) is None:
        raise FileNotFoundError("no sendmail command on this machine; install a mail server, or use SMTP or a Maildir")
    return path
