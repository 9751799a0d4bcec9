"""Burst -> its news: the one message to know it by, where there is room for no other.

What the user calls urgent comes first, and what is bad before what is frequent. Where patterns say more than the lines,
it is the most frequent pattern; but if something is worse, or there are no patterns, a line: of the worst severity, the
first one that neither goes on from the line before nor announces the next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..fields import SEVERITIES, parse
from ..model import Burst
from ..patterns.tally import Pattern
from ..severity import severity_of
from .overview import chosen, overview, said

# From here up it is news by itself: emerg, alert and crit however rare, err unless something else came a hundred times
# as often. A mere error of sshd is no news of an attack of thousands, and still the news of an hour with one failure.
BAD, GRAVE = 3, 2
MANY = 100
# A pattern with fewer letters has lost what it was about.
LETTERS = 5

_MARK = re.compile(r"<[a-z*]{1,8}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has happened, and where. As hostile as the lines."""

    message: str = ""
    """The message or the pattern; '' where no line says anything."""
    host: str = ""
    """Of a line that is worse than others, or urgent, the host that its header names."""
    program: str = ""
    """Of a line that is worse than others, or urgent, the program that its header names."""


def news(burst: Burst) -> News:
    """The news of a burst."""
    urgent = parse(burst.alarm)
    if said(urgent.message).strip():
        return News(message=said(urgent.message), host=urgent.host, program=urgent.program)
    worst = burst.tally.worst
    patterns = chosen(overview(burst))
    if patterns and not _worse(burst, patterns[0]) and _letters(patterns[0].text) >= LETTERS:
        return News(message=said(patterns[0].text))
    lines = [*burst.head, *burst.tail]
    # The worst line need not be among those that are kept.
    bad = worst is not None and worst <= BAD
    return _telling(lines + [example for row in burst.patterns for example in row.examples] if bad else lines)


def _worse(burst: Burst, pattern: Pattern) -> bool:
    worst = burst.tally.worst
    if worst is None or worst > BAD or worst >= (*SEVERITIES, "").index(pattern.severity):
        return False
    return worst <= GRAVE or pattern.count < MANY * burst.tally.severities[worst]


def _letters(text: str) -> int:
    return sum(map(str.isalpha, _MARK.sub("", text)))


def _telling(lines: Sequence[str]) -> News:
    """The first of the worst lines, of those that say something if there are any."""
    ranks = [_rank(line) for line in lines]
    least = min(ranks, default=0)
    worst = [line for line, rank in zip(lines, ranks, strict=True) if rank == least]
    found = [fields for fields in map(parse, worst) if said(fields.message).strip()]
    if not found:
        return News()
    fields = next((fields for fields in found if _says_something(said(fields.message))), found[0])
    # Where none is worse than any other, they are not told apart by where they are from.
    where = {"host": fields.host, "program": fields.program} if len(worst) < len(lines) else {}
    return News(message=said(fields.message), **where)


def _rank(line: str) -> int:
    return (*SEVERITIES, "").index(severity_of(line))


def _says_something(message: str) -> bool:
    """Not if it goes on from the line before, or announces the next: "Traceback (most recent call last):"."""
    return not message[0].isspace() and not message.rstrip().endswith(":")
