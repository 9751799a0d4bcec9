"""Message -> Attempt. One destination's queue: order, retry, giving up.

One attempt at a time. A temporary error rests the destination and the message; a permanent one sends the message (or
the recipient) to the dead letters. After a rest the message with the fewest tries goes first, in order, so that new
mail is never stuck behind a poisoned message. Whoever makes the attempt says what came of it with `settle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from ..errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from .backoff import Backoff
from .fold import dump_item, restored_item
from .model import Attempt, Item, Message
from .stage import State, opened


@dataclass(slots=True)
class _Waiting:
    item: Item
    born: float
    tries: int = 0
    ready: float = -inf


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What will not be tried again: the item, for those recipients that did not get it, and the last error."""

    item: Item
    error: DeliveryError


class Outbox:
    """The queue in front of one sink. `give_up` (seconds, 3 days) bounds how long a message is tried."""

    def __init__(self, backoff: Backoff | None = None, *, give_up: float = 259200.0) -> None:
        if not give_up > 0:
            raise ValueError(f"give_up={give_up!r}: must be more than 0 seconds")
        self._backoff = backoff or Backoff()
        self._give_up = give_up
        self._queue: list[_Waiting] = []
        self._trying: _Waiting | None = None
        self._failures = 0
        self._rest = -inf
        self._ending = False
        # For statistics: messages.
        self.sent = self.deferred = self.dead = 0
        # Lines that have left: with `held` they add up to the lines taken in.
        self.lines_out = 0

    @property
    def deadline(self) -> float:
        """When the next message may be tried; `inf` while one is being tried or none waits."""
        if self._trying or not self._queue:
            return inf
        ready = min(waiting.ready for waiting in self._queue)
        return ready if self._ending else max(self._rest, ready)

    @property
    def held(self) -> int:
        """Lines in messages that are not delivered yet."""
        return sum(waiting.item.count for waiting in self._queue)

    @property
    def waiting(self) -> int:
        """Messages that are not delivered yet."""
        return len(self._queue)

    @property
    def trying(self) -> bool:
        """Whether an attempt is under way."""
        return self._trying is not None

    def feed(self, item: Item, now: float) -> Sequence[Attempt]:
        """`poll(now)`, then queue the message; an attempt at once if the destination is free."""
        out = self.poll(now)
        self._queue.append(_Waiting(item, now))
        return out + self._start(now)

    def poll(self, now: float) -> list[Attempt]:
        """The attempt that is due, as of its due time."""
        due = self.deadline
        return self._start(due) if due <= now else []

    def _start(self, now: float) -> list[Attempt]:
        if self._trying or (self._rest > now and not self._ending):
            return []
        ready = [waiting for waiting in self._queue if waiting.ready <= now]
        if not ready:
            return []
        chosen = min(ready, key=lambda waiting: waiting.tries)
        chosen.tries += 1
        self._trying = chosen
        return [Attempt(chosen.item, chosen.tries)]

    def flush(self, now: float) -> list[Attempt]:
        """Nothing is open here: as `poll`."""
        return self.poll(now)

    def drain(self, now: float) -> list[Attempt]:
        """The end is near: every message that waits is tried once more, whatever rests."""
        out = self.poll(now)
        self._ending = True
        for waiting in self._queue:
            waiting.ready = min(waiting.ready, now)
        return out + self._start(now)

    def settle(
        self, failed: DeliveryError | Mapping[str, DeliveryError], now: float, jitter: float = 0.0
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of the attempt under way: the error for all, or those recipients that failed ({}: all accepted).

        Returns the next attempts and what is dead now. `jitter`, from 0 to 1, spreads the retries. Raises RuntimeError
        when no attempt is under way.
        """
        if (tried := self._trying) is None:
            raise RuntimeError("settle() without an attempt under way: feed or poll gives one")
        self._trying = None
        errors = self._by_recipient(tried.item, failed)
        dead = {name: error for name, error in errors.items() if self._is_dead(tried, error, now)}
        again = {name: error for name, error in errors.items() if name not in dead}
        letters = [DeadLetter(_only(tried.item, dead), next(iter(dead.values())))] if dead else []
        self.dead += bool(dead)
        if all(isinstance(errors.get(name), TemporaryDeliveryError) for name in _recipients(tried.item)):
            self._failures += 1
            self._rest = now + self._backoff.delay(self._failures, jitter)
        else:
            # It answered about somebody, so the destination is up.
            self._failures, self._rest = 0, -inf
        if again:
            self.deferred += 1
            tried.item = _only(tried.item, again)
            tried.ready = now + self._backoff.delay(tried.tries, jitter)
        else:
            self._queue.remove(tried)
            self.lines_out += tried.item.count
            self.sent += not dead
        return self._start(now), letters

    def _by_recipient(
        self, item: Item, failed: DeliveryError | Mapping[str, DeliveryError]
    ) -> Mapping[str, DeliveryError]:
        if isinstance(failed, DeliveryError):
            return dict.fromkeys(_recipients(item), failed)
        return {name: error for name, error in failed.items() if name in _recipients(item)}

    def _is_dead(self, tried: _Waiting, error: DeliveryError, now: float) -> bool:
        return isinstance(error, PermanentDeliveryError) or now - tried.born >= self._give_up

    def dump(self) -> State:
        """What waits; an attempt under way counts as not made."""
        made = ((row, row.tries - (row is self._trying)) for row in self._queue)
        rows = [[dump_item(row.item), row.born, tries, _put(row.ready)] for row, tries in made]
        return ["outbox", 1, rows, self._failures, _put(self._rest)]

    def load(self, state: State) -> None:
        """The dumped queue."""
        rows, failures, rest = opened(state, "outbox", 3)
        self._queue = [_Waiting(restored_item(item), born, tries, _got(ready)) for item, born, tries, ready in rows]
        self._trying, self._failures, self._rest = None, failures, _got(rest)


def _recipients(item: Item) -> Sequence[str]:
    # A Burst goes to no address: one nameless recipient stands for the sink itself.
    return item.recipients if isinstance(item, Message) else ("",)


def _only(item: Item, names: Mapping[str, Any]) -> Item:
    if not isinstance(item, Message):
        return item
    return replace(item, recipients=tuple(name for name in item.recipients if name in names))


def _put(moment: float) -> float | None:
    return None if moment == -inf else moment


def _got(moment: float | None) -> float:
    return -inf if moment is None else moment
