"""Sources -> feed, in an event loop. Async iterables are read in it, each in a task; other sources in a thread each.

A source that cannot be read any more ends, and the others go on. Whoever cancels loses nothing that was read: sources
are told to close, and what they still bring is fed. Limits: LINGER for that, after which a source that does not end is
left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any, TypeAlias, TypeVar

from ...core.accept import Framer
from ...core.model import Batch
from ...sources import Source
from ..readers import Readers

logger = logging.getLogger("burstmail")

AnySource: TypeAlias = Source | AsyncIterable[Batch | str | bytes]

T = TypeVar("T")

# As much as `close` waits for deliveries: a source that has been told to end needs half a second.
LINGER = 4.0
CHUNK = 65536


class AsyncReaders:
    """`read` returns when all sources have ended, and raises what the first one that failed raised."""

    def __init__(self, sources: Sequence[AnySource], feed: Callable[[Batch | str], Awaitable[None]]) -> None:
        if not sources:
            raise ValueError("sources: name at least one")
        self._streams = [source for source in sources if isinstance(source, AsyncIterable)]
        self._others = [source for source in sources if not isinstance(source, AsyncIterable)]
        self._feed = feed
        self._alone = len(sources) == 1
        self._errors: list[OSError] = []

    async def read(self) -> None:
        """Read to the end of all."""
        try:
            async with asyncio.TaskGroup() as group:
                for stream in self._streams:
                    group.create_task(self._guarded(self._stream(stream)))
                if self._others:
                    group.create_task(self._guarded(self._threads()))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if self._errors:
            raise self._errors[0]

    async def _guarded(self, reading: Coroutine[Any, Any, None]) -> None:
        try:
            await reading
        except OSError as error:
            if not self._alone:
                logger.error("a source has ended, the others go on: %s", error)
            self._errors.append(error)

    async def _stream(self, stream: AsyncIterable[Batch | str | bytes]) -> None:
        framer = Framer()
        items = _chunks(stream) if isinstance(stream, asyncio.StreamReader) else stream
        try:
            async for item in items:
                await self._take(framer.feed(item, 0.0) if isinstance(item, bytes) else [item])
        finally:
            # Cancelled, too: the last line may lack its newline, and is wanted.
            last = self._fed(framer.drain(0.0))
            if (end := getattr(stream, "aclose", None)) is not None:
                await end()
        await _all(last)

    async def _take(self, batches: Iterable[Batch | str]) -> None:
        await _all(self._fed(batches))

    def _fed(self, batches: Iterable[Batch | str]) -> list[Awaitable[None]]:
        # All of them before the first is waited for: whoever is cancelled meanwhile has lost none.
        return [self._feed(batch) for batch in batches]

    async def _threads(self) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        work = partial(self._work, loop, ended)
        Thread(target=work, name="burstmail-read", daemon=True).start()
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError:
            for source in self._others:
                source.close()
            await asyncio.wait([ended], timeout=LINGER)
            # What it says later is nobody's news.
            ended.cancel()
            raise
        ended.result()

    def _work(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        error: BaseException | None = None
        try:
            Readers(self._others, lambda batch: ask(loop, partial(self._feed, batch))).read()
        except BaseException as bug:
            error = bug
        _to(loop, partial(_end, ended, error))


def ask(loop: asyncio.AbstractEventLoop, start: Callable[[], Awaitable[T]]) -> T:
    """For threads: call this in the loop, and wait here for what comes of it.

    It is no task: nobody can cancel it before it has begun.
    """
    answer: Future[T] = Future()
    loop.call_soon_threadsafe(_answer, start, answer)
    return answer.result()


def _answer(start: Callable[[], Awaitable[T]], answer: Future[T]) -> None:
    try:
        found = asyncio.ensure_future(start())
    except Exception as error:
        answer.set_exception(error)
    else:
        found.add_done_callback(partial(_copy, answer))


def _copy(answer: Future[T], found: asyncio.Future[T]) -> None:
    error = asyncio.CancelledError() if found.cancelled() else found.exception()
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(found.result())


def _end(ended: asyncio.Future[None], error: BaseException | None) -> None:
    if ended.done():
        return
    if error is not None:
        ended.set_exception(error)
    else:
        ended.set_result(None)


def _to(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        # The loop is closed: nobody waits.
        return


async def _all(waits: Iterable[Awaitable[None]]) -> None:
    for wait in waits:
        await wait


async def _chunks(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    # Not by line: a StreamReader raises for one that is longer than its buffer.
    while data := await stream.read(CHUNK):
        yield data
