"""Batch -> (key, Batch). Which lines belong together: those with the same header fields, or by a function of your own.

A batch is split for all its lines at once, since no state may change before a user's function has seen them all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeAlias

from .fields import FACILITIES, SEVERITIES, header, value
from .model import Batch

Splitter: TypeAlias = Callable[[Batch], Iterable[tuple[str, Batch]]]

_SHOWN: dict[str, Callable[[str], str]] = {
    "host": value,
    "program": value,
    "pid": value,
    "facility": lambda text: FACILITIES[int(text) // 8] if text else "",
    "severity": lambda text: SEVERITIES[int(text) % 8] if text else "",
    # Two neighbours in one capture.
    "pair": lambda text: " ".join(filter(value, text.split(" "))),
}
_GROUPS = {"facility": "priority", "severity": "priority"}


def by(*names: str) -> Splitter:
    """Split batches by fields: `by("host", "program")`. Lines without any of them share the key ''.

    Names are host, program, pid, facility, severity. Raises ValueError for others, and for none.
    """
    known = [name for name in _SHOWN if name != "pair"]
    if not names or not set(names) <= set(known):
        raise ValueError(f"key {','.join(names)!r}: use one or more of {', '.join(known)}")
    # One string a line instead of a tuple of two, for the commonest key of all.
    parts = ("pair",) if names == ("host", "program") else names
    old, new, both = _reader(parts, "old"), _reader(parts, "new"), _reader(parts, "old", "new")

    def split(batch: Batch) -> list[tuple[str, Batch]]:
        text = batch.text
        # Most streams have one form of header, and need not pay for the other: the first line tells which to try.
        modern = ">1 " in text[:6]
        if modern and len(parts) > 1:
            return both(batch)
        found = (new if modern else old)(batch)
        # With one field, nothing is missed if each line has it; and no line without ">1 " is of RFC 5424. That is asked
        # last: looking for it takes a fifth of the time of all the rest.
        if (len(parts) == 1 and all(key for key, _ in found)) or (not modern and ">1 " not in text):
            return found
        return both(batch)

    return split


def _reader(parts: tuple[str, ...], *forms: str) -> Callable[[Batch], list[tuple[str, Batch]]]:
    groups = [_GROUPS.get(part, part) for part in parts]
    # Every line matches exactly once, so one findall over the chunk gives all lines, each with its row of fields; a `^`
    # with re.MULTILINE would be three times slower.
    line = header({*groups, *(f"new_{group}" for group in groups)}, *forms)
    pattern = re.compile(rf"(?P<line>{line}.*+\n)")
    names = list(pattern.groupindex)[1:]

    # The same few rows come with every chunk.
    @lru_cache(maxsize=4096)
    def label(row: str | tuple[str, ...]) -> str:
        values = dict(zip(names, (row,) if isinstance(row, str) else row, strict=True))
        texts = (values.get(group) or values.get(f"new_{group}", "") for group in groups)
        return " ".join(filter(None, (_SHOWN[part](text) for part, text in zip(parts, texts, strict=True))))

    def read(batch: Batch) -> list[tuple[str, Batch]]:
        found = pattern.findall(batch.text)
        return _split(batch, found if len(names) == 1 else [(row[0], row[1:]) for row in found], label)

    return read


def each(function: Callable[[str], str]) -> Splitter:
    """Split batches by what `function(line)` returns: any key you like, at a Python call per line."""
    return lambda batch: _split(batch, [(line + "\n", function(line)) for line in batch.lines], str)


def _split(batch: Batch, found: list[tuple[str, Any]], label: Callable[[Any], str]) -> list[tuple[str, Batch]]:
    """One part per label, in order of first appearance. Found are all lines, each with what its label is made of."""
    groups = _grouped(found)
    labels = {row: label(row) for row in groups}
    if len(set(labels.values())) < len(labels):
        # Two forms of header with one label: their lines must stay in order, so they are one group from the start.
        groups = _grouped((line, labels[row]) for line, row in found)
        labels = {name: name for name in groups}
    if len(groups) == 1:
        return [(next(iter(labels.values())), batch)]
    return [(labels[row], _part(batch, lines)) for row, lines in groups.items()]


def _grouped(found: Iterable[tuple[str, Any]]) -> dict[Any, list[str]]:
    groups: defaultdict[Any, list[str]] = defaultdict(list)
    # Paid on every line, and the only such loop: faster than C calls that have to split the text a second time.
    for line, row in found:
        groups[row].append(line)
    return groups


def _part(batch: Batch, lines: list[str]) -> Batch:
    text = "".join(lines)
    return Batch(text=text, count=len(lines), time=batch.time, epoch=batch.epoch, seq=batch.seq, gone=batch.gone)
