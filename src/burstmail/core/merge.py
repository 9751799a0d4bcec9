"""Shapes -> templates. The second look: shapes that differ in a name or two become one.

First the places that hold a mark or the form of a name (a path, a host, `root_domain`): shapes alike but for these are
one. Then places of plain words: shapes alike but for one of them are one if there is reason to think that it names
somebody or something: the word before it says so, or many words take turns there. Words that tell what happened never
do. Deterministic; time grows with the sum of the shapes' lengths (and the square of their words, of which 40 count).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .masks import VALUE
from .tokens import ANNOUNCING, ANYWHERE, MAYBE, NAMED, SUBJECT, Tokens, is_masked, kind, need, split

# Of a message with more words than that only masks and names are looked at.
_LONGEST = 40


def _loose(tokens: Tokens) -> Tokens:
    """With a blank where a mark or a name stands. The subject of a message is no blank, unless it is masked."""
    return tuple(
        VALUE if not at % 2 and ((what := kind(token)) == "mark" or (what == "name" and at > SUBJECT)) else token
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
    """The program first, and then the message: `SUBJECT` is the place of its first word."""
    program, _, message = shape.rpartition("\n")
    return (program, "\n", *split(message))


def _template(family: list[Tokens]) -> dict[Tokens, tuple[str, str | None]]:
    columns = [set(column) for column in zip(*family, strict=True)]
    pieces = [next(iter(column)) if len(column) == 1 else VALUE for column in columns]
    template = "".join(pieces).removeprefix("\n")
    varying = [place for place, column in enumerate(columns) if VALUE in column or len(column) > 1]
    if len(varying) != 1 or any(is_masked(word) for word in columns[varying[0]] - {VALUE}):
        return dict.fromkeys(family, (template, None))
    return {tokens: (template, tokens[varying[0]].strip(VALUE)) for tokens in family}


def _joined(loose: Iterable[Tokens]) -> dict[Tokens, Tokens]:
    """Where each goes when those that differ in names only are one."""
    target = {tokens: tokens for tokens in loose}
    # First all places at once that are announced, then one place after the other: three rounds at most, for what has
    # become alike in one may be joined in the next.
    for moves_of in (_announced, _moves, _moves, _moves):
        moves = moves_of(dict.fromkeys(target.values()))
        target = {tokens: moves.get(now, now) for tokens, now in target.items()}
        if not moves and moves_of is _moves:
            break
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
        names = {at: _names(words, need(at, first)) for at, words in columns.items()}
        rest = tuple(token for at, token in enumerate(first) if at not in names)
        if all(names.values()) and _says(rest):
            going = [tokens for tokens in family if all(tokens[at] in found for at, found in names.items())]
            template = tuple(VALUE if at in names else token for at, token in enumerate(first))
            moves.update(dict.fromkeys(going, template))
    return moves


def _unnamed(tokens: Tokens) -> Tokens:
    """With a blank at each place that is announced."""
    out = list(tokens)
    for at in range(SUBJECT + 2, len(tokens), 2):
        # A name announces nothing ("user from from"), and what announces is no name unless it stands for one ("for user
        # root", but "user user").
        needed = need(at, tokens) if out[at - 2] != VALUE else ANYWHERE
        if needed < ANYWHERE and kind(out[at]) and (needed == NAMED or out[at].lower() not in ANNOUNCING):
            out[at] = VALUE
    return tuple(out)


def _moves(loose: Iterable[Tokens]) -> dict[Tokens, Tokens]:
    """Those that differ in one word."""
    places: defaultdict[tuple[int, Tokens], dict[str, Tokens]] = defaultdict(dict)
    for tokens in loose:
        for at in range(SUBJECT, len(tokens) if len(tokens) <= 2 * _LONGEST else 0, 2):
            if kind(tokens[at]):
                places[at, tokens[:at] + tokens[at + 1 :]][tokens[at]] = tokens
    moves: dict[Tokens, Tokens] = {}
    # Where most words take turns first: it is the surest.
    for (at, rest), found in sorted(places.items(), key=lambda place: -len(place[1])):
        if len(found) < 2:
            break
        names = _names(set(found), need(at, rest, 0)) if _says(rest) else set()
        going = [tokens for word, tokens in found.items() if word in names]
        if len(going) > 1 and not any(tokens in moves for tokens in going):
            moves.update(dict.fromkeys(going, (*rest[:at], VALUE, *rest[at:])))
    return moves


def _names(words: set[str], needed: int) -> set[str]:
    """Those of the words at one place that name somebody or something, if so many of them do."""
    silent = {word for word in words if kind(word) != "telling"}
    # What varies there in form already makes it likelier.
    if len(silent) + (MAYBE if VALUE in words else 0) < needed:
        return set()
    # Among many people, one whose name happens to be a word: users called info, test, up.
    return words if needed == NAMED and len(silent) >= ANYWHERE else silent


def _says(rest: Tokens) -> bool:
    """Whether what is left still says something."""
    return sum(len(token) > 1 and kind(token) in ("word", "telling") for token in rest[SUBJECT:]) >= 2
