"""What is shown is printable, and says what it was."""

from __future__ import annotations

import re
import sys
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.escape import one_line, visible

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Marks, letters and symbols that show nothing. Unicode's DerivedCoreProperties, Default_Ignorable_Code_Point, where the
# category does not tell; then blanks that are no spaces.
IGNORABLE = [(0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180D), (0x180F, 0x180F)]
IGNORABLE += [(0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)]
IGNORABLE += [(0x2800, 0x2800), (0x13441, 0x13442), (0x16FE4, 0x16FE4), (0x1D159, 0x1D159)]
BLANK = {chr(code) for first, last in IGNORABLE for code in range(first, last + 1)}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 日本 🦆", "plain ünï 日本 🦆"),
        ("a\tb\u00a0c\u3000d", "a\tb\u00a0c\u3000d"),
        ("\x00\x1b[31m\r\n\x7f\x85", "\\x00\\x1b[31m\\x0d\\x0a\\x7f\\x85"),
        ("\xad\u202e\u200b\u2028\u2029", "\\xad\\u202e\\u200b\\u2028\\u2029"),
        ("a\u115fb\u2764\ufe0f\u3164", "a\\u115fb\u2764\\ufe0f\\u3164"),
        ("\udc80\ue000\U000e0001\U0010ffff", "\\udc80\\ue000\\U000e0001\\U0010ffff"),
    ],
)
def test_what_cannot_be_read_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_every_code_point_is_shown_or_spelled_out_by_its_category() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        stays = char == "\t" or (category(char) not in HIDDEN and char not in BLANK)
        assert (visible(char) == char) is stays, hex(code)


@given(st.text() | st.text(st.sampled_from("a\u0301\u0334\u0489\ufe0f\u2764 \u200d\x00\u3042"), max_size=40))
def test_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    assert not {category(char) for char in shown.replace("\t", "")} & HIDDEN
    assert not set(shown) & BLANK
    assert not re.search("M{5}", "".join("M" if category(char) in ("Mn", "Me") else "-" for char in shown))
    assert visible(shown) == shown


def test_four_marks_on_a_letter_are_writing_and_more_are_not() -> None:
    marks = "\u0301\u0323\u0302\u0334"
    assert visible(f"a{marks}b") == f"a{marks}b"
    assert visible(f"a{marks}\u0301\u0489b") == f"a{marks}\\u0301\\u0489b"
    assert visible("\u2500" * 9) == "\u2500" * 9
    assert visible(f"{marks} {marks}") == f"{marks} {marks}"


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
