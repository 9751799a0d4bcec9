"""Wildcards: what they stand for, and for nothing else, in little time."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.wildcard import fixed, matcher


@pytest.mark.parametrize(
    ("pattern", "stands", "not_for"),
    [
        ("sshd", ["sshd"], ["sshd2", "ssh", "SSHD"]),
        ("post*", ["post", "postfix/smtpd"], ["apost"]),
        ("*/smtp*", ["postfix/smtpd", "/smtp"], ["smtp"]),
        ("a?c", ["abc", "a?c"], ["ac", "abbc"]),
        ("*", ["", "x", "a\nb"], []),
        ("", [""], ["x"]),
        ("a.c[1]", ["a.c[1]"], ["abc1"]),
        ("*a*b*", ["ab", "xaxbx"], ["ba"]),
        ("*ab", ["ab", "aab", "abab"], ["aba"]),
        ("a**b", ["ab", "axb"], ["a"]),
    ],
)
def test_what_it_stands_for(pattern: str, stands: list[str], not_for: list[str]) -> None:
    passes = matcher([pattern])
    assert all(passes(text) for text in stands) and not any(passes(text) for text in not_for)


def test_any_of_several_will_do() -> None:
    passes = matcher(["sshd", "post*", "?"])
    assert [text for text in ("sshd", "postfix", "x", "login") if passes(text)] == ["sshd", "postfix", "x"]


def plainly(pattern: str, text: str) -> bool:
    """The same, as one would define it."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(plainly(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and plainly(pattern[1:], text[1:])


@given(st.text("ab*?.", max_size=8), st.text("ab.", max_size=8))
def test_it_is_what_one_would_define(pattern: str, text: str) -> None:
    assert matcher([pattern])(text) == plainly(pattern, text)
    assert fixed(pattern) in text or not plainly(pattern, text)


def test_many_stars_take_little_time() -> None:
    passes = matcher(["*a" * 20 + "*b"])
    began = process_time()
    assert not passes("a" * 50_000)
    assert process_time() - began < 1
