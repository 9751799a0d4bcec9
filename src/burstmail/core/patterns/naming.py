"""Lines -> names. Lines that differ in digits and identifiers only have one name, at little cost per line.

The digits are deleted by one pass of C code, and equal results, the keys, are counted together: where a row has that
name they are its lines. Only else are identifiers looked for, which have letters too. So a name depends on the line and
on the rows there are, and neither on what came with it nor on what is remembered.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from .masks import DIGITS, bare
from .meaning import parted, worded

# What would keep a letter of `0x0`, so that such lines had no name by their key. An expression finds it three times
# faster than `replace` does.
_HEX = re.compile(rb"0x")


def named(text: bytes, lines: list[bytes], known: Callable[[bytes], object]) -> list[tuple[bytes, list[int]]]:
    """Names, each with the places of its lines, in the order of their first lines; `known` are the names of rows."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    # Paid on every line, and the only such loop, as in fields.py.
    for place, key in enumerate(_HEX.sub(b"", text).translate(None, DIGITS).split(b"\n")[:-1]):
        groups[key].append(place)
    parted(groups, lines)
    new = {groups[key][0]: key for key in groups if not known(key)}
    names = _bared(new.items(), lines)
    # Where the first line is named by its key, a row has that name from there on.
    loose = {place: key for at, key in new.items() if names[at] != key for place in groups.pop(key)}
    if loose:
        names |= _bared(((place, key) for place, key in loose.items() if place not in names), lines)
        for name, places in _taken(loose, names).items():
            groups[name] = sorted(groups[name] + places)
    return sorted(groups.items(), key=lambda group: group[1][0])


def _bared(keys: Iterable[tuple[int, bytes]], lines: list[bytes]) -> dict[int, bytes]:
    """By place, what is left of lines without digits and identifiers."""
    given = dict(keys)
    changed = b"\n".join([worded(lines[place], key) for place, key in given.items()])
    return dict(zip(given, bare(changed).split(b"\n"), strict=False))


def _taken(keys: dict[int, bytes], names: dict[int, bytes]) -> dict[bytes, list[int]]:
    """Lines by name, one after the other: by key if one before had that name."""
    taken: dict[bytes, list[int]] = {}
    for place, key in sorted(keys.items()):
        taken.setdefault(key if key in taken else names[place], []).append(place)
    return taken
