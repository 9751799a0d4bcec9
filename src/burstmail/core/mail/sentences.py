"""Burst -> sentences. What happened, in a few plain sentences, written for somebody they wake.

All that comes from a log line is made visible and kept to one line, so that none of it can pass for another sentence.
Limits: 80 characters of a key, 200 of a path, five paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..escape import one_line
from ..fields import SEVERITIES
from ..model import Burst, CloseReason, Outage
from ..words import AT_ONCE, clock, day, duration, moment, number, offset, plural, zone_name

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

BAD = SEVERITIES[:5]
_INDENT = (" ", "\t")
# Of files that are named: enough to know where to begin.
FILES = 5
# A path must be whole to be of use; those of real logs are.
PATH = 200
# More was coming: who reads the first sentence only must know that.
_GOING_ON = (CloseReason.MAX_AGE, CloseReason.MAX_LINES, CloseReason.MAX_BYTES)
_ENDINGS = {
    CloseReason.MAX_LINES: "more was coming: this mail was cut at its limit of lines",
    CloseReason.MAX_BYTES: "more was coming: this mail was cut at its limit of size",
    CloseReason.URGENT: "more may follow: this mail was sent at once, because a line is urgent",
    CloseReason.CROWDED: "more may follow: this mail was sent early, because many other sources were busy",
    CloseReason.FLUSH: "more may follow: this mail was sent early, as asked for",
    CloseReason.END: "then the input ended",
}


def opening(burst: Burst, origin: str) -> str:
    """How much, from where, how long, and whether it still goes on."""
    ended = _ended(burst)
    if ended and not burst.count:
        return f"{ended}No lines."
    name = one_line(burst.key, 80).strip()
    key = f' (key "{name}")' if set(name.split()) - set(origin.replace(",", "").split()) else ""
    where = f" from {origin}" if origin else ""
    span = f" in {duration(burst.last - burst.first)}" if burst.last - burst.first >= AT_ONCE else ""
    more = ", and still going on" if burst.reason in _GOING_ON else ""
    return f"{ended}{'Urgent: ' * burst.urgent}{plural(burst.count, 'line')}{where}{key}{span}{more}."


def _ended(burst: Burst) -> str:
    """How what wrote the lines ended: that is the news, if there is any."""
    told = ": ".join(filter(None, (one_line(burst.ran, PATH).strip(), one_line(burst.outcome, PATH).strip())))
    return f"{told[:1].upper() if not burst.ran else told[:1]}{told[1:]}. " if told else ""


def facts(burst: Burst, zone: tzinfo | None) -> Iterator[str]:
    """When, how it ended, what kept the mail waiting, when the next may come, and by which rules it was made."""
    first, last = moment(burst.first, zone), moment(burst.last, zone)
    date = f"{day(first)} ({zone_name(first)})"
    if burst.last > burst.first:
        yield f"First line: {clock(first)}, {date}."
        yield f"Last line: {clock(last)}{_unlike(last, first)}; {_ending(burst)}."
    elif not burst.count:
        yield f"Seen: {clock(first)}, {date}."
    else:
        yield f"Received: {clock(first)}, {date}; {_ending(burst)}."
    if burst.outage:
        yield _outage(burst.outage, burst.time, zone)
    yield from _held(burst)
    # After the end nothing comes, and nothing is there to hold it.
    if burst.resume is not None and burst.resume > burst.time and burst.reason is not CloseReason.END:
        yield _pause(burst, burst.resume, zone)
    # A command names itself.
    if burst.sources and not burst.ran:
        yield f"Read from: {', '.join(_read(burst))}."
    if burst.below:
        others = f"{plural(burst.below, 'other line')} {'was' if burst.below == 1 else 'were'} not mailed"
        yield f"Below the threshold: {others}, because too few came at a time."
    if burst.route:
        yield f"Route: {one_line(burst.route, 80)}."


def _unlike(when: datetime, other: datetime) -> str:
    """The day and the zone, each where it is not the other's: when the clocks are put back, an hour comes twice."""
    date = "" if day(when) == day(other) else f", {day(when)}"
    return date if offset(when) == offset(other) else f"{date} ({zone_name(when)})"


