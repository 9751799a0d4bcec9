"""Templates -> fewer templates. Those that differ in several places at once become one.

Templates with the same frame (separators, first word, words that tell) are taken together. If at each place that
differs enough speaks for names they are one; else they are parted by the place where most is lacking, and so on.
Limits: parted twelve times. Time grows with the sum of the templates' lengths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .masks import VALUE
from .reasons import ANYWHERE, NAMED, is_value, lack, need, says
from .tokens import SUBJECT, Tokens, kind

_DEEPEST = 12
_FLAGS = frozenset(["true", "false", "yes", "no"])


def alike(templates: Iterable[Tokens], known: frozenset[str]) -> dict[Tokens, Tokens]:
    """Where each of them goes that goes anywhere. Words that are `known` to be names need less to be taken for some."""
    frames: defaultdict[Tokens, list[Tokens]] = defaultdict(list)
    for tokens in templates:
        frames[_frame(tokens)].append(tokens)
    moves: dict[Tokens, Tokens] = {}
    waiting = [(group, 0) for group in frames.values()]
    while waiting:
        group, depth = waiting.pop()
        if len(group) < 2 or depth > _DEEPEST:
            continue
        columns = {at: words for at, words in enumerate(map(set, zip(*group, strict=True))) if len(words) > 1}
        weakest = _weakest(group[0], columns, known)
        if weakest is None:
            target = tuple(VALUE if at in columns else token for at, token in enumerate(group[0]))
            moves.update(dict.fromkeys(group, target))
        else:
            waiting += [(part, depth + 1) for part in _parted(group, weakest)]
    return moves


def _frame(tokens: Tokens) -> Tokens:
    """With a blank at each place that may hold a name."""
    return tuple("" if at > SUBJECT and not at % 2 and _open(at, tokens) else token for at, token in enumerate(tokens))


def _open(at: int, tokens: Tokens) -> bool:
    word = tokens[at]
    if kind(word) == "telling":
        return word in _FLAGS and is_value(at, tokens)
    return word == "-" or kind(word) != ""


def _parted(group: list[Tokens], at: int) -> list[list[Tokens]]:
    """By the word at a place."""
    parts: defaultdict[str, list[Tokens]] = defaultdict(list)
    for tokens in group:
        parts[tokens[at]].append(tokens)
    return list(parts.values())


def _weakest(tokens: Tokens, columns: dict[int, set[str]], known: frozenset[str]) -> int | None:
    """The place where most is lacking for names; None if nothing is."""
    said = says(token for at, token in enumerate(tokens) if at >= SUBJECT and at not in columns)
    # One flag that differs may be what it is about; of several each is one value of a record, and so are its others.
    flags = [at for at, words in columns.items() if words <= _FLAGS]
    record = sum(is_value(at, tokens) for at in columns) - len(flags) > 1
    lacks = []
    for at, words in columns.items():
        if at in flags:
            missing = 0 if len(flags) > 1 else ANYWHERE
        else:
            missing = lack(words, NAMED if record and is_value(at, tokens) else need(at, tokens, said=said), known)
        lacks.append((missing, -len(words), -at))
    most, _, at = max(lacks)
    return -at if most > 0 or said < max(2, len(columns) // 2) else None
