"""Mails through a real Postfix: what it delivers is read back and compared line by line with what was composed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from burstmail import (
    Aggregator,
    Batch,
    Composer,
    DeliveryError,
    Instant,
    Item,
    Message,
    PermanentDeliveryError,
    Pipeline,
    SendmailSink,
    Sink,
    SMTPSink,
)
from tests.servers.postfix import DOMAIN, Postfix
from tests.servers.processes import burstmail_script, counts, log_lines, mails, wait_for

pytestmark = pytest.mark.servers

SENDER = f"burstmail@{DOMAIN}"

# What mail programs and servers have stumbled over.
LINES = [
    "<38>Nov 23 10:00:00 web1 sshd[812]: Failed password for root from 192.0.2.7",
    ".",
    "..",
    "",
    "From root Mon Nov 23 10:00:00 2026",
    ">From root",
    "Bcc: evil@example.test",
    "Subject: =?utf-8?q?=0ABcc:_evil=40example.test?= x",
    "-- ",
    "~! touch /tmp/pwned",
    "grüße aus 東京 \N{PILE OF POO}",
    "trailing blanks  \t ",
    "= equals=3D and a tab\there",
    "x" * 3000,
    "ü" * 999,
    "QUIT",
]


class Remembering:
    """A sink that passes on, and keeps what passed and what came of it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.sent: list[Message] = []
        self.refused: dict[str, DeliveryError] = {}

    def send(self, item: Item) -> Mapping[str, DeliveryError]:
        assert isinstance(item, Message)
        self.sent.append(item)
        refused = self._sink.send(item)
        self.refused |= refused
        return refused


def sink_for(way: str, postfix: Postfix) -> Sink:
    if way == "smtp":
        return SMTPSink("127.0.0.1", postfix.port)
    return SendmailSink(str(postfix.sendmail))


def delivered(postfix: Postfix, message: Message) -> bytes:
    """The file in the Maildir that carries the message's id."""

    def probe() -> bytes:
        files = [path.read_bytes() for path in (postfix.maildir / "new").glob("*")]
        return next((data for data in files if message.id.encode() in data), b"")

    return wait_for(f"mail {message.id}; the queue is {postfix.queue()}", probe)


@pytest.mark.parametrize("way", ["sendmail", "smtp"])
def test_what_is_delivered_is_line_by_line_what_was_composed(postfix: Postfix, way: str) -> None:
    sink = Remembering(sink_for(way, postfix))
    composer = Composer(to=f"ops@{DOMAIN}", sender=SENDER)
    with Pipeline(Aggregator(gap=60), composer, sink=sink, grace=30) as pipeline:
        pipeline.feed(Batch.of(LINES))
    (message,) = sink.sent
    got = delivered(postfix, message).decode("ascii").split("\n")
    composed = message.data.decode("ascii").split("\r\n")
    # The server puts its trace in front (RFC 5321 section 4.4) and changes nothing behind it.
    trace, rest = got[: -len(composed)], got[-len(composed) :]
    assert rest == composed
    names = {line.partition(":")[0] for line in trace if not line.startswith(("\t", " "))}
    assert names == {"Return-Path", "X-Original-To", "Delivered-To", "Received"}
    assert f"Return-Path: <{SENDER}>" in trace
    assert pipeline.statistics().sent == 1


def test_a_refused_recipient_keeps_the_others_from_nothing(postfix: Postfix) -> None:
    sink = Remembering(sink_for("smtp", postfix))
    composer = Composer(to=[f"ops@{DOMAIN}", "nobody@elsewhere.test"], sender=SENDER)
    with Pipeline(Aggregator(gap=60), composer, sink=sink, grace=30) as pipeline:
        pipeline.feed("disk failed")
    assert list(sink.refused) == ["nobody@elsewhere.test"]
    assert isinstance(sink.refused["nobody@elsewhere.test"], PermanentDeliveryError)
    assert b"disk failed" in delivered(postfix, sink.sent[0])
    assert pipeline.statistics().dead == 1


@pytest.mark.parametrize("way", ["sendmail", "smtp"])
def test_a_mail_without_a_sender_arrives_without_one(postfix: Postfix, way: str) -> None:
    # As a notice of a mail that failed must be sent (RFC 5321 section 4.5.5), or mail servers answer each other.
    composer = Composer(to=f"ops@{DOMAIN}", sender=SENDER)
    sink = Remembering(sink_for(way, postfix))
    with Pipeline(Aggregator(gap=60), composer, Anonymous(), sink=sink, grace=30) as pipeline:
        pipeline.feed(f"notice by {way}")
    (message,) = sink.sent
    assert message.sender == ""
    assert delivered(postfix, message).startswith(b"Return-Path: <>\n")


class Anonymous(Instant[Message, Message]):
    """Takes the envelope's sender away."""

    def feed(self, item: Message, now: float) -> list[Message]:
        return [replace(item, sender="")]


# Bytes on stdin, and how the mail shows them: nothing unescaped that a terminal or a server could act on.
STDIN = {
    b"<38>Nov 23 10:00:00 web1 sshd[812]: Invalid user root": None,
    b".": ".",
    b"\xff\xfe not UTF-8": "\\xff\\xfe not UTF-8",
    b"NUL \x00 and ESC \x1b[31m": "NUL \\x00 and ESC \\x1b[31m",
    b"bare \r CR": "bare \\x0d CR",
    "bidi \N{RIGHT-TO-LEFT OVERRIDE} and \N{LINE SEPARATOR}".encode(): "bidi \\u202e and \\u2028",
    "grüße".encode(): "grüße",
    b"the last one has no newline": "the last one has no newline",
}


@pytest.mark.parametrize("way", ["sendmail", "smtp"])
def test_the_command_line_delivers_every_line_of_stdin(postfix: Postfix, tmp_path: Path, way: str) -> None:
    to = f"{way}@{DOMAIN}"
    destination = {"sendmail": str(postfix.sendmail), "smtp": f"smtp://127.0.0.1:{postfix.port}"}[way]
    command = [str(burstmail_script(tmp_path)), "--to", to, "--from", SENDER, f"--{way}", destination]
    done = subprocess.run(command, input=b"\n".join(STDIN), capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr

    def probe() -> list[EmailMessage]:
        return [mail for mail in mails(postfix.maildir) if mail["Delivered-To"] == to]

    (mail,) = wait_for("mail", probe)
    shown = log_lines(mail)
    assert len(shown) == len(STDIN) == counts(mail)["lines"]
    for line, text in list(zip(shown, STDIN.values(), strict=True))[1:]:
        assert line == text
    assert shown[0].split()[0] == "info" and shown[0].endswith("Invalid user root")
    assert mail["Subject"].startswith("[burstmail] ")
    assert mail["Auto-Submitted"] == "auto-generated"
