"""burstmail as the child of a real rsyslogd, with and without confirmMessages, in transactions and out of them.

Lines are numbered, mails are read back. Lost: none. rsyslog itself brings a message again whose OK it has not read, so
kill -9 may tell of such a line twice; each test says how many that can be.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import kept
from tests.conftest import HOW
from tests.servers.processes import Load, body, counts, log_lines, mails, wait_for
from tests.servers.rsyslog import Rsyslog, rsyslogd
from tests.servers.syslog_ng import has_ended

pytestmark = pytest.mark.servers

Starter = Callable[..., Rsyslog]

# Every line is shown, in small mails at once: what is lost, or comes twice, has a number.
OPEN = "--gap 300ms --max-lines 300 --keep 300+300 --cap 1000/s --cool-down off --backoff 500ms..2s"
NUMBER = re.compile(r"invalid user number(\d+) from")
TRANSACTIONS = {'confirmMessages="on"': 'confirmMessages="on" useTransactions="on"'}
# rsyslog asks for confirmations, of messages and of transactions; sends transactions and does not ask; does neither.
CONFIRMED = [pytest.param({}, id="confirmed"), pytest.param(TRANSACTIONS, id="transactions")]
WITHOUT = {'confirmMessages="on"': "", " --confirm": ""}
UNASKED = {'confirmMessages="on"': 'useTransactions="on"'}
WAYS = [*CONFIRMED, pytest.param(UNASKED, id="unasked"), pytest.param(WITHOUT, id="without")]
ROUNDS = [pytest.param(4, id="4"), pytest.param(50, id="50", marks=pytest.mark.full)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts an rsyslogd with one alert: `start("usb", "--gap 1s")`."""
    if not rsyslogd():
        pytest.skip(f"no rsyslog here: {HOW}")
    with ExitStack() as stack:

        def begin(alert: str = "auth-failures", options: str = OPEN, **more: Any) -> Rsyslog:
            server = Rsyslog(tmp_path, alert, options, **more)
            stack.callback(server.stop)
            return server

        yield begin


def line(number: int) -> str:
    return f"<38>Nov 23 10:00:00 sshd[812]: Failed password for invalid user number{number} from 192.0.2.7 port 52 ssh2"


def told(server: Rsyslog) -> Counter[int]:
    """How often each number is told of. A mail that was sent twice counts once: a Maildir has one name for it."""
    for path in (server.maildir / "new").glob("*"):
        # Tens of thousands of lines are looked at often: each file is read once.
        if path.name not in server.told:
            text = "\n".join(kept(path.read_bytes()))
            server.told[path.name] = [int(number) for number in NUMBER.findall(text)]
    return Counter(number for numbers in server.told.values() for number in numbers)


def all_told(server: Rsyslog, sent: int, *, twice: int = 0, seconds: float = 30) -> None:
    """Wait for mails about lines 0 to `sent` - 1; at most so many may come twice."""
    with suppress(AssertionError):
        wait_for("all told", lambda: len(told(server)) == sent, seconds)
    found = told(server)
    assert sorted(set(range(sent)) - found.keys()) == [], f"lost, of {sent}; {server.said()}"
    again = sum(found.values()) - sent
    assert again <= twice, f"told again: {[number for number in found if found[number] > 1]}"
    assert not [mail for mail in mails(server.maildir) if "TRANSACTION" in "\n".join(body(mail))]


def written(server: Rsyslog, number: int) -> bool:
    """Whether burstmail has this line: it is in a file of its own, or in a mail."""
    files = [path for path in (server.directory / "state").rglob("*") if path.is_file()]
    with suppress(FileNotFoundError):
        return any(b"number%d " % number in path.read_bytes() for path in files) or number in told(server)
    return False


# --- the examples ------------------------------------------------------------------------------------------------

