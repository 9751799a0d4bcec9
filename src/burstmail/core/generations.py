"""Names -> order. What a rotated file is called, and which of several is the older one.

`app.log` becomes `app.log.1`, `app.log-20261123`, `app.log.2026-11-23_10`, `app.log.old`; or `app.1.log`,
`app-20261123.log`, where the extension stays. Numbers count into the past, dates forward. Anything else (`.bak`, `~`,
`.swp`) is somebody's copy and no generation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from .follow import Status

# What a compressor adds. Also logrotate's own, while it is at work.
_PACKED = re.compile(r"\.(?:gz|bz2|xz|lzma|zst|zstd|lz4|lz|lzo|br|zip|Z|tmp|part)\Z")
_NUMBER = re.compile(r"[.-][0-9]{1,5}\Z")
# A date, perhaps with a time, a zone, and a counter; or seconds since 1970.
_DATE = re.compile(
    r"[.-](?:19|20)[0-9]{2}-?[01][0-9](?:-?[0-3][0-9])?(?:[T_.-]?[0-9:_-]{1,16}Z?)?(?:\.[0-9]{1,5})?\Z|[.-][0-9]{9,19}\Z"
)
# What they make of nothing, in bytes (gzip reads from a pipe where logrotate calls it); of anything, it is more.
_NOTHING = {".gz": 20, ".bz2": 14, ".xz": 32, ".lz4": 15}
_LONGEST = 64
_OLD = re.compile(r"[._-](?:old|OLD|prev|previous)\Z")


class Scheme(Enum):
    """How generations are told apart."""

    NUMBER = "number"
    DATE = "date"
    OLD = "old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What the name of a rotated file says."""

    scheme: Scheme
    part: str
    """What was put into the name."""
    inner: bool
    """Whether it stands before the extension: such a name may also be that of a log of its own (`worker-2.log`)."""
    packed: bool
    """Whether it is compressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file in the directory of the one that is followed."""

    name: str
    status: Status
    generation: Generation | None = None
    """None: it has another name; or it is the one that is followed."""
    live: bool = False
    """Whether it has the name that is followed."""


def packed(name: str) -> bool:
    """Whether it is the name of a compressed file."""
    return _PACKED.search(name) is not None


def unpacked(name: str) -> str:
    """The name without what a compressor adds to it."""
    return _PACKED.sub("", name)


def holds_nothing(file: Found) -> bool:
    """Whether it is compressed, and what was compressed was empty, as far as its size tells."""
    found = _PACKED.search(file.name)
    return found is not None and file.status.size <= _NOTHING.get(found[0], 0)


def generation(base: str, name: str) -> Generation | None:
    """What `name` is to `base`, both without a directory; None when it is no generation of it."""
    plain = unpacked(name)
    if plain.startswith(base) and (made := _made(plain[len(base) :], name != plain, False)):
        return made
    stem, dot, extension = base.rpartition(".")
    ending = dot + extension
    if not stem or not plain.startswith(stem) or not plain.endswith(ending) or len(plain) <= len(base):
        return None
    return _made(plain[len(stem) : -len(ending)], name != plain, True)


def origins(name: str) -> list[str]:
    """What a file may have been called before it was rotated; not where its extension would have stayed in place."""
    first = max(1, len(name) - _LONGEST)
    cuts = [place for place in range(first, len(name)) if name[place] in "._-"]
    return [name[:cut] for cut in cuts if _made(name[cut:], False, False)]


def _made(part: str, packed: bool, inner: bool) -> Generation | None:
    schemes = ((Scheme.NUMBER, _NUMBER), (Scheme.DATE, _DATE), (Scheme.OLD, _OLD))
    for scheme, pattern in schemes:
        if len(part) <= _LONGEST and pattern.match(part):
            return Generation(scheme=scheme, part=part, inner=inner, packed=packed)
    return None


def ordered(files: Sequence[Found]) -> list[Found]:
    """Generations of one scheme, the oldest first."""
    by_name = sorted(files, key=_key)
    # Some count upwards until they are full (log4j2): then the times say so.
    if _counted(by_name) and all(a.status.time > b.status.time for a, b in pairwise(by_name)):
        by_name.reverse()
    return by_name


def _counted(files: Sequence[Found]) -> bool:
    return len(files) > 1 and all(file.generation and file.generation.scheme is Scheme.NUMBER for file in files)


def _key(file: Found) -> tuple[tuple[int, ...], int]:
    made = file.generation
    if made is None or made.scheme is Scheme.OLD:
        return (), file.status.time
    numbers = tuple(map(int, re.findall("[0-9]+", made.part)))
    return (tuple(-number for number in numbers) if made.scheme is Scheme.NUMBER else numbers), file.status.time
