"""Exception -> reason, and words. Why a step of a conversation failed.

Pure: what it does not know is "system", and never an error. Loaded when a sink is made.
"""

from __future__ import annotations

import errno
import smtplib
import socket
import ssl

from .steps import Reason

# OpenSSL's X509_V_ERR_*, which stay the same for ever (x509_vfy.h).
VERIFY: dict[int, Reason] = {
    9: "not yet valid",
    10: "expired",
    # No issuer to be found; signed by itself, alone or at the end of a chain; no issuer here; the first not verified.
    **dict.fromkeys((2, 18, 19, 20, 21), "unknown authority"),
    # A host's name, an IP address.
    **dict.fromkeys((62, 64), "other name"),
}

# What comes instead of TLS, as OpenSSL names it: its versions do not agree.
NO_TLS = {
    *("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"),
    *("PACKET_LENGTH_TOO_LONG", "ENCRYPTED_LENGTH_TOO_LONG", "INVALID_MESSAGE", "UNSUPPORTED_MESSAGE_TYPE"),
}

ERRNO: dict[int, Reason] = {
    errno.ECONNREFUSED: "refused",
    **dict.fromkeys((errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN), "unreachable"),
    # Of an address family that this machine does not use.
    **dict.fromkeys((errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT), "unreachable"),
    **dict.fromkeys((errno.EPERM, errno.EACCES), "forbidden"),
    **dict.fromkeys((errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED), "lost"),
}

# What a ValueError stands for: a name that DNS cannot hold, a reply that is no base64; else an address not to be said.
ODD: dict[str, Reason] = {"lookup": "unknown name", "AUTH": "no SMTP"}


def words_of(error: Exception) -> str:
    """What a person is told of it, as it came: it may be of several lines, and quote credentials."""
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text if isinstance(text, str) else text.decode('utf-8', 'replace')}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {getattr(error, 'verify_message', '')}"
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def reason_of(error: Exception, stage: str) -> Reason:
    """The reason, as a Step has it."""
    if isinstance(error, smtplib.SMTPException):
        return _of_smtp(error)
    if isinstance(error, ssl.SSLError):
        return _of_tls(error)
    if isinstance(error, socket.gaierror):
        return "no name service" if error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL) else "unknown name"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ValueError):
        return ODD.get(stage, "address")
    return ERRNO.get(error.errno or 0, "system") if isinstance(error, OSError) else "system"


def _of_smtp(error: smtplib.SMTPException) -> Reason:
    if isinstance(error, smtplib.SMTPResponseException):
        return "reply" if 200 <= error.smtp_code < 600 else "no SMTP"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "lost"
    # SMTPNotSupportedError, and what it says of a login without a mechanism that both know.
    return "not offered"


def _of_tls(error: ssl.SSLError) -> Reason:
    # OpenSSL's errors have these attributes, Python's own of the same classes have not.
    if isinstance(error, ssl.SSLCertVerificationError):
        return VERIFY.get(getattr(error, "verify_code", 0), "certificate")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return "lost"
    return "no TLS" if getattr(error, "reason", "") in NO_TLS else "TLS"
