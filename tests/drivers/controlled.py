"""Every driver under a clock that a test moves: the same scenario gives a Story, whichever plays it.

Simulation needs no more than its number. A Pipeline's threads are real, and their waits last until the test's clock has
come so far; time goes on when all of them are asleep. An AsyncPipeline's loop has a selector that does not wait.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from burstmail import AsyncPipeline, Batch, Burst, DeliveryError, Item, MemoryStore, Message, Pipeline, Statistics
from burstmail.drivers.aio.desk import Desk
from burstmail.drivers.aio.worker import Worker
from burstmail.testing import ManualClock, Simulation
from tests.drivers.scenarios import Act, Become, Flush, Outcome, Restart, Scenario, Stepped

# Real seconds, after which a test that waits for threads has failed.
PATIENCE = 20.0
# The name of every numbering: drivers draw theirs by lot, and mails have it in their Message-IDs.
EPOCH = "epoch"


@dataclass
class Story:
    """What came out of a driver."""

    mails: list[tuple[float, Item]] = field(default_factory=list)
    # Of each life, one after the other.
    statistics: list[Statistics] = field(default_factory=list)

    def told(self) -> list[tuple[float, str, str]]:
        """As a Scenario has it: when, the lines, and why."""
        return [(at, _shown(_burst(item)), _burst(item).reason.value) for at, item in self.mails]


def _burst(item: Item) -> Burst:
    return item.burst if isinstance(item, Message) else item


def _shown(burst: Burst) -> str:
    left_out = [f"...{burst.elided}"] if burst.elided else []
    return "|".join([*burst.head, *left_out, *burst.tail])


class Scripted:
    """A sink that writes down when it accepts what. `outcomes` are those of the first attempts."""

    def __init__(self, story: Story, clock: ManualClock, outcomes: Iterator[Outcome]) -> None:
        self._story = story
        self._clock = clock
        self._outcomes = outcomes

    def send(self, item: Item) -> Mapping[str, DeliveryError]:
        outcome = next(self._outcomes, None)
        if isinstance(outcome, DeliveryError):
            raise outcome
        self._story.mails.append((round(self._clock.monotonic(), 6), item))
        return outcome or {}


def fixed() -> Any:
    """What a driver draws by lot is the same for all of them."""
    return patch("burstmail.drivers.engine.new_epoch", lambda: EPOCH)


def batch(text: str) -> Batch:
    return Batch.of(text.split("|"))


# Simulation.


def simulated(scenario: Scenario) -> Story:
    """Played by a Simulation."""
    with fixed():
        return _Simulated(scenario).play()


class _Simulated:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.story, self.clock = Story(), ManualClock()
        self.store = MemoryStore() if scenario.stored else None
        self.sink = Scripted(self.story, self.clock, iter(scenario.outcomes))
        self.run = self._begun()

    def _begun(self) -> Simulation:
        run = Simulation(
            *self.scenario.stages(),
            sink=self.sink,
            **self.scenario.retry,
            store=self.store,
            clock=self.clock,
        )
        run.flow.renew(EPOCH)
        return run

    def play(self) -> Story:
        for at, act in sorted(self.scenario.steps, key=lambda step: step[0]):
            self.run.until(at)
            self._do(act)
        self.run.until(self.scenario.until).end()
        self.story.statistics.append(self.run.statistics())
        return self.story

    def _do(self, act: Act) -> None:
        match act:
            case str():
                self.run.at(self.clock.monotonic(), batch(act))
            case Flush():
                self.run.flush()
            case Become():
                self.run.reconfigure(*act.stages(), **self.scenario.retry)
                self.run.flow.renew(EPOCH)
            case Stepped():
                self.clock.step(act.seconds)
            case Restart():
                self.run.end()
                self.story.statistics.append(self.run.statistics())
                self.run = self._begun()


# Pipeline.


class Sleep:
    """A Condition whose `wait` ends when it is notified, or when the clock has come so far: nothing of it is real."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.real = threading.Condition(threading.Lock())
        # What the thread that waits here waits for; None while it is awake, or has been told to wake up.
        self.until: float | None = None
        self._calls = 0

    def over(self, lock: threading.Lock) -> Sleep:
        """It, with this lock, which others take by itself, too."""
        self.real = threading.Condition(lock)
        return self

    def __enter__(self) -> bool:
        return self.real.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.real.__exit__(*error)

    def wait(self, timeout: float | None = None) -> None:
        end = inf if timeout is None else self.clock.monotonic() + timeout
        calls, self.until = self._calls, end
        self.real.notify_all()
        while calls == self._calls and self.clock.monotonic() < end:
            self.real.wait()
        self.until = None

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> bool:
        return self.real.wait_for(predicate, PATIENCE if timeout else 0)

    def notify_all(self) -> None:
        self._calls += 1
        self.until = None
        self.real.notify_all()


