"""Burst -> Attempt. One destination: a lane for each route, and one queue for all.

While it is down and three mails wait, the caps let nothing leave and fold what comes: an outage of a day ends in a few
digests. Whether they are paused follows from the queue alone, so that no crash can leave them so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from ..errors import DeliveryError
from .deliver import Outbox
from .lane import Lane
from .model import Attempt, Burst, DeadLetter, Item
from .stage import Stage, State

# The first mails of an outage wait as they are; what comes then is put together. A destination that is only slow may
# have an hour's worth of mails, as many as the default caps let through.
DOWN, SLOW = 3, 20


class Path:
    """A Lane for each of these, by name of the route, joined with an Outbox."""

    def __init__(self, lanes: Mapping[str, Sequence[Stage[Any, Any]]], outbox: Outbox) -> None:
        self.lanes = {name: Lane(stages) for name, stages in lanes.items()}
        # Of routes that are no more: mails of theirs may still wait, and die.
        self._gone: dict[str, Lane] = {}
        self.outbox = outbox
        # What other parameters, or a restart, make due in the past is done now: time never runs backwards.
        self._now = -inf

    @property
    def _all(self) -> list[Lane]:
        return [*self.lanes.values(), *self._gone.values()]

    @property
    def deadline(self) -> float:
        """The earliest of all parts."""
        return min(self.outbox.deadline, *(lane.deadline for lane in self._all))

    @property
    def held(self) -> int:
        """Lines held by caps and composers, and in messages that wait."""
        return self.outbox.held + sum(lane.held for lane in self._all)

    @property
    def bursts(self) -> int:
        """Bursts that have left the caps."""
        return sum(lane.bursts for lane in self.lanes.values())

    @property
    def left_out(self) -> int:
        """Lines that these count but do not show."""
        return sum(lane.left_out for lane in self.lanes.values())

    def note(self, sentence: str) -> None:
        """Say this in the next mail of each route."""
        for lane in self.lanes.values():
            lane.note(sentence)

    def echoed(self, count: int, sample: str) -> None:
        """Say in the next mail of each route that so many lines about burstmail's own mails were left out."""
        for lane in self.lanes.values():
            # Whose route the sample would have taken is not known: it is shown where there is only one.
            lane.echoed(count, sample if len(self.lanes) == 1 else "")

    def feed(self, route: str, item: Item, now: float) -> list[Attempt]:
        """`poll(now)`, then a burst of this route."""
        out = self.poll(now)
        return out + self._queue(self.lanes[route].feed(item, now), now) + self.compare(now)

    def post(self, item: Item, now: float) -> list[Attempt]:
        """`poll(now)`, then a message that is made already, past the caps."""
        return self.poll(now) + self._queue([item], now) + self.compare(now)

    def _queue(self, items: Sequence[Item], now: float) -> list[Attempt]:
        return [attempt for item in items for attempt in self.outbox.feed(item, now)]

    def poll(self, now: float) -> list[Attempt]:
        """Let time pass, deadline by deadline, last part first: what leaves one enters the next as of that moment."""
        out: list[Attempt] = []
        while (at := self.deadline) < inf and (due := max(at, self._now)) <= now:
            self._now = due
            out += self.outbox.poll(due)
            for lane in self._all:
                out += self._queue(lane.poll(due), due)
            out += self.compare(due)
            if self.deadline <= due:
                raise RuntimeError(f"a stage is due at {self.deadline} after poll({due}): it breaks the progress law")
        self._now = max(self._now, now)
        return out

    def compare(self, now: float) -> list[Attempt]:
        """Pause or resume the caps, as the queue asks for."""
        out: list[Attempt] = []
        turned = True
        # What one route lets out may fill the queue again, for all.
        while turned:
            turned = False
            for lane in self.lanes.values():
                if (items := lane.turn(self._full(), now)) is not None:
                    turned = True
                    out += self._queue(items, now)
        return out

    def _full(self) -> bool:
        return self.outbox.waiting >= (DOWN if self.outbox.health.down else SLOW)

    def end(self, now: float, *, drain: bool) -> list[Attempt]:
        """Close what is open: through the caps, or with all that they hold and whatever rests."""
        out = self.poll(now)
        for lane in self._all:
            out += self._queue(lane.end(now, drain=drain), now)
        return out + (self.outbox.drain(now) if drain else []) + self.compare(now)

    def settle(
        self, failed: DeliveryError | Mapping[str, DeliveryError], now: float, jitter: float
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of the attempt under way: see `Outbox.settle`. A dead letter leads to a notice."""
        out, letters = self.outbox.settle(failed, now, jitter)
        for letter in letters:
            out += self._queue(self._lane_of(letter.item).bury(letter, now), now)
        if outage := self.outbox.health.outage():
            for lane in self.lanes.values():
                lane.outage(outage)
        return out + self.compare(now), letters

    def _lane_of(self, item: Item) -> Lane:
        route = item.route if isinstance(item, Burst) else item.burst.route
        return self.lanes.get(route) or self._gone.setdefault(route, Lane())

    def retry(self, key: str, now: float) -> list[Attempt]:
        """Try a message that waits as soon as possible."""
        return self.poll(now) + self.outbox.retry(key, now)

    def remove(self, key: str, now: float) -> list[Attempt]:
        """Forget a message that waits."""
        self.outbox.remove(key)
        return self.compare(now)

    def wake(self, now: float) -> float:
        """Nobody has looked for a while: what was due meanwhile is done now. Returns since when the caps had any."""
        self._now = max(self._now, now)
        return min(lane.wake(now) for lane in self.lanes.values())

    def empty(self, now: float) -> None:
        """Forget all messages: another copy of them follows. Time goes on from `now`."""
        self.outbox.empty()
        self._now = now

    def dump(self) -> State:
        """Everything but the messages and the stages: what the readers are to be told, and how the destination is."""
        lanes = {**self._gone, **self.lanes}
        return [[[name, lane.dump()] for name, lane in lanes.items()], self.outbox.note()]

    def load(self, state: State) -> None:
        """The dumped path; of an earlier version, too, that had one lane."""
        lanes, queue = state if len(state) == 2 else ([["", state[:4]]], state[4])
        self._gone.clear()
        for name, told in lanes:
            lane = self.lanes.get(name) or self._gone.setdefault(name, Lane())
            lane.load(told)
        self.outbox.load_note(queue)
