"""Word -> bool. Words that tell what happened, as against names of whom it happened to.

Two lines that differ in such a word mean different things ("link up", "link down"), and are never one pattern. What no
list knows is found by the endings of English participles, at the price of a user called mohammed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .lexicon import SAYING, TELLING, TELLING_PARTS

# "failed", "rejected", "starting", "reachable": shorter ones are names as easily (fred, ahmed).
_ENDING = re.compile(r"\A[a-z]{4,}(?:ed|ing|able|ible|less|ful|fully|ation|ction|ment|ness|ure|ally)")
# As the ending of a part: TaskStarted, but NavigationBar.
_PART_ENDING = re.compile(
    r"\A(?:[A-Za-z][a-z]{3,}(?:ed|able|ible|less)|[A-Z][a-z]{3,}ing|[A-Z]{4,}(?:ED|ING|ABLE|IBLE|LESS))"
)
_PARTS = re.compile("[A-Z]?[a-z']+|[A-Z]+(?![a-z])")
# denied, stopping, fails: what they end in, and what stands there in the word they come from.
_STEMS = (("ied", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("s", ""))


@lru_cache(maxsize=8192)
def telling(word: str) -> bool:
    """Whether the word, or a part of it (`LINK_UP`, `isReady`), may tell what happened."""
    plain = word.lower()
    return plain in TELLING or _state(plain) or partly_telling(word)


def partly_telling(word: str) -> bool:
    """Whether a part of it may tell what happened."""
    return any(map(_part_tells, _PARTS.findall(word)))


def headed(word: str) -> bool:
    """Whether the last part of a name that is put together tells: IllegalStateException, SCREEN_OFF, TaskStarted."""
    last = (_PARTS.findall(word) or [""])[-1]
    return last.lower() in TELLING_PARTS or (last[:1].isupper() and _part_tells(last))


def saying(text: str) -> bool:
    """Whether a word of the text may tell what happened."""
    return any(_state(word.lower()) or partly_telling(word) for word in text.split())


def says_what(field: str) -> bool:
    """Whether the values of a field say what happened: status, eventName, error_code."""
    return any(part.lower() in SAYING for part in _PARTS.findall(field))


@lru_cache(maxsize=8192)
def stated(word: str) -> bool:
    """Whether the word is known to tell, or comes from one that is (deny: denied): an ending is not enough."""
    plain = word.lower()
    return plain in TELLING_PARTS or any(_stem(plain, end, by) for end, by in _STEMS if plain.endswith(end))


def _stem(word: str, end: str, by: str) -> bool:
    stem = word.removesuffix(end)
    # stop: stopped.
    return stem + by in TELLING_PARTS or (stem[-2:-1] == stem[-1:] and stem[:-1] in TELLING_PARTS)


def _part_tells(part: str) -> bool:
    return part.lower() in TELLING_PARTS or (len(part) > 5 and _PART_ENDING.fullmatch(part) is not None)


def _state(word: str) -> bool:
    return word in TELLING_PARTS or _ENDING.fullmatch(word) is not None
