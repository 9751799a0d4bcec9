"""Burst + Burst -> Burst. Several bursts as one, and items as JSON can carry them.

A fold keeps every count and the identity of the oldest first line. Bursts of different keys become a digest: key '',
with a tally of lines per key. Limit: SOURCES keys in the tally; the lines of all others are counted together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .excerpt import Excerpt
from .model import Burst, CloseReason, Item, Message, Outage, spanning
from .patterns.tally import Tally
from .timeline import Timeline
from .whence import counted, restored

# What stands in a dump behind the identity, in this order: what comes new comes last.
TOLD = ("route", "below", "urgent", "sooner", "alarm", "sources", "ran", "outcome", "failed")
# More than a person reads, and few enough to keep in memory for as long as a digest waits.
SOURCES = 50


def fold(older: Burst, newer: Burst) -> Burst:
    """Both as one burst, a digest if their keys differ. Its `time` is that of the newer one."""
    digest = older.key != newer.key or older.parts or newer.parts
    return replace(
        newer,
        key="" if digest else newer.key,
        excerpt=older.excerpt.join(newer.excerpt),
        **_span(older, newer),
        epoch=spanning(older.epoch, newer.epoch),
        seq=older.seq,
        gone=older.gone,
        bursts=older.bursts + newer.bursts,
        waited=older.waited,
        paused=older.paused,
        parts=counted((*sources(older), *sources(newer)), SOURCES) if digest else (),
        outage=newer.outage or older.outage,
        notes=tuple(dict.fromkeys((*older.notes, *newer.notes))),
        tally=_tallied(older, newer),
        timeline=older.timeline.join(newer.timeline),
        below=older.below + newer.below,
        urgent=older.urgent or newer.urgent,
        alarm=older.alarm or newer.alarm,
        sources=counted((*older.sources, *newer.sources)),
        ran=newer.ran or older.ran,
        outcome=newer.outcome or older.outcome,
        failed=older.failed or newer.failed,
    )


def _span(older: Burst, newer: Burst) -> dict[str, Any]:
    """In a digest the older burst need not hold the older line."""
    return {"first": min(older.first, newer.first), "last": max(older.last, newer.last)}


def emptied(burst: Burst) -> Burst:
    """Which burst it was, and when, without its lines and what is told of them."""
    excerpt = Excerpt.of((), keep=burst.excerpt.keep)
    told = replace(burst, resume=None, parts=(), outage=None, notes=(), alarm="", sources=())
    return replace(told, excerpt=excerpt, tally=Tally(), timeline=Timeline())


def _tallied(older: Burst, newer: Burst) -> Tally:
    first, second = older.tally, newer.tally
    if not first.count and not second.count:
        return first
    # One of them may be from a time when patterns were off: its lines are in none.
    return first.skipping(older.count - first.count).join(second.skipping(newer.count - second.count))


def sources(burst: Burst) -> tuple[tuple[str, int], ...]:
    """(key, lines) for each key of a burst; '' stands for lines whose key is not known any more, or that have none."""
    return burst.parts or ((burst.key, burst.count),)


def dump_burst(burst: Burst) -> list[Any]:
    """The burst, as JSON can carry it."""
    told = {name: getattr(burst, name) for name in TOLD} | {"sources": list(map(list, burst.sources))}
    return [
        burst.key,
        burst.excerpt.dump(),
        [burst.first, burst.last, burst.closed, burst.time],
        burst.reason.value,
        [burst.epoch, burst.seq, burst.gone, *told.values()],
        burst.bursts,
        [burst.waited, burst.paused],
        burst.resume,
        [list(part) for part in burst.parts],
        [burst.outage.since, burst.outage.until, burst.outage.mails] if burst.outage else None,
        list(burst.notes),
        burst.tally.dump(burst.excerpt.whole),
        burst.timeline.dump(),
    ]


def restored_burst(state: list[Any]) -> Burst:
    """The dumped burst."""
    key, excerpt, times, reason, (epoch, seq, gone, *told), *rest = state
    bursts, (waited, paused), resume, parts, outage, notes, *counts = rest
    # Dumped before there were patterns and times, it has none.
    tally, timeline = counts or (Tally().dump(), Timeline().dump())
    kept = Excerpt.restored(excerpt)
    return Burst(
        key=key,
        excerpt=kept,
        **dict(zip(("first", "last", "closed", "time"), times, strict=True)),
        reason=CloseReason(reason),
        epoch=epoch,
        seq=seq,
        gone=gone,
        bursts=bursts,
        waited=waited,
        paused=paused,
        resume=resume,
        parts=tuple((name, lines) for name, lines in parts),
        outage=Outage(since=outage[0], until=outage[1], mails=outage[2]) if outage else None,
        notes=tuple(notes),
        tally=Tally.restored(tally, text=kept.whole),
        timeline=Timeline.restored(timeline),
        **_told(told),
    )


def _told(values: list[Any]) -> dict[str, Any]:
    """Absent is what was dumped before there was such a thing: routes, sources."""
    told = dict(zip(TOLD, values, strict=False))
    return {**told, "sources": restored(told.get("sources", ()))}


def dump_item(item: Item) -> list[Any]:
    """A message or a burst, as JSON can carry it."""
    if isinstance(item, Burst):
        return ["burst", dump_burst(item)]
    # A mail is ASCII; latin-1 carries any byte all the same.
    data = item.data.decode("latin-1")
    return ["message", item.id, item.sender, list(item.recipients), data, dump_burst(item.burst)]


def restored_item(state: list[Any]) -> Item:
    """The dumped message or burst."""
    if state[0] == "burst":
        return restored_burst(state[1])
    _, name, sender, recipients, data, burst = state
    return Message(
        id=name,
        sender=sender,
        recipients=tuple(recipients),
        data=data.encode("latin-1"),
        burst=restored_burst(burst),
    )
