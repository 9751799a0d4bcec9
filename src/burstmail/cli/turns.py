"""Directories -> Store. The first that nobody has: runs of one job that overlap have one each.

In one, each would mail the other's lines under its own outcome. What a run leaves behind is found by those after it,
whichever has it. Limits: `PLACES` runs at once; those over it go on in memory, and say so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from burstmail import Change, Entry, FileStore, Saved, State, StoreError

PLACES = 20


class Turns:
    """As FileStore in `directory`, or in `directory.2`, and so on. Nobody else stages anything in it."""

    shared = False

    def __init__(self, directory: str) -> None:
        self._places = places(directory)
        self._store = FileStore(directory)
        self.taken = ""
        """Which it is, once it is open."""

    def open(self) -> Saved | None:
        """Take the first that is free. Raises StoreError when there is none, or the system refuses."""
        for place in [self.taken] if self.taken else self._places:
            self._store.close()
            self._store = FileStore(place)
            if (saved := self._store.open()) is not None:
                self.taken = place
                return saved
        first, *_, last = self._places
        raise StoreError(f"other runs have all of {first} to {os.path.basename(last)}; name jobs, or let them end")

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        """As FileStore."""
        self._store.append(entry, sync=sync)

    def commit(self, change: Change, *, sync: bool = True) -> None:
        """As FileStore."""
        self._store.commit(change, sync=sync)

    def sync(self) -> None:
        """As FileStore."""
        self._store.sync()

    def stage(self, entry: Entry, *, sync: bool = False) -> None:
        """Never asked for: it is ours, or fails."""
        self._store.stage(entry, sync=sync)

    def adopt(self, last: int, now: float, wall: float) -> Sequence[Entry]:
        """As FileStore: what an operator has asked for."""
        return self._store.adopt(last, now, wall)

    def dead(self, key: str) -> State:
        """As FileStore."""
        return self._store.dead(key)

    def close(self) -> None:
        """As FileStore."""
        self._store.close()

    def others(self) -> Iterator[FileStore]:
        """Those where another run may have left something."""
        for place in self._places:
            if place != self.taken and os.path.isdir(place):
                yield FileStore(place)


def places(directory: str) -> list[str]:
    """Their names, in the order in which they are taken."""
    return [directory, *(f"{directory}.{number}" for number in range(2, PLACES + 1))]
