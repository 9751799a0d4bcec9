"""Report -> the text of its mail. In plain sentences, written for somebody it wakes; then the lines.

It reads well in 80 columns and in 40: no table is wider than a count, a name and what stands under it. All that comes
from a line is indented, so that no line can pass itself off as one of our sentences. Limits: those of the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..patterns.tally import Pattern
from ..words import clock, duration, moment, number, plural
from .overview import about

if TYPE_CHECKING:
    from .report import Report

INDENT = "  "
COLUMNS = 78
# A telephone held upright has 40 columns.
BARS = 36
_BLOCKS = "▁▂▃▄▅▆▇█"


def letter(report: Report) -> str:
    """The whole text; every line of it ends with a newline."""
    parts = blocks(report)
    top = [parts["opening"], parts["severity"]]
    facts = [parts["facts"], parts["attachment"], parts["notes"]]
    sections = [top, [parts["timeline"]], facts, [parts["patterns"]], [parts["sources"]], [parts["lines"]]]
    text = "\n".join("".join(f"{part}\n" for part in section if part) for section in sections if any(section))
    return f"{text}\n-- \n{report.signature}\n"


def blocks(report: Report) -> dict[str, str]:
    """The parts of the text by name, '' where there is nothing to say; without a newline at the end.

    opening, severity, timeline, facts, attachment, notes, sources, patterns, lines (of these: head, gap, tail),
    left_out (a number) and signature.
    """
    head, tail = ("\n".join(INDENT + line for line in lines) for lines in (report.head, report.tail))
    gap = f"[{plural(report.left_out, 'line')} left out here]" if report.left_out else ""
    return {
        "opening": report.opening,
        "severity": "\n".join(filter(None, (report.severe, report.news and INDENT + report.news))),
        "timeline": "\n".join(_timeline(report)),
        "facts": "\n".join(report.facts),
        "attachment": report.attached,
        "notes": "\n".join(f"Note: {note}" for note in report.notes),
        "sources": "\n".join(_sources(report)),
        "patterns": "\n".join(_patterns(report)),
        "lines": "\n".join(filter(None, (head, gap, tail))),
        "head": head,
        "gap": gap,
        "tail": tail,
        "left_out": number(report.left_out),
        "signature": report.signature,
    }


def _timeline(report: Report) -> Iterator[str]:
    counts, width = list(report.timeline.counts), report.timeline.width
    while len(counts) > BARS:
        counts, width = [sum(counts[at : at + 2]) for at in range(0, len(counts), 2)], 2 * width
    if counts:
        yield INDENT + "".join(bar(count, max(counts)) for count in counts)
        yield INDENT + scale(report, max(counts), width)


def bar(count: int, most: int) -> str:
    """The block for so many lines; any line at all is seen."""
    return _BLOCKS[-(-count * len(_BLOCKS) // most) - 1] if count else "·"


def scale(report: Report, most: int, width: float) -> str:
    """What a timeline's bars mean: "10:00:00 to 10:00:59, each bar 2 s, at most 312 lines"."""
    first, last = (clock(moment(time, report.zone)) for time in (report.burst.first, report.burst.last))
    each = duration(width) if width >= 1 else f"1/{round(1 / width)} s"
    return f"{first} to {last}: each bar is {each}, the highest {plural(most, 'line')}."


def _sources(report: Report) -> Iterator[str]:
    if report.sources:
        yield "Lines from each source:"
        yield from _rows((count, name) for name, count in report.sources)


def _rows(rows: Iterable[tuple[int, str]]) -> Iterator[str]:
    table = [(number(count), text) for count, text in rows]
    width = max(len(count) for count, _ in table)
    yield from (f"{INDENT}{count:>{width}}  {text}" for count, text in table)


def _patterns(report: Report) -> Iterator[str]:
    if not report.patterns:
        return
    every = (*report.patterns, *report.seldom)
    width = max(len(number(count)) for count in (report.other, *(row.count for row in every)))
    yield f"{plural(report.burst.count, 'line')} by what they say:"
    for row in report.patterns:
        yield from _pattern(report, row, width)
    if report.other:
        yield f"{INDENT}{number(report.other):>{width}}  {rest(report)}"
    if report.seldom:
        yield "Seldom:"
    for row in report.seldom:
        yield from _pattern(report, row, width)


def _pattern(report: Report, row: Pattern, width: int) -> Iterator[str]:
    margin = f"{INDENT}{'':{width}}{INDENT}"
    first, known = f"{INDENT}{number(row.count):>{width}}  {title(report, row)}", ", ".join(details(report, row))
    if known and len(first) + len(known) + 3 <= COLUMNS:
        yield f"{first} ({known})"
    else:
        yield from filter(str.strip, (first, margin + known))
    yield from (f"{margin}e.g. {example}" for example in row.examples)


def title(report: Report, row: Pattern) -> str:
    """The pattern, with its program where there are several."""
    programs = {row.program for row in (*report.patterns, *report.seldom)}
    return f"{row.program}: {row.text}" if row.program and len(programs) > 1 else row.text


def details(report: Report, row: Pattern) -> list[str]:
    """What is known of a pattern: "err", "203 addresses", "10:00:01 to 10:00:59"."""
    severity = [row.severity] if row.severity and len(report.severities) > 1 else []
    return [*severity, *about(row, report.burst, report.zone)]


def rest(report: Report) -> str:
    """What is in none of the patterns shown: "other lines, in 4 patterns"."""
    noun = "other line" if report.other == 1 else "other lines"
    if not report.more_patterns:
        return noun
    patterns = plural(report.more_patterns, "pattern")
    # Of what is not in any pattern that was kept, nobody knows how many it would make.
    return f"{noun}, in {patterns}{' or more' if report.burst.tally.other else ''}"
