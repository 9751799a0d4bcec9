"""The laws every stage keeps (docs/design.md), as functions for any stage: each raises AssertionError when broken.

`make` gives a fresh stage. A script is a list of (gap, item): after `gap` seconds, feed the item, or FLUSH, or, for a
stage that can, PAUSE and RESUME. Every run ends with a long silence and a drain. What comes out is compared step by
step, with the moment at which it came where a run knows it: one that polls at every deadline does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Final, TypeAlias

from burstmail.core.chain import Joined
from burstmail.core.model import Batch
from burstmail.core.stage import Stage

AnyStage: TypeAlias = Stage[Any, Any]
Make: TypeAlias = Callable[[], AnyStage]
Script: TypeAlias = Sequence[tuple[float, Any]]
Told: TypeAlias = list[list[tuple[float, Any]]]
Wake: TypeAlias = Callable[[AnyStage, float, float], list[tuple[float, Any]]]

# Commands are named for the method they call.
FLUSH: Final = "flush"
PAUSE: Final = "pause"
RESUME: Final = "resume"
SILENCE = 1e5
# Deadlines between two items; more than any small script has.
SPIN = 1000


def give(stage: AnyStage, item: Any, now: float) -> Sequence[Any]:
    """One step of a script: the command, or the item."""
    made: Sequence[Any] = getattr(stage, item)(now) if isinstance(item, str) else stage.feed(item, now)
    return made


def at_every_deadline(stage: AnyStage, since: float, now: float) -> list[tuple[float, Any]]:
    """The exact driver: it knows when each thing left."""
    out: list[tuple[float, Any]] = []
    for _ in range(SPIN):
        if (due := stage.deadline) > now:
            return out
        assert due >= since, f"due at {due}, before the {since} that has passed"
        out += [(due, made) for made in stage.poll(due)]
        assert stage.deadline > due, f"due at {stage.deadline} after poll({due}): a driver would spin"
    raise AssertionError(f"{SPIN} deadlines up to {now}: a driver would spin")


def never(stage: AnyStage, since: float, now: float) -> list[tuple[float, Any]]:
    """No poll at all: feed has to see to what is due."""
    return []


def late(stage: AnyStage, since: float, now: float) -> list[tuple[float, Any]]:
    """One poll, just before the item."""
    return [(now, made) for made in stage.poll(now)]


def often(stage: AnyStage, since: float, now: float) -> list[tuple[float, Any]]:
    """Polls when nothing is due as well, and twice."""
    moments = [since, since + (now - since) / 3, since + (now - since) / 2, now, now]
    return [(moment, made) for moment in moments for made in stage.poll(min(moment, now))]


def same(stage: AnyStage) -> AnyStage:
    """The stage itself."""
    return stage


def play(
    make: Make, script: Script, wake: Wake = at_every_deadline, after: Callable[[AnyStage], AnyStage] = same
) -> Told:
    """What comes out, with its moment: one list per step, then those of the silence and of the drain."""
    stage, now = make(), 0.0
    told: Told = []
    for gap, item in script:
        before, now = now, now + gap
        out = wake(stage, before, now)
        stage = after(stage)
        told.append(out + [(now, thing) for thing in give(stage, item, now)])
        stage = after(stage)
    end = now + SILENCE
    told.append(wake(stage, now, end) or [(end, thing) for thing in stage.poll(end)])
    told.append([(end, thing) for thing in after(stage).drain(end)])
    return told


def left(make: Make, script: Script) -> list[tuple[float, Any]]:
    """(moment, thing) for all that comes out under an exact driver, the drain's as well."""
    return [pair for step in play(make, script) for pair in step]


def lines_of(thing: Any) -> int:
    """Lines of whatever flows: an attempt counts the lines of its item."""
    return int(thing.count if hasattr(thing, "count") else thing.item.count)


def poll_law(make: Make, script: Script) -> None:
    """Law 1: polling more often, late, or not at all between inputs changes nothing."""
    wanted = _things(play(make, script))
    for wake in (never, late, often):
        found = _things(play(make, script, wake))
        assert found == wanted, f"polled {wake.__name__}: {_difference(found, wanted)}"


def conservation(make: Make, script: Script) -> None:
    """Law 2: lines in = lines out + lines held + lines that are counted as having ended, after every call.

    And what a burst tells of its lines adds up; and of no more lines below a threshold is told than have ended there.
    """
    stage, now, taken, told = make(), 0.0, 0, 0

    def settle(out: Sequence[Any]) -> None:
        nonlocal taken, told
        for thing in out:
            taken -= lines_of(thing)
            burst = getattr(thing, "burst", thing)
            told += getattr(burst, "below", 0)
            if hasattr(burst, "elided"):
                adds_up(burst)
        over = ended(stage)
        assert stage.held + over == taken, f"{stage.held} lines held at {now}, {over} over, {taken} not given out"
        assert told <= over, f"{told} lines told as below, {over} were"

    for gap, item in script:
        before, now = now, now + gap
        settle([thing for _, thing in at_every_deadline(stage, before, now)])
        taken += 0 if isinstance(item, str) else item.count
        settle(give(stage, item, now))
    settle(stage.drain(now))
    assert (stage.held, stage.deadline) == (0, inf), "something is left after drain()"


def ended(stage: AnyStage) -> int:
    """Lines that a stage has counted as below its threshold, or refused."""
    if isinstance(stage, Joined):
        return ended(stage.first) + ended(stage.second)
    return int(getattr(stage, "below", 0) + getattr(stage, "refused", 0))


