"""Batch -> Burst. Session windows, one per key.

Limits: `keys` open windows (over that the least recently active one closes early) and `budget` bytes for all they
keep (over that the largest one sheds its middle). Both are counted and said in the mail; neither loses a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from .keep import Keep
from .key import splitter
from .keyed import Keyed
from .kinds import numbers
from .model import Batch, Burst, CloseReason
from .patterns.masks import Masker
from .session import Session
from .split import Splitter
from .stage import Stage, State
from .urgent import Decide, Urgency
from .window import Window


class Aggregator(Keyed[Batch, Burst]):
    """A session window per key; the parameters are those of Window.

    `key` says which lines belong together: None (all), field names (`"host"`, `"host,program"`), or a splitter such as
    `by("host", "program")` or `each(function_of_a_line)`. `keep` is how much of each burst is kept.
    `patterns` says whether lines are counted by pattern. `masks` are regular expressions for what else varies in them,
    shown as `<masked>`. Raises ValueError for one that is none. `urgent` is a filter, or a function of a line: a window
    with such a line closes 0.2 s after it (CloseReason.URGENT), and its burst is `urgent`, for which Caps may have a
    reserve.

    >>> from burstmail import Aggregator, Batch
    >>> bursts = Aggregator(gap=5)
    >>> bursts.feed(Batch.of("disk failed"), now=0.0)
    []
    >>> [(burst.count, burst.reason.value) for burst in bursts.poll(now=5.0)]
    [(1, 'gap')]
    """

    def __init__(
        self,
        *,
        gap: float = 5.0,
        max_age: float = 60.0,
        max_lines: int | None = None,
        max_bytes: int | None = None,
        key: str | Splitter | None = None,
        keep: Keep | None = None,
        patterns: bool = True,
        masks: Iterable[str] = (),
        urgent: Decide | None = None,
        # A key comes from the line: the table of keys is an attack surface. 1,000 windows; 6 MiB for all, 9 in memory.
        keys: int = 1000,
        budget: int = 6 * 1024 * 1024,
    ) -> None:
        window = Window(gap=gap, max_age=max_age, max_lines=max_lines, max_bytes=max_bytes)
        numbers(budget=budget)
        if budget < 1:
            raise ValueError(f"budget={budget!r}: must be 1 byte or more")
        kept = Keep() if keep is None else keep
        if not isinstance(kept, Keep):
            raise TypeError(f"keep={keep!r}: must be a Keep, as Keep(200, 200)")
        masker = Masker(masks) if patterns else None
        urgency = self._urgency = Urgency(urgent) if urgent else None

        def session(name: str) -> Session:
            return Session(window, kept, key=name, masker=masker, urgency=urgency)

        super().__init__(session, splitter(key), keys)
        self._budget = budget
        self._weights: dict[str, int] = {}
        self._weight = 0

    def feed(self, item: Batch, now: float) -> Sequence[Burst]:
        """`poll(now)`, then the lines, each to its key's window."""
        if self._urgency:
            self._urgency.look(item)
        out = [*super().feed(item, now)]
        while self._weight > self._budget:
            out += self._relieve(now)
        return out

    def _relieve(self, now: float) -> Sequence[Burst]:
        """The largest window sheds its middle; one that has none left closes."""
        key = max(self._weights, key=self._weights.__getitem__)
        session = cast(Session, self._machines[key])
        before = session.weight
        session.shed()
        if session.weight < before:
            self._weigh(key, session.weight)
            return []
        self._forget(key)
        return self._give_up(session, now)

    def _settle(self, key: str, machine: Stage[Batch, Burst], before: float) -> None:
        super()._settle(key, machine, before)
        if key in self._machines:
            self._weigh(key, cast(Session, machine).weight)

    def _forget(self, key: str) -> None:
        super()._forget(key)
        self._weigh(key, 0)
        del self._weights[key]

    def _weigh(self, key: str, weight: int) -> None:
        self._weight += weight - self._weights.get(key, 0)
        self._weights[key] = weight

    def _give_up(self, machine: Stage[Batch, Burst], now: float) -> Sequence[Burst]:
        return [cast(Session, machine).close(now, CloseReason.CROWDED)]

    def load(self, state: State) -> None:
        """The dumped windows."""
        super().load(state)
        self._weights = {key: cast(Session, machine).weight for key, machine in self._machines.items()}
        self._weight = sum(self._weights.values())
