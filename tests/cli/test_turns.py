"""Runs of one job that overlap: a directory for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from burstmail import Aggregator, Pipeline, StoreError
from burstmail.cli.turns import PLACES, Turns
from burstmail.testing import RecordingSink


def test_each_takes_the_first_that_is_free(tmp_path: Path) -> None:
    place = str(tmp_path / "job")
    first, second, third = Turns(place), Turns(place), Turns(place)
    assert first.open() is not None
    assert second.open() is not None
    assert (first.taken, second.taken) == (place, f"{place}.2")
    first.close()
    assert third.open() is not None
    assert third.taken == place
    second.close()
    third.close()


def test_one_that_was_taken_is_opened_again_and_no_other(tmp_path: Path) -> None:
    place = str(tmp_path / "job")
    store, other = Turns(place), Turns(place)
    store.open()
    store.close()
    assert store.open() is not None
    store.close()
    other.open()
    with pytest.raises(StoreError, match="other runs have all"):
        store.open()
    other.close()


def test_where_all_are_taken_it_says_so_and_a_pipeline_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stores = [Turns(str(tmp_path / "job")) for _ in range(PLACES)]
    for store in stores:
        assert store.open() is not None
    sink = RecordingSink()
    with Pipeline(Aggregator(), sink=sink, store=Turns(str(tmp_path / "job"))) as pipeline:
        pipeline.feed("a")
    assert [burst.head for burst in sink.bursts] == [("a",)]
    assert "other runs have all of" in caplog.text
    assert f"job to job.{PLACES};" in caplog.text
    for store in stores:
        store.close()


def test_the_others_are_those_that_are_there(tmp_path: Path) -> None:
    place = str(tmp_path / "job")
    first, second = Turns(place), Turns(place)
    first.open()
    second.open()
    assert [repr(store) for store in first.others()] == [f"FileStore({place + '.2'!r})"]
    assert [repr(store) for store in second.others()] == [f"FileStore({place!r})"]
    first.close()
    second.close()


def test_all_of_a_pipeline_s_life_is_kept(tmp_path: Path) -> None:
    place = str(tmp_path / "job")
    with Pipeline(Aggregator(gap=3600), sink=RecordingSink(), store=Turns(place)) as pipeline:
        pipeline.feed("a")
        pipeline.sync()
    store = Turns(place)
    saved = store.open()
    assert saved is not None
    assert (saved.last, store.dead("1")) == (1, None)
    assert store.adopt(saved.last, 0.0, 0.0) == []
    store.close()
