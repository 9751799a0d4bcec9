"""Burst -> Message. The mail, made once: every attempt to send it sends the same bytes.

From, To, Subject, Date, Message-ID, the topic it belongs to, and marks by which no machine answers it (RFC 3834 section
5); text, HTML, and what had to be left out of them as a file. All of it comes from one Report of one redacted burst.
No byte of a log line becomes a header, markup or an unescaped control character.
Limits: 100,000 bytes without the file, which has a limit of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from .address import address
from .kinds import listed, numbers, texts, zones
from .mail.identity import identity_of
from .mail.letter import letter
from .mail.mailbox import mailbox
from .mail.mime import MARK, Headers, Part, file_part, multipart, rendered, text_part
from .mail.page import page
from .mail.redact import Redactor
from .mail.redactions import REDACTIONS
from .mail.report import ROOM, Report
from .mail.subject import DEFAULT, Subject
from .mail.template import PageTemplate, TextTemplate, failure
from .mail.topic import topic
from .model import Burst, Message
from .stage import Instant
from .words import header_date, moment

if TYPE_CHECKING:
    from datetime import tzinfo

View: TypeAlias = "str | Callable[[Report], str]"

# RFC 5322 has no limit, but providers cut off what is longer, and say nothing.
LONGEST = 100_000
# Bytes of all headers but for the recipients, at most: a subject of 150 characters in encoded words, and a name.
_HEADERS = 2_500
# Bytes that are given up beyond what was too much, so that a second time is enough.
_SPARE = 1_000
# What stays on a burst that is composed: as many patterns as a mail shows, and then some.
_PATTERNS = 20
# How core/mail/redact.py begins to tell of a hook that has raised.
_FAILED = "the redact hook raised "
_TOO_LARGE = f"the template made a mail of more than {LONGEST:,} bytes: the default is used"


class Composer(Instant[Burst, Message]):
    """One mail per burst.

    Args:
        to: the recipient, or several; a bare local user such as `root` is valid.
        sender: envelope sender and From; by default `user@hostname` of this process.
        name: the name that a mail program shows for the sender; by default none.
        subject: a template of text and `{field}`. Fields: what ("web1 sshd", for a digest "7 sources", else the key,
            the file, or "log"), host, program, key, count ("412"), lines ("412 lines"), duration ("38 s"), bursts
            ("12"), summary ("412 lines in 38 s"), top (the most frequent pattern, or the message where there is one
            only), severity (the worst: "err"), mark ("crit" or worse; "held", "folded" or "digest"), reason ("gap",
            "max_age", ...), first and last ("10:00:38").
        text: the text of the mail: a template of `$field` (string.Template), or a function of a Report; None is ours.
        html: whether there is an HTML view too; or a template or function of your own for it.
        redact: what takes secrets out of all that is mailed: names ("urls", "passwords", "tokens") and functions
            that take one line and give one. () is nothing.
        threads: whether all mails of one key and day refer to the same topic, so that a mail program groups them.
        attach: the largest burst.log.gz in bytes, which goes along when lines had to be left out; 0 is none.
        host: the name in the Message-ID and the signature; by default the machine's own.
        zone: the time zone of all dates; by default the machine's own.

    Raises ValueError for an address, host, template or field that is not valid, naming it. A function that raises
    costs no mail: the default is used, and the mail says so.
    """

    def __init__(
        self,
        to: str | Sequence[str],
        *,
        sender: str | None = None,
        name: str = "",
        subject: str = DEFAULT,
        text: View | None = None,
        html: bool | View = True,
        redact: Iterable[str | Callable[[str], str]] = REDACTIONS,
        threads: bool = True,
        attach: int = 1_000_000,
        host: str | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        from .. import __version__
        from ..host import default_sender, hostname

        self.recipients = _recipients(to)
        numbers(attach=attach)
        texts(name=name, subject=subject)
        zones(zone=zone)
        if attach < 0:
            raise ValueError(f"attach={attach!r}: must be 0 or more bytes; 0 is none")
        self.sender = address(default_sender() if sender is None else sender)
        self.host = _domain(hostname() if host is None else host)
        self.zone = zone
        self._from = mailbox(name, self.sender)
        self._subject = Subject(subject)
        self._redactor = Redactor(redact)
        self._threads, self._attach = threads, attach
        self._text = None if text is None else TextTemplate(text)
        self._html = bool(html)
        self._page = None if isinstance(html, bool) else PageTemplate(html)
        self._signature = f"burstmail {__version__} on {self.host}"

    def readdressed(self, to: str | Sequence[str]) -> Composer:
        """The same, but for its recipients."""
        other = copy(self)
        other.recipients = _recipients(to)
        return other

    def feed(self, item: Burst, now: float) -> list[Message]:
        """The burst's mail."""
        identity = identity_of(item)
        id = f"<{identity}{MARK}{self.host}>"
        burst, notes = self._redactor.burst(item)
        report, views = self._views(burst, notes)
        headers = self._headers(report, id, topic(item, self.recipients, self.host, self.zone))
        data = rendered(headers, _content(views, report, identity))
        slim = replace(burst, excerpt=burst.excerpt.slim(), tally=burst.tally.top(_PATTERNS))
        return [Message(id=id, sender=self.sender, recipients=self.recipients, data=data, burst=slim)]

    def _views(self, burst: Burst, notes: tuple[str, ...]) -> tuple[Report, list[Part]]:
        """Text, and HTML if it is wanted. What a template cannot do is told, and done by ours."""
        templates = [template for template in (self._text, self._page) if template]
        most = LONGEST - _HEADERS - sum(len(name) + 4 for name in self.recipients)
        room = ROOM
        while True:
            report = self._report(burst, notes, room)
            own, failures = _own(templates, report)
            if failures:
                # Told in both views, whosever they are.
                templates, notes = [one for one in templates if one.kind in own], (*notes, *failures)
                continue
            parts = self._parts(report, own)
            excess = sum(len(part.body) for part in parts) - most
            if excess <= 0 or room <= 0:
                return report, parts
            if own:
                templates, notes = [], (*notes, _TOO_LARGE)
            else:
                # The report estimates what its lines will take; this is what they took.
                room = max(0, room - excess - _SPARE)

    def _parts(self, report: Report, own: dict[str, str]) -> list[Part]:
        parts = [text_part(own.get("text") or letter(report))]
        return [*parts, text_part(own.get("HTML") or page(report), "html")] if self._html else parts

    def _report(self, burst: Burst, notes: tuple[str, ...], room: int) -> Report:
        return Report.of(
            burst,
            notes=notes,
            signature=self._signature,
            zone=self.zone,
            attach=self._attach,
            html=self._html,
            hidden=any(note.startswith(_FAILED) for note in notes),
            room=room,
        )

    def _headers(self, report: Report, id: str, about: str) -> Headers:
        burst = report.burst
        shown = burst.count - report.left_out
        return [
            ("From", self._from),
            ("To", ", ".join(self.recipients)),
            ("Subject", self._subject.of(burst, report.names, self.zone)),
            ("Date", header_date(moment(burst.time, self.zone))),
            ("Message-ID", id),
            *([("References", about), ("In-Reply-To", about)] if about and self._threads else []),
            ("Auto-Submitted", "auto-generated"),
            # Exchange and Outlook look at this one only.
            ("X-Auto-Response-Suppress", "All"),
            ("X-Burstmail", f"lines={burst.count}; shown={shown}; left-out={report.left_out}; bursts={burst.bursts}"),
        ]


