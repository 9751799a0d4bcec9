"""Stamp -> seconds. The time of a line, as text in any of the forms of forms.py.

RFC 3164 section 4.1.2 has neither year nor zone: the year is the one that brings it closest to a reference, the zone is
told by the caller. Of zones' names only those of UTC count: the others mean different things in different countries.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9})[0-9]*+)?"
_ZONE = r"(?:(?P<utc>Z| ?UTC| ?GMT)|(?P<zone> ?[+-][0-9]{2}:?(?:[0-9]{2})?)| ?[A-Z]{2,5}|)"
_NAMED = r"(?P<name>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2})"
_FORMS = (
    rf"(?:[A-Z][a-z]{{2}} )?(?P<year>[0-9]{{4}})[-/](?P<month>[0-9]{{2}})[-/](?P<day>[0-9]{{2}})[ T]{_CLOCK}{_ZONE}",
    rf"(?:[A-Z][a-z]{{2}} )?{_NAMED} {_CLOCK}{_ZONE} (?P<year>[0-9]{{4}})",
    rf"{_NAMED} (?P<year>[0-9]{{4}}) {_CLOCK}{_ZONE}",
    rf"(?P<year>[0-9]{{4}}) {_NAMED} {_CLOCK}{_ZONE}",
    rf"(?P<year>){_NAMED} {_CLOCK}{_ZONE}",
)
# Eight years are the longest between two 29ths of February (1896, 1904).
_YEARS = range(-8, 9)


def moment(stamp: str, reference: float, zone: tzinfo | None = None) -> float | None:
    """Seconds since 1970; None if the stamp is none, or counts from the start of a machine.

    `zone` is for stamps without one; None: UTC, for which zone the machine is in cannot be known here.
    """
    if re.fullmatch(r"[0-9]{10}\.[0-9]{6}", stamp):
        return float(stamp)
    found = next((match for form in _FORMS if (match := re.fullmatch(form, stamp))), None)
    return None if found is None else _moment(found.groupdict(), reference, _zone(found, zone))


def _zone(found: re.Match[str], zone: tzinfo | None) -> tzinfo:
    parts = found.groupdict()
    if offset := parts.get("zone"):
        digits = offset.replace(":", "").strip()
        minutes = int(digits[1:3]) * 60 + int(digits[3:5] or 0)
        # More than a day is no zone; what is meant then is anybody's guess.
        return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes)) if minutes < 1440 else UTC
    return UTC if parts.get("utc") else zone or UTC


def _moment(parts: dict[str, str | None], reference: float, zone: tzinfo) -> float | None:
    name = parts.get("name")
    if name is not None and name not in _MONTHS:
        return None
    month = _MONTHS.index(name) + 1 if name is not None else int(parts["month"] or 0)
    clock = [month, *(int(parts[part] or 0) for part in ("day", "hour", "minute"))]
    second = int(parts["second"] or 0)
    # 60 is a leap second.
    if second > 60:
        return None
    rest = second + float(f"0.{parts['fraction'] or 0}")
    if parts["year"]:
        years = [int(parts["year"])]
    else:
        now = datetime.fromtimestamp(reference, zone).year
        years = [now + step for step in (_YEARS if clock[:2] == [2, 29] else (-1, 0, 1))]
    times = [time + rest for year in years if (time := _seconds(year, clock, zone)) is not None]
    return min(times, key=lambda time: abs(time - reference), default=None)


def _seconds(year: int, clock: list[int], zone: tzinfo) -> float | None:
    month, day, hour, minute = clock
    try:
        return datetime(year, month, day, hour, minute, tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        return None
