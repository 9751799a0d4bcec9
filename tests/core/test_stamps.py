"""Times from stamps: the year that is not there, zones, and dates that no calendar has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.stamps import moment

EAST = timezone(timedelta(hours=2))


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


NOW = at("2026-11-23T12:00:00Z")


@pytest.mark.parametrize(
    ("stamp", "reference", "time"),
    [
        ("Nov 23 12:00:00", "2026-11-23T12:00:05Z", "2026-11-23T12:00:00Z"),
        ("Dec 31 23:59:59", "2027-01-01T00:00:01Z", "2026-12-31T23:59:59Z"),
        ("Jan  1 00:00:01", "2026-12-31T23:59:58Z", "2027-01-01T00:00:01Z"),
        ("Jun  1 00:00:00", "2026-11-23T12:00:00Z", "2026-06-01T00:00:00Z"),
        ("Feb 29 12:00:00", "2026-11-23T12:00:00Z", "2028-02-29T12:00:00Z"),
        ("Feb 29 12:00:00", "2101-01-01T00:00:00Z", "2104-02-29T12:00:00Z"),
        ("Feb 29 12:00:00", "1900-06-01T00:00:00Z", "1904-02-29T12:00:00Z"),
    ],
)
def test_the_year_is_the_one_that_is_closest(stamp: str, reference: str, time: str) -> None:
    assert moment(stamp, at(reference)) == at(time)


@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)), st.integers(-180 * 86400, 180 * 86400))
def test_a_stamp_without_its_year_is_found_again_within_half_a_year(when: datetime, away: int) -> None:
    time = when.replace(microsecond=0, tzinfo=UTC).timestamp()
    assert moment(f"{when:%b} {when.day:2d} {when:%H:%M:%S}", time + away) == time


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
        ("2026-11-23T12:00:00", "2026-11-23T10:00:00Z"),
        ("2026-11-23T12:00:00+01:00", "2026-11-23T11:00:00Z"),
        ("2026-11-23T12:00:00-0730", "2026-11-23T19:30:00Z"),
        ("2026-11-23 12:00:00+01", "2026-11-23T11:00:00Z"),
        ("2026-11-23 12:00:00 +0100", "2026-11-23T11:00:00Z"),
        ("2026-11-23 12:00:00,250", "2026-11-23T10:00:00.25Z"),
        ("2026/11/23 12:00:00", "2026-11-23T10:00:00Z"),
        ("Mon 2026-11-23 12:00:00 UTC", "2026-11-23T12:00:00Z"),
        ("Mon 2026-11-23 12:00:00 CEST", "2026-11-23T10:00:00Z"),
        ("Mon Nov 23 12:00:00 2026", "2026-11-23T10:00:00Z"),
        ("Nov 23 2026 12:00:00.5 UTC", "2026-11-23T12:00:00.5Z"),
        ("2026 Nov 23 12:00:00", "2026-11-23T10:00:00Z"),
        ("Nov 23 12:00:00.123 GMT", "2026-11-23T12:00:00.123Z"),
        ("Nov 23 12:00:00", "2026-11-23T10:00:00Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"),
        ("1795435200.500000", "2026-11-23T12:00:00.5Z"),
    ],
)
def test_the_zone_is_its_own_or_else_the_callers(stamp: str, time: str) -> None:
    assert moment(stamp, NOW, EAST) == pytest.approx(at(time), abs=1e-6)


def test_without_any_zone_it_is_utc() -> None:
    assert moment("2026-11-23T12:00:00", NOW) == NOW


def test_summer_time_is_that_of_its_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert moment("Jul  1 12:00:00", NOW, berlin) == at("2026-07-01T10:00:00Z")
    assert moment("Nov 23 13:00:00", NOW, berlin) == NOW


@pytest.mark.parametrize(
    "stamp",
    [
        *("", "-", "12345.678901", "Feb 30 12:00:00", "Xyz  1 12:00:00", "Nov 23 25:00:00", "Nov 23 12:60:00"),
        *("Nov 23 12:00:61", "Nov  0 12:00:00", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "Nov 23 120000::"),
        *("2026-02-29T00:00:00Z", "2026-11-23T12:00:00Z trailing", "2026 Xyz 23 12:00:00"),
    ],
)
def test_what_no_calendar_has_is_no_time(stamp: str) -> None:
    assert moment(stamp, NOW) is None


def test_an_offset_of_more_than_a_day_is_none() -> None:
    assert moment("2026-11-23T12:00:00+99:00", NOW, EAST) == NOW


def test_the_edges_of_the_calendar_are_no_error() -> None:
    assert moment("0001-01-01T00:00:00+12:00", NOW) is not None
    assert moment("9999-12-31T23:59:59", NOW) is not None
    assert moment("Dec 31 23:59:59", at("9999-12-31T23:00:00Z")) is not None


PIECES = st.sampled_from([*"0123456789", "Nov", "Feb", " ", ":", "-", "+", "T", "Z", ".", ",", "/", "UTC", "12:00:00"])


@given(st.lists(PIECES, max_size=30).map("".join))
def test_nothing_fails_on_any_text(stamp: str) -> None:
    time = moment(stamp, NOW)
    assert time is None or isinstance(time, float)
