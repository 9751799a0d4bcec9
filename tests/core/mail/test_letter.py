"""The text of a mail: what it says, in which order, and how it looks in 80 columns and in 40."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compose import BERLIN, TEN, burst, composed, content, text

from burstmail.core.escape import visible
from burstmail.core.keep import Keep
from burstmail.core.mail.letter import blocks, letter, rest
from burstmail.core.mail.report import Report
from burstmail.core.model import Batch, CloseReason, Outage
from burstmail.core.patterns.masks import Masker
from burstmail.core.patterns.tally import Tally
from burstmail.core.session import Session, Window
from burstmail.core.timeline import Timeline

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


def test_in_the_night_in_which_the_clocks_change_the_zone_is_named_where_it_is_another() -> None:
    # 2026-10-25 02:59:40 in Berlin, in summer time; twenty seconds later it is two o'clock again.
    at = 1792889980.0
    times = {"first": at, "last": at + 30, "closed": at + 35, "time": at + 35, "resume": at - 35 + 3600 * 24}
    late = outage(at - 86400, at)
    made = composed(burst("a", "b", outage=late, **times), zone=ZoneInfo("Europe/Berlin"))
    assert content(made).split("\n\n")[1].split("\n")[:4] == [
        "First line: 02:59:40, Sun 25 Oct 2026 (UTC+02:00).",
        "Last line: 02:00:10 (UTC+01:00); then it was quiet for 5 s.",
        "Delivery was down from 02:59:40, Sat 24 Oct 2026 (UTC+02:00), to 02:59:40 (UTC+02:00) (1 d): "
        "3 mails were late for it.",
        "Next: no further mail about this before 01:59:05, Mon 26 Oct 2026. "
        "Lines that come until then are held and counted, not lost.",
    ]


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
    assert [line.partition(":")[0] for line in found[2:]] == ["Next", "Shown", "Note", "Note"]
    assert found[-2:] == ["Note: The store is full.", "Note: It works again."]


@pytest.mark.parametrize(("count", "more"), [(5, []), (6, ["Note: and 1 more."]), (1005, ["Note: and 1,000 more."])])
def test_five_notes_are_told_and_the_others_counted(count: int, more: list[str]) -> None:
    found = told(notes=tuple(f"n{number}" for number in range(count)))
    assert found[3:] == [f"Note: n{number}" for number in range(5)] + more


@given(notes=st.lists(st.text(st.characters(), min_size=1, max_size=2000), min_size=1, max_size=5))
def test_a_note_is_one_visible_line_whatever_is_in_it(notes: list[str]) -> None:
    found = told(notes=tuple(notes))
    assert len(found) == 3 + len(notes)
    assert all(line.startswith("Note: ") for line in found[3:])
    assert all(visible(line) == line and len(line) < 520 for line in found)


def test_without_trouble_nothing_is_said_of_it() -> None:
    found = text(burst("a", "b"))
    assert not any(word in found for word in ("Delivery", "Note:", "held back"))


def log(*lines: str, seconds: float = 1.0, keep: Keep | None = None, **options: Any) -> Report:
    """The report of lines that came one after the other, `seconds` apart."""
    session = Session(Window(gap=5, max_age=9e9), keep or Keep(), masker=Masker())
    for number, line in enumerate(lines):
        session.feed(Batch.of(line, time=TEN + number * seconds), number * seconds)
    (burst,) = session.poll(1e9)
    return Report.of(burst, **{"signature": "burstmail", "zone": BERLIN, **options})


def flood(count: int = 40) -> list[str]:
    lines = [
        f"<38>Nov 23 10:00:00 web1 sshd[{n}]: Failed password for root from 192.0.2.{n % 7} port {n}"
        for n in range(count)
    ]
    return [*lines, "<34>Nov 23 10:00:09 web1 kernel: Out of memory"]


def test_a_flood_is_told_like_this() -> None:
    assert letter(log(*flood(), keep=Keep(head=2, tail=1), attach=9999)) == (
        """\
