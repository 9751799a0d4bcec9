"""A flow's parts -> Statistics."""

from __future__ import annotations

from collections.abc import Sequence

from .heads import Heads
from .path import Path
from .statistics import RouteStatistics, Statistics


def counts(heads: Heads, paths: Sequence[Path], *, taken: int, own: int) -> Statistics:
    """The counts now: `taken` lines have come, `own` of them about burstmail's own mail."""
    boxes = [path.outbox for path in paths]
    return Statistics(
        lines_in=taken,
        lines_held=sum(heads.held + path.held for path in paths),
        lines_waiting=sum(box.held for box in boxes),
        lines_out=sum(box.lines_out for box in boxes),
        lines_own=own,
        lines_refused=heads.ended("refused"),
        lines_below=heads.ended("below"),
        lines_left_out=sum(path.left_out for path in paths),
        bursts=sum(path.bursts for path in paths),
        sent=sum(box.sent for box in boxes),
        deferred=sum(box.deferred for box in boxes),
        dead=sum(box.dead for box in boxes),
        waiting=sum(box.waiting for box in boxes),
        routes=tuple(_of(name, heads, paths) for name in heads.lanes if name),
    )


def ended(heads: Heads) -> int:
    """Lines that are in no mail, and will be in none."""
    return heads.ended("refused") + heads.ended("below")


def _of(route: str, heads: Heads, paths: Sequence[Path]) -> RouteStatistics:
    lanes = [path.lanes[route] for path in paths]
    return RouteStatistics(
        name=route,
        lines_in=heads.taken[route],
        lines_held=sum(heads.held_by(route) + lane.held for lane in lanes),
        bursts=sum(lane.bursts for lane in lanes),
    )
