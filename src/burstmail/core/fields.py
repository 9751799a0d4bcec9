"""Line -> Fields, Batch -> (key, Batch). The syslog header: host, program, process, facility, severity.

Known are RFC 3164 section 4.1 (with or without PRI and host), the same with the ISO 8601 stamps of rsyslog and syslog-ng,
and RFC 5424 section 6. Anything else is a line without fields; nothing here fails on any text.
Limits: 255 characters for a host, 128 for a program, so that a hostile line costs no more than a scan.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from .model import Batch

Splitter: TypeAlias = Callable[[Batch], Iterable[tuple[str, Batch]]]

# RFC 5424 section 6.2.1, by number; the names are those of syslog(3).
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "security", "console", "clock", *(f"local{number}" for number in range(8))),
)

# [0-9] and not \d, which asks Unicode for every character.
_CLOCK = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
_ISO = rf"[0-9]{{4}}-[0-9][0-9]-[0-9][0-9]T{_CLOCK}(?:[.,][0-9]{{1,9}}+)?+(?:Z|[+-][0-9][0-9]:?[0-9][0-9])?+"
_STAMP = rf"[A-Z][a-z][a-z] [ 0-9][0-9] {_CLOCK}|{_ISO}"
_NAMES = ("host", "program", "pid", "facility", "severity")


def _header(*wanted: str) -> str:
    """The header's pattern, capturing only what is wanted: each further group costs time on every line.

    Runs end at a character they cannot contain, so they never give back what they took (`+` after the count): a quarter
    of the time of each line.
    """

    def group(name: str, pattern: str) -> str:
        return f"(?P<{name}>{pattern})" if name in wanted else f"(?:{pattern})"

    priority = f"(?:<{group('pri', '[0-9]{1,3}+')}>(?P<version>1 )?+)?+"
    # A host may hold colons (IPv6), but what ends in one is a program without a host before it.
    host = group("host", r"[^ \n\[\]]{1,255}+(?<!:)") + " "
    program = group("program", r"[^ \n:\[]{1,128}+")
    old = r"(?:\[" + group("pid", r"[^ \n\]]{0,64}+") + r"\])?+:"
    new = " " + group("procid", r"[^ \n]{1,128}+") + " "
    return (
        rf"{priority}(?:{_STAMP}|(?(version)-|(?!))) (?:{host}|(?(version)(?!)|)){program}(?(version){new}|{old})"
    )


_LINE = re.compile(rf"{_header('pri', 'host', 'program', 'pid', 'procid')} ?(?P<message>.*)", re.DOTALL)
_BARE = r"(?:<(?P<bare>\d{1,3})>)?"
_PRIORITY = re.compile(r"<(\d{1,3})>")
# MSGID and STRUCTURED-DATA (RFC 5424 section 6.3), in front of the message.
_DETAILS = re.compile(r'[^ ]{1,32} (?:-|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*"|\\.)*\])+)(?: |$)', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a line's header says; '' or None where it says nothing."""

    host: str = ""
    program: str = ""
    pid: str = ""
    facility: int | None = None
    severity: int | None = None
    """0 (emerg) to 7 (debug): an index into SEVERITIES."""
    message: str = ""
    """The line without its header; the whole line if it has none."""


def _value(text: str | None) -> str:
    # RFC 5424 section 6: NILVALUE.
    return "" if text is None or text == "-" else text


def _priority(text: str | None) -> tuple[int | None, int | None]:
    number = int(text) if text else 192
    return divmod(number, 8) if number < 192 else (None, None)


def parse(line: str) -> Fields:
    """The fields of one line."""
    if not (found := _LINE.match(line)):
        return _headless(line)
    facility, severity = _priority(found["pri"])
    message = found["message"]
    if found["version"] and (details := _DETAILS.match(message)):
        message = message[details.end() :].removeprefix("\ufeff")
    return Fields(
        host=_value(found["host"]),
        program=_value(found["program"]),
        pid=_value(found["pid"] or found["procid"]),
        facility=facility,
        severity=severity,
        message=message,
    )


def _headless(line: str) -> Fields:
    found = _PRIORITY.match(line)
    facility, severity = _priority(found[1] if found else None)
    if found is None or severity is None:
        return Fields(message=line)
    return Fields(facility=facility, severity=severity, message=line[found.end() :])


def by(*names: str) -> Splitter:
    """Split batches by fields: `by("host", "program")`. Lines without any of them share the key ''.

    Names are host, program, pid, facility, severity. Raises ValueError for others, and for none.
    """
    if not names or not set(names) <= set(_NAMES):
        raise ValueError(f"key {','.join(names)!r}: use one or more of {', '.join(_NAMES)}")
    groups = {"facility": ("pri",), "severity": ("pri",), "pid": ("pid", "procid")}
    wanted = {group for name in names for group in groups.get(name, (name,))}
    # Every line matches exactly once, so one findall over the chunk keeps step with its lines; a `^` with
    # re.MULTILINE would be three times slower.
    pattern = re.compile(rf"(?:{_header(*wanted)}|{_BARE if 'pri' in wanted else ''}).*\n")
    order = {group: position - 1 for group, position in pattern.groupindex.items()}

    # The same few rows come with every chunk.
    @lru_cache(maxsize=4096)
    def label(row: tuple[str, ...]) -> str:
        return " ".join(filter(None, (_shown(name, row, order) for name in names)))

    def rows(text: str) -> list[tuple[str, ...]]:
        found = pattern.findall(text)
        return found if len(order) > 1 else [(row,) for row in found]

    return lambda batch: _split(batch, rows(batch.text), label)


def _shown(name: str, row: tuple[str, ...], order: dict[str, int]) -> str:
    if name == "pid":
        return _value(row[order["pid"]] or row[order["procid"]])
    if name in ("host", "program"):
        return _value(row[order[name]])
    facility, severity = _priority(row[order["pri"]] or row[order["bare"]])
    if facility is None or severity is None:
        return ""
    return FACILITIES[facility] if name == "facility" else SEVERITIES[severity]


def each(function: Callable[[str], str]) -> Splitter:
    """Split batches by what `function(line)` returns: any key you like, at a Python call per line."""

    def split(batch: Batch) -> Iterable[tuple[str, Batch]]:
        return _split(batch, [(function(line),) for line in batch.lines], lambda row: row[0])

    return split


def _split(
    batch: Batch, rows: list[tuple[str, ...]], label: Callable[[tuple[str, ...]], str]
) -> list[tuple[str, Batch]]:
    if not rows:
        return []
    labels = {row: label(row) for row in dict.fromkeys(rows)}
    if len(labels) == 1:
        return [(labels[rows[0]], batch)]
    keys: Sequence[Any] = rows
    names: dict[Any, str] = {**labels}
    if len(set(labels.values())) < len(labels):
        # Two forms of header with one label: their lines must stay in order, so they are one group from the start.
        keys = [labels[row] for row in rows]
        names = {name: name for name in labels.values()}
    groups: defaultdict[Any, list[str]] = defaultdict(list)
    # A loop of C calls: grouping is the part that is paid on every line.
    deque(map(list.append, map(groups.__getitem__, keys), batch.text.split("\n")), maxlen=0)
    return [(names[key], _part(batch, lines)) for key, lines in groups.items()]


def _part(batch: Batch, lines: list[str]) -> Batch:
    count = len(lines)
    # The newline after the last one, without a copy of all.
    lines.append("")
    text = "\n".join(lines)
    return Batch(text=text, count=count, time=batch.time, epoch=batch.epoch, seq=batch.seq, gone=batch.gone)
