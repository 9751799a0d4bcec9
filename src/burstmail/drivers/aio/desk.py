"""What an Engine is asked -> attempts made, in an event loop. One timer for its deadline, and none while it has none.

The engine is called in a thread, in the order of asking: a mail takes milliseconds to make, and a disk as long as it
likes. What comes out is sent before the next call is told of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from math import inf
from typing import Any, TypeVar

from ...core.model import Attempt, DeadLetter
from ..engine import Engine
from ..outcomes import Outcomes, jitter
from ..sender import Result, Sender
from .calls import AnySink, Caller, Calls, sender
from .worker import Worker

logger = logging.getLogger("burstmail")

T = TypeVar("T")


class Desk:
    """An Engine in the loop that runs now."""

    def __init__(self, engine: Engine, sinks: Mapping[str, AnySink], outcomes: Outcomes) -> None:
        self.loop = asyncio.get_running_loop()
        self._engine = engine
        self._outcomes = outcomes
        # All that comes of a line is done in here: it has nothing to do with the request, or the span, it was fed in.
        context = copy_context()
        self._calls = Calls(self.loop, context, self._settle)
        self._senders: dict[str, Caller | Sender] = {}
        self._worker = Worker(self.loop, context)
        self._timer: asyncio.TimerHandle | None = None
        # Attempts that are handed out and not settled; who waits until there are none.
        self._busy = 0
        self._waiter: asyncio.Future[None] | None = None
        self.broken = self._ending = self._hurried = self._abandoned = False
        self.bug: BaseException | None = None
        self.employ(sinks)

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return self._busy > 0

    def here(self) -> bool:
        """Whether this is the loop's thread."""
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    @property
    def forsaken(self) -> bool:
        """Whether its loop has ended: nobody hears of anything any more."""
        return self.loop.is_closed()

    def employ(self, sinks: Mapping[str, AnySink]) -> None:
        """Make attempts at these from here on."""
        before, self._senders = self._senders, {name: sender(sink, self._calls) for name, sink in sinks.items()}
        for one in before.values():
            one.close()

    def do(self, act: Callable[[list[Attempt]], T], then: Callable[[], object] | None = None) -> asyncio.Future[T]:
        """Have the engine do something: `act` puts attempts into the list it is given.

        They are made, after `then` has been called in the loop, also when `act` raises; the future has what it returns
        or raises. Whoever cancels that has stopped nothing.
        """
        told: asyncio.Future[T] = self.loop.create_future()
        out: list[Attempt] = []
        self._worker.do(partial(self._acted, act, out), partial(self._told, told, out, then))
        return told

    def _acted(self, act: Callable[[list[Attempt]], T], out: list[Attempt]) -> tuple[T, float]:
        value = act(out)
        return value, self.loop.time() + self._engine.deadline - self._engine.now

    def _told(
        self,
        told: asyncio.Future[Any],
        out: list[Attempt],
        then: Callable[[], object] | None,
        done: tuple[Any, float] | None,
        error: BaseException | None,
    ) -> None:
        self._engine.logger.tell()
        if then and error is None:
            then()
        for attempt in out:
            self._busy += 1
            self._senders[attempt.destination].send(attempt)
        if done is not None:
            self._arm(done[1])
        if told.cancelled():
            return
        if error is not None:
            told.set_exception(error)
        else:
            told.set_result(done[0] if done else None)

    # Time.

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= when < inf:
                # It looks then, and is set again: a stream of lines sets no timer for each of them.
                return
            self._timer.cancel()
            self._timer = None
        if when < inf and not self._ending:
            self._timer = self.loop.call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.do(lambda out: out.extend(self._engine.poll())).add_done_callback(self._woken)

    def _woken(self, told: asyncio.Future[None]) -> None:
        if (bug := told.exception()) is not None:
            self._break(bug)

    def _break(self, bug: BaseException) -> None:
        # Whoever feeds next, or closes, must hear of it.
        logger.error("the pipeline has stopped: a bug in a stage or in on_dead", exc_info=bug)
        self.bug = bug
        self.broken = True

    # Outcomes.

    def _settle(self, attempt: Attempt, result: Result, bug: BaseException | None) -> None:
        self.bug = self.bug or bug
        if self._abandoned:
            return
        told = self.do(partial(self._settled, attempt, result))
        told.add_done_callback(partial(self._tell, attempt, result))

    def _settled(self, attempt: Attempt, result: Result, out: list[Attempt]) -> list[DeadLetter]:
        more, dead = self._engine.settle(attempt, result, jitter())
        out += more
        return dead

    def _tell(self, attempt: Attempt, result: Result, told: asyncio.Future[list[DeadLetter]]) -> None:
        try:
            self._outcomes.tell(attempt, result, told.result())
        except Exception as bug:
            self._break(bug)
        self._busy -= 1
        if not self._busy and self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # The end.

    def end(self) -> asyncio.Future[None]:
        """The input ends: no more timers."""
        self._ending = True
        self._arm(inf)
        return self.do(lambda out: out.extend(self._engine.end()))

    def quiet(self) -> asyncio.Future[None]:
        """Done when no attempt is under way any more, or nobody wants to wait for that."""
        self._waiter = self.loop.create_future()
        if not self._busy or self._hurried:
            self._waiter.set_result(None)
        return self._waiter

    def hurry(self) -> None:
        """Nobody wants to wait for attempts any more."""
        self._hurried = True
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def cancel(self) -> set[asyncio.Task[Any]]:
        """Cancel what async sinks are doing; returns what has yet to end."""
        return self._calls.cancel()

    def abandon(self) -> asyncio.Future[bool]:
        """Write down what is left, and hear of no attempt any more: whether a store keeps it."""
        self._abandoned = True
        return self.do(lambda out: self._engine.close())

    def close(self) -> None:
        """Nothing more will be asked."""
        self._worker.close()
        self.employ({})
