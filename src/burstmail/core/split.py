"""Batch -> (key, Batch). Which lines belong together: those with the same header fields, or by a function of your own.

A batch is split for all its lines at once, since no state may change before a user's function has seen them all.
A joined batch is split by records: the first line decides, and those that belong to it stay with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeAlias

from .model import Batch
from .rows import NAMES, Rows, grouped, records

Splitter: TypeAlias = Callable[[Batch], Iterable[tuple[str, Batch]]]


def by(*names: str) -> Splitter:
    """Split batches by fields: `by("host", "program")`. Lines without any of them share the key ''.

    Names are host, program, pid, facility, severity. Raises ValueError for others, and for none.
    """
    if not names or not set(names) <= set(NAMES):
        raise ValueError(f"key {','.join(names)!r}: use one or more of {', '.join(NAMES)}")
    rows = Rows(*names)

    # The same few rows come with every chunk.
    @lru_cache(maxsize=4096)
    def label(row: Any) -> str:
        return " ".join(filter(None, rows.values(row)))

    return lambda batch: _split(batch, *rows.read(batch.text, batch.joined), label)


def each(function: Callable[[str], str]) -> Splitter:
    """Split batches by what `function(line)` returns: any key you like, at a Python call per line.

    Of a record of several lines (see Join) it sees the first.
    """

    def split(batch: Batch) -> list[tuple[str, Batch]]:
        found = [(record, function(record.partition("\n")[0])) for record in records(batch.text, batch.joined)]
        return _split(batch, found, grouped(found), str)

    return split


def _split(batch: Batch, found: Any, groups: Any, label: Callable[[Any], str]) -> list[tuple[str, Batch]]:
    """One part per label, in order of first appearance. Found are all records, each with what its label is made of."""
    labels = {row: label(row) for row in groups}
    if len(set(labels.values())) < len(labels):
        # Two forms of header with one label: their lines must stay in order, so they are one group from the start.
        groups = grouped((record, labels[row]) for record, row in found)
        labels = {name: name for name in groups}
    if len(groups) == 1:
        return [(next(iter(labels.values())), batch)]
    # What came before them is counted once.
    below = [batch.below, *[0] * len(groups)]
    return [(labels[row], _part(batch, chosen, below.pop(0))) for row, chosen in groups.items()]


def _part(batch: Batch, chosen: list[str], below: int) -> Batch:
    text = "".join(chosen)
    return batch.part(text, text.count("\n") if batch.joined else len(chosen), below)
