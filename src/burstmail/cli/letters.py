"""Row of a store -> what a person reads. Mails that wait and mails given up, as `burstmail queue` shows them.

Every byte of a mail is somebody else's, and a store may be damaged: what is shown is escaped, and no row raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .channel import visible

if TYPE_CHECKING:
    from email.message import EmailMessage

LINES = re.compile(r"lines=([0-9]{1,15})")
# A listing is read, not searched: longer ones are cut.
WIDTH = 200
NO_MAIL = "this is no mail: its content cannot be shown"
HEADERS = ("From", "To", "Subject", "Date", "Message-ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail of a store."""

    key: str
    """As the store has it: DESTINATION/NUMBER; with another number behind a dot for one that was given up."""
    dead: bool
    sender: str = ""
    recipients: tuple[str, ...] = ()
    data: bytes = b""
    tries: int = 0
    error: str = ""
    died: float | None = None
    asked: bool = False
    """Whether somebody has asked for a retry that is not yet made."""

    @property
    def name(self) -> str:
        """The key as a person types it: where there is one destination only, it has no name."""
        return self.key.removeprefix("/")

    def listed(self) -> str:
        """Two or three lines: key, fate, date, size, recipients; subject; last error."""
        mail = self._mail()
        when = _moment(self.died) if self.died is not None else _header(mail, "Date")
        found = LINES.search(_header(mail, "X-Burstmail"))
        count = f"{int(found[1]):,} line{'s' * (int(found[1]) != 1)}" if found else "lines unknown"
        to = ", ".join(self.recipients) or "nobody"
        told = [f"  {self.name}  {self._fate()}  {when}  {count}  to {to}"]
        told.append(f"      {_header(mail, 'Subject') or '(no subject)'}")
        if trouble := self._trouble():
            told.append(f"      {trouble}")
        return "".join(f"{_line(line)}\n" for line in told)

    def older(self, seconds: float, wall: float) -> bool:
        """Whether it was made so long ago; a mail that does not say when counts as old."""
        from email.utils import parsedate_to_datetime

        try:
            return wall - parsedate_to_datetime(_header(self._mail(), "Date")).timestamp() > seconds
        except (TypeError, ValueError, OverflowError):
            return True

    def _fate(self) -> str:
        return ("dead" if self.dead else "waits") + (", retry asked for" if self.asked else "")

    def _trouble(self) -> str:
        if self.dead:
            return f"given up: {self.error}"
        if not self.tries:
            return self.error or "not tried yet"
        times = "once" if self.tries == 1 else f"{self.tries} times"
        return f"tried {times}: {self.error}" if self.error else f"tried {times}"

    def shown(self) -> str:
        """The whole mail, decoded, behind what is known of its delivery."""
        mail = self._mail()
        head = [f"key: {self.name}", f"state: {self._fate()}"]
        head += [f"for: {', '.join(self.recipients)}", f"bounces to: {self.sender or 'nobody'}", self._trouble()]
        head += ["", *(f"{name}: {_header(mail, name)}" for name in HEADERS), ""]
        return "".join(f"{visible(line)}\n" for line in [*head, *_text(mail).split("\n"), *_files(mail)])

    def _mail(self) -> EmailMessage:
        from email import message_from_bytes, policy
        from email.message import EmailMessage

        mail = message_from_bytes(self.data, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return mail


def letter(key: str, row: Any, *, dead: bool, asked: bool = False) -> Letter:
    """The letter that a row is: [item, queued, tries, not before, error]; a dead one [item, given up, error, where]."""
    try:
        item, _, *rest = row
        kind, _, sender, recipients, data, *_ = item
        if kind != "message":
            raise ValueError(kind)
        return Letter(
            key=str(key),
            dead=dead,
            sender=str(sender),
            recipients=tuple(str(name) for name in recipients),
            data=data.encode("latin-1"),
            tries=0 if dead else int(rest[0]),
            error=str(rest[0] if dead else rest[2]),
            died=float(row[1]) if dead else None,
            asked=asked,
        )
    except (TypeError, ValueError, LookupError, AttributeError):
        # A burst that a pipeline without Composer left, or what damage made of a row.
        return Letter(key=str(key), dead=dead, error=NO_MAIL)


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return str(mail[name] or "")
    except Exception:  # the parser of some Pythons raises IndexError and the like for headers it does not understand
        return "(cannot be read)"


def _text(mail: EmailMessage) -> str:
    try:
        body = mail.get_body(("plain",))
        text = "" if body is None else str(body.get_content())
    except Exception:  # as above, for an encoding it does not know
        return "(the text cannot be read)"
    return text.replace("\r\n", "\n").removesuffix("\n")


def _files(mail: EmailMessage) -> list[str]:
    try:
        files = [(str(part.get_filename()), len(part.get_content())) for part in mail.iter_attachments()]
    except Exception:  # as above
        return ["", "[what is attached cannot be read]"]
    return ["", *(f"[attached: {name}, {size:,} bytes]" for name, size in files)] if files else []


def _moment(wall: float) -> str:
    from datetime import datetime
    from email.utils import format_datetime

    try:
        # As in the Date of a mail, which is beside it in the list.
        return format_datetime(datetime.fromtimestamp(wall).astimezone())
    except (OverflowError, ValueError, OSError):
        return "at an unknown time"


def _line(text: str) -> str:
    text = visible(text).replace("\t", " ")
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def listing(letters: list[Letter]) -> Iterator[str]:
    """All of them, the waiting ones first."""
    yield from (found.listed() for found in sorted(letters, key=lambda found: found.dead))