# Each alert: the datagrams that must be told of, and those that must not.
ALERTS = {
    "auth-failures": (
        [
            "<38>Nov 23 10:00:00 sshd[812]: Failed password for invalid user admin from 192.0.2.7 port 52114 ssh2",
            "<85>Nov 23 10:00:00 sshd[812]: pam_unix(sshd:auth): authentication failure; uid=0 rhost=192.0.2.7",
            "<38>Nov 23 10:00:01 sshd[814]: Invalid user oracle from 192.0.2.7 port 52118",
            "<85>Nov 23 10:00:01 sudo[815]:    eve : 3 incorrect password attempts ; TTY=pts/0 ; USER=root",
        ],
        [
            "<38>Nov 23 10:00:02 sshd[817]: Accepted publickey for alice from 192.0.2.9 port 40022 ssh2",
            "<78>Nov 23 10:00:02 CRON[818]: (root) CMD (echo authentication failure)",
        ],
    ),
    "usb": (
        [
            "<6>Nov 23 10:00:00 kernel: usb 1-1: new high-speed USB device number 4 using xhci_hcd",
            "<6>Nov 23 10:00:03 kernel: usb 1-1: USB disconnect, device number 4",
        ],
        [
            "<6>Nov 23 10:00:00 kernel: usb-storage 1-1:1.0: detected",
            "<30>Nov 23 10:00:01 udisksd[44]: USB device cleaned up",
        ],
    ),
}
SEVERITIES = {5: "notice", 6: "info"}


def split(datagram: str) -> tuple[str, str]:
    """The severity's name and the text behind the stamp: what of a datagram a mail must show."""
    priority, rest = datagram[1:].split(">", 1)
    return SEVERITIES[int(priority) % 8], rest[len("Nov 23 10:00:00 ") :]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_mails_what_it_is_for_and_nothing_else(start: Starter, alert: str) -> None:
    wanted, unwanted = ALERTS[alert]
    server = start(alert, "--gap 1s")
    server.send(unwanted + wanted + unwanted)
    (mail,) = wait_for("mail", lambda: mails(server.maildir))
    shown = log_lines(mail)
    assert counts(mail) == {"lines": len(wanted), "shown": len(wanted), "left-out": 0, "bursts": 1}
    for text, (severity, end) in zip(shown, map(split, wanted), strict=True):
        assert text.endswith(end)
        assert text.split()[0] == severity


# --- stops and starts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", WAYS)
def test_a_stop_one_second_after_five_lines_loses_none(start: Starter, changes: dict[str, str]) -> None:
    server = start(options="", changes=changes)
    server.send(map(line, range(5)))
    child = server.child()
    time.sleep(1)
    server.stop()
    wait_for("end of burstmail", lambda: has_ended(child), seconds=5)
    all_told(server, 5, seconds=0.1)


@pytest.mark.parametrize("changes", WAYS)
def test_stops_and_starts_lose_nothing(start: Starter, changes: dict[str, str]) -> None:
    server = start(changes=changes)
    sent = 0
    for _ in range(4):
        server.send(map(line, range(sent, sent := sent + 100)))
        # Before that they are in the socket, and rsyslog does not empty it.
        wait_for("lines behind the alert", lambda sent=sent: server.seen() >= sent)
        server.stop()
        server.start()
    # rsyslog starts burstmail with the first message only.
    server.send([line(sent)])
    all_told(server, sent + 1)


@pytest.mark.parametrize("changes", WAYS)
def test_hang_ups_under_load_change_nothing(start: Starter, changes: dict[str, str]) -> None:
    server = start(changes=changes)
    with Load(server.send, line) as load:
        child = server.child()
        for _ in range(20):
            time.sleep(0.05)
            server.hang_up()
    assert server.child() == child
    all_told(server, load.sent)


