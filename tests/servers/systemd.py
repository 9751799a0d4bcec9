"""Real journals, written by systemd-journal-remote and read by journalctl; sockets of systemd-socket-activate.

No journald and no init: systemd-journal-remote makes a journal of what it is told in the export format, which
tests/run unpacks into .venvs/journal-remote for this alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import burstmail
from tests.servers.processes import Foreground, wait_for

UNPACKED = Path(__file__).parents[2] / ".venvs" / "journal-remote"
PLACES = [UNPACKED / "lib" / "systemd", Path("/lib/systemd"), Path("/usr/lib/systemd")]
LIBRARIES = [*UNPACKED.glob("usr/lib/*-linux-*"), *UNPACKED.glob("usr/lib/*-linux-*/systemd")]
WRITER = shutil.which("systemd-journal-remote", path=":".join(map(str, PLACES)))
ACTIVATE = shutil.which("systemd-socket-activate")

BOOTS = [f"{number:032x}" for number in range(1, 10)]
Value = str | bytes


def exported(fields: Sequence[tuple[str, Value]]) -> bytes:
    """One entry in the journal export format: text as NAME=VALUE, all else with its length."""
    return b"".join(_field(name, value) for name, value in fields) + b"\n"


def _field(name: str, value: Value) -> bytes:
    if isinstance(value, str) and value.isprintable():
        return f"{name}={value}\n".encode()
    data = value.encode() if isinstance(value, str) else value
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"


class Journal:
    """A directory with journal files; `log` writes into one of them, as a journald would."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self.boot = BOOTS[0]
        self._last = 0
        self._writers: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, *entries: Sequence[tuple[str, Value]] | str, file: str = "system", end: bool = True) -> None:
        """Write entries, each a message or all of its fields; `end` waits until they are in the file."""
        if not (writer := self._writers.get(file)):
            assert WRITER
            env = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, LIBRARIES))}
            command = [WRITER, "--output", str(self.directory / f"{file}.journal"), "-"]
            writer = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
            self._writers[file] = writer
        assert writer.stdin
        writer.stdin.write(b"".join(exported([*self._addresses(), *_fields(each)]) for each in entries))
        writer.stdin.flush()
        if end:
            self.end(file)

    def _addresses(self) -> Iterator[tuple[str, Value]]:
        # Two entries of a journal have different times.
        self._last = max(self._last + 1, time.time_ns() // 1000)
        yield "__REALTIME_TIMESTAMP", str(self._last)
        yield "__MONOTONIC_TIMESTAMP", str(self._last % 10**12)
        yield "_BOOT_ID", self.boot

    def end(self, file: str = "system") -> None:
        """The writer ends, and its file is closed: a journal at rest."""
        writer = self._writers.pop(file)
        assert writer.stdin
        writer.stdin.close()
        assert writer.wait(20) == 0

    def stop(self) -> None:
        for file in list(self._writers):
            self.end(file)


def _fields(entry: Sequence[tuple[str, Value]] | str) -> Sequence[tuple[str, Value]]:
    if not isinstance(entry, str):
        return entry
    return [("MESSAGE", entry), ("_HOSTNAME", "web1"), ("SYSLOG_IDENTIFIER", "app"), ("PRIORITY", "6"), ("_PID", "42")]


def journalctls() -> list[int]:
    """The pids of the journalctls that this process has started: any of its threads may have."""
    while True:
        # A thread that ends meanwhile leaves its children to another one, and a child may end, too: look again.
        with suppress(FileNotFoundError, ProcessLookupError):
            tasks = [task / "children" for task in Path("/proc/self/task").iterdir()]
            children = [int(pid) for task in tasks for pid in task.read_text().split()]
            return [pid for pid in children if Path(f"/proc/{pid}/comm").read_text() == "journalctl\n"]


class Activated:
    """systemd-socket-activate on a loopback port, or a path, for a Python script or for the command line."""

    def __init__(
        self, directory: Path, options: Sequence[str], command: Sequence[str], path: Path | None = None
    ) -> None:
        assert ACTIVATE
        self.address: str | tuple[str, int] = str(path) if path else ("127.0.0.1", free_port())
        listen = str(path) if path else f"127.0.0.1:{self.address[1]}"
        environment = {"PYTHONPATH": str(Path(burstmail.__file__).parents[1]), "PATH": os.environ["PATH"]}
        passed = [word for name, value in environment.items() for word in ("-E", f"{name}={value}")]
        self.said = directory / "said"
        self.daemon = Foreground([ACTIVATE, *options, *passed, "-l", listen, *command], self.said, env=environment)
        wait_for("socket", lambda: "Listening on" in self.said.read_text())

    def connect(self) -> socket.socket:
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        opened = socket.socket(family)
        opened.connect(self.address)
        return opened

    def stop(self) -> None:
        """SIGTERM to all that it has started, and to itself."""
        for pid in _family(self.daemon.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self.daemon.stop()


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def python(script: str) -> list[str]:
    """The command that runs a script."""
    return [sys.executable, "-c", script]
