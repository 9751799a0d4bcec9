"""Attempt -> what came of it. One thread for one sink, so that one that hangs holds up nobody else.

It sleeps until there is an attempt. The thread is a daemon: a sink that hangs cannot keep the process alive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias

from ..core.model import Attempt
from ..errors import DeliveryError, TemporaryDeliveryError
from ..sinks import Sink, failures

logger = logging.getLogger("burstmail")

Result: TypeAlias = DeliveryError | Mapping[str, DeliveryError]


class Sender:
    """`told(attempt, result, bug)` is called in the thread after each attempt; `bug` is what was no DeliveryError."""

    def __init__(self, sink: Sink, told: Callable[[Attempt, Result, BaseException | None], object]) -> None:
        self._sink = sink
        self._told = told
        self._todo: SimpleQueue[Attempt | None] = SimpleQueue()
        self._thread: Thread | None = None

    def send(self, attempt: Attempt) -> None:
        """Make this attempt as soon as the one before it has ended."""
        self._todo.put(attempt)
        if self._thread is None:
            thread = Thread(target=self._work, name="burstmail-send", daemon=True)
            # At the end of the interpreter none can be started any more: see `rest`.
            with suppress(RuntimeError):
                thread.start()
                self._thread = thread

    def rest(self) -> None:
        """Make the attempts for which no thread could be started, here; for as long as the sink takes."""
        while self._thread is None and not self._todo.empty():
            if attempt := self._todo.get():
                self._told(attempt, *self._sent(attempt))

    def close(self) -> None:
        """Nothing more will come: the thread ends after what it has."""
        self._todo.put(None)

    def _work(self) -> None:
        while (attempt := self._todo.get()) is not None:
            self._told(attempt, *self._sent(attempt))

    def _sent(self, attempt: Attempt) -> tuple[Result, BaseException | None]:
        try:
            return failures(self._sink.send(attempt.item)), None
        except DeliveryError as error:
            return error, None
        except BaseException as bug:
            # SystemExit, too: it would end this thread without a word, and the destination with it.
            logger.exception("%s raised what is no DeliveryError; the message will be tried again", self._sink)
            return TemporaryDeliveryError(f"{type(bug).__name__} in {type(self._sink).__name__}"), bug
