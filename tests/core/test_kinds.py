"""What is no number where one is meant: told at once, by name, and not by Python from deep inside."""

from __future__ import annotations

from datetime import UTC
from fractions import Fraction
from pathlib import Path

import pytest

from burstmail.core.kinds import counts, listed, numbers, of_kind, paths, seconds, several, spans, texts, zones


@pytest.mark.parametrize("value", [0, -3, 2.5, float("inf"), Fraction(1, 3)])
def test_numbers_of_any_kind_pass(value: object) -> None:
    numbers("Limit", count=value)
    seconds(gap=value)


@pytest.mark.parametrize("value", ["5", "5s", None, True, [5], b"5"])
def test_what_is_no_number_is_named(value: object) -> None:
    with pytest.raises(TypeError) as caught:
        numbers("Limit", count=1, per=value)
    assert str(caught.value) == f"Limit(per={value!r}): must be a number, as 20"


def test_a_duration_is_asked_for_in_seconds() -> None:
    with pytest.raises(TypeError) as caught:
        seconds(grace="5s")
    assert str(caught.value) == "grace='5s': must be a number of seconds, as 0.5 or 60"


def test_a_long_value_is_not_quoted_whole() -> None:
    with pytest.raises(TypeError, match=r"^gap='x{99}: must be a number of seconds"):
        seconds(gap="x" * 1000)


def test_a_count_is_one_at_least_and_a_span_lasts() -> None:
    counts("Caps", keys=1)
    spans(give_up=0.1)
    with pytest.raises(ValueError, match=r"^Caps\(keys=0\): must be 1 or more$"):
        counts("Caps", keys=0)
    with pytest.raises(ValueError, match=r"^keys=nan: must be 1 or more$"):
        counts(keys=float("nan"))
    with pytest.raises(ValueError, match=r"^give_up=-1: must be more than 0 seconds$"):
        spans(give_up=-1)


def test_texts_paths_and_zones_are_told_by_name() -> None:
    texts(name="")
    paths(directory=b"/", file=Path("x"), name="x")
    zones(zone=None, other=UTC)
    with pytest.raises(TypeError, match=r"^SMTPSink\(host=5\): must be a text$"):
        texts("SMTPSink", host=5)
    with pytest.raises(TypeError, match=r"^directory=None: must be a path$"):
        paths(directory=None)
    with pytest.raises(TypeError, match=r"^zone='UTC': must be a tzinfo, as ZoneInfo\('Europe/Berlin'\)$"):
        zones(zone="UTC")


def test_one_is_not_several_and_may_be_listed() -> None:
    assert several("masks", ["a", "b"]) == ("a", "b")
    assert listed(["a"]) == ["a"] == listed("a")
    assert listed(True) == [True]
    with pytest.raises(TypeError, match=r"^masks='ab': give several in a list, one as \['ab'\]$"):
        several("masks", "ab")
    with pytest.raises(TypeError, match=r"^masks=5: must be a list; \(\) is none$"):
        several("masks", 5)


def test_the_first_of_another_kind_is_told_in_the_words_given() -> None:
    of_kind(int | str, [5, "x"], "{!r}")
    with pytest.raises(TypeError, match="^None: must be a number$"):
        of_kind(int | str, [5, None, 0.5], "{!r}: must be a number")
