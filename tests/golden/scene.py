"""Lines with their times -> the mail that burstmail makes of them, and what a person sees of it.

A scene is played in simulated time, by the stages that a real run has: nothing in it depends on the machine, the day or
the Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

from burstmail import Aggregator, Batch, Composer, TemporaryDeliveryError, __version__
from burstmail.core.model import Message
from burstmail.core.stage import Stage
from burstmail.testing import ManualClock, RecordingSink, Simulation

HERE = Path(__file__).parent
INPUTS = HERE / "inputs"
EXPECTED = HERE / "expected"

# A Monday night. Not in the local zone of anybody who runs this.
START = datetime(2026, 11, 23, 3, 12, 4, tzinfo=UTC)

# Longer than any cap holds, or any server of a scene is away.
HOURS = 4 * 3600

Line = tuple[float, str]
"""Seconds since START, and the line. `{t}` in it is the time as RFC 3164 writes it, `{iso}` as RFC 5424 does."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A burst as it could happen, and how burstmail was started that day."""

    name: str
    lines: Callable[[], Iterable[Line]]
    window: Mapping[str, Any] = field(default_factory=dict)
    """What the Aggregator is told."""
    stages: Callable[[], list[Stage[Any, Any]]] = list
    """What stands between it and the Composer."""
    composer: Mapping[str, Any] = field(default_factory=dict)
    down: int = 0
    """So many attempts fail before the server takes mail again."""
    mail: int = 0
    """Which of the mails is looked at."""
    source: str = ""
    """What the lines were read from."""


def stamped(second: float, line: str) -> str:
    """The line, with its time in it where it asks for one."""
    moment = START + timedelta(seconds=second)
    old = f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}"
    return line.replace("{t}", old).replace("{iso}", f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z")


def reads(lines: Iterable[Line], source: str = "") -> Iterable[tuple[float, Batch]]:
    """Lines of one moment come in one read."""
    together: dict[float, list[str]] = {}
    for second, line in lines:
        together.setdefault(second, []).append(stamped(second, line) + "\n")
    return ((second, Batch.of("".join(together[second]), source=source)) for second in sorted(together))


def from_file(name: str) -> Callable[[], Iterable[Line]]:
    """The lines of a file in `inputs`: seconds, a blank, the line."""

    def lines() -> Iterable[Line]:
        for row in (INPUTS / f"{name}.log").read_text("utf-8").split("\n")[:-1]:
            second, _, line = row.partition(" ")
            yield float(second), line

    return lines


def played(scene: Scene) -> list[Message]:
    """All mails of the scene."""
    told = {"sender": "burstmail@mail.example.org", "host": "mail.example.org", "zone": UTC}
    composer = Composer("root@example.org", **{**told, **scene.composer})
    failures = [TemporaryDeliveryError("451 4.3.0 try again later")] * scene.down
    run = Simulation(
        Aggregator(**scene.window),
        *scene.stages(),
        composer,
        sink=RecordingSink(failures),
        clock=ManualClock(wall=START.timestamp()),
    )
    for second, batch in reads(scene.lines(), scene.source):
        run.at(second, batch)
    run.until(run.clock.monotonic() + HOURS)
    return [delivery.item for delivery in run.deliveries if isinstance(delivery.item, Message)]


@cache
def mail(scene: Scene) -> EmailMessage:
    """The mail that the scene is about, as a mail program sees it."""
    found = message_from_bytes(played(scene)[scene.mail].data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text(scene: Scene) -> str:
    """From, To, Subject and Date, and the text view."""
    message = mail(scene)
    head = [f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date")]
    names = [part.get_filename() for part in message.iter_attachments()]
    return "\n".join([*head, *(f"Attached: {name}" for name in names), "", content(message, "plain")])


def page(scene: Scene) -> str:
    """The HTML view."""
    return content(mail(scene), "html")


def content(message: EmailMessage, kind: str) -> str:
    """The text of a part; '' if the mail has none. CRLF is the wire's line end, not a person's."""
    body = message.get_body((kind,))
    found = "" if body is None else str(body.get_content()).replace("\r\n", "\n")
    # The next version makes the same mails, and signs them with its own number.
    return found.replace(f"burstmail {__version__} on", "burstmail (version) on")
