"""Under a real syslog-ng that stops, reloads and is killed, with a burstmail that is killed and a mailer that fails.

Lines are numbered, mails are read back: lost none, and none in two mails of different Message-ID.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.told import Told
from tests.servers.postfix import DOMAIN, Postfix
from tests.servers.processes import Load, Mailer, body, mails, wait_for
from tests.servers.syslog_ng import ANYTHING, SyslogNg, has_ended, is_up

pytestmark = pytest.mark.servers

Starter = Callable[..., SyslogNg]

NUMBER = r"number (\d+) using"
# Every line is shown, in small mails at once: what is lost, or comes twice, has a number.
OPEN = "--gap 300ms --max-lines 300 --keep 300+300 --cap 1000/s --cool-down off"
# The number of rounds: everyday, and what the promise was made with.
ROUNDS = [pytest.param(5, id="5"), pytest.param(50, id="50", marks=pytest.mark.full)]


@pytest.fixture(params=[False, True], ids=["keep-alive-no", "keep-alive-yes"])
def start(request: pytest.FixtureRequest, syslog_ng: Starter) -> Starter:
    """Starts a syslog-ng that mails about USB devices: `start("--gap 1s")`."""
    return partial(syslog_ng, "usb", keep_alive=request.param)


@pytest.fixture
def mailer(tmp_path: Path) -> Mailer:
    return Mailer(tmp_path)


def line(number: int) -> str:
    return f"<6>Nov 23 10:00:00 kernel: usb 1-1: new high-speed USB device number {number} using xhci_hcd"


def all_told(maildir: Path, sent: int, seconds: float = 30) -> Told:
    """Wait for mails about lines 0 to `sent` - 1; none may come twice, but in copies of one mail."""
    told = Told(maildir, NUMBER)

    def complete() -> bool:
        return len(told.read().missing(range(sent))) <= told.left_out

    try:
        wait_for("all told", complete, seconds)
    except AssertionError:
        pytest.fail(f"lost: {sorted(told.missing(range(sent)))} of {sent}; {told.left_out} were left out, counted")
    assert (told.twice(), told.faults, told.lines) == ({}, [], sent)
    return told


def started(server: SyslogNg, other: int = 0) -> int:
    """The pid of a burstmail that catches signals, and is not `other`."""

    def probe() -> int:
        children = [child for child in server.children() if child != other]
        return next((child for child in children if is_up(child)), 0)

    return wait_for("burstmail that is up", probe)


# --- stops and starts --------------------------------------------------------------------------------------------


def test_a_stop_one_second_after_five_lines_loses_none(start: Starter) -> None:
    server = start()
    child = started(server)
    server.send(map(line, range(5)))
    time.sleep(1)
    server.stop()
    wait_for("end of burstmail", lambda: has_ended(child), seconds=5)
    all_told(server.maildir, 5, seconds=0.1)


def test_a_stop_loses_nothing_that_is_in_the_pipe_and_a_start_goes_on(start: Starter) -> None:
    server = start(OPEN)
    sent = 0
    for _ in range(5):
        child = started(server)
        # It reads nothing before the SIGTERM: everything is still in the pipe then.
        os.kill(child, signal.SIGSTOP)
        server.send(map(line, range(sent, sent := sent + 200)))
        wait_for("lines in the pipe", lambda: server.statistics()["written"] == 200)
        server.stop()
        os.kill(child, signal.SIGCONT)
        # The old one may still be at it when the new one starts.
        server.start()
    server.send(map(line, range(sent, sent + 5)))
    all_told(server.maildir, sent + 5)


def test_what_could_not_be_delivered_at_the_stop_is_after_the_start(start: Starter, mailer: Mailer) -> None:
    mailer.set("status", "75")
    server = start("--gap 300ms --backoff 200ms..1s", mailer=mailer.command)
    child = started(server)
    server.send(map(line, range(5)))
    wait_for("failed attempt", lambda: mailer.calls)
    server.stop()
    wait_for("end of burstmail", lambda: has_ended(child), seconds=6)
    mailer.set("status", None)
    server.start()
    all_told(mailer.maildir, 5)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_reloads_under_load_lose_nothing(start: Starter, rounds: int) -> None:
    # Without `patient`, a reload that hits a burstmail before it catches signals ends it: docs/syslog-ng.md says so.
    server = start(OPEN, patient=True)
    started(server)
    with Load(server.send, line) as load:
        for number in range(rounds):
            server.control("reload")
            # Some while the last one is still starting.
            time.sleep(0.03 if number % 4 == 0 else 0.3)
    assert server.statistics()["dropped"] == 0
    all_told(server.maildir, load.sent)


# --- kills -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", ROUNDS)
def test_kills_of_burstmail_lose_nothing_that_it_has_read(start: Starter, rounds: int) -> None:
    server = start(OPEN)
    child = started(server)
    for number in range(rounds):
        server.send(map(line, range(3 * number, 3 * number + 3)))
        server.wait_until_read(3 * number + 3, child)
        # Now and then the window has closed, now and then the mail has gone.
        time.sleep(0.1 * (number % 5))
        os.kill(child, signal.SIGKILL)
        child = started(server, other=child)
    all_told(server.maildir, 3 * rounds)


@pytest.mark.parametrize("rounds", [pytest.param(3, id="3"), pytest.param(20, id="20", marks=pytest.mark.full)])
def test_kills_of_syslog_ng_lose_nothing_that_burstmail_was_given(start: Starter, rounds: int) -> None:
    server = start(OPEN)
    for number in range(rounds):
        started(server)
        server.send(map(line, range(50 * number, 50 * number + 50)))
        wait_for("lines in the pipe", lambda: server.statistics()["written"] == 50)
        server.kill()
        server.start()
    all_told(server.maildir, 50 * rounds)


# --- the mailer --------------------------------------------------------------------------------------------------


def test_a_mailer_that_fails_and_then_works_gets_every_mail(start: Starter, mailer: Mailer) -> None:
    mailer.set("status", "75")
    server = start("--gap 300ms --backoff 300ms..1s --cap 1000/s --cool-down off", mailer=mailer.command)
    child = started(server)
    for number in range(9):
        server.send([line(number)])
        time.sleep(0.4)
        if number == 4:
            os.kill(child, signal.SIGKILL)
            started(server, other=child)
    assert mailer.calls >= 2
    mailer.set("status", None)
    told = all_told(mailer.maildir, 9)
    # While three mails wait, what comes is put together: nine bursts are no nine mails.
    assert told.mails <= 6


@pytest.mark.full
def test_after_an_outage_a_mail_says_how_long_delivery_was_down(start: Starter, mailer: Mailer) -> None:
    mailer.set("status", "75")
    server = start("--gap 300ms --backoff 300ms..2s --cap 1000/s --cool-down off", mailer=mailer.command)
    child = started(server)
    for number in range(65):
        server.send([line(number)])
        time.sleep(1)
        if number % 20 == 10:
            os.kill(child, signal.SIGKILL)
            child = started(server, other=child)
    mailer.set("status", None)
    assert all_told(mailer.maildir, 65).mails <= 6
    assert any(text.startswith("Delivery was down") for mail in mails(mailer.maildir) for text in body(mail))


@pytest.mark.parametrize("hang", [pytest.param(8, id="8s"), pytest.param(20, id="20s", marks=pytest.mark.full)])
def test_a_mailer_that_hangs_stops_no_reading(start: Starter, mailer: Mailer, hang: int) -> None:
    mailer.set("seconds", str(hang))
    server = start("--gap 300ms --max-lines 400 --keep 400+400 --cap 1000/s --cool-down off", mailer=mailer.command)
    child = started(server)
    server.send([line(0)])
    wait_for("mailer that hangs", lambda: mailer.calls)
    hung = time.monotonic()
    server.send(map(line, range(1, 4001)))
    server.wait_until_read(4001, child)
    assert time.monotonic() - hung < hang
    assert not mails(mailer.maildir)
    assert server.statistics()["dropped"] == 0
    mailer.set("seconds", None)
    all_told(mailer.maildir, 4001, seconds=hang + 15)


# --- a mail server that logs into what burstmail reads -----------------------------------------------------------

# As it comes, and as badly as it can be set up.
LOOPS = [
    pytest.param("", 40, id="defaults", marks=pytest.mark.full),
    pytest.param("--gap 1s --cool-down off", 7, id="no-cool-down"),
    pytest.param("--gap 1s --cool-down off --key program", 40, id="keyed", marks=pytest.mark.full),
]


def watched(maildir: Path, to: str, seconds: float) -> list[list[str]]:
    """The texts of the mails that have come after so many seconds; fails as soon as they are too many."""
    end = time.monotonic() + seconds
    while True:
        texts = [body(mail) for mail in mails(maildir) if str(mail["To"]).startswith(to)]
        assert len(texts) <= 3, "more than 3 mails"
        if time.monotonic() > end:
            return texts
        time.sleep(0.2)


def says_what_is_going_on(texts: list[list[str]]) -> bool:
    return any("about burstmail itself" in text for lines in texts for text in lines)


@pytest.mark.parametrize(("options", "seconds"), LOOPS)
def test_a_mailer_that_logs_about_each_mail_makes_three_mails_at_most(
    syslog_ng: Starter, mailer: Mailer, options: str, seconds: float
) -> None:
    server = syslog_ng("usb", options, mailer=mailer.command, filter=ANYTHING)
    mailer.set("log", str(server.socket))
    started(server)
    server.send([line(0)])
    texts = watched(mailer.maildir, "root", seconds)
    if not options:
        assert len(texts) == 1
    else:
        wait_for("mail about burstmail itself", lambda: says_what_is_going_on(watched(mailer.maildir, "root", 0)))


@pytest.mark.parametrize(("options", "seconds"), LOOPS)
def test_a_postfix_that_logs_into_what_burstmail_reads_makes_three_mails_at_most(
    syslog_ng: Starter, postfix: Postfix, options: str, seconds: float
) -> None:
    # One Postfix serves several tests: each has its own recipient, and what was logged before is nobody's business.
    to = f"loop{len(options)}@{DOMAIN}"
    postfix.log.write_bytes(b"")
    server = syslog_ng("usb", options, mailer=postfix.sendmail, to=to, filter=ANYTHING, files=[postfix.log])
    started(server)
    server.send([line(0)])
    texts = watched(postfix.maildir, to, seconds)
    if not options:
        assert len(texts) == 1
    else:
        wait_for("mail about burstmail itself", lambda: says_what_is_going_on(watched(postfix.maildir, to, 0)))
