"""The seven laws for windows, keyed tables, chains and the outbox, with limits so small that each is met.

The caps alone stand in test_cap.py, the framer in test_accept.py.
"""

from __future__ import annotations

from typing import Any

import laws
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burstmail import (
    Aggregator,
    Batch,
    Burst,
    Caps,
    Composer,
    CoolDown,
    Join,
    Keep,
    Limit,
    Message,
    Outbox,
    PermanentDeliveryError,
    Session,
    TemporaryDeliveryError,
    Threshold,
    Window,
    chain,
    each,
    keyed,
)
from burstmail.core.chain import Joined
from burstmail.core.patterns.tally import LIMIT, Tally

KEEP = Keep(head=2, tail=2, bytes=12, log=20)
LETTER = each(lambda line: line[:1])
LIMITS = (Limit(2, per=3.0), Limit(3, per=7.0))


def composer() -> Composer:
    return Composer(to="ops@example.org", sender="me@example.org", host="example.org")


def windows(keys: int = 1000) -> Aggregator:
    return Aggregator(gap=2, max_age=5, max_lines=4, max_bytes=20, key=LETTER, keep=KEEP, keys=keys)


def caps() -> Caps:
    return Caps(*LIMITS, per_key=CoolDown(first=2.0, factor=2.0, longest=9.0), separate=2, keys=3)


ONE_KEY: dict[str, laws.Make] = {
    "session": lambda: Session(Window(gap=2, max_age=5, max_lines=4, max_bytes=20), KEEP),
    "plain": lambda: Aggregator(gap=2, max_age=5, keep=KEEP, masks=["b+"]),
    "plain to composer": lambda: chain(Aggregator(gap=2, max_age=5, keep=KEEP), caps(), composer()),
}
MANY_KEYS: dict[str, laws.Make] = {
    "keyed": lambda: keyed(lambda key: Session(Window(gap=2, max_age=5), KEEP, key=key), LETTER),
    "windows": windows,
    "crowded windows": lambda: windows(keys=3),
    "small budget": lambda: Aggregator(gap=2, max_age=5, key=LETTER, keep=KEEP, budget=900),
    "windows to caps": lambda: chain(windows(), caps()),
    "crowded windows to composer": lambda: chain(windows(3), caps(), composer()),
}
ALL = {**ONE_KEY, **MANY_KEYS}


def threshold(**more: Any) -> Threshold:
    return Threshold(3, per=4, **more)


def joined(**more: Any) -> Join:
    return Join(wait=1.5, lines=3, bytes=12, **more)


def alarmed(**more: Any) -> Aggregator:
    return Aggregator(gap=2, max_age=5, max_lines=4, keep=KEEP, urgent=lambda line: line[:1] == "a", **more)


def reserved() -> Caps:
    return Caps(*LIMITS, per_key=CoolDown(first=2.0, factor=2.0, longest=9.0), separate=2, keys=3, reserve=1)


# What comes before the windows, and what makes them close at once: alone, and with all that may stand behind.
BEFORE_ONE: dict[str, laws.Make] = {
    "threshold": threshold,
    "join": lambda: joined(key=None),
    "urgent": alarmed,
    "threshold to windows": lambda: chain(threshold(), alarmed()),
    "join to threshold to windows": lambda: chain(joined(key=None), threshold(), alarmed(), reserved()),
}
BEFORE_MANY: dict[str, laws.Make] = {
    "keyed threshold": lambda: threshold(key=LETTER),
    "crowded threshold": lambda: threshold(key=LETTER, keys=2),
    "threshold with small budget": lambda: threshold(key=LETTER, budget=1500),
    "keyed join": lambda: joined(key=LETTER),
    "crowded join": lambda: joined(key=LETTER, keys=2),
    "join with small budget": lambda: joined(key=LETTER, budget=20),
    "all by key": lambda: chain(joined(key=LETTER), threshold(key=LETTER), alarmed(key=LETTER), reserved()),
}
BEFORE = {**BEFORE_ONE, **BEFORE_MANY}


class Paused(Joined[Any, Any, Any]):
    """A chain whose caps, the last stage, can be paused."""

    second: Any

    def pause(self, now: float) -> list[Any]:
        return [*self.poll(now), *self.second.pause(now)]

    def resume(self, now: float) -> list[Any]:
        return [*self.poll(now), *self.second.resume(now)]


PAUSED: dict[str, laws.Make] = {
    "one key": lambda: Paused(Aggregator(gap=2, max_age=5, keep=KEEP), caps()),
    "many keys": lambda: Paused(windows(3), caps()),
}

gaps = st.sampled_from([0.0, 0.001, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 1e4]) | st.floats(0, 12)
KINDS = st.sampled_from("abcde") | st.just("b" * 9)
# Some go on from the line before them.
TRACES = KINDS | st.sampled_from([" a", "\tb"])


