"""What strangers do wrong -> the log, at most a line a minute for each kind of it.

What is counted in between is told with the next one, and the rest at the end: whoever floods us does not flood the log.
"""

from __future__ import annotations

import logging
from math import inf

from ..clock import Clock

logger = logging.getLogger("burstmail")

# Seconds between two lines about the same.
BETWEEN = 60.0


class Complaints:
    """Counts by kind; `who` is the newest of those who did it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._newest: dict[str, str] = {}
        self._said: dict[str, float] = {}

    def note(self, what: str, who: str, count: int = 1) -> None:
        """It has happened so many times more."""
        self._counts[what] = self._counts.get(what, 0) + count
        self._newest[what] = who
        if self._clock.monotonic() >= self._said.get(what, -inf) + BETWEEN:
            self._say(what)

    def rest(self) -> None:
        """Say what has only been counted so far."""
        for what in list(self._counts):
            self._say(what)

    def _say(self, what: str) -> None:
        self._said[what] = self._clock.monotonic()
        logger.warning("network: %s, %d times, the last time %s", what, self._counts.pop(what), self._newest.pop(what))
