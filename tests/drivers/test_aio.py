"""The asyncio driver, in real loops; what comes out when is in test_scenarios."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import pytest

from burstmail import (
    Aggregator,
    AsyncPipeline,
    Batch,
    Burst,
    CallbackSink,
    Change,
    DeliveryError,
    Entry,
    FileStore,
    Item,
    IterableSource,
    MemoryStore,
    PermanentDeliveryError,
    Saved,
    StoreError,
    StreamSource,
    TemporaryDeliveryError,
    each,
)
from burstmail.drivers.aio import pipeline as aio
from burstmail.drivers.aio import readers
from burstmail.drivers.aio.calls import Calls
from burstmail.testing import ManualClock, RecordingSink


def looped(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """In a loop in debug mode: what is not awaited, not retrieved or too slow is told; nothing is left behind."""

    def run(**given: Any) -> None:
        with asyncio.Runner(debug=True) as runner:
            runner.run(_checked(test(**given)))

    run.__name__ = test.__name__
    run.__signature__ = __import__("inspect").signature(test)  # type: ignore[attr-defined]  # for pytest's arguments
    return run


async def _checked(test: Awaitable[None]) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    await test
    gc.collect()
    await asyncio.sleep(0)
    assert not complaints
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


class Async:
    """An async sink that remembers. `hold` is waited for in each attempt."""

    def __init__(self, *outcomes: BaseException | None) -> None:
        self._outcomes = iter(outcomes)
        self.begun: list[Item] = []
        self.items: list[Item] = []
        self.hold: Callable[[], Awaitable[object]] = partial(asyncio.sleep, 0)

    @property
    def heads(self) -> list[tuple[str, ...]]:
        return [item.head for item in self.items if isinstance(item, Burst)]

    async def send(self, item: Item) -> Mapping[str, DeliveryError]:
        self.begun.append(item)
        await self.hold()
        if (outcome := next(self._outcomes, None)) is not None:
            raise outcome
        self.items.append(item)
        return {}


class Late(Aggregator):
    """Raises as soon as time passes while it holds a line."""

    def poll(self, now: float) -> Sequence[Burst]:
        if self.held:
            raise KeyError("late")
        return []


def for_ever() -> Awaitable[object]:
    return asyncio.get_running_loop().create_future()


# Sinks.


@looped
async def test_a_burst_arrives_after_the_gap_with_no_further_input() -> None:
    sink = Async()
    async with AsyncPipeline(Aggregator(gap=0.2), sink=sink) as pipeline:
        started = time.monotonic()
        pipeline.feed("a")
        pipeline.feed("b")
        await until(lambda: sink.items)
        assert time.monotonic() - started >= 0.2
    assert sink.heads == [("a", "b")]


class Callables:
    async def __call__(self, item: Item) -> str:
        SENT.append(item)
        return "queued as 4711"


SENT: list[Item] = []


async def function(item: Item) -> dict[str, str]:
    SENT.append(item)
    return {"status": "accepted"}


async def curried(name: str, item: Item) -> None:
    SENT.append(item)


@pytest.mark.parametrize(
    "sink", [function, partial(curried, "x"), Callables(), CallbackSink(lambda item: SENT.append(item))]
)
def test_async_functions_and_plain_sinks_will_do(sink: Any) -> None:
    @looped
    async def run() -> None:
        SENT.clear()
        counts = await AsyncPipeline(Aggregator(), sink=sink).run(IterableSource(["a"]))
        assert (counts.sent, len(SENT)) == (1, 1)

    run()


@pytest.mark.parametrize("sink", [print, "smtp://host", None, lambda item: function(item)])
def test_what_is_no_sink_is_refused_at_once(sink: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="sink"):
        AsyncPipeline(Aggregator(), sink=sink)


@looped
async def test_several_sinks_do_not_wait_for_each_other() -> None:
    stuck, other = Async(), Async()
    stuck.hold = for_ever
    async with AsyncPipeline(Aggregator(max_lines=1), sink={"stuck": stuck, "other": other}, grace=0.05) as pipeline:
        for number in range(3):
            pipeline.feed(str(number))
        await until(lambda: len(other.items) == 3)
        assert len(stuck.begun) == 1


@looped
async def test_the_loop_goes_on_while_a_plain_sink_blocks() -> None:
    release = threading.Event()
    sink = CallbackSink(lambda item: release.wait(20))
    async with AsyncPipeline(Aggregator(max_lines=1), sink=sink) as pipeline:
        started = time.monotonic()
        for number in range(100):
            pipeline.feed(str(number))
        assert (await pipeline.statistics()).waiting == 100
        assert time.monotonic() - started < 5
        release.set()
    assert (await pipeline.statistics()).sent == 100


REQUEST: ContextVar[str] = ContextVar("REQUEST", default="none")


@looped
async def test_sending_has_nothing_to_do_with_the_request_that_fed() -> None:
    seen: list[str] = []

    async def sink(item: Item) -> None:
        seen.append(REQUEST.get())

    REQUEST.set("the service")
    async with AsyncPipeline(Aggregator(gap=0.01), sink=sink) as pipeline:
        REQUEST.set("4711")
        pipeline.feed("a")
        await until(lambda: seen)
        pipeline.feed("b")
        pipeline.flush()
    assert seen == ["the service", "the service"]


@looped
async def test_a_temporary_error_is_tried_again_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    sink = Async(TemporaryDeliveryError("greylisted"))
    with caplog.at_level(logging.WARNING, logger="burstmail"):
        async with AsyncPipeline(Aggregator(max_lines=1), sink=sink) as pipeline:
            pipeline.feed("a")
            await until(lambda: "greylisted" in caplog.text)
    assert sink.heads == [("a",)]
    assert "try 1 failed for all: greylisted" in caplog.text


@looped
async def test_a_dead_message_is_told_to_on_dead() -> None:
    dead: list[str] = []
    sink = Async(PermanentDeliveryError("no such user"))
    pipeline = AsyncPipeline(Aggregator(), sink=sink, on_dead=lambda item, error: dead.append(f"{item.count}: {error}"))
    assert (await pipeline.run(IterableSource(["a"]))).dead == 1
    assert dead == ["1: no such user"]


@pytest.mark.parametrize("stored", [False, True])
def test_a_bug_in_a_sink_surfaces_and_loses_nothing(stored: bool) -> None:
    store = MemoryStore() if stored else None

    @looped
    async def run() -> None:
        sink = Async(KeyError("oops"))
        pipeline = await AsyncPipeline(Aggregator(max_lines=1), sink=sink, store=store).start()
        pipeline.feed("a")
        while not (await pipeline.statistics()).deferred:
            await asyncio.sleep(0.001)
        with pytest.raises(KeyError, match="oops"):
            await pipeline.close()
        assert (sink.heads == [("a",)]) is not stored
        assert pipeline.kept is stored
        await pipeline.close()

    run()


@looped
async def test_a_bug_in_on_dead_surfaces_and_stops_the_pipeline(caplog: pytest.LogCaptureFixture) -> None:
    def hook(item: Item, error: DeliveryError) -> None:
        raise KeyError("hook")

    pipeline = AsyncPipeline(Aggregator(max_lines=1), sink=Async(PermanentDeliveryError("no")), on_dead=hook)
    with pytest.raises(KeyError, match="hook"):
        async with pipeline:
            pipeline.feed("a")
            await until(lambda: "the pipeline has stopped: a bug in a stage or in on_dead" in caplog.text)
            with pytest.raises(RuntimeError, match="stopped on a bug"):
                pipeline.feed("b")


@looped
async def test_a_callable_that_raises_surfaces_where_it_was_fed_and_changes_nothing() -> None:
    sink = Async()
    async with AsyncPipeline(Aggregator(key=each(lambda line: str(int(line)))), sink=sink) as pipeline:
        pipeline.feed("1")
        with pytest.raises(ValueError, match="invalid literal"):
            await pipeline.feed("x")
    assert sink.heads == [("1",)]
    assert (await pipeline.statistics()).lines_in == 1


class Says:
    """An async sink that returns what it is told to."""

    def __init__(self, said: Any) -> None:
        self.said = said

    async def send(self, item: Item) -> Any:
        return self.said


@looped
async def test_a_sink_that_returns_nothing_has_failed_for_nobody() -> None:
    assert (await AsyncPipeline(Aggregator(), sink=Says(None)).run(IterableSource(["a"]))).sent == 1


@looped
async def test_a_sink_that_returns_what_makes_no_sense_is_a_bug() -> None:
    pipeline = AsyncPipeline(Aggregator(), sink=Says({"status": 200}))
    with pytest.raises(TypeError, match="must be the recipients that failed"):
        await pipeline.run(IterableSource(["a"]))


# Cancelling.


@looped
async def test_an_attempt_that_is_cancelled_is_made_again() -> None:
    sink = Async(asyncio.CancelledError(), None)
    async with AsyncPipeline(Aggregator(max_lines=1), sink=sink) as pipeline:
        pipeline.feed("a")
        # What has failed by then is tried once more at the end; what fails only after that is not.
        while not (await pipeline.statistics()).deferred:
            await asyncio.sleep(0.005)
        assert len(sink.begun) == 1
    assert sink.heads == [("a",)]
    assert (await pipeline.statistics()).deferred == 1


@looped
async def test_an_attempt_that_is_cancelled_before_it_begins_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, started = Async(), Calls.start

    def start(calls: Calls, *given: Any) -> None:
        monkeypatch.undo()
        started(calls, *given)
        for task in calls._tasks:
            task.cancel()

    monkeypatch.setattr(Calls, "start", start)
    async with AsyncPipeline(Aggregator(max_lines=1), sink=sink) as pipeline:
        pipeline.feed("a")
        while not (await pipeline.statistics()).deferred:
            assert not sink.begun
    assert sink.heads == [("a",)]


@looped
async def test_close_waits_no_longer_than_its_grace_and_counts_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    sink = Async()
    sink.hold = for_ever
    pipeline = await AsyncPipeline(Aggregator(), sink=sink, grace=0.1).start()
    pipeline.feed("a\nb")
    started = time.monotonic()
    await pipeline.close()
    assert 0.1 <= time.monotonic() - started < 5
    assert "1 mail (2 lines) not delivered at exit, and lost" in caplog.text
    assert "last error: none yet, the attempt has not ended" in caplog.text
    assert not pipeline.kept


@looped
async def test_a_sink_that_will_not_be_cancelled_is_left_behind() -> None:
    release = asyncio.Event()

    async def stubborn(item: Item) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    pipeline = await AsyncPipeline(Aggregator(), sink=stubborn, grace=0.05).start()
    pipeline.feed("a")
    started = time.monotonic()
    await pipeline.close()
    assert time.monotonic() - started < 5
    release.set()
    await asyncio.sleep(0.01)


@looped
async def test_a_plain_sink_that_hangs_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    sink = CallbackSink(lambda item: release.wait(20))
    pipeline = await AsyncPipeline(Aggregator(), sink=sink, grace=0.05).start()
    pipeline.feed("a")
    await pipeline.close()
    assert "last error: none yet, the attempt has not ended" in caplog.text
    release.set()
    await asyncio.sleep(0.05)


def test_what_a_sink_says_once_the_loop_is_closed_is_nobodys_news() -> None:
    release, before = threading.Event(), set(threading.enumerate())
    sink = CallbackSink(lambda item: release.wait(20))

    @looped
    async def run() -> None:
        pipeline = await AsyncPipeline(Aggregator(), sink=sink, grace=0).start()
        pipeline.feed("a")
        await pipeline.close()

    run()
    (thread,) = {thread for thread in threading.enumerate() if thread.name == "burstmail-send"} - before
    release.set()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("stored", [False, True])
def test_a_close_that_is_cancelled_keeps_what_it_has(stored: bool, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore() if stored else None

    @looped
    async def run() -> None:
        sink = Async()
        sink.hold = for_ever
        pipeline = await AsyncPipeline(Aggregator(), sink=sink, store=store, grace=60).start()
        await pipeline.feed("a")
        closing = asyncio.create_task(pipeline.close())
        await until(lambda: sink.begun)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert pipeline.kept is stored

    @looped
    async def again() -> None:
        sink = Async()
        async with AsyncPipeline(Aggregator(), sink=sink, store=store):
            await until(lambda: sink.items)
        assert sink.heads == [("a",)]

    run()
    assert ("and lost" in caplog.text) is not stored
    if stored:
        again()


@looped
async def test_a_close_that_ran_out_of_time_says_so_to_its_timeout() -> None:
    sink = Async()
    sink.hold = for_ever
    pipeline = await AsyncPipeline(Aggregator(), sink=sink, store=MemoryStore(), grace=60).start()
    await pipeline.feed("a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pipeline.close()
    assert pipeline.kept


def test_a_program_that_is_cancelled_as_a_whole_loses_nothing() -> None:
    store, sink = MemoryStore(), Async()
    sink.hold = for_ever

    async def work() -> None:
        async with AsyncPipeline(Aggregator(max_lines=1), sink=sink, store=store, grace=0.2) as pipeline:
            await pipeline.feed("a")
            await until(lambda: sink.begun)
            await for_ever()

    async def main() -> None:
        task = asyncio.create_task(work())
        await until(lambda: sink.begun)
        assert not task.done()

    # Its end cancels all tasks: ours, and those of the sink.
    asyncio.run(main(), debug=True)
    assert store.open() is not None and len(store.open().outbox) == 1  # type: ignore[union-attr]  # it is not None


@looped
async def test_an_await_on_feed_that_is_cancelled_loses_nothing() -> None:
    sink = Async()
    async with AsyncPipeline(Aggregator(), sink=sink, store=MemoryStore()) as pipeline:
        fed = pipeline.feed("a")
        fed.cancel()
        await pipeline.feed("b")
    assert sink.heads == [("a", "b")]


class Slow(MemoryStore):
    """A store on a slow disk."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.closed = False

    def open(self) -> Saved | None:
        time.sleep(self.seconds)
        return super().open()

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        time.sleep(self.seconds)
        super().append(entry, sync=sync)

    def commit(self, change: Change, *, sync: bool = True) -> None:
        time.sleep(self.seconds)
        super().commit(change, sync=sync)

    def close(self) -> None:
        self.closed = True
        super().close()


