"""Burst -> its news: the one message to know it by, where there is room for no other.

What is grave comes before what is frequent. Where patterns say more than the lines, it is the most frequent pattern;
else a line: of the worst severity, the first one that neither goes on from the line before nor announces the next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .fields import SEVERITIES, parse
from .model import Burst
from .overview import chosen, overview, said
from .severity import severity_of

# From here up: emerg, alert, crit.
GRAVE = 2
# A pattern with fewer letters has lost what it was about.
LETTERS = 5

_MARK = re.compile(r"<[a-z*]{1,8}>")


def news(burst: Burst) -> str:
    """The message or the pattern, as hostile as the lines; '' where no line says anything."""
    worst = burst.tally.worst
    grave = worst is not None and worst <= GRAVE
    patterns = chosen(overview(burst))
    if patterns and not grave and _letters(patterns[0].text) >= LETTERS:
        return said(patterns[0].text)
    lines = [*burst.head, *burst.tail]
    # The worst line need not be among those that are kept.
    return _telling(lines + [example for row in burst.patterns for example in row.examples] if grave else lines)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, _MARK.sub("", text)))


def _telling(lines: Sequence[str]) -> str:
    """The message of the first of the worst lines, of those that say something if there are any."""
    if not lines:
        return ""
    ranks = [_rank(line) for line in lines]
    least = min(ranks)
    worst = [line for line, rank in zip(lines, ranks, strict=True) if rank == least]
    messages = [said(parse(line).message) for line in worst]
    return next(filter(_says_something, messages), next(filter(str.strip, messages), ""))


def _rank(line: str) -> int:
    return (*SEVERITIES, "").index(severity_of(line))


def _says_something(message: str) -> bool:
    """Not if it goes on from the line before, or announces the next: "Traceback (most recent call last):"."""
    return bool(message) and not message[0].isspace() and not message.rstrip().endswith(":")
