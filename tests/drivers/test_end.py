"""What the end says about what was not delivered is true of the store as it is then."""

from __future__ import annotations

import threading
import time

import pytest

from burstmail import Aggregator, Change, Entry, MemoryStore, Pipeline, StoreError, TemporaryDeliveryError
from burstmail.testing import RecordingSink


class Switched(MemoryStore):
    """A store that fails while it is off."""

    def __init__(self) -> None:
        super().__init__()
        self.on = True
        self.failed = threading.Event()

    def _check(self) -> None:
        if not self.on:
            self.failed.set()
            raise StoreError("no space left on device")

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        self._check()
        super().append(entry, sync=sync)

    def commit(self, change: Change, *, sync: bool = True) -> None:
        self._check()
        super().commit(change, sync=sync)


class Down(RecordingSink):
    """A sink that takes nothing, and does at the end what a test asks for."""

    def __init__(self) -> None:
        super().__init__([TemporaryDeliveryError("down")] * 99)


def waiting(pipeline: Pipeline) -> None:
    pipeline.feed("one")
    pipeline.flush()
    end = time.monotonic() + 10
    while not pipeline.statistics().deferred:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("works", [True, False])
def test_what_waits_is_kept_if_the_store_takes_it_at_the_end(caplog: pytest.LogCaptureFixture, works: bool) -> None:
    store = Switched()
    pipeline = Pipeline(Aggregator(), sink=Down(), store=store)
    waiting(pipeline)
    store.on = works
    pipeline.close(grace=0)
    assert pipeline.kept is works
    assert ("kept for the next start" in caplog.text) is works
    assert ("and lost; last error: down" in caplog.text) is not works


def test_a_store_that_works_again_at_the_very_end_keeps_what_waits(caplog: pytest.LogCaptureFixture) -> None:
    store = Switched()
    pipeline = Pipeline(Aggregator(), sink=Down(), store=store)
    waiting(pipeline)
    store.on = False
    pipeline.feed("two")
    assert store.failed.is_set()
    store.on = True
    pipeline.close(grace=0)
    assert pipeline.kept
    assert "lost" not in caplog.text


def test_without_a_store_nothing_is_kept() -> None:
    pipeline = Pipeline(Aggregator(), sink=Down())
    waiting(pipeline)
    pipeline.close(grace=0)
    assert not pipeline.kept
