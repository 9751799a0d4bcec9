"""Outcomes -> how a destination is: whether it rests, since when it is down, which outage has ended."""

from __future__ import annotations

from math import inf

from .backoff import Backoff
from .stage import State
from .waiting import got, put

# A refusal that is over at the next try (greylisting takes longer, and is one) is no outage worth a sentence.
OUTAGE = 60.0


class Health:
    """One destination's, as its attempts tell. Moments are the core's."""

    __slots__ = ("_backoff", "_ended", "_failures", "_since", "rest")

    def __init__(self, backoff: Backoff) -> None:
        if not isinstance(backoff, Backoff):
            raise TypeError(f"backoff={backoff!r}: must be a Backoff, as Backoff(first=30)")
        self._backoff = backoff
        self._failures = 0
        self.rest = -inf
        """No attempt before this moment."""
        self._since: float | None = None
        self._ended: tuple[float, float, int] | None = None

    @property
    def down(self) -> bool:
        """Whether the last attempt failed for all."""
        return self._failures > 0

    def failed(self, now: float, jitter: float) -> None:
        """An attempt failed for all recipients, for now."""
        self._failures += 1
        self.rest = now + self._backoff.delay(self._failures, jitter)
        self._since = now if self._since is None else self._since

    def answered(self, now: float, waiting: int) -> None:
        """It answered about somebody, so it is up; so many messages waited for that."""
        if self._since is not None and now - self._since >= OUTAGE:
            self._ended = (self._since, now, waiting)
        self._failures, self.rest, self._since = 0, -inf, None

    def outage(self) -> tuple[float, float, int] | None:
        """The outage that ended since the last call: since, until, and the messages that waited."""
        ended, self._ended = self._ended, None
        return ended

    def dump(self) -> State:
        """As JSON can carry it."""
        return [self._failures, put(self.rest), self._since, list(self._ended) if self._ended else None]

    def load(self, state: State) -> None:
        """As it was."""
        self._failures, rest, self._since, ended = state
        self.rest, self._ended = got(rest), tuple(ended) if ended else None
