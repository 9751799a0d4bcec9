"""Lines -> Attempt, kept. The heart of every driver: a Flow, a Store, and a Clock that is asked once per call.

What is read is in the journal before the core sees it, and what comes out is in the outbox before anybody sends it. The
core in memory is the truth while the process lives; the store is the way back to it. Nothing here waits, or locks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from ..clock import Clock
from ..core.counts import continued
from ..core.flow import Flow
from ..core.model import Attempt, Batch, DeadLetter
from ..core.recall import pair_of
from ..core.stage import State
from ..core.statistics import Statistics
from ..core.words import duration
from ..errors import DeliveryError
from ..stores import FLUSH, LINES, Change, Entry, Saved, Store, new_epoch
from .buried import Buried
from .later import Later
from .ledger import Ledger, Mode
from .replay import RAISED, Replay

TICK = 1e-6
# A logger that reloads, and a host that boots, take a few seconds; nobody misses them in a mail.
LATE = 30.0


class Engine:
    """`start`, then `feed`, `poll`, `flush`, `settle` as things happen, then `end` and `close`. Not thread-safe.

    All but `statistics`, `sync` and `close` return attempts to be made: at most one at a time for each destination.
    """

    def __init__(self, flow: Flow, clock: Clock, *, store: Store | None = None, sync: str = "burst") -> None:
        self._flow = flow
        if not hasattr(clock, "monotonic"):
            raise TypeError(f"clock={clock!r}: must be a clock, as SystemClock()")
        self._clock = clock
        self.logger = Later()
        self._ledger = Ledger(store, sync, self.logger)
        self._replay = Replay(flow, self.logger)
        # The core's time is the clock's, and goes on after a restart where it was.
        self._shift = 0.0
        self._buried = Buried(self._ledger)
        # Attempts that came due in a call which then raised: nobody has made them, and the next call returns them.
        self._owed: list[Attempt] = []
        # Whether there are lines in the core that no store has ever had.
        self._alone = False
        self._reloaded = False
        # What flows before this one have counted.
        self._before: Statistics | None = None
        # Whether what is in memory is not all that was taken in: it must not take the place of what is in the store.
        self._broken = False

    @property
    def now(self) -> float:
        """The core's time."""
        return max(self._replay.core, self._clock.monotonic() + self._shift)

    @property
    def deadline(self) -> float:
        """When to `poll`, in the core's time."""
        return min(self._flow.deadline, self._ledger.deadline)

    @property
    def keeps(self) -> bool:
        """Whether what is not delivered at the end waits in a store."""
        return self._ledger.mode is Mode.MINE or (self._ledger.mode is Mode.THEIRS and not self._alone)

    def places(self) -> Mapping[str, State] | None:
        """How far each source has come, by its name for it; None while only the store knows, or who has it."""
        return None if self._ledger.silent(self.now) else self._replay.places.known

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return bool(self._flow.paths.trying())

    def start(self) -> list[Attempt]:
        """Take the store, and go on where its last owner was."""
        out = self._open(self.now)
        self._flow.begin(new_epoch(), 0)
        return out

    def feed(self, batch: Batch) -> list[Attempt]:
        """Lines, to the journal and then to the core."""
        wall = batch.time or self._clock.time()
        return self._enter(Entry(wall=wall, count=batch.count, text=batch.text, place=batch.place, source=batch.source))

    def flush(self) -> list[Attempt]:
        """Close what is open; the caps still hold. An input like lines, and in the journal like them."""
        return self._enter(Entry(kind=FLUSH, wall=self._clock.time()))

    def _enter(self, entry: Entry) -> list[Attempt]:
        now = self.now
        out = self._advance(now)
        if self._ledger.stage(entry, now):
            return out
        self._flow.begin("", self._flow.reads + 1)
        entry = replace(entry, id=self._flow.reads, now=now)
        self._ledger.append(entry, now)
        try:
            out += self._take(entry)
        except BaseException:
            self._owed = out
            raise
        self._keep(now)
        return out

    def poll(self) -> list[Attempt]:
        """Let time pass: the core's deadlines, then the store's."""
        now, due = self.now, self.deadline
        # A clock and a shift added up may fall short of a deadline by their last bit, and would do so for ever.
        now = due if now < due < now + TICK else now
        out = self._advance(now)
        self._ledger.sync_if_due(now)
        out += self._open(now) if self._ledger.again <= now else []
        return out + (self._adopt(now) if self._ledger.looks(now) else [])

    def settle(
        self, attempt: Attempt, failed: DeliveryError | Mapping[str, DeliveryError], jitter: float = 0.0
    ) -> tuple[list[Attempt], list[DeadLetter]]:
        """What came of an attempt: see `Outbox.settle`."""
        now = self.now
        out = self._advance(now)
        if attempt.key not in self._flow.paths.trying():
            # Told already, or of a message that is no more.
            return out, []
        more, letters = self._flow.settle(failed, now, jitter, attempt.destination)
        self._buried.add(letters, self._clock.time(), attempt.destination)
        self._keep(now)
        return out + more, letters

    def become(self, flow: Flow) -> list[Attempt]:
        """Go on with another flow, as after a restart but without one: all that waits or is held goes there.

        As of the last call, which had better be `flush`: what has come due since then is the new flow's, for of a list
        of both nobody could tell which attempt is whose. Whatever raises, the old one goes on.
        """
        now = self._replay.core
        saved = Saved(
            epoch=self._flow.epoch,
            state=self._state(now),
            outbox=self._flow.paths.rows(),
            last=self._flow.reads,
        )
        replay = Replay(flow, self.logger)
        out = replay.load(saved, now, tried=self._flow.paths.trying())
        flow.begin("", saved.last)
        self._before = self.statistics()
        self._flow, self._replay = flow, replay
        self._flow.paths.changes()
        self._commit(now, whole=True)
        self._keep(now)
        return out + self._advance(now)

    def end(self) -> list[Attempt]:
        """The input ends. With a store, windows close and the caps go on holding; without, all is given up."""
        now = self.now
        out = self._advance(now)
        if self._ledger.mode in (Mode.THEIRS, Mode.DOWN):
            out += self._open(now)
        self._ledger.ending()
        if self.keeps:
            out += self._polled(now, self._flow.end)
            self._keep(now)
        # Also when the store has failed just now: then nobody keeps what the caps hold.
        if not self.keeps:
            out += self._flow.drain(now)
            self._keep(now)
        return out

    def close(self) -> bool:
        """Write down what is left, and let go of the store: whether it keeps it. Safe to call twice."""
        if self._ledger.mode is Mode.DOWN and not self._broken:
            # What it holds is older than what was sent since: the next start would mail that again.
            self._open(self.now)
        if not self._broken:
            self._commit(self.now, self._flow.paths.changes())
        # Not before: the store may have failed, or worked again, with this very commit.
        kept = self.keeps
        self._ledger.close()
        return kept

    def sync(self) -> None:
        """All that was fed is on the disk, or StoreError."""
        self._ledger.sync()

    def statistics(self) -> Statistics:
        """The counts so far."""
        now = self._flow.statistics()
        return now if self._before is None else continued(now, self._before)

    # Time, deadline by deadline: one poll over ten hours would let out what each attempt's outcome holds back.

    def _advance(self, now: float) -> list[Attempt]:
        out, self._owed = self._owed, []
        if self._ledger.mode is not Mode.THEIRS or self._alone:
            while (at := self._flow.deadline) < inf and (due := max(at, self._replay.core)) <= now:
                out += self._polled(due)
                self._keep(due)
                self._replay.core = due
        self._replay.core = max(self._replay.core, now)
        return out

    def _polled(self, due: float, act: Callable[[float], list[Attempt]] | None = None) -> list[Attempt]:
        """A stage that raises here has perhaps let go of its lines: they come back from the store, past the stages."""
        try:
            return (act or self._flow.poll)(due)
        except Exception:
            self._broken = True
            tried = self._flow.paths.trying()
            if self._ledger.mode is not Mode.MINE or (saved := self._ledger.open(due)) is None:
                raise
            self.logger.exception(RAISED)
            out = self._replay.salvage(saved, due, tried)
            self._broken = False
            self._flow.paths.changes()
            self._commit(due, whole=True)
            return out

    # Out.

    def _keep(self, now: float) -> None:
        """After anything came out, or much went in: commit. Attempts may be made after this, not before."""
        while self._ledger.troubles:
            self._flow.note(self._ledger.troubles.pop(0))
        changes = self._flow.paths.changes()
        if changes or self._buried.rows or self._ledger.full:
            self._commit(now, changes)

    def _commit(self, now: float, changes: Mapping[str, State] | None = None, *, whole: bool = False) -> None:
        if self._ledger.mode is Mode.MINE:
            change = Change(
                state=self._state(now),
                position=self._flow.reads,
                outbox=self._flow.paths.rows() if whole else changes or {},
                dead=dict(self._buried.rows),
                whole=whole,
            )
            if self._ledger.commit(change, now):
                self._buried.written()
        self._buried.bound()

    def _state(self, now: float) -> State:
        return [1, now, self._clock.time(), self._flow.state(), dict(self._replay.places.known)]

    # In.

    def _take(self, entry: Entry) -> list[Attempt]:
        """One entry into the core. A stage that raises must neither lose it nor meet it again at every start."""
        if self._ledger.mode is not Mode.MINE:
            self._alone = self._alone or not self._ledger.ours
            return self._replay.take(entry)
        try:
            return self._replay.take(entry)
        except Exception as bug:
            self.logger.exception(RAISED)
            tried = self._flow.paths.trying()
            saved = self._ledger.open(self.now)
            if saved is None:
                raise
            out = self._replay.load(saved, self.now, {entry.id: bug}, tried)
            # The rest of what was adopted with it is in the journal, too.
            self._reloaded = True
            # So that what raised is not met again with every line that comes.
            self._commit(self.now, self._flow.paths.changes())
            return out

    # The way back.

    def _open(self, now: float) -> list[Attempt]:
        ours = self._ledger.ours
        saved = self._ledger.open(now)
        if saved is None:
            # Somebody else has a store that was ours: what is in memory is in no store now.
            self._alone = self._alone or (ours and not self._ledger.ours)
            self._keep(now)
            return []
        out: list[Attempt] = []
        if self._alone:
            out += self._replay.merge(saved, now)
        elif not self._ledger.ours:
            self._continue(saved)
            out += self._loaded(saved, now)
            self._wake(self.now)
            # Numbers that a life before this one used, but could not write down, may come again: under another name
            # they are not the same, or a new mail would have an old one's Message-ID.
            self._flow.renew(new_epoch())
        self._flow.begin("", saved.last)
        self._alone, now = False, self.now
        self._ledger.taken_over(now)
        self._flow.paths.changes()
        self._commit(now, whole=True)
        self._keep(now)
        return out + self._adopt(now) + self._advance(now)

    def _loaded(self, saved: Saved, now: float) -> list[Attempt]:
        try:
            return self._replay.load(saved, now)
        except Exception:
            self.logger.exception(RAISED)
            return self._replay.salvage(saved, now, [])

    def _wake(self, now: float) -> None:
        self._replay.core = max(self._replay.core, now)
        late = self._flow.wake(self._replay.core)
        if late >= LATE:
            self._flow.note(f"This was due {duration(late)} earlier, when burstmail was not running.")

    def _continue(self, saved: Saved) -> None:
        """The core's time goes on: by the wall clock, as far as that has not been set back."""
        then = pair_of(saved.state)
        last = max((entry.now for entry in saved.journal), default=-inf)
        if then is not None:
            self._replay.core, wall = then
            now = max(self._replay.core + max(0.0, self._clock.time() - wall), last)
            self._shift = now - self._clock.monotonic()
        elif last > -inf:
            self._shift = max(0.0, last - self._clock.monotonic())

    def _adopt(self, now: float) -> list[Attempt]:
        """What others have staged, and what an operator has asked for."""
        out: list[Attempt] = []
        self._reloaded = False
        for entry in self._ledger.adopt(self._flow.reads, now, self._clock.time()):
            if entry.kind not in (LINES, FLUSH):
                out += self._advance(now) + self._buried.obey(entry, self._flow, now)
            elif not self._reloaded:
                self._ledger.adopted(entry)
                out += self._take(entry)
            # What has come out is in the store before anything else could raise, and all be read from there again.
            self._keep(now)
        return out
