"""The core with one background thread.

The thread waits for deadlines and sends, outside the lock, so `feed` never waits for a sink. It sleeps until the next
deadline and not at all less; with nothing held it sleeps until it is woken.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from types import TracebackType
from typing import Any

from ..clock import Clock, SystemClock
from ..core.backoff import Backoff
from ..core.deliver import DeadLetter, Outbox
from ..core.flow import Flow, Statistics
from ..core.model import Attempt, Batch, Item
from ..core.stage import Stage
from ..core.words import plural
from ..errors import DeliveryError, TemporaryDeliveryError
from ..sinks import Sink
from ..sources import Source

logger = logging.getLogger("burstmail")


class Pipeline:
    """Lines in, mails out, in the background.

    `stages` lead from Batch to Message (or to Burst, for a CallbackSink). `grace` bounds, in seconds, how long `close`
    waits for deliveries: 4, since rsyslog kills after 5. `give_up` is how long a message is tried: 3 days, in seconds.
    `on_dead(item, error)` hears of every message that will not be tried again; it is logged in any case.

    A sink's exception that is no DeliveryError is a bug: it is logged, the message is retried, and `close` raises it.
    """

    def __init__(
        self,
        *stages: Stage[Any, Any],
        sink: Sink,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        give_up: float = 259200.0,
        grace: float = 4.0,
        on_dead: Callable[[Item, DeliveryError], object] | None = None,
    ) -> None:
        from secrets import token_hex

        self._flow = Flow(*stages, outbox=Outbox(backoff, give_up=give_up), epoch=token_hex(16))
        self._sink = sink
        self._clock = clock or SystemClock()
        self._grace = grace
        self._on_dead = on_dead
        # Guards everything below, and the flow.
        self._changed = threading.Condition(threading.Lock())
        self._todo: deque[Attempt] = deque()
        self._thread: threading.Thread | None = None
        # The deadline the thread sleeps for; -inf while it is awake and will look by itself.
        self._armed = -inf
        self._closed = self._abandoned = self._broken = False
        self._bug: BaseException | None = None
        # The last one: what the end is explained with.
        self._error: DeliveryError | None = None

    def feed(self, lines: Batch | str) -> None:
        """Take lines in, now. Never waits for a sink. Raises RuntimeError after `close`."""
        batch = Batch.of(lines) if isinstance(lines, str) else lines
        with self._changed:
            self._must_be_open()
            batch = self._flow.stamp(batch, self._clock.time())
            self._do(self._flow.feed(batch, self._clock.monotonic()))

    def flush(self) -> None:
        """Close what is open, now; the caps still hold. Not for signal handlers: it takes a lock."""
        with self._changed:
            self._must_be_open()
            self._do(self._flow.flush(self._clock.monotonic()))

    def run(self, source: Source) -> Statistics:
        """Read a source to its end, then close. Returns the final counts."""
        try:
            for batch in source:
                self.feed(batch)
        finally:
            self.close()
        return self.statistics()

    def close(self, grace: float | None = None) -> None:
        """Close what is open, try everything once more, wait `grace` seconds at most for it. Safe to call twice.

        What is not delivered then is lost, with an error in the log that counts it.
        """
        with self._changed:
            if not self._closed:
                self._closed = True
                self._do(self._flow.drain(self._clock.monotonic()))
                self._changed.notify_all()
            thread = self._thread
        if thread:
            thread.join(self._grace if grace is None else grace)
        with self._changed:
            first, self._abandoned = not self._abandoned, True
            left = self._flow.statistics()
        if left.waiting and first:
            lost = f"{plural(left.waiting, 'mail')} ({plural(left.lines_held, 'line')})"
            why = self._error or "none yet, the attempt has not ended"
            logger.error("%s not delivered at exit, and lost; last error: %s", lost, why)
        if bug := self._bug:
            self._bug = None
            raise bug

    def statistics(self) -> Statistics:
        """The counts so far."""
        with self._changed:
            return self._flow.statistics()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _must_be_open(self) -> None:
        if self._closed:
            raise RuntimeError("this Pipeline is closed: make a new one")
        if self._broken:
            raise RuntimeError("this Pipeline's thread has ended on a bug: see the log") from self._bug

    def _do(self, attempts: Any) -> None:
        """Hand attempts to the thread; wake it only if it would otherwise sleep too long."""
        self._todo.extend(attempts)
        deadline = self._flow.deadline
        if self._thread is None and (self._todo or deadline < inf):
            self._thread = threading.Thread(target=self._work, name="burstmail", daemon=True)
            self._thread.start()
        elif self._todo or deadline < self._armed:
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            self._serve()
        except Exception as bug:
            # A bug in a stage or a hook: whoever feeds next, or closes, must hear of it.
            logger.exception("the background thread has ended: a bug in a stage or in on_dead")
            self._bug = bug
            self._broken = True

    def _serve(self) -> None:
        while (attempt := self._next()) is not None:
            result = self._send(attempt.item)
            with self._changed:
                attempts, dead = self._flow.settle(result, self._clock.monotonic(), _jitter())
                self._todo.extend(attempts)
            self._log(attempt, result, dead)

    def _next(self) -> Attempt | None:
        """Wait for the next attempt; None when there will be none."""
        with self._changed:
            while not self._abandoned:
                if not self._todo:
                    self._todo.extend(self._flow.poll(self._clock.monotonic()))
                if self._todo:
                    return self._todo.popleft()
                if self._closed:
                    return None
                self._armed = self._flow.deadline
                wait = self._armed - self._clock.monotonic()
                self._changed.wait(None if wait == inf else max(0.0, min(wait, threading.TIMEOUT_MAX)))
                self._armed = -inf
        return None

    def _send(self, item: Item) -> DeliveryError | Mapping[str, DeliveryError]:
        try:
            failed: Mapping[str, DeliveryError] = self._sink.send(item)
            return failed
        except DeliveryError as error:
            return error
        except Exception as bug:
            self._bug = self._bug or bug
            logger.exception("%s raised what is no DeliveryError; the message will be tried again", self._sink)
            return TemporaryDeliveryError(f"{type(bug).__name__} in {type(self._sink).__name__}")

    def _log(
        self, attempt: Attempt, result: DeliveryError | Mapping[str, DeliveryError], dead: list[DeadLetter]
    ) -> None:
        errors = {"all": result} if isinstance(result, DeliveryError) else result
        for name, error in errors.items():
            self._error = error
            logger.warning("try %d failed for %s: %s", attempt.number, name, error)
        for letter in dead:
            logger.error("a mail of %s is undeliverable: %s", plural(letter.item.count, "line"), letter.error)
            if self._on_dead:
                self._on_dead(letter.item, letter.error)


def _jitter() -> float:
    from random import random

    return random()
