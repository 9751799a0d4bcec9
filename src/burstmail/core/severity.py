"""Line -> severity. The number before a syslog header, `<38>` (RFC 3164 section 4.1.1, RFC 5424 section 6.2.1).

Facility * 8 + severity, from 0 to 191, without leading zeros; anything else is part of the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from operator import itemgetter

from .fields import SEVERITIES

# Behind the last one, debug.
NONE = len(SEVERITIES)

_PRI = re.compile(r"<(1[0-8][0-9]|19[01]|[1-9]?[0-9])>")
# The longest: <191>.
_BEGIN = itemgetter(slice(5))


def severities(raw: bytes, lines: list[bytes]) -> Counter[int]:
    """How many of the lines have which severity; `raw` is their text.

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
    """The worst severity of lines; 8 if none has any."""
    found = [_PRI.match(begin.decode("latin-1")) for begin in set(map(_BEGIN, begins))]
    return min((int(match[1]) % 8 for match in found if match), default=NONE)


def severity_of(line: str) -> str:
    """'emerg' to 'debug'; '' for a line that does not say."""
    return told(line)[0]


def told(line: str) -> tuple[str, str]:
    """The severity, '' for a line that does not say, and the rest of the line."""
    found = _PRI.match(line)
    return (SEVERITIES[int(found[1]) % 8], line[found.end() :]) if found else ("", line)
