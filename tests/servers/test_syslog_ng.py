"""burstmail as the child of a real syslog-ng: lines go into its socket, mails come out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.servers.processes import counts, log_lines, mails, wait_for
from tests.servers.syslog_ng import SyslogNg, has_ended, is_up

pytestmark = pytest.mark.servers

Starter = Callable[..., SyslogNg]

# Each alert: the datagrams that must be told of, and those that must not.
ALERTS = {
    "auth-failures": (
        [
            "<38>Nov 23 10:00:00 sshd[812]: Failed password for invalid user admin from 192.0.2.7 port 52114 ssh2",
            "<85>Nov 23 10:00:00 sshd[812]: pam_unix(sshd:auth): authentication failure; uid=0 rhost=192.0.2.7",
            "<38>Nov 23 10:00:00 sshd[813]: Failed publickey for root from 192.0.2.7 port 52116 ssh2",
            "<38>Nov 23 10:00:01 sshd[814]: Invalid user oracle from 192.0.2.7 port 52118",
            "<85>Nov 23 10:00:01 sudo[815]:    eve : 3 incorrect password attempts ; TTY=pts/0 ; USER=root",
            "<85>Nov 23 10:00:02 login[816]: FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure",
        ],
        [
            "<38>Nov 23 10:00:02 sshd[817]: Accepted publickey for alice from 192.0.2.9 port 40022 ssh2",
            "<78>Nov 23 10:00:02 CRON[818]: (root) CMD (echo authentication failure)",
        ],
    ),
    "console-logins": (
        [
            "<85>Nov 23 10:00:00 login[702]: ROOT LOGIN ON tty1",
            "<86>Nov 23 10:00:00 login[702]: pam_unix(login:session): session opened for user root(uid=0) by LOGIN",
            "<86>Nov 23 10:00:01 login[703]: LOGIN ON ttyS0 BY alice",
        ],
        [
            "<86>Nov 23 10:00:01 sshd[704]: pam_unix(sshd:session): session opened for user alice(uid=1000)",
            "<86>Nov 23 10:00:01 CRON[705]: pam_unix(cron:session): session opened for user root(uid=0)",
            "<86>Nov 23 10:00:02 login[702]: pam_unix(login:session): session closed for user root",
        ],
    ),
    "network-link": (
        [
            "<4>Nov 23 10:00:00 kernel: bonding: bond0: link status definitely down for interface eth1, disabling it",
            "<6>Nov 23 10:00:00 kernel: e1000e: eth1 NIC Link is Down",
            "<6>Nov 23 10:00:01 kernel: e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex",
            "<6>Nov 23 10:00:01 kernel: bond0: (slave eno1): link status definitely up, 1000 Mbps full duplex",
        ],
        [
            "<6>Nov 23 10:00:01 kernel: EXT4-fs (sda1): mounted filesystem with ordered data mode",
            "<30>Nov 23 10:00:01 netwatch[33]: e1000e: seen in a program's message",
        ],
    ),
    "usb": (
        [
            "<6>Nov 23 10:00:00 kernel: usb 1-1: new high-speed USB device number 4 using xhci_hcd",
            "<6>Nov 23 10:00:00 kernel: usb 1-1: New USB device found, idVendor=0781, idProduct=5567",
            "<6>Nov 23 10:00:03 kernel: usb 1-1: USB disconnect, device number 4",
        ],
        [
            "<6>Nov 23 10:00:00 kernel: usb-storage 1-1:1.0: detected",
            "<30>Nov 23 10:00:01 udisksd[44]: USB device cleaned up",
        ],
    ),
}
SEVERITIES = {0: "emerg", 1: "alert", 2: "crit", 3: "err", 4: "warning", 5: "notice", 6: "info", 7: "debug"}


def split(datagram: str) -> tuple[str, str]:
    """The severity's name and the text behind the stamp: what of a datagram a mail must show."""
    priority, rest = datagram[1:].split(">", 1)
    return SEVERITIES[int(priority) % 8], rest[len("Nov 23 10:00:00 ") :]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_mails_what_it_is_for_and_nothing_else(syslog_ng: Starter, alert: str) -> None:
    wanted, unwanted = ALERTS[alert]
    server = syslog_ng(alert, options="--gap 1s")
    server.send(unwanted + wanted + unwanted)
    (mail,) = wait_for("mail", lambda: mails(server.maildir))
    shown = log_lines(mail)
    assert counts(mail) == {"lines": len(wanted), "shown": len(wanted), "left-out": 0, "bursts": 1}
    for line, (severity, text) in zip(shown, map(split, wanted), strict=True):
        assert line.endswith(text)
        assert line.split()[0] == severity
    assert mail["To"].startswith("root")
    assert server.statistics()["dropped"] == 0


def kernel(number: int) -> str:
    return f"<6>Nov 23 10:00:00 kernel: usb 1-1: new high-speed USB device number {number} using xhci_hcd"


def numbers(shown: list[str]) -> list[int]:
    return [int(line.partition("number ")[2].split()[0]) for line in shown]


