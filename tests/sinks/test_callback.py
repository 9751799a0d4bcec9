"""A function as a sink."""

from __future__ import annotations

import pytest

from burstmail import CallbackSink, PermanentDeliveryError, TemporaryDeliveryError


def test_the_function_gets_the_item_and_its_result_does_not_matter(message, burst):
    seen = []
    sink = CallbackSink(lambda item: seen.append(item) or {"x": 1})
    assert sink.send(message) == {} and sink.send(burst) == {}
    assert seen[0] is message and seen[1] is burst


@pytest.mark.parametrize("error", [TemporaryDeliveryError("later"), PermanentDeliveryError("never"), KeyError("a bug")])
def test_whatever_it_raises_passes_through(message, error):
    def refuse(item):
        raise error

    with pytest.raises(type(error)) as caught:
        CallbackSink(refuse).send(message)
    assert caught.value is error


def test_the_representation_names_the_function():
    assert "print" in repr(CallbackSink(print))
