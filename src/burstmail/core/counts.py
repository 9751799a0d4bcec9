"""A flow's parts -> Statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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


# What goes on adding up where one flow takes another's place; the rest tells how things are now.
_SUMS = (
    "lines_out",
    "lines_own",
    "lines_refused",
    "lines_below",
    "lines_left_out",
    "bursts",
    "sent",
    "deferred",
    "dead",
)


def continued(now: Statistics, before: Statistics) -> Statistics:
    """The counts of a flow that has taken over what another, which had counted so far, held."""
    sums = {name: getattr(before, name) + getattr(now, name) for name in _SUMS}
    taken = {route.name: (route.lines_in, route.bursts) for route in before.routes}
    routes = [(route, *taken.get(route.name, (0, 0))) for route in now.routes]
    return replace(
        now,
        **sums,
        # What was held is counted again as taken in.
        lines_in=before.lines_in - before.lines_held + now.lines_in,
        routes=tuple(
            replace(route, lines_in=route.lines_in + lines, bursts=route.bursts + bursts)
            for route, lines, bursts in routes
        ),
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
