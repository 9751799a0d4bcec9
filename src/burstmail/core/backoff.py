"""Failures in a row -> seconds to rest."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from .kinds import numbers, seconds


def check_growth(name: str, first: float, factor: float, longest: float) -> None:
    """Intervals that grow from first to longest seconds. Raises ValueError if they do not."""
    seconds(name, first=first, longest=longest)
    numbers(name, factor=factor)
    if not 0.001 <= first < inf:
        raise ValueError(f"{name}(first={first!r}): must be 0.001 seconds or more, and finite")
    if not 1 <= factor < inf:
        raise ValueError(f"{name}(factor={factor!r}): must be 1 or more, and finite")
    if not first <= longest < inf:
        raise ValueError(f"{name}(longest={longest!r}): must be at least first={first!r}, and finite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long a destination rests after temporary errors, in seconds."""

    # 30 s doubling to 30 min: the shape of Postfix's minimal_backoff_time and maximal_backoff_time, quicker at first.
    first: float = 30.0
    factor: float = 2.0
    longest: float = 1800.0

    def __post_init__(self) -> None:
        check_growth("Backoff", self.first, self.factor, self.longest)

    def delay(self, failures: int, jitter: float = 0.0) -> float:
        """Seconds to rest after so many failures in a row; jitter from 0 to 1 takes off up to a quarter."""
        # Past 64 doublings the result is `longest` whatever the factor, and the power would overflow.
        wait = min(self.longest, self.first * self.factor ** min(failures - 1, 64))
        return max(0.001, wait * (1 - jitter / 4))
