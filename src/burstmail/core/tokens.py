"""Shape -> tokens. The words of a shape, what separates them, and what each of them is.

A list of what varies stands once, however long it is. Time grows with the length of the shape.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from .contrast import partly_telling, telling
from .masks import MARKS

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

# How many words have to take turns at a place before it is taken for a name.
NAMED, MAYBE, ANYWHERE = 2, 3, 6
# What announces somebody.
_PERSONS = frozenset(["user", "username", "account", "ruser", "login"])
# What announces somebody, or something, or nothing at all.
_THINGS = """
    for by from on of via to host hostname node device dev disk drive interface iface domain file directory module
    process program service unit job task session name server client peer group container image volume partition table
    database queue channel bus vlan bridge filesystem driver pool zone comm
"""
_MAYBE = frozenset(_THINGS.split())
ANNOUNCING = _PERSONS | _MAYBE
# The place of a message's first word; before it stands the program.
SUBJECT = 2


def is_masked(word: str) -> bool:
    """Whether a part of the word is masked."""
    return _MARK.search(word) is not None


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
    if not is_masked(shape):
        return tuple(tokens)
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


def need(at: int, tokens: Tokens, after: int = 1) -> int:
    """How many words have to take turns at place `at`: NAMED, MAYBE, ANYWHERE, or twice that.

    Only its neighbours are looked at: the next is `after` places on, 0 where the word itself is left out.
    """
    before, separator = tokens[at - 2].lower(), tokens[at - 1]
    behind, following = (*tokens[at + after : at + after + 2], "", "")[:2]
    # Alone in brackets: "(root) CMD".
    if separator[-1:] in ("(", "[") and behind[:1] in (")", "]"):
        return MAYBE
    # The subject of a message: what is said of six may be six things.
    if at == SUBJECT:
        return 2 * ANYWHERE
    # More often a state than a name.
    if "=" in separator or ":" in separator:
        return ANYWHERE
    # "invalid user root", "password for root from".
    if before in _PERSONS or (before in ("for", "by") and following in ("from", "on", "by", "at", "via")):
        return NAMED
    return MAYBE if before in _MAYBE else ANYWHERE
