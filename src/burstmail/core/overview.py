"""Burst -> the patterns worth showing. Where there are many lines, what they say by how often it came.

Shown where patterns say more than the lines do: most of more than 20 lines come three times or more. The lines of a
stack trace are alike too, and yet say more by themselves. The worst that happened is shown however rare it was.
Limits: 12 patterns, as many as a telephone shows; 160 characters of a text, 200 of an example.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .escape import one_line
from .fields import SEVERITIES, parse
from .model import Burst
from .patterns import Pattern
from .severity import told
from .words import clock, day, moment, number

if TYPE_CHECKING:
    from datetime import tzinfo

# So few lines are read faster than any overview of them.
FEW = 20
OFTEN = 3
MOST = 12
TEXT = 160
EXAMPLE = 200
# The bytes that a Pattern keeps of a line.
_KEPT = 1024
_RANK = {name: place for place, name in enumerate((*SEVERITIES, ""))}
# What is no worse than this may be left to the counts.
_HARMLESS = _RANK["notice"]
# The kernel's own clock, in front of each of its messages, as it is and in a pattern.
_CLOCK = re.compile(r"\[ *(?:[0-9]{1,9}\.[0-9]{6}|<n>)\] ?")
_NOUNS = {"address": "addresses", "name": "names"}


def overview(burst: Burst) -> list[Pattern]:
    """All patterns of the burst, or none where its lines say as much."""
    if burst.count <= FEW:
        return []
    patterns = burst.patterns
    if 2 * sum(pattern.count for pattern in patterns if pattern.count >= OFTEN) < burst.count:
        return []
    return [] if not burst.elided and _traced((*burst.head, *burst.tail)) else patterns


def _traced(lines: Sequence[str]) -> bool:
    """Whether most of them go on from the line before."""
    return 2 * sum(said(parse(line).message)[:1].isspace() for line in lines) > len(lines)


def said(message: str) -> str:
    """The message without the kernel's clock."""
    found = _CLOCK.match(message)
    return message[found.end() :] if found else message


def chosen(patterns: Sequence[Pattern]) -> list[Pattern]:
    """The most frequent; and, in the last one's place, what is worse than any of them."""
    # Of equally frequent ones the worse is the news.
    first = sorted(patterns, key=lambda pattern: (-pattern.count, _rank(pattern)))[:MOST]
    worst = min(patterns, key=_rank, default=None)
    if worst and _rank(worst) < min(_HARMLESS, *map(_rank, first)):
        first[-1] = worst
    return first


def _rank(pattern: Pattern) -> int:
    return _RANK[pattern.severity]


def fit(pattern: Pattern, seen: Collection[str] = ()) -> Pattern:
    """The pattern, fit to be shown; its example only where none of the lines in the mail is one."""
    example = pattern.examples[0]
    message = parse(example).message
    # What came once is told as it came, and what has no variable parts as well.
    text = message if pattern.count == 1 else pattern.text
    known = " ".join(message.split()) == " ".join(text.split()) or example in seen
    return replace(
        pattern,
        text=one_line(said(text), TEXT).strip(),
        program=one_line(pattern.program, 60),
        examples=() if known else (one_line(told(example)[1], EXAMPLE),),
    )


def seen(lines: Sequence[str]) -> set[str]:
    """The lines as the examples of patterns are kept."""
    return {line.encode("utf-8", "backslashreplace")[:_KEPT].decode("utf-8", "ignore") for line in lines}


def about(pattern: Pattern, zone: tzinfo | None) -> Iterator[str]:
    """How many different values, and when: "203 addresses", "10:00:01 to 10:00:59"."""
    if pattern.noun and pattern.values == 1 and not pattern.more:
        yield f"1 {pattern.noun}"
    elif pattern.noun:
        yield f"{number(pattern.values)}{' or more' if pattern.more else ''} {_NOUNS[pattern.noun]}"
    first, last = moment(pattern.first, zone), moment(pattern.last, zone)
    later = "" if day(first) == day(last) else f", {day(last)}"
    yield clock(first) if last <= first else f"{clock(first)} to {clock(last)}{later}"
