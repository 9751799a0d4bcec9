"""What a hook takes out of a line is nowhere in the burst; a hook that fails gives nothing away."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.aggregate import Aggregator
from burstmail.core.fold import dump_burst
from burstmail.core.keep import Keep
from burstmail.core.mail.redact import Redactor
from burstmail.core.model import Batch, Burst

SMALL = Keep(head=2, tail=2, bytes=4096, log=8192)


def burst(*lines: str, **options: Any) -> Burst:
    aggregator = Aggregator(**options)
    aggregator.feed(Batch.of(lines, time=1e9), 0.0)
    (found,) = aggregator.flush(1.0)
    return found


def line(number: int, text: str = "", program: str = "app") -> str:
    return f"<38>Nov 23 10:00:00 web1 {program}[{number}]: {text or f'user {number} logs in, password=hunter{number}'}"


FEW = tuple(line(number) for number in range(3))
# More than a tally keeps as text, and more than is kept.
MANY = tuple(line(number) for number in range(2000))


@pytest.mark.parametrize("lines", [FEW, MANY], ids=["few", "many"])
def test_what_is_secret_is_nowhere_in_the_burst(lines: tuple[str, ...]) -> None:
    given = burst(*lines, keep=SMALL)
    assert "hunter" in repr(dump_burst(given))
    found, told = Redactor().burst(replace(given, key="password=hunter1", parts=(("token=hunter2", 5), ("", 1))))
    assert "hunter" not in repr(dump_burst(found))
    assert "hunter" not in repr(found.patterns)
    assert told == ()
    assert (found.count, found.elided, sum(one.count for one in found.patterns)) == (
        given.count,
        given.elided,
        given.count,
    )
    assert found.head[0] == "<38>Nov 23 10:00:00 web1 app[0]: user 0 logs in, password=[redacted]"
    assert found.patterns[0].text == "user <n> logs in, password=[redacted]"
    assert found.patterns[0].program == "app"
    assert found.key == "password=[redacted]"
    assert found.parts == (("token=[redacted]", 5), ("", 1))


def test_a_secret_in_lines_that_are_not_kept_is_not_in_the_patterns_either() -> None:
    plain = tuple(line(number, "all is well") for number in range(600))
    given = burst(*plain, *MANY[:20], *plain, keep=SMALL)
    assert "hunter" not in "".join(given.excerpt.log()[::2])
    found, _ = Redactor().burst(given)
    assert "hunter" not in repr(found.patterns)
    assert "hunter" not in repr(dump_burst(found))


def test_without_a_secret_nothing_is_looked_at_twice() -> None:
    given = burst(*(line(number, "all is well") for number in range(30)))
    found, told = Redactor().burst(given)
    assert (found, told) == (given, ())
    assert found.excerpt is given.excerpt
    assert found.tally is given.tally


def test_a_note_may_quote_a_line() -> None:
    notes = ('3 lines were left out, such as "password=hunter2 x"', "it is full")
    found, _ = Redactor().burst(replace(burst("one"), notes=notes))
    assert found.notes == ('3 lines were left out, such as "password=[redacted] x"', "it is full")
    found, _ = Redactor([lambda text: "" if "full" in text else text]).burst(replace(burst("one"), notes=notes))
    assert found.notes == notes[:1]


def test_redaction_can_be_off_or_in_part() -> None:
    given = burst(line(1, "token=abc1 password=hunter2"))
    assert Redactor([]).burst(given) == (given, ())
    found, _ = Redactor(["tokens"]).burst(given)
    assert found.head[0].endswith("token=[redacted] password=hunter2")


def test_hooks_run_in_their_order() -> None:
    given = burst("secret=abc")
    for hooks, shown in (
        ([str.upper, "passwords"], "SECRET=[redacted]"),
        (["passwords", str.upper], "SECRET=[REDACTED]"),
    ):
        assert Redactor(hooks).burst(given)[0].head == (shown,)


def test_a_hook_sees_lines_and_what_it_does_to_them_it_does_to_the_patterns() -> None:
    seen = set()

    def hook(text: str) -> str:
        seen.add(text)
        return "(private)" if " payroll[" in text else text

    # As many as make a tally look at them, and few that it still holds as text.
    for many in (2000, 40):
        seen.clear()
        lines = [line(number, f"bonus of Smith is {number}", "payroll") for number in range(many)]
        found, told = Redactor([hook]).burst(burst(*lines, *FEW, keep=SMALL))
        assert seen <= {*lines, *FEW}
        assert "Smith" not in repr(dump_burst(found))
        assert "payroll" not in repr(dump_burst(found))
        assert [(one.program, one.text, one.count) for one in found.patterns] == [
            ("", "(private)", many),
            ("app", "user <n> logs in, password=hunter<n>", 3),
        ]
        assert told == ()


def test_a_line_on_which_a_hook_fails_is_not_shown() -> None:
    def hook(text: str) -> str:
        if "app[1]" in text:
            raise KeyError("hunter1")
        return text

    found, told = Redactor([hook]).burst(burst(*FEW))
    assert found.head == (FEW[0], "[not shown: the redact hook raised KeyError]", FEW[2])
    assert told == ("the redact hook raised KeyError: 1 line is not shown",)
    assert "hunter1" not in repr(dump_burst(found))


def test_a_hook_that_leaves_the_program_has_failed_too() -> None:
    found, _ = Redactor([lambda text: sys.exit(1)]).burst(burst("one"))
    assert found.head == ("[not shown: the redact hook raised SystemExit]",)


def test_a_hook_that_fails_on_all_costs_no_mail() -> None:
    def hook(text: str) -> str:
        raise RuntimeError

    given = replace(burst(*MANY, keep=SMALL), key="web1", parts=(("web1", 2000),))
    found, told = Redactor([hook]).burst(given)
    assert set(found.head + found.tail) == {found.key} == {"[not shown: the redact hook raised RuntimeError]"}
    first, _, last = given.excerpt.log()
    assert told == (f"the redact hook raised RuntimeError: {(first + last).count(chr(10))} lines are not shown",)
    assert [one.count for one in found.patterns] == [2000]
    assert found.count == given.count


def test_a_hook_that_fails_on_a_name_only_is_told_of() -> None:
    def hook(text: str) -> str:
        return {"one": "1"}[text]

    found, told = Redactor([hook]).burst(replace(burst("one"), key="key"))
    assert found.head == ("1",)
    assert told == ("the redact hook raised KeyError: patterns, names or notes are not shown",)


@pytest.mark.parametrize("left", [None, 7, b"bytes"])
def test_a_hook_that_gives_no_text_has_failed(left: Any) -> None:
    found, told = Redactor([lambda text: left]).burst(burst("one"))
    assert found.head == ("[not shown: the redact hook raised TypeError]",)
    assert told == ("the redact hook raised TypeError: 1 line is not shown",)


@pytest.mark.parametrize(
    ("left", "shown"), [("a\nb", "a\\x0ab"), ("\ud800", "\\ud800"), ("", ""), ("x\r", "x\r"), ("\n", "\\x0a")]
)
def test_a_hook_makes_one_line_of_a_line(left: str, shown: str) -> None:
    found, _ = Redactor([lambda text: left]).burst(burst("one", "two"))
    assert found.head == (shown, shown)
    assert found.count == 2


def test_a_name_that_is_nothing_any_more_is_still_one() -> None:
    given = replace(burst("one"), key="web1", parts=(("web1", 3), ("", 4)))
    found, _ = Redactor([lambda text: ""]).burst(given)
    assert (found.key, found.parts) == ("[redacted]", (("[redacted]", 3), ("", 4)))


def test_unknown_names_are_named() -> None:
    with pytest.raises(ValueError, match="redact: there is no 'emails'; known by name are urls, passwords, tokens"):
        Redactor(["urls", "emails"])
    with pytest.raises(TypeError, match="redact: 7 is neither a name nor a function"):
        Redactor([7])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"redact='urls': give several in a list, one as \['urls'\]"):
        Redactor("urls")


HOOKS: list[str | Callable[[str], str]] = [
    "urls", "passwords", "tokens", str.upper, lambda text: "\n" + text, lambda text: text[int(text[:1] or 0)],
]  # fmt: skip


@given(
    st.lists(st.sampled_from(["password=x", "1 a", "://u:p@h", "token: abc12345", "", "=", "\x00"]), min_size=1),
    st.lists(st.sampled_from(HOOKS), max_size=4),
)
def test_counts_stay_and_nothing_raises(lines: list[str], hooks: list[str | Callable[[str], str]]) -> None:
    given = burst(*lines, keep=SMALL)
    found, _ = Redactor(hooks).burst(given)
    assert (found.count, found.elided) == (given.count, given.elided)
    assert len(found.head) + found.elided + len(found.tail) == found.count
    assert sum(one.count for one in found.patterns) + found.tally.other == found.count
    assert found.timeline == given.timeline
