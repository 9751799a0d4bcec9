"""Stages -> where each belongs: in front of the routes, in a route and shared by all destinations, or one's own.

What stands from the caps on belongs to a destination: each has its own, so that one that is down neither delays nor
repeats the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from .chain import Joined
from .route import Routes
from .stage import Instant, Pausable, Stage

Stages: TypeAlias = list[Stage[Any, Any]]


def laid(given: Sequence[Stage[Any, Any]]) -> tuple[Stages, Routes | None, dict[str, tuple[Stages, Stages]]]:
    """What stands in front, the routes if there are any, and by each route's name what it shares, and what it does not.

    Without routes, all stages are those of one without a name. Raises ValueError when something follows the routes.
    """
    stages = _flat(given)
    for place, stage in enumerate(stages):
        if isinstance(stage, Routes):
            if after := stages[place + 1 :]:
                raise ValueError(f"{type(after[0]).__name__} after Routes: put it into each Route")
            return stages[:place], stage, {route.name: _split(_flat(route.stages)) for route in stage.routes}
    return [], None, {"": _split(stages)}


def _flat(given: Sequence[Stage[Any, Any]]) -> Stages:
    return [part for stage in given for part in _parts(stage)]


def _parts(stage: Stage[Any, Any]) -> list[Stage[Any, Any]]:
    if isinstance(stage, type) or not hasattr(stage, "feed"):
        raise TypeError(f"stage {stage!r}: must be one that is made, as Aggregator()")
    return [*_parts(stage.first), *_parts(stage.second)] if isinstance(stage, Joined) else [stage]


def _split(stages: Stages) -> tuple[Stages, Stages]:
    """The stages that all destinations share, and those that each has for itself: from the caps on.

    Without caps, the stages at the end that hold nothing.
    """
    for place, stage in enumerate(stages):
        if isinstance(stage, Pausable):
            return stages[:place], stages[place:]
    place = len(stages)
    while place and isinstance(stages[place - 1], Instant):
        place -= 1
    return stages[:place], stages[place:]
