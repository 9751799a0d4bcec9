"""Structured data: elements and parameters, escapes, and whatever is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.details import NONE, Data
from burstmail.core.fields import parse

VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text("abcXYZ019@._-", min_size=1, max_size=12)


def escaped(value: str) -> str:
    """RFC 5424 section 6.3.3."""
    return "".join(f"\\{char}" if char in '"\\]' else char for char in value)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=3))
def test_what_is_written_is_read(elements: dict[str, dict[str, str]]) -> None:
    text = ""
    for name, element in elements.items():
        parameters = [f' {key}="{escaped(value)}"' for key, value in element.items()]
        text += f"[{name}{''.join(parameters)}]"
    fields = parse(f"<34>1 - web1 su - - {text} the message")
    assert fields.data == elements
    assert fields.message == "the message"
    assert list(fields.data) == list(elements)


def test_a_backslash_before_any_other_character_is_one() -> None:
    assert Data(r'[a b="\n\"\\\]"]') == {"a": {"b": '\\n"\\]'}}


def test_a_parameter_that_is_there_twice_has_both_values() -> None:
    # RFC 5424 section 7.2.
    assert Data('[origin ip="192.0.2.1" ip="192.0.2.129"]')["origin"]["ip"] == "192.0.2.1, 192.0.2.129"


def test_an_element_that_is_there_twice_counts_twice() -> None:
    assert Data('[a b="1"][a c="2"]') == {"a": {"b": "1", "c": "2"}}


def test_nothing_is_no_element() -> None:
    assert (dict(NONE), len(NONE)) == ({}, 0)
    with pytest.raises(KeyError):
        NONE["meta"]


def test_it_cannot_be_changed() -> None:
    data = Data('[a b="1"]')
    with pytest.raises(TypeError):
        data["a"]["b"] = "2"  # type: ignore[index]  # that it cannot is the point
    with pytest.raises(TypeError):
        data["a"] = {}  # type: ignore[index]  # that it cannot is the point


def test_equal_data_is_one_member_of_a_set() -> None:
    one, other = Data('[a b="1"][c]'), Data('[c][a b="1"]')
    assert one == other
    assert len({one, other}) == 1
    assert repr(one) == """Data('[a b="1"][c]')"""


@given(st.lists(st.sampled_from(["[", "]", '"', "\\", "=", " ", "a", 'b="c"']), max_size=30).map("".join))
def test_nothing_fails_on_any_text(text: str) -> None:
    assert all(isinstance(value, str) for element in Data(text).values() for value in element.values())
