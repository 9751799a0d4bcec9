"""TOML text -> the line of every key. tomllib gives values only, and whoever is told of a mistake wants to see it.

A place is the path to a value: `("route", 1, "match", "program")`. It has the line where its key stands, an element of
an array the line where it begins, a table the line of its header or of what first names it. The text is known to be
valid; of one that is not, all up to the first thing that cannot be.
Limits: 100 names one in another, where it ends too. It does not recurse, and its time is linear.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Place = tuple[str | int, ...]

# Criteria may be 32 levels deep, of a key and a number each. Without a bound, a mebibyte of dots takes for ever, here
# and in tomllib.
DEEPEST = 100

# Possessive throughout: nothing is tried twice.
_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_BETWEEN = re.compile(r"(?:[ \t\r\n,]++|#[^\n]*+)*+")
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_ONE_LINE = r'"(?:[^"\\\n]++|\\[^\n])*+"|' r"'[^'\n]*+'"
_QUOTED = re.compile(_ONE_LINE)
_DOT = re.compile(r"[ \t]*+\.[ \t]*+")
_EQUALS = re.compile(r"[ \t]*+=[ \t]*+")
# A string of several lines may have up to two quotes of its own before the three that end it.
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\[\s\S]|"{1,2}+(?!"))*+"{3,5}|' r"'''(?:[^']++|'{1,2}+(?!'))*+'{3,5}|" + _ONE_LINE
)
_PLAIN = re.compile(r"[^,\]}\n#\"'\[{]++")
_HEADER = re.compile(r"\[\[?[ \t]*+")
_HEADER_END = re.compile(r"[ \t]*+\]\]?")


class Positions(NamedTuple):
    """Where everything in a text stands."""

    lines: dict[Place, int]
    """The line of each place, from 1."""
    last: Place
    """What was looked at last: of a text that is not valid, what is nearest to the mistake."""
    twice: tuple[int, int] | None
    """The lines of the last place, where it is there twice: the first one, and this."""
    deep: int | None
    """The line that nests too deep, at which it ended; None where none does."""


def positions(text: str) -> Positions:
    """The lines of all keys."""
    scan = _Scan(text)
    scan.document()
    return Positions(scan.lines, scan.last, scan.twice, scan.deep)


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self.last: Place = ()
        self.twice: tuple[int, int] | None = None
        self.deep: int | None = None
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        # How many tables an array of tables has so far.
        self._tables: dict[Place, int] = {}

    def document(self) -> None:
        table: Place | None = ()
        while table is not None:
            self._skip(_BLANK)
            if self._text.startswith("[", self._at):
                table = self._header()
            elif (place := self._key(table)) is None or not self._value(place):
                return

    def _header(self) -> Place | None:
        several = self._text.startswith("[[", self._at)
        self._skip(_HEADER)
        names = self._names()
        if not names:
            return None
        *above, name = names
        place: Place = ()
        for part in above:
            place = self._marked((*place, part), table=True)
        place = (*place, name)
        if several:
            number = self._tables[place] = self._tables.get(place, 0) + 1
            self.lines.setdefault(place, self._now())
            place = self._marked((*place, number - 1))
        else:
            place = self._marked(place, table=True)
        self._skip(_HEADER_END)
        return place

    def _names(self) -> list[str]:
        """A key, with its dots taken apart; empty where there is none."""
        names: list[str] = []
        while not names or self._skip(_DOT):
            if len(names) > DEEPEST:
                self.deep = self._now()
                return []
            if found := self._skip(_BARE):
                names.append(found)
            elif found := self._skip(_QUOTED):
                names.append(_unquoted(found))
            else:
                return []
        return names

    def _key(self, table: Place) -> Place | None:
        """The place that `key =` names."""
        names = self._names()
        if not names:
            return None
        *above, name = names
        place = table
        for part in above:
            place = self._marked((*place, part), table=True)
        place = self._marked((*place, name))
        return place if self._skip(_EQUALS) else None

    def _value(self, place: Place) -> bool:
        """Read a value with all that is in it; whether that was possible."""
        # Arrays have the number of the next element, inline tables have keys.
        opened: list[tuple[Place, int | None]] = []
        if not self._single(place, opened):
            return False
        while opened:
            self._skip(_BETWEEN)
            outer, number = opened[-1]
            if self._text[self._at : self._at + 1] in ("]", "}"):
                self._at += 1
                opened.pop()
                continue
            inner = self._key(outer) if number is None else self._marked((*outer, number))
            if number is not None:
                opened[-1] = (outer, number + 1)
            if inner is None or not self._single(inner, opened):
                return False
        return True

    def _single(self, place: Place, opened: list[tuple[Place, int | None]]) -> bool:
        first = self._text[self._at : self._at + 1]
        if first in ("[", "{"):
            if len(place) > DEEPEST:
                self.deep = self._now()
                return False
            self._at += 1
            opened.append((place, 0 if first == "[" else None))
            return True
        return bool(self._skip(_STRING) or self._skip(_PLAIN))

    def _marked(self, place: Place, *, table: bool = False) -> Place:
        """The place, its line noted; of an array of tables, the last one in it."""
        line = self._now()
        before = self.lines.setdefault(place, line)
        self.last = place
        self.twice = (before, line) if before != line else None
        count = self._tables.get(place, 0) if table else 0
        return (*place, count - 1) if count else place

    def _now(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]


def _unquoted(key: str) -> str:
    """A key in quotes as it is meant; of one that is not valid, what is between them."""
    from tomllib import TOMLDecodeError, loads

    try:
        return next(iter(loads(f"{key} = 0")))
    except TOMLDecodeError:
        return key[1:-1]
