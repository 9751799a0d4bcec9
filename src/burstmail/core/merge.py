"""Shapes -> templates. The second look: shapes that differ in a name or two become one.

First the places that hold a mark or the form of a name (a path, a host, `root_domain`): shapes alike but for these are
one. Then places of plain words: shapes alike but for one of them are one if there is reason to think that it names
somebody or something: the word before it says so, or many words take turns there. Words that tell what happened never
do. Deterministic; time grows with the sum of the shapes' lengths (and the square of their words, of which 40 count).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from .contrast import partly_telling, telling
from .masks import MARKS, VALUE

# Words and what separates them, by turns; words stand at the even places.
Tokens: TypeAlias = tuple[str, ...]

# The full stop separates where it ends a word, and dots that lead to a value (".....0").
_SEPARATORS = re.compile(r"((?:[\s=:,;()\[\]{}|\"'!?<>]|\.(?=[.\s]|\Z)|(?<=\.)\.)++)")
_MARK = re.compile(f"[{''.join(MARKS)}]")
_PATH = re.compile(r"~?/|\\|[^/]*+/[^/]*+/")
_NAME = re.compile(r"[\w@~.+%#$*\\/-]*[_./@\\]")
# isReady, java.io.EOFException: the program's own names, which say what happened.
_CODE = re.compile(r"[a-z][A-Z]|\.[A-Z]")
# What stands between the members of a list, or ends a group of them.
_LIST = re.compile(r"[>)\]}]?[,;|:]? ?\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*+\Z")

# How many words have to take turns at a place before it is taken for a name: 2 where the word before it announces a
# name, 3 where it may, 6 anywhere else. What follows `=` or `:` is more often a state than a name.
NAMED, MAYBE, ANYWHERE = 2, 3, 6
_NAMED = frozenset("user username account ruser login".split())
# One word between two of these is a name: "for root from".
_LINKS = frozenset("for by from on of via to in at with".split())
_MAYBE = frozenset(
    """
    for by from on of via to host hostname node device dev disk drive interface iface domain file directory module
    process program service unit job task session name server client peer group container image volume partition table
    database queue channel bus vlan bridge filesystem driver pool zone comm
    """.split()
)
_ANNOUNCING = _NAMED | _MAYBE
# More words than that, and only masks and names are looked at.
_LONGEST = 40
_SUBJECT = 2


@lru_cache(maxsize=8192)
def kind(word: str) -> str:
    """What a word is: mark, name, word or telling; "" for none, and for what is neither (`***`)."""
    if _MARK.search(word):
        rest = _MARK.sub("", word)
        return "telling" if "." not in rest and "/" not in rest and partly_telling(rest) else "mark"
    if _PATH.match(word):
        return "name"
    if telling(word):
        return "telling"
    if _WORD.match(word) or _CODE.search(word):
        return "word"
    return "name" if _NAME.match(word) else ""


def split(shape: str) -> Tokens:
    """The shape's words and separators; what is repeated and varies (a list of numbers, of blocks) stands once."""
    tokens = _SEPARATORS.split(shape)
    out: list[str] = []
    at = 0
    while at < len(tokens):
        size, times = _repeated(tokens, at)
        # The separator that follows is the one after the last of them.
        out += [*tokens[at : at + size - 1], *tokens[at + size * times - 1 : at + size * times]]
        at += size * times
    return tuple(out)


def _repeated(tokens: list[str], at: int) -> tuple[int, int]:
    """How many tokens, words with their separators, are repeated from here on, and how often."""
    for size in (2, 4, 6):
        *unit, between = tokens[at : at + size] if at + 2 * size - 1 <= len(tokens) else [""]
        if not _LIST.match(between) or not _MARK.search("".join(unit)):
            continue
        times, place = 1, at + size
        while tokens[place : place + size - 1] == unit and tokens[place - 1] == between:
            times, place = times + 1, place + size
        if times > 1:
            return size, times
    return 2, 1


def _loose(tokens: Tokens) -> Tokens:
    """With a blank where a mark or a name stands. The subject of a message is no blank, unless it is masked."""
    return tuple(
        VALUE if not at % 2 and ((what := kind(token)) == "mark" or (what == "name" and at > _SUBJECT)) else token
        for at, token in enumerate(tokens)
    )


