"""What a mail says of its own way to the reader: outages, waits and notes. The rest stands in test_compose.py."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compose import TEN, burst, text

from burstmail.core.escape import visible
from burstmail.core.model import Outage

HOUR = 3600.0
# The mail left at 13:15:43.
NOON = {"first": TEN, "last": TEN + 38, "closed": TEN + 43, "time": TEN + 3.25 * HOUR + 43}


def told(**fields: Any) -> list[str]:
    """The sentences about the mail, between the opening and the lines."""
    return text(burst("a", "b", **fields)).split("\n\n")[1].split("\n")


def outage(since: float = TEN, until: float = TEN + 3.25 * HOUR, mails: int = 3) -> Outage:
    return Outage(since=since, until=until, mails=mails)


def test_the_first_mail_after_an_outage_says_how_long_it_was_and_what_was_late() -> None:
    assert told(outage=outage(), **NOON) == [
        "First line: 10:00:00, Mon 23 Nov 2026 (UTC+01:00).",
        "Last line: 10:00:38; then it was quiet for 5 s.",
        "Delivery was down from 10:00:00 to 13:15:00 (3 h 15 min): 3 mails were late for it.",
        "Shown: all 2 lines, none left out.",
    ]


@pytest.mark.parametrize(
    ("mails", "words"),
    [(0, "no mail was late for it."), (1, "1 mail was late for it."), (4312, "4,312 mails were late for it.")],
)
def test_late_mails_are_counted(mails: int, words: str) -> None:
    assert told(outage=outage(mails=mails), **NOON)[2].endswith(f"(3 h 15 min): {words}")


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (TEN - 86400, TEN, "from 10:00:00, Sun 22 Nov 2026, to 10:00:00 (1 d): 3 mails"),
        (
            TEN - 2 * 86400,
            TEN - 86400 + 9.4,
            "from 10:00:00, Sat 21 Nov 2026, to 10:00:09, Sun 22 Nov 2026, (1 d): 3 mails",
        ),
        # A wall clock that was set back.
        (TEN, TEN - 99, "from 10:00:00 to 09:58:21 (0 s): 3 mails"),
    ],
)
def test_days_of_an_outage_are_named_where_they_are_not_the_mails(since: float, until: float, words: str) -> None:
    assert f"Delivery was down {words}" in told(outage=outage(since, until), **NOON)[2]


@pytest.mark.parametrize(
    ("waited", "paused", "words"),
    [
        (847.0, 0.0, "held back for 14 min, to keep mails few."),
        (847.0, 0.9, "held back for 14 min, to keep mails few."),
        (11700.0, 11699.5, "held back for 3 h 15 min, because mails before it had not been delivered."),
        (
            12000.0,
            11700.0,
            "held back for 3 h 20 min, 3 h 15 min of it because mails before it had not been delivered.",
        ),
    ],
)
def test_a_mail_says_why_it_was_held(waited: float, paused: float, words: str) -> None:
    assert f"Put together: 12 bursts, the first {words}" in told(bursts=12, waited=waited, paused=paused)
    assert f"Late: {words}" in told(waited=waited, paused=paused)


def test_an_outage_stands_before_the_wait_it_explains() -> None:
    found = told(outage=outage(), bursts=12, waited=11700.0, paused=11700.0, **NOON)
    assert [line.partition(" ")[0] for line in found] == ["First", "Last", "Delivery", "Put", "Shown:"]


def test_notes_stand_behind_the_facts_and_before_the_lines() -> None:
    found = told(notes=("The store is full.", "It works again."), resume=TEN + 99)
    assert [line.partition(":")[0] for line in found[2:]] == ["Shown", "Next", "Note", "Note"]
    assert found[-2:] == ["Note: The store is full.", "Note: It works again."]


@pytest.mark.parametrize(("count", "more"), [(5, []), (6, ["Note: and 1 more."]), (1005, ["Note: and 1,000 more."])])
def test_five_notes_are_told_and_the_others_counted(count: int, more: list[str]) -> None:
    found = told(notes=tuple(f"n{number}" for number in range(count)))
    assert found[3:] == [f"Note: n{number}" for number in range(5)] + more


@given(notes=st.lists(st.text(st.characters(), max_size=2000), min_size=1, max_size=5))
def test_a_note_is_one_visible_line_whatever_is_in_it(notes: list[str]) -> None:
    found = told(notes=tuple(notes))
    assert len(found) == 3 + len(notes)
    assert all(line.startswith("Note: ") for line in found[3:])
    assert all(visible(line) == line and len(line) < 520 for line in found)


def test_without_trouble_nothing_is_said_of_it() -> None:
    found = text(burst("a", "b"))
    assert not any(word in found for word in ("Delivery", "Note:", "held back"))
