"""Limits and cool-downs -> the most mails in a time. What a person can count on, however the lines come.

A limit is exact in any window: whoever uses each slot at once, from a start with all of them, has the most. A cool-down
starts again after a quiet as long as its longest rest, so the most is had by whoever is quiet now and then; which is
why the bound is found by trying, and not by following the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from burstmail import CoolDown, Limit

HOUR = 3600.0
# Whoever allows more does not ask for the exact number, which the steps from mail to mail would give.
COUNTED = 10_000
# A clock's own rounding: the mail that is due at the end of the window is not in it.
EDGE = 1e-6


def most(limits: Sequence[Limit], cool: CoolDown | None, within: float = HOUR) -> int | None:
    """Mails at most in any window of so many seconds; None for no bound at all."""
    bounds = [_limited(limits, within)] if limits else []
    if cool:
        bounds.append(_cooled(cool, within))
    return min(bounds, default=None)


def _limited(limits: Sequence[Limit], within: float) -> int:
    bound = min(limit.count * ceil((within - EDGE) / limit.per) for limit in limits)
    if bound > COUNTED:
        return bound
    left: list[float] = []
    while True:
        last = left[-1] if left else 0.0
        due = max([last, *(left[-limit.count] + limit.per for limit in limits if len(left) >= limit.count)])
        if due >= within - EDGE:
            return len(left)
        left.append(due)


def _cooled(cool: CoolDown, within: float) -> int:
    runs = _runs(cool, within)
    # The earliest moment of the first, the second, the third mail ...
    moments: list[float] = []
    while len(moments) <= COUNTED:
        count = len(moments)
        ways = [runs[count]] if count < len(runs) else []
        # As many in one run, then a quiet, and all starts again.
        ways += [
            runs[mails - 1] + cool.longest + moments[count - mails] for mails in range(1, min(len(runs), count) + 1)
        ]
        if min(ways) >= within - EDGE:
            return count
        moments.append(min(ways))
    return ceil((within - EDGE) / cool.first)


def _runs(cool: CoolDown, within: float) -> list[float]:
    """When the mails of a noise leave that does not pause, as long as its rests are shorter than any other's."""
    runs, rest = [0.0], cool.first
    while rest < cool.longest and runs[-1] < within:
        runs.append(runs[-1] + rest)
        rest = min(rest * cool.factor, cool.longest)
    return runs
