"""Excerpt -> burst.log.gz. All the text that was kept, as safe to read as the mail.

The same bytes each time: the gzip header has no name and no time in it (RFC 1952 section 2.3.1).
Limit: a size in bytes; what is larger loses lines from the middle, by halves, until it fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .escape import visible
from .excerpt import Excerpt
from .words import plural

NAME = "burst.log.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """The packed text and how much of the burst it is."""

    data: bytes = field(repr=False)
    head: int
    """How many first lines it has; all of them where nothing is missing."""
    tail: int
    """How many last lines it has after the gap."""


def attachment(excerpt: Excerpt, limit: int) -> Attachment | None:
    """The kept lines in at most `limit` bytes; None where not even the first and the last would fit."""
    front, missing, back = excerpt.log()
    head, tail = _lines(front), _lines(back)
    if not missing:
        middle = -(-len(head) // 2)
        head, tail = head[:middle], head[middle:]
    while True:
        data = packed(head, excerpt.count - len(head) - len(tail), tail)
        if len(data) <= limit:
            return Attachment(data=data, head=len(head), tail=len(tail))
        if len(head) <= 1 and len(tail) <= 1:
            return None
        head, tail = head[: -(-len(head) // 2)], tail[len(tail) // 2 :]


def packed(head: list[str], missing: int, tail: list[str]) -> bytes:
    """The lines as gzip, with a line between them that says how many are missing."""
    from zlib import compressobj

    gap = [f"[{plural(missing, 'line')} left out here]"] if missing else []
    text = "".join(line + "\n" for line in [*map(visible, head), *gap, *map(visible, tail)])
    # 16 + 15: a gzip header, which zlib writes without a name and without a time.
    machine = compressobj(level=6, wbits=31)
    return machine.compress(text.encode()) + machine.flush()


def _lines(text: str) -> list[str]:
    return text.split("\n")[:-1]
