"""Pipeline -> signs of life. Alive means that the pipeline answers and does what is due, not that a thread runs.

Its lock must be had and its own thread must not be behind, or nothing is said, and the manager starts us again: what is
in the store, or was not read yet, is mailed then. Where nobody waits for signs of life there is no thread, and nothing
wakes up.
"""

from __future__ import annotations

import threading
from math import inf
from types import TracebackType
from typing import Protocol

from burstmail import Statistics

from .notify import Notifier

# sd_watchdog_enabled(3) recommends a sign in every half of the period.
SHARE = 0.5


class Watched(Protocol):
    """What is watched: a Pipeline."""

    def late(self) -> float:
        """Seconds since something was due that is not done; waits for whoever is at work."""
        ...

    def statistics(self) -> Statistics:
        """The counts so far."""
        ...


class Watchdog:
    """While its block runs, the manager hears that the pipeline is alive, and what it has done (STATUS=)."""

    def __init__(self, notifier: Notifier, pipeline: Watched) -> None:
        self._notifier = notifier
        self._pipeline = pipeline
        self._told = ""
        self._ended = threading.Event()

    def __enter__(self) -> Watchdog:
        if self._notifier.watchdog < inf:
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not waited for: it may hang where the pipeline does.
        self._ended.set()

    def _watch(self) -> None:
        rest = min(self._notifier.watchdog * SHARE, threading.TIMEOUT_MAX)
        while not self._ended.is_set():
            # A pipeline that is broken, or hangs, says nothing here, and the manager's own clock runs out.
            if self._pipeline.late() < rest:
                self._notifier.alive()
                self._tell(self._pipeline.statistics())
            self._ended.wait(rest)

    def _tell(self, counts: Statistics) -> None:
        words = told(counts)
        if words != self._told:
            self._notifier.status(words)
            self._told = words


def told(counts: Statistics) -> str:
    """The counts in a few words, for `systemctl status`."""
    parts = [f"{_some(counts.lines_in, 'line')} in", f"{_some(counts.sent, 'mail')} sent"]
    if held := counts.lines_held - counts.lines_waiting:
        parts.append(f"{_some(held, 'line')} held")
    if counts.waiting:
        parts.append(f"{_some(counts.waiting, 'mail')} waiting")
    if counts.dead:
        parts.append(f"{counts.dead} undeliverable")
    return ", ".join(parts)


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
