"""Excerpt -> burst.log.gz. All the text that was kept, as safe to read as the mail.

Lines are indented, as in the mail, so that none can pass itself off as one of our sentences. At the end stands a line
of each pattern that none of them is of. The same bytes each time: the gzip header has no name and no time in it (RFC
1952 section 2.3.1). Limit: a size in bytes; what is larger loses lines from the middle, by halves, until it fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..escape import visible
from ..excerpt import Excerpt
from ..patterns.tally import Pattern
from ..words import plural

NAME = "burst.log.gz"


INDENT = "  "
# The bytes that a Pattern keeps of a line.
KEPT = 1024
_REST = "[one line of each pattern that is not above]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """The packed text and how much of the burst it is."""

    data: bytes = field(repr=False)
    """The file; b'' where not even the first and the last line would fit."""
    head: int
    """How many first lines it has; all of them where nothing is missing."""
    tail: int
    """How many last lines it has after the gap."""
    more: int
    """How many lines stand behind these, one of each pattern that they are not of."""
    size: int
    """Bytes of the file with all lines that were kept."""


def attachment(excerpt: Excerpt, limit: int, patterns: Iterable[Pattern] = ()) -> Attachment:
    """The kept lines in at most `limit` bytes; and of each pattern that they are not of, its example."""
    front, missing, back = excerpt.log()
    head, tail = _lines(front), _lines(back)
    if not missing:
        middle = -(-len(head) // 2)
        head, tail = head[:middle], head[middle:]
    examples = [pattern.examples for pattern in patterns]
    size = 0
    while True:
        gap = excerpt.count - len(head) - len(tail)
        known = seen(head) | seen(tail) if gap else set()
        more = [found[0] for found in examples if known.isdisjoint(found)] if gap else []
        data = packed(head, gap, tail, more)
        size = size or len(data)
        if len(data) <= limit:
            return Attachment(data=data, head=len(head), tail=len(tail), more=len(more), size=size)
        if len(head) <= 1 and len(tail) <= 1:
            return Attachment(data=b"", head=0, tail=0, more=0, size=size)
        head, tail = head[: -(-len(head) // 2)], tail[len(tail) // 2 :]


def packed(head: list[str], missing: int, tail: list[str], more: list[str]) -> bytes:
    """The lines as gzip, with a line between them that says how many are missing."""
    from zlib import compressobj

    gap = [f"[{plural(missing, 'line')} left out here]"] if missing else []
    rest = [_REST, *map(_shown, more)] if more else []
    text = "".join(line + "\n" for line in [*map(_shown, head), *gap, *map(_shown, tail), *rest])
    # 16 + 15: a gzip header, which zlib writes without a name and without a time.
    machine = compressobj(level=6, wbits=31)
    return machine.compress(text.encode()) + machine.flush()


def seen(lines: Iterable[str]) -> set[str]:
    """The lines as the examples of patterns are kept."""
    return {line if len(line) < KEPT // 4 else line.encode()[:KEPT].decode("utf-8", "ignore") for line in lines}


def _shown(line: str) -> str:
    return INDENT + visible(line)


def _lines(text: str) -> list[str]:
    return text.split("\n")[:-1]
