"""Entry <-> kind and text as they are written.

An entry that says how far its source has come, or what it is, has that in front of its lines, as one line of JSON: one
record, so that there is no moment at which one of them is kept and the other is not.
"""

from __future__ import annotations

from ..core.model import Place
from . import LINES, Entry

# A kind that is written only: read, it is LINES with a place, a source or both.
PLACED = "placed"


def told(entry: Entry) -> tuple[str, str]:
    """Kind and text of an entry, as they are written."""
    if entry.place is None and not entry.source:
        return entry.kind, entry.text
    import json

    head = [*(entry.place or (None, None)), *filter(None, [entry.source])]
    # ASCII, and without a newline of its own.
    return PLACED, f"{json.dumps(head, separators=(',', ':'))}\n{entry.text}"


def entry_from(kind: str, text: str, *, id: int, now: float, wall: float, count: int) -> Entry:
    """The entry that was written so."""
    if kind != PLACED:
        return Entry(id=id, kind=kind, now=now, wall=wall, count=count, text=text)
    head, _, lines = text.partition("\n")
    place, source = _head(head)
    return Entry(id=id, kind=LINES, now=now, wall=wall, count=count, text=lines, place=place, source=source)


def _head(text: str) -> tuple[Place | None, str]:
    import json

    try:
        name, position, *source = json.loads(text)
    except (ValueError, TypeError):
        # A checksum stands for it that we wrote it. Whoever can forge that could leave it out as well.
        return None, ""
    return None if name is None else (str(name), position), str(source[0]) if source else ""
