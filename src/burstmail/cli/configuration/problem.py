"""What is wrong with a configuration: which file, which line, what, and what to do. All of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..channel import visible
from ..options import Misuse
from .positions import Place

# A file may hold a mebibyte of one word.
LONGEST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. Its text is `FILE:LINE: words`, one line of visible characters."""

    path: str
    """The file, as it was named; empty for the command line."""
    line: int | None
    """From 1; None where it is about the whole."""
    place: Place = ()
    """The key it is about, with those above it; empty for none."""
    words: str
    """What is wrong, and what to do."""

    def __str__(self) -> str:
        words = self.words if len(self.words) <= LONGEST else f"{self.words[: LONGEST - 1]}…"
        before = [self.path, str(self.line)] if self.line is not None and self.path else [self.path]
        return visible(": ".join(filter(None, (":".join(before), words))))


class Invalid(Misuse):
    """A configuration that cannot be used; `problems` are all there are, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.path, problem.line or 0)))
        super().__init__("; ".join(map(str, self.problems[:3])) + _more(len(self.problems) - 3))


def _more(count: int) -> str:
    return f"; and {count} more" if count > 0 else ""
