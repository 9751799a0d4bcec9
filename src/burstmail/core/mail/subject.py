"""Burst -> the subject of its mail, from a template with documented fields.

Everything that can come from a log line is made visible and kept to one line. What an empty field leaves beside it
(`: `, ` - `) is taken away. Limits: a subject has at most 150 characters, a name in it 40, a message 60.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..escape import one_line
from ..fields import SEVERITIES, parse
from ..model import Burst, CloseReason
from ..words import AT_ONCE, clock, duration, moment, number, plural
from .news import news

if TYPE_CHECKING:
    from datetime import tzinfo

DEFAULT = "[burstmail] {mark}: {what}: {summary}: {top}"
# What a list of mails shows of one, on a wide screen.
LONGEST = 150
# A name longer than this is no name: the subject must keep room for the count.
NAME = 40
# Enough of a message to know it by.
TOP = 60
# From here up the severity itself is the news: emerg, alert, crit.
GRAVE = 2
# What only parts two fields.
SEPARATORS = " :,;|/-"
# More was coming when the window closed.
_CUT = (CloseReason.MAX_AGE, CloseReason.MAX_LINES, CloseReason.MAX_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a burst is about, as far as its kept lines tell."""

    what: str
    """For a subject: "web1 +2 sshd", "7 sources", the key, the file ("app.log"), or "log"."""
    origin: str
    """For a sentence: "web1 and 2 other hosts, sshd", "7 sources", the key, the file ("app.log"), or ''."""
    host: str
    """The most frequent one, and how many others there are."""
    program: str
    """The most frequent one, and how many others there are."""


Field: TypeAlias = "Callable[[Burst, Names, tzinfo | None], str]"


class Subject:
    """A checked template. `{field}` and nothing more: no attributes, indexes, conversions or formats.

    Fields: what ("web1 sshd", "7 sources", the key, the file, or "log"), host, program, key, count ("412"), lines
    ("412 lines"), duration ("38 s"), bursts ("12"), summary ("412 lines in 38 s"), top (the most frequent pattern, or
    the message where there is one only), severity (the worst: "err"), mark ("crit" or worse, "urgent", "held",
    "folded", "digest", "ongoing"), reason ("gap"), first and last ("10:00:38").
    Raises ValueError for any other field, and for an empty template.
    """

    def __init__(self, template: str) -> None:
        from string import Formatter

        try:
            parts = list(Formatter().parse(template))
        except ValueError as error:
            raise ValueError(f"subject {template!r}: {error}; a literal brace is written twice") from None
        self._pieces: list[tuple[str, Field | None]] = []
        for text, field, form, conversion in parts:
            if form or conversion:
                raise ValueError(f"subject {template!r}: write {{{field}}} alone, without a format or conversion")
            self._pieces.append((text, None if field is None else _field(field, template)))
        if not template.strip():
            raise ValueError("subject: it is empty; leave it out for the default")

    def of(self, burst: Burst, names: Names, zone: tzinfo | None) -> str:
        """The subject: one line, visible characters only."""
        filled = ""
        gap = False
        for text, field in self._pieces:
            # What stands between two fields is there once, whichever of them are empty.
            filled += text.lstrip(SEPARATORS) if gap else text
            value = field(burst, names, zone) if field else ""
            gap = field is not None and not value
            filled += value
        return one_line(filled.rstrip(SEPARATORS) if gap else filled, LONGEST).strip()


def _field(name: str, template: str) -> Field:
    if name not in FIELDS:
        known = " ".join(f"{{{known}}}" for known in FIELDS)
        raise ValueError(f"subject {template!r}: {{{name}}} is no field; there are {known}")
    return FIELDS[name]


def named(burst: Burst) -> Names:
    """The names in the kept lines."""
    if burst.parts:
        what = sources(burst)
        return Names(what=what, origin=what, host=what, program=what)
    found = [parse(line) for line in (*burst.head, *burst.tail)]
    host, other_hosts = _most(Counter(fields.host for fields in found))
    program, other_programs = _most(_programs(burst) or Counter(fields.program for fields in found))
    short = [_and(host, other_hosts), _and(program, other_programs)]
    long = [_and(host, other_hosts, "host"), _and(program, other_programs, "program")]
    # Where one line is the news, a subject says whose it is, and not who talks most.
    told = news(burst)
    first = [one_line(told.host, NAME) or host, one_line(told.program, NAME) or program]
    here = [_and(first[0], other_hosts), _and(first[1], other_programs)]
    return Names(
        what=" ".join(filter(None, here)) or keyed(burst) or read(burst) or "log",
        origin=(", " if other_hosts else " ").join(filter(None, long)) or keyed(burst) or read(burst, "source"),
        host=short[0] or "unknown",
        program=short[1] or "unknown",
    )


