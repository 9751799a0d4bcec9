"""Literals: what is said of an expression is true of all that it matches, and says enough to be of use."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core import literals as module
from burstmail.core.literals import Literals, literals


@pytest.mark.parametrize(
    ("expression", "needed", "exact"),
    [
        ("Failed", {"Failed"}, True),
        ("USB device|USB disconnect", {"USB device", "USB disconnect"}, True),
        ("[Ff]ailed", {"Failed", "failed"}, True),
        ("(?:a|b)(c|d)", {"ac", "ad", "bc", "bd"}, True),
        ("(?>ab)c", {"ab"}, False),
        ("(?>a|ab)c", {"c"}, False),
        ("a?+a", {"a"}, False),
        ("colou?r", {"color", "colour"}, True),
        ("Failed .* for root", {" for root"}, False),
        ("^Failed$", {"Failed"}, False),
        (r"error: \d+", {"error: "}, False),
        ("(?:timeout)+", {"timeout"}, False),
        ("(?:timeout)*", None, False),
        ("(?:timeout|x*)", None, False),
        ("(?:lost.*x|gone.*y)z", {"lost", "gone"}, False),
        ("", None, False),
        ("x?", None, False),
        (r"\d+", None, False),
        ("[^a]b", {"b"}, False),
        ("[a-z]b", {"b"}, False),
        ("(?i)Failed", {"failed"}, False),
        ("(?i:Failed)x", {"x"}, False),
        ("(?i)pa\u017fs", None, False),
        ("(?:[a-d]x.)?abc", {"abc"}, False),
        ("[abcd][abcd][abcd]long", {"along", "blong", "clong", "dlong"}, False),
        ("(?:(?:[a-d]x.)|b)?", None, False),
        ("[" + "abcdefghijklmnopqrstu" + "]long", {"long"}, False),
        ("|".join(f"{letter}x{letter}" for letter in "abcdefghijklmnopqrst"), None, False),
    ],
)
def test_what_every_match_has_in_it(expression: str, needed: set[str] | None, exact: bool) -> None:
    found = literals(re.compile(expression))
    assert (None if found.needed is None else set(found.needed), found.exact) == (needed, exact)


@pytest.mark.parametrize("error", [ImportError("gone"), AttributeError("parse"), TypeError("other"), RecursionError()])
def test_without_pythons_parser_nothing_is_known(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Any:
        raise error

    monkeypatch.setattr(module, "import_module", gone)
    assert literals(re.compile("Failed")) == Literals(None, False)


ATOMS = st.sampled_from(
    ["a", "b", "K", "\u212a", ".", "[ab]", "[^a]", r"\d", "^", "$", r"\b", "(?=a)", "ab", "(?i:k)", ""]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["?", "*", "+", "{2}", "{0,1}", "++", "*?"])),
        inner.map("(?>{})".format),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS, st.sampled_from([0, re.IGNORECASE]), st.text("abkKAB1\u212a ", max_size=8))
def test_what_is_said_is_true(expression: str, flags: int, text: str) -> None:
    pattern = re.compile(expression, flags)
    found = literals(pattern)
    if found.needed is None or (flags and not text.isascii()):
        return
    has = any(word in (text.lower() if flags else text) for word in found.needed)
    assert has or not pattern.search(text)
    assert not found.exact or has == bool(pattern.search(text))