def _own(templates: Iterable[TextTemplate | PageTemplate], report: Report) -> tuple[dict[str, str], list[str]]:
    """What somebody's own templates make, by kind, and what is to be told of those that could not."""
    made, failures = {}, []
    for template in templates:
        try:
            made[template.kind] = template.of(report)
        # Somebody else's function may raise whatever it likes; sys.exit() in it must not cost a mail either.
        except (Exception, SystemExit) as error:
            failures.append(failure(template.kind, error))
    return made, failures


def _content(views: list[Part], report: Report, identity: str) -> Part:
    """One part, of several where there are several. The same burst has the same boundaries."""
    content = multipart("alternative", f"=_a{identity}", views) if len(views) > 1 else views[0]
    if not report.attachment:
        return content
    attached = file_part(report.log, "application/gzip", report.attachment)
    return multipart("mixed", f"=_m{identity}", [content, attached])


def _recipients(to: str | Sequence[str]) -> tuple[str, ...]:
    # Twice the same recipient would be two mails in one mailbox.
    recipients = tuple(dict.fromkeys(map(address, listed(to))))
    if not recipients:
        raise ValueError("to: name at least one recipient")
    return recipients


def _domain(host: str) -> str:
    try:
        return address(f"id@{host}").rpartition("@")[2]
    except ValueError:
        raise ValueError(f"host {host!r}: not a valid name; write it as web1.example.org") from None
