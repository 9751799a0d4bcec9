"""The second look: names that differ, and what is never taken for a name."""

from __future__ import annotations

from itertools import product
from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.patterns.masks import Masker, shown
from burstmail.core.patterns.merge import merged
from burstmail.core.patterns.tokens import split

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")


def templates(*lines: str) -> list[str]:
    masker = Masker()
    found = merged(masker.shape(line) for line in lines)
    return list(dict.fromkeys(shown(template) for template, _ in found.values()))


def test_two_users_are_one_pattern_two_words_elsewhere_are_not() -> None:
    assert templates("login of user anna ok", "login of user bob ok") == ["login of user <*> ok"]
    assert len(templates("the anna state is ok", "the bob state is ok")) == 2


def test_many_words_at_one_place_are_names() -> None:
    assert templates(*(f"the {word} state is ok" for word in GREEK[:5])) != ["the <*> state is ok"]
    assert templates(*(f"the {word} state is ok" for word in GREEK[:6])) == ["the <*> state is ok"]


def test_several_places_may_hold_names() -> None:
    lines = [f"login of user {user} on host {host} ok" for user, host in zip(GREEK, reversed(GREEK), strict=True)]
    assert templates(*lines) == ["login of user <*> on host <*> ok"]
    places = product(GREEK[:6], repeat=3)
    assert templates(*(f"stage {one} of line ({two}) part {three} runs" for one, two, three in places)) == [
        "stage <*> of line (<*>) part <*> runs"
    ]


def test_a_user_may_be_called_what_tells_elsewhere() -> None:
    names = [*GREEK, "info", "boot", "user"]
    assert templates(*(f"Invalid user {name} from 10.0.0.1" for name in names)) == ["Invalid user <*> from <ip>"]


def test_what_happened_is_not_somebodys_name_among_many() -> None:
    for told in (("locked", "unlocked"), ("locked",), ("up", "down")):
        found = templates(*(f"user account {word} by admin again" for word in (*GREEK, *told)))
        assert len(found) == 1 + len(told)


def test_what_varies_in_form_is_one_wherever_it_stands() -> None:
    assert templates("read /etc/a of x.example.org", "read /etc/b of y.example.org") == ["read <*> of <host>"]


def test_the_subject_of_a_message_is_no_name() -> None:
    assert len(templates(*(f"{word} startup succeeded" for word in GREEK))) == len(GREEK)


def test_what_would_leave_nothing_is_not_joined() -> None:
    assert len(templates(*(f"is {word}" for word in GREEK))) == len(GREEK)


def test_programs_are_kept_apart() -> None:
    lines = [f"Nov 23 10:00:00 web07 {program}[7]: user anna left" for program in GREEK]
    assert len(templates(*lines)) == len(GREEK)


@pytest.mark.parametrize(
    ("line", "template"),
    [
        ("ids 1, 2, 3 gone", "ids <n> gone"),
        ("delete blk_1 blk_2 blk_3", "delete blk_<n>"),
        ("nodes a1 <ok> a2 <ok> a3 <ok>", "nodes a<n> <ok>"),
        ("6 > 3", "<n> > <n>"),
        ("no no no", "no no no"),
    ],
)
def test_a_list_of_what_varies_stands_once(line: str, template: str) -> None:
    assert shown("".join(split(Masker().shape(line)))) == template


@given(st.lists(st.text(max_size=20), max_size=12))
def test_each_shape_has_one_template_in_whatever_company(shapes: list[str]) -> None:
    found = merged(shapes)
    assert list(found) == list(dict.fromkeys(shapes))
    assert merged(shapes) == found


def test_one_and_several_of_a_thing_are_one_pattern() -> None:
    assert templates("lost after 1 attempt of anna", "lost after 7 attempts of anna") == [
        "lost after <n> attempts of anna"
    ]


def hostile(kind: str) -> list[str]:
    """400 lines of 4 KiB that are as much work as can be."""
    chance = Random(kind)
    pieces = {
        "words": [f"{one}{two}b " for one in "bcdfgklmnprst" for two in "aeiou"],
        "two": ["ba ", "bo "],
        "fields": [f"{key}x={value} " for key in "abcdefgh" for value in ("ham", "spam", "true", "false")],
        "names": [f"/{one}/{two} " for one in "abcdefgh" for two in "abcdefgh"],
        "marks": ["1 ", "a1 ", "b,2 ", "(3) "],
        "separators": list("= :,()[]ab"),
        "one word": list("ab.cD-_"),
        "users": [f"user {name} " for name in GREEK],
    }[kind]
    return ["".join(chance.choices(pieces, k=4096))[:4096] for _ in range(400)]


WORST = [("two", 200), ("separators", 4096), ("one word", 4096)]
OTHERS = [(kind, length) for kind in ("words", "fields", "names", "marks", "users") for length in (60, 200, 4096)]


@pytest.mark.parametrize(
    ("kind", "length"), [*WORST, *(pytest.param(*other, marks=pytest.mark.full) for other in OTHERS)]
)
def test_the_most_shapes_that_a_tally_has_take_about_a_second_at_worst(kind: str, length: int) -> None:
    shapes = [Masker().shape(line[:length]) for line in hostile(kind)]
    began = process_time()
    assert len(merged(shapes)) > 1
    # Half a second is usual; machines differ, and coverage takes its time.
    assert process_time() - began < 8


def test_what_is_too_long_for_a_word_is_none() -> None:
    assert len(templates(*(f"login of user {name * 300} ok" for name in "ab"))) == 2
