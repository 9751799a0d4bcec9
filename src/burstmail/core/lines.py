"""Batch -> records. A batch looked at once, for all that have to decide about its lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from .model import Batch

Selection: TypeAlias = frozenset[int]


class Lines:
    """The records of a batch, by number."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    @cached_property
    def records(self) -> list[str]:
        """Each record, with its newline."""
        found: list[str] = []
        for line in self.batch.text.split("\n")[:-1]:
            if self.batch.joined and found and line[:1] in (" ", "\t"):
                found[-1] += line + "\n"
            else:
                found.append(line + "\n")
        return found

    @cached_property
    def everything(self) -> Selection:
        """All records."""
        return frozenset(range(len(self.records)))

    def both(self, a: Selection, b: Selection) -> Selection:
        """Those of a that are in b."""
        return a & b

    def without(self, a: Selection, b: Selection) -> Selection:
        """Those of a that are not in b."""
        return a - b

    def empty(self, a: Selection) -> bool:
        """Whether there are none."""
        return not a

    def take(self, selection: Iterable[int]) -> Batch:
        """These records as a batch."""
        if selection == self.everything:
            return self.batch
        text = "".join(self.records[number] for number in sorted(selection))
        return replace(self.batch, text=text, count=text.count("\n"), place=None)
