"""The core beside an event loop: one timer for the next deadline, a task or a thread for each attempt.

The loop never waits: the core has a thread, since a large mail is a tenth of a second of work, and a disk may take its
time. Nothing wakes up while nothing is held. Limits: WAITING characters of lines on their way to the core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from types import TracebackType
from typing import Any

from ...clock import Clock, SystemClock
from ...core.backoff import Backoff
from ...core.flow import Flow
from ...core.kinds import seconds
from ...core.model import Attempt, Batch, Item
from ...core.stage import Stage
from ...core.statistics import Statistics
from ...errors import DeliveryError
from ...sources import Resumable
from ...stores import Store
from ..engine import Engine
from ..outcomes import Outcomes, named
from .calls import AnySink, check
from .desk import Desk
from .patience import Patience
from .readers import AnySource, AsyncReaders, ask

# What a store may be behind: a disk that hangs for half a minute, with a megabyte of lines in each second of it.
WAITING = 32 * 1024 * 1024
ELSEWHERE = "this AsyncPipeline belongs to another loop: use its call_soon_threadsafe()"
# How long an attempt that is cancelled may take to say goodbye, in seconds.
FAREWELL = 0.5


class AsyncPipeline:
    """Lines in, mails out, in an event loop: `async with AsyncPipeline(...) as pipeline:`.

    Args:
        stages: from Batch to Message (or to Burst, where the sink is a function of yours that takes them).
        sink: one destination, or several: in a sequence, or by name. An async function that takes the item, an object
            with an `async def send`, or any Sink (SMTPSink ...), which then has a thread of its own.
        store: what survives a crash is kept there; without one, all is in memory.
        sync, clock, backoff, give_up, grace: as in Pipeline.
        on_dead: as in Pipeline; it is called in the loop, and must not wait.

    Stages, and callables in them, run in a thread; all else in the loop it was started in. From other threads, feed by
    `loop.call_soon_threadsafe(pipeline.feed, lines)`. An exception of a sink that is no DeliveryError is a bug: it is
    logged, the message is retried, and `close` raises it. An attempt that is cancelled has failed for now.
    """

    def __init__(
        self,
        *stages: Stage[Any, Any],
        sink: AnySink | Sequence[AnySink] | Mapping[str, AnySink],
        store: Store | None = None,
        sync: str = "burst",
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        give_up: float = 259200.0,
        grace: float = 4.0,
        on_dead: Callable[[Item, DeliveryError], object] | None = None,
    ) -> None:
        seconds(grace=grace)
        self._sinks = _checked(sink)
        flow = Flow(*stages, destinations=list(self._sinks), backoff=backoff, give_up=give_up)
        self._engine = Engine(flow, clock or SystemClock(), store=store, sync=sync)
        self._grace = grace
        self._outcomes = Outcomes(on_dead)
        self._started: Desk | None = None
        # Characters taken in, counted by the loop; of them in the core, counted by its thread.
        self._fed = self._taken = 0
        self._closed = self._kept = False
        # Done once `close` is through.
        self._end: asyncio.Future[None] | None = None

    @property
    def kept(self) -> bool:
        """After `close`: whether what was not delivered waits in the store, and is not lost."""
        return self._kept

    async def start(self) -> AsyncPipeline:
        """Take the store, in the loop that runs now; `async with` and `run` do that by themselves.

        Raises RuntimeError when it has been started already.
        """
        if self._started:
            raise RuntimeError("this AsyncPipeline has been started already: make a new one")
        self._started = Desk(self._engine, self._sinks, self._outcomes)
        try:
            await self._started.do(lambda out: out.extend(self._engine.start()))
        except BaseException:
            # Cancelled: the store is taken all the same, and nobody will leave what has not been entered.
            await self.close(0)
            raise
        return self

    def feed(self, lines: Batch | str) -> asyncio.Future[None]:
        """Take lines in, now, and never wait. Not a coroutine: it need not be awaited.

        Awaited, it is done when the lines are in the core and in the store, if there is one, and raises what a callable
        of yours raised at them. Raises RuntimeError after `close` and before `start`, and asyncio.QueueFull while
        32 MiB are on their way to a store that does not keep up: then these lines are not taken in.
        """
        desk = self._desk()
        batch = Batch.of(lines) if isinstance(lines, str) else lines
        if self._fed - self._taken > WAITING:
            raise asyncio.QueueFull("32 MiB of lines wait to be taken in: await what feed() returns, or feed less")
        self._fed += len(batch.text)
        return desk.do(partial(self._take, batch))

    def _take(self, batch: Batch, out: list[Attempt]) -> None:
        self._taken += len(batch.text)
        out += self._engine.feed(batch)

    def flush(self) -> asyncio.Future[None]:
        """Close what is open, now; the caps still hold. Need not be awaited, as `feed`."""
        return self._desk().do(lambda out: out.extend(self._engine.flush()))

    async def reconfigure(
        self,
        *stages: Stage[Any, Any],
        sink: AnySink | Sequence[AnySink] | Mapping[str, AnySink],
        backoff: Backoff | None = None,
        give_up: float = 259200.0,
    ) -> None:
        """Close what is open, and go on with other stages and sinks: see `Pipeline.reconfigure`.

        Whoever is cancelled meanwhile has not stopped it.
        """
        sinks = _checked(sink)
        flow = Flow(*stages, destinations=list(sinks), backoff=backoff, give_up=give_up)
        desk = self._desk()
        flushed: list[bool] = []

        def flush(out: list[Attempt]) -> None:
            out.extend(self._engine.flush())
            flushed.append(True)

        def become(out: list[Attempt]) -> None:
            # Where the flush raises, nothing changes; whoever waits is told of it there.
            if flushed:
                out.extend(self._engine.become(flow))

        def employ() -> None:
            if flushed:
                desk.employ(sinks)

        # Both are asked for now: what is fed behind them is the new stages'.
        closed, changed = desk.do(flush), desk.do(become, employ)
        await closed
        await changed

    async def sync(self) -> None:
        """All that was fed is on the disk when this returns. Raises StoreError when it is not, or there is no store."""
        await self._desk().do(lambda out: self._engine.sync())

    async def statistics(self) -> Statistics:
        """The counts, of all that was fed so far."""
        if self._started is None or self._started.forsaken or (self._end and self._end.done()):
            return self._engine.statistics()
        return await self._started.do(lambda out: self._engine.statistics())

    async def late(self) -> float:
        """Seconds since something was due that is not done; `inf` once it has stopped on a bug: see `Pipeline.late`.

        For a watchdog. Waits while a stage is at work, and has what is due done. 0 before `start` and after `close`.
        """
        if self._started is None or self._closed:
            return 0.0
        if self._started.broken:
            return inf
        return await self._desk().do(lambda out: max(0.0, self._engine.now - self._engine.deadline))

    async def run(self, *sources: AnySource) -> Statistics:
        """Start unless that has been done, read all sources to their end, then close. Returns the final counts."""
        if self._started is None:
            await self.start()
        try:
            await self.read(*sources)
        finally:
            await self.close()
        return await self.statistics()

    async def read(self, *sources: AnySource) -> None:
        """Read all sources to their end: async iterables, of Batch, text or bytes, in a task each; others in a thread.

        A text is a read of one or more lines; bytes are cut into lines wherever they end. Sources that can go on where
        they were do, if there is a store. A source that raises OSError ends, and the others are read on; it is logged
        at once, and raised when all have ended. When this is cancelled the sources are closed, and what they had read
        is fed.
        """
        desk = self._desk()
        for source in sources:
            if isinstance(source, Resumable):
                source.resume(lambda: ask(desk.loop, lambda: desk.do(lambda out: self._engine.places())))
        await AsyncReaders(sources, self.feed).read()

    async def close(self, grace: float | None = None) -> None:
        """Close what is open, wait `grace` seconds at most for deliveries, let go of the store. Safe to call twice.

        What is still under way then is cancelled, and not known to have arrived. With a store it waits there for the
        next start, and so does what the caps hold; without one everything is tried once more, and the rest is lost,
        with an error in the log that counts it. When this is cancelled it waits for no delivery any more, but does all
        the rest. Raises RuntimeError in another loop; where its own has ended, the store is let go all the same.
        """
        desk = self._started
        if desk is not None and not desk.here():
            raise RuntimeError(self._elsewhere(desk))
        self._closed = True
        if desk is None:
            return
        if self._end is not None:
            await self._join(desk, self._end, grace)
            return
        self._end = desk.loop.create_future()
        patience = Patience()
        try:
            await self._finish(desk, patience, self._grace if grace is None else grace)
        finally:
            self._end.set_result(None)
        if patience.cancelled:
            raise asyncio.CancelledError
        if desk.bug:
            raise desk.bug

    def _elsewhere(self, desk: Desk) -> str:
        """Why it cannot be closed from here. Of a loop that has ended the store is let go, at least."""
        if not desk.forsaken:
            return ELSEWHERE
        if not self._closed:
            self._closed = True
            desk.abandon()
            desk.close()
        return "this AsyncPipeline's loop has ended before it: what was not delivered is lost, or waits in the store"

    async def _join(self, desk: Desk, end: asyncio.Future[None], grace: float | None) -> None:
        """Somebody else is closing: wait with him, but no longer for deliveries than was asked for here."""
        timer = desk.loop.call_later(grace, desk.hurry) if grace is not None else None
        try:
            await asyncio.shield(end)
        finally:
            if timer:
                timer.cancel()

    async def _finish(self, desk: Desk, patience: Patience, grace: float) -> None:
        ended = await patience.through(desk.end())
        await patience.at_most([desk.quiet()], 0 if patience.cancelled else grace)
        await patience.at_most(desk.cancel(), FAREWELL)
        left = desk.do(lambda out: self._engine.statistics())
        await patience.through(left)
        closed = desk.abandon()
        failed = await patience.through(closed)
        desk.bug = desk.bug or ended or failed
        desk.close()
        self._kept = not failed and closed.result()
        self._outcomes.conclude(left.result(), busy=desk.busy, kept=self._kept)

    async def __aenter__(self) -> AsyncPipeline:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _desk(self) -> Desk:
        desk = self._started
        if self._closed:
            raise RuntimeError("this AsyncPipeline is closed: make a new one")
        if desk is None:
            raise RuntimeError("this AsyncPipeline has not been started: use `async with`, or await start()")
        if desk.broken:
            raise RuntimeError("this AsyncPipeline has stopped on a bug: see the log") from desk.bug
        if not desk.here():
            raise RuntimeError(ELSEWHERE)
        return desk


def _checked(sink: AnySink | Sequence[AnySink] | Mapping[str, AnySink]) -> dict[str, AnySink]:
    sinks: dict[str, AnySink] = named(sink)
    for one in sinks.values():
        check(one)
    return sinks