class Held(MemoryStore):
    """A store on a disk that takes as long as a test wants: this call of it waits until it is let go."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.asked, self.go = threading.Event(), threading.Event()
        self.closed = False
        made = getattr(self, call)

        def hold(*given: Any, **more: Any) -> Any:
            self.asked.set()
            assert self.go.wait(20)
            return made(*given, **more)

        setattr(self, call, hold)

    def close(self) -> None:
        self.closed = True
        super().close()


@looped
async def test_a_start_that_is_cancelled_lets_go_of_the_store() -> None:
    store = Held("open")
    starting = asyncio.create_task(AsyncPipeline(Aggregator(), sink=Async(), store=store).start())
    await until(store.asked.is_set)
    starting.cancel()
    await asyncio.sleep(0)
    store.go.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert store.closed


# Stores.


class Patient(Slow):
    """A store on a disk that is done with each call when the loop has gone on meanwhile, and not before."""

    def __init__(self) -> None:
        super().__init__(0)
        self.turns = 0
        self.stuck: list[str] = []

    def _wait(self, what: str) -> None:
        wanted, end = self.turns + 10, time.monotonic() + 10
        while self.turns < wanted:
            time.sleep(0.001)
            if time.monotonic() > end:
                self.stuck.append(what)
                return

    def open(self) -> Saved | None:
        self._wait("open")
        return super().open()

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        self._wait("append")
        super().append(entry, sync=sync)

    def commit(self, change: Change, *, sync: bool = True) -> None:
        self._wait("commit")
        super().commit(change, sync=sync)

    def close(self) -> None:
        self._wait("close")
        super().close()


@looped
async def test_the_loop_goes_on_while_the_store_is_slow() -> None:
    sink, store = Async(), Patient()

    async def turn() -> None:
        while not store.closed:
            await asyncio.sleep(0.001)
            store.turns += 1

    turning = asyncio.create_task(turn())
    async with AsyncPipeline(Aggregator(max_lines=1), sink=sink, store=store) as pipeline:
        fed = pipeline.feed("a")
        await until(lambda: sink.items)
        assert fed.done()
    await turning
    assert not store.stuck


@looped
async def test_what_is_awaited_is_in_the_store() -> None:
    store = MemoryStore()
    async with AsyncPipeline(Aggregator(), sink=Async(), store=store) as pipeline:
        await pipeline.feed("a\nb")
        assert [entry.text for entry in store._journal] == ["a\nb\n"]
        await pipeline.sync()


@looped
async def test_without_a_store_there_is_nothing_to_sync() -> None:
    async with AsyncPipeline(Aggregator(), sink=Async()) as pipeline:
        with pytest.raises(StoreError, match="no store"):
            await pipeline.sync()


@looped
async def test_lines_that_a_store_is_behind_with_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aio, "WAITING", 10)
    async with AsyncPipeline(Aggregator(), sink=Async(), store=Slow(0.05)) as pipeline:
        fed = [pipeline.feed("123456789"), pipeline.feed("123456789")]
        with pytest.raises(asyncio.QueueFull, match="await what feed"):
            for _ in range(9):
                fed.append(pipeline.feed("123456789"))
        await asyncio.wait(fed)
        await pipeline.feed("x")
        assert (await pipeline.statistics()).lines_in == len(fed) + 1


# Being used.


@looped
async def test_it_is_used_in_its_loop_between_start_and_close() -> None:
    pipeline = AsyncPipeline(Aggregator(), sink=Async())
    with pytest.raises(RuntimeError, match="not been started"):
        pipeline.feed("a")
    assert (await pipeline.statistics()).lines_in == 0
    async with pipeline:
        pipeline.feed("a")
        with pytest.raises(RuntimeError, match="another loop"):
            await asyncio.to_thread(pipeline.feed, "b")
        with pytest.raises(RuntimeError, match="another loop"):
            await asyncio.to_thread(lambda: asyncio.run(_fed(pipeline)))
        with pytest.raises(RuntimeError, match="started already"):
            await pipeline.start()
    await pipeline.close()
    with pytest.raises(RuntimeError, match="is closed"):
        pipeline.feed("c")
    unused = AsyncPipeline(Aggregator(), sink=Async())
    await unused.close()


async def _fed(pipeline: AsyncPipeline) -> None:
    pipeline.feed("b")


@looped
async def test_two_who_close_at_once_both_wait() -> None:
    sink = Async()
    sink.hold = partial(asyncio.sleep, 0.05)
    pipeline = await AsyncPipeline(Aggregator(), sink=sink).start()
    pipeline.feed("a")
    await asyncio.gather(pipeline.close(), pipeline.close())
    assert sink.heads == [("a",)]


@looped
async def test_a_close_that_waits_ends_with_one_that_waits_no_longer() -> None:
    sink = Async()
    sink.hold = for_ever
    pipeline = await AsyncPipeline(Aggregator(), sink=sink, store=MemoryStore(), grace=60).start()
    await pipeline.feed("a")
    closing = asyncio.create_task(pipeline.close())
    await until(lambda: sink.begun)
    await pipeline.close(grace=0)
    await closing
    assert pipeline.kept


@looped
async def test_other_stages_and_another_sink_go_on() -> None:
    old, new = Async(), Async()
    async with AsyncPipeline(Aggregator(gap=60), sink=old) as pipeline:
        pipeline.feed("a")
        await pipeline.reconfigure(Aggregator(gap=0.05), sink=new)
        pipeline.feed("b")
        await until(lambda: new.items)
        with pytest.raises(ValueError, match="name at least one"):
            await pipeline.reconfigure(Aggregator(), sink=[])
    assert (old.heads, new.heads) == ([("a",)], [("b",)])


@looped
async def test_a_reconfigure_that_is_cancelled_is_done_all_the_same() -> None:
    old, new = Async(), Async()
    async with AsyncPipeline(Aggregator(gap=60), sink=old, store=Slow(0.02)) as pipeline:
        pipeline.feed("a")
        changing = asyncio.create_task(pipeline.reconfigure(Aggregator(gap=60), sink=new))
        await asyncio.sleep(0)
        changing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await changing
        pipeline.feed("b")
    assert (old.heads, new.heads) == ([("a",)], [("b",)])


@looped
async def test_a_reconfigure_whose_flush_raises_changes_nothing() -> None:
    class Raising(Aggregator):
        def flush(self, now: float) -> list[Burst]:
            raise ZeroDivisionError

    old, new = Async(), Async()
    async with AsyncPipeline(Raising(gap=60), sink=old) as pipeline:
        with pytest.raises(ZeroDivisionError):
            await pipeline.reconfigure(Aggregator(gap=60), sink=new)
        pipeline.feed("a")
    assert (old.heads, new.heads) == ([("a",)], [])


def test_a_loop_that_has_ended_is_told_of_and_the_store_let_go(tmp_path: Path) -> None:
    """Somebody has forgotten to close, and does it when it is too late: it must not wait for ever."""

    async def begun() -> AsyncPipeline:
        pipeline = await AsyncPipeline(Aggregator(gap=60), sink=Async(), store=FileStore(tmp_path)).start()
        await pipeline.feed("a")
        return pipeline

    async def ended(pipeline: AsyncPipeline) -> None:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="loop has ended before it"):
                await asyncio.wait_for(pipeline.close(), 10)
        assert (await asyncio.wait_for(pipeline.statistics(), 10)).lines_in == 1

    asyncio.run(ended(asyncio.run(begun())))
    store = FileStore(tmp_path)
    deadline = time.monotonic() + 10
    while (saved := store.open()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert saved is not None
    store.close()


@looped
async def test_it_cannot_be_closed_from_another_loop() -> None:
    async with AsyncPipeline(Aggregator(gap=60), sink=Async()) as pipeline:
        with pytest.raises(RuntimeError, match="belongs to another loop"):
            await asyncio.to_thread(asyncio.run, pipeline.close())
        await pipeline.feed("a")


class Looks(asyncio.SelectorEventLoop):
    """A loop that counts how often it looks for something to do."""

    looks = 0

    def _run_once(self) -> None:
        self.looks += 1
        super()._run_once()  # type: ignore[misc]  # it is the base's own


@looped
async def test_a_stage_that_raises_as_time_passes_stops_the_pipeline_and_surfaces(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline = await AsyncPipeline(Late(gap=0.02), sink=Async()).start()
    pipeline.feed("a")
    await until(lambda: "the pipeline has stopped: a bug in a stage or in on_dead" in caplog.text)
    with pytest.raises(RuntimeError, match="stopped on a bug"):
        pipeline.feed("b")
    with pytest.raises(KeyError, match="late"):
        await pipeline.close()


@pytest.mark.parametrize("stored", [False, True])
def test_an_idle_pipeline_does_not_wake_up(stored: bool) -> None:
    async def run() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Looks)
        store = MemoryStore() if stored else None
        async with AsyncPipeline(Aggregator(gap=0.02), sink=Async(), store=store, sync="off") as pipeline:
            pipeline.feed("a")
            while not (await pipeline.statistics()).sent:
                await asyncio.sleep(0.001)
            # What was still to be done with that is done.
            for _ in range(5):
                await asyncio.sleep(0)
            before = loop.looks
            await asyncio.sleep(0.5)
            return loop.looks - before

    with asyncio.Runner(loop_factory=Looks) as runner:
        # The sleep of this very test.
        assert runner.run(run()) <= 2


@looped
async def test_a_stream_of_lines_does_not_set_a_timer_for_each() -> None:
    async with AsyncPipeline(Aggregator(gap=5), sink=Async()) as pipeline:
        pipeline.feed("a")
        timer = pipeline._started._timer  # type: ignore[union-attr]  # it is started
        for _ in range(100):
            pipeline.feed("a")
        assert pipeline._started._timer is timer  # type: ignore[union-attr]  # it is started


def test_no_thread_is_left_behind() -> None:
    before = set(threading.enumerate())

    @looped
    async def run() -> None:
        async with AsyncPipeline(Aggregator(), sink=RecordingSink(), store=MemoryStore()) as pipeline:
            await pipeline.feed("a")
            await pipeline.read(IterableSource(["b"]))

    run()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


# Sources.


async def lines(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


@looped
async def test_async_iterables_and_plain_sources_are_read_together() -> None:
    sink = Async()
    counts = await AsyncPipeline(Aggregator(), sink=sink).run(
        lines("a", Batch.of("b\nc")), lines("d"), IterableSource(["e"]), IterableSource(["f"])
    )
    assert counts.lines_in == 6
    assert sorted(line for head in sink.heads for line in head) == ["a", "b", "c", "d", "e", "f"]


@looped
async def test_bytes_are_cut_into_lines_wherever_they_end() -> None:
    sink = Async()
    await AsyncPipeline(Aggregator(), sink=sink).run(lines(b"one\ntw", b"o\r\nthr\xff", b"ee"))
    assert sink.heads == [("one", "two", "thr\\xffee")]


@looped
async def test_what_a_subprocess_writes_is_read_however_long_its_lines_are() -> None:
    code = "print('a'); print('b' * 200_000); print('c', end='')"
    child = await asyncio.create_subprocess_exec("python3", "-c", code, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    sink = Async()
    counts = await AsyncPipeline(Aggregator(), sink=sink).run(child.stdout)
    await child.wait()
    assert counts.lines_in == 3
    (burst,) = sink.items
    assert isinstance(burst, Burst)
    assert (burst.head[0], burst.tail[-1]) == ("a", "c")


@looped
async def test_a_source_that_fails_ends_and_the_others_are_read_on(caplog: pytest.LogCaptureFixture) -> None:
    async def failing() -> AsyncIterator[str]:
        yield "a"
        raise ConnectionResetError("gone")

    async def slow() -> AsyncIterator[str]:
        await asyncio.sleep(0.05)
        yield "b"

    sink = Async()
    pipeline = AsyncPipeline(Aggregator(), sink=sink)
    with pytest.raises(ConnectionResetError):
        await pipeline.run(failing(), slow())
    assert sink.heads == [("a", "b")]
    assert "a source has ended, the others go on: gone" in caplog.text


@looped
async def test_a_bug_in_a_source_ends_all_and_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise KeyError("bug")

    async def endless() -> AsyncIterator[str]:
        yield "b"
        await for_ever()

    sink = Async()
    with pytest.raises(KeyError, match="bug"):
        await AsyncPipeline(Aggregator(), sink=sink).run(endless(), IterableSource(broken()))
    assert sorted(sink.heads[0]) == ["a", "b"]


@looped
async def test_no_source_is_a_mistake() -> None:
    async with AsyncPipeline(Aggregator(), sink=Async()) as pipeline:
        with pytest.raises(ValueError, match="name at least one"):
            await pipeline.read()


@looped
async def test_a_run_that_is_cancelled_feeds_what_was_read() -> None:
    class Three:
        """A source that has read two lines when it is told to close, and brings them then."""

        def __init__(self) -> None:
            self.closed = threading.Event()

        def __iter__(self) -> Iterator[Batch]:
            yield Batch.of("one")
            assert self.closed.wait(10)
            yield Batch.of("two\nthree")

        def close(self) -> None:
            self.closed.set()

    async def unfinished() -> AsyncIterator[bytes]:
        yield b"four\nfive"
        await for_ever()

    sink = Async()
    pipeline = await AsyncPipeline(Aggregator(gap=60), sink=sink).start()
    running = asyncio.create_task(pipeline.run(Three(), unfinished()))
    while (await pipeline.statistics()).lines_in < 2:
        await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(sink.heads[0]) == ["five", "four", "one", "three", "two"]


@looped
async def test_an_async_generator_is_closed_when_reading_is_cancelled() -> None:
    ended = asyncio.Event()

    async def source() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
            await for_ever()
        finally:
            ended.set()

    store = Held("append")
    async with AsyncPipeline(Aggregator(), sink=Async(), store=store) as pipeline:
        reading = asyncio.create_task(pipeline.read(source()))
        await until(store.asked.is_set)
        reading.cancel()
        await asyncio.sleep(0)
        store.go.set()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert ended.is_set()
        assert (await pipeline.statistics()).lines_in == 1


class Stuck:
    """A source that does not end when it is told to."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def __iter__(self) -> Iterator[Batch]:
        yield Batch.of("a")
        self.release.wait(20)
        yield Batch.of("b")

    def close(self) -> None:
        return


