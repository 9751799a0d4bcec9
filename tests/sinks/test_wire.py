"""Hostile lines by every way out: the bytes that arrive are those that were composed, and one mail is one mail."""

from __future__ import annotations

import mailbox
import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from burstmail import MaildirSink, Message, SendmailSink, SMTPSink
from tests.core.payloads import ADDRESSES, LINES, NAMES, burst, composed
from tests.core.readback import END, read
from tests.core.test_hostile import WRAPS
from tests.sinks.server import Server

EVIL = {payload.name: payload.raw for payload in LINES} | {
    "everything at once": b"\n".join(payload.raw for payload in LINES),
    "every wrap": WRAPS,
    "dots": b".\n" * 99,
    "a line of 64 KiB": b"\x1b." * 40_000,
}


@pytest.fixture(params=EVIL.values(), ids=EVIL.keys())
def message(request: pytest.FixtureRequest) -> Message:
    raw: bytes = request.param
    return composed(burst(raw, key=next(iter(NAMES))), to=["ops@example.org", "audit@example.org"])


def test_an_smtp_server_gets_one_mail_and_no_command_more(message: Message) -> None:
    with Server() as server:
        assert SMTPSink("127.0.0.1", server.port).send(message) == {}
    (mail,) = server.mails
    assert (mail.sender, mail.recipients, mail.data) == (message.sender, list(message.recipients), message.data)
    verbs = [command.split(":")[0].split(" ")[0] for command, _ in server.commands]
    assert verbs == ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]
    # Nothing that any server takes for the end of a mail, but at its end (RFC 5321 section 4.5.2).
    (end,) = END.finditer(mail.raw)
    assert mail.raw[end.start() - 1 :] == b"\r\n.\r\n"
    assert mail.raw[:-3] == re.sub(rb"(?m)^\.", b"..", message.data)
    read(mail.data)
    assert mail.raw.isascii() and not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", mail.raw)


@pytest.fixture
def sendmail(tmp_path: Path) -> SendmailSink:
    path = tmp_path / "sendmail"
    path.write_text(f"#!/bin/sh\ncd {tmp_path}\ncat > stdin; printf '%s\\n' \"$@\" > argv\n")
    path.chmod(0o755)
    return SendmailSink(path)


def test_sendmail_gets_the_mail_and_no_argument_more(message: Message, sendmail: SendmailSink, tmp_path: Path) -> None:
    assert sendmail.send(message) == {}
    assert (tmp_path / "argv").read_text() == f"-i\n-f\n{message.sender}\n--\nops@example.org\naudit@example.org\n"
    data = (tmp_path / "stdin").read_bytes()
    assert data == message.data.replace(b"\r\n", b"\n")
    assert b"\r" not in data and not {b".", b".."} & set(data.split(b"\n"))


@pytest.mark.parametrize("text", ADDRESSES)
def test_no_address_gets_as_far_as_an_argument(text: str) -> None:
    for which in ("to", "sender"):
        with pytest.raises(ValueError, match="^address "):
            composed(burst(b"x"), **{which: text})


def test_a_mailbox_has_one_mail_and_it_is_unchanged(message: Message, tmp_path: Path) -> None:
    MaildirSink(tmp_path / "box").send(message)
    (file,) = (tmp_path / "box" / "new").iterdir()
    assert file.read_bytes() == message.data.replace(b"\r\n", b"\n")
    assert not set(file.name) & set("/:\0\n ") and os.listdir(tmp_path) == ["box"]
    # The other kind of mailbox, in which a line that begins with "From " begins a mail.
    with closing(mailbox.mbox(tmp_path / "mbox")) as box:
        box.add(file.read_bytes())
        box.add(b"Subject: the next one\n\n")
    with closing(mailbox.mbox(tmp_path / "mbox")) as box:
        assert len(box) == 2
        assert box.get_bytes(0).replace(b"\n", b"\r\n") == message.data
