"""A real rsyslogd: own configuration, socket, pid file and work directory; an alert as `burstmail setup` prints it.

Its package cannot be installed beside syslog-ng's. tests/run unpacks it into .venvs/rsyslog, and it runs from there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.servers.processes import Foreground, burstmail_script, printed, wait_for
from tests.servers.syslog_ng import is_up

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
UNPACKED = ROOT / ".venvs" / "rsyslog"
COMMAND = "/usr/local/bin/burstmail --to root"
ENVIRONMENT = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, UNPACKED.glob("usr/lib/*-linux-*")))}

# What stands around an alert. A message is in `seen` once the alert's own queue has it.
MAIN = """
global(workDirectory="{home}/work" processInternalMessages="on" {settings})
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{home}/log" RateLimit.Interval="0")
include(file="{home}/alert.conf")
if $syslogfacility-text == "syslog"
then action(type="omfile" file="{home}/own")
else action(type="omfile" file="{home}/seen")
"""


@cache
def rsyslogd() -> str | None:
    """The daemon, unpacked or installed; None where there is none."""
    places = [str(UNPACKED / "usr" / "sbin"), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    return shutil.which("rsyslogd", path=":".join(places))


class Rsyslog:
    """Started with what `burstmail setup rsyslog` prints, the filter and the options being those of an example.

    `changes` are further replacements in it, `settings` are of global().
    """

    def __init__(
        self,
        directory: Path,
        alert: str,
        options: str = "",
        *,
        changes: Mapping[str, str] | None = None,
        settings: str = "",
    ) -> None:
        self.directory = directory
        self.maildir = directory / "mails"
        self.socket = directory / "log"
        # What tests have read in mails so far, by the mail's file name.
        self.told: dict[str, list[int]] = {}
        (directory / "work").mkdir()
        example = (EXAMPLES / f"rsyslog-{alert}.conf").read_text()
        own = re.search(rf'binary="{COMMAND}(.*)"', example)
        told = re.search(r"^if (.*?)\s+then \{", example, re.S | re.M)
        assert own and told, f"rsyslog-{alert}.conf has no command, or no filter"
        places = ["--state", str(directory / "state"), "--maildir", str(self.maildir)]
        words = ["--to", "root", *places, *shlex.split(own[1]), *shlex.split(options)]
        text = printed(burstmail_script(directory), "rsyslog", *words)
        for old, new in {'prifilt("*.err")': told[1], **(changes or {})}.items():
            assert old in text, f"{old} is not in it any more"
            text = text.replace(old, new)
        (directory / "alert.conf").write_text(text)
        (directory / "rsyslog.conf").write_text(MAIN.format(home=directory, settings=settings))
        self.start()

    def start(self) -> None:
        """Start rsyslogd, again after a stop."""
        self.socket.unlink(missing_ok=True)
        program = rsyslogd()
        assert program
        modules = [] if not UNPACKED.exists() else [f"-M{next(UNPACKED.glob('usr/lib/*/rsyslog'))}"]
        command = [program, "-n", *modules, "-f", f"{self.directory}/rsyslog.conf", "-i", f"{self.directory}/pid"]
        self.daemon = Foreground(command, self.directory / "rsyslog.log", env=ENVIRONMENT)
        try:
            wait_for("socket of rsyslog", self._is_up)
        except BaseException:
            self.stop()
            raise

    def _is_up(self) -> bool:
        self.daemon.must_run()
        # It starts with what it could read, and says so.
        assert "error during parsing" not in self.daemon.log.read_text(), self.daemon.log.read_text()
        return self.socket.exists()

    def send(self, lines: Iterable[str | bytes]) -> None:
        """Write datagrams to the socket as syslog(3) does; waits while rsyslog is slower."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(self.socket))
            for line in lines:
                sender.send(line if isinstance(line, bytes) else line.encode())

    def seen(self) -> int:
        """How many messages have passed the alert, ever: they are in its queue, or further."""
        file = self.directory / "seen"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    def said(self) -> str:
        """What rsyslog has logged about itself."""
        file = self.directory / "own"
        return self.daemon.log.read_text() + (file.read_text(errors="replace") if file.exists() else "")

    def children(self) -> list[int]:
        """The pids of the burstmails that run. Any of rsyslogd's threads may have started them."""
        tasks = Path(f"/proc/{self.daemon.process.pid}/task")
        found = [task.joinpath("children").read_text().split() for task in tasks.iterdir()]
        return [int(child) for children in found for child in children]

    def child(self, other: int = 0) -> int:
        """The pid of a burstmail that catches signals, and is not `other`."""

        def probe() -> int:
            # A child may be gone before it is looked at.
            with suppress(FileNotFoundError, ProcessLookupError):
                return next((child for child in self.children() if child != other and is_up(child)), 0)
            return 0

        return wait_for("burstmail that is up", probe)

    def hang_up(self) -> None:
        """SIGHUP, as logrotate sends it."""
        self.daemon.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End rsyslogd; it closes burstmail's input and waits for its end."""
        self.daemon.stop()

    def kill(self) -> None:
        """SIGKILL for rsyslogd alone: burstmail sees the end of its input, and nothing else."""
        self.daemon.process.kill()
        self.daemon.process.wait()
