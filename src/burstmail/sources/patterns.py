"""Patterns -> paths. Which files are followed, now and later.

Several patterns may match one file, and a pattern may match what a file becomes when it is rotated (`app.log*`): a
generation of a file that is matched or followed is part of that one, and what is compressed is nothing to read.
Limits: 1,000 files; of more, the first by name.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Container, Iterable
from fnmatch import fnmatchcase
from itertools import islice

from ..core.generations import origins, packed
from ..core.kinds import of_kind

logger = logging.getLogger("burstmail")

FILES = 1000


class Patterns:
    """Paths as they are, and such with `*`, `?` and `[...]`, as a shell has them."""

    def __init__(self, patterns: Iterable[str | os.PathLike[str]]) -> None:
        from glob import has_magic

        patterns = tuple(patterns)
        words = "pattern {!r}: must be a path; give several as FileSource('a.log', 'b.log')"
        of_kind(str | os.PathLike, patterns, words)
        paths = [os.path.abspath(os.fspath(pattern)) for pattern in patterns]
        if not paths or any("\0" in path for path in paths):
            raise ValueError("patterns: name at least one file, and none with a NUL in its name")
        self.wild = tuple(path for path in dict.fromkeys(paths) if has_magic(path) and not os.path.lexists(path))
        """Those that stand for many."""
        self.plain = tuple(path for path in dict.fromkeys(paths) if path not in self.wild)
        """Those that are followed whether they are there or not."""
        self._crowded = False

    def matches(self, path: str) -> bool:
        """Whether a pattern that stands for many stands for this one."""
        parts = path.split("/")
        return any(
            len(wild) == len(parts) and all(map(fnmatchcase, parts, wild))
            for wild in (pattern.split("/") for pattern in self.wild)
        )

    def paths(self, followed: Iterable[str]) -> list[str]:
        """What is to be followed now, besides those that are followed already, and without what they become."""
        from glob import glob

        known = dict.fromkeys(followed)
        found = dict.fromkeys(path for pattern in self.wild for path in sorted(glob(pattern)))
        every = {**known, **found}
        room = max(0, FILES - len(known))
        # Whoever fills a directory must not keep us busy: no more are looked at than there is room for.
        new = list(islice((path for path in found if path not in known and _own(path, every)), room + 1))
        self._tell(len(new) > room)
        return new[:room]

    def _tell(self, crowded: bool) -> None:
        if crowded and not self._crowded:
            logger.error("more than %d files match: the others are not read; use more sources, or fewer files", FILES)
        self._crowded = crowded


def _own(path: str, every: Container[str]) -> bool:
    """Whether it is a file of its own, and one that can be read."""
    directory, name = os.path.split(path)
    # A number before the extension may be part of a name: `worker.log`, `worker-2.log`.
    if packed(name) or any(os.path.join(directory, origin) in every for origin in origins(name)):
        return False
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