@looped
async def test_a_source_that_does_not_end_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LINGER", 0.05)
    sink, source = Async(), Stuck()
    async with AsyncPipeline(Aggregator(), sink=sink) as pipeline:
        reading = asyncio.create_task(pipeline.read(source))
        while not (await pipeline.statistics()).lines_in:
            await asyncio.sleep(0.001)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    source.release.set()
    # It has nowhere to bring its lines to, and its thread ends.
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name == "burstmail-read"])
    assert sink.heads == [("a",)]


def test_threads_end_that_have_nobody_left_to_tell() -> None:
    source, store, left, before = Stuck(), Slow(0.2), [], set(threading.enumerate())

    async def run() -> None:
        pipeline = await AsyncPipeline(Aggregator(), sink=Async(), store=store).start()
        reading = asyncio.create_task(pipeline.read(source))
        while not (await pipeline.statistics()).lines_in:
            await asyncio.sleep(0.001)
        pipeline.feed("b")
        left.extend(set(threading.enumerate()) - before)
        pipeline._started._worker.close()  # type: ignore[union-attr]  # it is started
        assert not reading.done()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(readers, "LINGER", 0.05)
        asyncio.run(run())
    source.release.set()
    for thread in left:
        thread.join(10)
        assert not thread.is_alive()
    assert len(left) == 2


