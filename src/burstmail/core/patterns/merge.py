"""Shapes -> templates. The second look: shapes that differ in names become one.

First the places that hold a mark or the form of a name (a path, a host, `root_domain`): shapes alike but for these are
one. Then places of plain words: shapes alike but for one of them, or for several (alike.py), are one if enough speaks
for names there (reasons.py). Words that tell what happened are none. Deterministic; time grows with the sum of the
shapes' lengths (and with the square of their words, up to 40 of them).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from .alike import alike
from .contrast import stated
from .masks import JOINT, VALUE
from .reasons import ANYWHERE, NAMED, SOME, lack, need, plural, says, silent
from .tokens import SUBJECT, Tokens, is_masked, kind, split

# In a message with more words than that no single word is looked for.
_LONGEST = 40
# In how many messages words have to take turns to be names wherever they do.
_SEVERAL = 3

# The kinds of words that vary in form, as a message's subject may too except for the first.
_FORMS = ("name", "path", "mark", "numbered")


def _loose(tokens: Tokens) -> Tokens:
    """With a blank where a mark or a name stands. The subject of a message is no blank, unless it is masked."""
    return tuple(
        VALUE if not at % 2 and kind(token) in (_FORMS if at > SUBJECT else _FORMS[1:]) else token
        for at, token in enumerate(tokens)
    )


def _tight(loose: Tokens, members: list[Tokens]) -> Tokens:
    """Without the blanks where only one word with a number in it stands (SOCKS5)."""
    columns = (set(column) for column in zip(*members, strict=True))
    return tuple(
        next(iter(column)) if token == VALUE and len(column) == 1 and kind(next(iter(column))) == "numbered" else token
        for token, column in zip(loose, columns, strict=True)
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
    tight = {_tight(loose, members): members for loose, members in groups.items()}
    families: defaultdict[Tokens, list[Tokens]] = defaultdict(list)
    for loose, target in _joined(tight).items():
        families[target] += tight[loose]
    found: dict[Tokens, tuple[str, str | None]] = {}
    for family in families.values():
        found.update(_template(family))
    return {shape: found[tokens] for shape, tokens in split.items()}


def _tokens(shape: str) -> Tokens:
    """The program first, and then the message: `SUBJECT` is the place of its first word."""
    program, _, message = shape.rpartition("\n")
    return (program, "\n", *split(message))


def _template(family: list[Tokens]) -> dict[Tokens, tuple[str, str | None]]:
    columns = [set(column) for column in zip(*family, strict=True)]
    pieces = [next(iter(column)) if len(column) == 1 else plural(column) or VALUE for column in columns]
    template = "".join(pieces).removeprefix("\n").replace(JOINT, " ")
    varying = [place for place, column in enumerate(columns) if pieces[place] == VALUE]
    if len(varying) != 1 or any(is_masked(word) for word in columns[varying[0]] - {VALUE}):
        return dict.fromkeys(family, (template, None))
    return {tokens: (template, tokens[varying[0]].strip(VALUE)) for tokens in family}


def _joined(loose: Iterable[Tokens]) -> dict[Tokens, Tokens]:
    """Where each goes when those that differ in names only are one."""
    target = {tokens: tokens for tokens in loose}
    known: frozenset[str] = frozenset()
    # First one place, then several places at once; and again, for what has become alike may be joined then, and with
    # the names that have been found.
    for _ in range(2):
        for moves_of in (_moves, alike):
            moves = moves_of(dict.fromkeys(target.values()), known)
            target = {tokens: moves.get(now, now) for tokens, now in target.items()}
        known = _found(target) | _recurring(target.values())
    return target


def _found(target: dict[Tokens, Tokens]) -> frozenset[str]:
    """The plain words that have turned out to be names."""
    pairs = (pair for tokens, now in target.items() if tokens is not now for pair in zip(tokens, now, strict=True))
    return frozenset(old for old, new in pairs if new == VALUE and kind(old) == "word")


def _recurring(loose: Iterable[Tokens]) -> frozenset[str]:
    """Words that take turns with others in several messages."""
    seen: Counter[str] = Counter()
    for found in _places(dict.fromkeys(loose)).values():
        words = silent(found, announced=False) - {VALUE}
        seen.update(words if len(words) > 1 else ())
    return frozenset(word for word, times in seen.items() if times >= _SEVERAL)


def _places(loose: Iterable[Tokens]) -> dict[tuple[int, Tokens], dict[str, Tokens]]:
    """By a place and all the rest: the words that take turns there, and in which."""
    places: defaultdict[tuple[int, Tokens], dict[str, Tokens]] = defaultdict(dict)
    for tokens in loose:
        for at in range(SUBJECT, len(tokens) if len(tokens) <= 2 * _LONGEST else 0, 2):
            if kind(tokens[at]):
                places[at, tokens[:at] + tokens[at + 1 :]][tokens[at]] = tokens
    return places


def _moves(loose: Iterable[Tokens], known: frozenset[str]) -> dict[Tokens, Tokens]:
    """Those that differ in one word."""
    moves: dict[Tokens, Tokens] = {}
    # Where most words take turns first: it is the surest.
    for (at, rest), found in sorted(_places(loose).items(), key=lambda place: -len(place[1])):
        if len(found) < 2:
            break
        said = says(rest[SUBJECT:])
        needed = need(at, rest, after=0, said=said)
        # Of a single word that is left, where a name is announced or many words take turns.
        enough = said > 1 or (said and (needed <= SOME or len(found) >= 2 * ANYWHERE))
        names = _names(set(found), needed, known) if enough else set()
        going = [tokens for word, tokens in found.items() if word in names]
        if len(going) > 1 and not any(tokens in moves for tokens in going):
            moves.update(dict.fromkeys(going, (*rest[:at], VALUE, *rest[at:])))
    return moves


def _names(words: set[str], needed: int, known: frozenset[str]) -> set[str]:
    """Those of the words at one place that name somebody or something, if so many of them do."""
    if lack(words, needed, known) > 0:
        return set()
    quiet = silent(words, announced=needed == NAMED)
    # Among many people, one whose name happens to be a word: users called info, boot. But "user account locked by",
    # and of opposites neither.
    if needed == NAMED and len(quiet) >= ANYWHERE:
        told = {word for word in words if stated(word)}
        quiet |= words - told if len(told) > 1 else {word for word in words if not word.endswith(("ed", "ing"))}
    return quiet
