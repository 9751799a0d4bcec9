"""A real syslog-ng: own configuration, socket, pid, persist and control files; the alert is what setup prints."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from fcntl import ioctl
from pathlib import Path
from struct import unpack
from termios import FIONREAD

from tests.servers.processes import Foreground, burstmail_script, printed, wait_for

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
COMMAND = "/usr/local/bin/burstmail --to root"
# Everything that is logged, the mail server's own lines too: what no example does, and somebody will.
ANYTHING = "level(debug..emerg)"


class SyslogNg:
    """Started with what `burstmail setup syslog-ng` prints, the filter and the options being those of an example.

    `mailer` is a sendmail command in place of the Maildir; `files` are logs that syslog-ng follows beside the socket.
    `patient`: the shell ignores SIGTERM until burstmail catches it, as docs/syslog-ng.md has it. `stop`, `kill` and
    `start` may be called again and again: the files stay.
    """

    def __init__(
        self,
        directory: Path,
        alert: str,
        options: str = "",
        *,
        no_multi_line: bool = True,
        keep_alive: bool = True,
        patient: bool = False,
        mailer: Path | None = None,
        to: str = "root",
        files: Sequence[Path] = (),
        filter: str = "",
    ) -> None:
        self.directory = directory
        self.maildir = directory / "mails"
        self.state = directory / "state"
        self.socket = directory / "log"
        self._control = directory / "control"
        (directory / "conf.d").mkdir()
        example = (EXAMPLES / f"{alert}.conf").read_text()
        own = re.search(rf'"exec {COMMAND}(.*)"', example)
        told = re.search(r"filter \w+ \{\n(.*?);\n\}", example, re.S)
        assert own and told, f"{alert}.conf has no command, or no filter"
        destination = ["--sendmail", str(mailer)] if mailer else ["--maildir", str(self.maildir)]
        words = [*destination, "--state", str(self.state), *shlex.split(own[1]), *shlex.split(options)]
        text = printed(burstmail_script(directory), "syslog-ng", "--to", to, *words)
        changes = {"    level(err..emerg)": filter or told[1]}
        if patient:
            changes['"exec '] = "\"trap '' TERM; exec "
        if not keep_alive:
            changes["keep-alive(yes)"] = "keep-alive(no)"
        (directory / "conf.d" / "alert.conf").write_text(_changed(text, changes))
        main = _changed((EXAMPLES / "source.conf").read_text(), self._sources(no_multi_line, files))
        (directory / "syslog-ng.conf").write_text(main)
        self.start()

    def _sources(self, no_multi_line: bool, files: Sequence[Path]) -> dict[str, str]:
        flags = " flags(no-multi-line)"
        more = "".join(f'\n    file("{path}" follow-freq(0.1));' for path in files)
        return {
            '"/dev/log"': f'"{self.socket}"',
            "/etc/syslog-ng/conf.d": str(self.directory / "conf.d"),
            f"{flags});": (f"{flags});" if no_multi_line else ");") + more,
        }

    def start(self) -> None:
        """Start it, and wait until it can be written to."""
        for path in (self.socket, self._control):
            # Left behind by one that was killed: they would look as if the new one were up.
            path.unlink(missing_ok=True)
        files = {"cfgfile": "syslog-ng.conf", "persist-file": "persist", "pidfile": "pid", "control": "control"}
        arguments = [f"--{option}={self.directory / name}" for option, name in files.items()]
        command = ["syslog-ng", "--foreground", "--stderr", *arguments]
        self.daemon = Foreground(command, self.directory / "syslog-ng.log")
        try:
            wait_for("socket of syslog-ng", self._is_up)
        except BaseException:
            self.stop()
            raise

    def _is_up(self) -> bool:
        self.daemon.must_run()
        return self.socket.exists() and self._control.exists()

    def send(self, lines: Iterable[str | bytes]) -> float:
        """Write datagrams to the socket as syslog(3) does. Returns the moment of the last one."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(self.socket))
            for line in lines:
                sender.send(line if isinstance(line, bytes) else line.encode())
        return time.monotonic()

    def control(self, *words: str) -> str:
        """Run syslog-ng-ctl."""
        command = ["syslog-ng-ctl", *words, f"--control={self._control}"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout

    def statistics(self) -> dict[str, int]:
        """Of the program() destination: processed, written, dropped, queued, ..."""
        rows = [row.split(";") for row in self.control("stats").splitlines()]
        # A command may have a semicolon in it.
        return {row[-2]: int(row[-1]) for row in rows if row[0] == "dst.program"}

    def children(self) -> list[int]:
        """The pids of the burstmails that run: while one ends, another may have started."""
        pid = self.daemon.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def child(self) -> int:
        """The pid of burstmail, the only child of syslog-ng."""
        (only,) = wait_for("child of syslog-ng", self.children)
        return only

    def wait_until_read(self, sent: int, child: int) -> None:
        """Wait until syslog-ng has written so many lines (since it started) and this burstmail has read them.

        Read is: the pipe is empty, and the process waits for more. It has then written down what it took.
        """
        wait_for(f"{sent} lines written to burstmail", lambda: self.statistics()["written"] >= sent)
        wait_for("burstmail that has read all of them", lambda: is_waiting(child))

    def stop(self) -> None:
        """End syslog-ng, and with it the burstmail that it runs."""
        self.daemon.stop()

    def kill(self) -> None:
        """SIGKILL for syslog-ng alone: burstmail sees the end of its input, and nothing else."""
        self.daemon.process.kill()
        self.daemon.process.wait()


def _changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"{old} is not in it any more"
        text = text.replace(old, new)
    return text


def has_ended(pid: int) -> bool:
    """Gone, or waiting for an init that does not reap: the last of its threads too, which held its pipe open."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        return len(threads) < 2 and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def is_up(pid: int) -> bool:
    """Whether Python has started and burstmail catches signals; before, a SIGTERM ends it as it ends any program."""
    process = Path(f"/proc/{pid}")
    mask = int(process.joinpath("status").read_text().partition("SigCgt:")[2].split()[0], 16)
    # Before its exec the child is still a copy of syslog-ng, which catches signals too.
    return b"\0-m\0burstmail\0" in process.joinpath("cmdline").read_bytes() and bool(mask >> (signal.SIGTERM - 1) & 1)


def is_waiting(pid: int) -> bool:
    """Whether its standard input is empty and its main thread waits in poll(2)."""
    try:
        with open(f"/proc/{pid}/fd/0", "rb", buffering=0) as pipe:
            (unread,) = unpack("i", ioctl(pipe, FIONREAD, b"\0" * 4))
        return not unread and "poll" in Path(f"/proc/{pid}/wchan").read_text()
    except (FileNotFoundError, ProcessLookupError):
        # Opening a pipe by its number fails once nobody writes to it any more.
        return False
