"""What is shown is printable, and says what it was."""

from __future__ import annotations

import sys
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.escape import one_line, visible

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 日本 🦆", "plain ünï 日本 🦆"),
        ("a\tb\u00a0c\u3000d", "a\tb\u00a0c\u3000d"),
        ("\x00\x1b[31m\r\n\x7f\x85", "\\x00\\x1b[31m\\x0d\\x0a\\x7f\\x85"),
        ("\xad\u202e\u200b\u2028\u2029", "\\xad\\u202e\\u200b\\u2028\\u2029"),
        ("\udc80\ue000\U000e0001\U0010ffff", "\\udc80\\ue000\\U000e0001\\U0010ffff"),
    ],
)
def test_what_cannot_be_read_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_every_code_point_is_shown_or_spelled_out_by_its_category() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        stays = char == "\t" or category(char) not in HIDDEN
        assert (visible(char) == char) is stays, hex(code)


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    assert not {category(char) for char in visible(text).replace("\t", "")} & HIDDEN
    assert visible(visible(text)) == visible(text)


def test_one_line_has_no_tab_and_no_encoded_word() -> None:
    assert one_line("a\tb\n=?utf-8?q?=0ABcc:_evil?= x") == "a b\\x0a= ?utf-8?q?=0ABcc:_evil?= x"


def test_one_line_is_cut_with_an_ellipsis() -> None:
    assert one_line("x" * 200) == "x" * 200
    assert one_line("x" * 201) == "x" * 199 + "…"
    assert one_line("\x00" * 10**6, limit=8) == "\\x00\\x0…"


@given(st.text(st.sampled_from("=? \t\x00aé\u202e"), max_size=60), st.integers(1, 50))
def test_one_line_keeps_its_promises_at_any_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()
    assert "=?" not in line
