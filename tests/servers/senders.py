"""A real rsyslog and a real syslog-ng that send to addresses of ours what is written to a socket of theirs."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable
from pathlib import Path

from tests.servers.processes import Foreground, wait_for
from tests.servers.rsyslog import ENVIRONMENT, UNPACKED, rsyslogd

RSYSLOG = """
global(workDirectory="{home}" DefaultNetstreamDriverCAFile="{ca}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{home}/log" RateLimit.Interval="0")
action(type="omfwd" target="127.0.0.1" port="{port}" {options}
       queue.type="linkedList" queue.size="100000" action.resumeRetryCount="-1" action.resumeInterval="1")
"""

SYSLOG_NG = """
@version: 3.38
options {{ chain-hostnames(no); keep-hostname(yes); stats-freq(0); time-reopen(1); }};
source s {{ unix-dgram("{home}/log" flags(no-multi-line) so-rcvbuf(1048576)); }};
destination d {{ {destination} }};
log {{ source(s); destination(d); }};
"""


class Sender:
    """One of them, in the foreground and in a directory of its own."""

    def __init__(self, directory: Path, command: list[str], env: dict[str, str] | None = None) -> None:
        self.socket = directory / "log"
        self.daemon = Foreground(command, directory / "daemon.log", env=env)
        try:
            wait_for("socket of the sender", self._is_up)
        except BaseException:
            self.stop()
            raise

    def _is_up(self) -> bool:
        self.daemon.must_run()
        return self.socket.exists()

    def send(self, lines: Iterable[str]) -> None:
        """Write datagrams as syslog(3) does; waits while the sender is slower."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stream:
            stream.settimeout(20)
            stream.connect(str(self.socket))
            for line in lines:
                stream.send(line.encode())

    def stop(self) -> None:
        self.daemon.stop()


def rsyslog(directory: Path, port: int, options: str, ca: Path | None = None) -> Sender:
    """omfwd with these options."""
    program = rsyslogd()
    assert program
    text = RSYSLOG.format(home=directory, port=port, options=options, ca=ca or "")
    if ca is None:
        text = text.replace(' DefaultNetstreamDriverCAFile=""', "")
    (directory / "rsyslog.conf").write_text(text)
    modules = [f"-M{next(UNPACKED.glob('usr/lib/*/rsyslog'))}"] if UNPACKED.exists() else []
    command = [program, "-n", *modules, "-f", f"{directory}/rsyslog.conf", "-i", f"{directory}/pid"]
    return Sender(directory, command, ENVIRONMENT)


def has_rsyslog_tls() -> bool:
    """Whether the module for TLS is here."""
    return bool(rsyslogd()) and (not UNPACKED.exists() or any(UNPACKED.glob("usr/lib/*/rsyslog/lmnsd_ossl.so")))


def syslog_ng(directory: Path, destination: str) -> Sender:
    """A destination such as `network("127.0.0.1" port(514));`."""
    (directory / "syslog-ng.conf").write_text(SYSLOG_NG.format(home=directory, destination=destination))
    names = {"cfgfile": "syslog-ng.conf", "persist-file": "persist", "pidfile": "pid", "control": "control"}
    arguments = [f"--{option}={directory / name}" for option, name in names.items()]
    return Sender(directory, ["syslog-ng", "--foreground", "--stderr", *arguments])


def has_syslog_ng() -> bool:
    return bool(shutil.which("syslog-ng"))
