"""How much speaks for names at a place."""

from __future__ import annotations

import pytest

from burstmail.core.patterns.masks import VALUE, Masker
from burstmail.core.patterns.reasons import ANYWHERE, MAYBE, NAMED, SOME, lack, need, plural, says, silent
from burstmail.core.patterns.tokens import split

NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("login of user X ok", NAMED),
        ("password for X from a", NAMED),
        ("waiting for X now", MAYBE),
        ("connect to X now", MAYBE),
        ("the X service runs", MAYBE),
        ("then X service runs", ANYWHERE),
        ("saw (X) there", SOME),
        ("saw (X there)", ANYWHERE),
        ("seen plan=X here", MAYBE),
        ("seen user=X here", NAMED),
        ("seen status=X here", ANYWHERE),
        ("Account Name: X here", NAMED),
        ("error: X here", ANYWHERE),
        ("login (user: X)", NAMED),
        ("X : TTY=a", MAYBE),
        ("X - closed", MAYBE),
        ("X[77] started", MAYBE),
        ("X[a] started", 2 * ANYWHERE),
        ("X started", 2 * ANYWHERE),
    ],
)
def test_what_is_needed_depends_on_the_neighbours(line: str, needed: int) -> None:
    tokens = ("", "\n", *split(Masker().shape(line)))
    at = tokens.index("X")
    assert need(at, tokens) == needed
    assert need(at, tokens[:at] + tokens[at + 1 :], after=0) == needed


def test_the_more_is_said_the_less_is_needed() -> None:
    tokens = ("", "\n", *split("the quick X jumps"))
    assert need(6, tokens, said=4) == ANYWHERE
    assert need(6, tokens, said=5) == SOME
    assert need(2, tokens, said=5) == 2 * SOME


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ({"anna", "bert"}, 4),
        ({"ResizeImage", "MoveStock"}, 2),
        ({"user-a", "user-b", "wlan\ue000"}, 0),
        ({"anna", VALUE}, 0),
        ({"anna", "-"}, 0),
        ({"-", "up", "anna"}, 0),
        ({"up", "anna"}, 5),
        ({"packet", "packets"}, 0),
    ],
)
def test_words_speak_by_number_and_form(words: set[str], missing: int) -> None:
    assert lack(words, ANYWHERE, NOBODY) == missing


def test_names_known_from_elsewhere_need_no_more() -> None:
    assert lack({"cart", "checkout"}, ANYWHERE, frozenset(["cart", "checkout"])) == 0
    assert lack({"cart", "checkout"}, ANYWHERE, frozenset(["cart"])) == 4


def test_an_ending_tells_nothing_where_a_name_is_announced() -> None:
    words = {"billing", "denied", "down", "cart"}
    assert silent(words, announced=True) == {"billing", "cart"}
    assert silent(words, announced=False) == {"cart"}


def test_one_and_several() -> None:
    assert plural({"attempt", "attempts"}) == "attempts"
    assert plural({"attempt"}) == plural({"attempt", "attempted"}) == plural({"a", "b", "as"}) == ""


def test_what_varies_says_little() -> None:
    assert says(["went", "-", "x", "anna", VALUE, VALUE, VALUE, VALUE, " "]) == 3
