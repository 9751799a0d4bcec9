"""What a watchdog hears of pipelines that work, hang and are broken; real threads, periods of milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from math import inf

import pytest

from burstmail import Aggregator, Batch, Burst, CallbackSink, Pipeline, Statistics
from burstmail.cli.notify import Notifier
from burstmail.cli.watchdog import Watchdog, told

PERIOD = 0.02
# Many periods: who is silent for so long is silent.
LONG = 0.4


class Heard(Notifier):
    """A manager with a watchdog: counts the signs of life."""

    def __init__(self, watchdog: float = PERIOD) -> None:
        super().__init__("/nowhere", watchdog=watchdog)
        self.signs = 0
        self.words: list[str] = []
        self.heard = threading.Event()

    def alive(self) -> None:
        self.signs += 1
        self.heard.set()

    def status(self, text: str) -> None:
        self.words.append(text)

    def hears(self, seconds: float) -> bool:
        """Whether another sign comes within so many seconds."""
        self.heard.clear()
        return self.heard.wait(seconds)

    def falls_silent(self) -> bool:
        """Whether none comes any more; the one under way may."""
        return any(not self.hears(LONG) for _ in range(3))


class Stuck(Aggregator):
    """A stage that takes a line and does not come back until it may."""

    def __init__(self) -> None:
        super().__init__(gap=0.01)
        self.entered, self.may = threading.Event(), threading.Event()

    def feed(self, item: Batch, now: float) -> Sequence[Burst]:
        self.entered.set()
        self.may.wait(20)
        return super().feed(item, now)


class Broken(Aggregator):
    """A stage with a bug, which only the background thread sees."""

    def poll(self, now: float) -> Sequence[Burst]:
        if threading.current_thread().name == "burstmail":
            raise ZeroDivisionError
        return super().poll(now)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with Pipeline(Aggregator(gap=0.01), sink=CallbackSink(lambda burst: None)) as made:
        yield made


def test_a_pipeline_that_works_is_alive(pipeline: Pipeline) -> None:
    heard = Heard()
    with Watchdog(heard, pipeline):
        assert heard.hears(20) and heard.hears(20)
        pipeline.feed("disk failed")
        while heard.words[-1] != "1 line in, 1 mail sent":
            assert heard.hears(20)
    assert heard.words[0] == "0 lines in, 0 mails sent"
    # A manager need not be told twice.
    assert len(set(heard.words)) == len(heard.words)


def test_the_end_of_the_block_is_the_end_of_the_signs(pipeline: Pipeline) -> None:
    heard = Heard()
    with Watchdog(heard, pipeline):
        assert heard.hears(20)
    assert heard.falls_silent()


def test_a_stage_that_hangs_is_no_life() -> None:
    heard, stuck = Heard(), Stuck()
    pipeline = Pipeline(stuck, sink=CallbackSink(lambda burst: None))
    with Watchdog(heard, pipeline):
        feeder = threading.Thread(target=pipeline.feed, args=("disk failed",))
        feeder.start()
        assert stuck.entered.wait(20)
        assert heard.falls_silent()
        stuck.may.set()
        assert heard.hears(20), "it works again, and says so"
        feeder.join()
    pipeline.close()


def test_a_pipeline_whose_thread_has_ended_is_no_life() -> None:
    heard = Heard()
    pipeline = Pipeline(Broken(gap=0.01), sink=CallbackSink(lambda burst: None))
    with Watchdog(heard, pipeline):
        assert heard.hears(20)
        pipeline.feed("disk failed")
        assert heard.falls_silent()
        assert pipeline.late() == inf
    with pytest.raises(ZeroDivisionError):
        pipeline.close()


def test_a_thread_that_is_behind_is_no_life() -> None:
    class Behind:
        def late(self) -> float:
            return PERIOD

        def statistics(self) -> Statistics:
            raise AssertionError("nobody asks")

    heard = Heard()
    with Watchdog(heard, Behind()):
        assert not heard.hears(LONG)


def test_a_pipeline_that_closes_is_alive() -> None:
    heard, may = Heard(), threading.Event()
    pipeline = Pipeline(Aggregator(gap=0.01), sink=CallbackSink(lambda burst: may.wait(20)))
    with Watchdog(heard, pipeline):
        pipeline.feed(Batch.of("disk failed"))
        closing = threading.Thread(target=pipeline.close, args=(20.0,))
        closing.start()
        assert heard.hears(20) and heard.hears(20)
        may.set()
        closing.join()
        assert heard.hears(20)


def test_nobody_who_waits_is_no_thread(pipeline: Pipeline) -> None:
    # Those of other tests may end meanwhile.
    before = set(threading.enumerate())
    with Watchdog(Heard(inf), pipeline):
        assert set(threading.enumerate()) <= before
    with Watchdog(Notifier(), pipeline):
        assert set(threading.enumerate()) <= before


def test_the_status_says_what_waits() -> None:
    counts = dict.fromkeys([field for field in Statistics.__dataclass_fields__ if field != "routes"], 0)
    counts |= {"lines_in": 50, "lines_held": 30, "lines_waiting": 10, "sent": 2, "waiting": 1, "dead": 3}
    words = "50 lines in, 2 mails sent, 20 lines held, 1 mail waiting, 3 undeliverable"
    assert told(Statistics(**counts)) == words
