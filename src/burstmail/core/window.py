"""Window: when the window of a session closes."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from .kinds import counts, seconds

# Below this a timer measures the scheduler, not the stream.
SHORTEST = 0.001
# Seconds from a window's first urgent line to its end. At once, for a person; and yet what comes with that line comes
# along, and a flood of urgent lines makes five bursts a second and not thousands.
URGENT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a window closes. Durations are seconds."""

    # 5 s: the interval of the shell script this began as (`read -t 5`).
    gap: float = 5.0
    """Quiet after the last line."""
    # 60 s: a stream that never pauses must be mailed too; a quiet gap alone starves (vector#16145).
    max_age: float = 60.0
    """Since the first line."""
    max_lines: int | None = None
    """The window closes with the line that reaches this count; None is no bound."""
    max_bytes: int | None = None
    """The window closes with the line that reaches this size; None is no bound."""

    def __post_init__(self) -> None:
        seconds(gap=self.gap, max_age=self.max_age)
        for name in ("gap", "max_age"):
            if not SHORTEST <= getattr(self, name) < inf:
                raise ValueError(f"{name}={getattr(self, name)!r}: must be {SHORTEST} seconds or more, and finite")
        bounds = {"max_lines": self.max_lines, "max_bytes": self.max_bytes}
        counts(**{name: bound for name, bound in bounds.items() if bound is not None})
