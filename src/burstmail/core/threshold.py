"""Batch -> Batch. Lines pass once enough of them have come together; those that stay too few are counted.

Exact and sliding: a line passes if it is the last of `count` of its key within less than `per` seconds. Until then
lines wait; they leave with the one that completes them, or end as `below`, which the next batch that leaves tells. What
is urgent waits for no others.
Limits: `keys` keys, past which newcomers share one memory: they pass sooner, and none is hidden by ever new keys;
`budget` bytes for all that waits or is remembered, over which what has waited longest is counted as below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf

from .key import splitter
from .kinds import counts, numbers, seconds
from .model import Batch
from .recent import Recent
from .shelf import dump_batch, leaving, restored_batch
from .split import Splitter
from .stage import State, opened
from .urgent import Decide, Urgency

# More than anybody waits for before he wants to be told; each is remembered by its moment.
MOST = 10_000
# What Python needs for a moment, and for a batch that waits besides its text.
ROW, SHELF = 120, 400
# A line that continues another does not make it two; see Join.
_MORE = ("\n ", "\n\t")


class Threshold:
    """`count` lines within `per` seconds, or nobody is told; of each `key`, as Aggregator takes it.

    A record that Join has made counts as one line. After the first mail's worth, lines pass at once as long as the last
    `count` of them lie within `per`. What waits at the end is counted as below, and so is what a flush finds: it asks
    for what is worth a mail. A line that `urgent` finds, as Aggregator takes it, passes at once, with what waits of its
    key and what was read together with it. Raises ValueError for a count outside 1 to 10,000, a `per` below 0.001 or
    not finite, and for `keys` or `budget` below 1.

    >>> from burstmail import Batch, Threshold
    >>> stage = Threshold(3, per=60)
    >>> [stage.feed(Batch.of(f"login {second} failed"), second) for second in (0, 20)]
    [[], []]
    >>> [batch.lines for batch in stage.feed(Batch.of("login 40 failed"), 40)]
    [['login 0 failed'], ['login 20 failed'], ['login 40 failed']]
    """

    def __init__(
        self,
        count: int,
        *,
        per: float,
        key: str | Splitter | None = None,
        # As an Aggregator has it: a key comes from the line, and so does what waits.
        keys: int = 1000,
        budget: int = 6 * 1024 * 1024,
        urgent: Decide | None = None,
    ) -> None:
        numbers("Threshold", count=count)
        seconds("Threshold", per=per)
        if not 1 <= count <= MOST:
            raise ValueError(f"Threshold(count={count!r}): must be 1 to {MOST:,} lines")
        if not 0.001 <= per < inf:
            raise ValueError(f"Threshold(per={per!r}): must be 0.001 seconds or more, and finite")
        counts("Threshold", keys=keys, budget=budget)
        self._count, self._per, self._split = count, per, splitter(key)
        self._keys, self._budget, self._weight = keys, budget, 0
        self._urgency = None if urgent is None else Urgency(urgent)
        # The least recently active stands first; None is all that came when there was no room for its key.
        self._recent: dict[str | None, Recent] = {}
        # What waits, oldest first: since when, and the lines.
        self._waiting: dict[int, tuple[float, Batch]] = {}
        self._next = 1
        # Lines that have ended here, ever; and those of them that the next batch has to tell of.
        self.below = self._untold = 0

    @property
    def deadline(self) -> float:
        """When what has waited longest is given up; `inf` while nothing waits."""
        return next((since + self._per for since, _ in self._waiting.values()), inf)

    @property
    def held(self) -> int:
        """Lines that wait."""
        return sum(batch.count for _, batch in self._waiting.values())

    def feed(self, item: Batch, now: float) -> Sequence[Batch]:
        """`poll(now)`, then the lines of each key."""
        parts = list(self._split(replace(item, below=0) if item.below else item))
        if self._urgency:
            self._urgency.look(item)
        self.poll(now)
        self._untold += item.below
        out: list[Batch] = []
        for key, part in _numbered(parts, item.gone):
            out += self._take(key, part, now) if part.count else ()
        while self._weight > self._budget:
            self._relieve()
        if out and self._untold:
            out[0], self._untold = replace(out[0], below=self._untold), 0
        return out

    def _take(self, key: str, part: Batch, now: float) -> list[Batch]:
        recent = self._of(key, now)
        before = len(recent.rows)
        recent.age(self._per, now)
        lines = part.count - sum(map(part.text.count, _MORE)) if part.joined else part.count
        waits = recent.lines + lines < self._count and not (self._urgency and self._urgency.first(part) is not None)
        recent.add(now, lines, self._next if waits else 0)
        if waits:
            self._waiting[self._next] = (now, replace(part, place=None))
            self._next += 1
            self._weight += part.size + SHELF
        numbers = () if waits else recent.passed(self._count - 1)
        self._weight += ROW * (len(recent.rows) - before)
        found = [self._picked(number) for number in numbers if number in self._waiting]
        return [leaving(batch, since, now) for since, batch in found] + ([] if waits else [part])

    def _of(self, key: str | None, now: float) -> Recent:
        """What is known of the key, which is active now."""
        if key not in self._recent:
            while len(self._recent) >= self._keys and next(iter(self._recent.values())).last + self._per <= now:
                self._forget()
            key = key if len(self._recent) < self._keys else None
        recent = self._recent.pop(key, None) or Recent()
        self._recent[key] = recent
        return recent

    def _forget(self) -> None:
        recent = self._recent.pop(next(iter(self._recent)))
        self._weight -= ROW * len(recent.rows)

    def _picked(self, number: int) -> tuple[float, Batch]:
        since, batch = self._waiting.pop(number)
        self._weight -= batch.size + SHELF
        return since, batch

    def _give_up(self) -> None:
        """What has waited longest ends here; when it came is remembered."""
        _, batch = self._picked(next(iter(self._waiting)))
        self.below += batch.count
        self._untold += batch.count

    def _relieve(self) -> None:
        if self._waiting:
            self._give_up()
        else:
            self._forget()

    def poll(self, now: float) -> list[Batch]:
        """What has waited for too long is counted as below. Nothing ever leaves by itself."""
        while self.deadline <= now:
            self._give_up()
        return []

    flush = poll

    def drain(self, now: float) -> list[Batch]:
        """All that waits is counted as below; a state that is kept goes on with the count, and with the moments."""
        while self._waiting:
            self._give_up()
        return []

    def dump(self) -> State:
        """When lines came, and those that wait."""
        recent = [[key, known.dump()] for key, known in self._recent.items()]
        waiting = [[number, since, dump_batch(batch)] for number, (since, batch) in self._waiting.items()]
        return ["threshold", 1, self._next, self._untold, recent, waiting]

    def load(self, state: State) -> None:
        """The dumped moments and lines, under this stage's own count."""
        following, untold, recent, waiting = opened(state, "threshold", 4)
        known = {key: Recent().load(rows) for key, rows in recent}
        shelf = {number: (since, restored_batch(batch)) for number, since, batch in waiting}
        self._recent, self._waiting, self._next, self._untold = known, shelf, following, untold
        self._weight = ROW * sum(len(found.rows) for found in known.values())
        self._weight += sum(batch.size + SHELF for _, batch in shelf.values())


def _numbered(parts: Sequence[tuple[str, Batch]], gone: int) -> Iterator[tuple[str, Batch]]:
    """Parts of one read that leave at different times, and perhaps under one key, must not begin with one number."""
    for key, part in parts:
        yield key, part if part.gone == gone else replace(part, gone=gone)
        gone += part.count
