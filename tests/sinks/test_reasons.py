"""Exceptions of the standard library, and the one word that each of them is."""

from __future__ import annotations

import errno
import smtplib
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.sinks.reasons import reason_of, words_of


def unverified(code: int, message: str = "certificate has expired") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {message} (_ssl.c:1000)")
    error.verify_code, error.verify_message = code, message
    return error


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] (_ssl.c:1000)")
    error.reason = reason
    return error


REASONS = [
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "unknown name"),
    (socket.gaierror(socket.EAI_NODATA, "No address associated with hostname"), "unknown name"),
    (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "no name service"),
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "refused"),
    (OSError(errno.EHOSTUNREACH, "No route to host"), "unreachable"),
    (OSError(errno.ENETUNREACH, "Network is unreachable"), "unreachable"),
    (OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol"), "unreachable"),
    (PermissionError(errno.EPERM, "Operation not permitted"), "forbidden"),
    (TimeoutError("timed out"), "timeout"),
    (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "timeout"),
    (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "lost"),
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), "lost"),
    (smtplib.SMTPServerDisconnected("the server closed the connection"), "lost"),
    (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "lost"),
    (tls("WRONG_VERSION_NUMBER"), "no TLS"),
    (tls("RECORD_LAYER_FAILURE"), "no TLS"),
    (tls("TLSV1_ALERT_PROTOCOL_VERSION"), "TLS"),
    (tls("DH_KEY_TOO_SMALL"), "TLS"),
    (unverified(9), "not yet valid"),
    (unverified(10), "expired"),
    (unverified(62), "other name"),
    (unverified(64), "other name"),
    (unverified(18), "unknown authority"),
    (unverified(19), "unknown authority"),
    (unverified(20), "unknown authority"),
    (unverified(79), "certificate"),
    (smtplib.SMTPResponseException(550, b"no"), "reply"),
    (smtplib.SMTPAuthenticationError(535, b"no"), "reply"),
    (smtplib.SMTPResponseException(-1, b"HTTP/1.1"), "no SMTP"),
    (smtplib.SMTPNotSupportedError("STARTTLS"), "not offered"),
    (smtplib.SMTPException("No suitable authentication method found."), "not offered"),
    (OSError("can't start new thread"), "system"),
    (OSError(errno.EMFILE, "Too many open files"), "system"),
    (RuntimeError("what is this"), "system"),
]


@pytest.mark.parametrize(("error", "reason"), REASONS, ids=[f"{type(one).__name__}-{word}" for one, word in REASONS])
def test_each_exception_has_its_reason(error: Exception, reason: str) -> None:
    assert reason_of(error, "connect") == reason


@pytest.mark.parametrize(
    ("stage", "reason"), [("lookup", "unknown name"), ("AUTH", "no SMTP"), ("RCPT TO", "address"), ("DATA", "address")]
)
def test_what_cannot_be_said_depends_on_the_step(stage: str, reason: str) -> None:
    assert reason_of(UnicodeError("label too long"), stage) == reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (unverified(10), "certificate verify failed: certificate has expired"),
        (smtplib.SMTPResponseException(550, b"no \xff"), "550 no \ufffd"),
        (smtplib.SMTPResponseException(550, "no"), "550 no"),
        (smtplib.SMTPServerDisconnected("the server closed the connection"), "the server closed the connection"),
        (OSError(), "OSError"),
        (TimeoutError("timed out"), "timed out"),
    ],
)
def test_the_words_are_what_a_person_needs(error: Exception, words: str) -> None:
    assert words_of(error) == words


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from([OSError, ssl.SSLError, socket.gaierror]), st.text())
def test_every_number_has_a_reason(number: int, kind: type[OSError], stage: str) -> None:
    assert reason_of(kind(number, "x"), stage)