def adds_up(burst: Any) -> None:
    """Lines shown and left out, kept and missing, by pattern, by severity and by time: all are the burst's lines."""
    assert burst.elided >= 0, f"{burst.elided} lines left out"
    front, missing, back = burst.excerpt.log()
    told = {
        "kept and missing": front.count("\n") + missing + back.count("\n"),
        "patterns and other": sum(pattern.count for pattern in burst.patterns) + burst.tally.other,
        "timeline": burst.timeline.count,
    }
    assert set(told.values()) == {burst.count}, f"{told} of {burst.count} lines"
    assert sum(burst.tally.severities.values()) <= burst.count


def progress(make: Make, script: Script) -> None:
    """Law 3: after feed, poll or flush at `now`, the deadline is later than `now`."""
    stage, now = make(), 0.0

    def check(call: str) -> None:
        assert stage.deadline > now, f"due at {stage.deadline} after {call}({now}): a driver would spin"

    for gap, item in script:
        now += gap
        give(stage, item, now)
        check("feed or flush")
        if stage.deadline - now < gap:
            now = stage.deadline
        stage.poll(now)
        check("poll")
    at_every_deadline(stage, now, now + SILENCE)
    stage.flush(now + SILENCE)


def cap_law(make: Make, script: Script, limits: Sequence[tuple[int, float]]) -> None:
    """Law 4: t[i + count] >= t[i] + per, exactly, for all that leaves before the drain."""
    moments = [moment for step in play(make, script)[:-1] for moment, _ in step]
    for count, per in limits:
        for early, other in zip(moments, moments[count:], strict=False):
            assert other >= early + per, f"{count + 1} left from {early} to {other}, within {per} s"


def order(make: Make, script: Script, key: Callable[[str], str]) -> None:
    """Law 5: lines of one key keep their order, in a burst and from burst to burst. All lines of a script differ."""
    items = [item for _, item in script if not isinstance(item, str)]
    arrived = {line: place for place, line in enumerate(line for item in items for line in shown(item))}
    last: dict[str, int] = {}
    for _, thing in left(make, script):
        for line in shown(thing):
            place = arrived[line]
            assert place > last.get(key(line), -1), f"{line!r} came out after a later line of its key"
            last[key(line)] = place


def shown(thing: Any) -> Sequence[str]:
    """The lines of a batch, or those a burst shows."""
    if isinstance(thing, Batch):
        return thing.lines
    burst = getattr(thing, "burst", thing)
    return (*burst.head, *burst.tail)


def dump_law(make: Make, script: Script) -> None:
    """Law 6: a fresh stage that loads the dump, by way of JSON, goes on as the old one; at every single step."""
    wanted = play(make, script)

    def reborn(stage: AnyStage) -> AnyStage:
        state = json.dumps(stage.dump(), allow_nan=False)
        fresh = make()
        fresh.load(json.loads(state))
        assert json.dumps(fresh.dump()) == state, "what was loaded dumps differently"
        assert (fresh.deadline, fresh.held) == (stage.deadline, stage.held)
        return fresh

    found = play(make, script, after=reborn)
    assert found == wanted, f"dumped and loaded: {_difference(found, wanted)}"


def batch_law(make: Make, script: Script) -> None:
    """Law 7: a batch gives what its lines one by one would give; and where batches come out, these line by line."""
    singles: list[tuple[float, Any]] = []
    for gap, item in script:
        parts = [item] if isinstance(item, str) else _lines(item)
        # A batch without lines still lets its time pass.
        singles += [(0.0 if place else gap, part) for place, part in enumerate(parts)]
    found, wanted = (_by_line(left(make, steps)) for steps in (singles, script))
    assert found == wanted, f"line by line: {_difference([found], [wanted])}"


def pause_law(make: Make, script: Script) -> None:
    """Nothing leaves in a pause; and pauses of no length, or within another, change nothing."""
    busy: list[tuple[float, Any]] = []
    paused = False
    for (gap, item), out in zip(script, play(make, script), strict=False):
        assert item is RESUME or not (paused and out), f"{out} left in a pause"
        paused = item is PAUSE or (paused and item is not RESUME)
        busy += [(gap, item), (0.0, PAUSE)] + ([] if paused else [(0.0, RESUME), (0.0, RESUME)])
    found, wanted = left(make, busy), left(make, script)
    assert found == wanted, f"with more pauses: {_difference([found], [wanted])}"


def all_laws(make: Make, script: Script, key: Callable[[str], str]) -> None:
    """The five that hold for every stage; batch_law is for stages that take batches, cap_law for caps."""
    poll_law(make, script)
    conservation(make, script)
    progress(make, script)
    order(make, script, key)
    dump_law(make, script)


def _lines(batch: Batch) -> list[Batch]:
    out: list[Batch] = []
    while batch.count > 1:
        first, batch = batch.split(1)
        out.append(first)
    return [*out, batch]


def _by_line(pairs: Sequence[tuple[float, Any]]) -> list[tuple[float, Any]]:
    parts = [(moment, _lines(thing) if isinstance(thing, Batch) else [thing]) for moment, thing in pairs]
    return [(moment, part) for moment, some in parts for part in some]


def _things(told: Told) -> list[list[Any]]:
    return [[thing for _, thing in step] for step in told]


def _difference(found: Sequence[Sequence[Any]], wanted: Sequence[Sequence[Any]]) -> str:
    for step, (have, want) in enumerate(zip(found, wanted, strict=False)):
        if have != want:
            return f"step {step} gave\n  {have}\ninstead of\n  {want}"
    return f"{len(found)} steps instead of {len(wanted)}"