def whose(burst: Burst) -> tuple[str, str]:
    """The host and the program that most of the kept lines are from; '' where no line says."""
    found = [parse(line) for line in (*burst.head, *burst.tail)]
    return _most(Counter(fields.host for fields in found))[0], _most(Counter(fields.program for fields in found))[0]


def grave(burst: Burst) -> bool:
    """Whether there is a line so bad that its mail must not be overlooked among others: crit or worse."""
    worst = burst.tally.worst
    return worst is not None and worst <= GRAVE


def _programs(burst: Burst) -> Counter[str]:
    """Lines by program, where not all of them are there to be looked at; none if they have not been counted."""
    counts: Counter[str] = Counter()
    for pattern in burst.patterns if burst.elided else ():
        counts[pattern.program] += pattern.count
    return counts


def _most(counts: Counter[str]) -> tuple[str, int]:
    """The most frequent name (of several the first), and how many others there are."""
    names = [(name, count) for name, count in counts.most_common() if name]
    return (one_line(names[0][0], NAME), len(names) - 1) if names else ("", 0)


def _and(name: str, others: int, noun: str = "") -> str:
    if not others:
        return name
    return f"{name} and {plural(others, f'other {noun}')}" if noun else f"{name} +{number(others)}"


def keyed(burst: Burst) -> str:
    """The key, fit to be shown."""
    return one_line(burst.key, 2 * NAME).strip()


def read(burst: Burst, noun: str = "") -> str:
    """What most lines were read from, by the last part of its path, and how many others there are; '' if unknown."""
    named = sorted((row for row in burst.sources if row[0]), key=lambda row: -row[1])
    if len(named) < len(burst.sources):
        return f"{number(max(1, len(named)))}+ sources"
    if not named:
        return ""
    path = named[0][0]
    elsewhere = sum(count for _, count in named) < burst.count
    return _and(one_line(path.rpartition("/")[2] or path, NAME), len(named) - 1 + elsewhere, noun)


def sources(burst: Burst) -> str:
    """How many keys a digest is about: "7 sources"; "50+ sources" when it has lost count."""
    known = sum(1 for key, _ in burst.parts if key)
    return plural(known, "source") if known == len(burst.parts) else f"{number(max(1, known))}+ sources"


def summary(burst: Burst) -> str:
    """How many lines in what time: "412 lines in 38 s", "4,312 lines in 12 bursts, 14 min"."""
    span = burst.last - burst.first
    if outcome := one_line(burst.outcome, TOP).strip():
        return ", ".join([outcome] + [_lines(burst, 0.0)] * (burst.count > 0))
    return _lines(burst, span)


def _lines(burst: Burst, span: float) -> str:
    words = plural(burst.count, "line")
    if burst.bursts > 1:
        words += f" in {plural(burst.bursts, 'burst')}"
        return f"{words}, {duration(span)}" if span >= AT_ONCE else words
    return f"{words} in {duration(span)}" if span >= AT_ONCE else words


def severity(burst: Burst) -> str:
    """The worst one, by its name; '' if no line says one."""
    worst = burst.tally.worst
    return "" if worst is None else SEVERITIES[worst]


def mark(burst: Burst) -> str:
    """What sets this mail apart from others: that it is grave or urgent, was held back, or that more was coming."""
    marks = [severity(burst)] if grave(burst) else ["urgent"] * burst.urgent
    if burst.parts:
        marks.append("digest")
    elif burst.bursts > 1:
        marks.append("folded")
    elif burst.waited >= 1:
        marks.append("held")
    if burst.reason in _CUT and burst.bursts == 1:
        marks.append("ongoing")
    return ", ".join(marks)


FIELDS: dict[str, Field] = {
    "what": lambda burst, names, zone: names.what,
    "host": lambda burst, names, zone: names.host,
    "program": lambda burst, names, zone: names.program,
    "key": lambda burst, names, zone: sources(burst) if burst.parts else keyed(burst) or "log",
    "count": lambda burst, names, zone: number(burst.count),
    "lines": lambda burst, names, zone: plural(burst.count, "line"),
    "duration": lambda burst, names, zone: duration(burst.last - burst.first),
    "bursts": lambda burst, names, zone: number(burst.bursts),
    "summary": lambda burst, names, zone: summary(burst),
    "top": lambda burst, names, zone: one_line(" ".join(filter(None, news(burst).message.split(" "))), TOP).strip(),
    "severity": lambda burst, names, zone: severity(burst),
    "mark": lambda burst, names, zone: mark(burst),
    "reason": lambda burst, names, zone: burst.reason.value,
    "first": lambda burst, names, zone: clock(moment(burst.first, zone)),
    "last": lambda burst, names, zone: clock(moment(burst.last, zone)),
}
