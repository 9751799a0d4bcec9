"""Line -> Fields. The syslog header: host, program, process, facility, severity.

Known are RFC 3164 section 4.1 (with or without PRI and host), the same with the ISO 8601 stamps of rsyslog and
syslog-ng, and RFC 5424 section 6. Anything else is a line without fields; nothing here fails on any text.
Limits: 255 characters for a host, 128 for a program, so that a hostile line costs no more than a scan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

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


def header(wanted: Iterable[str], *forms: str) -> str:
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


_LINE = header(("priority", "host", "program", "pid", "new_host", "new_program", "new_pid"), "old", "new")


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


def value(text: str | None) -> str:
    """The text of a part of the header; '' if it is not there, or NILVALUE (RFC 5424 section 6)."""
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
        host=value(found["host"] or found["new_host"]),
        program=value(found["program"] or found["new_program"]),
        pid=value(found["pid"] or found["new_pid"]),
        facility=facility,
        severity=severity,
        message=message,
    )
