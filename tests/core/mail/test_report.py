"""What a mail says of a burst: visible, one line each, and with numbers that add up."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compose import BERLIN, TEN, burst, ssh

from burstmail.core.escape import visible
from burstmail.core.excerpt import Excerpt
from burstmail.core.keep import Keep
from burstmail.core.mail.overview import about
from burstmail.core.mail.report import Report
from burstmail.core.model import Batch, Burst, CloseReason
from burstmail.core.patterns.masks import Masker
from burstmail.core.session import Session, Window

MASKER = Masker()
STACK = ["java.lang.IllegalStateException: no", *(f"\tat org.example.Orders.run(Orders.java:{n})" for n in range(40))]


def session(*lines: str, seconds: float = 1.0, keep: Keep | None = None, masker: Masker | None = MASKER) -> Burst:
    machine = Session(Window(gap=5, max_age=9e9), keep or Keep(), masker=masker)
    for number, line in enumerate(lines):
        machine.feed(Batch.of(line, time=TEN + number * seconds), number * seconds)
    (made,) = machine.poll(1e9)
    return made


def report(*lines: str, keep: Keep | None = None, **options: Any) -> Report:
    return Report.of(session(*lines, keep=keep), zone=BERLIN, **options)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (CloseReason.GAP, "1 line from web1 sshd in 38 s."),
        (CloseReason.MAX_AGE, "1 line from web1 sshd in 38 s, and still going on."),
        (CloseReason.MAX_LINES, "1 line from web1 sshd in 38 s, and still going on."),
        (CloseReason.MAX_BYTES, "1 line from web1 sshd in 38 s, and still going on."),
        (CloseReason.END, "1 line from web1 sshd in 38 s."),
    ],
)
def test_the_first_sentence_says_whether_it_goes_on(reason: CloseReason, words: str) -> None:
    assert Report.of(burst(ssh(1), reason=reason)).opening == words


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["<34>a"], "Severity: crit."),
        (["<34>a", "<34>b"], "Severity: crit, all 2 lines."),
        (["<38>a", "<34>b", "<38>c"], "Worst: crit (1 line); info 2."),
        (["<35>a", "b", "<191>c", "<35>d"], "Worst: err (2 lines); debug 1, no severity 1."),
        (["<38>a", "<39>b"], "Severity: info (1 line); debug 1."),
        (["<192>a", "b"], ""),
        (["<35>a", "\tat b", "\tat b", " c"], "Severity: err, all 4 lines."),
        (["<35>a", "\tat b", "<36>c", "  d", "e"], "Worst: err (1 line); warning 1, further lines 2, no severity 1."),
    ],
)
def test_the_worst_severity_is_told_first_and_all_add_up(lines: list[str], sentence: str) -> None:
    found = report(*lines)
    assert found.severe == sentence
    assert (found.severity == "") == (sentence == "")
    # Where nothing has been counted, what is there is looked at.
    assert Report.of(session(*lines, masker=None)).severe == sentence


def test_lines_that_say_how_bad_they_are_do_not_go_on_from_another() -> None:
    """One pattern of both: no line is counted twice."""
    assert report("\tat b", "<34>\tat b").severe == "Worst: crit (1 line); no severity 1."
    assert report("\tat b", "<34>\tat b", "<34>\tat b", " d").severe == (
        "Worst: crit (2 lines); further lines 1, no severity 1."
    )


def test_severities_that_nobody_counted_are_not_guessed() -> None:
    assert Report.of(session("<34>a", "b", "c", keep=Keep(head=1, tail=1), masker=None)).severe == ""


def test_patterns_are_shown_where_they_say_more_than_the_lines() -> None:
    assert [(row.text, row.count) for row in report(*(f"a {n}" for n in range(21))).patterns] == [("a <n>", 21)]


@pytest.mark.parametrize(
    "lines",
    [
        [f"a {n}" for n in range(20)],
        STACK,
        [" ".join([chr(97 + n) * 4] * (n + 2)) for n in range(25)],
    ],
)
def test_patterns_are_not_shown_where_the_lines_say_as_much(lines: list[str]) -> None:
    found = report(*lines)
    assert (found.patterns, found.more_patterns, len(found.head)) == ((), 0, len(lines))


def test_the_clock_of_the_kernel_is_no_part_of_what_it_says() -> None:
    lines = [f"<6>Nov 23 10:00:00 h kernel: [{n:5}.{n:06}] usb {n}-4: gone" for n in range(30)]
    found = report(*lines, "<6>Nov 23 10:00:00 h kernel: [99999.000000] mouse found")
    assert [row.text for row in found.patterns] == ["usb <n>-<n>: gone", "mouse found"]
    assert report(*[f"a [{n}.000000] b" for n in range(30)]).patterns[0].text == "a [<n>] b"


def test_a_trace_that_comes_again_and_again_is_an_overview_of_its_own() -> None:
    found = report(*(STACK * 20), keep=Keep(head=9, tail=9))
    assert (found.patterns[0].count, found.patterns[1].count) == (800, 20)


WORDS = (
    *("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf"),
    *("hotel", "india", "juliett", "kilo", "lima", "mike", "november"),
)


def many(times: int = 3) -> list[str]:
    """14 messages that have nothing in common."""
    return [f"<38>{' '.join([word] * (5 + n))} {m}" for n, word in enumerate(WORDS) for m in range(times)]


def test_the_worst_is_shown_however_rare_it_is() -> None:
    common = report(*many())
    assert (len(common.patterns), common.seldom, common.more_patterns, common.other) == (12, (), 2, 6)
    found = report(*many(), "<38>x y z", "<34>disk on fire")
    assert [row.text for row in found.patterns] == [row.text for row in common.patterns[:11]]
    assert [(row.text, row.severity) for row in found.seldom] == [("disk on fire", "crit")]
    assert (found.more_patterns, found.other) == (4, 10)
    # What is no worse than the others has no claim, unless it is grave; neither has what is harmless.
    assert [row.text for row in report(*many(), "<36>slow disk").seldom] == ["slow disk"]
    assert report(*(line.replace("<38>", "<36>") for line in many()), "<36>x y z").seldom == ()
    assert report(*(line.replace("<38>", "<39>") for line in many()), "<37>x y z").seldom == ()


def test_what_is_rare_among_many_is_shown_too() -> None:
    noise = [f"<38>{' '.join([word] * (5 + n))} {m}" for n, word in enumerate(WORDS) for m in range(30 - n)]
    rare = ["<38>one two", "<38>three four five", "<38>six seven eight nine", "<38>ten eleven twelve thirteen ok"]
    found = report(*noise[:200], *rare, "<38>also rare but sixth here now", *noise[200:])
    assert len(found.patterns) == 8
    assert [row.count for row in found.seldom] == [1, 1, 1, 1]
    assert found.more_patterns == 7
    assert found.other == found.burst.count - 4 - sum(row.count for row in found.patterns)


def test_of_what_is_rare_the_quiet_programs_come_first() -> None:
    noise = [
        f"Nov 23 10:00:00 h sshd: {' '.join([word] * (5 + n))} {m}" for n, word in enumerate(WORDS) for m in range(30)
    ]
    odd = [f"Nov 23 10:00:00 h sshd: {' '.join([chr(97 + n) * 3] * (30 + n))}" for n in range(9)]
    found = report(*noise[:99], *odd, "Nov 23 10:00:00 h kernel: file system error", *noise[99:])
    assert ("kernel", "file system error") in [(row.program, row.text) for row in found.seldom]


@pytest.mark.parametrize(("grave", "shown"), [(1, 4), (4, 4), (5, 5), (6, 6), (9, 6)])
def test_what_is_grave_is_shown_first(grave: int, shown: int) -> None:
    noise = [f"<38>{' '.join([word] * (5 + n))} {m}" for n, word in enumerate(WORDS) for m in range(30 - n)]
    bad = [f"<34>{' '.join([chr(97 + n) * 3] * (30 + n))}" for n in range(grave)]
    mild = [f"<38>{' '.join([chr(107 + n) * 3] * (50 + n))}" for n in range(4)]
    found = report(*noise, *mild, *bad)
    assert [row.severity for row in found.seldom] == ["crit"] * min(grave, shown) + ["info"] * (
        shown - min(grave, shown)
    )
    assert len(found.patterns) == 12 - shown


def test_noise_does_not_hide_what_comes_often() -> None:
    noise = [" ".join([chr(97 + n % 26) * 4] * (n // 26 + 2)) for n in range(200)]
    often = ["Failed password for root"] * 90
    found = report(*noise[:50], *often, *noise[50:], keep=Keep(head=9, tail=9))
    assert (found.patterns[0].text, found.patterns[0].count) == ("Failed password for root", 90)
    assert report(*noise, keep=Keep(head=9, tail=9)).patterns == ()


def test_a_burst_of_which_nothing_is_kept_is_told_all_the_same() -> None:
    excerpt = Excerpt.of((), count=5)
    found = Report.of(replace(burst("x"), excerpt=excerpt), attach=9999)
    assert (found.head, found.tail, found.left_out) == ((), (), 5)
    assert found.facts[-1] == "Shown: none of 5 lines. Left out: 5."
    none = Report.of(replace(burst("x"), excerpt=Excerpt.of(())))
    assert (none.left_out, none.facts[-1]) == (0, "Shown: no lines, for there are none.")


def test_lines_that_a_hook_has_hidden_are_not_said_to_be_shown() -> None:
    hidden = "[not shown: the redact hook raised KeyError]"
    found = report("a", hidden, "[not shown]", hidden=True)
    assert found.facts[-1] == "Shown: all 3 lines, none left out. Hidden: 1 line, see the note."
    # A line that only looks like one.
    assert report("a", hidden).facts[-1] == "Shown: all 2 lines, none left out."


def test_a_rare_row_says_which_host_it_is_of() -> None:
    lines = [f"<38>Nov 23 10:00:00 web{n % 3} sshd[1]: login {n}" for n in range(40)]
    rare = "<34>Nov 23 10:00:00 web7 kernel: file system error"
    found = report(*lines, rare, rare, *lines)
    assert [(row.program, row.text) for row in found.patterns] == [
        ("sshd", "login <n>"),
        ("web7 kernel", "file system error"),
    ]
    # Of one host, of no host, of two hosts: nothing to say.
    assert (
        report(*[line.replace("web1", "web0").replace("web2", "web0") for line in lines]).patterns[0].program == "sshd"
    )
    assert report(*lines, rare, rare.replace("web7", "web8")).patterns[1].program == "kernel"
    assert report(*lines, "<34>lost", *lines).patterns[1].program == ""


def test_programs_are_counted_in_all_lines() -> None:
    lines = [f"<38>Nov 23 10:00:00 web1 {'sshd' if n < 30 else 'cron'}[1]: login {n}" for n in range(100)]
    found = report(*lines, "<38>Nov 23 10:00:00 web1 su: x", *lines[:9], keep=Keep(head=3, tail=3))
    assert found.opening.startswith("110 lines from web1 cron and 2 other programs in")
    alone = session(*lines, *lines[:9], keep=Keep(head=3, tail=3), masker=None)
    assert Report.of(alone).opening.startswith("109 lines from web1 sshd in")


def test_an_example_is_given_only_of_what_no_line_shows() -> None:
    lines = [*(f"a {n}" for n in range(30)), "disk <b> 1", "disk <b> 2", "same", "same", *(f"a {n}" for n in range(30))]
    found = report(*lines, keep=Keep(head=2, tail=2))
    assert [row.examples for row in found.patterns] == [(), ("disk <b> 1",), ()]
    assert [row.examples for row in report(*lines).patterns] == [(), (), ()]


def test_what_came_once_is_told_as_it_came() -> None:
    found = report(*(f"a {n}" for n in range(30)), "<38>Nov 23 10:00:00 h p: lost 192.0.2.1", keep=Keep(head=1, tail=0))
    assert found.patterns[1].text == "lost 192.0.2.1"
    assert found.patterns[1].examples == ()


def test_a_long_line_is_cut_and_what_is_missing_is_counted() -> None:
    found = report("x" * 65536, "<38>y")
    assert found.head == ("x" * 2000 + "... [63,536 characters more]", "info    y")
    assert found.facts[-1] == "Shown: all 2 lines, none left out. Cut short: 1 line."


def test_an_escape_is_never_cut_in_two() -> None:
    (line,) = report("\x1b" * 2000).head
    assert line == "\\x1b" * 500 + "... [1,500 characters more]"


def test_what_does_not_fit_is_left_out_from_the_middle() -> None:
    found = report(*(f"{n:03} {'ä' * 300}" for n in range(200)), room=20_000)
    shown = [line[:3] for line in (*found.head, *found.tail)]
    assert found.left_out == 200 - len(shown) > 150
    assert shown == [f"{n:03}" for n in range(200) if n < len(found.head) or n >= 200 - len(found.tail)]
    assert abs(len(found.head) - len(found.tail)) <= 1
    alone = report(*(f"{n:03} {'ä' * 300}" for n in range(200)), room=20_000, html=False)
    assert alone.left_out < found.left_out


@pytest.mark.parametrize("room", [0, -9])
def test_the_first_and_the_last_line_are_shown_whatever_they_take(room: int) -> None:
    found = report("a", "b", "c", "d", room=room)
    assert (found.head, found.left_out, found.tail) == (("a",), 2, ("d",))
    assert report("a", room=room).head == ("a",)
    gap = report("a", "b", "c", keep=Keep(head=0, tail=2), room=room)
    assert (gap.head, gap.left_out, gap.tail) == ((), 2, ("c",))


def test_what_is_left_out_is_attached() -> None:
    lines = [f"line {n}" for n in range(100)]
    found = report(*lines, keep=Keep(head=2, tail=2), attach=100_000)
    assert (found.attachment, found.attached) == ("burst.log.gz", "Attached: burst.log.gz has all 100 lines.")
    assert found.log


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        # Nothing is left out.
        (["a", "b"], {"attach": 9999}),
        # It is not wanted.
        (["a", "b", "c"], {"keep": Keep(head=1, tail=1)}),
    ],
)
def test_nothing_is_attached_for_nothing(lines: list[str], options: dict[str, Any]) -> None:
    found = report(*lines, **options)
    assert (found.attachment, found.attached, found.log) == ("", "", b"")


def test_what_does_not_fit_is_said_not_to_be_attached() -> None:
    found = report(*(str(n) for n in range(999)), keep=Keep(head=1, tail=1), attach=9)
    assert re.fullmatch(r"Not attached: burst.log.gz would have [12],\d{3} bytes, the limit is 9.", found.attached)
    assert (found.attachment, found.log) == ("", b"")


def test_what_says_no_more_than_the_mail_is_not_attached() -> None:
    keep = Keep(head=2, tail=2, log=2, bytes=8100)
    lines = [chr(97 + n) * 2000 for n in range(20)]
    made = Report.of(session(*lines, keep=keep, masker=None), attach=9999)
    assert (made.left_out, made.attachment, made.attached) == (16, "", "")
    # With patterns it does: a line of each.
    assert report(*lines, keep=keep, attach=9999).attached.endswith("; and one line of each of 16 other patterns.")


def test_a_cut_line_alone_is_attached_whole() -> None:
    assert report("x" * 2001, attach=9999).attached == "Attached: burst.log.gz has the 1 line in full."


def test_an_attachment_that_has_not_all_says_what_it_has() -> None:
    lines = [f"line {n} {'x' * 40}" for n in range(100)]
    found = report(*lines, keep=Keep(head=1, tail=1, bytes=100, log=1000), attach=9999)
    assert re.fullmatch(
        r"Attached: burst.log.gz has \d+ of the 100 lines: the first \d+ and the last \d+\.", found.attached
    )


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ({"noun": "address", "values": 1}, ["10:00:00 to 10:00:29"]),
        ({"noun": "address", "values": 7}, ["7 addresses", "10:00:00 to 10:00:29"]),
        ({"noun": "name", "values": 256, "more": True}, ["256 or more names", "10:00:00 to 10:00:29"]),
        ({"noun": "name", "values": 1, "more": True}, ["1 or more names", "10:00:00 to 10:00:29"]),
        ({"last": TEN}, ["10:00:00"]),
        # A clock that was set back.
        ({"last": TEN - 9}, ["10:00:00"]),
        ({"first": TEN + 9, "last": TEN + 86400}, ["10:00:09 to 10:00:00, Tue 24 Nov 2026"]),
        # All the time.
        ({"first": TEN + 4, "last": TEN + 96}, []),
        ({"first": TEN + 5, "last": TEN + 99}, ["10:00:05 to 10:01:39"]),
        ({"first": TEN, "last": TEN + 94}, ["10:00:00 to 10:01:34"]),
    ],
)
def test_what_is_known_of_a_pattern(pattern: dict[str, Any], words: list[str]) -> None:
    found = report(*(f"a {n}" for n in range(100)))
    (row,) = found.patterns
    pattern = {"first": TEN, "last": TEN + 29} | pattern
    assert list(about(replace(row, **pattern), found.burst, BERLIN)) == words


def test_a_short_burst_has_one_time() -> None:
    found = Report.of(session(*(f"a {n}" for n in range(30)), "b", seconds=0.03), zone=BERLIN)
    assert [list(about(row, found.burst, BERLIN)) for row in found.patterns] == [[], []]


@pytest.mark.parametrize(("count", "drawn"), [(10, False), (11, True)])
def test_a_few_lines_make_no_curve(count: int, drawn: bool) -> None:
    assert bool(report(*(["a"] * count)).timeline.counts) == drawn


def test_what_came_at_once_makes_no_curve() -> None:
    assert Report.of(session(*(["a"] * 99), seconds=0.001)).timeline.counts == ()


LINES = st.lists(st.text(st.characters(exclude_characters="\n"), max_size=30) | st.sampled_from(["<34>a 1", "<38>a 2"]))


@given(LINES.filter(len), st.integers(0, 3), st.integers(1, 3), st.integers(0, 4000))
def test_all_numbers_add_up_and_all_is_visible(lines: list[str], head: int, tail: int, room: int) -> None:
    made = session(*lines, *(["<38>a 3"] * 30), keep=Keep(head=head, tail=tail))
    found = Report.of(replace(made, notes=tuple(lines)), room=room, attach=9999)
    assert len(found.head) + found.left_out + len(found.tail) == made.count
    assert sum(row.count for row in (*found.patterns, *found.seldom)) + found.other == made.count
    texts = [found.opening, *found.facts, *found.head, *found.tail, *found.notes, found.attached, found.severe]
    texts += [text for row in found.patterns for text in (row.text, row.program, *row.examples)]
    assert all(visible(text) == text and "\n" not in text for text in texts)
