"""Several names at once, and where no name is enough."""

from __future__ import annotations

from itertools import product

from burstmail.core.patterns.masks import Masker, shown
from burstmail.core.patterns.merge import merged


def templates(*lines: str) -> list[str]:
    masker = Masker()
    found = merged(masker.shape(line) for line in lines)
    return list(dict.fromkeys(shown(template) for template, _ in found.values()))


def test_fields_that_differ_at_once_are_one_record() -> None:
    lines = ["got it user=anna plan=basic took=7", "got it user=bert plan=team took=8"]
    assert templates(*lines) == ["got it user=<*> plan=<*> took=<n>"]


def test_one_field_of_two_values_is_no_record() -> None:
    assert len(templates("got it plan=basic took=7", "got it plan=team took=7")) == 2


def test_a_name_of_several_words_is_one_name() -> None:
    lines = [f"The {name} service is tired" for name in ("Print Spooler", "Netlogon", "Windows Font Cache")]
    assert templates(*lines) == ["The <*> service is tired"]
    assert len(templates("The Link Up service is tired", "The Link Down service is tired")) == 2


def test_a_field_that_says_what_happened_parts_records() -> None:
    lines = [f"got it user={user} result={result} took=7" for user in ("anna", "bert") for result in ("ham", "spam")]
    assert templates(*lines) == ["got it user=<*> result=ham took=<n>", "got it user=<*> result=spam took=<n>"]


def test_one_flag_is_what_it_is_about_several_are_a_record() -> None:
    assert len(templates("check done here ok=true", "check done here ok=false")) == 2
    pairs = product(("true", "false"), repeat=2)
    assert templates(*(f"check done here ok={one} idle={two}" for one, two in pairs)) == [
        "check done here ok=<*> idle=<*>"
    ]


def test_messages_are_parted_where_least_speaks_for_names() -> None:
    lines = [
        f"{verb} of image {image} for user {user} is next in line"
        for verb in ("scan", "merge")
        for image, user in (("web", "anna"), ("db", "bert"), ("cart", "carl"))
    ]
    assert templates(*lines) == [
        "scan of image <*> for user <*> is next in line",
        "merge of image <*> for user <*> is next in line",
    ]


def test_a_word_that_is_missing_is_a_value() -> None:
    lines = ["seen GET by anna at home here", "seen GET by - at work here"]
    assert len(templates(*lines)) == 2
    lines = ["seen GET by anna at home now", "seen GET by - at home now"]
    assert templates(*lines) == ["seen GET by <*> at home now"]


def test_what_says_nothing_else_stays_apart() -> None:
    assert len(templates("a=anna b=carl", "a=bert b=dora")) == 2


def test_names_of_several_messages_are_known_in_all() -> None:
    said = ("the {} is slain again", "the {} is chosen today", "the {} sat around here", "the {} ran around there")
    known = templates(*(text.format(name) for text in said for name in ("knight", "wizard", "goblin")))
    assert known == [text.format("<*>") for text in said]
    assert len(templates(*(said[0].format(name) for name in ("knight", "wizard", "goblin")))) == 3


def test_what_would_have_to_be_parted_too_often_stays_apart() -> None:
    lines = [" ".join("ab"[place == at] * 3 for place in range(30)) for at in range(30)]
    assert len(templates(*lines)) == 30
