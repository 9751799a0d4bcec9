"""Log record -> one line, on standard error or in a bounded file. Where diagnostics go.

Words about the mail must never stop the mail: a handler neither raises nor waits nor prints tracebacks of its own. What
cannot be written is counted, and the next line that can be says so. Whatever a server or a program said is escaped.
Limits: 2,000 characters a record, 16 KiB of traceback, a file of 512 KiB and one older beside it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import stat
from contextlib import suppress

LIMIT = 2000
TRACEBACK = 16384
FILE_BYTES = 512 * 1024
# What poll(2) promises for a pipe: so much can be written at once without waiting.
PIECE = 4096

logger = logging.getLogger("burstmail")


def attach(choice: str | None, directory: str | None) -> None:
    """Say where this process's words go, instead of where they went before.

    `choice` is `stderr`, `none`, a file, or None: standard error, unless that is /dev/null and there is a `directory`
    for a file of the name `log`. Raises ValueError if the file chosen cannot be used.
    """
    handler = _handler(choice, directory)
    detach()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def detach() -> None:
    """Say nothing from now on."""
    for handler in [handler for handler in logger.handlers if isinstance(handler, Channel)]:
        logger.removeHandler(handler)
        handler.close()


def say(words: str) -> None:
    """One line on standard error, for whoever has just typed a command."""
    put(2, f"burstmail: {words}")


def put(descriptor: int, *lines: str) -> None:
    """Lines for whoever has just typed a command. Nobody may be listening: then they are lost.

    Past Python's own buffers, which fail at exit where somebody has stopped reading.
    """
    data = "".join(f"{visible(line)}\n" for line in lines).encode("utf-8", "backslashreplace")
    with suppress(OSError):
        while data:
            data = data[os.write(descriptor, data) :]


def attached() -> bool:
    """Whether somebody has said where words go."""
    return any(isinstance(handler, Channel) for handler in logger.handlers)


def _handler(choice: str | None, directory: str | None) -> Channel:
    if choice == "none":
        return Channel()
    if choice not in (None, "stderr"):
        file = FileChannel(os.path.abspath(str(choice)))
        file.check()
        return file
    if choice is None and directory and _is_null(2):
        # Opened with the first record: a file that says nothing is not made.
        return FileChannel(os.path.join(directory, "log"), directory)
    return StderrChannel()


def _is_null(descriptor: int) -> bool:
    ours, null = os.fstat(descriptor), os.stat(os.devnull)
    return stat.S_ISCHR(ours.st_mode) and ours.st_rdev == null.st_rdev


def visible(text: str) -> str:
    """The text with every character that is not for reading escaped, line breaks included; a tab stays."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in text)


class Channel(logging.Handler):
    """A handler that keeps its troubles to itself. This one writes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, after the count of those that could not be."""
        try:
            if self._lost and self._write(self._head(record) + f"{self._lost} log lines could not be written\n"):
                self._lost = 0
            if self._lost or not self._write(self._text(record)):
                self._lost += 1
        except Exception:
            # Not even a bug in a message's arguments may end the thread that logs.
            self._lost += 1

    def _head(self, record: logging.LogRecord) -> str:
        return "burstmail: "

    def _text(self, record: logging.LogRecord) -> str:
        text = visible(record.getMessage())
        text = text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"
        lines = [self._head(record) + text]
        if record.exc_info:
            # Indented, so that no line of it can pass for one of ours.
            trace = logging.Formatter().formatException(record.exc_info)[-TRACEBACK:]
            lines += [f"  {visible(line)}" for line in trace.split("\n")]
        return "\n".join(lines) + "\n"

    def _write(self, text: str) -> bool:
        """Whether all of it was written."""
        return True


class StderrChannel(Channel):
    """Lines on standard error, as far as its reader takes them at once."""

    def _write(self, text: str) -> bool:
        data = text.encode("utf-8", "backslashreplace")
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        while data:
            # A pipe that is full would hold up reading, and with it the logger in front of us.
            if not any(event & select.POLLOUT for _, event in poll.poll(0)):
                return False
            try:
                data = data[os.write(2, data[:PIECE]) :]
            except OSError:
                return False
        return True


class FileChannel(Channel):
    """Lines with date and process in a file that is ours alone; over the bound it becomes FILE.1 and starts anew.

    Several processes may write the same file. With a `directory`, that is made if it is missing.
    """

    def __init__(self, path: str, directory: str | None = None) -> None:
        super().__init__()
        self._path = path
        self._directory = directory
        self._fd = -1

    def check(self) -> None:
        """Open the file. Raises OSError or ValueError, naming it, if that cannot be."""
        try:
            self._open()
        except OSError as error:
            raise ValueError(f"--log {visible(self._path)!r}: {error.strerror}") from None

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        super().close()

    def _head(self, record: logging.LogRecord) -> str:
        when = logging.Formatter().formatTime(record, "%Y-%m-%dT%H:%M:%S%z")
        return f"{when} burstmail[{os.getpid()}]: "

    def _write(self, text: str) -> bool:
        try:
            data = text.encode("utf-8", "backslashreplace")
            self._make_room(len(data))
            return os.write(self._fd, data) == len(data)
        except (OSError, ValueError):
            return False

    def _make_room(self, size: int) -> None:
        if not self._is_current():
            self._open()
        if os.fstat(self._fd).st_size + size <= FILE_BYTES:
            return
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Another process is just moving it away.
            return
        # It may have been moved before we had the lock.
        if self._is_current():
            os.replace(self._path, f"{self._path}.1")
        self._open()

    def _is_current(self) -> bool:
        """Whether our descriptor is the file of that name: others move it away too."""
        try:
            return self._fd >= 0 and os.path.samestat(os.fstat(self._fd), os.lstat(self._path))
        except OSError:
            return False

    def _open(self) -> None:
        if self._directory:
            make_private(self._directory)
        # Without O_NONBLOCK a named pipe would hold us up until somebody reads it.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(self._path, flags, 0o600)
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
            os.close(fd)
            raise ValueError(f"--log {visible(self._path)!r}: must be a file of our own, or stderr, or none")
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd


def make_private(directory: str) -> None:
    """Make a directory and its missing parents, for us alone. Raises ValueError where others could write into it."""
    if not os.path.isdir(directory):
        parent = os.path.dirname(directory)
        if parent and not os.path.isdir(parent):
            make_private(parent)
        # Another instance may just have made it.
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ValueError(f"{visible(directory)!r}: must be a directory that only we can write")
