"""Lines -> Pipeline, by a thread of its own. Whoever has lines to give leaves them, and waits for nothing.

The thread starts with the first lines, gathers what comes within PAUSE seconds, and sleeps while nothing comes.
Limits: `capacity` characters that wait to be fed; records that come then are counted, and told of by one of their own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from math import inf
from queue import Empty, SimpleQueue
from time import sleep
from typing import TypeAlias

from ..core.model import Batch
from ..core.words import plural
from ..drivers.thread import Pipeline

logger = logging.getLogger("burstmail")

# Twenty wake-ups a second at most, whatever comes: the threads that give lines want the interpreter for themselves. No
# person sees the difference; gaps are seconds.
PAUSE = 0.05
# How long `flush` waits for what is fed, which is no mail.
PATIENCE = 1.0
# How long a fork waits for a disk: a store that is forked in the middle of a write is of no use to the child.
FORK = 5.0

# How long nobody tries to make a pipeline after a try. What stands in the way of one is said each time, and records may
# come by the thousand.
AGAIN = 5.0

# Lines, or what makes them, in the thread.
Text: TypeAlias = str | Callable[[], str]


class Grip(Enum):
    """What is held for a fork."""

    NONE = 0
    MAKING = 1
    ALL = 2


class Feeder:
    """`make` is called in the thread, once. `more(count, time)` tells, as lines, of so many records that did not fit.

    For any number of threads, and for signal handlers; in a process forked from this one, not at all.
    """

    def __init__(
        self,
        make: Callable[[], Pipeline],
        more: Callable[[int, float], str],
        *,
        capacity: int,
    ) -> None:
        self._make, self._more, self._capacity = make, more, capacity
        # Guards what follows. A signal handler may come in between, and give lines itself: so it can be taken twice,
        # and what wakes the thread is a queue, of which all is done in one step.
        self._guard = threading.RLock()
        self._texts: list[Text] = []
        self._since = 0.0
        self._tried = -inf
        self._waiting = self._over = 0
        self._flushes: list[threading.Event] = []
        self._ended = False
        self._thread: threading.Thread | None = None
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._hurry: SimpleQueue[None] = SimpleQueue()
        self._grace = 0.0
        # Taken while the pipeline is made.
        self._making = threading.Lock()
        self._pipeline: Pipeline | None = None

    @property
    def running(self) -> bool:
        """Whether there is a thread. At the end of the interpreter none can be started any more."""
        return self._thread is not None

    def put(self, text: Text, size: int, time: float, missed: int = 0) -> bool:
        """One record of about this size that came at this wall time; so many before it were `missed`. Never waits.

        False after `close`: it is not taken.
        """
        with self._guard:
            if self._ended:
                return False
            self._over += missed
            if self._texts and self._waiting + size > self._capacity:
                self._over += 1
                return True
            if not self._texts:
                self._since = time
                self._bell.put(None)
            self._texts.append(text)
            self._waiting += size
            # Either way: a wall clock may be set back.
            if self._thread is None and abs(time - self._tried) >= AGAIN:
                self._tried = time
                self._start()
        return True

    def flush(self) -> None:
        """Feed what waits and close what is open; waits for that, and for no mail."""
        if self.running and self._thread is not threading.current_thread():
            done = threading.Event()
            with self._guard:
                self._flushes.append(done)
            self._wake()
            done.wait(PATIENCE)

    def close(self, grace: float) -> None:
        """Feed what waits and close the pipeline, within so many seconds and one."""
        with self._guard:
            self._ended, self._grace = True, grace
        self._wake()
        if (thread := self._thread) is not None:
            # The thread may have to send by itself: at the end of the interpreter no other can be started.
            thread.join(grace + PATIENCE)
            if thread.is_alive():
                logger.error("what was logged last is perhaps not mailed: at exit it was not done in time")
        elif self._texts:
            self._work()

    def hold(self) -> Grip:
        """Before a fork: nothing is written, as far as that can be had in a few seconds. For `release` or `leave`."""
        if not self._making.acquire(timeout=FORK):
            return Grip.NONE
        return Grip.ALL if self._pipeline and self._pipeline.hold(FORK) else Grip.MAKING

    def release(self, grip: Grip) -> None:
        """After it, in the same process."""
        if grip is Grip.ALL and self._pipeline:
            self._pipeline.release()
        if grip is not Grip.NONE:
            self._making.release()

    def leave(self, grip: Grip) -> None:
        """After it, in the new process: what the parent has open is closed, if nobody was in the middle of it."""
        if grip is Grip.ALL and self._pipeline:
            self._pipeline.leave()

    def _wake(self) -> None:
        self._hurry.put(None)
        self._bell.put(None)

    def _start(self) -> None:
        # Known before it runs: a signal handler must not start another.
        self._thread = threading.Thread(target=self._work, name="burstmail-feed", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            # A later record tries again, or `close` does the work.
            self._thread = None

    def _work(self) -> None:
        try:
            with self._making:
                pipeline = self._pipeline = self._make()
        except Exception:
            # What waits stays, and a later record tries again.
            logger.exception("what is logged cannot be mailed")
            self._thread = None
            return
        while not self._ended or self._texts:
            self._bell.get()
            self._gather()
            self._feed(pipeline)
        try:
            pipeline.close(self._grace)
        except Exception:
            logger.exception("a pipeline that mails what is logged has ended on a bug")

    def _gather(self) -> None:
        """Let a few more come, unless somebody waits."""
        with suppress(Empty):
            self._hurry.get(timeout=PAUSE)

    def _feed(self, pipeline: Pipeline) -> None:
        with self._guard:
            texts, self._texts = self._texts, []
            flushes, self._flushes = self._flushes, []
            since, over, self._over, self._waiting = self._since, self._over, 0, 0
        if over:
            texts.append(self._more(over, since))
        try:
            text = "".join(map(_made, texts))
            pipeline.feed(Batch(text=text, count=text.count("\n"), time=since))
            if flushes:
                pipeline.flush()
        except Exception:
            logger.exception("of what was logged, %s cannot be mailed", plural(len(texts), "record"))
        for done in flushes:
            done.set()


def _made(text: Text) -> str:
    if isinstance(text, str):
        return text
    # Others may run in between, at once and not when this thread's slice of some milliseconds has ended.
    sleep(0)
    return text()
