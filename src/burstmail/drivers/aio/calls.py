"""Attempt -> what came of it, in an event loop. A task for each attempt at an async sink; other sinks have a thread.

An attempt that is cancelled has perhaps arrived, and perhaps not: it failed for now, and is made again. Whoever is
asked for two attempts at once makes two: an Engine asks each destination for one at a time.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from functools import partial
from typing import Any, Protocol, TypeAlias

from ...core.model import Attempt
from ...errors import DeliveryError, TemporaryDeliveryError
from ...sinks import Sink, failures
from ..sender import Result, Sender

logger = logging.getLogger("burstmail")

Told: TypeAlias = Callable[[Attempt, Result, BaseException | None], object]


class AsyncSink(Protocol):
    """Where mails go, with an `async def send`; the rest is as in Sink."""

    async def send(self, item: Any) -> Mapping[str, DeliveryError]:
        """Deliver a Message or a Burst: see `Sink.send`."""
        ...


Call: TypeAlias = Callable[[Any], Awaitable[Mapping[str, DeliveryError]]]
AnySink: TypeAlias = Sink | AsyncSink | Callable[[Any], Awaitable[object]]


class Calls:
    """The attempts that are under way in a loop. `told(attempt, result, bug)` is called in it after each one.

    `bug` is what was no DeliveryError. `context` is the one that threads tell in.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, context: Context, told: Told) -> None:
        self._loop = loop
        self._context = context
        self._told = told
        self._cancelling = False
        self._tasks: set[asyncio.Task[Mapping[str, DeliveryError]]] = set()

    def start(self, attempt: Attempt, call: Call, sink: object) -> None:
        """Make an attempt at a sink."""
        if self._cancelling:
            return
        task = self._loop.create_task(_made(call, attempt), name="burstmail-send")
        self._tasks.add(task)
        # Not in the task: one that is cancelled before its first step never runs.
        task.add_done_callback(partial(self._ended, attempt, sink))

    def _ended(self, attempt: Attempt, sink: object, task: asyncio.Task[Mapping[str, DeliveryError]]) -> None:
        self._tasks.discard(task)
        if self._cancelling and task.cancelled():
            # As if the process had ended meanwhile: the next start makes the attempt, and does not rest before it.
            return
        self._told(attempt, *_outcome(task, sink))

    def cancel(self) -> set[asyncio.Task[Any]]:
        """Cancel what is under way, tell nothing of it, and start no more; returns what has yet to end."""
        self._cancelling = True
        for task in self._tasks:
            task.cancel()
        return set(self._tasks)

    def tell(self, attempt: Attempt, result: Result, bug: BaseException | None) -> None:
        """For threads: an attempt has ended there."""
        try:
            self._loop.call_soon_threadsafe(partial(self._told, attempt, result, bug), context=self._context)
        except RuntimeError:
            # The loop is closed: nobody is left to hear of it. With a store, it is made again at the next start.
            return


class Caller:
    """One async sink; `call` is what sends."""

    def __init__(self, calls: Calls, call: Call, sink: object) -> None:
        self._calls = calls
        self._call = call
        self._sink = sink

    def send(self, attempt: Attempt) -> None:
        """Make this attempt."""
        self._calls.start(attempt, self._call, self._sink)

    def close(self) -> None:
        """Nothing more will come; what is under way goes on."""


def check(sink: object) -> None:
    """Raises TypeError for what is no sink, sync or async."""
    if isinstance(sink, type) or not (callable(getattr(sink, "send", None)) or _is_async(sink)):
        raise TypeError(f"sink={sink!r}: must have a send(), or be an async function; put CallbackSink around others")


def sender(sink: Any, calls: Calls) -> Caller | Sender:
    """Whoever makes the attempts at a sink."""
    send = getattr(sink, "send", None)
    if send is None:
        return Caller(calls, partial(_ignored, sink), sink)
    return Caller(calls, send, sink) if _is_async(send) else Sender(sink, calls.tell)


def _is_async(function: object) -> bool:
    # An object may have an async __call__.
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        inspect.getattr_static(function, "__call__", None)
    )


async def _ignored(function: Callable[[Any], Awaitable[object]], item: Any) -> Mapping[str, DeliveryError]:
    """As CallbackSink: what a function returns does not matter."""
    await function(item)
    return {}


async def _made(call: Call, attempt: Attempt) -> Mapping[str, DeliveryError]:
    return failures(await call(attempt.item))


def _outcome(task: asyncio.Task[Mapping[str, DeliveryError]], sink: object) -> tuple[Result, BaseException | None]:
    if task.cancelled():
        return TemporaryDeliveryError("the attempt was cancelled: whether it arrived is not known"), None
    bug = task.exception()
    if bug is None or isinstance(bug, DeliveryError):
        return task.result() if bug is None else bug, None
    logger.error("%s raised what is no DeliveryError; the message will be tried again", sink, exc_info=bug)
    return TemporaryDeliveryError(f"{type(bug).__name__} in {getattr(sink, '__name__', type(sink).__name__)}"), bug
