"""Burst -> Attempt. All destinations at once: each burst goes down every path, in the lane of its route.

Messages that wait have a key, `destination/number`. One that a store kept for a destination which is no more goes to
the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from math import inf
from typing import Any, Protocol, runtime_checkable

from ..errors import DeliveryError
from .backoff import Backoff
from .deliver import Outbox
from .model import Attempt, Burst, DeadLetter, Message
from .path import Path
from .stage import Stage, State


class Paths:
    """A Path for each name, with its own copy of the lanes. `know` hears of every Message-ID that goes out."""

    def __init__(
        self,
        lanes: Mapping[str, Sequence[Stage[Any, Any]]],
        names: Sequence[str],
        know: Callable[[str], None],
        backoff: Backoff | None,
        give_up: float,
    ) -> None:
        if not names:
            raise ValueError("destinations: name at least one")
        own = [deepcopy(lanes) if place else lanes for place in range(len(names))]
        outboxes = [Outbox(backoff, give_up=give_up, name=name) for name in names]
        self.named = {box.name: Path(part, box) for part, box in zip(own, outboxes, strict=True)}
        self._know = know

    def __iter__(self) -> Iterator[Path]:
        return iter(self.named.values())

    @property
    def deadline(self) -> float:
        """The earliest of all paths."""
        return min((path.deadline for path in self), default=inf)

    def feed(self, items: Sequence[tuple[str, Any]], now: float) -> list[Attempt]:
        """Bursts, each with the name of its route, to each destination under a name of its own."""
        out: list[Attempt] = []
        for route, item in items:
            for place, path in enumerate(self):
                out += path.feed(route, _for(place, path, item), now)
        return self._known(out)

    def forward(self, burst: Burst, recipients: Sequence[str], now: float) -> list[Attempt]:
        """A burst of a route that is no more, to those whom its mails went to, past the caps of other routes."""
        out: list[Attempt] = []
        for place, path in enumerate(self):
            own = _for(place, path, burst)
            # A route that has got another name has its own redactions and words still: whoever has its recipients.
            lanes = sorted(path.lanes.values(), key=lambda lane: lane.recipients != tuple(recipients))
            makers = (stage for lane in lanes for stage in lane.stages if isinstance(stage, Readdressed))
            maker = next(makers, None)
            for item in maker.readdressed(recipients).feed(own, now) if maker else [own]:
                out += path.post(item, now)
        return self._known(out)

    def _known(self, attempts: list[Attempt]) -> list[Attempt]:
        for attempt in attempts:
            if isinstance(attempt.item, Message):
                self._know(attempt.item.id)
        return attempts

    def _each(self, act: Callable[[Path], list[Attempt]]) -> list[Attempt]:
        return self._known([attempt for path in self for attempt in act(path)])

    def poll(self, now: float) -> list[Attempt]:
        """Let time pass."""
        return self._each(lambda path: path.poll(now))

    def end(self, now: float, *, drain: bool) -> list[Attempt]:
        """Close what is open: see `Path.end`."""
        return self._each(lambda path: path.end(now, drain=drain))

    def settle(
        self, name: str, failed: DeliveryError | Mapping[str, DeliveryError], now: float, jitter: float
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of a destination's attempt: see `Outbox.settle`."""
        attempts, letters = self.named[name].settle(failed, now, jitter)
        return self._known(attempts), letters

    def retry(self, key: str, now: float) -> list[Attempt]:
        """Try a message that waits as soon as possible."""
        return self._each(lambda path: path.retry(key, now))

    def remove(self, key: str, now: float) -> list[Attempt]:
        """Forget a message that waits."""
        return self._each(lambda path: path.remove(key, now))

    def empty(self, now: float) -> None:
        """Forget all messages: another copy of them follows. Time goes on from `now`."""
        for path in self:
            path.empty(now)

    def changes(self) -> dict[str, State]:
        """Messages that are new, changed or gone (None) since the last call."""
        return {key: row for path in self for key, row in path.outbox.changes().items()}

    def rows(self) -> dict[str, State]:
        """All messages that wait."""
        return {key: row for path in self for key, row in path.outbox.rows().items()}

    def restore(self, key: str, row: State, now: float, *, new: bool = False) -> bool:
        """A message that `rows()` gave; under a new number if asked to. Returns whether it was one."""
        name, _, serial = key.rpartition("/")
        path = self.named.get(name)
        box = (path or next(iter(self))).outbox
        try:
            box.restore(0 if new or path is None else int(serial), row, now)
        except (TypeError, ValueError, LookupError, AttributeError):
            return False
        return True

    def trying(self) -> list[str]:
        """The keys of the messages that are being tried."""
        return [path.outbox.attempted for path in self if path.outbox.attempted]

    def go_on(self, keys: Sequence[str], now: float) -> list[Attempt]:
        """After all is restored: attempts still under way, then what the queues ask of the caps."""
        for path in self:
            path.outbox.continue_trying(keys)
        return self._each(lambda path: path.compare(now))


def _for(place: int, path: Path, item: Any) -> Any:
    """Two mails about one burst are two mails: under one Message-ID a reader might see only the first."""
    return item if not place else replace(item, epoch=f"{item.epoch}/{path.outbox.name}")


@runtime_checkable
class Readdressed(Protocol):
    """A stage that makes mails, and can make the same for others: Composer is one."""

    def readdressed(self, to: Sequence[str]) -> Stage[Burst, Any]:
        """The same, but for its recipients."""
        ...
