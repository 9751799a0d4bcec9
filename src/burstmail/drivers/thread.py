"""The core in the background: one thread that waits for deadlines, one for each sink.

Sending happens outside the lock, so `feed` never waits for a sink. The threads sleep until the next deadline and not at
all less; with nothing held they sleep until they are woken.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from types import TracebackType
from typing import Any

from ..clock import Clock, SystemClock
from ..core.backoff import Backoff
from ..core.flow import Flow
from ..core.kinds import seconds
from ..core.model import Attempt, Batch, Item
from ..core.stage import Stage
from ..core.statistics import Statistics
from ..errors import DeliveryError
from ..sinks import Sink
from ..sources import Resumable, Source
from ..stores import Store
from .engine import Engine
from .outcomes import Outcomes, jitter, sinks_of
from .readers import Readers
from .sender import Result, Sender

logger = logging.getLogger("burstmail")


class Pipeline:
    """Lines in, mails out, in the background.

    Args:
        stages: from Batch to Message (or to Burst, for a CallbackSink).
        sink: one destination, or several: in a sequence, or by name. Each has caps, a composer and a queue of its own.
        store: what survives a crash is kept there; without one, all is in memory. It is taken when the pipeline is
            made. Only names keep several destinations' mails apart when their order changes.
        sync: when the store reaches the disk: with every "batch", with every "burst" and at least once a second, or
            "off": whenever the system writes it.
        clock: the machine's own by default.
        backoff: rests after temporary errors.
        give_up: how long a message is tried, in seconds: 3 days.
        grace: how long `close` waits for deliveries, in seconds: 4, since rsyslog kills after 5.
        on_dead: hears of every message that will not be tried again, with its error; it is logged in any case.

    A sink's exception that is no DeliveryError is a bug: it is logged, the message is retried, and `close` raises it.
    """

    def __init__(
        self,
        *stages: Stage[Any, Any],
        sink: Sink | Sequence[Sink] | Mapping[str, Sink],
        store: Store | None = None,
        sync: str = "burst",
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        give_up: float = 259200.0,
        grace: float = 4.0,
        on_dead: Callable[[Item, DeliveryError], object] | None = None,
    ) -> None:
        seconds(grace=grace)
        sinks = sinks_of(sink)
        flow = Flow(*stages, destinations=list(sinks), backoff=backoff, give_up=give_up)
        self._engine = Engine(flow, clock or SystemClock(), store=store, sync=sync)
        self._senders = {name: Sender(one, self._settle) for name, one in sinks.items()}
        self._store, self._grace = store, grace
        self._outcomes = Outcomes(on_dead)
        # Guards everything below, and the engine. Never taken through the condition: that takes several steps, and a
        # KeyboardInterrupt between them would leave it taken for ever.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        # The deadline the thread sleeps for; -inf while it is awake and will look by itself.
        self._armed = -inf
        self._closed = self._abandoned = self._broken = self._kept = False
        # Outcomes that are settled, but not yet told of.
        self._telling = 0
        self._bug: BaseException | None = None
        with self._lock:
            self._do(self._engine.start())
        self._engine.logger.tell()

    @property
    def kept(self) -> bool:
        """After `close`: whether what was not delivered waits in the store, and is not lost."""
        return self._kept

    def feed(self, lines: Batch | str) -> None:
        """Take lines in, now: with a store, they are in it when this returns. Never waits for a sink.

        Not for signal handlers: it takes a lock. Raises RuntimeError after `close`.
        """
        batch = Batch.of(lines) if isinstance(lines, str) else lines
        with self._lock:
            self._must_be_open()
            self._do(self._engine.feed(batch))
        self._engine.logger.tell()

    def flush(self) -> None:
        """Close what is open, now; the caps still hold. Not for signal handlers: it takes a lock."""
        with self._lock:
            self._must_be_open()
            self._do(self._engine.flush())
        self._engine.logger.tell()

    def reconfigure(
        self,
        *stages: Stage[Any, Any],
        sink: Sink | Sequence[Sink] | Mapping[str, Sink],
        backoff: Backoff | None = None,
        give_up: float = 259200.0,
    ) -> None:
        """Close what is open, as `flush`, and go on with other stages and sinks. Whoever feeds notices nothing.

        Arguments are those of a new Pipeline, which the stages must be made for: none of them may be in use. What is
        queued keeps its recipients and its text; what the caps hold goes on waiting in the new caps. What waited for a
        route that is no more goes to whom its mails went; for a destination that is no more, to one that is new, or
        else to those that are left. An attempt under way ends as it began: with the sink that began it. Counts go on.
        Raises ValueError for what no Pipeline would take, and RuntimeError after `close`: then nothing has changed.
        """
        sinks = sinks_of(sink)
        flow = Flow(*stages, destinations=list(sinks), backoff=backoff, give_up=give_up)
        with self._lock:
            self._must_be_open()
            self._do(self._engine.flush())
            attempts = self._engine.become(flow)
            before, self._senders = self._senders, {name: Sender(one, self._settle) for name, one in sinks.items()}
            self._do(attempts)
        for sender in before.values():
            sender.close()
        self._engine.logger.tell()

    def sync(self) -> None:
        """All that was fed is on the disk when this returns. Raises StoreError when it is not, or there is no store."""
        with self._lock:
            self._engine.sync()

    def run(self, *sources: Source) -> Statistics:
        """Read all sources to their end, then close. Returns the final counts."""
        try:
            self.read(*sources)
        finally:
            self.close()
        return self.statistics()

    def read(self, *sources: Source) -> None:
        """Read all sources to their end: one here, several in a thread each.

        Those that can go on where they were (FileSource, JournalSource) do, if there is a store. A source that raises
        OSError ends, and the others are read on; it is logged at once, and raised when all have ended.
        """
        for source in sources:
            if isinstance(source, Resumable):
                source.resume(self._places)
        Readers(sources, self.feed).read()

    def _places(self) -> Mapping[str, Any] | None:
        with self._lock:
            places = self._engine.places()
        self._engine.logger.tell()
        return places

    def close(self, grace: float | None = None) -> None:
        """Close what is open, wait `grace` seconds at most for deliveries, let go of the store. Safe to call twice.

        With a store, what is not delivered then, and what the caps still hold, waits there for the next start. Without
        one everything is tried once more, and the rest is lost, with an error in the log that counts it.
        """
        with self._lock:
            if not self._closed:
                self._closed = True
                self._do(self._engine.end())
                self._changed.notify_all()
        for sender in self._senders.values():
            sender.rest()
        with self._lock:
            self._changed.wait_for(self._is_idle, min(self._grace if grace is None else grace, threading.TIMEOUT_MAX))
            first, self._abandoned = not self._abandoned, True
            left, busy = self._engine.statistics(), self._engine.busy
            if first:
                self._kept = self._engine.close()
                # Another thread may still wait in here, and longer than we did.
                self._changed.notify_all()
                for sender in self._senders.values():
                    sender.close()
        self._engine.logger.tell()
        if first:
            self._outcomes.conclude(left, busy=busy, kept=self._kept)
        if bug := self._bug:
            self._bug = None
            raise bug

    def _is_idle(self) -> bool:
        return self._abandoned or (not self._engine.busy and not self._telling)

    def statistics(self) -> Statistics:
        """The counts so far."""
        with self._lock:
            return self._engine.statistics()

    def late(self) -> float:
        """Seconds since something was due that the background thread has not done; `inf` once that has ended on a bug.

        For a watchdog: more than a moment is a stage that hangs, or a machine that is too busy. Waits while a stage is
        at work, as `statistics` does.
        """
        with self._lock:
            if self._broken:
                return inf
            return 0.0 if self._closed else max(0.0, self._engine.now - self._engine.deadline)

    def hold(self, seconds: float) -> bool:
        """Before a fork: nothing is written until `release`. False without a store, or if not to be had in time."""
        return self._store is not None and self._lock.acquire(timeout=seconds)

    def release(self) -> None:
        """After a fork, in the process that goes on with this pipeline."""
        self._lock.release()

    def leave(self) -> None:
        """After a fork, in the new process, which has no part in this pipeline: let go of its store, and of no more."""
        if self._store is not None:
            self._store.close()

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

    def _do(self, attempts: Sequence[Attempt]) -> None:
        """Hand attempts to their senders; wake the thread only if it would otherwise sleep too long."""
        for attempt in attempts:
            self._senders[attempt.destination].send(attempt)
        deadline = self._engine.deadline
        if self._thread is None and deadline < inf and not self._closed:
            thread = threading.Thread(target=self._work, name="burstmail", daemon=True)
            # At the end of the interpreter none can be started any more; then `close` is all that is still to come.
            with suppress(RuntimeError):
                thread.start()
                self._thread = thread
        elif deadline < self._armed:
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while not self._closed:
                self._wake()
                self._engine.logger.tell()
        except Exception as bug:
            self._break(bug)

    def _wake(self) -> None:
        with self._lock:
            self._do(self._engine.poll())
            # What there is to say is said first, and not under the lock.
            if not self._engine.logger.waiting:
                self._sleep()

    def _sleep(self) -> None:
        self._armed = self._engine.deadline
        wait = self._armed - self._engine.now
        if not self._closed:
            self._changed.wait(None if wait == inf else max(0.0, min(wait, threading.TIMEOUT_MAX)))
        self._armed = -inf

    def _break(self, bug: BaseException) -> None:
        # A bug in a stage or a hook: whoever feeds next, or closes, must hear of it.
        logger.exception("a background thread has ended: a bug in a stage or in on_dead")
        self._bug = bug
        self._broken = True

    def _settle(self, attempt: Attempt, result: Result, bug: BaseException | None) -> None:
        try:
            with self._lock:
                self._bug = self._bug or bug
                if self._abandoned:
                    return
                self._telling += 1
                more, dead = self._engine.settle(attempt, result, jitter())
                self._do(more)
            self._engine.logger.tell()
            self._outcomes.tell(attempt, result, dead)
        except Exception as error:
            self._break(error)
        with self._lock:
            self._telling -= 1
            self._changed.notify_all()
