"""Files -> Batch. Followed as `tail -F` does it, and from where we were, whatever has become of them in between.

Rotation in any way is followed: renamed, copied and truncated, several times between two looks or while nobody looked;
what was not read yet is read first, in the order in which it was written. Compressed files are left alone.
Limits: 1,000 files, 64 KiB a line, 128 KiB a Batch; at rest one stat(2) a second for each file, and no read.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from ..clock import Clock, SystemClock
from ..core.escape import one_line
from ..core.follow import Spot, dumped, loaded
from ..core.kinds import numbers, seconds
from ..core.model import Batch
from .bell import Bell
from .following import Following
from .holdings import Holdings
from .naming import place_name, place_path
from .patterns import Patterns

logger = logging.getLogger("burstmail")

# How often another process that has the store is asked for its positions, in seconds.
ASK = 1.0
# The first look after something has come; each one after that waits twice as long, up to `poll`. Seconds.
SOON = 0.02


class FileSource:
    """Lines that are appended to files.

    Args:
        patterns: paths, and patterns with `*`, `?` and `[...]`. What such a pattern matches later is read from its
            beginning.
        start: where to begin with a file for which there is no saved position: at its "end", or at its "beginning".
        poll: seconds between two looks at a file that is quiet; where something comes, it is looked at sooner.
        bound: the longest line in bytes.
        linger: seconds for which a file that was renamed must be quiet before nobody looks at it any more.
        clock: for tests.

    Positions are saved under the name of each file, so no two sources of one store may follow the same one. A path that
    is not there, may not be read, or is no regular file is waited for; the log says so once. A symbolic link is
    followed if it belongs to root, to this process, or to the owner of what it leads to. Raises ValueError for
    arguments that make no sense.
    """

    def __init__(
        self,
        *patterns: str | os.PathLike[str],
        start: str = "end",
        poll: float = 1.0,
        bound: int = 65536,
        linger: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        if start not in ("end", "beginning"):
            raise ValueError(f'start={start!r}: must be "end" or "beginning"')
        seconds(poll=poll, linger=linger)
        numbers(bound=bound)
        if not 0 < poll <= 3600:
            raise ValueError(f"poll={poll!r}: must be more than 0 seconds, and 3600 at most")
        if not linger >= 0:
            raise ValueError(f"linger={linger!r}: must be 0 seconds or more")
        if bound < 1:
            raise ValueError(f"bound={bound!r}: must be 1 byte or more")
        self._patterns = Patterns(patterns)
        self._starts_at_end = start == "end"
        self._poll, self._bound, self._linger = poll, bound, linger
        self._clock = clock or SystemClock()
        self._places: Callable[[], Mapping[str, Any] | None] = dict
        self._bell = Bell()
        self._holdings = Holdings()
        self._followed: dict[str, Following] = {}
        # When each is looked at next, and how long the look after that waits.
        self._next: dict[str, tuple[float, float]] = {}
        self._refresh = -inf

    def resume(self, places: Callable[[], Mapping[str, Any] | None]) -> None:
        """Before it is iterated: where to ask for the saved positions; None says that another process reads."""
        self._places = places

    def close(self) -> None:
        """End soon, after one more look at each file. Safe in a signal handler and in any thread; it stays closed."""
        self._bell.ring()

    def __iter__(self) -> Iterator[Batch]:
        """Batches until it is closed; each with the position behind it as its place."""
        places = self._asked()
        if places is None:
            return
        try:
            self._begin(places)
            yield from self._round(False)
            # Not before each file that is there has its own: from then on, one that has none is new.
            for pattern in self._patterns.wild:
                yield Batch(text="", count=0, place=(place_name(pattern), dumped(())))
            closing = False
            while not closing:
                closing = self._bell.rung
                yield from self._round(closing)
                if not closing:
                    self._bell.wait(self._pause())
        finally:
            for following in self._followed.values():
                following.close()

    def _asked(self) -> Mapping[str, Any] | None:
        while (places := self._places()) is None:
            if self._bell.wait(ASK):
                return None
        return places

    def _begin(self, places: Mapping[str, Any]) -> None:
        """Every file there is: at its saved position, or where `start` says; what is new since, at its beginning."""
        now = self._clock.monotonic()
        saved = {name: self._loaded(name, places[name]) for name in places if name.startswith("file:")}
        for position in saved.values():
            for spot in position[0] if position else ():
                self._holdings.done(spot)
        # Some may be gone, and the rest of them not read yet.
        gone = [path for name in saved if self._patterns.matches(path := place_path(name))]
        watched = [pattern for pattern in self._patterns.wild if place_name(pattern) in saved]
        for path in [*self._patterns.plain, *(path for path in gone if path not in self._patterns.wild)]:
            self._start(path, saved.get(place_name(path)), False, now)
        for path in self._patterns.paths(self._followed):
            self._start(path, saved.get(place_name(path)), bool(watched), now)

    def _loaded(self, name: str, state: Any) -> tuple[tuple[Spot, ...], int] | None:
        try:
            return loaded(state)
        except ValueError as error:
            logger.error("the saved position of %s is not used: %s", one_line(name), error)
            return None

    def _start(self, path: str, position: tuple[tuple[Spot, ...], int] | None, new: bool, now: float) -> None:
        following = self._follow(path, now)
        if position is not None:
            following.resume(*position, now)
        elif self._starts_at_end and not new:
            following.to_the_end(now)

    def _follow(self, path: str, now: float) -> Following:
        following = Following(path, self._holdings, bound=self._bound, linger=self._linger)
        following.holder = lambda identity: self._holder(identity, following)
        self._followed[path] = following
        self._next[path] = now, SOON
        return following

    def _holder(self, identity: tuple[int, int], asking: Following) -> Following | None:
        for following in self._followed.values():
            if following is not asking and any(one.spot.identity == identity for one in following.readings):
                return following
        return None

    def _round(self, closing: bool) -> Iterator[Batch]:
        """One look at every file whose time has come."""
        now = self._clock.monotonic()
        if now >= self._refresh:
            self._refresh = self._tick(now)
            for path in self._patterns.paths(self._followed) if self._patterns.wild else ():
                copied = self._copied(path)
                following = self._follow(path, now)
                if copied:
                    following.to_the_end(now)
        for path, (due, pause) in list(self._next.items()):
            if now >= due or closing:
                following, found = self._followed[path], False
                for batch in following.look(now):
                    found = True
                    yield batch
                self._again(following, SOON if found else min(2 * pause, self._poll), now)
                yield from self._forgotten(following)

    def _copied(self, path: str) -> bool:
        """Whether a new file is a copy of one beside it (`cp app.log app.log.bak`): that has been read already."""
        if (made := self._holdings.open(path)) is None:
            return False
        fd, status = made
        try:
            beside = [each for each in self._followed.values() if os.path.dirname(each.path) == os.path.dirname(path)]
            return not self._read_by_another(status.identity) and any(each.copied_by(fd, status) for each in beside)
        finally:
            os.close(fd)

    def _read_by_another(self, identity: tuple[int, int]) -> bool:
        return any(one.spot.identity == identity for each in self._followed.values() for one in each.readings)

    def _again(self, following: Following, pause: float, now: float) -> None:
        """Those that are quiet are looked at together, so that we wake once for all of them."""
        due = now if following.behind else now + pause if pause < self._poll else self._tick(now)
        self._next[following.path] = due, pause

    def _tick(self, now: float) -> float:
        return (now // self._poll + 1) * self._poll

    def _forgotten(self, following: Following) -> Iterator[Batch]:
        """A file that only a pattern has asked for, and that is gone."""
        if following.live is None and not following.readings and following.path not in self._patterns.plain:
            del self._followed[following.path], self._next[following.path]
            yield Batch(text="", count=0, place=(place_name(following.path), None))

    def _pause(self) -> float:
        due = min([self._refresh, *(due for due, _ in self._next.values())])
        return max(0.0, due - self._clock.monotonic())
