"""Text -> whether it is meant. Names as people write them: `*` stands for any characters, `?` for one.

Case matters. Limits: time grows with text times pattern at most, since what a `*` has skipped is not tried again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from re import escape


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text is one of these."""
    plain = frozenset(pattern for pattern in patterns if not _wild(pattern))
    others = [re.compile(_expression(pattern), re.DOTALL) for pattern in patterns if _wild(pattern)]
    if not others:
        return plain.__contains__
    return lambda text: text in plain or any(other.fullmatch(text) for other in others)


def fixed(pattern: str) -> str:
    """The longest text that all it stands for have in them."""
    return max(re.split(r"[*?]", pattern), key=len)


def _wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _expression(pattern: str) -> str:
    first, *rest = ("".join("." if sign == "?" else escape(sign) for sign in part) for part in pattern.split("*"))
    if not rest:
        return first
    # Each part between two stars is taken at the first place that fits, and no other: a later one could not help.
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    return f"{first}{middle}.*{rest[-1]}"
