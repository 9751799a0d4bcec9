"""Message -> Attempt. One destination's queue: order, retry, giving up.

One attempt at a time. A temporary error rests the destination and the message; a permanent one sends the message (or
the recipient) to the dead letters. After a rest the message with the fewest tries goes first, in order, so that new
mail is never stuck behind a poisoned message. Whoever makes the attempt says what came of it with `settle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from ..errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from .backoff import Backoff
from .health import Health
from .kinds import spans
from .model import Attempt, DeadLetter, Item
from .stage import State, opened
from .waiting import Waiting, by_recipient, only, recipients_of, row_of, waiting_of


class Outbox:
    """The queue in front of one sink. `give_up` (seconds, 3 days) bounds how long a message is tried.

    `name` goes into each Attempt. A queue keeps all it is given: bounding it is for whoever feeds it, as Flow does by
    pausing the caps.
    """

    def __init__(self, backoff: Backoff | None = None, *, give_up: float = 259200.0, name: str = "") -> None:
        spans(give_up=give_up)
        self.name = name
        self._backoff = backoff or Backoff()
        self._give_up = give_up
        self._queue: list[Waiting] = []
        self._next = 1
        self._trying: Waiting | None = None
        self.health = Health(self._backoff)
        self._ending = False
        self._changed: dict[int, None] = {}
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
        return ready if self._ending else max(self.health.rest, ready)

    @property
    def held(self) -> int:
        """Lines in messages that are not delivered yet."""
        return sum(waiting.item.count for waiting in self._queue)

    @property
    def waiting(self) -> int:
        """Messages that are not delivered yet."""
        return len(self._queue)

    def feed(self, item: Item, now: float) -> Sequence[Attempt]:
        """`poll(now)`, then queue the message; an attempt at once if the destination is free."""
        out = self.poll(now)
        self._add(Waiting(self._next, item, now))
        return out + self._start(now)

    def _add(self, row: Waiting) -> None:
        self._queue.append(row)
        self._next = max(self._next, row.serial + 1)
        self._changed[row.serial] = None

    def poll(self, now: float) -> list[Attempt]:
        """The attempt that is due, as of its due time."""
        due = self.deadline
        return self._start(due) if due <= now else []

    def _start(self, now: float) -> list[Attempt]:
        if self._trying or (self.health.rest > now and not self._ending):
            return []
        ready = (waiting for waiting in self._queue if waiting.ready <= now)
        chosen = min(ready, key=lambda waiting: waiting.tries, default=None)
        if chosen is None:
            return []
        # Counted before it is made: one that takes the process down with it must not stay the first in line.
        chosen.tries += 1
        self._changed[chosen.serial] = None
        self._trying = chosen
        return [Attempt(chosen.item, chosen.tries, self.name, self._key(chosen))]

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
        # Where this raises, the attempt has no end: another one, at once, would raise as well, for ever.
        errors = by_recipient(tried.item, failed)
        self._trying = None
        self._changed[tried.serial] = None
        old = now - tried.born >= self._give_up
        dead = {name: error for name, error in errors.items() if isinstance(error, PermanentDeliveryError) or old}
        again = {name: error for name, error in errors.items() if name not in dead}
        # One that an operator has removed meanwhile has been counted, and is nobody's news.
        letters = [self._letter(tried, dead, now)] if dead and tried in self._queue else []
        self.dead += len(letters)
        if all(isinstance(errors.get(name), TemporaryDeliveryError) for name in recipients_of(tried.item)):
            self.health.failed(now, jitter)
        else:
            self.health.answered(now, len(self._queue))
        if again:
            self.deferred += 1
            tried.item = only(tried.item, again)
            tried.ready = now + self._backoff.delay(tried.tries, jitter)
            tried.error = str(next(iter(again.values())))
        elif tried in self._queue:
            self._leave(tried)
            self.sent += not dead
        return self._start(now), letters

    def _leave(self, row: Waiting) -> None:
        self._queue.remove(row)
        self.lines_out += row.item.count

    def _letter(self, tried: Waiting, dead: Mapping[str, DeliveryError], now: float) -> DeadLetter:
        return DeadLetter(
            item=only(tried.item, dead),
            error=next(iter(dead.values())),
            others=tuple(name for name in recipients_of(tried.item) if name and name not in dead),
            waited=now - tried.born,
            # One message may die for one recipient now and for another later.
            key=f"{self._key(tried)}.{tried.tries}",
        )

    # A message's key is `name/number`; numbers are never used twice.

    def _key(self, row: Waiting) -> str:
        return f"{self.name}/{row.serial}"

    def retry(self, key: str, now: float) -> list[Attempt]:
        """Try one message as soon as possible, whatever rests. Nothing happens when there is none of this key."""
        out = self.poll(now)
        for row in self._queue:
            if self._key(row) == key and row is not self._trying:
                row.tries, row.ready, self.health.rest = 0, -inf, -inf
        return out + self._start(now)

    def remove(self, key: str) -> None:
        """Forget one message; what an attempt under way brings does not matter any more."""
        for row in self._queue[:]:
            if self._key(row) == key:
                self._leave(row)
                self.dead += 1
                self._changed[row.serial] = None

    def empty(self) -> None:
        """Forget all messages without a word: another copy of them follows."""
        self._queue, self._trying, self._changed = [], None, {}

    def changes(self) -> dict[str, State]:
        """Messages that are new, changed or gone (None) since the last call, by key; for a store."""
        rows = {row.serial: row for row in self._queue}
        changed, self._changed = self._changed, {}
        return {f"{self.name}/{serial}": row_of(rows[serial]) if serial in rows else None for serial in changed}

    def rows(self) -> dict[str, State]:
        """All messages that wait, by key; for a store."""
        return {self._key(row): row_of(row) for row in self._queue}

    def restore(self, serial: int, row: State, now: float) -> None:
        """A message from a store, under its old number, or a new one (0)."""
        found = waiting_of(serial or self._next, row)
        found.ready = max(found.ready, now)
        self._add(found)

    @property
    def attempted(self) -> str:
        """The key of the message that is being tried; '' when none is."""
        return self._key(self._trying) if self._trying else ""

    def continue_trying(self, keys: Sequence[str]) -> None:
        """Attempts at these messages are still under way: `settle` will be called for each."""
        for row in self._queue:
            if self._key(row) in keys:
                self._trying = row

    def note(self) -> State:
        """How the destination is, without its messages: what `load_note` takes."""
        return [self._next, self.health.dump()]

    def load_note(self, state: State) -> None:
        """The destination as it was."""
        self._next, health = state
        self.health.load(health)

    def dump(self) -> State:
        """What waits; an attempt under way counts as not made."""
        rows = [[row.serial, row_of(row, row.tries - (row is self._trying))] for row in self._queue]
        return ["outbox", 2, rows, self.note()]

    def load(self, state: State) -> None:
        """The dumped queue."""
        rows, note = opened(state, "outbox", 2, version=2)
        self._queue = [waiting_of(serial, row) for serial, row in rows]
        self._trying = None
        self.load_note(note)
        self._changed = dict.fromkeys(row.serial for row in self._queue)