# --- kill -9 of burstmail ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("changes", CONFIRMED)
def test_kills_of_burstmail_lose_nothing_that_rsyslog_has(start: Starter, changes: dict[str, str], rounds: int) -> None:
    server = start(changes=changes | {'action.resumeInterval="5"': 'action.resumeInterval="1"'})
    child = 0
    with Load(server.send, line) as load:
        for number in range(rounds):
            child = server.child(other=child)
            time.sleep(0.01 + number % 7 * 0.03)
            os.kill(child, signal.SIGKILL)
    # What was written down, but whose OK had not been read.
    all_told(server, load.sent, twice=rounds, seconds=120)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_without_confirmations_kills_lose_nothing_that_burstmail_has_read(start: Starter, rounds: int) -> None:
    server = start(changes=WITHOUT | {'action.resumeInterval="5"': 'action.resumeInterval="1"'})
    child = 0
    for number in range(rounds):
        server.send(map(line, range(3 * number, 3 * number + 3)))
        child = server.child(other=child)
        wait_for("lines written down", lambda number=number: written(server, 3 * number + 2))
        os.kill(child, signal.SIGKILL)
        wait_for("end of burstmail", lambda child=child: has_ended(child))
    server.send([line(3 * rounds)])
    all_told(server, 3 * rounds + 1)


# --- kill -9 of rsyslogd -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.full)])
@pytest.mark.parametrize("changes", CONFIRMED)
def test_kills_of_rsyslog_lose_nothing_that_its_queue_has(start: Starter, changes: dict[str, str], rounds: int) -> None:
    server = start(changes=changes)
    sent = 0
    for _ in range(rounds):
        server.send([line(sent)])
        child = server.child()
        os.kill(child, signal.SIGSTOP)
        server.send(map(line, range(sent + 1, sent := sent + 100)))
        wait_for("lines in the queue", lambda: server.seen() >= sent)
        server.kill()
        os.kill(child, signal.SIGCONT)
        wait_for("end of burstmail", lambda child=child: has_ended(child))
        server.start()
    all_told(server, sent, twice=8 * rounds)


# --- a disk that fails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [CONFIRMED[0], pytest.param(*CONFIRMED[1].values, marks=pytest.mark.full, id="tx")])
def test_while_the_disk_is_full_messages_wait_in_rsyslog_and_come_once(start: Starter, changes: dict[str, str]) -> None:
    server = start(changes=changes | {'action.resumeInterval="5"': 'action.resumeInterval="1"'})
    server.send([line(0)])
    child = server.child()
    wait_for("mail", lambda: told(server))
    # No file of this process can grow: what a full disk looks like, for one process only.
    resource.prlimit(child, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    server.send(map(line, range(1, 50)))
    # Each time the message comes again, it is refused again.
    wait_for("word of it in rsyslog's log", lambda: server.said().count("returned: Error: ") >= 2)
    assert told(server).keys() <= {0, 1}
    resource.prlimit(child, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    all_told(server, 50, seconds=60)
    assert server.child() == child


# --- what a message may hold -------------------------------------------------------------------------------------

RAW = 'parser.escapeControlCharactersOnReceive="off"'


def test_a_newline_inside_a_message_forges_no_line(start: Starter) -> None:
    server = start(settings=RAW)
    server.send([line(1) + "\n<0>Nov 23 10:00:00 sshd[1]: Failed password for forged", line(2)])
    (mail,) = wait_for("mail", lambda: mails(server.maildir))
    assert counts(mail)["lines"] == 2
    assert log_lines(mail)[0].endswith("forged")


@pytest.mark.parametrize("changes", CONFIRMED)
def test_a_message_of_several_lines_is_confirmed_once(start: Starter, changes: dict[str, str]) -> None:
    server = start(changes=changes | {",escape-cc": ""}, settings=RAW)
    server.send([line(0), line(1) + "\n    and more\n\nof it", line(2)])
    server.send(map(line, range(3, 100)))
    all_told(server, 100)
    assert sum(counts(mail)["lines"] for mail in mails(server.maildir)) == 103


def test_a_mark_that_somebody_logs_is_a_line(start: Starter) -> None:
    template = {'string="<': 'string="%msg:2:$:drop-last-lf%\\n") template(name="unused" type="string" string="<'}
    server = start(changes=template | {"then {": 'or prifilt("user.*") then {'})
    server.send(f"<13>Nov 23 10:00:00 user: {text}" for text in ("one", "BEGIN TRANSACTION", "COMMIT TRANSACTION"))
    wait_for("mail", lambda: sum(counts(mail)["lines"] for mail in mails(server.maildir)) == 3)