def merged(shapes: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """For each shape, in the same order, its template and the name that it has at the one place that varies.

    Shapes with the same template are one pattern. The name is None if no place or more than one varies, or if the names
    are masked themselves; it is '' for a shape that has no name there because it is such a template already.
    """
    groups: defaultdict[Tokens, list[Tokens]] = defaultdict(list)
    split = {shape: _tokens(shape) for shape in shapes}
    for tokens in split.values():
        groups[_loose(tokens)].append(tokens)
    families: defaultdict[Tokens, list[Tokens]] = defaultdict(list)
    for loose, target in _joined(groups).items():
        families[target] += groups[loose]
    found: dict[Tokens, tuple[str, str | None]] = {}
    for family in families.values():
        found.update(_template(family))
    return {shape: found[tokens] for shape, tokens in split.items()}


def _tokens(shape: str) -> Tokens:
    """The program first, and then the message: `_SUBJECT` is the place of its first word."""
    program, _, message = shape.rpartition("\n")
    return (program, "\n", *split(message))


def _template(family: list[Tokens]) -> dict[Tokens, tuple[str, str | None]]:
    columns = [set(column) for column in zip(*family, strict=True)]
    pieces = [next(iter(column)) if len(column) == 1 else VALUE for column in columns]
    template = "".join(pieces).removeprefix("\n")
    varying = [place for place, column in enumerate(columns) if VALUE in column or len(column) > 1]
    if len(varying) != 1 or any(_MARK.search(word) for word in columns[varying[0]] - {VALUE}):
        return dict.fromkeys(family, (template, None))
    return {tokens: (template, tokens[varying[0]].strip(VALUE)) for tokens in family}


def _joined(loose: Iterable[Tokens]) -> dict[Tokens, Tokens]:
    """Where each goes when those that differ in names only are one."""
    target = {tokens: tokens for tokens in loose}
    # First all places at once that are announced, then one place after the other: three rounds, for what has become
    # alike in one may be joined in the next.
    for moves_of in (_announced, _moves, _moves, _moves):
        moves = moves_of(dict.fromkeys(target.values()))
        target = {tokens: moves.get(now, now) for tokens, now in target.items()}
    return target


def _announced(loose: Iterable[Tokens]) -> dict[Tokens, Tokens]:
    """Those that differ where the word before announces a name: a user and a host, say."""
    families: defaultdict[Tokens, list[Tokens]] = defaultdict(list)
    for tokens in loose:
        families[_unnamed(tokens)].append(tokens)
    moves: dict[Tokens, Tokens] = {}
    for family in families.values():
        columns = {at: words for at, words in enumerate(map(set, zip(*family, strict=True))) if len(words) > 1}
        first = family[0]
        names = {at: _names(words, _need(at, first)) for at, words in columns.items()}
        rest = tuple(token for at, token in enumerate(first) if at not in names)
        if all(names.values()) and _says(rest):
            going = [tokens for tokens in family if all(tokens[at] in found for at, found in names.items())]
            template = tuple(VALUE if at in names else token for at, token in enumerate(first))
            moves.update(dict.fromkeys(going, template))
    return moves


def _unnamed(tokens: Tokens) -> Tokens:
    """With a blank at each place that is announced."""
    out = list(tokens)
    for at in range(_SUBJECT + 2, len(tokens), 2):
        # A name announces nothing ("user from from"), and what announces is no name unless it stands for one ("for user
        # root", but "user user").
        need = _need(at, tokens) if out[at - 2] != VALUE else ANYWHERE
        if need < ANYWHERE and kind(out[at]) and (need == NAMED or out[at].lower() not in _ANNOUNCING):
            out[at] = VALUE
    return tuple(out)


def _moves(loose: Iterable[Tokens]) -> dict[Tokens, Tokens]:
    """Those that differ in one word."""
    places: defaultdict[tuple[int, Tokens], dict[str, Tokens]] = defaultdict(dict)
    for tokens in loose:
        if len(tokens) <= 2 * _LONGEST:
            for at in range(_SUBJECT, len(tokens), 2):
                if kind(tokens[at]):
                    places[at, tokens[:at] + tokens[at + 1 :]][tokens[at]] = tokens
    moves: dict[Tokens, Tokens] = {}
    # Where most words take turns first: it is the surest.
    for (at, rest), found in sorted(places.items(), key=lambda place: -len(place[1])):
        if len(found) < 2:
            break
        names = _names(set(found), _need(at, rest, 0)) if _says(rest) else set()
        going = [tokens for word, tokens in found.items() if word in names]
        if len(going) > 1 and not any(tokens in moves for tokens in going):
            moves.update(dict.fromkeys(going, (*rest[:at], VALUE, *rest[at:])))
    return moves


def _names(words: set[str], need: int) -> set[str]:
    """Those of the words at one place that name somebody or something, if so many of them do."""
    silent = {word for word in words if kind(word) != "telling"}
    # What varies there in form already makes it likelier.
    if len(silent) + (MAYBE if VALUE in words else 0) < need:
        return set()
    # Among many names, one that happens to be a word is a name: users called info, test, up.
    return words if need < ANYWHERE <= len(silent) else silent


def _says(rest: Tokens) -> bool:
    """Whether what is left still says something."""
    return sum(len(token) > 1 and kind(token) in ("word", "telling") for token in rest[_SUBJECT:]) >= 2


def _need(at: int, tokens: Tokens, after: int = 1) -> int:
    """How many words have to take turns at that place; `after` it stands what follows, or there where it is left out."""
    before, separator = tokens[at - 2].lower(), tokens[at - 1]
    following = tokens[at + after : at + after + 2]
    # Alone in brackets: "(root) CMD".
    if separator[-1:] in ("(", "[") and following and following[0][:1] in (")", "]"):
        return MAYBE
    # The subject of a message: what is said of six may be six things.
    if at == _SUBJECT:
        return 2 * ANYWHERE
    if "=" in separator or ":" in separator:
        return ANYWHERE
    if before in _NAMED or (before in _LINKS and following[1:] and following[1] in _LINKS):
        return NAMED
    return MAYBE if before in _MAYBE else ANYWHERE
