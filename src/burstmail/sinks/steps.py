"""What a sink does on the way of one message -> Steps, told to whoever watches, as they happen.

`burstmail test-mail` prints them. A watcher cannot hold up or change a delivery by raising: that is logged.
Limits: 200 characters of what a server says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..core.escape import one_line

Reason: TypeAlias = Literal[
    "", "unknown name", "no name service",
    "refused", "unreachable", "forbidden", "timeout", "lost",
    "no TLS", "TLS", "expired", "not yet valid", "other name", "unknown authority", "certificate",
    "no SMTP", "not offered", "reply", "address",
    "exit", "killed", "system",
]  # fmt: skip

# Of what a step is about: an address has 254 bytes at most (RFC 5321 section 4.5.3.1.3).
LONGEST = 320

logger = logging.getLogger("burstmail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that a sink has done, or has failed to do, for a message. Every text is one line, fit to be shown.

    Of SMTPSink: lookup, connect, greeting, EHLO, STARTTLS, TLS handshake, AUTH, MAIL FROM, RCPT TO, DATA. Of
    SendmailSink: sendmail. Of MaildirSink: Maildir. An address that does not answer is a failed step, and the next one
    is tried; so is a recipient that is refused.
    """

    name: str
    """What was done."""
    words: str
    """What came of it: what the server said, or what was found. Never credentials."""
    about: str = ""
    """Whom or what it was about, where there may be several: a recipient, the sender, an IP address."""
    reason: Reason = ""
    """Why it failed, for a program; empty when it did not. "reply" is a refusal in the server's own words, "exit" a
    status of the command other than 0, "system" an error of this machine."""
    code: int = 0
    """The reply's code (RFC 5321 section 4.2), the command's exit status or signal, or the system's errno; else 0."""


Watch: TypeAlias = Callable[[Step], object]


def tell(watch: Watch | None, step: Step) -> None:
    """Tell the watcher, if there is one."""
    if watch is None:
        return
    try:
        watch(step)
    except Exception:
        # The message may be accepted by now: an error would send it twice.
        logger.exception("what watches a sink has raised")


def line(text: str) -> str:
    """What was said, over several lines or not, as one."""
    return one_line(" ".join(text.split("\n")))