def test_three_lines_are_one_mail_five_seconds_after_the_last(syslog_ng: Starter) -> None:
    server = syslog_ng("usb")
    for number in range(3):
        last = server.send([kernel(number)])
        time.sleep(0.7)
    (mail,) = wait_for("mail", lambda: mails(server.maildir))
    waited = time.monotonic() - last
    assert 4.9 <= waited <= 6.5
    assert numbers(log_lines(mail)) == [0, 1, 2]


def stream(server: SyslogNg, max_age: float) -> None:
    """Two lines a second without a pause: the gap of 5 s never comes, so only the age can close the window.

    Without a cool-down, which would keep the lines after the first mail for a later one, beyond the stop.
    """
    start = server.send([kernel(0)])
    sent = 1
    while not mails(server.maildir):
        assert time.monotonic() - start <= max_age + 1.5, "no mail within the age"
        time.sleep(0.5)
        server.send([kernel(sent)])
        sent += 1
    assert time.monotonic() - start >= max_age - 0.1
    server.control("stop")
    wait_for("line of each number", lambda: sum(counts(mail)["lines"] for mail in mails(server.maildir)) == sent)
    assert numbers([line for mail in mails(server.maildir) for line in log_lines(mail)]) == list(range(sent))


def test_a_stream_that_never_pauses_is_mailed_within_its_age(syslog_ng: Starter) -> None:
    stream(syslog_ng("usb", options="--max-age 10s --cool-down off"), 10)


@pytest.mark.full
def test_a_stream_that_never_pauses_is_mailed_within_the_default_age(syslog_ng: Starter) -> None:
    stream(syslog_ng("usb", options="--cool-down off"), 60)


def test_a_stop_right_after_five_lines_loses_none(syslog_ng: Starter) -> None:
    server = syslog_ng("usb")
    child = server.child()
    wait_for("burstmail that is up", lambda: is_up(child))
    server.send(map(kernel, range(5)))
    server.control("stop")
    wait_for("end of burstmail", lambda: has_ended(child), seconds=5)
    (mail,) = mails(server.maildir)
    assert numbers(log_lines(mail)) == [0, 1, 2, 3, 4]


def test_a_reload_disturbs_neither_the_child_nor_its_open_burst(syslog_ng: Starter) -> None:
    server = syslog_ng("usb", options="--gap 3s")
    child = server.child()
    server.send([kernel(0)])
    server.control("reload")
    wait_for("socket after the reload", server.socket.exists)
    server.send([kernel(1)])
    (mail,) = wait_for("mail", lambda: mails(server.maildir))
    assert numbers(log_lines(mail)) == [0, 1]
    assert server.child() == child


@pytest.mark.parametrize("killer", [signal.SIGTERM, signal.SIGKILL])
def test_syslog_ng_starts_a_new_burstmail_when_one_is_killed(syslog_ng: Starter, killer: signal.Signals) -> None:
    server = syslog_ng("usb", options="--gap 1s")
    child = server.child()
    wait_for("burstmail that is up", lambda: is_up(child))
    os.kill(child, killer)
    wait_for("new child", lambda: has_ended(child) and server.child() != child)
    server.send([kernel(7)])
    (mail,) = wait_for("mail", lambda: mails(server.maildir))
    assert numbers(log_lines(mail)) == [7]


def flood(server: SyslogNg, size: int) -> None:
    server.send(map(kernel, range(size)))

    def told() -> list[dict[str, int]]:
        found = [counts(mail) for mail in mails(server.maildir)]
        return found if sum(count["lines"] for count in found) >= size else []

    found = wait_for("mail about every line", told, seconds=120)
    assert sum(count["lines"] for count in found) == size
    assert all(count["shown"] + count["left-out"] == count["lines"] for count in found)
    assert len(found) <= 3
    statistics = server.statistics()
    assert (statistics["dropped"], statistics["written"]) == (0, size)
    received = mails(server.maildir)
    for mail in received:
        assert len(log_lines(mail)) == counts(mail)["shown"]
    first, last = numbers(log_lines(received[0]))[0], numbers(log_lines(received[-1]))[-1]
    assert (first, last) == (0, size - 1)


def test_a_flood_is_read_and_counted_exactly_in_at_most_three_mails(syslog_ng: Starter) -> None:
    flood(syslog_ng("usb"), 50_000)


@pytest.mark.full
def test_a_flood_as_large_as_the_queue_is_counted_exactly(syslog_ng: Starter) -> None:
    flood(syslog_ng("usb"), 100_000)


# Once by the source's flag; once by the rewrite of the alert, for sources that have no such flag.
@pytest.mark.parametrize("flag", [True, False], ids=["no-multi-line", "rewrite"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_newline_inside_a_message_forges_no_line(syslog_ng: Starter, newline: bytes, flag: bool) -> None:
    server = syslog_ng("usb", options="--gap 1s", no_multi_line=flag)
    server.send([kernel(1).encode() + newline + b"<0>Nov 23 10:00:00 kernel: forged USB disconnect"])
    (mail,) = wait_for("mail", lambda: mails(server.maildir))
    assert counts(mail)["lines"] == 1
    (line,) = log_lines(mail)
    assert line.startswith("info") and line.endswith("forged USB disconnect")
