"""Hostile lines through a real Postfix: it delivers the mails that were composed, unchanged, and not one more."""

from __future__ import annotations

from pathlib import Path

import pytest

from burstmail import Message, SendmailSink, Sink, SMTPSink
from tests.core.payloads import burst, composed
from tests.core.readback import read
from tests.servers.postfix import DOMAIN, Postfix
from tests.servers.processes import wait_for
from tests.sinks.test_wire import EVIL

pytestmark = pytest.mark.servers


def evil(to: str) -> dict[str, Message]:
    """A mail for each payload, by its Message-ID."""
    mails = [composed(burst(raw, key=name), to=to, sender=f"burstmail@{DOMAIN}") for name, raw in EVIL.items()]
    return {mail.id: mail for mail in mails}


def arrived(postfix: Postfix, to: str) -> list[bytes]:
    files: list[Path] = sorted((postfix.maildir / "new").glob("*"))
    found = [path.read_bytes() for path in files]
    return [data for data in found if f"\nX-Original-To: {to}\n".encode() in data]


@pytest.mark.parametrize("way", ["sendmail", "smtp"])
def test_postfix_delivers_each_mail_unchanged_and_none_more(postfix: Postfix, way: str) -> None:
    to = f"hostile-{way}@{DOMAIN}"
    sink: Sink = SMTPSink("127.0.0.1", postfix.port) if way == "smtp" else SendmailSink(postfix.sendmail)
    mails = evil(to)
    for mail in mails.values():
        assert sink.send(mail) == {}
    wait_for(f"{len(mails)} mails; the queue is {postfix.queue()}", lambda: len(arrived(postfix, to)) >= len(mails), 60)
    for data in arrived(postfix, to):
        # The server puts its trace in front (RFC 5321 section 4.4) and changes nothing behind it.
        own = data[data.index(b"\nFrom: ") + 1 :].replace(b"\n", b"\r\n")
        mail = mails.pop(read(own).headers["Message-ID"])
        assert own == mail.data
    assert not mails
    # What an attacker has smuggled in would go to whom he has named.
    everybody = len(list((postfix.maildir / "new").glob("*")))
    assert everybody == sum(len(arrived(postfix, f"hostile-{name}@{DOMAIN}")) for name in ("sendmail", "smtp"))
    assert "evil" not in postfix.log.read_text() and "pipelining" not in postfix.log.read_text()
