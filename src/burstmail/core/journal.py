"""A journal entry -> lines. What `journalctl -o json` tells of one entry, as syslog lines.

Fields are as systemd.journal-fields(7) has them, their values as journalctl's JSON does: text; an array of numbers for
bytes that are no printable text; an array of such values for a field that is there more than once; null for one it does
not show. All but what begins with `_` is written by whoever logs, so none of it may end a line or a name.
The first line of a message carries the header; each further one is indented by a tab, and so is no message of its own.
Limits: 128 characters for a program, 255 for a host; nothing here fails on any entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

# What is asked for; the cursor and the time always come.
FIELDS = (
    *("MESSAGE", "PRIORITY", "SYSLOG_FACILITY", "SYSLOG_IDENTIFIER", "SYSLOG_PID"),
    *("_COMM", "_PID", "_HOSTNAME"),
)
CURSOR = "__CURSOR"
TIME = "__REALTIME_TIMESTAMP"

# What journald itself puts in for a missing facility when it forwards to syslog, and syslog(3) when none is given.
USER = 1

# Characters. RFC 3164 has none of these limits; they are what core/fields.py reads.
PROGRAM = 128
HOST = 255
# Of the largest number in a journal, which has 64 bits.
DIGITS = 20

# A blank, a colon or a bracket would end a name, a control character the line.
_NO_NAME = dict.fromkeys((*range(33), 58, 91, 93, 127), "_")


def lines_of(entry: Mapping[str, object], zone: tzinfo | None = None) -> str:
    """`<PRI>TIME HOST PROGRAM[PID]: MESSAGE`, each line ended by a newline; times are of `zone`, else local."""
    program = _text(entry.get("SYSLOG_IDENTIFIER")) or _text(entry.get("_COMM"))
    others = ("PRIORITY", "SYSLOG_FACILITY", "SYSLOG_PID", "_PID")
    before, after = _header(
        _text(entry.get("_HOSTNAME"))[:HOST],
        program[:PROGRAM],
        # One character more than a number can have: what is longer is none, and is not to be kept.
        *(_text(entry.get(name))[: DIGITS + 1] for name in others),
    )
    message = "[not shown: it is too large]" if entry.get("MESSAGE", "") is None else _text(entry.get("MESSAGE"))
    # A newline at the end ends the message, as it ends a line; an empty line inside stays one.
    body = message.rstrip("\n").replace("\n", "\n\t")
    return f"{before}{_stamp(entry.get(TIME), zone)}{after}{body}\n"


def same(one: str, other: str) -> bool:
    """Whether two cursors are of one entry.

    A journal that is copied (`journalctl --flush`) numbers its entries anew; boot, both times and the hash of the
    content stay. Inside one numbering the number decides.
    """
    a, b = _parts(one), _parts(other)
    if "s" in a and a["s"] == b.get("s"):
        return a.get("i") == b.get("i")
    return all(a.get(name) == b.get(name) is not None for name in "bmtx")


def usable(cursor: object) -> bool:
    """Whether this can be a cursor: journalctl refuses any other, again and again."""
    if not isinstance(cursor, str) or len(cursor) > 500:
        return False
    parts = _parts(cursor)
    hexadecimal = all(value and not value.strip("0123456789abcdef") for value in parts.values())
    return hexadecimal and ({"s", "i"} <= parts.keys() or {"b", "m"} <= parts.keys() or "t" in parts)


def _parts(cursor: str) -> dict[str, str]:
    """The parts of `s=...;i=...;b=...;m=...;t=...;x=...`."""
    pairs = (part.partition("=") for part in cursor.split(";"))
    return {name: value for name, _, value in pairs}


def _text(value: object) -> str:
    """The text of a field, with a newline between the values of one that is there more than once."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    bytes_ = _decoded(value)
    return "\n".join(_one(each) for each in value) if bytes_ is None else bytes_


def _one(value: object) -> str:
    if isinstance(value, str):
        return value
    return (_decoded(value) if isinstance(value, list) else None) or ""


def _decoded(numbers: list[object]) -> str | None:
    """The text of an array of bytes; None if it is none."""
    try:
        return bytes(numbers).decode("utf-8", "backslashreplace")  # type: ignore[arg-type]  # that is what is tried
    except (TypeError, ValueError):
        return None


# A few programs write most of a journal, under many process ids.
@lru_cache(maxsize=4096)
def _header(host: str, program: str, priority: str, facility: str, *pids: str) -> tuple[str, str]:
    """What stands before the time, and what behind it."""
    severity = _number(priority, 8)
    kind = _number(facility, 24)
    before = "" if severity is None else f"<{8 * (USER if kind is None else kind) + severity}>"
    pid = next((pid for pid in pids if _number(pid, 2**31)), "")
    process = f"[{pid}]" if pid else ""
    return before, f" {_name(host)} {_name(program)}{process}: "


def _number(text: str, limit: int) -> int | None:
    """The number, below the limit, that the text is."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        return None
    return value if (value := int(text)) < limit else None


def _name(text: str) -> str:
    """The text as one word; `-`, which stands for nothing (RFC 5424 section 6), where there is none."""
    return text.translate(_NO_NAME) or "-"


def _stamp(microseconds: object, zone: tzinfo | None) -> str:
    """ISO 8601 with microseconds and the offset. A time that is none is the beginning of time."""
    seconds, rest = divmod(_number(_text(microseconds), 2**63) or 0, 1_000_000)
    day, offset = _second(seconds, zone)
    return f"{day}.{rest:06d}{offset}"


@lru_cache(maxsize=64)
def _second(seconds: int, zone: tzinfo | None) -> tuple[str, str]:
    try:
        text = datetime.fromtimestamp(seconds, UTC).astimezone(zone).isoformat()
    except (OSError, OverflowError, ValueError):
        text = "1970-01-01T00:00:00+00:00"
    return text[:19], text[19:]
