"""What failed, and what to do about it: as mail servers of all kinds put it."""

from __future__ import annotations

import errno
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Step
from burstmail.cli.remedies import BY_NAME, STATUS, Way, remedy
from burstmail.sinks.steps import Reason

PLAIN = [Step(name="connect", words=""), Step(name="greeting", words=""), Step(name="EHLO", words="")]
ENCRYPTED = [*PLAIN, Step(name="STARTTLS", words=""), Step(name="TLS handshake", words="")]
AT_ONCE = [Step(name="connect", words="")]
STRANGER = Way(host="mx.example.org", port=25)
MEMBER = Way(host="mx.example.org", port=587, user=True)


def said(words: str) -> dict[str, Any]:
    """A refusal in a server's words."""
    return {"words": words, "reason": "reply", "code": int(words[:3])}


# The step, what else is in it, what went before, the way; and what the remedy speaks of.
CASES: list[tuple[str, dict[str, Any], list[Step], Way, str]] = [
    ("lookup", {"reason": "unknown name"}, [], STRANGER, "getent hosts mx.example.org"),
    ("lookup", {"reason": "no name service"}, [], STRANGER, "resolv.conf"),
    ("connect", {"reason": "refused"}, [], STRANGER, "listen on port 25"),
    ("connect", {"reason": "timeout"}, [], STRANGER, "firewall"),
    ("connect", {"reason": "unreachable", "about": "192.0.2.1"}, [], STRANGER, "ip route get 192.0.2.1"),
    ("connect", {"reason": "forbidden"}, [], STRANGER, "IPAddressDeny"),
    ("connect", {"reason": "system", "code": errno.EMFILE}, [], STRANGER, "short of something"),
    ("TLS handshake", {"reason": "expired"}, PLAIN, STRANGER, "renew"),
    ("TLS handshake", {"reason": "not yet valid"}, PLAIN, STRANGER, "clock"),
    ("TLS handshake", {"reason": "other name"}, PLAIN, STRANGER, "-connect mx.example.org:25 -starttls smtp"),
    ("TLS handshake", {"reason": "other name"}, AT_ONCE, STRANGER, "-connect mx.example.org:25`"),
    ("TLS handshake", {"reason": "unknown authority"}, PLAIN, STRANGER, "as --smtp-ca FILE"),
    ("TLS handshake", {"reason": "unknown authority"}, PLAIN, Way(ca=True), "--smtp-ca holds other authorities"),
    ("TLS handshake", {"reason": "certificate"}, PLAIN, STRANGER, "openssl"),
    ("TLS handshake", {"reason": "no TLS"}, AT_ONCE, STRANGER, "say smtp:// for STARTTLS"),
    ("TLS handshake", {"reason": "no TLS"}, PLAIN, STRANGER, "the server's TLS is broken"),
    ("TLS handshake", {"reason": "TLS"}, PLAIN, STRANGER, "1.2 or newer"),
    ("TLS handshake", {"reason": "lost"}, PLAIN, STRANGER, "broke off"),
    ("TLS handshake", {"reason": "timeout"}, PLAIN, STRANGER, "too slow"),
    ("greeting", {"reason": "timeout"}, AT_ONCE, Way(port=465), "say smtps://"),
    ("greeting", {"reason": "lost"}, AT_ONCE, Way(port=465), "say smtps://"),
    ("greeting", {"reason": "timeout"}, ENCRYPTED, Way(port=465), "too slow"),
    ("greeting", {"reason": "no SMTP"}, ENCRYPTED, Way(port=443), "no mail server"),
    ("greeting", said("554 5.7.1 blocked using zen.spamhaus.org"), AT_ONCE, STRANGER, "this machine's address"),
    ("greeting", said("421 4.7.0 too many connections"), AT_ONCE, STRANGER, "tries again by itself"),
    ("EHLO", {"reason": "lost"}, PLAIN, STRANGER, "broke off"),
    ("STARTTLS", {"reason": "not offered"}, PLAIN, STRANGER, "smtps://mx.example.org:465"),
    ("STARTTLS", said("454 4.7.0 TLS not available due to local problem"), PLAIN, STRANGER, "TLS does not work"),
    ("AUTH", said("535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6"), ENCRYPTED, MEMBER, "--password-file"),
    ("AUTH", said("535-5.7.8 Username and Password not accepted"), ENCRYPTED, MEMBER, "app password"),
    ("AUTH", said("534 5.7.9 Application-specific password required"), ENCRYPTED, MEMBER, "app password, made"),
    ("AUTH", said("454 4.7.0 Temporary authentication failure"), ENCRYPTED, MEMBER, "tries again by itself"),
    ("AUTH", said("538 5.7.11 Encryption required"), PLAIN, MEMBER, "leave ?tls=off out"),
    ("AUTH", {"reason": "not offered"}, PLAIN, MEMBER, "leave ?tls=off out"),
    ("AUTH", {"reason": "not offered"}, ENCRYPTED, MEMBER, "leave USER@ out"),
    ("AUTH", said("503 5.5.1 Error: authentication not enabled"), ENCRYPTED, MEMBER, "leave USER@ out"),
    ("AUTH", {"reason": "lost"}, ENCRYPTED, MEMBER, "broke off"),
    ("MAIL FROM", said("530 5.7.0 Authentication required"), ENCRYPTED, STRANGER, "it wants a login"),
    ("MAIL FROM", said("530 5.7.0 Authentication required"), ENCRYPTED, MEMBER, "correct the user"),
    ("MAIL FROM", said("530 5.7.0 Must issue a STARTTLS command first"), PLAIN, STRANGER, "leave ?tls=off out"),
    ("MAIL FROM", said("550 5.1.8 Domain of sender does not exist"), ENCRYPTED, STRANGER, "--from"),
    ("MAIL FROM", said("553 5.7.1 Sender address rejected: not owned by user"), ENCRYPTED, MEMBER, "from this user"),
    ("MAIL FROM", said("552 5.3.4 Message size exceeds fixed limit"), ENCRYPTED, MEMBER, "--attach"),
    ("MAIL FROM", said("452 4.3.1 Insufficient system storage"), ENCRYPTED, MEMBER, "tries again by itself"),
    ("MAIL FROM", {"reason": "address"}, ENCRYPTED, MEMBER, "--from"),
    ("RCPT TO", said("554 5.7.1 <a@b>: Relay access denied"), PLAIN, STRANGER, "--smtp smtp://USER@HOST:587"),
    ("RCPT TO", said("550 relay not permitted"), ENCRYPTED, MEMBER, "mynetworks"),
    ("RCPT TO", said("550 5.7.1 Unable to relay"), PLAIN, STRANGER, "mynetworks"),
    ("RCPT TO", said("550 5.1.1 <a@b>: User unknown in virtual mailbox table"), PLAIN, STRANGER, "correct --to"),
    ("RCPT TO", said("450 4.2.0 <a@b>: Greylisted, see http://x"), PLAIN, STRANGER, "run this again in 5 min"),
    ("RCPT TO", said("452 4.2.2 Mailbox full"), PLAIN, STRANGER, "make room"),
    ("RCPT TO", said("552 5.2.2 The recipient is over quota"), PLAIN, STRANGER, "make room"),
    ("RCPT TO", said("530 5.7.1 Client was not authenticated"), PLAIN, STRANGER, "it wants a login"),
    ("RCPT TO", said("421 4.3.2 closing"), PLAIN, STRANGER, "tries again by itself"),
    ("RCPT TO", {"reason": "address"}, PLAIN, STRANGER, "ASCII"),
    ("DATA", said("552 5.3.4 too large"), PLAIN, STRANGER, "--attach"),
    ("DATA", said("554 5.7.1 Spam message rejected"), PLAIN, STRANGER, "filter against spam"),
    ("DATA", said("451 4.7.1 try again later"), PLAIN, STRANGER, "tries again by itself"),
    ("DATA", {"reason": "lost"}, PLAIN, STRANGER, "not known"),
    ("sendmail", {"reason": "exit", "code": 67}, [], Way(), "correct --to"),
    ("sendmail", {"reason": "exit", "code": 75}, [], Way(), "NoNewPrivileges="),
    ("sendmail", {"reason": "exit", "code": 78}, [], Way(), "postfix check"),
    ("sendmail", {"reason": "exit", "code": 1}, [], Way(), "its own words"),
    ("sendmail", {"reason": "killed", "code": 9}, [], Way(), "dmesg"),
    ("sendmail", {"reason": "timeout"}, [], Way(), "by hand"),
    ("sendmail", {"reason": "address"}, [], Way(), "correct --to and --from"),
    ("sendmail", {"reason": "system", "code": errno.EACCES}, [], Way(), "may not run it"),
    ("sendmail", {"reason": "system", "code": errno.ENOEXEC}, [], Way(), "no program"),
    ("sendmail", {"reason": "system"}, [], Way(), "run this again"),
    ("Maildir", {"reason": "system", "code": errno.EACCES}, [], Way(), "let this user write"),
    ("Maildir", {"reason": "system", "code": errno.ENOSPC}, [], Way(), "room"),
    ("Maildir", {"reason": "system", "code": errno.EROFS}, [], Way(), "ReadWritePaths"),
    ("Maildir", {"reason": "system", "code": errno.ENOTDIR}, [], Way(), "no directory"),
    ("Maildir", {"reason": "system", "code": errno.EIO}, [], Way(), "another --maildir"),
]


