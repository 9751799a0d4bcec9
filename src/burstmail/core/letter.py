"""Burst -> the text of its mail: what happened, in a few plain sentences; then the lines.

Written for somebody it wakes. The numbers always add up: shown + left out = all.
Every log line, and every name that comes from one, is made visible and indented, so that no line can pass itself off
as one of our sentences. Limits: the lines the burst kept; a digest names 20 sources and adds up the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .escape import one_line, visible
from .fields import SEVERITIES
from .model import Burst, CloseReason, Outage
from .words import AT_ONCE, clock, day, duration, moment, number, plural, zone_name

if TYPE_CHECKING:
    from datetime import tzinfo

INDENT = "  "
# More rows than a telephone shows at once are no overview any more.
SOURCES = 20
# What burstmail has to say about itself must not push the lines out of sight.
NOTES = 5
NOTE = 500
# The longest severity, so that the text of all lines starts in one column.
WIDTH = max(map(len, SEVERITIES))

# RFC 3164 section 4.1.1: facility * 8 + severity, from 0 to 191.
_PRI = re.compile(r"<(1[0-8][0-9]|19[01]|[1-9]?[0-9])>")

_ENDINGS = {
    CloseReason.MAX_LINES: "more was coming: this mail was cut at its limit of lines",
    CloseReason.MAX_BYTES: "more was coming: this mail was cut at its limit of size",
    CloseReason.CROWDED: "more may follow: this mail was sent early, because many other sources were busy",
    CloseReason.FLUSH: "more may follow: this mail was sent early, as asked for",
    CloseReason.END: "then the input ended",
}


def letter(burst: Burst, origin: str, zone: tzinfo | None, signature: str) -> str:
    """The whole text; every line of it ends with a newline."""
    lines = [
        _opening(burst, origin),
        "",
        *_facts(burst, zone),
        "",
        *_sources(burst),
        *_body(burst),
        "",
        "-- ",
        signature,
    ]
    return "".join(line + "\n" for line in lines)


def _opening(burst: Burst, origin: str) -> str:
    name = one_line(burst.key, 80).strip()
    key = f' (key "{name}")' if set(name.split()) - set(origin.replace(",", "").split()) else ""
    where = f" from {origin}" if origin else ""
    span = f" in {duration(burst.last - burst.first)}" if burst.last - burst.first >= AT_ONCE else ""
    return f"{plural(burst.count, 'line')}{where}{key}{span}."


def _facts(burst: Burst, zone: tzinfo | None) -> Iterator[str]:
    first, last = moment(burst.first, zone), moment(burst.last, zone)
    date = f"{day(first)} ({zone_name(first)})"
    if burst.last > burst.first:
        yield f"First line: {clock(first)}, {date}."
        later = "" if day(last) == day(first) else f", {day(last)}"
        yield f"Last line: {clock(last)}{later}; {_ending(burst)}."
    else:
        yield f"Received: {clock(first)}, {date}; {_ending(burst)}."
    if burst.outage:
        yield _outage(burst.outage, burst.time, zone)
    yield from _held(burst)
    yield _shown(burst)
    # After the end nothing comes, and nothing is there to hold it.
    if burst.resume is not None and burst.resume > burst.time and burst.reason is not CloseReason.END:
        yield _pause(burst, burst.resume, zone)
    yield from (f"Note: {one_line(note, NOTE)}" for note in burst.notes[:NOTES])
    if more := burst.notes[NOTES:]:
        yield f"Note: and {number(len(more))} more."


def _ending(burst: Burst) -> str:
    if burst.reason is CloseReason.GAP:
        return f"then it was quiet for {duration(burst.closed - burst.last)}"
    if burst.reason is CloseReason.MAX_AGE:
        # The age of the last of several folded bursts is not known here.
        age = f" after {duration(burst.closed - burst.first)}" if burst.bursts == 1 else ""
        return f"it was still going on when this mail was cut{age}"
    return _ENDINGS[burst.reason]


def _outage(outage: Outage, time: float, zone: tzinfo | None) -> str:
    """Both ends are told with the day where it is not that of the mail: an outage is often older than its news."""
    ends = [moment(end, zone) for end in (outage.since, outage.until)]
    today = day(moment(time, zone))
    since, until = (clock(end) if day(end) == today else f"{clock(end)}, {day(end)}," for end in ends)
    late = f"{plural(outage.mails, 'mail')} {'was' if outage.mails == 1 else 'were'} late for it"
    long = duration(outage.until - outage.since)
    return f"Delivery was down from {since} to {until} ({long}): {late if outage.mails else 'no mail was late for it'}."


def _held(burst: Burst) -> Iterator[str]:
    wait = f"held back for {duration(burst.waited)}, {_why(burst)}"
    if burst.bursts > 1:
        yield f"Put together: {number(burst.bursts)} bursts, the first {wait}."
    elif burst.waited >= 1:
        yield f"Late: {wait}."


def _why(burst: Burst) -> str:
    """Why it was held: for the caps, or since mails before it could not leave, or partly so."""
    if burst.paused < 1:
        return "to keep mails few"
    before = "because mails before it had not been delivered"
    return before if burst.waited - burst.paused < 1 else f"{duration(burst.paused)} of it {before}"


def _shown(burst: Burst) -> str:
    head, tail = len(burst.head), len(burst.tail)
    if not burst.elided:
        return f"Shown: {'all ' if burst.count > 1 else ''}{plural(burst.count, 'line')}, none left out."
    ends = " and ".join([f"the first {number(head)}"] * (head > 0) + [f"the last {number(tail)}"] * (tail > 0))
    return f"Shown: {number(head + tail)} of {plural(burst.count, 'line')}: {ends}. Left out: {number(burst.elided)}."


def _pause(burst: Burst, resume: float, zone: tzinfo | None) -> str:
    until, now = moment(resume, zone), moment(burst.time, zone)
    later = "" if day(until) == day(now) else f", {day(until)}"
    # Where there are other keys, a digest of several may bring news of this one earlier.
    what = "any of these" if burst.parts else "this alone" if burst.key else "this"
    return (
        f"Next: no further mail about {what} before {clock(until)}{later}. "
        "Lines that come until then are held and counted, not lost."
    )


def _sources(burst: Burst) -> Iterator[str]:
    """The table of a digest: most lines first, what has no name of its own last."""
    if not burst.parts:
        return
    named = sorted((part for part in burst.parts if part[0]), key=lambda part: -part[1])
    rows = [(one_line(key, 60), count) for key, count in named[:SOURCES]]
    if more := named[SOURCES:]:
        rows.append((f"({plural(len(more), 'other source')})", sum(count for _, count in more)))
    rows += [("(everything else)", count) for key, count in burst.parts if not key]
    width = max(len(number(count)) for _, count in rows)
    yield "Lines from each source:"
    yield from (f"{INDENT}{number(count):>{width}}  {name}" for name, count in rows)
    yield ""


def _body(burst: Burst) -> Iterator[str]:
    yield from map(_line, burst.head)
    if burst.elided:
        yield f"[{plural(burst.elided, 'line')} left out here]"
    yield from map(_line, burst.tail)


def _line(line: str) -> str:
    if found := _PRI.match(line):
        line = f"{SEVERITIES[int(found[1]) % 8]:{WIDTH}} {line[found.end() :]}"
    return INDENT + visible(line)
