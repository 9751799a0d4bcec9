"""Store -> Store that never fails. What a driver writes down, as far as it can be, and what is due for it.

A store that fails costs safety, not lines: it is said once, the core goes on in memory, and the store is tried again
after 1 s, then ever later, up to 30 s. While somebody else has the store, entries are staged, and its lock is tried
every second. Limits: 32 MiB of journal between two commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from math import inf

from ..core.backoff import Backoff
from ..core.stage import State
from ..errors import StoreError
from ..stores import Change, Entry, Saved, Store
from .later import Later

SYNCS = ("batch", "burst", "off")
# What a power cut may cost with sync="burst", and how long a second instance's lines may lie.
SECOND = 1.0
AGAIN = Backoff(first=1.0, longest=30.0)
# A store that fails at the start is waited for so long, by those who want to go on where they were: room on a disk may
# be made soon, and files do not run away. Longer, news would be late.
BLIND = 30.0
JOURNAL = 32 * 1024 * 1024


class Mode(Enum):
    """Where the truth is."""

    OFF = "no store"
    MINE = "ours"
    THEIRS = "another process has the store"
    DOWN = "the store fails"


class Ledger:
    """One store, in one of four modes. Times are the core's."""

    def __init__(self, store: Store | None, sync: str, logger: Later | None = None) -> None:
        if sync not in SYNCS:
            raise ValueError(f"sync={sync!r}: must be one of {', '.join(SYNCS)}")
        if not (store is None or callable(getattr(store, "adopt", None))):
            raise TypeError(f"store={store!r}: must be a store, as FileStore('state')")
        self.logger = Later() if logger is None else logger
        self._store = store
        self._sync = sync
        self.mode = Mode.OFF
        # Whether what the store holds is an older copy of what is in memory.
        self.ours = False
        self._adopts = True
        self.troubles: list[str] = []
        self._failures = 0
        # How often in a row somebody else had it.
        self._tries = 0
        # Whether it has been said that the store fails, and not yet that it works again.
        self._told = False
        # When the lock, or the store, is tried again; since when something is written and not synced; when staged
        # entries are looked for.
        self._again = self._look = inf
        self._dirty: float | None = None
        self._journal = 0
        # Until when a store that failed at the start is waited for; None once it has been told that it no longer is.
        self._blind: float | None = None

    @property
    def deadline(self) -> float:
        """When the store wants attention: a sync, staged entries, or another try."""
        # One wake a second does for both, where there is a look.
        quiet = self._dirty is None or self.mode is not Mode.MINE or self._look < inf
        return min(self._again, self._look, inf if quiet else (self._dirty or 0.0) + SECOND)

    @property
    def full(self) -> bool:
        """Whether the journal is long enough to be replaced by a state."""
        return self._journal >= JOURNAL

    @property
    def again(self) -> float:
        """When to call `open` again."""
        return self._again

    def open(self, now: float) -> Saved | None:
        """Try to take the store: what it holds, or None while that fails or somebody else has it."""
        if self._store is None:
            return None
        if self.mode is Mode.OFF:
            self._blind = now + BLIND
        self._again = self._look = inf
        try:
            saved = self._store.open()
        except StoreError as error:
            self._failed(error, now)
            return None
        if saved is None:
            self._guest(now)
            return None
        self._tries = 0
        for trouble in saved.troubles:
            self.logger.error("the store: %s", trouble)
        self.troubles += saved.troubles
        self.mode, self._journal, self._dirty = Mode.MINE, 0, None
        return saved

    def silent(self, now: float) -> bool:
        """Whether only the store knows what was done before, or who has it: for now, and for half a minute at most
        where it has failed from the start. What is not known then is told of in the log.
        """
        if self.mode is not Mode.DOWN or self.ours or self._blind is None:
            return self.mode is Mode.THEIRS
        if now < self._blind:
            return True
        self._blind = None
        self.logger.error(
            "the store cannot say how far files and the journal were read: they are read as if for the first time"
        )
        return False

    def _guest(self, now: float) -> None:
        # Ours no more, if it was: somebody has removed the files, and another has begun anew.
        self.mode, self._again, self.ours = Mode.THEIRS, now + SECOND, False
        # At a reload this lasts for seconds; longer, somebody may wonder where the mails come from.
        self._tries += 1
        if self._tries == 60:
            self.logger.warning("another process has had this store for a minute: it mails what is read here")

    def taken_over(self, now: float) -> None:
        """What the store holds is in memory now; `now` is the core's time from here on."""
        self.ours = True
        self._look_later(now)

    def _look_later(self, now: float) -> None:
        shared = self._store is not None and self._store.shared and self._adopts
        self._look = now + SECOND if shared and self.mode is Mode.MINE else inf

    def ending(self) -> None:
        """Adopt no more: it is for the next one."""
        self._adopts, self._look = False, inf

    def _failed(self, error: StoreError, now: float) -> None:
        self._failures += 1
        if not self._told:
            self._told = True
            self.logger.error("the store fails, going on in memory until it works again: %s", error)
            self.troubles.append(f"The store fails ({error}): until it works again, lines are kept in memory only.")
        self.mode, self._look, self._dirty = Mode.DOWN, inf, None
        self._again = now + AGAIN.delay(self._failures)

    def append(self, entry: Entry, now: float) -> None:
        """The In transaction."""
        if self._store is None or self.mode is not Mode.MINE:
            return
        try:
            self._store.append(entry, sync=self._sync == "batch")
        except StoreError as error:
            self._failed(error, now)
            return
        self._journal += len(entry.text)
        if self._sync == "burst" and self._dirty is None:
            self._dirty = now

    def stage(self, entry: Entry, now: float) -> bool:
        """Leave an entry to whoever has the store; False when that fails, and it is ours to mail."""
        if self._store is None or self.mode is not Mode.THEIRS:
            return False
        try:
            self._store.stage(entry, sync=self._sync != "off")
        except StoreError as error:
            self._failed(error, now)
            return False
        return True

    def commit(self, change: Change, now: float) -> bool:
        """The Out transaction; whether it is in the store."""
        if self._store is None or self.mode is not Mode.MINE:
            return False
        try:
            self._store.commit(change, sync=self._sync != "off")
        except StoreError as error:
            self._failed(error, now)
            return False
        if self._told:
            self.logger.warning("the store works again")
        self._told, self._journal, self._failures = False, 0, 0
        if self._sync != "off":
            self._dirty = None
        return True

    def adopt(self, last: int, now: float, wall: float) -> Sequence[Entry]:
        """What others have staged."""
        if self._store is None or self.mode is not Mode.MINE or not self._adopts:
            return ()
        self._look_later(now)
        try:
            found = self._store.adopt(last, now, wall)
        except StoreError as error:
            self._failed(error, now)
            return ()
        if found and self._dirty is None and self._sync != "off":
            self._dirty = now
        return found

    def adopted(self, entry: Entry) -> None:
        """An entry that goes into the core now, and is in the journal already."""
        self._journal += len(entry.text)

    def dead(self, key: str) -> State:
        """One dead letter; None when there is none, or it cannot be read."""
        try:
            return self._store.dead(key) if self._store else None
        except StoreError as error:
            self.logger.error("cannot read the dead letter %s: %s", key, error)
            return None

    def looks(self, now: float) -> bool:
        """Whether it is time for `adopt`."""
        return self.mode is Mode.MINE and self._look <= now

    def sync_if_due(self, now: float) -> None:
        """Once a second, what was written reaches the disk."""
        if self._dirty is not None and min(self._look, self._dirty + SECOND) <= now:
            try:
                self.sync()
            except StoreError as error:
                self._failed(error, now)

    def sync(self) -> None:
        """All written so far is on the disk, or StoreError."""
        if self._store is None:
            raise StoreError("there is no store: nothing is on a disk")
        if self.mode is Mode.DOWN:
            raise StoreError("the store fails: lines are kept in memory only")
        # What is staged is synced as it is written.
        if self.mode is Mode.MINE or self._sync == "off":
            self._store.sync()
        self._dirty = None

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
        self.mode, self._again, self._look, self._dirty = Mode.OFF, inf, inf, None
