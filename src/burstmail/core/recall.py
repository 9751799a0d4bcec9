"""Stages <-> State. What survives of a flow's stages, each for itself, and what happens to a state that fits none.

Other parameters do not make a state unfit. One of another version, or of a stage that is no longer there, is salvaged:
its lines come back as one burst. Never raises, whatever the state is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from json import dumps
from math import inf, isfinite
from typing import Any, NamedTuple, Protocol

from ..errors import StateMismatch
from .heads import Heads
from .model import Batch, Burst
from .path import Path
from .salvage import salvaged, waiting
from .stage import State, opened


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


class Left(NamedTuple):
    """A state that fits no stage."""

    route: str
    recipients: tuple[str, ...]
    """To whom the mails of that route went."""
    state: State


class Stray(NamedTuple):
    """Lines that have lost their place in the stages."""

    burst: Burst
    recipients: tuple[str, ...]


def snapshot(heads: Heads, paths: Mapping[str, Path], echo: Loads) -> State:
    """All but the messages that wait, stage by stage."""
    first = next(iter(paths.values()))
    lanes = [[name, _dumps(own), list(first.lanes[name].recipients)] for name, own in heads.lanes.items()]
    ways = [
        [name, [[route, _dumps(lane.stages)] for route, lane in path.lanes.items()], path.dump()]
        for name, path in paths.items()
    ]
    return ["stages", 2, echo.dump(), _dumps(heads.front), lanes, ways]


def _dumps(parts: Sequence[Loads]) -> list[State]:
    return [part.dump() for part in parts]


def recall(state: State, heads: Heads, paths: Mapping[str, Path], echo: Loads) -> list[Left]:
    """Give every part its state, and return what fits none. A path that is new gets what one that has gone leaves:
    that is mostly the same one under another name. How the gone one's deliveries went is no news of the new one.
    """
    try:
        parts, front, lanes, ways = _told(state)
        to = {name: tuple(map(str, recipients)) for name, _, recipients in lanes}
        kept = {name: dict(own) for name, own, _ in ways}
        rests = {name: rest for name, _, rest in ways}
    except (StateMismatch, TypeError, ValueError):
        return [Left("", (), state)]
    before, new = [name for name in kept if name not in paths], [name for name in paths if name not in kept]
    for old, name in zip(before, new, strict=False):
        kept[name] = kept.pop(old)
    left = [] if loaded(echo, parts) else [("", parts)]
    left += [("", one) for one in _fit(heads.front, front)]
    left += [(name, one) for name, own, _ in lanes for one in _fit(heads.lanes.get(name, ()), own)]
    for name, path in paths.items():
        own = kept.pop(name, {})
        left += [(route, one) for route, lane in path.lanes.items() for one in _fit(lane.stages, own.pop(route, []))]
        left += [] if name not in rests or loaded(path, rests[name]) else [("", rests[name])]
        left += list(own.items())
    left += [gone for own in kept.values() for gone in own.items()]
    return [Left(str(route), to.get(route, ()), one) for route, one in left]


def _told(state: State) -> list[Any]:
    """The parts of a snapshot; of an earlier version, too, that knew of no routes."""
    if isinstance(state, list) and state[1:2] == [1]:
        parts, shared, ways = opened(state, "stages", 3)
        return [parts, [], [["", shared, []]], [[name, [["", own]], rest] for name, own, rest in ways]]
    return opened(state, "stages", 4, version=2)


def parted(state: State) -> list[Left]:
    """All parts of a driver's state in which lines may wait, as if nothing of it fitted."""
    try:
        # A driver's state has a flow's in the fourth place, and that has the stages' in the fifth.
        _, front, lanes, ways = _told(state[3][4])
        to = {str(name): tuple(map(str, recipients)) for name, _, recipients in lanes}
        left = [("", front), *((str(name), own) for name, own, _ in lanes)]
        left += [(str(route), one) for _, own, _ in ways for route, one in own]
    except (StateMismatch, TypeError, ValueError, LookupError):
        return [Left("", (), state)]
    return [Left(route, to.get(route, ()), one) for route, one in left]


def strays(left: Sequence[Left], now: float, judge: Callable[[Batch], list[Stray]] | None = None) -> list[Stray]:
    """What can be read of them, one burst for each route. Never raises.

    `judge` is asked by which routes lines come that waited in front of them; None where there are no routes.
    """
    to = {one.route: one.recipients for one in left}
    found: list[Stray] = []
    for name in to:
        states = [one.state for one in left if one.route == name]
        asks = judge if not name and not to[name] else None
        bursts = salvaged(states, now, name, batches=asks is None)
        found += [Stray(burst, to.get(burst.route, ())) for burst in bursts]
        found += [stray for batch in waiting(states) for stray in asks(batch)] if asks else []
    return found


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
