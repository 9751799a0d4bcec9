"""Shape -> tokens. The words of a shape, what separates them, and what each of them is.

A list of what varies stands once, however long it is. Limits: 120 words, the rest counts as one; a word of more than
256 characters is none. Time grows with the length of the shape.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from .contrast import headed, partly_telling, stated, telling
from .masks import JOINT, MARKS, NUMBER
from .meaning import KEPT

# Words and what separates them, by turns; words stand at the even places.
Tokens: TypeAlias = tuple[str, ...]

# The place of a message's first word; before it stands the program.
SUBJECT = 2

_WORDS = 120
_LONGEST = 256

# The full stop separates where it ends a word, and dots that lead to a value (".....0").
_SEPARATORS = re.compile(r"((?:[\s=:,;()\[\]{}|\"'!?<>]|\.(?=[.\s]|\Z)|(?<=\.)\.)++)")
_KEPT = re.compile(f"[{''.join(map(chr, KEPT))}]")
_MARK = re.compile(f"[{''.join(MARKS)}]")
# One name of several words: "the Windows Update service".
_PROPER = re.compile(r"(?<=[a-z] )(?:[A-Z][A-Za-z]{1,30} ){1,6}[A-Z][A-Za-z]{1,30}(?= [a-z])")

_PATH = re.compile(r"\A(?:~?/|\\|[^/]*+/[^/]*+/)")
_NAME = re.compile(r"\A[\w@~.+%#$*\\/-]*[_./@\\]")
_WORD = re.compile(r"\A[A-Za-z][A-Za-z-]*+[$~#*%]?\Z")
# isReady, io.EOFException: the program's own names, which say what happened.
_CODE = re.compile(r"[a-z][A-Z]|\.[A-Z]")
# CONTAINER_LAUNCH: codes do so too.
_CONSTANT = re.compile(r"\A[A-Z]++(?:_[A-Z]++)++\Z")
# org.example.Class, com.example/.Activity. What the last part is called may tell.
_PACKAGE = re.compile(r"\A[a-z]\w*+\.[a-z]\w*+[.$/](?:[\w.$/-]*[.$/])?+([\w-]*)")
# SOCKS5, ext4: nothing varies there unless it is seen to.
_NUMBERED = re.compile(rf"\A[A-Za-z]++{NUMBER}\Z")

# What stands between the words of a list; and between its members of several words, or ends one.
_COMMA = re.compile(r"\A[,;|:]? ?\Z")
_LIST = re.compile(r"\A[>)\]}]?[,;|:]? ?\Z")


def is_masked(word: str) -> bool:
    """Whether a part of the word is masked."""
    return _MARK.search(word) is not None


def kind(word: str) -> str:
    """What a word is: mark, numbered, path, name, word or telling; "" for none, and for what is neither (`***`)."""
    # What is remembered must not be long.
    return _kind(word) if len(word) <= _LONGEST else ""


@lru_cache(maxsize=8192)
def _kind(word: str) -> str:
    if _KEPT.search(word):
        return ""
    if is_masked(word):
        return _masked(word)
    if _PATH.match(word):
        return "path"
    package = _PACKAGE.match(word)
    if package:
        return "telling" if headed(package[1]) else "name"
    if JOINT in word:
        return "word"
    if telling(word):
        return "telling"
    if _WORD.match(word) or _CODE.search(word) or _CONSTANT.match(word):
        return "word"
    return "name" if _NAME.match(word) else ""


def _masked(word: str) -> str:
    rest = _MARK.sub("", word).strip("/")
    if "." not in rest and "/" not in rest:
        if partly_telling(rest):
            return "telling"
        # TCP_TUNNEL/200.
        if _CONSTANT.match(rest):
            return "word"
    return "numbered" if _NUMBERED.match(word) else "mark"


def split(shape: str) -> Tokens:
    """The shape's words and separators; what is repeated and varies (a list of numbers, of blocks) stands once."""
    tokens = _SEPARATORS.split(_PROPER.sub(_joint, shape), _WORDS)
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


def _joint(found: re.Match[str]) -> str:
    return found[0] if any(map(stated, found[0].split())) else found[0].replace(" ", JOINT)


def _repeated(tokens: list[str], at: int) -> tuple[int, int]:
    """How many tokens, words with their separators, are repeated from here on, and how often."""
    for size in (2, 4, 6):
        *unit, between = tokens[at : at + size] if at + 2 * size - 1 <= len(tokens) else [""]
        if not (_COMMA if size == 2 else _LIST).match(between) or not is_masked("".join(unit)):
            continue
        times, place = 1, at + size
        while tokens[place : place + size - 1] == unit and tokens[place - 1] == between:
            times, place = times + 1, place + size
        if times > 1:
            return size, times
    return 2, 1
