"""Burst -> Message. The mail, made once: every attempt to send it sends the same bytes.

From, To, Subject, Date, Message-ID, and marks by which no machine answers it (RFC 3834 section 5); plain text in UTF-8.
Subject and text come from the same burst. No byte of a log line becomes a header or an unescaped control character.
Limits: none of its own; the burst has kept what fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .address import address
from .letter import letter
from .mime import MARK, rendered
from .model import Burst, Message
from .stage import Instant
from .subject import DEFAULT, Subject, named
from .words import header_date, moment

if TYPE_CHECKING:
    from datetime import tzinfo


class Composer(Instant[Burst, Message]):
    """One mail per burst.

    Args:
        to: the recipient, or several; a bare local user such as `root` is valid.
        sender: envelope sender and From; by default `user@hostname` of this process.
        subject: a template of text and `{field}`. Fields: what ("web1 sshd", for a digest "7 sources", else the key,
            or "log"), host, program, key, count ("412"), lines ("412 lines"), duration ("38 s"), bursts ("12"),
            summary ("412 lines in 38 s"), reason ("gap", "max_age", ...), first and last ("10:00:38").
        host: the name in the Message-ID and the signature; by default the machine's own.
        zone: the time zone of all dates; by default the machine's own.

    Raises ValueError for an address, host, template or field that is not valid, naming it.
    """

    def __init__(
        self,
        to: str | Sequence[str],
        *,
        sender: str | None = None,
        subject: str = DEFAULT,
        host: str | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        from .. import __version__
        from ..host import default_sender, hostname

        # Twice the same recipient would be two mails in one mailbox.
        self.recipients = tuple(dict.fromkeys(map(address, [to] if isinstance(to, str) else to)))
        if not self.recipients:
            raise ValueError("to: name at least one recipient")
        self.sender = address(default_sender() if sender is None else sender)
        self.host = _domain(hostname() if host is None else host)
        self.zone = zone
        self._subject = Subject(subject)
        self._signature = f"burstmail {__version__} on {self.host}"

    def feed(self, item: Burst, now: float) -> list[Message]:
        """The burst's mail."""
        id = f"<{_identity(item)}{MARK}{self.host}>"
        names = named(item)
        headers = self._headers(item, id, self._subject.of(item, names, self.zone))
        data = rendered(headers, letter(item, names.origin, self.zone, self._signature))
        return [Message(id=id, sender=self.sender, recipients=self.recipients, data=data, burst=item)]

    def _headers(self, burst: Burst, id: str, subject: str) -> list[tuple[str, str]]:
        shown = burst.count - burst.elided
        return [
            ("From", self.sender),
            ("To", ", ".join(self.recipients)),
            ("Subject", subject),
            ("Date", header_date(moment(burst.time, self.zone))),
            ("Message-ID", id),
            ("Auto-Submitted", "auto-generated"),
            # Exchange and Outlook look at this one only.
            ("X-Auto-Response-Suppress", "All"),
            ("X-Burstmail", f"lines={burst.count}; shown={shown}; left-out={burst.elided}; bursts={burst.bursts}"),
        ]


def _domain(host: str) -> str:
    try:
        return address(f"id@{host}").rpartition("@")[2]
    except ValueError:
        raise ValueError(f"host {host!r}: not a valid name; write it as web1.example.org") from None


def _identity(burst: Burst) -> str:
    """The place of its first line in the stream, as 128 bits in hexadecimal.

    Never its text or its time: the same line every minute is not one event, and a second copy of a mail must be known
    by its Message-ID. Only a burst that no driver has numbered has nothing else to be told apart by.
    """
    from hashlib import sha256

    place: list[object] = [burst.epoch, burst.key, burst.seq, burst.gone, bool(burst.parts)]
    # Lines of one read are counted per key: two digests may begin with the same read, and then with other keys of it.
    place += [key for key, _ in burst.parts[:1]]
    if not burst.epoch:
        place += [burst.first, burst.closed, burst.count, burst.head, burst.tail]
    return sha256(ascii(place).encode()).hexdigest()[:32]
