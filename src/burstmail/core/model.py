"""The nouns that flow: Batch, Burst, Message, Attempt, DeadLetter.

All are frozen values. Wall-clock stamps in them are for people only; machines measure with the `now` they are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias

from ..errors import DeliveryError
from .excerpt import Excerpt
from .patterns.tally import Pattern, Tally
from .timeline import Timeline


def size_of(text: str) -> int:
    """Bytes of the text in UTF-8; free of cost for ASCII."""
    return len(text) if text.isascii() else len(text.encode())


def spanning(first: str, last: str) -> str:
    """The epoch of what began under one numbering and goes on under another.

    Otherwise it would share its identity with what has perhaps been sent already, of its first lines alone.
    """
    return first if first.endswith(last) else f"{first.partition('+')[0]}+{last.rpartition('+')[2]}"


Place: TypeAlias = tuple[str, Any]
"""A source's name for where it reads, and the position there, as JSON can carry it; None: it reads there no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Lines that were read together. One read is one Batch; a single line is a Batch of one."""

    text: str
    """The lines, each ended by one newline. Always encodable as UTF-8."""
    count: int
    """How many lines."""
    time: float = 0.0
    """When they were read: wall-clock seconds. 0 until a driver stamps it."""
    epoch: str = ""
    """Which numbering of reads `seq` belongs to (random, drawn once by the driver); '' until stamped."""
    seq: int = 0
    """The number of the read, from 1; 0 until stamped."""
    gone: int = 0
    """How many lines of that read (and key) have already been cut off in front."""
    place: Place | None = None
    """How far its source has come with these lines: whoever keeps them keeps that with them."""
    joined: bool = False
    """Whether a line that begins with a space or tab belongs to the line before it (see Join): they are not parted."""
    below: int = 0
    """Lines that came before these and are not worth a mail of their own (see Threshold): the next one counts them."""
    late: float = 0.0
    """Seconds that a stage has kept them, after they were read."""
    source: str = ""
    """What they were read from, for people: the path of a file, or a name of your own. '' where there is nothing to
    tell; what a connection brings names its host in each line."""

    @classmethod
    def of(cls, lines: str | Iterable[str], *, time: float = 0.0, source: str = "") -> Batch:
        """A batch from text (lines separated by newlines, the last newline optional) or from single lines.

        An embedded newline starts a new line; lone surrogates, which no mail can carry, become `\\udcXX` escapes.
        """
        text = "".join(piece.removesuffix("\n") + "\n" for piece in ((lines,) if isinstance(lines, str) else lines))
        text = text.encode("utf-8", "backslashreplace").decode()
        return cls(text=text, count=text.count("\n"), time=time, source=source)

    @property
    def lines(self) -> list[str]:
        """The lines, without their newlines."""
        return self.text.split("\n")[:-1]

    @property
    def size(self) -> int:
        """Bytes in UTF-8, newlines included."""
        return size_of(self.text)

    def part(self, text: str, count: int, below: int = 0) -> Batch:
        """Some of these lines, without a place: that is of all of them. `below` lines before it are told of by it."""
        # Not by replace(), which asks for each field by its name: this is paid for every part of every read.
        return Batch(
            text=text,
            count=count,
            time=self.time,
            epoch=self.epoch,
            seq=self.seq,
            gone=self.gone,
            joined=self.joined,
            below=below,
            late=self.late,
            source=self.source,
        )

    def split(self, count: int) -> tuple[Batch, Batch]:
        """The first `count` lines and the rest, which remembers how many are gone."""
        rest = self.text.split("\n", count)[-1] if count < self.count else ""
        first = self.text[: len(self.text) - len(rest)]
        taken = min(count, self.count)
        return (
            replace(self, text=first, count=taken),
            replace(self, text=rest, count=self.count - taken, gone=self.gone + taken, below=0),
        )


