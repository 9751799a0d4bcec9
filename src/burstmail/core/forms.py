"""What headers look like: two forms that nearly all lines have, as one expression, and those of other systems.

The two are RFC 3164 section 4.1 (with or without PRI and host, also with the ISO 8601 stamps of rsyslog and syslog-ng)
and RFC 5424 section 6. The others are looked at only if a line has neither, and only if it begins as one of them does.
Limits: 255 characters for a host, 128 for a program, so that a hostile line costs no more than a scan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

# RFC 5424 section 6.2.1, by number; the names are those of syslog(3).
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "security", "console", "clock", *(f"local{number}" for number in range(8))),
)

# Every run is possessive (`+` after the count): it ends at a character it cannot contain, so it never gives back what
# it took, and no line takes more than a scan. Sets of characters and not exact digits: that costs half as much.
PRIORITY = "1[0-8][0-9]|19[01]|[1-9]?[0-9]"
_ISO = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[0-9.,:Z+-]{0,24}+"
# With a fraction: `journalctl -o short-precise`.
_STAMP = rf"(?:[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]{{8}}(?:\.[0-9]{{1,9}}+|)|{_ISO})"
# MSGID and STRUCTURED-DATA (RFC 5424 section 6.3), in front of the message.
DETAILS = r'(?P<msgid>[^ ]{1,32}+) (?P<data>-|(?:\[(?:[^\]"\\]++|"(?:[^"\\]++|\\.)*+"|\\.)*+\])++)(?: |\Z)'


def header(wanted: Iterable[str], *forms: str, whole: bool = False) -> str:
    """The pattern of a header, which may be missing. Only what is wanted is captured: a group costs time on each line.

    Forms are 'old' (RFC 3164 and its like) and 'new' (RFC 5424). What `new` captures is named `new_...`, for two groups
    cannot share a name. Nobody needs the end of a header but for the pid, or with `whole` for what is behind it. A line
    without either may still have a header of another form: see `odd`.
    """

    def group(name: str, pattern: str) -> str:
        return f"(?P<{name}>{pattern})" if name in wanted else f"(?:{pattern})"

    # A host may hold colons (IPv6), but what ends in one is a program without a host before it. In parentheses, VMware
    # tells the priority.
    host = group("host", r"[^ \n\[\]()]{1,255}+(?<!:)")
    # The zone of Cisco's stamp is no program; what begins with a digit or `%` may be its number of the message: another
    # form.
    program = group("program", r"[^ \n:\[0-9%][^ \n:\[]{0,127}+")
    # What ends a program's name (RFC 3164 section 4.1.3) is all that has to be looked at when nobody asks for the pid.
    pid = group("pid", r"[^ \n\]]{0,64}+")
    pid = rf"(?=[:\[])(?:\[{pid}\]|):?+" if whole or "pid" in wanted else r"[:\[]"
    old = f"{group('stamp', _STAMP)} {group('pair', f'(?:{host} |(?![A-Z]{{2,5}}+: %)){program}')}{pid}"
    host, program, pid = (group(f"new_{name}", r"[^ \n]{1,255}+") for name in ("host", "program", "pid"))
    new = rf"(?<=>)1 {group('new_stamp', f'(?:{_STAMP}|-)')} {group('new_pair', f'{host} {program}')} {pid} "
    known = {"old": old, "new": new}
    return rf"(?:<{group('priority', PRIORITY)}>|)(?:{'|'.join(known[form] for form in forms)}|)"


# Names of levels as systems write them, and the number of each; the other names are old, or common mistakes.
LEVELS = {name: number for number, name in enumerate(SEVERITIES)} | {"panic": 0, "error": 3, "warn": 4}
KINDS = {name: number for number, name in enumerate(FACILITIES)}

_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9}+|)"
_WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
# Names of zones end in T, mostly; names of levels do not.
_ZONE = "(?:UTC|MSK|[A-Z]{2,3}T|[+-][0-9]{2}+(?::?[0-9]{2}+|))"
_DAY = "(?:[ 0-9][0-9]|[1-9])"
# With the year, from the C library's ctime() and Cisco's NX-OS to what programs write for themselves.
_DATED = (
    rf"{_WEEKDAY}{_MONTH} {_DAY} {_CLOCK} [0-9]{{4}}",
    rf"[0-9]{{4}} {_MONTH} {_DAY} {_CLOCK}(?: {_ZONE}(?=:)|)",
    rf"{_MONTH} {_DAY} [0-9]{{4}} {_CLOCK}(?: {_ZONE}(?=:)|)",
    rf"{_MONTH} {_DAY} {_CLOCK} {_ZONE} [0-9]{{4}}(?= )",
    rf"(?:{_WEEKDAY}|)[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]{_CLOCK}(?:Z| ?{_ZONE}(?![0-9A-Za-z])|)",
    rf"[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}} {_CLOCK}",
)
_UNDATED = rf"{_MONTH} {_DAY} {_CLOCK}(?: {_ZONE}(?=:)|)"
_ANY = f"(?:{'|'.join(_DATED)}|{_UNDATED})"
_BEGIN = f"(?P<stamp>{_ANY}) "
_HOST = r"(?P<host>[^ \n\[\]()<>]{1,255}+(?<!:))"
_TAG = r"(?P<program>[^ \n:\[]{1,128}+)(?=[:\[])(?:\[(?P<pid>[^ \n\]]{0,64}+)\]|):?+"
_LEVEL = rf"(?P<kind>{'|'.join(FACILITIES)})\.(?P<level>{'|'.join(LEVELS)})"
# Cisco's facility, severity and mnemonic: %SYS-5-CONFIG_I.
MNEMONIC = r"%[A-Z][A-Z0-9_]{0,63}+(?:-[A-Z][A-Z0-9_]{0,63}+){0,3}+-(?P<told>[0-7])-[A-Z0-9_]{1,64}+"

# In this order: what says more about itself comes first.
_ODD = (
    # The kernel's ring buffer (dmesg, also with -x; netconsole), to the microsecond since the start of the machine.
    rf"(?:(?P<kind>{'|'.join(FACILITIES)}) {{0,8}}+:(?P<level>{'|'.join(LEVELS)}) {{0,8}}+: |)"
    r"(?P<stamp>(?P<kernel>\[) {0,8}+[0-9]{1,10}+\.[0-9]{6}\])(?:\[ {0,8}+[TC][0-9]{1,9}+\]|) ",
    # Cisco IOS, NX-OS, ASA: sequence numbers, origin, the clock's doubts (`*`, `.`), all of it optional. A relay's
    # header in front of it is the newer one.
    rf"(?:{_BEGIN[:-1]}:? (?:{_HOST} |)|)(?:: |)(?:[0-9]{{1,12}}+: ){{0,2}}+"
    rf"(?:(?P<origin>[^ \n:%\[\]()<>]{{1,255}}+): |)"
    rf"(?:[*.]?(?P<inner>{_ANY}): |)(?P<program>{MNEMONIC}) ?:",
    # Cisco IOS-XR: the node, and not the host, in front.
    rf"(?:[0-9]{{1,12}}+: |)[A-Z0-9]{{1,8}}+/[0-9A-Z/]{{1,32}}+:(?P<stamp>{_ANY}): {_TAG}",
    # OpenWrt's logread, and busybox's files, which name the host.
    rf"{_BEGIN}(?:\[[0-9.]{{1,32}}+\] |)(?:(?P<host>[^ \n\[\]]{{1,255}}+) |){_LEVEL}(?: {_TAG}|(?= |\Z))",
    # FreeBSD, `syslogd -v`: numbers; twice: names.
    rf"{_BEGIN}<(?:{_LEVEL}|(?P<numbers>[0-9]{{1,2}}\.[0-7]))> (?:{_HOST} |){_TAG}",
    # VMware ESXi 8 in its own files.
    rf"{_BEGIN}(?:Em|Al|Cr|Er|Wa|No|In|Db)\((?P<priority>{PRIORITY})\) {_TAG}",
    # AIX, Solaris: what another machine has sent.
    rf"{_BEGIN}Message forwarded from (?P<host>[^ \n\[\]]{{1,255}}+(?<=:)) {_TAG}",
    # HP ProCurve: the number of the event.
    rf"{_BEGIN}{_HOST} [0-9]{{5}} {_TAG}",
    # `journalctl -o short-full` and `short-unix`; Cisco's years.
    rf"(?P<stamp>{_WEEKDAY}{_DATED[4].partition('|)')[2]}|{_DATED[2]}|{_DATED[3]}|[0-9]{{10}}\.[0-9]{{6}}) "
    rf"(?:{_HOST} |){_TAG}",
    # macOS, `log show --style syslog`. Without the process id it could be anything.
    rf"{_BEGIN} ?{_HOST} (?P<program>[^ \n:\[]{{1,128}}+)\[(?P<pid>[^ \n\]]{{0,64}}+)\]:?+",
    # A name in parentheses (Ubiquiti), a program that is a number.
    rf"(?P<stamp>{_STAMP}) (?:(?P<host>[^ \n\[\]]{{1,255}}+(?<!:)) |){_TAG}",
    # A full date is one, whatever follows: in brackets (Apache, gunicorn), before a process id (PostgreSQL).
    rf"\[(?P<stamp>{'|'.join(_DATED)})\](?: \[(?P<pid>[0-9]{{1,10}}+)\](?= )|)(?: |\Z)",
    rf"(?P<stamp>{'|'.join(_DATED)}|{_ISO})(?: \[(?P<pid>[0-9]{{1,10}}+)\](?= )|)(?: |\Z)",
)

# What the first characters of all of these are, behind the priority. Plain text mostly has others.
BEGINS = (
    rf"(?:[0-9*.:\[%]|{_WEEKDAY}|{_MONTH} [ 0-9]|[A-Z0-9]{{1,8}}+/[0-9]"
    r"|[a-z0-9]{3,8}+ {0,8}+:[a-z]{3,7} {0,8}+: \[)"
)


@cache
def _begins() -> Callable[[str, int], re.Match[str] | None]:
    return re.compile(BEGINS).match


@cache
def _forms() -> tuple[re.Pattern[str], ...]:
    # Only for a line that begins so: to compile them takes a tenth of the CPU time of a short run.
    return tuple(re.compile(form) for form in _ODD)


def odd(line: str, start: int) -> re.Match[str] | None:
    """The header of another form, if the line has one there, behind the priority."""
    if not _begins()(line, start):
        return None
    return next((found for form in _forms() if (found := form.match(line, start))), None)
