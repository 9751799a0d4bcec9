"""Arguments -> what waits and what is dead, over all names; shown, tried again, deleted.

It looks without disturbing: a burstmail that runs keeps its store, and is asked to do what it alone may do. It does so
within a second. Where none runs, a deletion is made here, and a retry is left for the next start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from burstmail import Change, Entry, FileStore, StoreError, SystemClock

from .channel import visible
from .letters import Letter, letter, listing
from .options import Misuse
from .place import default_root

OK = 0
NO_SUCH = 66
UNREADABLE = 74
DATABASE = "store.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What one name keeps."""

    name: str
    store: FileStore
    letters: list[Letter]
    lines: int
    runs: bool

    def told(self) -> str:
        """A line about the name, then its letters."""
        dead = sum(found.dead for found in self.letters)
        counts = f"{_number(len(self.letters) - dead, 'mail')} waiting, {dead} dead"
        if self.lines:
            counts += f"; {_number(self.lines, 'line')} in the journal"
        note = "" if self.runs else "; no burstmail of this name runs"
        return f"{self.name}: {counts}{note}\n" + "".join(listing(self.letters))


def queue(do: str, keys: Sequence[str], *, all: bool, state: str | None, name: str | None) -> int:
    """Do one of list, show, retry, delete, and return the exit status."""
    boxes, troubles = _boxes(_root(state), name)
    for trouble in troubles:
        _put(2, f"burstmail: {visible(trouble)}\n")
    status = UNREADABLE if troubles else OK
    if do == "list":
        _put(1, "".join(box.told() for box in boxes) or f"nothing is kept in {visible(_root(state))}\n")
        return status
    chosen = [(box, found) for box in boxes for found in box.letters] if all else _chosen(boxes, keys)
    if len(chosen) < len(keys):
        status = status or NO_SUCH
    for box, found in chosen:
        status = _do(do, box, found) or status
    return status


def _root(state: str | None) -> str:
    root = default_root() if state is None else state
    if root is None or state == "none":
        raise Misuse("which state directory? say --state DIR")
    return os.path.abspath(root)


def _boxes(root: str, only: str | None) -> tuple[list[Box], list[str]]:
    """What is kept under each name, and what could not be read."""
    boxes: list[Box] = []
    troubles: list[str] = []
    for name in _names(root, only):
        place = os.path.join(root, name)
        store = FileStore(place)
        try:
            kept = store.listing()
        except StoreError as error:
            troubles.append(f"{name}: {error}")
            continue
        if kept.damage:
            troubles.append(f"{name}: the store is damaged, and mended at the next start: {kept.damage}")
        letters = [letter(key, row, dead=False) for key, row in kept.waiting]
        letters += [letter(key, row, dead=True) for key, row in kept.dead]
        boxes.append(Box(name=name, store=store, letters=letters, lines=kept.lines, runs=_runs(place)))
    return boxes, troubles


def _names(root: str, only: str | None) -> Iterator[str]:
    try:
        names = sorted(os.listdir(root)) if only is None else [only]
    except FileNotFoundError:
        # Nothing was ever kept here.
        return
    except OSError as error:
        raise Misuse(f"cannot read {root}: {error.strerror}") from None
    yield from (name for name in names if only or os.path.lexists(os.path.join(root, name, DATABASE)))


def _runs(place: str) -> bool:
    """Whether somebody has the store: tried with a lock that others may share, and for a moment only."""
    import fcntl

    try:
        descriptor = os.open(os.path.join(place, "lock"), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _chosen(boxes: Sequence[Box], keys: Sequence[str]) -> list[tuple[Box, Letter]]:
    chosen = []
    for key in dict.fromkeys(keys):
        found = [(box, one) for box in boxes for one in box.letters if key in (one.key, one.name)]
        if len(found) > 1:
            names = ", ".join(box.name for box, _ in found)
            raise Misuse(f"{key!r} is a mail of {names}: say which with --name")
        if not found:
            _put(2, f"burstmail: there is no mail {visible(key)}: `burstmail queue` lists those there are\n")
        chosen += found
    return chosen


def _do(do: str, box: Box, found: Letter) -> int:
    if do == "show":
        _put(1, found.shown())
        return OK
    try:
        told = _asked(do, box, found.key)
    except StoreError as error:
        _put(2, f"burstmail: {visible(f'{box.name}: {error}')}\n")
        return UNREADABLE
    _put(1, f"{box.name} {visible(found.name)}: {told}\n")
    return OK


def _asked(do: str, box: Box, key: str) -> str:
    """Have it done, and say by whom."""
    if do == "delete" and (saved := box.store.open()) is not None:
        for trouble in saved.troubles:
            _put(2, f"burstmail: {visible(f'{box.name}: {trouble}')}\n")
        box.store.commit(Change(outbox={key: None}, dead={key: None}))
        box.store.close()
        return "deleted"
    # A kind of entry is called like the action.
    box.store.stage(Entry(kind=do, text=key, wall=SystemClock().time()), sync=True)
    if do == "delete" or box.runs:
        return f"the burstmail that runs will {do} it within a second"
    return "it will be tried as soon as a burstmail of this name starts"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _put(descriptor: int, text: str) -> None:
    """Written past Python's own buffers: who reads the first lines only is not an error."""
    data = memoryview(text.encode("utf-8", "backslashreplace"))
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return
