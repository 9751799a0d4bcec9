"""Burst -> the topic of its mail: the Message-ID of a mail that was never sent, to which all mails of a day refer.

Mail programs group what refers to the same Message-ID (RFC 5322 section 3.6.4), whether it is there or not. Outlook and
Gmail look at the subject too. One topic for each key (all digests share one), recipients, host and local day: a thread
that never ends is one that nobody reads. Without keys, what is of another host, program or file is another topic; and
what is grave or urgent stands alone, for in a thread that has been read before it may be overlooked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..model import Burst
from ..words import moment
from .subject import grave, whose

if TYPE_CHECKING:
    from datetime import tzinfo


def topic(burst: Burst, recipients: Iterable[str], host: str, zone: tzinfo | None) -> str:
    """The Message-ID, with its angle brackets, for References and In-Reply-To; '' for a mail that has no topic."""
    from hashlib import sha256

    if grave(burst) or burst.urgent:
        return ""
    date = f"{moment(burst.time, zone):%Y%m%d}"
    # A digest has no key; what it holds differs each time.
    names = ("", "") if burst.key or burst.parts else whose(burst)
    about: list[object] = [burst.key, *names, bool(burst.parts), sorted(recipients), date]
    # Where no line says whose it is, its file does.
    about += _most(burst) if not (burst.key or burst.parts or any(names)) else []
    # Not the mark of real mails: a mail server's lines about those are known as an echo, and this is none.
    return f"<{sha256(ascii(about).encode()).hexdigest()[:32]}.{date}.topic@{host}>"


def _most(burst: Burst) -> list[str]:
    """What most lines were read from, if that is known."""
    return [max(burst.sources, key=lambda row: row[1])[0]] if burst.sources else []
