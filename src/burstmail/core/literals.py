"""Expression -> texts. What every match of a regular expression must have in it: most lines have nothing of it, and
looking for that first is many times faster.

It is read off what Python's own parser makes of the expression. That parser is no public part of `re`: if it is gone,
or tells of something unknown, nothing is known of the expression, and all lines are searched.
Limits: 16 texts for one expression; for a longer list of alternatives the looking takes as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

MOST = 16

# What the parser makes of an expression: (name of the kind, its parts), one after another.
_Sequence: TypeAlias = Iterable[tuple[Any, Any]]
_Words: TypeAlias = frozenset[str]

_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


@dataclass(frozen=True, slots=True)
class Literals:
    """What is known of an expression."""

    needed: frozenset[str] | None
    """Every match has one of these in it; None if that cannot be said. In lower case where case does not matter."""
    exact: bool
    """Whether it matches these texts, and no others."""


def literals(pattern: re.Pattern[str]) -> Literals:
    """What every match of the pattern has in it."""
    try:
        sequence = list(import_module("re._parser").parse(pattern.pattern, pattern.flags))
        words = _words(sequence)
        exact = words is not None and all(words)
        needed = words if exact else _needed(sequence)
    except (ImportError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        return Literals(None, False)
    if needed and pattern.flags & re.IGNORECASE:
        # A letter outside ASCII may be one inside, when case does not matter.
        return Literals(frozenset(map(str.lower, needed)) if all(map(str.isascii, needed)) else None, False)
    return Literals(needed, exact)


def _words(sequence: _Sequence) -> _Words | None:
    """All texts that a sequence matches, if they are few."""
    words = frozenset([""])
    for kind, value in sequence:
        more = _one(str(kind), value)
        if more is None or len(words) * len(more) > MOST:
            return None
        words = _followed(words, more)
    return words


def _followed(words: _Words, more: _Words) -> _Words:
    return frozenset(word + other for word in words for other in more)


def _one(kind: str, value: Any) -> _Words | None:
    """All texts that one part of a sequence matches, if they are few."""
    if kind == "LITERAL":
        return frozenset([chr(value)])
    if kind == "IN" and all(str(inner) == "LITERAL" for inner, _ in value):
        return frozenset(chr(code) for _, code in value)
    # What never gives back (`a?+`, `(?>a|ab)`) does not match all that it seems to.
    if kind in ("MAX_REPEAT", "MIN_REPEAT") and value[:2] == (0, 1):
        return None if (words := _words(value[2])) is None else words | {""}
    if kind == "ATOMIC_GROUP" or (branches := _branches(kind, value)) is None:
        return None
    found = [_words(branch) for branch in branches]
    return None if None in found else frozenset[str]().union(*(words for words in found if words))


def _branches(kind: str, value: Any) -> list[_Sequence] | None:
    """The sequences of which one stands at the place; None if there is more to it."""
    if kind == "BRANCH":
        return list(value[1])
    # Where case begins not to matter, letters are no longer what they are.
    if kind == "SUBPATTERN" and not value[1] & re.IGNORECASE:
        return [value[3]]
    return [value] if kind == "ATOMIC_GROUP" else None


def _needed(sequence: _Sequence) -> _Words | None:
    """The best of what every match of the sequence has in it."""
    found: list[_Words] = []
    run = frozenset([""])
    for kind, value in sequence:
        more = _one(str(kind), value)
        if more is not None and len(run) * len(more) <= MOST:
            run = _followed(run, more)
            continue
        found += [run, _inside(str(kind), value) or frozenset([""])]
        run = more if more is not None and len(more) <= MOST else frozenset([""])
    # Long texts are rare, and few are found faster than many.
    best = max([*found, run], key=lambda words: min(map(len, words), default=0) / max(1, len(words)))
    return best if best and all(best) else None


def _inside(kind: str, value: Any) -> _Words | None:
    if kind in _REPEATS and value[0] > 0:
        return _needed(value[2])
    found = [_needed(branch) for branch in _branches(kind, value) or ()]
    union = frozenset[str]().union(*(words for words in found if words))
    return union if found and None not in found and len(union) <= MOST else None
