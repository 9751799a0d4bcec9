"""Burst -> Burst. How what wrote the lines ended: written on each burst of a run, and whether it is mailed at all.

A run is over when somebody says how (`Run.end`); what comes out before that is of an earlier run, whose end nobody has
seen, or of one that goes on. A failure that has said nothing is a burst all the same, of no lines. What a success says
may be unwanted; it is held back until the end then, folded, and counted as `refused`. Limits: those of `fold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import Any

from ..clock import Clock
from ..core.excerpt import Excerpt
from ..core.fold import dump_burst, fold, restored_burst
from ..core.layout import laid
from ..core.model import Burst, CloseReason
from ..core.route import Route, Routes
from ..core.stage import Stage, State, opened
from ..stores import new_epoch

UNSEEN = "end not seen"
RUNNING = "still running"
STOPPED = "These lines are of an earlier run that was killed, or lost its machine, before it could tell how it ended."


class Phase(Enum):
    """Where a run is."""

    BEFORE = "what comes out is an earlier run's"
    RUNNING = "it goes on"
    DONE = "it has succeeded"
    FAILED = "it has failed"


@dataclass(slots=True, kw_only=True)
class Run:
    """What the verdicts of all routes know of what writes the lines."""

    name: str
    """Where the lines are from, for a subject; '' for nowhere."""
    ran: str = ""
    """The command."""
    only_if_failed: bool = False
    """Whether what a success says is unwanted."""
    phase: Phase = Phase.BEFORE
    outcome: str = ""
    told: int = 0
    """Bursts since its end."""

    def end(self, outcome: str, *, failed: bool) -> None:
        """It has ended."""
        self.outcome, self.phase = outcome, Phase.FAILED if failed else Phase.DONE

    def on(self, burst: Burst) -> Burst:
        """The burst with what is known of its run."""
        own = ((self.name, burst.count),) if self.name else ()
        burst = replace(burst, sources=burst.sources or own)
        if self.phase is Phase.BEFORE:
            # Whatever has closed the window now: more will not come.
            return replace(burst, outcome=UNSEEN, reason=CloseReason.END, notes=(*burst.notes, STOPPED))
        if self.phase is Phase.RUNNING:
            return replace(burst, ran=self.ran, outcome=RUNNING)
        self.told += 1
        return replace(burst, ran=self.ran, outcome=self.outcome, failed=self.phase is Phase.FAILED)


class Verdict:
    """The stage behind the windows. The one that is `last` tells of a failure for which there are no lines."""

    def __init__(self, run: Run, clock: Clock, *, last: bool = True) -> None:
        self._run = run
        self._clock = clock
        self._last = last
        self._held: Burst | None = None
        self.refused = 0
        """Lines of successes that nobody wants."""

    @property
    def deadline(self) -> float:
        """Never."""
        return inf

    @property
    def held(self) -> int:
        """Lines that wait for the end."""
        return self._held.count if self._held else 0

    def feed(self, item: Burst, now: float) -> Sequence[Burst]:
        """The burst, or nothing yet."""
        if not self._run.only_if_failed:
            return [self._run.on(item)]
        self._held = fold(self._held, item) if self._held else item
        return []

    def poll(self, now: float) -> Sequence[Burst]:
        """Nothing is ever due."""
        return []

    def flush(self, now: float) -> Sequence[Burst]:
        """What an earlier run has left; of this one, nothing before its end."""
        return self._released() if self._run.phase is Phase.BEFORE else []

    def drain(self, now: float) -> Sequence[Burst]:
        """What has been held back, if it is wanted."""
        if self._run.phase is Phase.DONE and self._held:
            self.refused += self._held.count
            self._held = None
        out = self._released()
        if self._last and self._run.phase is Phase.FAILED and not self._run.told:
            out.append(self._run.on(self._silent()))
        return out

    def _released(self) -> list[Burst]:
        burst, self._held = self._held, None
        return [self._run.on(burst)] if burst else []

    def _silent(self) -> Burst:
        """No lines, and yet a mail: under a name of its own, since no read has given it one."""
        time = self._clock.time()
        return Burst(
            key="",
            excerpt=Excerpt.of(()),
            first=time,
            last=time,
            closed=time,
            time=time,
            reason=CloseReason.END,
            epoch=new_epoch(),
            seq=0,
            gone=0,
        )

    def dump(self) -> State:
        """What is held back."""
        return ["verdict", 1, dump_burst(self._held) if self._held else None]

    def load(self, state: State) -> None:
        """The dumped burst."""
        (held,) = opened(state, "verdict", 1)
        self._held = restored_burst(held) if held else None


def judged(stages: Sequence[Stage[Any, Any]], run: Run, clock: Clock) -> list[Stage[Any, Any]]:
    """The stages with a verdict behind the windows, in front of caps and mails; in each route, if there are routes."""
    front, routes, lanes = laid(stages)
    if routes is None:
        own, rest = lanes[""]
        return [*own, Verdict(run, clock), *rest]
    made = []
    for route in routes.routes:
        own, rest = lanes[route.name]
        verdict = Verdict(run, clock, last=route is routes.routes[-1])
        made.append(Route(route.filter, *own, verdict, *rest, name=route.name))
    return [*front, Routes(*made, every=routes.every)]
