"""State -> state. What older versions have dumped, as it would be dumped today.

Limits: it looks at the shape only; whoever loads it finds out whether it is sound.
"""

from __future__ import annotations

from .stage import State


def session(state: State) -> State:
    """A window of before there were thresholds (version 2), as one of version 3; any other state as it is."""
    if not isinstance(state, list) or state[:2] != ["session", 2] or len(state) != 7:
        return state
    (start, last, first), born, kept, *counts = state[2:]
    return ["session", 3, [start, last, last, first, first], born, kept, [None, 0], *counts]