41 lines from web1 sshd and 1 other program in 40 s.
Worst: crit (1 line); info 40.
  Out of memory

  ████████████████████▄
  10:00:00 to 10:00:40: each bar is 2 s, the highest 2 lines.

First line: 10:00:00, Mon 23 Nov 2026 (UTC+01:00).
Last line: 10:00:40; then it was quiet for 5 s.
Shown: 3 of 41 lines: the first 2 and the last 1. Left out: 38.
Attached: burst.log.gz has all 41 lines.

41 lines by what they say:
  40  sshd: Failed password for root from <ip> port <n> (info, 7 addresses)
   1  kernel: Out of memory (crit, 10:00:40)

  info    Nov 23 10:00:00 web1 sshd[0]: Failed password for root from 192.0.2.0 port 0
  info    Nov 23 10:00:00 web1 sshd[1]: Failed password for root from 192.0.2.1 port 1
[38 lines left out here]
  crit    Nov 23 10:00:09 web1 kernel: Out of memory

--\x20
burstmail
"""
    )


def test_what_matters_most_stands_below_how_bad_it_is() -> None:
    trace = [f"<35>kernel:  frame {chr(97 + n) * 5}" for n in range(20)]
    found = letter(log("<35>kernel: Oops", *trace, "<34>kernel: Kernel panic\x1b", seconds=0.01))
    assert found.startswith("22 lines in 0.2 s.\nWorst: crit (1 line); err 21.\n  kernel: Kernel panic\\x1b\n\n")


def test_nothing_is_told_twice_in_the_first_rows() -> None:
    # The first pattern or line says it; and few lines are read as fast.
    assert log(*flood()[:-1]).patterns and not log(*flood()[:-1]).news
    assert not log(*(f"<{n + 16}>a" for n in range(20))).news
    assert log(*("b", "<34>a", *"cdefghijklmnopqrstuv")).news == "a"
    assert not log(*("<34>a", *"bcdefghijklmnopqrstuv")).news


def test_what_is_seldom_stands_apart() -> None:
    lines = [f"{' '.join([chr(97 + n) * 4] * (5 + n))} {m}" for n in range(14) for m in range(40 - n)]
    found = blocks(log(*lines, "disk failed", "fan failed badly", seconds=0.01))["patterns"].split("\n")
    assert found[-3:] == ["Seldom:", "    1  disk failed (10:00:04)", "    1  fan failed badly (10:00:04)"]
    assert re.fullmatch("  114  other lines, in 4 patterns", found[-4])


def test_what_does_not_fit_in_a_row_stands_under_it() -> None:
    long = "x" * 45
    found = blocks(log(*(f"{long} from 192.0.2.{n} z" for n in range(30))))["patterns"].split("\n")
    assert found[1:] == [f"  30  {long} from <ip> z (30 addresses)"]
    found = blocks(log(*(f"{long}y from 192.0.2.{n} z" for n in range(30))))["patterns"].split("\n")
    assert found[1:] == [f"  30  {long}y from <ip> z", "      30 addresses"]


def test_few_lines_need_no_overview() -> None:
    found = letter(log("a 1", "a 2", "a 3"))
    assert found.count("\n\n") == 3
    assert "by what they say" not in found and "each bar" not in found


def test_a_pattern_of_which_no_line_is_shown_has_an_example() -> None:
    lines = [
        *(f"a {n}" for n in range(30)),
        "disk sda1 failed",
        *(f"a {n}" for n in range(30)),
        "disk sdb7 failed",
        "a 1",
    ]
    found = letter(log(*lines, keep=Keep(head=3, tail=3)))
    assert "  61  a <n>\n   2  " in found
    assert re.search(r"\n   2  disk .* failed \(.*10:00:30 to 10:01:01\)\n      e.g. disk sda1 failed\n", found)


@pytest.mark.parametrize(
    ("counts", "bars"),
    [
        ((1, 0, 8), "▁·█"),
        ((1, 2, 3, 4, 5, 6, 7, 8), "▁▂▃▄▅▆▇█"),
        ((1, 1_000_000), "▁█"),
        (tuple(range(1, 61)), "▁▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▆▆▆▆▇▇▇▇████"),
    ],
)
def test_any_line_at_all_is_seen_in_the_bars(counts: tuple[int, ...], bars: str) -> None:
    report = replace(log("a"), timeline=Timeline(width=1.0, start=int(TEN), counts=counts))
    assert blocks(report)["timeline"].split("\n")[0] == "  " + bars


@pytest.mark.parametrize(("width", "words"), [(0.125, "1/8 s"), (0.5, "1/2 s"), (1.0, "1 s"), (64.0, "1 min 4 s")])
def test_the_width_of_a_bar_is_told(width: float, words: str) -> None:
    report = replace(log("a"), timeline=Timeline(width=width, start=0, counts=(1, 1, 1)))
    assert f": each bar is {words}, the highest 1 line." in blocks(report)["timeline"]


def test_our_own_rows_fit_a_telephone() -> None:
    parts = blocks(log(*flood(400), seconds=0.3))
    rows = [*parts["timeline"].split("\n")[:1], *parts["severity"].split("\n")]
    assert max(map(len, rows)) <= 40


def test_what_is_in_no_row_is_counted() -> None:
    found = letter(log(*(f"{' '.join([chr(97 + word) * 4] * (word + 4))} {n}" for word in range(16) for n in range(3))))
    rows = [int(row) for row in re.findall(r"(?m)^ +(\d+)  (?! )", found)]
    assert sum(rows) == 48
    assert re.search(r"\n  12  other lines, in 4 patterns\n", found)


def test_what_fits_no_pattern_is_said_to_be_of_unknown_number() -> None:
    report = replace(log(*flood()), other=17, more_patterns=1)
    assert rest(report) == "other lines, in 1 pattern"
    assert rest(replace(report, other=1, more_patterns=0)) == "other line"
    tally = Tally(limit=2)
    for n, word in enumerate(("alpha", "bravo", "charlie", "delta")):
        tally.add(f"{word}\n" * (9 - n), 9 - n, 0.0)
    assert tally.other
    assert rest(replace(report, burst=replace(report.burst, tally=tally))) == "other lines, in 1 pattern or more"


def test_blocks_are_the_parts_of_the_text() -> None:
    report = log(*flood(), keep=Keep(head=2, tail=1), attach=9999, notes=["Something."])
    parts, whole = blocks(report), letter(report)
    assert all(part in whole for part in parts.values())
    assert parts["lines"] == "\n".join((parts["head"], parts["gap"], parts["tail"]))
    assert (parts["left_out"], parts["notes"], parts["sources"]) == ("38", "Note: Something.", "")


def test_a_mail_that_is_urgent_says_why_it_came_at_once() -> None:
    lines = told(reason=CloseReason.URGENT, urgent=True)
    assert lines[1] == "Last line: 10:00:38; more may follow: this mail was sent at once, because a line is urgent."


@pytest.mark.parametrize(
    ("below", "words"),
    [
        (1, "1 other line was not mailed, because too few came at a time."),
        (1204, "1,204 other lines were not mailed, because too few came"),
    ],
)
def test_lines_below_the_threshold_are_counted_beside_those_of_the_mail(below: int, words: str) -> None:
    lines = told(below=below)
    assert lines[2].startswith(f"Below the threshold: {words}")
    assert lines[3] == "Shown: all 2 lines, none left out."


def test_the_route_is_named_and_its_name_is_one_line() -> None:
    assert told(route="usb")[2] == "Route: usb."
    assert "\n" not in told(route="a\nb")[2]


def test_what_an_urgent_mail_may_do_is_said_where_the_next_is_announced() -> None:
    (words,) = [line for line in told(resume=TEN + 99, sooner=True) if line.startswith("Next: ")]
    assert words.startswith("Next: no further mail about this before 10:01:39, unless it is urgent. Lines that")
