"""DeadLetter -> Message. A mail that another mail was not delivered; and sentences about burstmail itself.

It cannot loop: its envelope sender is empty, as for every report about mail (RFC 5321 section 4.5.5), it is marked as
made by a machine (RFC 3834 section 5: auto-generated, for it answers nobody), and none is made about another.
It goes to the recipients that did not refuse, to all when they were only given up, and to the sender when none is left.
Limits: one in 15 minutes, a day after one that was refused; what comes meanwhile is put together. It tells of 10 mails
and counts the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from ..errors import PermanentDeliveryError
from .address import address
from .escape import one_line
from .fold import dump_burst, emptied, restored_burst
from .mail.mime import MARK, rendered
from .mail.subject import named, summary
from .model import Burst, DeadLetter, Message
from .stage import State, opened
from .words import clock, day, duration, header_date, moment, number, plural, zone_name

if TYPE_CHECKING:
    from datetime import tzinfo

# As long as the caps keep a noisy key waiting at most: a server that refuses everything must not fill the queue.
INTERVAL = 900.0
# Where nobody takes notices, they would make half of the dead letters.
REFUSED = 86400.0
ROWS = 10
RECIPIENTS = 100
LONGEST = 300


def echo_note(count: int, sample: str) -> str:
    """That lines were left out because they are about burstmail's own mails, and what to do about it."""
    were = "was" if count == 1 else "were"
    # What it quotes must not end its own quotation, and go on in our words.
    quoted = one_line(sample, 120).strip().replace('"', "'")
    such = f', such as "{quoted}"' if sample else ""
    return (
        f"{plural(count, 'line')} about burstmail itself {were} left out{such}. "
        "What it reads has its own messages in it, or those of the mail server about its mails: "
        "keep facility mail and program burstmail out of it."
    )


@dataclass(slots=True)
class _Waiting:
    """Dead letters that one notice will tell of."""

    burst: Burst
    """What the first of them was about, without its lines; its time is when it died."""
    since: float
    """The same moment, as `now` counts."""
    sender: str
    host: str
    mails: int = 0
    lines: int = 0
    recipients: Sequence[str] = ()
    rows: Sequence[str] = ()
    """What is told of the first ROWS."""


class Notices:
    """At most one notice in 15 minutes, the first at once. `zone` is that of its dates, by default the machine's."""

    def __init__(self, *, zone: tzinfo | None = None) -> None:
        self._zone = zone
        # When the next may leave.
        self._next = -inf
        self._waiting: _Waiting | None = None

    @property
    def deadline(self) -> float:
        """When the next notice may leave; `inf` while there is nothing to tell."""
        return max(self._next, self._waiting.since) if self._waiting else inf

    @property
    def held(self) -> int:
        """Nothing: the lines of a dead letter have left."""
        return 0

    def feed(self, item: DeadLetter, now: float) -> Sequence[Message]:
        """`poll(now)`, then the dead letter. Nothing is said about a notice, nor about a Burst, which is no mail."""
        out = self.poll(now)
        mail = item.item
        if isinstance(mail, Message) and not mail.sender and not item.others:
            self._next = now + REFUSED
        if not isinstance(mail, Message) or not _is_address(mail.sender):
            return out
        told = self._waiting or _opened(mail, item.waited, now)
        told.mails += 1
        told.lines += mail.count
        names = filter(_is_address, _informed(mail, item))
        told.recipients = list(dict.fromkeys((*told.recipients, *names)))[:RECIPIENTS] or [mail.sender]
        told.rows = [*told.rows, _row(mail, item, self._zone)][:ROWS]
        self._waiting = told
        return out + self.poll(now)

    def poll(self, now: float) -> list[Message]:
        """The notice that is due, as of its due time."""
        due = self.deadline
        return self._leave(due) if due <= now else []

    flush = poll

    def drain(self, now: float) -> list[Message]:
        """What waits, at once."""
        return self.poll(now) + self._leave(now)

    def _leave(self, now: float) -> list[Message]:
        told, self._waiting = self._waiting, None
        if told is None:
            return []
        self._next = now + INTERVAL
        burst = replace(told.burst, time=told.burst.time + (now - told.since))
        id = f"<{_identity(told)}{MARK}{told.host}>"
        data = rendered(_headers(told, id, header_date(moment(burst.time, self._zone))), _text(told))
        return [Message(id=id, sender="", recipients=tuple(told.recipients), data=data, burst=burst)]

    def dump(self) -> State:
        """When the next notice may leave, and what it will tell."""
        row = None
        if told := self._waiting:
            place = [dump_burst(told.burst), told.since, told.sender, told.host]
            row = [*place, told.mails, told.lines, list(told.recipients), list(told.rows)]
        return ["notices", 1, None if self._next == -inf else self._next, row]

    def load(self, state: State) -> None:
        """The dumped notices."""
        after, row = opened(state, "notices", 2)
        self._waiting = _Waiting(restored_burst(row[0]), *row[1:]) if row else None
        self._next = -inf if after is None else after


