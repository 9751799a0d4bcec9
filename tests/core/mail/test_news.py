"""The one message by which a person knows what has happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.aggregate import Aggregator
from burstmail.core.keep import Keep
from burstmail.core.mail.news import News, news
from burstmail.core.model import Batch, Burst


def burst(*lines: str, keep: Keep | None = None, patterns: bool = True) -> Burst:
    aggregator = Aggregator(keep=keep or Keep(head=3, tail=3), patterns=patterns)
    aggregator.feed(Batch.of(lines, time=1e9), 0.0)
    (found,) = aggregator.flush(1.0)
    return found


def line(text: str, severity: int = 6, program: str = "app[1]") -> str:
    return f"<{8 + severity}>Nov 23 10:00:00 web1 {program}: {text}"


FAILED = [line(f"login of user {number} failed") for number in range(30)]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([line("disk is full")], "disk is full"),
        (["no header at all"], "no header at all"),
        ([""], ""),
        (["", "second"], "second"),
        # Few lines are read as they are, many by what they share.
        (FAILED[:20], "login of user 0 failed"),
        (FAILED, "login of user <n> failed"),
        # The worst of few; and of many, unless it is as bad as what is frequent.
        ([line("starting"), line("cannot bind", 3), line("exiting", 4)], "cannot bind"),
        ([line("starting"), *FAILED, line("cannot bind", 3)], "cannot bind"),
        ([line("starting"), *FAILED, line("odd", 4)], "login of user <n> failed"),
        # A mere error is no news of what came a hundred times as often; something grave is.
        ([*FAILED * 4, line("cannot bind", 3)], "login of user <n> failed"),
        ([*FAILED * 4, line("cannot bind", 2)], "cannot bind"),
        ([*(line(f"login of user {n} failed", 2) for n in range(30)), line("too", 2)], "login of user <n> failed"),
        # What is grave comes first, however rare, whether its line is kept or not.
        ([*FAILED[:15], line("out of memory", 2), *FAILED[15:]], "out of memory"),
        ([*FAILED, line("disk 7 is dead", 1), line("out of memory", 2), *FAILED], "disk 7 is dead"),
        # What stands in the first line of a trace, and in the last line of another kind.
        ([line("java.lang.Error: x"), line("  at a.b(C.java:1)"), line("  at a.c(C.java:2)")], "java.lang.Error: x"),
        (["Traceback (most recent call last):", '  File "x", line 1, in <module>', "KeyError: 'x'"], "KeyError: 'x'"),
        (["announced:", "  and indented"], "announced:"),
        # A pattern that has lost all its words says nothing.
        ([f"{number} {number}" for number in range(40)], "0 0"),
        # The kernel's clock.
        ([line("[12345.678901] md0: failed", 4, "kernel")], "md0: failed"),
        ([line(f"[ {n}.678901] usb 1-{n}: reset", 4, "kernel") for n in range(30)], "usb <n>-<n>: reset"),
    ],
)
def test_the_news_of_a_burst(lines: list[str], told: str) -> None:
    assert news(burst(*lines)).message == told


def test_of_equally_frequent_patterns_it_is_the_worse() -> None:
    lines = [line(text.format(n), severity) for n in range(30) for text, severity in (("ran {}", 6), ("broke {}", 3))]
    assert news(burst(*lines)).message == "broke <n>"


def test_whose_it_is_is_told_of_what_is_worse_than_the_rest() -> None:
    worse = "<11>Nov 23 10:00:00 db1 kernel: dead"
    assert news(burst(*FAILED, worse)) == News(message="dead", host="db1", program="kernel")
    assert news(burst(*FAILED[:5], worse)) == News(message="dead", host="db1", program="kernel")
    assert news(burst(*FAILED)) == News(message="login of user <n> failed")
    assert news(burst(worse, worse)) == News(message="dead")


def test_without_patterns_it_is_a_line() -> None:
    assert news(burst(*FAILED, line("cannot bind", 3), patterns=False)).message == "cannot bind"


TEXT = st.text(st.sampled_from("<>0123a :\t[].\x00é"), max_size=12)


@given(st.lists(TEXT, min_size=1))
def test_where_a_line_that_is_kept_says_anything_there_are_news(lines: list[str]) -> None:
    found = burst(*(f"<14>{text}" for text in lines))
    assert news(found).message or not any(kept[4:].strip() for kept in (*found.head, *found.tail))


def test_a_burst_that_keeps_no_line_has_none() -> None:
    found = burst(*FAILED, patterns=False)
    bare = replace(found, excerpt=replace(found.excerpt, front="", back=""))
    assert news(bare) == News()
