"""One name -> Batch. The file that has it, and those that had it before and may still be written to.

A log is renamed, and its writer goes on with the old file until it is told: so the old one is looked at beside the new
one, until both have settled. The position is that in all of them; how it survives is in core/follow.py, what is read
next in core/heirs.py.
Limits: eight files at once for one name; the rest waits in the directory.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import inf

from ..core.follow import Spot, Status, dumped, newest
from ..core.generations import Found
from ..core.heirs import plan
from ..core.model import Batch, Place
from .holdings import Holdings
from .listing import Directory, begins, fitting, remains
from .naming import place_name
from .opening import checksums, status_of
from .reading import Reading, Truncated

logger = logging.getLogger("burstmail")

FILES = 8
# Seconds for which a file without a name to come back to is waited for, if it still has one somewhere.
AWAY = 3600.0


class Following:
    """A path, and the files that are read for it: the oldest first, the last one is that which has the path."""

    def __init__(self, path: str, holdings: Holdings, *, bound: int = 65536, linger: float = 60.0) -> None:
        self.path = path
        self.readings: list[Reading] = []
        self.changed = True
        """Whether its position has changed since it was last told."""
        self.live: tuple[int, int] | None = None
        """The identity of the file that had the path at the last look."""
        self.holder: Callable[[tuple[int, int]], Following | None] = lambda identity: None
        """Who else reads a file."""
        self._holdings = holdings
        self._bound, self._linger = bound, linger
        self._directory = Directory(path)
        # The path as text that any mail can carry.
        self._shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        # When the last of what was read, in files that are not read any more and in earlier runs, was written.
        self._since = 0

    @property
    def place(self) -> Place:
        """As a Batch has it."""
        return place_name(self.path), dumped([reading.spot for reading in self.readings], self._since)

    @property
    def behind(self) -> bool:
        """Whether there is more to read now."""
        return any(reading.behind and reading.fd >= 0 for reading in self.readings)

    def resume(self, spots: Sequence[Spot], since: int, now: float) -> None:
        """Go on at saved positions: with what is still there of all files but the last one."""
        spots = [self._holdings.furthest(spot) for spot in spots]
        self._since = max(since, newest(spots))
        for number, spot in enumerate(spots[:-1]):
            if not self._holdings.room:
                # What follows on it is found from here, and how far that was read is remembered.
                spots = spots[: number + 1]
                break
            if own := remains(spot, self._directory.files(spot)):
                self._open(own, spot, now)
            elif spot.size > spot.offset:
                # What was compressed since came after it, and says nothing of it.
                self._holdings.tell_lost(self.path, spot)
        self.readings += [Reading(spot, self._bound, now=now) for spot in spots[-1:]]

    def to_the_end(self, now: float) -> None:
        """Begin at the end of what is there; a line that is unfinished then is given out whole."""
        if (made := self._holdings.open(self.path)) is None:
            # Perhaps it may not be read yet: what is in it now is not wanted then either.
            if status := self._status():
                self.readings = [Reading(Spot.at(status, status.size), self._bound, now=now)]
            return
        fd, status = made
        start = max(0, status.size - self._bound)
        data = os.pread(fd, status.size - start, start)
        spot, end = Spot.at(status, status.size), data.rfind(b"\n") + 1
        if end or not start:
            spot = Spot.at(status, start + end)
        if end:
            spot = spot.stepped(data[:end], start + end)
        self._add(reading := Reading(spot, self._bound, fd, now))
        reading.seen = status if spot.offset == status.size else None
        self._holdings.used(reading)

    def copied_by(self, fd: int, status: Status) -> bool:
        """Whether an open file is a copy that somebody has made of what is read here."""
        return any(one.spot.begins(status.size, checksums(fd)) for one in self.readings)

    def look(self, now: float) -> Iterator[Batch]:
        """What there is to read now; a Batch without lines when only the position has changed."""
        status = self._status()
        self.live = status.identity if status else None
        yield from self._placed(self._follow(status, now))
        looked: set[Reading] = set()
        # What is opened in place of another is read at once: it may be truncated before the next look.
        while len(looked) < 2 * FILES and (left := [each for each in self.readings if each not in looked]):
            looked.add(reading := left[0])
            yield from self._placed(self._read(reading, status, now))
            if reading in self.readings and reading.behind:
                break
        for reading in self._settled(status, now):
            yield from self._placed(self._let_go(reading))
        if self.changed:
            yield from self._placed([Batch(text="", count=0)])

    def _placed(self, batches: Sequence[Batch]) -> Iterator[Batch]:
        for batch in batches:
            self.changed = False
            yield replace(batch, place=self.place, source=self._shown if batch.count else "")

    def _status(self) -> Status | None:
        try:
            return status_of(os.stat(self.path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._holdings.complain(self.path, error)
            return None

    # --- files that come and go ---------------------------------------------------------------------------------

    def _follow(self, status: Status | None, now: float) -> Sequence[Batch]:
        """Open what has got the name since the last look."""
        last = self.readings[-1] if self.readings else None
        if last is None:
            if status:
                self._open(Found(name=self.path, status=status, live=True), None, now)
            return ()
        if status and status.identity == last.spot.identity:
            return ()
        if status is None and not self._directory.changed():
            return ()
        return self._heirs(last, now)

    def _heirs(self, last: Reading, now: float) -> Sequence[Batch]:
        """Open what comes after the last file; and find that again, if it is not open or not what it was."""
        if last.untouched and last.fd >= 0 and os.fstat(last.fd).st_nlink:
            # It is found again, and with it the copies of what it was filled with before.
            self._holdings.close(last)
        last.refresh()
        spot, held, room = last.spot, last.fd >= 0, self._holdings.room
        if not room and (last.behind or not held):
            return ()
        known = {reading.spot.identity for reading in self.readings if reading is not last}
        since = max(self._since, newest([reading.spot for reading in self.readings]))
        found = plan(spot, self._directory.files(spot), fitting(spot), begins, held=held, known=known, since=since)
        rest: Sequence[Batch] = ()
        if not held:
            # Nothing at all: a directory that is away, perhaps. What is there and unreadable is waited for, too.
            if not found.reads or not self._readable(found.reads[0][0]):
                return ()
            self._left(last)
            if found.lost:
                self._holdings.tell_lost(self.path, spot)
            rest = () if found.goes_on else last.rest()
        last.active = now
        for file, offset in found.reads[: min(max(1, room), FILES - len(self.readings))]:
            if not self._open(file, spot if offset else None, now):
                break
        return rest

    def _readable(self, file: Found) -> bool:
        made = self._holdings.open(file.name)
        if made:
            os.close(made[0])
        return made is not None

    def _open(self, file: Found, spot: Spot | None, now: float) -> bool:
        """Read a file too, at the spot or from its beginning: False if it cannot be opened now.

        One that is read under the name that it has now is left to that, and what comes after it is not.
        """
        other = self.holder(file.status.identity)
        if other is not None and other.live == file.status.identity:
            return True
        if other is not None and (given := other.given(file.status.identity, now)):
            self._add(given)
            return True
        if (made := self._holdings.open(file.name)) is None:
            return False
        fd, status = made
        if status.identity != file.status.identity:
            os.close(fd)
            return False
        spot = spot or self._holdings.read_before(fd, status) or Spot.at(status)
        self._add(Reading(spot.seen(status), self._bound, fd, now))
        return True

    def _add(self, reading: Reading) -> None:
        self.readings.append(reading)
        self.changed = True
        for each in self.readings[-2:]:
            self._holdings.kept(each)
        self._directory.settle()

    def given(self, identity: tuple[int, int], now: float) -> Reading | None:
        """Leave a file to the one who follows the name that it has now; None if it was not opened in this run."""
        reading = next(reading for reading in self.readings if reading.spot.identity == identity)
        if reading.fd < 0 and reading.behind:
            # What was read of it in an earlier run is remembered; nothing could open it again.
            return None
        self._left(reading)
        self._holdings.dropped(reading)
        reading.active = now
        return reading

    # --- files that are read ------------------------------------------------------------------------------------

    def _read(self, reading: Reading, status: Status | None, now: float) -> Sequence[Batch]:
        live = status is not None and status.identity == reading.spot.identity
        try:
            if not live and reading.fd < 0 and not self._found_again(reading, now):
                return ()
            now_is = status if status and live else status_of(os.fstat(reading.fd))
            if reading.fd < 0 and reading.seen != now_is and not self._reopened(reading, self.path):
                return self._heirs(reading, now)
            if live and reading.untouched and reading.seen != now_is and self._filled_before(reading, now):
                return ()
            batches = reading.read(now_is, now)
            (self._holdings.used if live else self._holdings.kept)(reading)
            return batches
        except Truncated:
            self._holdings.close(reading)
            return self._heirs(reading, now) if live and reading is self.readings[-1] else self._let_go(reading)
        except OSError as error:
            self._holdings.complain(self.path, error)
            return ()

    def _filled_before(self, reading: Reading, now: float) -> bool:
        """Whether it was filled, copied and truncated before anything was read of it: then the copies come first."""
        known = {one.spot.identity for one in self.readings if one is not reading}
        files = self._directory.files(reading.spot)
        found = plan(reading.spot, files, fitting(reading.spot), begins, known=known)
        copies = [file for file, _ in found.reads if not file.live]
        if not copies:
            # As it is now: it was looked at before it was opened, and somebody may have written in between.
            if reading.spot.size > os.fstat(reading.fd).st_size:
                self._holdings.tell_lost(self.path, reading.spot)
            return False
        self.readings.remove(reading)
        for file in copies[: FILES - 1 - len(self.readings)]:
            if not self._open(file, None, now):
                break
        self._add(reading)
        return True

    def _found_again(self, reading: Reading, now: float) -> bool:
        """Open a renamed file that was closed, for one more look before it is let go of."""
        if reading is self.readings[-1] or now - reading.active < self._linger:
            return False
        if not self._moved(reading):
            reading.active = now
        same = [file for file in self._directory.files(reading.spot) if file.status.identity == reading.spot.identity]
        return any(self._reopened(reading, file.name) for file in same)

    def _moved(self, reading: Reading) -> bool:
        return any(later.spot.size for later in self.readings[self.readings.index(reading) + 1 :])

    def _reopened(self, reading: Reading, path: str) -> bool:
        """Open again what was closed only because there are many."""
        if reading.seen is None or (made := self._holdings.open(path)) is None:
            return False
        fd, status = made
        if status.identity != reading.spot.identity:
            os.close(fd)
            return False
        reading.fd = fd
        return True

    def _settled(self, status: Status | None, now: float) -> list[Reading]:
        """Files that nothing more will come to."""
        settled: list[Reading] = []
        for reading in self.readings[:-1]:
            if reading.behind and reading.fd >= 0:
                break
            crowded = len(self.readings) - len(settled) >= FILES
            if crowded or (self._moved(reading) and now - reading.active >= self._linger):
                settled.append(reading)
        last = self.readings[-1:]
        if status is None and last and now - last[0].active >= self._patience(last[0]):
            settled += last
        return settled

    def _patience(self, reading: Reading) -> float:
        if reading.fd < 0:
            return AWAY
        if reading.behind:
            return inf
        return AWAY if os.fstat(reading.fd).st_nlink else self._linger

    def _let_go(self, reading: Reading) -> Sequence[Batch]:
        """Nothing more is expected: an unfinished line is one."""
        batches = reading.rest()
        self._holdings.done(reading.spot)
        self._holdings.close(reading)
        self._left(reading)
        return batches

    def _left(self, reading: Reading) -> None:
        self.readings.remove(reading)
        self._since = max(self._since, reading.spot.time)
        self.changed = True

    def close(self) -> None:
        """Let go of everything; positions stay."""
        for reading in self.readings:
            self._holdings.close(reading)
