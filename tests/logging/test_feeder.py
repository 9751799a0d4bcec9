"""Lines that nobody waits for: gathered, bounded, counted, and fed to the last one whatever happens."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from burstmail import Aggregator, Burst, CallbackSink, Pipeline, Statistics
from burstmail.logging.feeder import PAUSE, Feeder


class Bursts:
    """Pipelines that only collect, and what came of them."""

    def __init__(self) -> None:
        self.bursts: list[Burst] = []
        self.pipelines: list[Pipeline] = []
        self.failures = 0

    def make(self) -> Pipeline:
        if self.failures:
            self.failures -= 1
            raise OSError("no disk")
        self.pipelines.append(Pipeline(Aggregator(gap=3600, max_age=7200), sink=CallbackSink(self.bursts.append)))
        return self.pipelines[-1]

    @property
    def lines(self) -> list[str]:
        return [line for burst in self.bursts for line in (*burst.head, *burst.tail)]

    def statistics(self) -> Statistics:
        return self.pipelines[-1].statistics()


@pytest.fixture
def made() -> Bursts:
    return Bursts()


@pytest.fixture
def feeder(made: Bursts) -> Iterator[Feeder]:
    one = Feeder(made.make, lambda count, time: f"{count} more\n", capacity=1000)
    yield one
    one.close(1.0)


def test_lines_arrive_in_order_and_at_the_end_all_have(feeder: Feeder, made: Bursts) -> None:
    for number in range(100):
        assert put(feeder, f"{number}\n", 0.0)
    feeder.close(2.0)
    assert made.lines == [str(number) for number in range(100)]


def test_what_comes_in_a_row_is_fed_together(feeder: Feeder, made: Bursts) -> None:
    put(feeder, "first\n", 0.0)
    feeder.flush()
    began = time.monotonic()
    reads: list[int] = []
    pipeline = made.pipelines[0]
    feed = pipeline.feed
    pipeline.feed = lambda batch: (reads.append(batch.count), feed(batch))[1]  # type: ignore[method-assign]
    for number in range(100):
        put(feeder, f"{number}\n", 0.0)
        time.sleep(0.001)
    feeder.close(2.0)
    assert sum(reads) == 100
    # However long the machine took for this: so many a second, and at the end what is left.
    assert len(reads) <= (time.monotonic() - began) / PAUSE + 1


def test_the_wall_time_is_that_of_the_first_line(feeder: Feeder, made: Bursts) -> None:
    put(feeder, "a\n", 1000.0)
    put(feeder, "b\n", 2000.0)
    feeder.close(2.0)
    assert made.bursts[0].first == 1000.0


def test_flush_has_all_of_it_mailed_now(feeder: Feeder, made: Bursts) -> None:
    put(feeder, "a\n", 0.0)
    feeder.flush()
    assert made.statistics().bursts == 1
    put(feeder, "b\n", 0.0)
    feeder.flush()
    assert made.statistics().bursts == 2


def test_flush_without_a_line_starts_nothing(feeder: Feeder) -> None:
    feeder.flush()
    assert not feeder.running


def test_what_does_not_fit_is_counted_and_told(feeder: Feeder, made: Bursts) -> None:
    held = threading.Event()
    make, feeder._make = feeder._make, lambda: (held.wait(10), make())[1]
    for number in range(300):
        assert put(feeder, f"{number:09}\n", 0.0)
    held.set()
    feeder.close(2.0)
    assert len(made.lines) == 101
    assert made.lines[-1] == "200 more"


def test_one_record_always_fits(feeder: Feeder, made: Bursts) -> None:
    put(feeder, "x" * 5000 + "\n", 0.0)
    feeder.close(2.0)
    assert made.bursts[0].count == 1


def test_records_that_were_missed_before_are_told_too(feeder: Feeder, made: Bursts) -> None:
    put(feeder, "a\n", 0.0, 3)
    feeder.close(2.0)
    assert made.lines == ["a", "3 more"]


def test_nothing_is_taken_after_the_end(feeder: Feeder) -> None:
    feeder.close(1.0)
    assert not put(feeder, "a\n", 0.0)
    assert not feeder.running


def test_a_pipeline_that_cannot_be_made_is_tried_again_and_nothing_lost(
    feeder: Feeder, made: Bursts, caplog: pytest.LogCaptureFixture
) -> None:
    made.failures = 1
    put(feeder, "a\n", 0.0)
    wait_until(lambda: not feeder.running)
    put(feeder, "b\n", 0.0)
    feeder.close(2.0)
    assert made.lines == ["a", "b"]
    assert "what is logged cannot be mailed" in caplog.text


def test_a_pipeline_that_cannot_be_made_is_not_tried_with_every_record(
    feeder: Feeder, made: Bursts, caplog: pytest.LogCaptureFixture
) -> None:
    made.failures = 2
    for number in range(50):
        put(feeder, "a\n", 1000.0 + number / 100)
        wait_until(lambda: not feeder.running)
    assert len(caplog.records) == 1
    # The clock was set back meanwhile.
    put(feeder, "b\n", 900.0)
    wait_until(lambda: not feeder.running)
    put(feeder, "c\n", 910.0)
    feeder.close(2.0)
    assert len(caplog.records) == 2
    assert made.statistics().lines_in == 52


def test_a_pipeline_that_refuses_lines_is_told_of_and_asked_again(
    feeder: Feeder, made: Bursts, caplog: pytest.LogCaptureFixture
) -> None:
    put(feeder, "a\n", 0.0)
    feeder.flush()
    made.pipelines[0].close()
    put(feeder, "b\n", 0.0)
    feeder.flush()
    assert "of what was logged, 1 record cannot be mailed" in caplog.text
    feeder.close(1.0)


def test_where_no_thread_can_be_started_the_end_does_the_work(
    feeder: Feeder, made: Bursts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    put(feeder, "a\n", 0.0)
    assert not feeder.running
    feeder.close(2.0)
    assert made.lines == ["a"]


def test_a_sink_that_hangs_holds_up_the_end_no_longer_than_its_grace(caplog: pytest.LogCaptureFixture) -> None:
    free = threading.Event()
    sink = CallbackSink(lambda burst: free.wait(30))
    feeder = Feeder(lambda: Pipeline(Aggregator(), sink=sink), lambda count, time: "", capacity=1000)
    put(feeder, "a\n", 0.0)
    with caplog.at_level(logging.ERROR):
        feeder.close(0.2)
    free.set()
    assert "1 mail (1 line) not delivered at exit, and lost" in caplog.text


def put(feeder: Feeder, text: str, time: float, missed: int = 0) -> bool:
    return feeder.put(text, len(text), time, missed)


def wait_until(done: Callable[[], bool]) -> None:
    for _ in range(1000):
        if done():
            return
        threading.Event().wait(0.01)
    raise AssertionError("not within 10 s")