@st.composite
def scripts(draw: st.DrawFn, *commands: str, kinds: st.SearchStrategy[str] = KINDS) -> list[tuple[float, Any]]:
    """Batches whose lines are all different, stamped as a driver would, with flushes (or these commands) between."""
    out: list[tuple[float, Any]] = []
    number = 0
    letters = st.lists(kinds, min_size=0, max_size=7)
    for seq, (gap, some) in enumerate(draw(st.lists(st.tuples(gaps, letters), max_size=12)), 1):
        names = [f"{kind}{(number := number + 1)}" for kind in some]
        text = "".join(f"{name}\n" for name in names)
        wall = draw(st.floats(1, 1e9))
        out.append((gap, Batch(text=text, count=len(names), time=wall, epoch="e", seq=seq)))
        if draw(st.booleans()):
            out.append((draw(gaps), draw(st.sampled_from(commands or (laws.FLUSH,)))))
    return out


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
@given(script=scripts())
def test_poll_law_conservation_and_progress(make: laws.Make, script: laws.Script) -> None:
    laws.poll_law(make, script)
    laws.conservation(make, script)
    laws.progress(make, script)


# Not for a small budget: what a window sheds depends on how its memory is laid out, which a dump does not tell.
REMEMBERED = {name: make for name, make in ALL.items() if name != "small budget"}


@pytest.mark.parametrize("make", REMEMBERED.values(), ids=REMEMBERED)
@given(script=scripts())
def test_the_dump_law(make: laws.Make, script: laws.Script) -> None:
    laws.dump_law(make, script)


LOOKED_AT = {name: ALL[name] for name in ("session", "plain", "windows to caps")}


# A tally looks at lines when it has 16 KiB of them, which no small script has.
@pytest.mark.parametrize("limit", [2, LIMIT])
@pytest.mark.parametrize("make", LOOKED_AT.values(), ids=LOOKED_AT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts())
def test_the_laws_hold_for_patterns_that_are_looked_at_at_once(
    monkeypatch: pytest.MonkeyPatch, make: laws.Make, limit: int, script: laws.Script
) -> None:
    monkeypatch.setattr("burstmail.core.patterns.tally._CHUNK", 1)
    defaults = {"limit": limit}
    for function in (Tally.__init__, Tally.restored.__func__):  # type: ignore[attr-defined]
        monkeypatch.setattr(function, "__kwdefaults__", function.__kwdefaults__ | defaults)
    laws.conservation(make, script)
    laws.dump_law(make, script)
    if limit == LIMIT and make is not LOOKED_AT["windows to caps"]:
        laws.batch_law(make, script)


# A digest shows the lines of several keys oldest burst first, and an emptied budget those that are left.
@pytest.mark.parametrize("make", [*ONE_KEY.values(), windows, MANY_KEYS["keyed"]])
@given(script=scripts())
def test_lines_of_one_key_keep_their_order(make: laws.Make, script: laws.Script) -> None:
    laws.order(make, script, key=lambda line: line[:1])


# Between keys a batch has no order, and the caps must choose one: the law holds for what has one key.
@pytest.mark.parametrize("make", ONE_KEY.values(), ids=ONE_KEY)
@given(script=scripts())
def test_the_batch_law(make: laws.Make, script: laws.Script) -> None:
    laws.batch_law(make, script)


@given(script=scripts())
def test_the_batch_law_for_each_key(script: laws.Script) -> None:
    """With keys, each key's bursts are those its lines alone would give."""
    found: dict[str, list[Any]] = {}
    for _, burst in laws.left(windows, script):
        found.setdefault(burst.key, []).append(_told(burst))
    for key, bursts in found.items():
        alone = [(gap, item if item is laws.FLUSH else _of_key(item, key)) for gap, item in script]
        made = laws.left(windows, alone)
        assert [_told(burst) for _, burst in made] == bursts


def _told(burst: Burst) -> tuple[object, ...]:
    return burst.excerpt, burst.tally, burst.timeline, burst.closed, burst.reason


def _of_key(batch: Batch, key: str) -> Batch:
    kept = [line for line in batch.lines if line.startswith(key)]
    text = "".join(f"{line}\n" for line in kept)
    return Batch(text=text, count=len(kept), time=batch.time, epoch=batch.epoch, seq=batch.seq)


@pytest.mark.parametrize("make", BEFORE.values(), ids=BEFORE)
@given(script=scripts(kinds=TRACES))
def test_the_laws_hold_for_what_comes_before_the_windows(make: laws.Make, script: laws.Script) -> None:
    laws.poll_law(make, script)
    laws.conservation(make, script)
    laws.progress(make, script)
    laws.dump_law(make, script)


@pytest.mark.parametrize("make", BEFORE_ONE.values(), ids=BEFORE_ONE)
@given(script=scripts(kinds=TRACES))
def test_order_and_the_batch_law_hold_for_what_comes_before_the_windows(make: laws.Make, script: laws.Script) -> None:
    laws.order(make, script, key=lambda line: "")
    laws.batch_law(make, script)