@pytest.mark.parametrize(
    ("name", "more", "before", "way", "words"), CASES, ids=[f"{case[0]}-{case[-1][:20]}" for case in CASES]
)
def test_the_remedy_speaks_of(name: str, more: dict[str, Any], before: list[Step], way: Way, words: str) -> None:
    assert words in remedy(Step(**{"name": name, "words": "", **more}), before, way)


def test_a_wrong_password_is_not_blamed_on_the_sender() -> None:
    refused = Step(name="AUTH", **said("535 5.7.8 authentication failed"))
    assert "--from" not in remedy(refused, ENCRYPTED, MEMBER)


WORDS = st.sampled_from([case[1].get("words", "") for case in CASES]) | st.text(max_size=20)
CODES = st.sampled_from([0, *STATUS, *(case[1].get("code", 0) for case in CASES), *range(400, 600, 7), 999])


@given(
    st.sampled_from([*BY_NAME, "EHLO", "something new"]),
    st.sampled_from([reason for reason in get_args(Reason) if reason]),
    CODES,
    WORDS,
    st.sampled_from([[], AT_ONCE, PLAIN, ENCRYPTED]),
    st.sampled_from([Way(), STRANGER, MEMBER]),
)
def test_whatever_fails_there_is_one_line(
    name: str, reason: Any, code: int, words: str, before: list[Step], way: Way
) -> None:
    told = remedy(Step(name=name, words=words, reason=reason, code=code), before, way)
    assert told and told.isprintable() and len(told) < 260
