"""Line -> severity. The number before a syslog header, `<38>` (RFC 3164 section 4.1.1, RFC 5424 section 6.2.1).

Facility * 8 + severity, from 0 to 191, without leading zeros; anything else is part of the text. Without one it is what
the header says in another form, if that tells a severity (core/forms.py): in words, or as Cisco, FreeBSD, VMware do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import TypeAlias

from .fields import SEVERITIES, parse
from .forms import MNEMONIC

# Behind the last one, debug.
NONE = len(SEVERITIES)

_PRI = re.compile(r"<(1[0-8][0-9]|19[01]|[1-9]?[0-9])>")
# How lines of one shape tell of their severity: a number from 0 to 7, or None for a line that does not.
Level: TypeAlias = Callable[[bytes], int | None]
# The longest: <191>.
_BEGIN = itemgetter(slice(5))


def severities(raw: bytes, lines: list[bytes]) -> Counter[int]:
    """How many of the lines have which severity by the number in front; `raw` is their text.

    Paid on every line: those that begin alike, nearly all of them, are looked at once.
    """
    found: Counter[int] = Counter()
    if not raw.startswith(b"<") and b"\n<" not in raw:
        return found
    begins = set(map(_BEGIN, lines))
    # Mostly there is one, and to see that takes two thirds of the time of counting.
    counts = {begins.pop(): len(lines)} if len(begins) == 1 else Counter(map(_BEGIN, lines))
    for begin, count in counts.items():
        if match := _PRI.match(begin.decode("latin-1")):
            found[int(match[1]) % 8] += count
    return found


def worst_of(begins: Iterable[bytes]) -> int:
    """The worst severity of lines by the number in front; 8 if none has any."""
    found = [_PRI.match(begin.decode("latin-1")) for begin in set(map(_BEGIN, begins))]
    return min((int(match[1]) % 8 for match in found if match), default=NONE)


def severity_of(line: str) -> str:
    """'emerg' to 'debug'; '' for a line that does not say."""
    return told(line)[0]


def told(line: str) -> tuple[str, str]:
    """The severity, '' for a line that does not say, and the rest of the line behind a number in front."""
    if found := _PRI.match(line):
        return SEVERITIES[int(found[1]) % 8], line[found.end() :]
    severity = parse(line).severity
    return "" if severity is None else SEVERITIES[severity], line


def level_of(line: bytes) -> Level | None:
    """How lines that differ from this one in digits and identifiers only tell of their severity, without a number in
    front; None if they do not.
    """
    if _PRI.match(line[:5].decode("latin-1")) or (severity := _parsed(line)) is None:
        return None
    told = _coded(line)
    if told is None:
        # Words are no digits: all of them have the same.
        return lambda line: severity
    return _coded if told == severity else _parsed


def _parsed(line: bytes) -> int | None:
    return parse(line.decode("utf-8", "backslashreplace")).severity


def _coded(line: bytes) -> int | None:
    """What the first thing in it says that looks like a severity in digits: many times faster than all of a header."""
    found = _codes()(line)
    return None if found is None else int(found[1] or found[2] or found[3]) % 8


@cache
def _codes() -> Callable[[bytes], re.Match[bytes] | None]:
    cisco = MNEMONIC.replace("?P<told>", "")
    return re.compile(rf"{cisco} ?:|<[0-9]{{1,2}}\.([0-7])> |[A-Z][a-z]\(([0-9]{{1,3}})\) ".encode()).search
