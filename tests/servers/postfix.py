"""A real Postfix: own configuration, queue and data directories, own port on loopback; all mail ends in one Maildir."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

from tests.servers.processes import Foreground, wait_for

DOMAIN = "example.test"

# Nothing leaves this machine: one domain is delivered here, everything else is an error.
MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {log}
maillog_file_prefixes = {home}
myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error:this Postfix delivers to {domain} only
relay_transport = error:this Postfix delivers to {domain} only
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
biff = no
import_environment = MAIL_CONFIG TZ
smtputf8_enable = no
in_flow_delay = 0s
"""

# Service, type, private, unprivileged, chroot, wakeup, limit, command.
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog   unix-dgram n - n - 1 postlogd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
proxymap  unix - - n - - proxymap
anvil     unix - - n - 1 anvil
virtual   unix - n n - - virtual
"""


class Postfix:
    """Ready when the constructor returns: mail for anybody@example.test arrives in `maildir`."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.maildir = directory / "mail" / "box"
        self._pid = directory / "queue" / "pid" / "master.pid"
        self.config = directory / "config"
        self.log = directory / "postfix.log"
        self._lay_out(directory)
        self.sendmail = directory / "sendmail"
        self.sendmail.write_text(f'#!/bin/sh\nexec /usr/sbin/sendmail -C {self.config} "$@"\n')
        self.sendmail.chmod(0o755)
        command = ["postfix", "-c", str(self.config), "start-fg"]
        self.daemon = Foreground(command, directory / "start.log")
        try:
            wait_for("Postfix on its port", self._is_up)
        except BaseException:
            self.stop()
            raise

    def _lay_out(self, directory: Path) -> None:
        for name in ("config", "queue", "data", "mail"):
            (directory / name).mkdir()
            # Whatever the umask of the tests: several users of Postfix's work here.
            (directory / name).chmod(0o755)
        shutil.chown(directory / "data", "postfix")
        shutil.chown(directory / "mail", "nobody")
        nobody = (directory / "mail").stat().st_uid
        values = {"home": directory, "log": self.log, "domain": DOMAIN, "uid": nobody, "gid": nobody}
        (self.config / "main.cf").write_text(MAIN.format(**values))
        (self.config / "master.cf").write_text(MASTER.format(port=self.port))
        for file in self.config.iterdir():
            file.chmod(0o644)

    def _is_up(self) -> bool:
        self.daemon.must_run()
        with socket.socket() as probe:
            probe.settimeout(5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0 and probe.recv(100).startswith(b"220")

    def queue(self) -> str:
        """What waits, for a failed test to show."""
        return subprocess.run(["postqueue", "-c", str(self.config), "-p"], capture_output=True, text=True).stdout

    def stop(self) -> None:
        """End the master by the pid in its own queue directory."""
        master = int(self._pid.read_text()) if self._pid.exists() else None
        self.daemon.stop(master)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
