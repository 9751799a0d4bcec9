"""Report -> the HTML of its mail. The same as its text says, to be taken in at a glance: for whoever reads HTML.

No script, no link, nothing from elsewhere, no picture: bars are table cells, for those get through every mail program.
It fits 375 pixels and 1,000, by day and by night. Limits: those of the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..patterns.tally import Pattern
from ..severity import severity_of
from ..words import number, plural
from .letter import details, rest, scale, title
from .look import HEAD, STYLE, STYLES, tag
from .markup import escaped, markup

if TYPE_CHECKING:
    from .report import Report

# Pixels: of the highest bar, and the widest of any.
HIGH, WIDE = 44, 14
_CLASSES = dict.fromkeys(("emerg", "alert", "crit", "err"), "e") | {"warning": "w"}
_TEXT = dict.fromkeys(("emerg", "alert", "crit", "err"), "r") | {"warning": "a"}
_TABLE = ' role="presentation" cellpadding="0" cellspacing="0" border="0"'


def page(report: Report) -> str:
    """The whole page; it ends with a newline."""
    parts = blocks(report)
    names = ("opening", "severity", "timeline", "facts", "attachment", "notes", "patterns", "sources", "lines")
    inner = "\n".join(parts[name] for name in (*names, "signature") if parts[name])
    # What has failed is as bad as an error, whatever its lines say of themselves.
    edge = "te" if report.burst.failed else f"t{_CLASSES.get(report.severity, 'i')}"
    cell = f'<td class="in {edge}" style="{STYLES["in"]};{STYLES[edge]}">{inner}</td>'
    card = tag("table", "card", f"<tr>{cell}</tr>", _TABLE)
    frame = f'<table width="100%"{_TABLE}><tr><td align="center" style="padding:10px 8px">{card}</td></tr></table>'
    body = tag("body", "page", frame)
    return f"{HEAD}<title>{escaped(report.opening)}</title>\n<style>{STYLE}</style></head>\n{body}</html>\n"


def blocks(report: Report) -> dict[str, str]:
    """The parts of the page by name, as `core.mail.letter.blocks` has them; '' where there is nothing to say."""
    raw = (*report.burst.head, *report.burst.tail)
    head, tail = _lines(report.head, raw), _lines(report.tail, raw[len(raw) - len(report.tail) :])
    gap = tag("p", "gap", f"[{plural(report.left_out, 'line')} left out here]") if report.left_out else ""
    return {
        "opening": tag("h1", "h", markup(report.opening)),
        "severity": _severity(report) + (tag("p", "v", markup(report.news)) if report.news else ""),
        "timeline": _timeline(report),
        "facts": "\n".join(map(_fact, report.facts)),
        "attachment": _fact(report.attached) if report.attached else "",
        "notes": "\n".join(_fact(f"Note: {note}") for note in report.notes),
        "sources": _sources(report),
        "patterns": _patterns(report),
        "lines": "\n".join(filter(None, (_heading(report), head, gap, tail))),
        "head": head,
        "gap": gap,
        "tail": tail,
        "left_out": number(report.left_out),
        "signature": tag("p", "z", markup(report.signature)),
    }


def _fact(sentence: str) -> str:
    label, colon, text = sentence.partition(": ")
    # "First line: ...", but not a colon somewhere in a sentence.
    if not colon or len(label) > 12:
        return tag("p", "f", markup(sentence))
    return tag("p", "f", f"{tag('span', 'q', f'{label}:')} {markup(text)}")


def _severity(report: Report) -> str:
    chips = [_chip(name, f"{name} {number(count)}") for name, count in report.severities]
    return f'<div style="margin:0 0 2px">{"".join(chips)}</div>' if chips else ""


def _chip(name: str, text: str) -> str:
    style = _CLASSES.get(name, "i")
    return f'<span class="{style}" style="{STYLES["chip"]};{STYLES[style]}">{text}</span> '


def _timeline(report: Report) -> str:
    counts = report.timeline.counts
    if not counts:
        return ""
    most = max(counts)
    cells = "".join(f"<td>{_bar(-(-count * HIGH // most))}</td>\n" for count in counts)
    width = f"max-width:{WIDE * len(counts)}px"
    bars = f'<table class="bars" style="{STYLES["bars"]};{width}"{_TABLE}><tr valign="bottom">{cells}</tr></table>'
    return bars + tag("p", "t", markup(scale(report, most, report.timeline.width)))


def _bar(height: int) -> str:
    # Its colour is the table's, by day and by night.
    return f'<div style="border-bottom:{height}px solid;margin-right:1px"></div>' if height else ""


def _sources(report: Report) -> str:
    found = "\n".join(tag("span", "k", f"<b>{number(count)}</b> {markup(name)}") for name, count in report.sources)
    return _section("Lines from each source", tag("p", "f", found)) if found else ""


def _patterns(report: Report) -> str:
    if not report.patterns:
        return ""
    most = report.patterns[0].count
    made = [[(number(row.count), "".join(_pattern(report, row, most))) for row in rows] for rows in _kinds(report)]
    if report.other:
        made[0].append((number(report.other), tag("div", "d", rest(report))))
    found = _section(f"{plural(report.burst.count, 'line')} by what they say", _rows(made[0]))
    return f"{found}\n{_section('Seldom', _rows(made[1]))}" if made[1] else found


def _kinds(report: Report) -> tuple[tuple[Pattern, ...], tuple[Pattern, ...]]:
    return report.patterns, report.seldom


def _pattern(report: Report, row: Pattern, most: int) -> Iterator[str]:
    yield markup(title(report, row))
    share = max(1, row.count * 100 // most)
    yield tag("div", "share", f'<div style="border-top:3px solid;width:{share}%"></div>')
    known = [markup(text) for text in details(report, row)]
    if known and known[0] in _TEXT:
        known[0] = tag("b", _TEXT[known[0]], known[0])
    if known:
        yield tag("div", "d", ", ".join(known))
    for example in row.examples:
        yield tag("div", "x", f"e.g. {markup(example)}")


def _section(heading: str, inner: str) -> str:
    return f"{tag('h2', 's', heading)}\n{inner}"


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns: a count, and what it counts."""
    table = list(rows)
    width = 9 * max(len(count) for count, _ in table) + 10
    cells = "\n".join(f"<tr>{tag('td', 'n', count)}{tag('td', 'm', text)}</tr>" for count, text in table)
    return tag("table", "rows", f'<colgroup><col style="width:{width}px"><col></colgroup>{cells}', _TABLE)


def _heading(report: Report) -> str:
    """What parts the lines from what stands above them."""
    if report.left_out and report.head:
        some = plural(len(report.head), "line") if len(report.head) > 1 else "line"
        return tag("h2", "s", f"The first {some}")
    return tag("h2", "s", "The lines") if report.patterns or report.sources else ""


def _lines(lines: Sequence[str], raw: Sequence[str]) -> str:
    """Each line an element of its own: what is in one cannot turn or reorder the next."""
    if not lines:
        return ""
    # A newline where it is no text: who copies lines gets them as they were.
    rows = (f"<div{_mark(line)}>{markup(text) or '<br>'}</div\n>" for text, line in zip(lines, raw, strict=False))
    return tag("div", "l", "".join(rows))


def _mark(line: str) -> str:
    name = _CLASSES.get(severity_of(line))
    return f" class={name}" if name else ""
