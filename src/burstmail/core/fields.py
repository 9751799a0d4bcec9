"""Line -> Fields, Batch -> (key, Batch). The syslog header: host, program, process, facility, severity.

Known are RFC 3164 section 4.1 (with or without PRI and host), the same with the ISO 8601 stamps of rsyslog and
syslog-ng, and RFC 5424 section 6. Anything else is a line without fields; nothing here fails on any text.
Limits: 255 characters for a host, 128 for a program, so that a hostile line costs no more than a scan.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
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

# Every run is possessive (`+` after the count): it ends at a character it cannot contain, so it never gives back what
# it took, and no line takes more than a scan. Sets of characters and not exact digits: that costs half as much.
_PRIORITY = "1[0-8][0-9]|19[01]|[1-9]?[0-9]"
_STAMP = "(?:[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[0-9.,:Z+-]{0,24}+)"
# MSGID and STRUCTURED-DATA (RFC 5424 section 6.3), in front of the message.
_DETAILS = r'[^ ]{1,32}+ (?:-|(?:\[(?:[^\]"\\]++|"(?:[^"\\]++|\\.)*+"|\\.)*+\])++)(?: |\Z)'


def _header(wanted: Iterable[str], *forms: str) -> str:
    """The pattern of a header, which may be missing. Only what is wanted is captured: a group costs time on each line.

    Forms are 'old' (RFC 3164 and its like) and 'new' (RFC 5424). What `new` captures is named `new_...`, for two groups
    cannot share a name.
    """

    def group(name: str, pattern: str) -> str:
        return f"(?P<{name}>{pattern})" if name in wanted else f"(?:{pattern})"

    # A host may hold colons (IPv6), but what ends in one is a program without a host before it.
    host = group("host", r"[^ \n\[\]]{1,255}+(?<!:)")
    program = group("program", r"[^ \n:\[]{1,128}+")
    # What ends a program's name (RFC 3164 section 4.1.3) is all that has to be looked at when nobody asks for the pid.
    pid = r"(?=[:\[])(?:\[(?P<pid>[^ \n\]]{0,64}+)\]|):?+" if "pid" in wanted else r"[:\[]"
    old = f"{_STAMP} {group('pair', f'(?:{host} |){program}')}{pid}"
    host, program, pid = (group(f"new_{name}", r"[^ \n]{1,255}+") for name in ("host", "program", "pid"))
    new = rf"(?<=>)1 (?:{_STAMP}|-) {group('new_pair', f'{host} {program}')} {pid} "
    known = {"old": old, "new": new}
    return rf"(?:<{group('priority', _PRIORITY)}>|)(?:{'|'.join(known[form] for form in forms)}|)"


_LINE = _header(("priority", "host", "program", "pid", "new_host", "new_program", "new_pid"), "old", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a line's header says; '' or None where it says nothing."""

    host: str = ""
    program: str = ""
    pid: str = ""
    facility: int | None = None
    """0 (kern) to 23 (local7)."""
    severity: int | None = None
    """0 (emerg) to 7 (debug): an index into SEVERITIES."""
    message: str = ""
    """The line without its header; the whole line if it has none."""


def _priority(text: str | None) -> tuple[int | None, int | None]:
    return divmod(int(text), 8) if text else (None, None)


def _value(text: str | None) -> str:
    # RFC 5424 section 6: NILVALUE.
    return "" if text is None or text == "-" else text


def parse(line: str) -> Fields:
    """The fields of one line."""
    # Compiled by the first call, and kept by re: most of the time it takes to import this file would go there.
    found = re.match(_LINE, line)
    assert found is not None, "every part of the pattern is optional"
    message = line[found.end() :]
    if found["new_host"]:
        details = re.match(_DETAILS, message, re.DOTALL)
        message = message[details.end() :].removeprefix("\ufeff") if details else message
    elif found["program"]:
        message = message.removeprefix(" ")
    facility, severity = _priority(found["priority"])
    return Fields(
        host=_value(found["host"] or found["new_host"]),
        program=_value(found["program"] or found["new_program"]),
        pid=_value(found["pid"] or found["new_pid"]),
        facility=facility,
        severity=severity,
        message=message,
    )


