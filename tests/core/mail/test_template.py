"""Templates of one's own: checked when they are made, and what comes out is as safe as ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.aggregate import Aggregator
from burstmail.core.escape import visible
from burstmail.core.mail import letter, page
from burstmail.core.mail.report import Report
from burstmail.core.mail.subject import FIELDS
from burstmail.core.mail.template import BLOCKS, PageTemplate, TextTemplate, failure
from burstmail.core.model import Batch

Kind = type[TextTemplate] | type[PageTemplate]
BOTH: list[Kind] = [TextTemplate, PageTemplate]
HOSTILE = "<38>Nov 23 10:00:00 web1 <b>&[1]: \x1b[31m\u202e<script>alert('$what')</script> http://evil.example"


def report(*lines: str, key: str = "") -> Report:
    aggregator = Aggregator()
    aggregator.feed(Batch.of(lines, time=1e9), 0.0)
    (burst,) = aggregator.flush(1.0)
    return Report.of(replace(burst, key=key), signature="burstmail on web1")


@pytest.mark.parametrize("kind", BOTH)
def test_every_field_can_be_used(kind: Kind) -> None:
    source = "\n".join(f"{name}=${{{name}}}" for name in {*FIELDS, *BLOCKS})
    made = kind(source).of(report(HOSTILE))
    assert f"program={'<b>&' if kind is TextTemplate else '&lt;b&gt;&amp;'}\n" in made
    assert "count=1\n" in made
    assert "burstmail on web1" in made.partition("signature=")[2].partition("\n")[0]


@pytest.mark.parametrize(("kind", "view"), [(TextTemplate, letter), (PageTemplate, page)])
def test_the_blocks_are_those_of_the_default_mail(kind: Kind, view: Any) -> None:
    one = report(HOSTILE, "second")
    assert set(view.blocks(one)) == set(BLOCKS)
    for name in BLOCKS:
        assert kind(f"${name}").of(one) == view.blocks(one)[name] + "\n"


def test_a_template_of_a_few_words() -> None:
    text = TextTemplate("$host says $count times:\n$lines\nThat was $$1, ${what}!\n")
    assert text.of(report("<38>Nov 23 10:00:00 web1 sshd[1]: no")) == (
        "web1 says 1 times:\n  info    Nov 23 10:00:00 web1 sshd[1]: no\nThat was $1, web1 sshd!\n"
    )


def test_what_comes_from_a_line_is_no_markup_in_html() -> None:
    made = PageTemplate('<p title="$program">$what $host $top $key</p>').of(report(HOSTILE, key='"><i>'))
    assert made.count("<") == made.count("<wbr>") + 2
    assert '"><' not in made
    assert "://e" not in made
    assert "$" not in made.replace("&#39;$what&#39;", "")


@pytest.mark.parametrize("kind", BOTH)
def test_a_line_is_no_template(kind: Kind) -> None:
    made = kind("$lines $top").of(report("$signature ${count} $$ {count}"))
    assert made.count("$signature ${count} $$ {count}") == 2


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "template: it is empty"),
        (" \n", "template: it is empty"),
        ("costs 5$", "template: a lone $ in it"),
        ("${what", "template: a lone $ in it"),
        ("$hots", r"template: \$hots is no field; there are attachment bursts count duration"),
        ("$What", r"template: \$What is no field"),
        ("${what.__class__}", "template: a lone $ in it"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_when_it_is_made(kind: Kind, source: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{kind.kind} " + words.replace("a lone $", r"a lone \$")) as caught:
        kind(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", BOTH)
def test_neither_text_nor_function_is_no_template(kind: Kind) -> None:
    with pytest.raises(TypeError, match=f"{kind.kind} template: must be a text or a function of a report, not 7"):
        kind(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", BOTH)
def test_a_function_makes_what_it_likes_but_nothing_hidden(kind: Kind) -> None:
    made = kind(lambda found: f"<b>{found.burst.count}</b>\r\n{found.burst.head[0]}\t\x00\u2028\ud800\r")
    assert made.of(report("a\x1b[0m\u202e")) == "<b>1</b>\na\\x1b[0m\\u202e\t\\x00\\u2028\\ud800\\x0d\n"


@pytest.mark.parametrize("kind", BOTH)
def test_line_ends_are_newlines_and_there_is_one_at_the_end(kind: Kind) -> None:
    for source in ("a\r\nb", "a\nb\n", "a\r\nb\r\n"):
        assert kind(source).of(report("x")) == "a\nb\n"


def fail(found: Report) -> str:
    raise KeyError("user")


@pytest.mark.parametrize("kind", BOTH)
def test_what_a_function_raises_is_the_callers(kind: Kind) -> None:
    with pytest.raises(KeyError):
        kind(fail).of(report("x"))
    gives_none: Callable[[Report], Any] = lambda found: None  # noqa: E731 - one line of a table, as it were
    with pytest.raises(TypeError, match=f"the {kind.kind} template must give a str, not NoneType"):
        kind(gives_none).of(report("x"))


class Odd(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_a_failure_is_told_in_one_line() -> None:
    assert failure("text", KeyError("user")) == "the text template raised KeyError ('user'): the default is used"
    assert failure("HTML", ValueError()) == "the HTML template raised ValueError: the default is used"
    assert failure("text", Odd()) == "the text template raised Odd: the default is used"
    assert failure("text", SystemExit("a\n\x1b" + "b" * 200)) == (
        f"the text template raised SystemExit (a\\x0a\\x1b{'b' * 90}…): the default is used"
    )


@pytest.mark.parametrize("kind", BOTH)
@given(made=st.text(st.characters(), max_size=60))
def test_any_result_is_made_of_visible_lines(kind: Kind, made: str) -> None:
    found = kind(lambda _: made).of(REPORT)
    assert found.endswith("\n")
    assert all(visible(line) == line for line in found.split("\n"))
    assert found.encode().decode() == found


REPORT = report("x")
