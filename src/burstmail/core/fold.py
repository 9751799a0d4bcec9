"""Bursts -> Burst. Several become one, and all of them can be written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import StateMismatch
from .excerpt import Excerpt
from .model import Burst, CloseReason, Item, Message
from .stage import State

# So many sources a digest names; the lines of further ones are one sum.
NAMED = 50


def folded(older: Burst, newer: Burst) -> Burst:
    """Both as one: the first line and identity of the older, the end of the newer, the counts of both."""
    return replace(
        older,
        excerpt=older.excerpt.join(newer.excerpt),
        last=max(older.last, newer.last),
        closed=newer.closed,
        time=newer.time,
        reason=newer.reason,
        bursts=older.bursts + newer.bursts,
    )


def digest(bursts: Sequence[Burst]) -> Burst:
    """Bursts of different keys as one that names them. Raises ValueError for none."""
    if not bursts:
        raise ValueError("digest(): no burst to fold")
    parts: dict[str, int] = {}
    whole = bursts[0]
    for burst in bursts:
        for key, count in burst.parts or ((burst.key, burst.count),):
            known = key if key in parts or len(parts) < NAMED else ""
            parts[known] = parts.get(known, 0) + count
        if burst is not bursts[0]:
            whole = folded(whole, burst)
    if "" in parts:
        # The sum of all others stands last.
        parts[""] = parts.pop("")
    return replace(whole, key="", parts=tuple(parts.items()))


def dump_burst(burst: Burst) -> State:
    """As JSON can carry it."""
    times = [burst.first, burst.last, burst.closed, burst.time, burst.waited, burst.resume]
    born = [burst.epoch, burst.seq, burst.gone]
    parts = [list(part) for part in burst.parts]
    return [burst.key, burst.excerpt.dump(), times, burst.reason.value, born, burst.bursts, parts]


def restored_burst(state: State) -> Burst:
    """The dumped burst. Raises StateMismatch for anything else."""
    try:
        key, excerpt, (first, last, closed, time, waited, resume), reason, (epoch, seq, gone), bursts, parts = state
        return Burst(
            key=key,
            excerpt=Excerpt.restored(excerpt),
            first=first,
            last=last,
            closed=closed,
            time=time,
            reason=CloseReason(reason),
            epoch=epoch,
            seq=seq,
            gone=gone,
            bursts=bursts,
            waited=waited,
            resume=resume,
            parts=tuple((name, count) for name, count in parts),
        )
    except (TypeError, ValueError) as error:
        raise StateMismatch(f"this is no dumped burst ({error}); it was not dumped by this version") from None


def dump_item(item: Item) -> State:
    """A burst, or a message with its burst."""
    if isinstance(item, Burst):
        return ["burst", dump_burst(item)]
    data = item.data.decode("latin-1")
    return ["message", dump_burst(item.burst), item.id, item.sender, list(item.recipients), data]


def restored_item(state: State) -> Item:
    """The dumped item."""
    if state[0] == "burst":
        return restored_burst(state[1])
    _, burst, name, sender, recipients, data = state
    return Message(
        id=name,
        sender=sender,
        recipients=tuple(recipients),
        data=data.encode("latin-1"),
        burst=restored_burst(burst),
    )
