"""Arguments -> what waits and what is dead, over all names; shown, tried again, deleted, checked by a monitor.

It looks without disturbing: a burstmail that runs keeps its store, and is asked to do what it alone may do. It does so
within a second. Where none runs, a deletion is made here, and a retry is left for the next start.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from burstmail import Change, Entry, FileStore, StoreError, SystemClock

from .channel import visible
from .commands import parse_queue
from .configuration import read
from .letters import Letter, letter, listing
from .options import Misuse
from .owner import entered
from .place import default_root, name_of_file

OK = 0
ALARM = 1
NO_SUCH = 66
UNREADABLE = 74
DATABASE = "store.db"
# What `check` lets a mail wait, in seconds: the longest rests of the destination are half an hour.
LATE = 3600.0
HINT = "; run this as the user that burstmail runs as"


class NoSuch(Exception):
    """What was named is not there: one line says what is."""


class Unreadable(Exception):
    """The state directory cannot be looked into: one line says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What one name keeps."""

    name: str
    store: FileStore
    letters: list[Letter]
    held: int
    lines: int
    follows: bool
    runs: bool

    def told(self) -> str:
        """A line about the name, then its letters."""
        dead = sum(found.dead for found in self.letters)
        counts = f"{_number(len(self.letters) - dead, 'mail')} waiting, {dead} dead"
        if self.held:
            counts += f"; {_number(self.held, 'line')} open or held"
        if self.lines:
            counts += f"; {_number(self.lines, 'line')} in the journal"
        note = "" if self.runs else "; no burstmail of this name runs"
        return f"{self.name}: {counts}{note}\n" + "".join(listing(self.letters))


def _told(boxes: Sequence[Box]) -> str:
    """A part for each name; those with nothing in them together, for each job has one of its own."""
    idle = [box for box in boxes if not (box.letters or box.held or box.lines or box.follows or box.runs)]
    if len(idle) < 2:
        return "".join(box.told() for box in boxes)
    names = ", ".join(box.name for box in idle)
    told = "".join(box.told() for box in boxes if box not in idle)
    return f"{told}nothing is kept under {names}; no burstmail of these names runs\n"


def command(arguments: Sequence[str]) -> int:
    """`burstmail queue`: do what is asked, and return the exit status."""
    options = parse_queue(arguments)
    config = options.pop("config")
    if config is not None:
        # What is said beside the file wins over it, as everywhere.
        said = read(config)
        options["state"] = options["state"] or said.get("state")
        options["name"] = options["name"] or said.get("name") or name_of_file(config, {})
    return queue(**options)


def queue(do: str, keys: Sequence[str], *, all: bool, state: str | None, name: str | None) -> int:
    """Do one of list, check, show, retry, delete, and return the exit status."""
    try:
        root = _root(state)
        boxes, troubles = kept_in(entered(root), name, given=state is not None, shown=root)
    except (NoSuch, Unreadable) as error:
        if do == "check":
            return _said(str(error), good=False)
        _put(2, f"burstmail: {visible(str(error))}\n")
        return NO_SUCH if isinstance(error, NoSuch) else UNREADABLE
    if do == "check":
        return _check(boxes, troubles)
    for trouble in troubles:
        _put(2, f"burstmail: {visible(trouble)}\n")
    status = UNREADABLE if troubles else OK
    if do == "list":
        nothing = "" if troubles else f"nothing is kept in {visible(root)}\n"
        _put(1, _told(boxes) or nothing)
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


def kept_in(root: str, only: str | None, *, given: bool, shown: str = "") -> tuple[list[Box], list[str]]:
    """What is kept under each name, and what could not be read. `shown` is what the directory is called outside."""
    shown = shown or root
    names = _names(root, given=given)
    if only is not None and only not in names:
        raise NoSuch(f"nothing is kept under {only} in {shown}: the names there are {', '.join(names) or 'none'}")
    boxes: list[Box] = []
    troubles: list[str] = []
    for name in names if only is None else [only]:
        place = os.path.join(root, name)
        store = FileStore(place)
        try:
            kept = store.listing()
        except StoreError as error:
            troubles.append(f"{name}: {error}".replace(place, os.path.join(shown, name)))
            continue
        if kept.damage:
            troubles.append(f"{name}: the store is damaged, and mended at the next start: {kept.damage}")
        asked = set(kept.asked)
        letters = [letter(key, row, dead=False, asked=key in asked) for key, row in kept.waiting]
        letters += [letter(key, row, dead=True, asked=key in asked) for key, row in kept.dead]
        counts = {"held": kept.held, "lines": kept.lines}
        box = Box(name=name, store=store, letters=letters, follows=kept.follows, runs=_runs(place), **counts)
        boxes.append(box)
    return boxes, troubles


def _names(root: str, *, given: bool) -> list[str]:
    try:
        return [name for name in sorted(os.listdir(root)) if _is_store(os.path.join(root, name))]
    except FileNotFoundError:
        if given:
            raise NoSuch(f"there is no directory {root}") from None
        # Nothing was ever kept here.
        return []
    except OSError as error:
        hint = HINT if isinstance(error, PermissionError) else ""
        raise Unreadable(f"cannot read {root}: {error.strerror}{hint}") from None


def _is_store(place: str) -> bool:
    try:
        os.lstat(os.path.join(place, DATABASE))
    except OSError as error:
        # What may not be looked into is told of when it is read.
        return isinstance(error, PermissionError)
    return True


def _check(boxes: Sequence[Box], troubles: Sequence[str]) -> int:
    """One line for a monitor: whether nothing is dead, nothing waits for too long, and all can be read."""
    wall = SystemClock().time()
    letters = [found for box in boxes for found in box.letters]
    dead = sum(found.dead for found in letters)
    waiting = [found for found in letters if not found.dead]
    late = sum(found.older(LATE, wall) for found in waiting)
    told = f"{_number(len(waiting), 'mail')} waiting, {late} of them for more than an hour, {dead} dead; "
    told += f"{_number(sum(box.held for box in boxes), 'line')} open or held"
    return _said("; ".join([told, *troubles]), good=not (dead or late or troubles))


def _said(words: str, *, good: bool) -> int:
    _put(1, f"{'OK' if good else 'NOT OK'}: {visible(words)}\n")
    return OK if good else ALARM


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
