"""journalctl(1) as a child: what it is told, what it says, and its end.

It follows all boots and not only the current one, to which `--follow` keeps since systemd 250: of `--boot=all` and
`--merge` one undoes that, which one depends on the version. `--merge` reads other machines' journals as well, so that
the own one's id is asked for where no directory is named. Older ones need neither, and not all know `--boot=all`.
It is killed, not asked to end: it only reads, and holds nothing. Should we be killed, it ends by itself, for it watches
the pipe that it writes to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO

from ..core.journal import FIELDS
from .bell import Bell

# What a Linux pipe holds by default, twice: as StreamSource gathers it.
CHUNK = 65536
GATHERED = 131072

# How long one that was killed may take to go: it may wait for a dead disk.
LEAVE = 2.0

# Of a remark on standard error, and how many of one child's are heard of.
REMARK, REMARKS = 500, 10

# The first systemd whose journalctl follows the current boot alone (systemd#21711).
CURRENT_BOOT_ONLY = 250

MACHINE_ID = "/etc/machine-id"


def grouped(matches: Sequence[str]) -> list[list[str]]:
    """The groups between which `+` stands. Raises ValueError for what journalctl would refuse, saying what is wrong."""
    groups: list[list[str]] = [[]]
    for match in matches:
        if match == "+":
            groups.append([])
        else:
            groups[-1].append(_checked(match))
    if len(groups) > 1 and not all(groups):
        raise ValueError(f"journal matches {' '.join(matches)!r}: + stands between two of them")
    return groups


def _checked(match: str) -> str:
    if not isinstance(match, str):
        raise TypeError(f"journal match {match!r}: must be a text, as '_SYSTEMD_UNIT=ssh.service'")
    field, is_match, _ = match.partition("=")
    named = field.replace("_", "").isalnum() and field.isascii() and field == field.upper() and len(field) <= 64
    if "\0" in match or not (match.startswith("/") or (is_match and named and field[:2] != "__")):
        raise ValueError(f"journal match {match!r}: must be FIELD=value, the path of a program, or + between two")
    return match


def command(program: str, groups: Sequence[Sequence[str]], directory: str | None, *options: str) -> list[str]:
    """The command line: what is always said, the options, the matches.

    Without `--all`, fields of more than 4 KiB are null. Behind `--` nothing is an option.
    """
    always = ["--output=json", f"--output-fields={','.join(FIELDS)}", "--all", "--no-pager"]
    where = [] if directory is None else [f"--directory={directory}"]
    machine = _machine() if directory is None else ""
    own = [f"_MACHINE_ID={machine}"] if machine else []
    matches = [word for group in groups for word in ("+", *own, *group)][1:]
    return [program, *always, *where, *options, "--", *matches]


def boots(program: str) -> list[str]:
    """The options that undo what `--follow` does; they stand behind it."""
    import subprocess

    try:
        said = subprocess.run([program, "--version"], capture_output=True, timeout=LEAVE, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        said = b""
    # `systemd 252 (252.38-1~deb12u1)`
    version = said.split()[1:2]
    old = version and version[0].isdigit() and len(version[0]) < 9 and int(version[0]) < CURRENT_BOOT_ONLY
    return [] if old else ["--boot=all", "--merge"]


def _machine() -> str:
    """machine-id(5); nothing where there is none, as in most containers."""
    try:
        with open(MACHINE_ID, encoding="ascii", errors="replace") as file:
            text = file.read(100).strip()
    except OSError:
        return ""
    return text if len(text) == 32 and text.isascii() and text.isalnum() else ""


class Journalctl:
    """One that runs. `remark` hears of each line on its standard error. Raises OSError when it cannot be started."""

    def __init__(self, command: Sequence[str], bell: Bell, remark: Callable[[str], object]) -> None:
        import subprocess
        from select import POLLIN, poll

        self._bell = bell
        self._remark = remark
        # A group of its own: a signal for ours is not meant for it.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0,
        )
        self._out, self._err = _fd(self._process.stdout), _fd(self._process.stderr)
        os.set_blocking(self._err, False)
        self._poll = poll()
        for fd in (self._out, self._err, bell.fileno()):
            self._poll.register(fd, POLLIN)
        self._said, self._remarks = b"", 0
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        """What it says, as it says it; until it ends, or the bell has rung and what was there by then is read."""
        rung = False
        while not rung:
            rung = self._bell.rung
            if not (data := self._gather()):
                return
            yield data

    def _gather(self) -> bytes:
        """What there is to read at once; waits for the first of it. Nothing at the end."""
        parts: list[bytes] = []
        size = 0
        while size < GATHERED and self._ready(waits=not parts):
            data = os.read(self._out, CHUNK)
            if not data:
                self._ended = True
                break
            parts.append(data)
            size += len(data)
        return b"".join(parts)

    def _ready(self, *, waits: bool) -> bool:
        """Whether its output, or the end of it, can be read; waited for until the bell rings."""
        while True:
            waits = waits and not self._bell.rung
            ready = {fd for fd, _ in self._poll.poll(None if waits else 0)}
            if self._err in ready:
                self._listen()
            if self._out in ready or not waits:
                return self._out in ready

    def _listen(self) -> None:
        """Hear what it has to remark."""
        try:
            data = os.read(self._err, CHUNK)
        except BlockingIOError:
            return
        if not data:
            # A descriptor that is at its end is always ready. It may have been so before.
            with suppress(KeyError):
                self._poll.unregister(self._err)
        *lines, rest = (self._said + data).split(b"\n")
        self._said = rest[:REMARK]
        for line in lines:
            self._tell(line)

    def _tell(self, line: bytes) -> None:
        # One that complains of each entry is heard, and not listened to for ever.
        self._remarks += bool(line)
        if line and self._remarks <= REMARKS:
            self._remark(line[:REMARK].decode("utf-8", "backslashreplace"))

    def end(self) -> int | None:
        """See to it that it ends, and leave nothing behind: its exit status; None if it is stronger."""
        # The number is still its own: it is not reaped yet. One whose output has ended may do so with a reason.
        if not (self._ended and self._gone()):
            with suppress(OSError):
                os.killpg(self._process.pid, 9)
            self._gone()
        self._listen()
        self._tell(self._said)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return self._process.returncode

    def _gone(self) -> bool:
        from subprocess import TimeoutExpired

        try:
            self._process.wait(LEAVE)
        except TimeoutExpired:
            return False
        return True


def _fd(stream: IO[bytes] | None) -> int:
    assert stream is not None, "it was asked for"
    return stream.fileno()
