"""A real syslog-ng: own configuration, socket, pid, persist and control files; one of docs/examples/ as its alert."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.servers.processes import Foreground, burstmail_script, wait_for

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
COMMAND = "/usr/local/bin/burstmail --to root"


class SyslogNg:
    """Started with the examples' own text: only paths and the destination of the mails are adapted, as a user would."""

    def __init__(self, directory: Path, alert: str, options: str = "", *, no_multi_line: bool = True) -> None:
        self.directory = directory
        self.maildir = directory / "mails"
        self.socket = directory / "log"
        self._control = directory / "control"
        (directory / "conf.d").mkdir()
        command = f"{burstmail_script(directory)} --to root --maildir {self.maildir} {options}".rstrip()
        self._adapt(f"{alert}.conf", "conf.d/alert.conf", {COMMAND: command})
        here = {'"/dev/log"': f'"{self.socket}"', "/etc/syslog-ng/conf.d": str(directory / "conf.d")}
        if not no_multi_line:
            here[" flags(no-multi-line)"] = ""
        self._adapt("source.conf", "syslog-ng.conf", here)
        files = {"cfgfile": "syslog-ng.conf", "persist-file": "persist", "pidfile": "pid", "control": "control"}
        arguments = [f"--{option}={directory / name}" for option, name in files.items()]
        self.daemon = Foreground(["syslog-ng", "--foreground", "--stderr", *arguments], directory / "syslog-ng.log")
        try:
            wait_for("socket of syslog-ng", self._is_up)
        except BaseException:
            self.stop()
            raise

    def _adapt(self, example: str, name: str, changes: dict[str, str]) -> None:
        text = (EXAMPLES / example).read_text()
        for old, new in changes.items():
            assert old in text, f"{example} no longer contains {old}"
            text = text.replace(old, new)
        (self.directory / name).write_text(text)

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
        return {row[4]: int(row[5]) for row in rows if row[0] == "dst.program"}

    def child(self) -> int:
        """The pid of burstmail, the only child of syslog-ng."""
        pid = self.daemon.process.pid
        children = wait_for("child of syslog-ng", Path(f"/proc/{pid}/task/{pid}/children").read_text)
        (only,) = children.split()
        return int(only)

    def stop(self) -> None:
        """End syslog-ng, and with it the burstmail that it runs."""
        self.daemon.stop()
