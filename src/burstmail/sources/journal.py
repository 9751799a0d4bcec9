"""The systemd journal -> Batch. What journald has, as syslog lines; read through journalctl(1), which follows it.

The position is the cursor of the last entry. It is in each Batch, so that whoever keeps the lines keeps it with them;
nothing is lost or repeated when journalctl ends, which is started again, or when we do. Told to close, it reads what
journalctl has said by then; the rest stays in the journal.
Limits: 64 KiB a line; an entry of more than 1 MiB, as JSON, is told of and not shown.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from ..core.entries import Entries
from ..core.escape import one_line
from ..core.journal import usable
from ..core.kinds import numbers, paths, zones
from ..core.model import Batch
from ..core.words import plural
from .bell import Bell
from .journalctl import Journalctl, boots, command, grouped

logger = logging.getLogger("burstmail")

# How often another process that has the store is asked for its positions, in seconds.
ASK = 1.0

# journalctl ends when files go away under it, and can be started again at once; where it cannot be, as on a full
# process table, trying again must cost nothing. Seconds, doubling from entry to entry that does not come.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


class JournalSource:
    """Entries of the journal that fit the matches (`_SYSTEMD_UNIT=ssh.service`), as journalctl(1) takes them; or all.

    Args:
        matches: several of one field: any of them; of several fields: all; `+` between two groups: one of the groups.
        directory: a directory of journal files, for example those of other machines; the machine's own by default.
        name: what its position is saved under; made of the directory and the matches by default. No two sources of one
            store may share it.
        start: where to begin without a saved position: at the "end", or at the "beginning" of what the journal has.
        journalctl: the program, a name or a path.
        bound: the longest line in bytes.
        zone: of the times in the lines; the machine's own by default.

    Raises ValueError for a match that is none, FileNotFoundError when there is no journalctl. What goes wrong later is
    logged and tried again, in pauses of 1 s to 60 s.
    """

    def __init__(
        self,
        *matches: str,
        directory: str | os.PathLike[str] | None = None,
        name: str | None = None,
        start: str = "end",
        journalctl: str | os.PathLike[str] = "journalctl",
        bound: int = 65536,
        zone: tzinfo | None = None,
    ) -> None:
        if start not in ("end", "beginning"):
            raise ValueError(f'start={start!r}: must be "end" or "beginning"')
        numbers(bound=bound)
        paths(journalctl=journalctl, **{} if directory is None else {"directory": directory})
        zones(zone=zone)
        self._groups = grouped(matches)
        self._directory = None if directory is None else os.fspath(directory)
        self._program = _found(os.fspath(journalctl))
        self._place = f"journal:{name or ' '.join([self._directory or 'local', *matches])}"
        self._starts_at_end = start == "end"
        self._bound, self._zone = bound, zone
        self._places: Callable[[], Mapping[str, Any] | None] = dict
        self._resumes = False
        self._bell = Bell()
        # What has become of the last journalctl; how long to wait before the next; and whether a gap was told of.
        self._why, self._pause, self._told = "", FIRST_PAUSE, False
        self._boots: list[str] = []

    def resume(self, places: Callable[[], Mapping[str, Any] | None]) -> None:
        """Before it is iterated: where to ask for the saved position; None says that another process reads."""
        self._places, self._resumes = places, True

    def close(self) -> None:
        """End soon. Safe in a signal handler and in any thread; once closed it stays so."""
        self._bell.ring()

    def __iter__(self) -> Iterator[Batch]:
        """Batches until it is closed; each with the cursor of its last entry as its place."""
        self._boots = boots(self._program)
        cursor = self._begin()
        if cursor is None:
            return
        if self._resumes:
            # Where it began: what comes before the first entry is kept would be missed by the next start otherwise.
            yield Batch(text="", count=0, place=(self._place, cursor))
        while not self._bell.rung:
            entries = self._entries(cursor)
            yield from self._run(entries, "--follow", "--no-tail", *([f"--cursor={cursor}"] if cursor else []))
            cursor = entries.cursor
            if entries.read:
                self._pause = FIRST_PAUSE
            self._rest()

    def _begin(self) -> str | None:
        """The cursor to read on from, "" for the beginning; None when it is closed before that is known."""
        while (places := self._places()) is None:
            if self._bell.wait(ASK):
                return None
        if self._place in places:
            saved = places[self._place]
            if saved == "" or usable(saved):
                return str(saved)
            logger.error("the saved position in the journal is no cursor, and not used: %s", one_line(repr(saved)))
        return self._end() if self._starts_at_end else ""

    def _end(self) -> str | None:
        """The cursor of the last entry there is; "" when there is none: then the end is the beginning."""
        while not self._bell.rung:
            entries = self._entries("")
            for _ in self._run(entries, "--lines=1"):
                pass
            if self._why == "has ended with status 0":
                return entries.cursor
            self._rest()
        return None

    def _entries(self, cursor: str) -> Entries:
        return Entries(self._place, cursor, bound=self._bound, zone=self._zone)

    def _run(self, entries: Entries, *options: str) -> Iterator[Batch]:
        """All that one journalctl says; `_why` is then what has become of it."""
        try:
            told = command(self._program, self._groups, self._directory, *options, *self._boots)
            child = Journalctl(told, self._bell, _remark)
        except OSError as error:
            self._why = f"cannot be started: {error}"
            return
        try:
            for data in child:
                batch, missing = entries.feed(data), entries.missing
                if missing and not self._told:
                    logger.error("the journal no longer has the entry that was read last: others may be lost with it")
                self._told = missing
                if batch:
                    yield batch
        finally:
            self._why = _ending(child.end())
            if entries.strange:
                logger.warning("%s from journalctl made no sense, and are left out", plural(entries.strange, "line"))

    def _rest(self) -> None:
        """Say what has become of journalctl, and wait before the next."""
        if self._bell.rung:
            return
        logger.warning("journalctl %s; it is started again in %g s, and goes on where it was", self._why, self._pause)
        self._bell.wait(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)


def _remark(line: str) -> None:
    logger.warning("journalctl says: %s", one_line(line))


def _ending(status: int | None) -> str:
    if status is None:
        return "could not be ended"
    return f"was ended by signal {-status}" if status < 0 else f"has ended with status {status}"


def _found(program: str) -> str:
    from shutil import which

    if (path := which(program)) is None:
        raise FileNotFoundError(f"no {program} on this machine: it comes with systemd; read a file or a socket instead")
    return path
