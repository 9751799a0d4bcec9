"""LogRecord -> lines of syslog. The level becomes the severity, the logger's name the program (RFC 3164 section 4.1).

A record is one line, and every further line of its text is indented: nothing in a message can pass for another record.
Limits: 64 KiB of text, of which the beginning and the end are kept; 100 characters of the logger's name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..core.words import MONTHS, moment, number

if TYPE_CHECKING:
    from logging import LogRecord

LONGEST = 65536
# Of these the last part: that is where a traceback says what was raised.
ENDING = 16384

# RFC 3164 section 4.1.1: facility * 8 + severity. Records that are urgent have a facility of their own, so that whoever
# reads the lines, in another process or after a restart, knows them without the record.
USUAL, URGENT = 8, 128
URGENT_FACILITY = "local0"

# From this level on, this severity: crit, err, warning, info. What stands between two levels counts as the lower one.
_SEVERITIES = ((50, 2), (40, 3), (30, 4), (25, 5), (20, 6))
_DEBUG = 7
# What a name may have in a header besides letters and digits.
_PLAIN = frozenset("._-/")


def severity(level: int) -> int:
    """A level of `logging` as a severity of syslog(3)."""
    return next((severity for least, severity in _SEVERITIES if level >= least), _DEBUG)


def header(record: LogRecord, host: str, *, urgent: bool = False) -> str:
    """What stands in front of the text."""
    priority = (URGENT if urgent else USUAL) + severity(record.levelno)
    process = f"[{record.process}]" if record.process is not None else ""
    return f"<{priority}>{_stamp(int(record.created))} {host} {_name(record.name)}{process}: "


def lines(header: str, text: str) -> str:
    """Header and text as lines, each with its newline; `text` is what a Formatter has made of the record."""
    return f"{header}{_indented(text)}\n"


def _indented(text: str) -> str:
    if len(text) > LONGEST:
        left = f"\n[{number(len(text) - LONGEST)} characters left out]\n"
        text = text[: LONGEST - ENDING] + left + text[-ENDING:]
    if not text.isascii():
        # Lone surrogates: no mail can carry them.
        text = text.encode("utf-8", "backslashreplace").decode()
    return text.rstrip("\r\n").replace("\r\n", "\n").replace("\n", "\n\t")


# Records come many in a second.
@lru_cache(maxsize=64)
def _stamp(second: int) -> str:
    time = moment(second, None)
    return f"{MONTHS[time.month - 1]} {time.day:2} {time:%H:%M:%S}"


# Loggers are few; where names come from outside, a bound all the same.
@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    plain = "".join(char if char.isalnum() or char in _PLAIN else "_" for char in name[:100])
    # A header's program begins with no digit, and "-" stands for none (RFC 5424 section 6).
    return f"_{plain}" if not plain or plain[0].isdigit() or plain == "-" else plain
