"""What all followed names share: who reads which file, what was read of files let go of, and the open descriptors.

A file that gets another name, one that is followed too, must not be read a second time under it.
Limits: half of the descriptors that the process may have, 512 at most, a few more while they change hands; half of them
for files that were renamed: what is to be read of more has to wait. 4,096 files are remembered.
"""

from __future__ import annotations

import logging
import resource
from itertools import islice

from ..core.escape import one_line
from ..core.follow import Fit, Spot, Status
from .opening import checksums, opened
from .reading import Reading

logger = logging.getLogger("burstmail")

REMEMBERED = 4096
DESCRIPTORS = 512


class Holdings:
    """One for each FileSource."""

    def __init__(self) -> None:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        # RLIM_INFINITY is -1.
        self._limit = DESCRIPTORS if soft < 0 else max(8, min(DESCRIPTORS, soft // 2))
        self._done: dict[tuple[int, int], Spot] = {}
        # Those that may be closed, for they are found again by their names; the one used longest ago stands first.
        self._idle: dict[Reading, None] = {}
        # Those that have another name, or none: closed only when they are read to their end.
        self._kept: dict[Reading, None] = {}
        self._said: dict[str, str] = {}

    @property
    def room(self) -> int:
        """So many renamed files may be opened, beside those that are not read to their end yet."""
        return max(0, self._limit // 2 - sum(reading.behind for reading in self._kept))

    def used(self, reading: Reading) -> None:
        """An open file that has its name: it may be closed when there are too many of them."""
        self.dropped(reading)
        self._idle[reading] = None
        self._spare()

    def kept(self, reading: Reading) -> None:
        """An open file that may not be found again by its name."""
        if reading.fd >= 0 and reading not in self._kept:
            self.dropped(reading)
            self._kept[reading] = None
        self._spare()

    def dropped(self, reading: Reading) -> None:
        """It is somebody else's now."""
        self._idle.pop(reading, None)
        self._kept.pop(reading, None)

    def close(self, reading: Reading) -> None:
        """Let go of the file; the position stays."""
        self.dropped(reading)
        reading.close()

    def _spare(self) -> None:
        """Close the oldest of what is too much."""
        if (over := len(self._kept) - self._limit // 2) > 0:
            for reading in [*islice((each for each in self._kept if not each.behind), over)]:
                self.close(reading)
        if (over := len(self._kept) + len(self._idle) - self._limit) > 0:
            for reading in [*islice(self._idle, over)]:
                self.close(reading)

    def done(self, spot: Spot) -> None:
        """All of a file is read, as far as anybody knows."""
        spot = self.furthest(spot)
        self._done.pop(spot.identity, None)
        self._done[spot.identity] = spot
        if len(self._done) > REMEMBERED:
            del self._done[next(iter(self._done))]

    def furthest(self, spot: Spot) -> Spot:
        """The position in this file under whatever name it is known, if that is further than this one.

        A file that gets another name is given to whoever follows that, and the old name says later that it is rid of
        it: after a kill in between, both have a position in it.
        """
        known = self._done.get(spot.identity)
        # When it was begun tells whether it is the same content: an inode may be used again.
        return known if known and known.since == spot.since and known.offset > spot.offset else spot

    def read_before(self, fd: int, status: Status) -> Spot | None:
        """How far a file has been read already, under whatever name."""
        spot = self._done.get(status.identity)
        if spot is None or not spot.offset or status.size < spot.size:
            return None
        return spot if spot.fits(status.size, checksums(fd)) is Fit.FULL else None

    def open(self, path: str) -> tuple[int, Status] | None:
        """`opened`, or None: with a line in the log the first time, unless it is only not there."""
        try:
            fd, status = opened(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.complain(path, error)
            return None
        self._said.pop(path, None)
        return fd, status

    def complain(self, path: str, error: OSError) -> None:
        """Say once what is wrong with a path; again only after it was right."""
        why = error.strerror or str(error)
        if self._said.get(path) != why:
            self._said[path] = why
            logger.warning("%s cannot be read, and is waited for: %s", one_line(path), why)

    def tell_lost(self, path: str, spot: Spot) -> None:
        """Say that what stood behind a position is not there any more."""
        logger.error(
            "%s: what stood in it behind byte %d was removed or compressed before it was read, and is in no mail;"
            " rotate with delaycompress, and keep more than one file",
            one_line(path),
            spot.offset,
        )