class CloseReason(Enum):
    """Why a window closed."""

    GAP = "gap"
    MAX_AGE = "max_age"
    MAX_LINES = "max_lines"
    MAX_BYTES = "max_bytes"
    URGENT = "urgent"
    CROWDED = "crowded"
    FLUSH = "flush"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """How long nothing could be delivered, in wall time, and what waited for the end of it."""

    since: float
    """When an attempt first failed."""
    until: float
    """When one succeeded again."""
    mails: int
    """Mails that were late for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Lines of one key that came close together; or several such, folded by a cap."""

    key: str
    """The window's key, '' without keys and for a digest."""
    excerpt: Excerpt
    """What is kept of the lines; it counts all of them."""
    first: float
    """Wall time of the first line."""
    last: float
    """Wall time of the last line."""
    closed: float
    """Wall time at which the (last) window closed."""
    time: float
    """Wall time at which the burst left the stage it comes from: the mail's Date."""
    reason: CloseReason
    """Why the (last) window closed."""
    epoch: str
    """With seq, gone and key: the identity of the first line, from which the Message-ID is made."""
    seq: int
    gone: int
    bursts: int = 1
    """How many bursts this one stands for: more than 1 when a cap has folded."""
    waited: float = 0.0
    """Seconds the oldest of them was held by a cap."""
    paused: float = 0.0
    """Seconds of these in which the caps were paused: mails before it were not delivered yet."""
    resume: float | None = None
    """Wall time before which the caps let nothing more of this key leave; None when they are open."""
    parts: tuple[tuple[str, int], ...] = ()
    """For a digest of several keys: (key, lines) each; the last may be ('', lines of all other keys)."""
    outage: Outage | None = None
    """The outage of the mail's destination that ended before this burst left."""
    notes: tuple[str, ...] = ()
    """Sentences for the reader about burstmail itself: what it could not do, and what it did instead."""
    tally: Tally = field(default_factory=Tally)
    """All lines by pattern, shown or not; never added to any more. Empty where patterns are off."""
    timeline: Timeline = field(default_factory=Timeline)
    """All lines by time."""
    route: str = ""
    """The name of the route it came by; '' where there are no routes."""
    below: int = 0
    """Lines before it that did not reach the threshold: told of, and not among `count`."""
    urgent: bool = False
    """Whether one of its lines was urgent."""
    alarm: str = ""
    """The first urgent line, up to 4,096 characters of it; as hostile as it came."""
    sooner: bool = False
    """Whether an urgent burst may leave before `resume`."""
    sources: tuple[tuple[str, int], ...] = ()
    """What its lines were read from: (Batch.source, lines) each, in order of the first; the last may be ('', lines of
    all other sources). Lines that have none are in none."""
    ran: str = ""
    """What wrote its lines, if it has ended, as somebody would type it: a command, a script."""
    outcome: str = ""
    """How that ended, in words ("exit status 3 after 2 min"); of several, the last."""
    failed: bool = False
    """Whether that was a failure; of several, whether any was."""

    @property
    def count(self) -> int:
        """All lines, shown or not."""
        return self.excerpt.count

    @property
    def patterns(self) -> list[Pattern]:
        """Lines that differ only in what varies, counted as one; the most frequent first."""
        return self.tally.patterns()

    @property
    def elided(self) -> int:
        """Lines counted, but not kept."""
        return self.excerpt.elided

    @property
    def head(self) -> tuple[str, ...]:
        """The first lines."""
        return self.excerpt.head

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, after the elided ones."""
        return self.excerpt.tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail, composed once: the same bytes for every attempt."""

    id: str
    """The Message-ID, with its angle brackets."""
    sender: str
    """Envelope sender (MAIL FROM)."""
    recipients: tuple[str, ...]
    """Envelope recipients (RCPT TO); those still to be served, in a retry."""
    data: bytes = field(repr=False)
    """The whole mail: ASCII, lines ended by CRLF (RFC 5322)."""
    burst: Burst = field(repr=False)
    """What the mail is about."""

    @property
    def count(self) -> int:
        """Lines the mail stands for."""
        return self.burst.count

    def readable(self) -> str:
        """From, To, Subject, Date, the decoded text and what is attached, for a person at a terminal."""
        from email import message_from_bytes, policy

        mail = message_from_bytes(self.data, policy=policy.default)
        head = [f"{name}: {mail[name]}" for name in ("From", "To", "Subject", "Date")]
        body = mail.get_body(("plain",))
        # CRLF inside the encoding is the wire's line end, not a person's.
        text = "" if body is None else body.get_content().replace("\r\n", "\n")
        files = [(part.get_filename(), len(part.get_content())) for part in mail.iter_attachments()]
        return "\n".join([*head, "", text, *(f"[attached: {name}, {size:,} bytes]\n" for name, size in files)])


Item: TypeAlias = Message | Burst
"""What a sink gets: a Message, or a Burst where a pipeline has no Composer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, to be made by a driver: `sink.send(attempt.item)`, then `settle` with what came of it."""

    item: Item
    number: int
    """1 for the first try."""
    destination: str = ""
    """Which of several sinks it is for."""
    key: str = ""
    """The message's key in the queue: what came of the attempt is told of this message, and of no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What will not be tried again: the item, for those recipients that did not get it, and the last error."""

    item: Item
    error: DeliveryError
    others: tuple[str, ...] = ()
    """Recipients of the same attempt that did not refuse it."""
    waited: float = 0.0
    """Seconds since the item was queued."""
    key: str = ""
    """A name of its own, as no other dead letter of the destination has."""
