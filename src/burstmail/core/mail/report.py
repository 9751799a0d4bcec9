"""Burst -> Report. What a mail says, in the order of its importance, and fit to be shown; how it looks is not decided.

Everything in a Report is visible (core/escape.py) and one line; all its numbers add up: shown + left out = all lines,
the lines in the patterns + those in others = all lines. Text, HTML and templates only lay it out.
Limits: core/mail/room.py's, so that the mail stays below 100,000 bytes; 12 patterns, 20 sources, 5 notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..escape import one_line
from ..fields import SEVERITIES, parse
from ..model import Burst
from ..patterns.tally import Pattern
from ..severity import severity_of
from ..timeline import Timeline
from ..words import plural
from .attachment import NAME, attachment, seen
from .news import news
from .overview import FEW, TEXT, chosen, fit, overview, seldom
from .room import Room, presented
from .sentences import attached, facts, further, not_attached, opening, severe, shown, told
from .subject import Names, named

if TYPE_CHECKING:
    from datetime import tzinfo

# Bytes for all that differs from mail to mail, so that with the rest of it (headers, the frame of the page, the bars of
# the timeline) the mail stays below 100,000; and what of them is always left for lines.
ROOM = 80_000
LINES = 50_000
# More rows than a telephone shows at once are no overview any more.
SOURCES = 20
# What burstmail has to say about itself must not push the lines out of sight.
NOTES = 5
NOTE = 500
# Lines and seconds below which a timeline is no picture of anything.
CURVE = 10
# How a line begins that core/mail/redact.py has hidden.
_HIDDEN = "[not shown: the redact hook "
# What stands around a pattern in HTML.
_ROW = "x" * 700


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a mail tells of a burst: what the text, the HTML and a template of your own are made from.

    Attributes:
        burst: the burst itself, redacted. Its lines are as hostile as they came: show `head` and `tail` instead.
        names: whose lines they are: what, origin, host, program.
        opening: the first sentence: "412 lines from web1 sshd in 38 s, and still going on.".
        facts: sentences: first and last line, what has kept the mail waiting, when the next may come, what is shown.
        sources: for a digest: (name, lines) of each source, most lines first; beyond 20, the rest together.
        severities: (severity, lines), the worst first: 'emerg' to 'debug'. A line without one is in none.
        news: the message to know the burst by, of up to 160 characters; '' where the reader meets it at once anyway.
        timeline: all lines by time; empty where there is nothing to draw.
        patterns: the most frequent, up to 12; () where the lines say as much. Examples only of what no line in the mail
            shows.
        seldom: what is behind them, up to 6: what is grave, else up to 4 of the rarest.
        more_patterns: patterns that are not shown.
        other: lines that are in none of the patterns shown.
        head: the first lines, as shown: escaped, the severity in front, what is longer than 2,000 characters cut.
        tail: the last lines, as shown.
        left_out: lines between them that are not shown.
        attachment: the name of the attached file with the text that was kept: 'burst.log.gz', or ''.
        attached: what it holds, in a sentence; or why there is none, though lines are missing.
        log: the attached file.
        notes: sentences about burstmail itself: what it could not do, and what it did instead.
        signature: the last line of the mail: which version, on which host.
        zone: the time zone of all dates; None is the machine's own.
    """

    burst: Burst = field(repr=False)
    names: Names
    opening: str
    facts: tuple[str, ...]
    sources: tuple[tuple[str, int], ...] = ()
    severities: tuple[tuple[str, int], ...] = ()
    news: str = ""
    timeline: Timeline = field(default_factory=Timeline)
    patterns: tuple[Pattern, ...] = ()
    seldom: tuple[Pattern, ...] = ()
    more_patterns: int = 0
    other: int = 0
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    left_out: int = 0
    attachment: str = ""
    attached: str = ""
    log: bytes = field(default=b"", repr=False)
    notes: tuple[str, ...] = ()
    signature: str = ""
    zone: tzinfo | None = None

    @property
    def severity(self) -> str:
        """The worst syslog severity: 'emerg' to 'debug', '' where no line has one."""
        return self.severities[0][0] if self.severities else ""

    @property
    def severe(self) -> str:
        """The severities in a sentence: "Worst: crit (2 lines); err 14."; '' where no line has one."""
        return severe(self.severities, self.burst.count, further(self.burst))

    @classmethod
    def of(
        cls,
        burst: Burst,
        *,
        notes: Iterable[str] = (),
        signature: str = "",
        zone: tzinfo | None = None,
        attach: int = 0,
        html: bool = True,
        hidden: bool = False,
        room: int = ROOM,
    ) -> Report:
        """The report of a burst.

        Args:
            burst: what to report; redacted already, if it is to be.
            notes: sentences about burstmail to be told behind those of the burst.
            signature: the last line of the mail.
            zone: the time zone of all dates; None is the machine's own.
            attach: the largest attachment in bytes; 0 is none.
            html: whether what is shown has to fit into an HTML view too.
            hidden: whether a redact hook has failed: lines that are not shown for it are counted.
            room: bytes on the wire for all that differs from mail to mail, in all views together.
        """
        names = named(burst)
        report = cls(
            burst=burst,
            names=names,
            opening=opening(burst, names.origin),
            facts=tuple(facts(burst, zone)),
            sources=tuple(_sources(burst)),
            severities=tuple(_severities(burst)),
            timeline=burst.timeline if _drawn(burst) else Timeline(),
            notes=tuple(told((*burst.notes, *notes), NOTES, NOTE)),
            signature=signature,
            zone=zone,
        )
        return _filled(report, Room(room, html=html), attach, hidden=hidden)


