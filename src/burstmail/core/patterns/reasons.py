"""Place, words -> how much speaks for names. When words that take turns are taken for what varies.

The word before may announce a name; a word's form may be that of one; where many take turns they are names; and the
more the rest of the message says, the less it is this word that matters. Words that tell what happened never do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .contrast import says_what, stated
from .lexicon import LABELS, PERSONS, THINGS
from .masks import JOINT, NUMBER, VALUE
from .tokens import SUBJECT, Tokens, kind

# What is needed at a place; the usual word speaks for 1. Two users make a name, six words anywhere.
NAMED, MAYBE, SOME, ANYWHERE = 2, 3, 4, 6
# What a place speaks for where something is masked, has the form of a name, or is missing ("-").
_FIRM = 5

# Words that say so much of the message that fewer names will do.
_ENOUGH = 5

_SPEAKING = ("word", "telling", "numbered")
_ARTICLES = frozenset(["the", "a", "an"])
_COMPOUND = re.compile(f"[a-z][A-Z]|[A-Za-z]-[A-Za-z]|{JOINT}|[a-z]{NUMBER}")


def need(at: int, tokens: Tokens, *, after: int = 1, said: int = 0) -> int:
    """How much has to speak for names at place `at`: NAMED, MAYBE, SOME, ANYWHERE, or more for a message's subject.

    Only its neighbours are looked at: the next is `after` places on, 0 where the word itself is left out. `said` is how
    many words the rest has.
    """
    before, separator = tokens[at - 2].lower(), tokens[at - 1]
    behind, following = (*tokens[at + after : at + after + 2], "", "")[:2]
    # Alone in brackets: "(root) CMD".
    if separator[-1:] in ("(", "[") and behind[:1] in (")", "]"):
        return SOME
    anywhere = ANYWHERE if said < _ENOUGH else SOME
    if at == SUBJECT:
        # What is said of six may be six things.
        return MAYBE if _heads(behind, following) else 2 * anywhere
    if is_value(at, tokens):
        return NAMED if before in LABELS else MAYBE
    if "=" in separator:
        return anywhere
    # "Account Name: anna", but "error: disk full".
    if ":" in separator:
        return NAMED if separator[0] == ":" and before in LABELS else anywhere
    # "invalid user root", "password for root from".
    if before in PERSONS or (before in ("for", "by") and following in ("from", "on", "by", "at", "via")):
        return NAMED
    return MAYBE if before in THINGS or (before in _ARTICLES and following in THINGS) else anywhere


def _heads(behind: str, following: str) -> bool:
    """Whether a first word is who speaks: "anna : TTY=pts/0", "chrome.exe - closed", "Slack[77] started"."""
    return behind == " : " or following == "-" or (behind == "[" and following in (NUMBER, VALUE))


def is_value(at: int, tokens: Tokens) -> bool:
    """Whether a field's value stands there (plan=free), and of one that says nothing of what happened (status=sent)."""
    return "=" in tokens[at - 1] and not says_what(tokens[at - 2])


def silent(words: Iterable[str], *, announced: bool) -> set[str]:
    """Those of the words at one place that do not tell. Where a name is announced an ending tells nothing (billing)."""
    return {word for word in words if kind(word) != "telling" or (announced and word.isalpha() and not stated(word))}


def lack(words: set[str], needed: int, known: frozenset[str]) -> int:
    """How much more would have to speak for names; 0 or less if enough does. Names that are `known` need no more."""
    if plural(words):
        return 0
    quiet = silent(words, announced=needed == NAMED)
    firm = _FIRM if quiet & {VALUE, "-"} else 0
    quiet -= {VALUE, "-"}
    return (NAMED if quiet <= known else needed) - firm - sum(map(_weight, quiet))


def plural(words: set[str]) -> str:
    """The plural, if the words are a noun and its plural (1 packet, 2 packets); else ''."""
    most = max(words, key=len)
    return most if words == {most, most[:-1]} and most.endswith("s") else ""


def _weight(word: str) -> int:
    """Twice as much where the form speaks for it (SendMailJob, user-service)."""
    return 2 if _COMPOUND.search(word) else 1


def says(tokens: Iterable[str]) -> int:
    """How many words say something; of what varies in form, three say as much as a word: where they stand."""
    kinds = [kind(token) for token in tokens if len(token) > 1 or token == VALUE]
    return sum(what in _SPEAKING for what in kinds) + kinds.count("mark") // 3
