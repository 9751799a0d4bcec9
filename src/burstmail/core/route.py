"""Batch -> Burst or Message, by route. Each has recipients, windows and caps of its own; their lines never meet.

Limits: none but those of the routes' own stages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from ..errors import StateMismatch
from .admit import Filter
from .chain import chain
from .lines import Lines
from .model import Batch, Burst
from .stage import Instant, Stage, State, opened


class Route:
    """Which lines, and what becomes of them: the stages from Batch to Message (or to Burst, for a CallbackSink).

    `name` tells it from others: in statistics, in a burst (`Burst.route`), and in a store, where what waits of a route
    is found again by it.
    """

    def __init__(self, filter: Filter, *stages: Stage[Any, Any], name: str) -> None:
        if not name:
            raise ValueError("a Route needs a name: what waits in a store is found again by it")
        if any(isinstance(stage, Routes) for stage in stages):
            raise ValueError(
                f"route {name!r}: routes do not stand in a route; put what they have in common in the filter"
            )
        self.filter = filter
        self.stages = stages
        self.name = name


class Routes:
    """Lines to the first route whose filter they pass, or with `every` to each such; the others are `refused`.

    In a Pipeline it is the last stage, and each route's stages go on to the sinks. By itself it is a stage, too.
    Raises ValueError for no routes, and for a name that is there twice.

    >>> from burstmail import Aggregator, Batch, Route, Routes, match
    >>> stage = Routes(
    ...     Route(match(program="kernel"), Aggregator(gap=5), name="kernel"),
    ...     Route(~match(program="cron"), Aggregator(gap=1), name="other"),
    ... )
    >>> _ = stage.feed(Batch.of(["Nov 23 12:00:00 web1 kernel: usb", "Nov 23 12:00:00 web1 sshd[1]: hello"]), 0.0)
    >>> [(burst.route, burst.head) for burst in stage.poll(1.0)]
    [('other', ('Nov 23 12:00:00 web1 sshd[1]: hello',))]
    """

    def __init__(self, *routes: Route, every: bool = False) -> None:
        names = [route.name for route in routes]
        if not routes:
            raise ValueError("Routes: name at least one Route")
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"Routes: two have the name {min(twice)!r}; give each its own")
        self.routes = routes
        self.every = every
        # Lines that came by no route.
        self.refused = 0
        # Lines below a threshold, that came before a batch of which none had a route: the next part tells of them.
        self._below = 0
        self._columns = frozenset[str]().union(*(route.filter.columns for route in routes))
        self._chains: dict[str, Stage[Batch, Any]] = {route.name: _joined(route) for route in routes}

    def split(self, batch: Batch) -> list[tuple[str, Batch]]:
        """The part of each route, with its name. All filters see the batch before anything changes."""
        view = Lines(batch, self._columns)
        rest, below = view.everything, batch.below + self._below
        parts: list[tuple[str, Batch]] = []
        for route in self.routes:
            found = route.filter.lines(view)
            found = found if self.every else view.both(found, rest)
            rest = view.without(rest, found)
            if not view.empty(found):
                # Lines before it that nobody will see are told of once.
                part, told = view.take(found), 0 if parts else below
                parts.append((route.name, replace(part, below=told) if part.below != told else part))
        self._below = 0 if parts else below
        refused = batch.count - sum(part.count for _, part in parts)
        self.refused += refused if not self.every else 0 if view.empty(rest) else view.take(rest).count
        return parts

    def judged(self, batch: Batch) -> list[tuple[str, Batch]]:
        """As `split`, record by record: one that makes a filter raise comes by the route of that filter."""
        found: dict[str, list[str]] = {}
        for record in Lines(batch).records:
            for name in self._names(record):
                found.setdefault(name, []).append(f"{record}\n")
        texts = {name: "".join(records) for name, records in found.items()}
        return [(name, replace(batch, text=text, count=text.count("\n"))) for name, text in texts.items()]

    def coped(self, batch: Batch) -> list[tuple[str, Batch]]:
        """As `judged`, and what `split` counts is counted."""
        self.refused += sum(record.count("\n") + 1 for record in Lines(batch).records if not self._names(record))
        below = batch.below + self._below
        parts = [(name, replace(part, below=0)) for name, part in self.judged(batch)]
        self._below = 0 if parts else below
        return [(name, replace(part, below=below)) for name, part in parts[:1]] + parts[1:]

    def _names(self, record: str) -> list[str]:
        names = [route.name for route in self.routes if _passes(route.filter, record)]
        return names if self.every else names[:1]

    @property
    def deadline(self) -> float:
        """The earliest of all routes."""
        return min((chain.deadline for chain in self._chains.values()), default=inf)

    @property
    def held(self) -> int:
        """Lines held by all routes."""
        return sum(chain.held for chain in self._chains.values())

    def feed(self, item: Batch, now: float) -> Sequence[Any]:
        """`poll(now)`, then each route's lines to its stages."""
        parts = self.split(item)
        out = self.poll(now)
        return out + [made for name, part in parts for made in self._chains[name].feed(part, now)]

    def poll(self, now: float) -> list[Any]:
        """Let time pass, in the order in which things are due."""
        out: list[Any] = []
        while (due := self.deadline) <= now:
            # One that does not move on raises by itself, as every chain does.
            for stage in self._chains.values():
                out += stage.poll(due)
        return out

    def flush(self, now: float) -> list[Any]:
        """Close what is open, route by route."""
        return self._end(now, lambda stage: stage.flush(now))

    def drain(self, now: float) -> list[Any]:
        """Give up everything, route by route."""
        return self._end(now, lambda stage: stage.drain(now))

    def _end(self, now: float, end: Callable[[Stage[Any, Any]], Sequence[Any]]) -> list[Any]:
        out = self.poll(now)
        return out + [made for chain in self._chains.values() for made in end(chain)]

    def dump(self) -> State:
        """The state of each route, by name."""
        return ["routes", 1, [[name, chain.dump()] for name, chain in self._chains.items()]]

    def load(self, state: State) -> None:
        """The dumped routes; all of them, and no others."""
        (rows,) = opened(state, "routes", 1)
        if [name for name, _ in rows] != list(self._chains):
            raise StateMismatch("this is a state of other routes; give it to the stage that dumped it")
        before = self.dump()
        try:
            for name, inner in rows:
                self._chains[name].load(inner)
        except BaseException:
            for name, inner in before[2]:
                self._chains[name].load(inner)
            raise


def _passes(filter: Filter, line: str) -> bool:
    try:
        return filter(line)
    except Exception:  # a user's function: whose line it is nobody knows better than whoever wrote it
        return True


class _Named(Instant[Any, Any]):
    """Writes the route's name on a burst, before a mail is made of it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def feed(self, item: Any, now: float) -> Sequence[Any]:
        return [replace(item, route=self._name) if isinstance(item, Burst) else item]


def _joined(route: Route) -> Stage[Batch, Any]:
    """The route's stages as one; each burst is named as soon as there is one, and again where there is no mail yet."""
    named: list[Stage[Any, Any]] = []
    for stage in route.stages:
        named += [_Named(route.name), stage]
    return chain(*named, _Named(route.name))