def _sources(burst: Burst) -> Iterable[tuple[str, int]]:
    """A digest's: most lines first, what has no name of its own last."""
    named = sorted((part for part in burst.parts if part[0]), key=lambda part: -part[1])
    yield from ((one_line(key, 60), count) for key, count in named[:SOURCES])
    if more := named[SOURCES:]:
        yield f"({plural(len(more), 'other source')})", sum(count for _, count in more)
    yield from (("(everything else)", count) for key, count in burst.parts if not key)


def _severities(burst: Burst) -> Iterable[tuple[str, int]]:
    """Of all lines; where they have not been counted, of those that are there, if nothing is missing."""
    counts = {SEVERITIES[number]: count for number, count in burst.tally.severities.items()}
    if not burst.tally.count and not burst.elided:
        found = [severity_of(line) for line in (*burst.head, *burst.tail)]
        counts = {name: found.count(name) for name in SEVERITIES}
    return ((name, counts[name]) for name in SEVERITIES if counts.get(name))


def _drawn(burst: Burst) -> bool:
    """Whether a timeline tells more than the first and the last time: a few lines or seconds are no curve."""
    return len(burst.timeline.counts) > 1 and burst.count >= CURVE and burst.last - burst.first >= CURVE


def _filled(report: Report, room: Room, attach: int, *, hidden: bool) -> Report:
    """With the patterns, and as many lines as there is room for."""
    burst = report.burst
    for text in (report.opening, *report.facts, *report.notes, *(name for name, _ in report.sources)):
        room.add(text)
    found = overview(burst)
    rare, common = seldom(found), chosen(found)
    report = replace(report, news=_news(burst, common, room))
    # Above all, there must be room for what is seen nowhere else.
    rare, common = ([row for row in rows if room.left > LINES and _added(room, fit(row))] for rows in (rare, common))
    lines, texts, cuts, front, last = _fitting(burst, room)
    hosts = len({parse(line).host for line in lines}) > 1
    kept = seen([*lines[:front], *lines[last:]])
    report = replace(
        report,
        patterns=tuple(fit(row, kept, hosts=hosts) for row in common),
        seldom=tuple(fit(row, kept, hosts=hosts) for row in rare),
        more_patterns=len(found) - len(common) - len(rare),
        other=burst.count - sum(row.count for row in (*common, *rare)),
        head=texts[:front],
        tail=texts[last:],
        left_out=burst.count - front - (len(lines) - last),
    )
    lost = sum(line.startswith(_HIDDEN) for line in (*report.head, *report.tail)) if hidden else 0
    return _told(report, attach, cut=sum(cuts[:front] + cuts[last:]), hidden=lost)


def _fitting(burst: Burst, room: Room) -> tuple[list[str], tuple[str, ...], tuple[bool, ...], int, int]:
    """The lines, as they are shown, which of them are cut; how many are shown in front, and from where on behind."""
    lines, middle = [*burst.head, *burst.tail], len(burst.head)
    if not burst.elided:
        middle = -(-len(lines) // 2)
    made = [presented(line, room.longest) for line in lines]
    texts, cuts = tuple(text for text, _ in made), tuple(cut for _, cut in made)
    front, back = (len(end) for end in room.fitting(texts[:middle], texts[middle:]))
    if front + back == burst.count:
        front, back = burst.count, 0
    return lines, texts, cuts, front, len(lines) - back


def _news(burst: Burst, patterns: Sequence[Pattern], room: Room) -> str:
    """Few lines are read at once, and so is the first pattern or line: what they tell need not be told twice."""
    message = news(burst).message if burst.count > FEW or burst.urgent else ""
    if (patterns[0].text if patterns else "".join(burst.head[:1])).endswith(message):
        return ""
    room.add(text := one_line(message, TEXT).strip(), _ROW)
    return text


def _added(room: Room, row: Pattern) -> bool:
    return room.add("".join((row.program, row.text, *row.examples)), _ROW)


def _told(report: Report, attach: int, *, cut: int, hidden: int) -> Report:
    """With what of the lines is shown, and what is attached."""
    burst, head, tail = report.burst, len(report.head), len(report.tail)
    report = replace(report, facts=(*report.facts, shown(burst.count, head, tail, cut=cut, hidden=hidden)))
    if not attach or not (cut or report.left_out):
        return report
    made = attachment(burst.excerpt, attach, burst.patterns)
    if not made.data:
        return replace(report, attached=not_attached(NAME, made.size, attach))
    if not cut and made.head + made.tail <= head + tail and not made.more:
        return report
    sentence = attached(NAME, burst.count, made.head, made.tail, made.more)
    return replace(report, attachment=NAME, attached=sentence, log=made.data)