def _opened(mail: Message, waited: float, now: float) -> _Waiting:
    burst = replace(emptied(mail.burst), time=mail.burst.time + waited)
    return _Waiting(burst, now, mail.sender, _host(mail.id))


def _host(id: str) -> str:
    """The name behind the @ of a Message-ID, if it has one that an address can have."""
    try:
        return address(f"id@{id.rpartition('@')[2].rstrip('>')}").rpartition("@")[2]
    except ValueError:
        return "localhost"


def _informed(mail: Message, letter: DeadLetter) -> tuple[str, ...]:
    if not isinstance(letter.error, PermanentDeliveryError):
        return (*letter.others, *mail.recipients)
    return letter.others or tuple(name for name in _to(mail) if name not in mail.recipients)


def _to(mail: Message) -> Iterator[str]:
    """The addresses in the To header: all for whom the mail once was."""
    head = mail.data.partition(b"\r\n\r\n")[0].decode("latin-1").replace("\r\n ", " ")
    for line in filter(lambda line: line.startswith("To: "), head.split("\r\n")):
        yield from map(str.strip, line[4:].split(","))


def _is_address(text: str) -> bool:
    try:
        return address(text) == text
    except ValueError:
        return False


def _row(mail: Message, letter: DeadLetter, zone: tzinfo | None) -> str:
    tried = moment(mail.burst.time, zone)
    later = f"{duration(letter.waited)} later" if letter.waited >= 1 else "at once"
    lines = [
        f"About: {named(mail.burst).what}: {summary(mail.burst)}",
        f"To: {one_line(', '.join(mail.recipients), LONGEST)}",
        f"First tried: {clock(tried)}, {day(tried)} ({zone_name(tried)}); given up {later}.",
        f"Error: {one_line(str(letter.error), LONGEST)}",
        f"Key: {one_line(letter.key.removeprefix('/'), LONGEST)}" * bool(letter.key),
    ]
    return "".join(line + "\n" for line in lines if line)


def _identity(told: _Waiting) -> str:
    """Of the first of these dead letters, and of the moment it died: one that is sent again may die again."""
    from hashlib import sha256

    place = ["notice", *dump_burst(told.burst), *told.rows]
    return sha256(ascii(place).encode()).hexdigest()[:32]


def _headers(told: _Waiting, id: str, date: str) -> list[tuple[str, str]]:
    return [
        ("From", told.sender),
        ("To", ", ".join(told.recipients)),
        ("Subject", f"[burstmail] not delivered: {plural(told.mails, 'mail')}, {plural(told.lines, 'line')}"),
        ("Date", date),
        ("Message-ID", id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Burstmail", f"lines=0; undelivered={told.lines}; mails={told.mails}"),
    ]


def _text(told: _Waiting) -> str:
    from .. import __version__

    were = "was" if told.mails == 1 else "were"
    blocks = [f"{plural(told.mails, 'mail')} {were} not delivered, and will not be tried again.\n", *told.rows]
    if more := told.mails - len(told.rows):
        blocks.append(f"And {number(more)} more.\n")
    blocks += [
        "With a state directory, `burstmail queue show KEY` shows it, `burstmail queue retry KEY` sends it again.\n",
        f"-- \nburstmail {__version__} on {told.host}\n",
    ]
    return "\n".join(blocks)
