"""Spot, Found -> Plan. What is to be read, and from where, after the file we read is no longer what its name leads to.

First the rest of that file, wherever it is now: renamed (the same inode, and our marks in it), or copied (our marks in
another). Then every generation that came after it, in order; then the file that has the name now. Nothing here looks
at a disk: whoever asks says what stat(2) says, and how well our marks fit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import inf

from .follow import TELLING, Fit, Spot
from .generations import Found, Generation, Scheme, holds_nothing, ordered, unpacked

# Compressors keep a file's time to the microsecond only.
_MICRO = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to read, in this order."""

    reads: tuple[tuple[Found, int], ...]
    """A file, and the offset to begin at: of the one we read the first, if it `goes_on`."""
    goes_on: bool
    """Whether the rest of the file we read is there, and among them."""
    lost: bool
    """Whether there was more in it, or may have been, which is not there now."""


def plan(
    spot: Spot,
    files: Sequence[Found],
    fit: Callable[[Found], Fit],
    begins: Callable[[Found, Found], bool],
    *,
    held: bool = False,
    known: Collection[tuple[int, int]] = (),
    since: int = 0,
) -> Plan:
    """What follows on `spot`.

    Args:
        spot: where we are in the file we read.
        files: all in the directory.
        fit: how well the marks of `spot` fit a file.
        begins: whether a file begins with all that is in another, the first.
        held: the file is still open and read to its end in any case: only what comes after it is asked for.
        known: (device, inode) of files that are read already, or have been.
        since: when the last of all that was read was written, in nanoseconds: what is compressed and newer was not.
    """
    own, short = _own(spot, files, fit, held)
    # Of an empty file nothing tells whether it was filled, copied and truncated meanwhile, but that there is a copy.
    unread = not held and not spot.offset
    candidates = _since(spot, own, files) if unread else _after(spot, own, files)
    after = [file for file in candidates if file.status.identity not in known]
    if len(after) > 1 and after[-2] is not own and _copied_now(after[-2], after[-1], begins):
        del after[-2]
    if spot.offset >= TELLING:
        # Somebody's copy of what we have read.
        after = [file for file in after if file.live or fit(file) is not Fit.FULL]
    reads = [(file, 0) for file in after]
    if own is not None and not (short or held or unread):
        reads.insert(0, (own, spot.offset))
    whole = own is not None or (unread and any(not file.live for file in after))
    # An inode of which nothing was read may be another file's by now.
    blind = own is None or unread
    return Plan(
        reads=tuple(reads),
        goes_on=whole and not short and not held,
        lost=not held
        and ((not whole and spot.size > spot.offset) or (blind and _packed(max(since, spot.time), files))),
    )


def _copied_now(file: Found, live: Found, begins: Callable[[Found, Found], bool]) -> bool:
    """Whether it is a copy of the live one, which is not truncated yet."""
    # What was renamed while it was empty is older than what has its name now; and it may still be written to.
    empty = not live.status.size and file.status.time <= live.status.time
    return live.live and not empty and begins(file, live)


def _fits_own(spot: Spot, file: Found, fit: Callable[[Found], Fit]) -> bool:
    # A log does not shrink: what is shorter than it was has begun anew, even if it begins as it did.
    return file.status.size >= spot.size and fit(file) is Fit.FULL


def _own(spot: Spot, files: Sequence[Found], fit: Callable[[Found], Fit], held: bool) -> tuple[Found | None, bool]:
    """The file that we read; and whether it ends before our place."""
    # What is compressed is another file, even if the inode is used again.
    same = [
        file for file in files if file.status.identity == spot.identity and (file.generation is None or _plain(file))
    ]
    if held:
        return (same[0] if same else None), False
    same = [file for file in same if _fits_own(spot, file, fit)]
    if same:
        return same[0], False
    if not spot.marks:
        return None, False
    # What is older than our beginning is not ours, even if it begins alike.
    copies = [file for file in files if _plain(file) and file.status.time >= spot.since]
    copies.sort(key=lambda file: file.status.time)
    live = [file for file in files if file.live]
    fits = {file.name: fit(file) for file in copies + live}
    for file in copies + live:
        if fits[file.name] is Fit.FULL and file.status.size >= (spot.size if file.live else 0):
            return file, False
    shorter = [file for file in copies if fits[file.name] is Fit.SHORT]
    return (shorter[0], True) if shorter else (None, False)


def _plain(file: Found) -> bool:
    return file.generation is not None and not file.generation.packed


def _later(spot: Spot, file: Found) -> bool:
    """Whether a generation of which nothing else is known came after us."""
    made = file.generation
    # Before an extension, a number may mean anything.
    strange = made is not None and made.inner and made.scheme is Scheme.NUMBER
    return _plain(file) and not strange and file.status.time > spot.time


def _after(spot: Spot, own: Found | None, files: Sequence[Found]) -> list[Found]:
    if own is not None and own.live:
        return []
    made = None if own is None else own.generation
    live = [file for file in files if file.live]
    if own is None or made is None:
        return _since(spot, None, files)
    alike = [file for file in files if (other := file.generation) and _plain(file) and _kind(other) == _kind(made)]
    row = ordered(alike)
    return [*row[row.index(own) + 1 :], *live]


def _since(spot: Spot, own: Found | None, files: Sequence[Found]) -> list[Found]:
    """What was written after we last looked, and the file itself if it is among the generations; then the live one."""
    later = [file for file in files if _later(spot, file) or (file is own and not file.live)]
    schemes = {file.generation.scheme for file in later if file.generation}
    row = ordered(later) if len(schemes) < 2 else sorted(later, key=lambda file: file.status.time)
    return [*row, *(file for file in files if file.live)]


def _kind(made: Generation) -> tuple[Scheme, bool]:
    return made.scheme, made.inner


def _packed(since: int, files: Sequence[Found]) -> bool:
    """Whether there is a compressed file of which the content was written later."""
    plain = {file.name: file.status.time for file in files if _plain(file)}
    return any(
        file.status.time // _MICRO > since // _MICRO
        for file in files
        if file.generation
        and file.generation.packed
        and not holds_nothing(file)
        # While it is made, its time is that of its making. It gets the content's own only then, and what it was
        # made of is removed last: gzip, xz and logrotate alike.
        and file.status.time < plain.get(unpacked(file.name), inf)
    )
