"""A call -> what it returned, back in the event loop. In one thread, one after another, in the order of asking.

For calls that compute for long, or wait for a disk: the loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

Act: TypeAlias = Callable[[], Any]
Told: TypeAlias = Callable[[Any, BaseException | None], object]


class Worker:
    """`told(value, error)` is called in the loop, in `context`, with what came of each call.

    The thread sleeps until there is one, and is a daemon: a disk that hangs keeps no process alive.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, context: Context) -> None:
        self._loop = loop
        self._context = context
        self._todo: SimpleQueue[tuple[Act, Told] | None] = SimpleQueue()
        Thread(target=self._work, name="burstmail", daemon=True).start()

    def do(self, act: Act, told: Told) -> None:
        """Make this call, after all before it."""
        self._todo.put((act, told))

    def close(self) -> None:
        """Nothing more will come: the thread ends after what it has."""
        self._todo.put(None)

    def _work(self) -> None:
        while (task := self._todo.get()) is not None:
            act, told = task
            value, error = _outcome(act)
            try:
                self._loop.call_soon_threadsafe(partial(told, value, error), context=self._context)
            except RuntimeError:
                # The loop is closed, and nobody waits for it any more.
                continue


def _outcome(act: Act) -> tuple[Any, BaseException | None]:
    try:
        return act(), None
    except BaseException as error:
        # SystemExit, too: it would end this thread without a word, and nobody would hear of this call, or the next.
        return None, error
