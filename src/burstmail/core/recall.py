"""Stages <-> State. What survives of a flow's stages, each for itself, and what happens to a state that fits none.

Other parameters do not make a state unfit. One of another version, or of a stage that is no longer there, is salvaged:
its lines come back as one burst. Never raises, whatever the state is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import dumps
from math import inf, isfinite
from typing import Any, Protocol

from ..errors import StateMismatch
from .path import Path
from .stage import Stage, State, opened


class Loads(Protocol):
    """What can take over a state."""

    @property
    def deadline(self) -> float:
        """When it is due."""
        ...

    @property
    def held(self) -> int:
        """Lines that it holds."""
        ...

    def dump(self) -> State:
        """All that it remembers."""
        ...

    def load(self, state: State) -> None:
        """Become what was dumped."""
        ...


def snapshot(stages: Sequence[Stage[Any, Any]], paths: Mapping[str, Path], echo: Loads) -> State:
    """All but the messages that wait, stage by stage."""
    ways = [[name, _dumps(path.stages), path.dump()] for name, path in paths.items()]
    return ["stages", 1, echo.dump(), _dumps(stages), ways]


def _dumps(parts: Sequence[Loads]) -> list[State]:
    return [part.dump() for part in parts]


def recall(state: State, stages: Sequence[Stage[Any, Any]], paths: Mapping[str, Path], echo: Loads) -> list[State]:
    """Give every part its state, and return what fits none. A path that is new gets what one that has gone leaves."""
    try:
        parts, shared, ways = opened(state, "stages", 3)
        known = {name: (kept, rest) for name, kept, rest in ways}
        kept = list(shared)
    except (StateMismatch, TypeError, ValueError):
        return [state]
    left = [] if loaded(echo, parts) else [parts]
    left += _fit(stages, kept)
    for name, path in paths.items():
        own, rest = known.pop(name, ([], None))
        left += _fit(path.stages, own)
        left += [] if rest is None or loaded(path, rest) else [rest]
    return left + [gone for gone, _ in known.values()]


def _fit(stages: Sequence[Loads], states: Any) -> list[State]:
    """Each stage takes the first state that it understands; what is left over."""
    if not isinstance(states, list):
        return [states]
    left = list(states)
    for stage in stages:
        for place, state in enumerate(left):
            if loaded(stage, state):
                del left[place]
                break
    return left


def loaded(part: Loads, state: State) -> bool:
    """Whether the part has taken the state; if not, it is as it was."""
    before = part.dump()
    try:
        part.load(state)
        # One that loads whatever it is given stumbles over it later.
        if not (part.deadline >= -inf and part.held >= 0 and dumps(part.dump())):
            raise StateMismatch("no state of this stage")
    except Exception:  # a state can be wrong in any way, and so can a stage of a user's own
        part.load(before)
        return False
    return True


def pair_of(state: State) -> tuple[float, float] | None:
    """The core's time and the wall time of a state; None when it is none of ours."""
    # Before there were sources with positions, it had four parts.
    if not isinstance(state, list) or len(state) not in (4, 5) or state[0] != 1:
        return None
    fits = all(type(value) in (int, float) and isfinite(value) for value in state[1:3])
    return (float(state[1]), float(state[2])) if fits else None
