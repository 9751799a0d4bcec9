"""Batch -> Burst. One key's session window.

A window opens with the first line and closes at the first of: `gap` seconds of quiet, `max_age` since it opened,
`max_lines`, `max_bytes`, URGENT seconds after its first urgent line, flush. Everything is counted; how much is kept is
Keep's business. Lines that a stage before this one has kept are told with the time at which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from . import older
from .bounds import room
from .collector import Collector
from .keep import Keep
from .model import Batch, Burst, CloseReason, spanning
from .packed import unpacked
from .patterns.masks import Masker
from .patterns.tally import Tally
from .remarks import Remarks
from .stage import State, opened
from .timeline import NARROWEST, Timeline
from .urgent import Urgency
from .window import Window

MASKER = Masker()
NOTHING = Batch(text="", count=0)


class Session:
    """One key's window. Knows nothing of other keys."""

    __slots__ = (
        *("_born", "_bounded", "_came", "_collector", "_first", "_last", "_masker", "_newest", "_opened", "_remarks"),
        *("_tally", "_timeline", "_urgency", "_wall", "_window", "key"),
    )

    def __init__(
        self,
        window: Window | None = None,
        keep: Keep | None = None,
        *,
        key: str = "",
        masker: Masker | None = MASKER,
        urgency: Urgency | None = None,
    ) -> None:
        """Patterns are made with `masker`; None is for no patterns. `urgency` has looked at what is fed."""
        self.key = key
        self._window = window or Window()
        self._bounded = self._window.max_lines is not None or self._window.max_bytes is not None
        self._masker, self._tally = masker, Tally(masker)
        self._collector = Collector(keep or Keep())
        # And lines that are not in the timeline yet, all of one slot: when, and how many.
        self._timeline, self._came = Timeline(), (0.0, 0)
        # When the first and the last line were fed, and when the newest came, by `now`; the wall time of the first
        # moment, and of the oldest line; and what the first line's batch was.
        self._opened = self._last = self._newest = self._wall = self._first = 0.0
        self._born: tuple[str, int, int] = ("", 0, 0)
        self._urgency, self._remarks = urgency, Remarks()

    @property
    def deadline(self) -> float:
        """The end of the gap or of the age, whichever comes first; `inf` while no window is open."""
        if not self._collector.count:
            return inf
        return min(self._last + self._window.gap, self._opened + self._window.max_age, self._remarks.due)

    @property
    def held(self) -> int:
        """Lines in the open window."""
        return self._collector.count

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return self._collector.weight + self._tally.weight

    def feed(self, item: Batch, now: float) -> Sequence[Burst]:
        """`poll(now)`, then the lines; as many bursts as the bounds make of them."""
        out = self.poll(now)
        while item.count:
            size = item.size
            lines, reason = room(item, size, self._window, self._collector) if self._bounded else (item.count, None)
            part, item = item.split(lines) if lines < item.count else (item, NOTHING)
            self._take(part, part.size if item.count else size, now)
            if reason:
                out.append(self.close(now, reason))
        return out

    def _take(self, part: Batch, size: int, now: float) -> None:
        if not self._collector.count:
            self._opened, self._newest, self._wall, self._first = now, now - part.late, part.time + part.late, part.time
            self._born = (part.epoch, part.seq, part.gone)
        elif not self._born[0].endswith(part.epoch):
            self._born = (spanning(self._born[0], part.epoch), *self._born[1:])
        self._last = now
        if part.below or part.source or self._urgency:
            self._remarks.take(part, now, self._urgency)
        # What stages before this one have kept came earlier.
        came = now - part.late
        time = self._wall + (came - self._opened)
        if part.late:
            self._newest, self._first = max(self._newest, came), min(self._first, time)
        else:
            self._newest = now
        self._collector.add(part.text, part.count, size)
        came, count = self._came
        if time // NARROWEST == came // NARROWEST:
            self._came = (came, count + part.count)
        else:
            self._timeline, self._came = self._times(), (time, part.count)
        if self._masker:
            self._tally.add(part.text, part.count, time)

    def close(self, now: float, reason: CloseReason) -> Burst:
        """End the open window as of `now`."""
        end = self._wall + (now - self._opened)
        epoch, seq, gone = self._born
        burst = Burst(
            key=self.key,
            excerpt=self._collector.excerpt(),
            first=self._first,
            last=self._wall + (self._newest - self._opened),
            closed=end,
            time=end,
            reason=reason,
            epoch=epoch,
            seq=seq,
            gone=gone,
            tally=self._tally,
            timeline=self._times(),
            below=self._remarks.below,
            urgent=self._remarks.urgent,
            alarm=self._remarks.alarm,
            sources=self._remarks.sources,
        )
        self._collector = Collector(self._collector.keep)
        self._tally, self._timeline, self._came = Tally(self._masker), Timeline(), (0.0, 0)
        self._remarks = Remarks()
        return burst

    def _times(self) -> Timeline:
        return self._timeline.plus(*self._came) if self._came[1] else self._timeline

    def poll(self, now: float) -> list[Burst]:
        """Close the window if its time is up, as of then."""
        if (due := self.deadline) > now:
            return []
        aged = due == self._opened + self._window.max_age
        reason = CloseReason.URGENT if due == self._remarks.due else CloseReason.MAX_AGE if aged else CloseReason.GAP
        return [self.close(due, reason)]

    def flush(self, now: float) -> list[Burst]:
        """Close the window now."""
        return self._end(now, CloseReason.FLUSH)

    def drain(self, now: float) -> list[Burst]:
        """Close the window now, for the input has ended."""
        return self._end(now, CloseReason.END)

    def _end(self, now: float, reason: CloseReason) -> list[Burst]:
        out = self.poll(now)
        return [*out, self.close(now, reason)] if self._collector.count else out

    def shed(self) -> None:
        """Give memory back: lines that are kept but not shown first, then patterns, and at last what would be shown."""
        for shed in (self._collector.slim, self._tally.shed, self._collector.shed):
            before = self.weight
            shed()
            if self.weight < before:
                return

    def dump(self) -> State:
        """The window, if one is open."""
        times = [self._opened, self._last, self._newest, self._wall, self._first]
        tally, told = self._tally.dump(self._collector.whole), self._remarks.dump()
        return ["session", 3, times, list(self._born), self._collector.dump(), told, tally, self._times().dump()]

    def load(self, state: State) -> None:
        """The dumped window, under this session's own parameters; also one of the version before this."""
        parts = opened(older.session(state), "session", 6, version=3)
        (start, last, newest, wall, first), (epoch, seq, gone), kept, told, tally, timeline = parts
        collector = Collector(self._collector.keep)
        collector.load(kept)
        # As at the dump, and not what this session's own parameters leave of it.
        found = Tally.restored(tally, self._masker, text=unpacked(kept[0][0]))
        # Of a time when patterns were off nothing is known.
        self._tally = found.skipping(collector.count - found.count) if self._masker else Tally()
        self._timeline, self._came = Timeline.restored(timeline), (0.0, 0)
        self._opened, self._last, self._newest, self._wall, self._first = start, last, newest, wall, first
        self._born, self._remarks, self._collector = (epoch, seq, gone), Remarks.restored(told), collector
