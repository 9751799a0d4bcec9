"""Numbers and times -> words. How a mail says how many, how long and when.

Always the same whatever the machine's locale is set to: the words of a mail are English, and a header is no place for
another alphabet. Limits: moments outside the years 1970 to 9998, which no calendar here can show, are drawn in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Below this a burst came at once, and how long it took says nothing to a person.
AT_ONCE = 0.05

# 9998-12-31: one year of room for the zone and for the calendar's own limit.
LATEST = 253370764800.0


def number(value: int) -> str:
    """With commas between thousands: "1,234"."""
    return f"{value:,}"


def plural(count: int, noun: str) -> str:
    """The number and its noun: "1 line", "1,234 lines"."""
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def duration(seconds: float) -> str:
    """Seconds as a person says them: "0.4 s", "38 s", "2 min 5 s", "14 min", "3 h 10 min", "2 d 1 h".

    Negative ones, which a stepping wall clock makes, are "0 s".
    """
    if not seconds > 0:
        return "0 s"
    if seconds < 0.05:
        return "less than 0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < 599.5:
        return _two(round(seconds), 60, "min", "s")
    minutes = round(min(seconds, LATEST) / 60)
    if minutes < 1440:
        return _two(minutes, 60, "h", "min")
    return _two(round(minutes / 60), 24, "d", "h")


def _two(value: int, size: int, large: str, small: str) -> str:
    above, below = divmod(value, size)
    words = ([f"{number(above)} {large}"] if above else []) + ([f"{below} {small}"] if below else [])
    return " ".join(words)


def moment(time: float, zone: tzinfo | None) -> datetime:
    """Wall-clock seconds as date and time in the zone; None is the machine's own. Fractions are cut off."""
    from datetime import UTC, datetime

    seconds = int(min(max(0.0, time), LATEST))
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone)


def offset(when: datetime, colon: str = ":") -> str:
    """The zone as hours and minutes from UTC: "+01:00"."""
    shift = when.utcoffset()
    minutes = 0 if shift is None else round(shift.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{colon}{rest:02}"


def zone_name(when: datetime) -> str:
    """The zone as a person in another one can use it: "UTC", "UTC+01:00"."""
    return "UTC" if offset(when) == "+00:00" else f"UTC{offset(when)}"


def clock(when: datetime) -> str:
    """The time of day: "10:00:38"."""
    return f"{when:%H:%M:%S}"


def day(when: datetime) -> str:
    """The date, which every reader takes the same way: "Mon 23 Nov 2026"."""
    return f"{DAYS[when.weekday()]} {when.day} {MONTHS[when.month - 1]} {when.year}"


def header_date(when: datetime) -> str:
    """For the Date header (RFC 5322 section 3.3): "Mon, 23 Nov 2026 10:00:38 +0100"."""
    date = f"{DAYS[when.weekday()]}, {when.day} {MONTHS[when.month - 1]} {when.year}"
    return f"{date} {clock(when)} {offset(when, '')}"
