"""What a subject says, and what it leaves out."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.aggregate import Aggregator
from burstmail.core.mail.subject import DEFAULT, FIELDS, Subject, named
from burstmail.core.model import Batch, Burst, CloseReason

TEN = 1795428000.0


def burst(*lines: str, **fields: Any) -> Burst:
    aggregator = Aggregator()
    aggregator.feed(Batch.of(lines, time=TEN), 0.0)
    (found,) = aggregator.flush(1.0)
    return replace(found, **fields)


def line(text: str, severity: int = 6, host: str = "web1") -> str:
    return f"<{8 + severity}>Nov 23 10:00:00 {host} app[1]: {text}"


def subject(item: Burst, template: str = DEFAULT) -> str:
    return Subject(template).of(item, named(item), UTC)


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (burst(line("disk is full")), "[burstmail] web1 app: 1 line: disk is full"),
        (burst(line("disk is full", 2)), "[burstmail] crit: web1 app: 1 line: disk is full"),
        (burst(line("disk is full"), waited=70.0), "[burstmail] held: web1 app: 1 line: disk is full"),
        (
            burst(line("down", 1), waited=70.0, bursts=3, last=TEN + 60),
            "[burstmail] alert, folded: web1 app: 1 line in 3 bursts, 1 min: down",
        ),
        (
            burst(line("a", host="web1"), line("b", host="web2"), parts=(("web1", 1), ("web2", 1)), bursts=2),
            "[burstmail] digest: 2 sources: 2 lines in 2 bursts: a",
        ),
        (burst(*(line(f"user {n} failed") for n in range(30))), "[burstmail] web1 app: 30 lines: user <n> failed"),
        (burst("no header"), "[burstmail] log: 1 line: no header"),
        (burst(""), "[burstmail] log: 1 line"),
        (burst(" \x1b[31m  a\tb =?a?q?x?= \u202e "), "[burstmail] log: 1 line: \\x1b[31m a b = ?a?q?x?= \\u202e"),
    ],
)
def test_the_default_reads_well_whatever_is_known(item: Burst, told: str) -> None:
    assert subject(item) == told


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{mark} {what}", "web1 app"),
        ("{what} ({lines}) {mark}", "web1 app (1 line)"),
        ("{what} - {mark} - {severity} - {top}", "web1 app - info - x"),
        ("{mark}{severity}", "info"),
        ("{mark}, {mark}: {mark}", ""),
        ("a: {mark}", "a"),
        ("{mark}: -", ""),
        ("{{{what}}} {{", "{web1 app} {"),
        ("only words: ", "only words:"),
    ],
)
def test_an_empty_field_takes_what_parts_it_from_the_next_one_along(template: str, told: str) -> None:
    assert subject(burst(line("x")), template) == told


def test_the_worst_severity_is_named() -> None:
    assert subject(burst(line("a", 7), line("b", 3), line("c", 4)), "{severity}") == "err"
    assert subject(burst("a"), "{severity}") == ""


@pytest.mark.parametrize(("severity", "told"), [(0, "emerg"), (1, "alert"), (2, "crit"), (3, ""), (6, "")])
def test_only_what_is_grave_marks_a_mail(severity: int, told: str) -> None:
    assert subject(burst(line("x", severity)), "{mark}") == told


def test_a_mail_that_was_cut_while_more_came_says_so() -> None:
    for reason in CloseReason:
        going_on = reason.value.startswith("max_")
        assert subject(burst("x", reason=reason), "{mark}") == ("ongoing" if going_on else "")
        assert subject(burst("x", reason=reason, bursts=2), "{mark}") == "folded"
    assert subject(burst(line("x", 2), reason=CloseReason.MAX_AGE, waited=2.0), "{mark}") == "crit, held, ongoing"


def test_the_worst_line_is_told_with_its_host_and_program() -> None:
    lines = [line(f"user {number} failed") for number in range(30)]
    item = burst(*lines, "<9>Nov 23 10:00:00 db1 kernel: disk is dead")
    assert subject(item) == "[burstmail] alert: db1 +1 kernel +1: 31 lines: disk is dead"


def test_nobody_is_told_of_a_wait_of_less_than_a_second() -> None:
    assert subject(burst("x", waited=0.9), "{mark}") == ""


def test_a_message_has_60_characters_and_a_subject_150() -> None:
    assert subject(burst("x" * 99), "{top}") == "x" * 59 + "…"
    found = subject(burst("x", key="k" * 200), "{key} " * 9)
    assert len(found) == 150
    assert found.endswith("…")


def test_many_names_are_counted() -> None:
    assert subject(burst(line("x", host="a"), line("x", host="b"), line("x", host="a")), "{what}") == "a +1 app"
    assert subject(burst("x", parts=(("a", 1), ("", 3))), "{what}") == "1+ sources"


@pytest.mark.parametrize("template", ["{", "}", "{what!r}", "{what:>9}", "{0}", "{}", "{what.host}", "{What}", "", " "])
def test_what_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="^subject") as caught:
        Subject(template)
    assert "\n" not in str(caught.value)


TEMPLATES = st.lists(st.sampled_from([*(f"{{{name}}}" for name in FIELDS), ": ", " - ", "x", "[", "]"]), min_size=1)


@given(TEMPLATES.map("".join), st.lists(st.text(max_size=40).map(lambda text: text.replace("\n", "")), min_size=1))
def test_any_subject_is_one_visible_line(template: str, lines: list[str]) -> None:
    if not template.strip():
        return
    found = subject(burst(*lines), template)
    assert len(found) <= 150
    assert found == found.strip()
    assert re.sub(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", "", found).isprintable()
    assert "=?" not in found
