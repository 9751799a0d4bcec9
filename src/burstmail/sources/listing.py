"""directory -> Found. The files beside the one that is followed, as they stand at one moment.

A rotation in between would show a file twice or not at all, so it is looked until two looks agree.
Limits: 10,000 names of a directory; the rest is not seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice

from ..core.follow import WINDOW, Fit, Spot
from ..core.generations import Found, generation, packed
from ..core.heirs import plan
from .opening import checksums, opened, status_of

NAMES = 10_000
LOOKS = 5


class Directory:
    """Where a followed name is, and what that was before has become."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._name, self._base = os.path.split(path)
        self._written = -1

    def settle(self) -> None:
        """From now on it is where a link leads to now: there the file will be renamed."""
        self._name, self._base = os.path.split(os.path.realpath(self._path))

    def changed(self) -> bool:
        """Whether names in it have come or gone since this was last asked."""
        before = self._written
        try:
            self._written = os.stat(self._name).st_mtime_ns
        except OSError:
            self._written = -1
        return before != self._written

    def files(self, spot: Spot) -> list[Found]:
        """What may come after the spot, or have its content."""
        return listed(self._path, self._name, self._base, spot)


def listed(path: str, directory: str, base: str, spot: Spot) -> list[Found]:
    """What has the path now; generations of `base` in the directory; and the file of the spot under any name."""
    found = _look(path, directory, base, spot)
    for _ in range(LOOKS):
        again = _look(path, directory, base, spot)
        if _names(again) == _names(found):
            break
        found = again
    return again


def _names(files: list[Found]) -> set[tuple[str, tuple[int, int]]]:
    return {(file.name, file.status.identity) for file in files}


def _look(path: str, directory: str, base: str, spot: Spot) -> list[Found]:
    live = _found(path, path, base)
    found = [_found(os.path.join(directory, name), name, base) for name in _wanted(directory, base, spot)]
    alone = [file for file in found if file and (live is None or file.status.identity != live.status.identity)]
    return [*alone, *([live] if live else [])]


def _wanted(directory: str, base: str, spot: Spot) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            some = list(islice(entries, NAMES))
    except OSError:
        # Gone, or not ours to read: then there is only what has the path.
        return []
    return [entry.name for entry in some if entry.inode() == spot.inode or generation(base, entry.name)]


def _found(path: str, name: str, base: str) -> Found | None:
    """Links are followed for the path itself only: a generation is a file of its own."""
    try:
        status = status_of(os.stat(path) if name == path else os.lstat(path))
    except OSError:
        return None
    live = name == path
    return Found(name=path, status=status, generation=None if live else generation(base, name), live=live)


def fitting(spot: Spot) -> Callable[[Found], Fit]:
    """How well the marks of a spot fit a file, looked up in it."""

    def fit(file: Found) -> Fit:
        try:
            fd, status = opened(file.name)
        except OSError:
            return Fit.NONE
        try:
            return spot.fits(status.size, checksums(fd)) if status.identity == file.status.identity else Fit.NONE
        finally:
            os.close(fd)

    return fit


def begins(file: Found, other: Found) -> bool:
    """Whether the other file begins with all of this one, as far as its first bytes and its last ones tell."""
    if file.status.size > other.status.size:
        return False
    ends = {min(WINDOW, file.status.size), file.status.size}
    sums = [_sums(each, ends) for each in (file, other)]
    return None not in sums[0] and sums[0] == sums[1]


def _sums(file: Found, ends: set[int]) -> list[int | None]:
    try:
        fd, _ = opened(file.name)
    except OSError:
        return [None]
    try:
        return [*map(checksums(fd), sorted(ends))]
    finally:
        os.close(fd)


def remains(spot: Spot, files: list[Found]) -> Found | None:
    """What is still there of a file that had another name, or none, when its spot was kept."""
    if spot.offset:
        found = plan(spot, files, fitting(spot), begins)
        return found.reads[0][0] if found.goes_on else None
    # Nothing in it tells whose copy it might be; and it was not copied any more.
    same = [file for file in files if file.status.identity == spot.identity and not file.live]
    return same[0] if same and not packed(same[0].name) else None
