"""Every fault at every stage of an SMTP conversation, in clear, after STARTTLS and within TLS.

For each: the right class of error, the deadline kept, memory bounded, and the next mail gets through. The stages of one
kind of fault run side by side, since the slow ones only wait.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from burstmail import DeliveryError, Message, PermanentDeliveryError, SMTPSink, TemporaryDeliveryError
from burstmail.sinks import conversation
from tests.sinks.certificates import Authority
from tests.sinks.server import Server

# ssl forgets to close a socket that was reset before its handshake; the last reference does.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")

MODES = ("off", "starttls", "implicit")
LOGIN = ("watchman", "correct horse/battery")

BEFORE = ("connect", "banner", "EHLO", "STARTTLS", "handshake", "EHLO again", "AUTH")
ABOUT_MESSAGE = ("MAIL", "RCPT", "DATA", "body", "dot")
AFTER = ("after", "QUIT")
STAGES = (*BEFORE, *ABOUT_MESSAGE, *AFTER)

REPLIES = {
    "421": b"421 4.3.2 closing",
    "4xx": b"451 4.3.0 later",
    "5xx": b"554 5.7.1 never",
    "garbage": b"\x00\xff\x16 4O4 \x1b[31m \xe2\x80\xae\r\n\r\n-",
}
ACTS = ("close", "reset", "hang", "drip", "endless", "half", "accepted")
KINDS = (*REPLIES, *ACTS)

# There is no reply to a connect.
CONNECTS = ("close", "reset", "hang", "accepted")
ONLY = {"off": {"STARTTLS", "handshake", "EHLO again"}, "starttls": set(), "implicit": {"STARTTLS", "EHLO again"}}

# What waits for the deadline gets a short one; the rest must not meet it, however busy the machine.
SOON, AMPLE = 1.0, 20.0
MARGIN = 3.0
MEMORY = 30_000


def stages(mode: str, kind: str) -> list[str]:
    return [stage for stage in STAGES if stage not in ONLY[mode] and (stage != "connect" or kind in CONNECTS)]


def right(stage: str, kind: str) -> type | None:
    """The class of the error; None when the mail counts as sent."""
    if stage in AFTER:
        return None
    return PermanentDeliveryError if kind == "5xx" and stage in ABOUT_MESSAGE else TemporaryDeliveryError


def mails(stage: str, kind: str) -> int:
    """How many the server has after the fault and the next mail."""
    return 2 if stage in AFTER or (stage, kind) == ("dot", "accepted") else 1


class Case:
    """One server that fails once, and what came of two mails."""

    def __init__(self, stage: str, kind: str, mode: str, server: Server, ca: Path) -> None:
        self.stage, self.kind = stage, kind
        self.server = server
        self.timeout = SOON if kind in ("hang", "drip") else AMPLE
        self.tls = {"tls": mode, "ca": None if mode == "off" else ca}

    def send(
        self, message: Message, timeout: float = AMPLE
    ) -> tuple[Mapping[str, DeliveryError] | DeliveryError, float]:
        """What came of it, and the seconds it took."""
        user, password = LOGIN
        limits = {"timeout": timeout, "connect_timeout": timeout}
        sink = SMTPSink("127.0.0.1", self.server.port, user=user, password=password, **self.tls, **limits)
        start = time.monotonic()
        try:
            came: Mapping[str, DeliveryError] | DeliveryError = sink.send(message)
        except DeliveryError as error:
            came = error
        return came, time.monotonic() - start

    def run(self, message: Message) -> str:
        """What is wrong, '' for nothing."""
        outside = {"close": self.server.absent, "hang": self.server.crowded}
        if self.stage == "connect" and self.kind in outside:
            with outside[self.kind]():
                came, took = self.send(message, self.timeout)
            self.server.played.append(self.stage)
            self.server.start()
        else:
            self.server.start()
            came, took = self.send(message, self.timeout)
        again, _ = self.send(message)
        self.server.stop()
        return "; ".join(self.complaints(message, came, took, again))

    def complaints(self, message: Message, came: object, took: float, again: object) -> Iterator[str]:
        expected = right(self.stage, self.kind)
        if (came != {}) if expected is None else (type(came) is not expected):
            yield f"{came!r} instead of {expected}"
        if not str(came).isprintable() or any(secret in str(came) for secret in LOGIN):
            yield f"not fit to be shown: {came!r}"
        if took > self.timeout + MARGIN:
            yield f"took {took:.1f} s"
        if self.stage not in self.server.played:
            yield f"played {self.server.played}"
        if again != {}:
            yield f"the next mail: {again!r}"
        got = [(mail.sender, tuple(mail.recipients), mail.data) for mail in self.server.mails]
        if got != [(message.sender, message.recipients, message.data)] * mails(self.stage, self.kind):
            yield f"{len(got)} mails arrived"


@pytest.fixture(scope="session")
def good(authority: Authority) -> ssl.SSLContext:
    return authority.server("matrix")


@pytest.fixture
def case(authority: Authority, good: ssl.SSLContext) -> Callable[..., Case]:
    def made(stage: str, kind: str, mode: str, **more: str | bytes) -> Case:
        fault = REPLIES.get(kind, kind)
        # HELO is what comes when EHLO is refused.
        faults = {stage: fault, **more} | ({"HELO": fault} if stage.startswith("EHLO") else {})
        if stage == "connect" and kind not in ("reset", "accepted"):
            # Nobody is there to play it.
            faults = {}
        context = None if mode == "off" else good
        server = Server(faults, context=context, implicit=mode == "implicit", login=LOGIN, once=True)
        return Case(stage, kind, mode, server, authority.ca)

    return made


def large(message: Message) -> Message:
    # More than the buffers of both sockets take. One line, since the server reads line by line.
    return replace(message, data=message.data + b"x" * 12_000_000 + b"\r\n")


def memory(*, reset: bool = False) -> int:
    """The most this process has used, in KiB, since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_fails_as_it_should(message, case, monkeypatch, kind, mode):
    monkeypatch.setattr(conversation, "LEAVE", 0.3)
    cases = [case(stage, kind, mode) for stage in stages(mode, kind)]
    # A reply that never ends is read while the mail is small.
    bodies = {"body": message if kind == "endless" else large(message)}
    before = memory(reset=True)
    with ThreadPoolExecutor(len(cases)) as pool:
        wrong = list(pool.map(lambda one: one.run(bodies.get(one.stage, message)), cases))
    assert {one.stage: text for one, text in zip(cases, wrong, strict=True) if text} == {}
    if kind == "endless":
        assert memory() - before < MEMORY


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"552 5.3.4 too large", PermanentDeliveryError),
        (b"451 4.3.0 no room", TemporaryDeliveryError),
        (b"250 stored", TemporaryDeliveryError),
        (b"gibberish", TemporaryDeliveryError),
    ],
)
def test_a_server_that_hangs_up_in_the_middle_of_a_mail_is_heard_out(message, case, monkeypatch, mode, said, kind):
    monkeypatch.setitem(REPLIES, "last", said)
    one = case("body", "last", mode, then="close")
    with one.server:
        came, _ = one.send(large(message))
    assert type(came) is kind
    assert (said.decode() in str(came)) == said.startswith((b"4", b"5"))
    assert one.server.mails == []


def test_all_the_cases_are_there():
    # 13 stages, of which some need TLS; and the second EHLO.
    assert [sum(len(stages(mode, kind)) for kind in KINDS) for mode in MODES] == [114, 147, 125]
