"""Line -> Fields. What its header says: host, program, process, facility, severity, time, structured data.

Which forms of header are known is in forms.py. Anything else is a line without fields; nothing here fails on any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache

from .details import NONE, Data
from .forms import DETAILS, KINDS, LEVELS, odd
from .forms import FACILITIES as FACILITIES
from .forms import SEVERITIES as SEVERITIES
from .forms import header as header
from .stamps import moment

_PARTS = ("stamp", "host", "program", "pid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a line's header says; '' or None where it says nothing."""

    host: str = ""
    program: str = ""
    """Of Cisco's messages `%FACILITY-SEVERITY-MNEMONIC`; of the kernel's own `kernel`."""
    pid: str = ""
    facility: int | None = None
    """0 (kern) to 23 (local7): an index into FACILITIES."""
    severity: int | None = None
    """0 (emerg) to 7 (debug): an index into SEVERITIES. Without PRI, what the header says in words or as Cisco does."""
    message: str = ""
    """The line without its header; the whole line if it has none."""
    stamp: str = ""
    """The time, as it stands in the header."""
    msgid: str = ""
    """MSGID (RFC 5424 section 6.2.7)."""
    data: Mapping[str, Mapping[str, str]] = NONE
    """STRUCTURED-DATA (RFC 5424 section 6.3): by SD-ID, each a mapping of parameters."""

    def time(self, reference: float, zone: tzinfo | None = None) -> float | None:
        """The time as seconds since 1970; None where there is none that a calendar has.

        Stamps of RFC 3164 have no year: it is the one that brings them closest to `reference`, as wall-clock seconds.
        Those without a zone are of `zone`; None: UTC, since only the caller can know better.
        """
        return moment(self.stamp, reference, zone) if self.stamp else None


def value(text: str | None) -> str:
    """The text of a part of the header; '' if it is not there, or NILVALUE (RFC 5424 section 6)."""
    return "" if text is None or text == "-" else text


@cache
def _readers() -> tuple[Callable[[str], re.Match[str] | None], Callable[[str, int], re.Match[str] | None]]:
    # Compiled by the first call: most of the time it takes to import this file would go there.
    wanted = ("priority", *_PARTS, *(f"new_{part}" for part in _PARTS))
    return re.compile(header(wanted, "old", "new")).match, re.compile(DETAILS, re.DOTALL).match


def parse(line: str) -> Fields:
    """The fields of one line."""
    found = _readers()[0](line)
    assert found is not None, "every part of the pattern is optional"
    number, stamp, host, program, pid, *new = found.groups()
    facility, severity = divmod(int(number), 8) if number else (None, None)
    if not program:
        if new[1]:
            return _new(line, found.end(), facility, severity, new)
        return _other(line, found.end(), facility, severity)
    return Fields(
        host=value(host),
        program=value(program),
        pid=value(pid),
        facility=facility,
        severity=severity,
        message=line[found.end() :].removeprefix(" "),
        stamp=stamp,
    )


def _new(line: str, end: int, facility: int | None, severity: int | None, parts: list[str]) -> Fields:
    """The fields of a line of RFC 5424."""
    stamp, host, program, pid = parts
    msgid, data = "", "-"
    if details := _readers()[1](line, end):
        msgid, data = details.groups()
        end = details.end() + line.startswith("\ufeff", details.end())
    return Fields(
        host=value(host),
        program=value(program),
        pid=value(pid),
        facility=facility,
        severity=severity,
        message=line[end:],
        stamp=value(stamp),
        msgid=value(msgid),
        data=NONE if data == "-" else Data(data),
    )


def _other(line: str, start: int, facility: int | None, severity: int | None) -> Fields:
    """The fields of a line that is neither of RFC 3164 nor of RFC 5424; a priority in front counts in any case."""
    found = odd(line, start)
    if found is None:
        return Fields(facility=facility, severity=severity, message=line[start:])
    parts = {name: text for name, text in found.groupdict().items() if text}
    if facility is None:
        facility, severity = _level(parts)
    program = parts.get("program", "kernel" if "kernel" in parts else "")
    return Fields(
        host=value(parts.get("host") or parts.get("origin")).removesuffix(":"),
        program=value(program),
        pid=value(parts.get("pid")),
        facility=facility,
        severity=severity,
        message=line[found.end() :].removeprefix(" "),
        stamp=(parts.get("stamp") or parts.get("inner", "")).strip("[ ]"),
    )


def _level(parts: dict[str, str]) -> tuple[int | None, int | None]:
    """Facility and severity by name, by numbers, or as Cisco has it."""
    if "priority" in parts:
        return divmod(int(parts["priority"]), 8)
    if "numbers" in parts:
        kind, _, level = parts["numbers"].partition(".")
        return (int(kind), int(level)) if int(kind) < len(FACILITIES) else (None, int(level))
    severity = LEVELS.get(parts.get("level", ""))
    return KINDS.get(parts.get("kind", "")), int(parts["told"]) if "told" in parts else severity