@looped
async def test_a_file_goes_on_where_it_was(tmp_path: Any) -> None:
    from burstmail import FileSource

    path = tmp_path / "app.log"
    path.write_text("one\n")
    store, sink = MemoryStore(), Async()
    for number in (1, 2):
        async with AsyncPipeline(Aggregator(gap=0.01), sink=sink, store=store) as pipeline:
            source = FileSource(str(path), start="beginning", poll=0.01)
            reading = asyncio.create_task(pipeline.read(source))
            await until(lambda number=number: len(sink.items) == number)  # type: ignore[misc]  # mypy and defaults
            source.close()
            await reading
        path.write_text("one\ntwo\n")
    assert sink.heads == [("one",), ("two",)]


@looped
async def test_standard_input_and_the_like_are_read_in_a_thread() -> None:
    import os

    reader, writer = os.pipe()
    sink = Async()
    pipeline = await AsyncPipeline(Aggregator(gap=60), sink=sink).start()
    reading = asyncio.create_task(pipeline.read(StreamSource(reader, linger=0.01)))
    os.write(writer, b"a\nb\n")
    while (await pipeline.statistics()).lines_in < 2:
        await asyncio.sleep(0.001)
    os.write(writer, b"c\n")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await pipeline.close()
    os.close(reader)
    os.close(writer)
    assert sink.heads == [("a", "b", "c")]


# For a watchdog.


@looped
async def test_what_is_not_done_in_time_is_told_to_a_watchdog() -> None:
    # So long that the loop's own timer does not come by itself meanwhile.
    clock = ManualClock()
    pipeline = AsyncPipeline(Aggregator(gap=500, max_age=5000), sink=Async(), clock=clock, grace=0)
    assert await pipeline.late() == 0, "nothing has begun"
    async with pipeline:
        assert await pipeline.late() == 0
        await pipeline.feed("disk failed")
        clock.advance(400)
        assert await pipeline.late() == 0
        clock.advance(400)
        assert await pipeline.late() == pytest.approx(300)
        await until(lambda: pipeline._engine.deadline > clock.monotonic())
        assert await pipeline.late() == 0
        await pipeline.feed("disk failed")
        clock.advance(800)
    assert await pipeline.late() == 0, "closed: nothing is due any more"


@looped
async def test_a_pipeline_that_has_stopped_is_late_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = await AsyncPipeline(Late(gap=0.02), sink=Async()).start()
    pipeline.feed("a")
    await until(lambda: "the pipeline has stopped: a bug in a stage or in on_dead" in caplog.text)
    assert await pipeline.late() == inf
    with pytest.raises(KeyError, match="late"):
        await pipeline.close()