_SHOWN: dict[str, Callable[[str], str]] = {
    "host": _value,
    "program": _value,
    "pid": _value,
    "facility": lambda text: FACILITIES[int(text) // 8] if text else "",
    "severity": lambda text: SEVERITIES[int(text) % 8] if text else "",
    # Two neighbours in one capture.
    "pair": lambda text: " ".join(filter(_value, text.split(" "))),
}
_GROUPS = {"facility": "priority", "severity": "priority"}


def by(*names: str) -> Splitter:
    """Split batches by fields: `by("host", "program")`. Lines without any of them share the key ''.

    Names are host, program, pid, facility, severity. Raises ValueError for others, and for none.
    """
    known = [name for name in _SHOWN if name != "pair"]
    if not names or not set(names) <= set(known):
        raise ValueError(f"key {','.join(names)!r}: use one or more of {', '.join(known)}")
    # One string a line instead of a tuple of two, for the commonest key of all.
    parts = ("pair",) if names == ("host", "program") else names
    old, new, both = _reader(parts, "old"), _reader(parts, "new"), _reader(parts, "old", "new")

    def split(batch: Batch) -> list[tuple[str, Batch]]:
        text = batch.text
        # Most streams have one form of header, and need not pay for the other: the first line tells which to try.
        modern = ">1 " in text[:6]
        if modern and len(parts) > 1:
            return both(batch)
        found = (new if modern else old)(batch)
        # With one field, nothing is missed if each line has it; and no line without ">1 " is of RFC 5424. That is asked
        # last: looking for it takes a fifth of the time of all the rest.
        if (len(parts) == 1 and all(key for key, _ in found)) or (not modern and ">1 " not in text):
            return found
        return both(batch)

    return split


def _reader(parts: tuple[str, ...], *forms: str) -> Callable[[Batch], list[tuple[str, Batch]]]:
    groups = [_GROUPS.get(part, part) for part in parts]
    # Every line matches exactly once, so one findall over the chunk gives all lines, each with its row of fields; a `^`
    # with re.MULTILINE would be three times slower.
    header = _header({*groups, *(f"new_{group}" for group in groups)}, *forms)
    pattern = re.compile(rf"(?P<line>{header}.*+\n)")
    names = list(pattern.groupindex)[1:]

    # The same few rows come with every chunk.
    @lru_cache(maxsize=4096)
    def label(row: str | tuple[str, ...]) -> str:
        values = dict(zip(names, (row,) if isinstance(row, str) else row, strict=True))
        texts = (values.get(group) or values.get(f"new_{group}", "") for group in groups)
        return " ".join(filter(None, (_SHOWN[part](text) for part, text in zip(parts, texts, strict=True))))

    def read(batch: Batch) -> list[tuple[str, Batch]]:
        found = pattern.findall(batch.text)
        return _split(batch, found if len(names) == 1 else [(row[0], row[1:]) for row in found], label)

    return read


def each(function: Callable[[str], str]) -> Splitter:
    """Split batches by what `function(line)` returns: any key you like, at a Python call per line."""
    return lambda batch: _split(batch, [(line + "\n", function(line)) for line in batch.lines], str)


def _split(batch: Batch, found: list[tuple[str, Any]], label: Callable[[Any], str]) -> list[tuple[str, Batch]]:
    """One part per label, in order of first appearance. Found are all lines, each with what its label is made of."""
    groups = _grouped(found)
    labels = {row: label(row) for row in groups}
    if len(set(labels.values())) < len(labels):
        # Two forms of header with one label: their lines must stay in order, so they are one group from the start.
        groups = _grouped((line, labels[row]) for line, row in found)
        labels = {name: name for name in groups}
    if len(groups) == 1:
        return [(next(iter(labels.values())), batch)]
    return [(labels[row], _part(batch, lines)) for row, lines in groups.items()]


def _grouped(found: Iterable[tuple[str, Any]]) -> dict[Any, list[str]]:
    groups: defaultdict[Any, list[str]] = defaultdict(list)
    # Paid on every line, and the only such loop: faster than C calls that have to split the text a second time.
    for line, row in found:
        groups[row].append(line)
    return groups


def _part(batch: Batch, lines: list[str]) -> Batch:
    text = "".join(lines)
    return Batch(text=text, count=len(lines), time=batch.time, epoch=batch.epoch, seq=batch.seq, gone=batch.gone)
