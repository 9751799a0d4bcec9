"""Burst -> the patterns worth showing. Where there are many lines, what they say by how often it came.

Shown where patterns say more than the lines do: most of more than 20 lines come three times or more. The lines of a
stack trace are alike too, and yet say more by themselves. The worst that happened is shown however rare it was.
Limits: 12 patterns, as many as a telephone shows; 160 characters of a text, 200 of an example.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..escape import one_line
from ..fields import SEVERITIES, parse
from ..model import Burst
from ..patterns.tally import Pattern
from ..severity import told
from ..words import clock, day, moment, number

if TYPE_CHECKING:
    from datetime import tzinfo

# So few lines are read faster than any overview of them.
FEW = 20
OFTEN = 3
MOST = 12
TEXT = 160
EXAMPLE = 200
# Of these so many for what is rare: less than a tenth of the most frequent, or crit and worse, which may take more.
SELDOM = 4
GRAVEST = 6
RARE = 10
# A burst so short, in seconds, has one time; and what came in all but a twentieth of it came all the time.
BRIEF = 1.0
THROUGHOUT = 0.05
_RANK = {name: place for place, name in enumerate((*SEVERITIES, ""))}
# What is no worse than this may be left to the counts.
_HARMLESS = _RANK["notice"]
_GRAVE = _RANK["crit"]
# The kernel's own clock, in front of each of its messages, as it is and in a pattern.
_CLOCK = re.compile(r"\[ *(?:[0-9]{1,9}\.[0-9]{6}|<n>)\] ?")
_NOUNS = {"address": "addresses", "name": "names"}


def overview(burst: Burst) -> list[Pattern]:
    """All patterns of the burst, or none where its lines say as much."""
    if burst.count <= FEW:
        return []
    patterns = burst.patterns
    often = sum(pattern.count for pattern in patterns if pattern.count >= OFTEN)
    if burst.elided:
        # Whatever else there was, and however much of it: what came often is not lost in it.
        return patterns if often else []
    return [] if 2 * often < burst.count or _traced((*burst.head, *burst.tail)) else patterns


def _traced(lines: Sequence[str]) -> bool:
    """Whether most of them go on from the line before."""
    return 2 * sum(said(parse(line).message)[:1].isspace() for line in lines) > len(lines)


def said(message: str) -> str:
    """The message without the kernel's clock."""
    found = _CLOCK.match(message)
    return message[found.end() :] if found else message


def chosen(patterns: Sequence[Pattern]) -> list[Pattern]:
    """The most frequent, as many as there is room for beside the seldom ones."""
    rare = seldom(patterns)
    return [pattern for pattern in _ordered(patterns) if pattern not in rare][: MOST - len(rare)]


def seldom(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Of those that are not among the most frequent: what is grave, what is worse than all others, and the rarest."""
    ordered = _ordered(patterns)
    if len(ordered) <= MOST:
        return []
    grave = sum(_rank(pattern) <= _GRAVE for pattern in ordered[MOST - GRAVEST :])
    places = min(max(SELDOM, grave), GRAVEST)
    first, rest = ordered[: MOST - places], ordered[MOST - places :]
    worst = min(_HARMLESS, *map(_rank, first))
    found = [row for row in rest if _rank(row) <= _GRAVE or _rank(row) < worst or row.count * RARE <= first[0].count]
    says: Counter[str] = Counter()
    for row in patterns:
        says[row.program] += row.count
    # What is grave, and what is the worst, goes before what is only rare; and of that, who hardly ever says anything.
    found.sort(key=lambda row: (_claim(row, worst), row.count, says[row.program], _rank(row)))
    return sorted(found[:places], key=lambda row: (_rank(row), row.count))


def _claim(pattern: Pattern, worst: int) -> int:
    rank = _rank(pattern)
    return -1 if rank <= _GRAVE else min(rank, worst)


def _ordered(patterns: Sequence[Pattern]) -> list[Pattern]:
    # Of equally frequent ones the worse is the news.
    return sorted(patterns, key=lambda pattern: (-pattern.count, _rank(pattern)))


def _rank(pattern: Pattern) -> int:
    return _RANK[pattern.severity]


def fit(pattern: Pattern, seen: Collection[str] = (), *, hosts: bool = False) -> Pattern:
    """The pattern, fit to be shown; its example only where none of the lines in the mail is one.

    Where there are several hosts, its program is told with the host of its lines, if they are known to be of one.
    """
    example = pattern.examples[0]
    message, host = parse(example).message, parse(example).host
    # The examples of no more than two lines are these lines.
    if not hosts or pattern.count > 2 or parse(pattern.examples[-1]).host != host:
        host = ""
    # What came once is told as it came, and what has no variable parts as well.
    text = message if pattern.count == 1 else pattern.text
    known = " ".join(message.split()) == " ".join(text.split()) or example in seen
    return replace(
        pattern,
        text=one_line(said(text), TEXT).strip(),
        program=one_line(f"{host} {pattern.program}", 60).strip(),
        examples=() if known else (one_line(told(example)[1], EXAMPLE),),
    )


def about(pattern: Pattern, burst: Burst, zone: tzinfo | None) -> Iterator[str]:
    """How many different values, and when if not all the time: "203 addresses", "10:00:01 to 10:00:59"."""
    # One value in all lines is no variety.
    if pattern.noun and (pattern.values > 1 or pattern.more):
        yield f"{number(pattern.values)}{' or more' if pattern.more else ''} {_NOUNS.get(pattern.noun, pattern.noun)}"
    span = burst.last - burst.first
    if span <= BRIEF or max(pattern.first - burst.first, burst.last - pattern.last) <= span * THROUGHOUT:
        return
    first, last = moment(pattern.first, zone), moment(pattern.last, zone)
    later = "" if day(first) == day(last) else f", {day(last)}"
    yield clock(first) if last <= first else f"{clock(first)} to {clock(last)}{later}"