@given(script=scripts(kinds=TRACES))
def test_the_batch_law_holds_for_each_key_of_a_threshold(script: laws.Script) -> None:
    """With keys, each key's lines pass as they would alone."""
    found = [line for _, batch in laws.left(lambda: threshold(key=LETTER), script) for line in batch.lines]
    for key in {line[:1] for line in found}:
        alone = [(gap, item if item is laws.FLUSH else _of_key(item, key)) for gap, item in script]
        made = [line for _, batch in laws.left(threshold, alone) for line in batch.lines]
        assert [line for line in found if line[:1] == key] == made


@pytest.mark.parametrize("cut", [1, 2])
@given(script=scripts(kinds=TRACES))
def test_what_was_kept_by_key_never_begins_with_one_number_twice(cut: int, script: laws.Script) -> None:
    """However the windows behind cut what comes out: from the number of its first line a mail's Message-ID is made."""
    for first in (joined(key=LETTER), threshold(key=LETTER), chain(joined(key=LETTER), threshold(key=LETTER))):
        made = laws.left(lambda first=first: chain(first, Aggregator(max_lines=cut)), script)
        names = [(burst.seq, burst.gone) for _, burst in made]
        assert len(set(names)) == len(names), names


@given(script=scripts(laws.FLUSH, laws.PAUSE, laws.RESUME))
def test_the_laws_hold_for_caps_with_a_reserve_and_pauses(script: laws.Script) -> None:
    def make() -> Paused:
        return Paused(alarmed(key=LETTER), reserved())

    laws.poll_law(make, script)
    laws.conservation(make, script)
    laws.progress(make, script)
    laws.dump_law(make, script)
    laws.pause_law(make, script)
    laws.cap_law(make, script, [(limit.count, limit.per) for limit in LIMITS])


@given(script=scripts())
def test_a_chain_keeps_the_caps_at_its_exit(script: laws.Script) -> None:
    laws.cap_law(MANY_KEYS["crowded windows to composer"], script, [(limit.count, limit.per) for limit in LIMITS])


pauses = scripts(laws.FLUSH, laws.PAUSE, laws.RESUME)


@pytest.mark.parametrize("make", PAUSED.values(), ids=PAUSED)
@given(script=pauses)
def test_the_laws_hold_for_a_chain_with_pauses(make: laws.Make, script: laws.Script) -> None:
    laws.poll_law(make, script)
    laws.conservation(make, script)
    laws.progress(make, script)
    laws.dump_law(make, script)
    laws.pause_law(make, script)
    laws.cap_law(make, script, [(limit.count, limit.per) for limit in LIMITS])


@given(script=pauses)
def test_order_and_the_batch_law_hold_with_pauses(script: laws.Script) -> None:
    laws.order(PAUSED["one key"], script, key=lambda line: line[:1])
    laws.batch_law(PAUSED["one key"], script)


# The key of some lines is that they have none.
SOME = each(lambda line: line[:1].replace("a", ""))


@given(script=pauses)
def test_no_two_mails_have_the_same_message_id(script: laws.Script) -> None:
    aggregator = Aggregator(gap=2, max_age=5, max_lines=4, key=SOME, keep=KEEP, keys=3)
    mails = composer()
    made = [burst for _, burst in laws.left(lambda: Paused(aggregator, caps()), script)]
    ids = [mails.feed(burst, 0.0)[0].id for burst in made]
    assert len(set(ids)) == len(ids), [(burst.key, burst.seq, burst.gone, burst.parts) for burst in made]


def _message(burst: Burst, number: int) -> Message:
    return Message(id=f"<{number}@h>", sender="me@h", recipients=("a@h", "b@h"), data=b"x", burst=burst)


OUTCOMES = ["ok", "later", "never", "half later", "half never"]


@given(
    script=scripts(),
    outcomes=st.lists(st.sampled_from(OUTCOMES), max_size=30),
    jitter=st.floats(0, 1),
)
def test_an_outbox_loses_no_line_and_never_spins(script: laws.Script, outcomes: list[str], jitter: float) -> None:
    later, never = TemporaryDeliveryError("later"), PermanentDeliveryError("never")
    results: dict[str, Any] = {"later": later, "never": never}
    results |= {"half later": {"a@h": later}, "half never": {"b@h": never}}
    box, now, taken, outcome = Outbox(), 0.0, 0, iter(outcomes)
    for number, (gap, item) in enumerate(script):
        now += gap
        attempts = list(box.poll(now))
        if item is not laws.FLUSH and item.count:
            session = Session()
            session.feed(item, 0.0)
            attempts += box.feed(_message(session.flush(0.0)[0], number), now)
            taken += item.count
        while attempts:
            assert len(attempts) == 1
            attempts, _ = box.settle(results.get(next(outcome, "ok"), {}), now, jitter)
        assert box.held + box.lines_out == taken
        assert box.deadline > now
    for _ in range(200):
        if not box.waiting:
            break
        attempts = list(box.poll(now := max(now, box.deadline)))
        while attempts:
            attempts, _ = box.settle({}, now)
    assert (box.held, box.lines_out) == (0, taken)
