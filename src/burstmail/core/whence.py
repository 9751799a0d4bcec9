"""(name, lines), ... -> the same, each name once. Where lines are from, in order of their first.

Limit: so many names as the caller wants; lines of all others are counted together under '', which stands last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Counted: TypeAlias = tuple[tuple[str, int], ...]

# As many files as a mail names, and then some. That a burst is of more is said, and how many lines these have.
MOST = 20


def counted(parts: Iterable[tuple[str, int]], most: int = MOST) -> Counted:
    """The lines of each name; '' stands for those that have none, or one too many."""
    lines: dict[str, int] = {}
    others = 0
    for name, count in parts:
        if name and (name in lines or len(lines) < most):
            lines[name] = lines.get(name, 0) + count
        else:
            others += count
    return (*lines.items(), ("", others)) if others else tuple(lines.items())


def restored(rows: Iterable[tuple[str, int]]) -> Counted:
    """As it was dumped. Raises ValueError or TypeError for what was not."""
    return tuple((str(name), int(count)) for name, count in rows)
