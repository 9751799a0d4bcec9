"""Entry <-> kind and text as they are written.

An entry that says how far its source has come has that in front of its lines, as one line of JSON: one record, so that
there is no moment at which one of them is kept and the other is not.
"""

from __future__ import annotations

from ..core.model import Place
from . import LINES, Entry

# A kind that is written only: read, it is LINES with a place.
PLACED = "placed"


def told(entry: Entry) -> tuple[str, str]:
    """Kind and text of an entry, as they are written."""
    if entry.place is None:
        return entry.kind, entry.text
    import json

    # ASCII, and without a newline of its own.
    return PLACED, f"{json.dumps(entry.place, separators=(',', ':'))}\n{entry.text}"


def entry_from(kind: str, text: str, *, id: int, now: float, wall: float, count: int) -> Entry:
    """The entry that was written so."""
    if kind != PLACED:
        return Entry(id=id, kind=kind, now=now, wall=wall, count=count, text=text)
    head, _, lines = text.partition("\n")
    return Entry(id=id, kind=LINES, now=now, wall=wall, count=count, text=lines, place=_place(head))


def _place(text: str) -> Place | None:
    import json

    try:
        name, position = json.loads(text)
    except (ValueError, TypeError):
        # A checksum stands for it that we wrote it. Whoever can forge that could leave it out as well.
        return None
    return str(name), position