class Conducted:
    """A Pipeline in the test's time."""

    def __init__(self, clock: ManualClock, make: Callable[[], Pipeline]) -> None:
        self.clock = clock
        self.sleep = Sleep(clock)
        shim = SimpleNamespace(**{**vars(threading), "Condition": self.sleep.over})
        with patch("burstmail.drivers.thread.threading", shim):
            self.pipeline = make()

    def advance(self, to: float) -> None:
        """Let time pass, from one deadline to the next."""
        while (due := self.settled()) <= to:
            self._become(due)
        self._become(to)

    def settled(self) -> float:
        """Wait until all threads sleep; for what the pipeline's does, then."""
        with self.sleep.real:
            assert self.sleep.real.wait_for(self._asleep, PATIENCE), "the pipeline's threads do not come to rest"
            return inf if self.sleep.until is None else self.sleep.until

    def _asleep(self) -> bool:
        return self.pipeline._is_idle() and (self.pipeline._thread is None or self.sleep.until is not None)

    def _become(self, now: float) -> None:
        with self.sleep.real:
            self.clock.advance(max(0.0, now - self.clock.monotonic()))
            if self.sleep.until is not None and self.sleep.until <= self.clock.monotonic():
                self.sleep.notify_all()


def threaded(scenario: Scenario) -> Story:
    """Played by a Pipeline."""
    with fixed(), patch("burstmail.drivers.thread.jitter", lambda: 0.0):
        return _Threaded(scenario).play()


class _Threaded:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.story, self.clock = Story(), ManualClock()
        self.store = MemoryStore() if scenario.stored else None
        self.sink = Scripted(self.story, self.clock, iter(scenario.outcomes))
        self.run = self._begun()

    def _begun(self) -> Conducted:
        return Conducted(self.clock, self._made)

    def _made(self) -> Pipeline:
        return Pipeline(
            *self.scenario.stages(),
            sink=self.sink,
            store=self.store,
            clock=self.clock,
            **self.scenario.retry,
        )

    def play(self) -> Story:
        for at, act in sorted(self.scenario.steps, key=lambda step: step[0]):
            self.run.advance(at)
            self._do(act)
            self.run.settled()
        self.run.advance(self.scenario.until)
        self._end()
        return self.story

    def _end(self) -> None:
        self.run.pipeline.close()
        self.story.statistics.append(self.run.pipeline.statistics())

    def _do(self, act: Act) -> None:
        pipeline = self.run.pipeline
        match act:
            case str():
                pipeline.feed(batch(act))
            case Flush():
                pipeline.flush()
            case Become():
                pipeline.reconfigure(*act.stages(), sink=self.sink, **self.scenario.retry)
            case Stepped():
                self.clock.step(act.seconds)
            case Restart():
                self._end()
                self.run = self._begun()


# AsyncPipeline.


class LoopClock(ManualClock):
    """The loop's time."""

    def __init__(self, loop: Timeless) -> None:
        super().__init__()
        self._loop = loop

    def monotonic(self) -> float:
        return self._loop.time()

    def time(self) -> float:
        return self._wall + self._loop.time()


class _Selector(selectors.DefaultSelector):
    """It waits for threads only: where the loop would sleep, time goes on at once."""

    loop: Timeless

    def select(self, timeout: float | None = None) -> Any:
        if timeout != 0 and self.loop.threads():
            ready = super().select(PATIENCE)
            assert ready, "a thread does not tell the loop what came of its work"
            return ready
        if not (ready := super().select(0)) and timeout != 0:
            assert timeout is not None, "the loop would sleep for ever"
            self.loop.now += timeout
        return ready