def _read(burst: Burst) -> Iterator[str]:
    """Where to look for more, most lines first; how many of each, unless all are of one."""
    named = sorted((row for row in burst.sources if row[0]), key=lambda row: -row[1])
    if named and named[0][1] == burst.count:
        yield one_line(named[0][0], PATH)
        return
    yield from (f"{one_line(name, PATH)} ({plural(count, 'line')})" for name, count in named[:FILES])
    all_of = sum(count for _, count in burst.sources)
    if more := all_of - sum(count for _, count in named[:FILES]):
        yield f"others ({plural(more, 'line')})"
    if elsewhere := burst.count - all_of:
        yield f"elsewhere ({plural(elsewhere, 'line')})"


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
    ends, now = [moment(end, zone) for end in (outage.since, outage.until)], moment(time, zone)
    since, until = (f"{clock(end)}{_unlike(end, now)}{',' * (day(end) != day(now))}" for end in ends)
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


def _pause(burst: Burst, resume: float, zone: tzinfo | None) -> str:
    until = moment(resume, zone)
    later = _unlike(until, moment(burst.time, zone))
    # Where there are other keys, a digest of several may bring news of this one earlier.
    what = "any of these" if burst.parts else "this alone" if burst.key else "this"
    return (
        f"Next: no further mail about {what} before {clock(until)}{later}{', unless it is urgent' * burst.sooner}. "
        "Lines that come until then are held and counted, not lost."
    )


def shown(count: int, head: int, tail: int, *, cut: int = 0, hidden: int = 0) -> str:
    """How many lines the mail shows and how many it does not; the numbers always add up.

    `cut` of those shown are not there to their end, `hidden` not at all, for a redact hook failed on them.
    """
    if not count:
        return "Shown: no lines, for there are none."
    short = f" Cut short: {plural(cut, 'line')}." if cut else ""
    short += f" Hidden: {plural(hidden, 'line')}, see the note." if hidden else ""
    if head + tail == count:
        return f"Shown: {'all ' if count > 1 else ''}{plural(count, 'line')}, none left out.{short}"
    if not head + tail:
        return f"Shown: none of {plural(count, 'line')}. Left out: {number(count)}."
    some, left = number(head + tail), number(count - head - tail)
    return f"Shown: {some} of {plural(count, 'line')}: {_ends(head, tail)}. Left out: {left}.{short}"


def attached(name: str, count: int, head: int, tail: int, more: int) -> str:
    """What the attachment holds: first and last lines, and one of each of `more` patterns that these are not of."""
    if head + tail == count:
        return f"Attached: {name} has {f'all {number(count)} lines' if count > 1 else 'the 1 line in full'}."
    rest = f"; and one line of each of {plural(more, 'other pattern')}" if more else ""
    return f"Attached: {name} has {number(head + tail)} of the {plural(count, 'line')}: {_ends(head, tail)}{rest}."


def not_attached(name: str, size: int, limit: int) -> str:
    """Why there is no attachment, though lines are missing."""
    return f"Not attached: {name} would have {number(size)} bytes, the limit is {number(limit)}."


def _ends(head: int, tail: int) -> str:
    return " and ".join([f"the first {number(head)}"] * (head > 0) + [f"the last {number(tail)}"] * (tail > 0))


def further(burst: Burst) -> int:
    """Lines that go on from the one before, as their indent says: how bad it is, that one has said for them."""
    if burst.tally.count:
        # Where some say how bad they are, nobody knows how many of the others go on: they are without a severity.
        rows = (row for row in burst.patterns if not row.severity)
        return sum(row.count for row in rows if row.examples[0].startswith(_INDENT))
    return 0 if burst.elided else sum(line.startswith(_INDENT) for line in (*burst.head, *burst.tail))


def severe(severities: Sequence[tuple[str, int]], count: int, more: int = 0) -> str:
    """How bad it is, the worst first; '' where no line says so. `count` is that of all lines, `more` of the further."""
    if not severities:
        return ""
    (worst, lines), *others = severities
    if lines + more == count:
        return f"Severity: {worst}." if count == 1 else f"Severity: {worst}, all {plural(count, 'line')}."
    rest = [f"{name} {number(same)}" for name, same in others]
    # "Worst: info" would sound as if it were bad.
    label = "Worst" if worst in BAD else "Severity"
    if more:
        rest.append(f"further lines {number(more)}")
    if without := count - more - sum(lines for _, lines in severities):
        rest.append(f"no severity {number(without)}")
    return f"{label}: {worst} ({plural(lines, 'line')}); {', '.join(rest)}."


def told(notes: Sequence[str], most: int, limit: int) -> Iterator[str]:
    """What burstmail has to say about itself, which must not push the lines out of sight."""
    yield from (one_line(note, limit) for note in notes[:most])
    if more := notes[most:]:
        yield f"and {number(len(more))} more."
