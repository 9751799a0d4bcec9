"""What a driver refuses to send with, when it is made: an hour later the mails are lost as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burstmail import Aggregator, Pipeline, collect
from burstmail.drivers.outcomes import named
from burstmail.testing import RecordingSink


def test_a_text_is_one_destination_and_not_one_for_each_letter() -> None:
    assert named("abc") == {"": "abc"}
    assert named(["a", "b"]) == {"1": "a", "2": "b"}


@pytest.mark.parametrize("sink", ["smtp://localhost", print, 7, None])
@pytest.mark.parametrize("given", [lambda sink: sink, lambda sink: [sink], lambda sink: {"name": sink}])
def test_what_is_no_sink_is_refused_by_its_whole_name_when_the_pipeline_is_made(sink: Any, given: Any) -> None:
    with pytest.raises(TypeError) as caught:
        Pipeline(Aggregator(), sink=given(sink))
    assert f"sink={sink!r}: must have a send()" in str(caught.value)


def test_what_is_no_sink_is_refused_when_a_running_pipeline_would_become_another() -> None:
    sink = RecordingSink()
    with Pipeline(Aggregator(), sink=sink) as pipeline:
        pipeline.feed("a")
        with pytest.raises(TypeError, match="must have a send"):
            pipeline.reconfigure(Aggregator(), sink="smtp://localhost")  # type: ignore[arg-type]
    assert [item.count for item in sink.items] == [1]


def test_a_script_hears_of_a_sink_that_is_none_before_its_block_begins() -> None:
    with pytest.raises(TypeError, match="sink='smtp://localhost': must have"), collect("root", sink="smtp://localhost"):  # type: ignore[arg-type]
        pytest.fail("it has begun")


@pytest.mark.parametrize("store", ["state", Path("state")])
def test_a_directory_is_no_store(store: Any) -> None:
    with pytest.raises(TypeError, match=r"must be a store, as FileStore\('state'\)"):
        Pipeline(Aggregator(), sink=RecordingSink(), store=store)