class Timeless(asyncio.SelectorEventLoop):
    """An event loop that never waits. `threads` says whether one of them has something to tell it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.threads: Callable[[], bool] = lambda: False
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def awaited(scenario: Scenario) -> Story:
    """Played by an AsyncPipeline, with an async sink."""
    return _in_a_loop(scenario, plain=False)


def awaited_with_threads(scenario: Scenario) -> Story:
    """Played by an AsyncPipeline, with a sink that is called in a thread."""
    return _in_a_loop(scenario, plain=True)


def _in_a_loop(scenario: Scenario, *, plain: bool) -> Story:
    with (
        fixed(),
        patch("burstmail.drivers.aio.desk.jitter", lambda: 0.0),
        patch("burstmail.drivers.aio.desk.Worker", Counted),
        asyncio.Runner(debug=True, loop_factory=Timeless) as runner,
    ):
        loop = runner.get_loop()
        assert isinstance(loop, Timeless)
        return runner.run(_Awaited(scenario, loop, plain).play())


class _Awaited:
    def __init__(self, scenario: Scenario, loop: Timeless, plain: bool) -> None:
        self.scenario, self.loop = scenario, loop
        self.story, self.clock = Story(), LoopClock(loop)
        self.store = MemoryStore() if scenario.stored else None
        self.sink = Scripted(self.story, self.clock, iter(scenario.outcomes))
        self.plain = plain

    def _made(self) -> AsyncPipeline:
        run = AsyncPipeline(
            *self.scenario.stages(),
            sink=self._sink(),
            store=self.store,
            clock=self.clock,
            **self.scenario.retry,
        )
        self.loop.threads = partial(self._awaits_threads, run)
        return run

    def _awaits_threads(self, run: AsyncPipeline) -> bool:
        if (desk := run._started) is None:
            return False
        return (self.plain and desk.busy) or _owes(desk)

    def _sink(self) -> Any:
        return self.sink if self.plain else Awaitable(self.sink)

    async def play(self) -> Story:
        self.run = await self._made().start()
        for at, act in sorted(self.scenario.steps, key=lambda step: step[0]):
            await self._until(at)
            await self._do(act)
        await self._until(self.scenario.until)
        await self._end()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return self.story

    async def _until(self, at: float) -> None:
        await asyncio.sleep(at - self.loop.time())
        desk = self.run._started
        assert desk is not None
        # What is due at the same moment comes first, and so does what comes of it.
        while desk.busy or _owes(desk) or (desk._timer is not None and desk._timer.when() <= self.loop.time()):
            await asyncio.sleep(0)

    async def _end(self) -> None:
        await self.run.close()
        self.story.statistics.append(await self.run.statistics())

    async def _do(self, act: Act) -> None:
        match act:
            case str():
                await self.run.feed(batch(act))
            case Flush():
                await self.run.flush()
            case Become():
                await self.run.reconfigure(*act.stages(), sink=self._sink(), **self.scenario.retry)
            case Stepped():
                self.clock.step(act.seconds)
            case Restart():
                await self._end()
                self.run = await self._made().start()


def _owes(desk: Desk) -> bool:
    return isinstance(desk._worker, Counted) and desk._worker.owed > 0


class Awaitable:
    """An async sink that does what another one does."""

    def __init__(self, sink: Scripted) -> None:
        self._sink = sink

    async def send(self, item: Item) -> Mapping[str, DeliveryError]:
        await asyncio.sleep(0)
        return self._sink.send(item)


class Counted(Worker):
    """A Worker that knows whether it owes the loop something."""

    owed = 0

    def do(self, act: Any, told: Any) -> None:
        self.owed += 1
        super().do(act, partial(self._paid, told))

    def _paid(self, told: Any, *outcome: Any) -> None:
        self.owed -= 1
        told(*outcome)


PLAYERS: Sequence[Callable[[Scenario], Story]] = [simulated, threaded, awaited, awaited_with_threads]
