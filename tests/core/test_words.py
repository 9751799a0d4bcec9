"""How many, how long, when: in words that every reader takes the same way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.words import clock, day, duration, header_date, moment, number, plural, zone_name

BERLIN = timezone(timedelta(hours=1))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def machine_in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3.0, "0 s"),
        (nan, "0 s"),
        (0.0, "0 s"),
        (0.001, "less than 0.1 s"),
        (0.4, "0.4 s"),
        (4.98, "5 s"),
        (5.0000002, "5 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (38.4, "38 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (599.4, "9 min 59 s"),
        (599.6, "10 min"),
        (847, "14 min"),
        (3599, "1 h"),
        (11400, "3 h 10 min"),
        (86400, "1 d"),
        (90000, "1 d 1 h"),
        (86400 * 12345, "12,345 d"),
        (inf, "2,932,532 d"),
    ],
)
def test_a_duration_is_said_as_a_person_says_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@given(st.floats(0, 1e7))
def test_a_duration_is_off_by_less_than_a_twentieth(seconds: float) -> None:
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    words = duration(seconds).removeprefix("less than ").replace(",", "").split()
    said = sum(float(value) * units[unit] for value, unit in zip(words[::2], words[1::2], strict=True))
    assert abs(said - seconds) <= max(0.1, seconds / 20)


def test_numbers_have_commas_and_nouns_an_s() -> None:
    assert [number(7), number(4312), plural(1, "line"), plural(0, "line")] == ["7", "4,312", "1 line", "0 lines"]
    assert plural(1234567, "burst") == "1,234,567 bursts"


def test_a_moment_has_clock_day_and_zone() -> None:
    when = moment(NOON + 0.9, BERLIN)
    assert (clock(when), day(when), zone_name(when)) == ("13:00:00", "Mon 23 Nov 2026", "UTC+01:00")
    assert header_date(when) == "Mon, 23 Nov 2026 13:00:00 +0100"


@pytest.mark.parametrize(
    ("zone", "name", "header"),
    [
        (UTC, "UTC", "+0000"),
        (timezone(-timedelta(hours=3, minutes=30)), "UTC-03:30", "-0330"),
        (timezone(timedelta(hours=5, minutes=30)), "UTC+05:30", "+0530"),
    ],
)
def test_a_zone_is_hours_and_minutes(zone: timezone, name: str, header: str) -> None:
    when = moment(NOON, zone)
    assert zone_name(when) == name
    assert header_date(when).endswith(f" {header}")


def test_without_a_zone_it_is_the_machines_own(machine_in_kolkata: None) -> None:
    assert header_date(moment(NOON, None)) == "Mon, 23 Nov 2026 17:30:00 +0530"


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(-1439, 1439))
def test_every_number_is_some_moment(time: float, minutes: int) -> None:
    when = moment(time, timezone(timedelta(minutes=minutes)))
    assert 1969 <= when.year <= 9999
    assert parsedate_to_datetime(header_date(when)) == when
