"""docs/examples/four_alerts.py as it is: each alert to its own recipient, the same mails whichever way lines come."""

from __future__ import annotations

import re
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.cli.process import ENVIRONMENT, follows
from tests.conftest import HOW
from tests.servers.processes import Foreground, body, counts, log_lines, mails, wait_for
from tests.servers.syslog_ng import EXAMPLES
from tests.servers.test_syslog_ng import ALERTS

pytestmark = pytest.mark.servers

NAMES = {"auth-failures": "auth", "console-logins": "console", "network-link": "network", "usb": "usb"}
HOSTS = ("web1", "web2")
WAYS = ("file", "udp", "tcp", "unix", "program")
# When lines arrived, and how long that took; not the lines' own stamps.
# A file is named in the mail; other ways have no name.
VARIES = re.compile(
    r"^(?:Received|First line|Last line|Read from): .*\n| in \d+(?:\.\d)? s\b|(?<= )\d\d:\d\d:\d\d(?=\.)", re.MULTILINE
)

CONFIGURATION = """@version: 3.38
options {{ keep-hostname(yes); keep-timestamp(yes); }};
source s_src {{ network(ip("127.0.0.1") port({port}) transport("tcp")); }};
destination d_alerts {{
    program("exec {command} -" template("<${{PRI}}>${{ISODATE}} ${{HOST}} ${{MSGHDR}}${{MESSAGE}}\\n") keep-alive(yes));
}};
log {{ source(s_src); destination(d_alerts); }};
"""


def lines(told: bool) -> Iterator[tuple[str, str]]:
    """(alert, line): those that must be told of, or those that must not, of each host, in the form of the template."""
    for alert, both in ALERTS.items():
        for number, line in enumerate(both[0 if told else 1]):
            for host in HOSTS:
                begun = re.sub(r"^(<\d+>)Nov (\d\d) (\S+)", rf"\g<1>2026-11-\2T\3+00:00 {host}", line)
                yield NAMES[alert], f"{begun} [{NAMES[alert]} {number} {host}]"


def everything() -> list[str]:
    """All of them, well mixed: neighbours are of different routes."""
    rows = [line for _, line in [*lines(True), *lines(False)]]
    return rows[::3] + rows[1::3] + rows[2::3]


class Way:
    """One instance of the program, fed in one way. Its mails go to a Maildir."""

    def __init__(self, way: str, folder: Path, stack: ExitStack) -> None:
        folder.mkdir()
        self.way, self.folder, self.maildir = way, folder, folder / "mails"
        text = (EXAMPLES / "four_alerts.py").read_text()
        changes = {
            "SendmailSink()": f"MaildirSink({str(self.maildir)!r})",
            "    SendmailSink,\n": "    MaildirSink,\n",
            '"/var/lib/four-alerts"': repr(str(folder / "state")),
        }
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / "four_alerts.py").write_text(text)
        self._port = _port(socket.SOCK_DGRAM if way == "udp" else socket.SOCK_STREAM)
        self.daemon = Foreground(self._command(), folder / "log", ENVIRONMENT | {"TZ": "UTC"})
        stack.callback(self.daemon.stop)

    def _command(self) -> list[str]:
        script = [sys.executable, str(self.folder / "four_alerts.py")]
        if self.way == "program":
            return self._syslog_ng(" ".join(script))
        if self.way == "file":
            (self.folder / "syslog").touch()
            return [*script, str(self.folder / "syslog")]
        places = {"unix": f"unix://{self.folder}/socket"}
        return [*script, places.get(self.way, f"{self.way}://127.0.0.1:{self._port}")]

    def _syslog_ng(self, command: str) -> list[str]:
        configuration = CONFIGURATION.format(port=self._port, command=command)
        (self.folder / "conf").write_text(configuration)
        files = {"cfgfile": "conf", "persist-file": "persist", "pidfile": "pid", "control": "control"}
        arguments = [f"--{option}={self.folder / name}" for option, name in files.items()]
        return ["syslog-ng", "--foreground", "--stderr", *arguments]

    def send(self, rows: Iterable[str]) -> None:
        """What this way's sender does."""
        data = [row.encode() for row in rows]
        if self.way == "file":
            with (self.folder / "syslog").open("ab") as file:
                file.write(b"".join(row + b"\n" for row in data))
            return
        datagrams = self.way in ("udp", "unix")
        address = str(self.folder / "socket") if self.way == "unix" else ("127.0.0.1", self._port)
        family = socket.AF_UNIX if self.way == "unix" else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM) as sender:
            sender.connect(address)
            for row in data if datagrams else [b"".join(row + b"\n" for row in data)]:
                sender.sendall(row)

    def up(self) -> bool:
        """Whether it takes lines: the sockets are bound, and the file is known to be empty."""
        self.daemon.must_run()
        if self.way == "file":
            return (self.folder / "state" / "store.db").exists() and follows(
                self.daemon.process.pid, self.folder / "syslog"
            )
        if self.way in ("tcp", "program"):
            with socket.socket() as trial:
                return trial.connect_ex(("127.0.0.1", self._port)) == 0
        return (self.folder / "state" / "store.db").exists()

    def lines(self) -> int:
        """Lines in its mails so far."""
        return sum(counts(mail)["lines"] for mail in mails(self.maildir))


def _port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[EmailMessage]]]:
    """What came of it, by way; all run side by side, since each waits for five seconds of quiet."""
    if not shutil.which("syslog-ng"):
        pytest.skip(f"no syslog-ng here: {HOW}")
    folder = tmp_path_factory.mktemp("ways")
    with ExitStack() as stack:
        ways = [Way(way, folder / way, stack) for way in WAYS]
        for way in ways:
            wait_for(f"{way.way} that listens", way.up)
        for way in ways:
            way.send(everything())
        expected = len(list(lines(True)))
        for way in ways:
            wait_for(f"{expected} lines by {way.way}", lambda way=way: way.lines() >= expected)  # type: ignore[misc]
        yield {way.way: mails(way.maildir) for way in ways}


def plain(mail: EmailMessage) -> str:
    """All of a mail that is the same for the same lines."""
    return VARIES.sub("", "\n".join([mail["To"], mail["From"], mail["Subject"], *body(mail)]))


@pytest.mark.parametrize("way", WAYS)
def test_each_alert_reaches_its_own_recipient_and_nobody_else(
    way: str, received: dict[str, list[EmailMessage]]
) -> None:
    found = [(str(mail["To"]), line.rpartition(" [")[2]) for mail in received[way] for line in log_lines(mail)]
    told = [(f"{alert}@example.org", line.rpartition(" [")[2]) for alert, line in lines(True)]
    assert sorted(found) == sorted(told)


@pytest.mark.parametrize("way", WAYS[1:])
def test_the_mails_are_the_same_whichever_way_the_lines_came(way: str, received: dict[str, list[EmailMessage]]) -> None:
    assert sorted(map(plain, received[way])) == sorted(map(plain, received["file"]))
    assert len(received[way]) == len(NAMES) * len(HOSTS)
