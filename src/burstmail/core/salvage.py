"""State -> Burst. What can still be read of a state that fits no stage any more: another version's, or a damaged one.

It looks for the two shapes in which lines wait, an open window and a held burst, wherever they stand, and folds all
into one digest. Never raises, whatever it is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

from .fold import fold, restored_burst
from .model import Batch, Burst, CloseReason
from .session import Session
from .stage import State

# No state of ours is nested deeper than a fifth of this.
DEPTH = 50


def salvaged(state: State, now: float) -> list[Burst]:
    """All lines found, as one burst that leaves at `now`; nothing when there are none."""
    found = sorted(_bursts(state, "", now, DEPTH), key=lambda burst: burst.first)
    return [reduce(fold, found)] if found else []


def as_it_is(batch: Batch, now: float) -> Burst:
    """Lines that no stage could take, as a burst of their own."""
    session = Session()
    session.feed(batch, now)
    return session.close(now, CloseReason.FLUSH)


def _bursts(state: State, key: str, now: float, depth: int) -> Iterator[Burst]:
    if not isinstance(state, list) or not depth:
        return
    if (burst := _held(state) or _open(state, key, now)) is not None:
        yield burst
        return
    # A table of windows has rows of key, serial number, window.
    name = state[0] if state and isinstance(state[0], str) else ""
    for part in state:
        yield from _bursts(part, name, now, depth - 1)


def _held(state: list[State]) -> Burst | None:
    try:
        return _sound(restored_burst(state))
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return None


def _open(state: list[State], key: str, now: float) -> Burst | None:
    if state[:1] != ["session"]:
        return None
    session = Session(key=key)
    try:
        session.load(["session", 1, *state[2:]])
        return _sound(replace(session.close(now, CloseReason.FLUSH), reason=CloseReason.FLUSH))
    except Exception:  # a state can be wrong in any way; what is no window holds no lines
        return None


def _sound(burst: Burst) -> Burst | None:
    times = (burst.first, burst.last, burst.closed, burst.time, burst.waited)
    numbers = all(isinstance(value, int | float) for value in (*times, burst.seq, burst.gone, burst.bursts))
    lines = (*burst.excerpt.head, *burst.excerpt.tail)
    text = all(isinstance(line, str) for line in (burst.key, burst.epoch, *lines))
    return burst if numbers and text and burst.count >= max(1, len(lines)) else None
