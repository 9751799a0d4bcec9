"""State -> Burst. What can still be read of a state that fits no stage any more: another version's, or a damaged one.

It looks for the three shapes in which lines wait, an open window, a held burst and a batch that a stage kept, wherever
they stand, and folds those of one route into one digest. Never raises, whatever it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from math import isfinite

from .fold import fold, restored_burst
from .model import Batch, Burst, CloseReason
from .patterns.tally import Tally
from .session import Session
from .shelf import NAME, restored_batch
from .stage import State
from .timeline import Timeline

# No state of ours is nested deeper than a fifth of this.
DEPTH = 50


def salvaged(state: State, now: float, route: str = "", *, batches: bool = True) -> list[Burst]:
    """All lines found, as one burst for each route that leaves at `now`; those that name no route are of this one.

    Without `batches`, those are left alone: see `waiting`.
    """
    found: dict[str, Burst] = {}
    every = [*_bursts(state, "", now, DEPTH), *(as_it_is(batch, now) for batch in (waiting(state) if batches else ()))]
    for burst in sorted(every, key=lambda burst: burst.first):
        burst = replace(burst, route=burst.route or route)
        before = found.get(burst.route)
        found[burst.route] = fold(before, burst) if before else burst
    return [*found.values()]


def waiting(state: State, depth: int = DEPTH) -> Iterator[Batch]:
    """The batches that a stage kept: their lines may not have come by any route yet."""
    if not isinstance(state, list) or not depth:
        return
    if state[:1] == [NAME]:
        with suppress(Exception):  # a state can be wrong in any way; what is no batch holds no lines
            batch = restored_batch(state)
            if _is_sound(as_it_is(batch, 0.0)):
                yield batch
        return
    for part in state:
        yield from waiting(part, depth - 1)


def as_it_is(batch: Batch, now: float) -> Burst:
    """Lines that no stage could take, as a burst of their own."""
    session = Session()
    session.feed(batch, now)
    return session.close(now, CloseReason.FLUSH)


def _bursts(state: State, key: str, now: float, depth: int) -> Iterator[Burst]:
    if not isinstance(state, list) or not depth:
        return
    if (burst := _held(state) or _open(state, key, now)) is not None:
        yield burst
        return
    # A table of windows has rows of key, serial number, window.
    name = state[0] if state and isinstance(state[0], str) else ""
    for place, part in enumerate(state):
        for burst in _bursts(part, name, now, depth - 1):
            yield _until_now(burst, state[place + 1 :], now)


def _until_now(burst: Burst, beside: list[State], now: float) -> Burst:
    """What caps held leaves now. Beside it stand the moments at which the oldest and the newest of it came."""
    with suppress(Exception):  # a state can be wrong in any way; then it does not tell how long it waited
        oldest, newest, _ = beside
        if isfinite(now - oldest) and oldest <= newest <= now:
            return replace(burst, waited=burst.waited + (now - oldest), time=burst.time + (now - newest))
    return burst


def _held(state: list[State]) -> Burst | None:
    return _first_sound(restored_burst, state)


def _open(state: list[State], key: str, now: float) -> Burst | None:
    if state[:1] != ["session"]:
        return None

    def closed(state: list[State]) -> Burst:
        session = Session(key=key)
        older = ["session", 2, *_first_version(*state[2:])] if state[1] == 1 else state
        # A version that is none of ours is perhaps ours all the same, with a number that was damaged.
        session.load(older if state[1] in (1, 2) else ["session", 3, *state[2:]])
        return replace(session.close(now, CloseReason.FLUSH), reason=CloseReason.FLUSH)

    return _first_sound(closed, state)


def _first_version(times: State, born: State, kept: State) -> list[State]:
    """A window as it was dumped before there was a log: the first lines one by one, then chunks; no patterns."""
    head, chunks, full, count, size = kept
    first = "".join(f"{line}\n" for line in head)
    texts = [text for text, _, _ in chunks]
    runs = [[first, [len(first)]], ["".join(texts), [len(text) for text in texts]]]
    return [times, born, [*runs, full, count, size], Tally().dump(), Timeline().dump()]


def _first_sound(burst_of: Callable[[list[State]], Burst], state: list[State]) -> Burst | None:
    """The burst; without its patterns and times, which stand last, if these cannot be read."""
    for found in (state, [*state[:-2], Tally().dump(), Timeline().dump()]):
        try:
            if _is_sound(burst := burst_of(found)):
                return burst
        except Exception:  # a state can be wrong in any way; what is no burst holds no lines
            continue
    return None


def _is_sound(burst: Burst) -> bool:
    times = (burst.first, burst.last, burst.closed, burst.time, burst.waited)
    numbers = all(isinstance(value, int | float) for value in (*times, burst.seq, burst.gone, burst.bursts))
    excerpt = burst.excerpt
    texts = (burst.key, burst.epoch, burst.route, burst.alarm, excerpt.front, excerpt.back)
    text = all(isinstance(part, str) for part in texts)
    missing = burst.count - excerpt.front.count("\n") - excerpt.back.count("\n")
    return numbers and text and burst.count >= 1 and 0 <= missing == excerpt.missing and _adds_up(burst)


def _adds_up(burst: Burst) -> bool:
    """Whether patterns and times tell of as many lines, or of none; making them shows that they can be made."""
    sums = (sum(pattern.count for pattern in burst.patterns) + burst.tally.other, burst.timeline.count)
    return all(total in (0, burst.count) for total in sums) and burst.tally.count == sums[0]
