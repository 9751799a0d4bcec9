"""Caps delay and merge; they never drop. Examples first, then the laws with limits so small that each is met."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from math import inf
from typing import Any

import laws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Aggregator, Batch, Burst, Caps, CloseReason, CoolDown, Keep, Limit, Session, StateMismatch, Window

KEEP = Keep(head=2, tail=2, bytes=40)
FREE = Limit(1000, per=0.001)
WALL = 1000.0


def burst(key: str, *lines: str, now: float = 0.0, seq: int = 1, keep: Keep = KEEP) -> Burst:
    """A burst of one read that closed at `now`; its wall time runs as `now` does."""
    session = Session(Window(), keep, key=key)
    batch = Batch.of(lines or (f"{key}{seq}",), time=WALL + now)
    session.feed(replace(batch, epoch="e", seq=seq), now)
    return session.flush(now)[0]


def story(stage: Caps, script: Iterable[tuple[float, str]], until: float = 1e5) -> list[tuple[float, str, int]]:
    """(moment, key, bursts) of all that leaves, punctually, when a burst of one line comes at each (moment, key)."""
    out: list[tuple[float, str, int]] = []
    before = 0.0
    for seq, (moment, key) in enumerate(script):
        out += told(laws.at_every_deadline(stage, before, moment))
        out += told((moment, made) for made in stage.feed(burst(key, now=moment, seq=seq), moment))
        before = moment
    return out + told(laws.at_every_deadline(stage, before, until))


def told(pairs: Iterable[tuple[float, Burst]]) -> list[tuple[float, str, int]]:
    return [(moment, "+".join(key for key, _ in made.parts) or made.key, made.bursts) for moment, made in pairs]


# --- limits over all keys


def test_a_burst_leaves_at_once_and_untouched_while_the_gates_are_open() -> None:
    first = burst("a")
    assert Caps().feed(first, 0.0) == [replace(first, resume=WALL + 60.0)]
    assert Caps(FREE, per_key=None).feed(first, 0.0) == [first]


def test_at_the_limit_bursts_wait_and_leave_by_themselves() -> None:
    stage = Caps(Limit(2, per=10), per_key=None)
    assert story(stage, [(0, "a"), (1, "a"), (2, "a"), (3, "a")]) == [(0, "a", 1), (1, "a", 1), (10, "a", 2)]


def test_a_limit_counts_in_any_interval_not_in_clock_minutes() -> None:
    stage = Caps(Limit(2, per=10), per_key=None)
    assert story(stage, [(9, "a"), (9, "a"), (11, "a")]) == [(9, "a", 1), (9, "a", 1), (19, "a", 1)]


def test_all_limits_hold_together() -> None:
    stage = Caps(Limit(1, per=2), Limit(2, per=10), per_key=None)
    assert story(stage, [(0, "a"), (0, "b"), (0, "c")]) == [(0, "a", 1), (2, "b", 1), (10, "c", 1)]


def test_a_slot_frees_exactly_at_the_end_of_the_interval() -> None:
    stage = Caps(Limit(1, per=0.1), per_key=None)
    stage.feed(burst("a"), 0.3)
    stage.feed(burst("a"), 0.3)
    assert stage.deadline == 0.3 + 0.1
    assert len(stage.feed(burst("a", now=0.3 + 0.1), 0.3 + 0.1)) == 1
    assert (stage.held, stage.deadline) == (1, 0.3 + 0.1 + 0.1)


def test_what_is_held_leaves_oldest_first() -> None:
    stage = Caps(Limit(1, per=5), per_key=None)
    arrivals = [(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "c")]
    assert story(stage, arrivals) == [(0, "a", 1), (5, "b", 2), (10, "a", 1), (15, "c", 1)]


def test_without_limits_three_a_minute_and_five_a_quarter_of_an_hour_hold() -> None:
    arrivals = [(0.0, key) for key in "abc"] + [(second, "abc"[second % 3]) for second in range(60, 1000, 7)]
    moments = [moment for moment, _, _ in story(Caps(per_key=None), arrivals, until=1000)]
    assert moments[:6] == [0, 0, 0, 60, 67, 900]


def test_a_large_count_costs_no_memory_that_no_limit_asks_for() -> None:
    stage = Caps(Limit(10**30, per=5), per_key=None)
    for second in range(100):
        assert len(stage.feed(burst("a", now=second), second)) == 1
    assert len(json.dumps(stage.dump())) < 200


# --- what leaves says so


def test_a_held_burst_carries_how_long_it_waited_and_leaves_at_that_time() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    stage.feed(burst("a", now=0), 0.0)
    stage.feed(burst("a", "x", now=2, seq=2), 2.0)
    stage.feed(burst("a", "y", "z", now=7, seq=3), 7.0)
    (made,) = stage.poll(500.0)
    assert (made.waited, made.time, made.bursts, made.count) == (8.0, WALL + 10, 2, 3)
    assert (made.head, made.tail, made.seq, made.epoch, made.key) == (("x", "y"), ("z",), 2, "e", "a")
    assert (made.first, made.last, made.closed) == (WALL + 2, WALL + 7, WALL + 7)


def test_a_burst_says_until_when_the_caps_are_closed() -> None:
    stage = Caps(Limit(2, per=10), per_key=None)
    (one,), (two,) = (stage.feed(burst("a", now=now), now) for now in (0.0, 4.0))
    assert (one.resume, two.resume) == (None, WALL + 10)


def test_a_fold_keeps_the_reason_of_the_newest() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    for reason in (CloseReason.GAP, CloseReason.MAX_AGE, CloseReason.GAP, CloseReason.MAX_LINES):
        stage.feed(replace(burst("a"), reason=reason), 0.0)
    (made,) = stage.poll(10.0)
    assert (made.reason, made.bursts) == (CloseReason.MAX_LINES, 3)


def test_flush_gives_only_what_has_a_slot() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    stage.feed(burst("a"), 0.0)
    stage.feed(burst("a"), 0.0)
    assert stage.flush(9.0) == []
    assert [made.bursts for made in stage.flush(10.0)] == [1]


def test_held_counts_lines() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    for seq in range(3):
        stage.feed(burst("a", "1", "2", seq=seq), 0.0)
    assert stage.held == 4


# --- cool-down


def test_a_cool_down_widens_while_the_noise_lasts_and_forgets_after_quiet() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40))
    noise = [(float(second), "a") for second in range(0, 151, 5)]
    assert [moment for moment, _, _ in story(stage, noise, 150)] == [0, 10, 30, 70, 110, 150]
    # Quiet since 150: 40 s later, the next is the first again.
    assert [moment for moment, _, _ in story(stage, [(190, "a"), (190, "a")])] == [190, 200]


def test_within_the_quiet_a_key_is_not_forgotten() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40))
    story(stage, [(0, "a"), (0, "a")], 10)
    assert story(stage, [(49.9, "a"), (49.9, "a")], 1000) == [(49.9, "a", 1), (89.9, "a", 1)]


def test_a_held_burst_counts_as_noise_when_it_comes() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=3, longest=30))
    arrivals = [(0, "a"), (1, "a"), (11, "a"), (12, "a"), (41, "a"), (42, "a")]
    assert [moment for moment, _, _ in story(stage, arrivals)] == [0, 10, 40, 70]


def test_a_key_that_was_held_by_others_for_long_is_the_first_again() -> None:
    stage = Caps(Limit(1, per=100), per_key=CoolDown(first=10, factor=2, longest=20))
    stage.feed(burst("a"), 0.0)
    stage.feed(burst("a"), 0.0)
    (made,) = stage.poll(100.0)
    assert made.resume == WALL + 200
    stage = Caps(Limit(2, per=100), per_key=CoolDown(first=10, factor=2, longest=20))
    for key in "xya":
        stage.feed(burst(key), 0.0)
    (made,) = stage.poll(100.0)
    assert made.resume == WALL + 110


def test_keys_do_not_cool_each_other() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10))
    arrivals = [(0, "a"), (1, "b"), (2, "a"), (3, "b")]
    assert story(stage, arrivals) == [(0, "a", 1), (1, "b", 1), (10, "a", 1), (11, "b", 1)]


def test_a_waiting_key_lets_others_pass() -> None:
    stage = Caps(Limit(2, per=10), per_key=CoolDown(first=50, longest=50))
    arrivals = [(0, "a"), (1, "a"), (2, "b"), (3, "c")]
    assert story(stage, arrivals) == [(0, "a", 1), (2, "b", 1), (10, "c", 1), (50, "a", 1)]


def test_a_key_may_have_limits_and_a_cool_down() -> None:
    stage = Caps(FREE, per_key=(Limit(2, per=30), CoolDown(first=5, factor=1, longest=5)))
    arrivals = [(0, "a"), (1, "a"), (2, "b"), (6, "a")]
    assert story(stage, arrivals) == [(0, "a", 1), (2, "b", 1), (5, "a", 1), (30, "a", 1)]


def test_a_single_limit_per_key_needs_no_sequence() -> None:
    stage = Caps(FREE, per_key=Limit(1, per=30))
    assert story(stage, [(0, "a"), (0, "a"), (0, "b")]) == [(0, "a", 1), (0, "b", 1), (30, "a", 1)]


# --- digests


def crowd(separate: int = 2, **more: Any) -> Caps:
    """Caps whose three first departures leave them closed until 10."""
    stage = Caps(Limit(3, per=10), per_key=CoolDown(first=10, factor=2, longest=40), separate=separate, **more)
    for key in "abc":
        stage.feed(burst(key), 0.0)
    return stage


def test_more_keys_than_separate_leave_as_one_digest() -> None:
    stage = crowd()
    for seq, key in enumerate("abca", 2):
        assert stage.feed(burst(key, f"{key}-{seq}", seq=seq, now=seq), seq) == []
    assert stage.held == 4
    (made,) = stage.poll(1000.0)
    assert (made.key, made.parts, made.bursts) == ("", (("a", 2), ("b", 1), ("c", 1)), 4)
    assert (made.head, made.elided, made.tail) == (("a-2", "b-3"), 0, ("c-4", "a-5"))
    assert (made.first, made.last, made.seq, made.waited, made.time) == (WALL + 2, WALL + 5, 2, 8.0, WALL + 10)


def test_as_many_keys_as_separate_leave_each_alone() -> None:
    assert story(crowd(), [(1, "a"), (2, "b"), (3, "a")]) == [(10, "a", 2), (10, "b", 1)]


def test_a_digest_tells_its_sources_in_order_of_arrival_the_oldest_burst_first() -> None:
    stage = crowd(separate=1)
    stage.feed(burst("b", now=1), 1.0)
    stage.feed(replace(burst("b", now=4), reason=CloseReason.MAX_AGE), 4.0)
    stage.feed(burst("a", now=4.5), 4.5)
    (made,) = stage.poll(10.0)
    assert (made.parts, made.closed, made.reason) == ((("b", 2), ("a", 1)), WALL + 4.5, CloseReason.FLUSH)


def test_a_digest_closes_with_the_newest_of_its_bursts() -> None:
    stage = crowd(separate=1)
    stage.feed(burst("a", now=1), 1.0)
    stage.feed(burst("b", now=2), 2.0)
    digest = stage.drain(3.0)[0]
    assert (digest.closed, digest.time) == (WALL + 2, WALL + 3)
    stage = Caps(Limit(1, per=100), per_key=None)
    stage.feed(burst("x"), 0.0)
    for now, key in ((1.0, "a"), (2.0, "b"), (5.0, "a")):
        stage.feed(burst(key, now=now), now)
    digest = stage.drain(6.0)[0]
    assert (digest.closed, digest.last, digest.time, digest.waited) == (WALL + 5, WALL + 5, WALL + 6, 5.0)


def test_a_digest_leaves_when_the_first_of_its_keys_could() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), separate=1)
    arrivals = [(0, "a"), (5, "b"), (6, "b"), (7, "a")]
    assert story(stage, arrivals) == [(0, "a", 1), (5, "b", 1), (10, "b+a", 2)]


def test_a_new_key_takes_a_waiting_digest_along() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), separate=1)
    arrivals = [(0, "a"), (5, "b"), (6, "b"), (7, "a"), (8, "c")]
    assert story(stage, arrivals) == [(0, "a", 1), (5, "b", 1), (8, "b+a+c", 3)]


def test_a_key_that_waits_anyway_does_not_hasten_a_digest() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), separate=1)
    arrivals = [(0, "a"), (5, "b"), (6, "c"), (7, "b"), (8, "a"), (9, "c")]
    assert story(stage, arrivals)[3:] == [(10, "b+a+c", 3)]


def test_a_digest_cools_down_its_keys_and_itself() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), separate=1)
    story(stage, [(0, "a"), (0, "b"), (1, "a"), (1, "b")], 10)
    # Both keys have left twice now and wait 20 s; a digest has left once and waits 10 s.
    assert story(stage, [(11, "a")], 100) == [(30, "a", 1)]
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), separate=1)
    story(stage, [(0, "a"), (0, "b"), (1, "a"), (1, "b")], 10)
    assert story(stage, [(11, "a"), (11, "b"), (12, "new")], 19) == []
    assert story(stage, [], 100) == [(20, "a+b+new", 3)]


def test_ever_new_keys_do_not_give_a_mail_each() -> None:
    stage = Caps(Limit(1, per=3), per_key=CoolDown(first=10, factor=2, longest=40), separate=1)
    out = story(stage, [(float(second), f"k{second}") for second in range(100)], 100)
    assert len(out) < 15
    assert sum(bursts for _, _, bursts in out) + stage.held == 100


def test_a_digest_of_many_keys_counts_the_rest_together() -> None:
    stage = crowd(separate=1)
    for number in range(60):
        stage.feed(burst(f"k{number:02}", "x", "y"), 1.0)
    stage.feed(burst("k00"), 2.0)
    stage.feed(burst("k59"), 2.0)
    (made,) = stage.poll(10.0)
    assert (len(made.parts), made.parts[0], made.parts[49:]) == (51, ("k00", 3), (("k49", 2), ("", 21)))
    assert sum(lines for _, lines in made.parts) == made.count


def test_lines_without_a_key_come_last_in_a_digest() -> None:
    stage = crowd(separate=1)
    for key in ("", "b", ""):
        stage.feed(burst(key, "x"), 1.0)
    assert stage.poll(10.0)[0].parts == (("b", 1), ("", 2))


def test_a_digest_says_until_when_none_of_its_keys_leaves() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), separate=1)
    for now, key in ((0.0, "a"), (5.0, "b"), (6.0, "b"), (7.0, "a")):
        stage.feed(burst(key, now=now), now)
    assert stage.poll(10.0)[0].resume == WALL + 30
    # With more keys than it can name, one of them may be a newcomer.
    stage = crowd(separate=1)
    for number in range(60):
        stage.feed(burst(f"k{number}", now=1), 1.0)
    assert stage.poll(10.0)[0].resume is None


def test_digests_of_caps_before_are_folded_like_bursts() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    for seq in (1, 2, 3):
        stage.feed(replace(burst("", "a", "b", seq=seq), parts=(("x", 1), ("y", 1)), bursts=2, waited=3.0), 0.0)
    (made,) = stage.poll(10.0)
    assert (made.parts, made.bursts, made.waited) == ((("x", 2), ("y", 2)), 4, 13.0)


# --- drain


def test_drain_gives_all_as_one_burst_over_the_limit_and_remembers_it() -> None:
    stage = crowd(separate=3)
    stage.feed(burst("a", now=1), 1.0)
    stage.feed(burst("b", now=2), 2.0)
    (made,) = stage.drain(3.0)
    assert (made.parts, made.waited, made.time, made.resume) == ((("a", 1), ("b", 1)), 2.0, WALL + 3, None)
    assert (stage.held, stage.deadline, stage.drain(3.0)) == (0, inf, [])
    # The log holds 0, 0 and 3 now.
    assert [moment for moment, *_ in story(stage, [(9, "x"), (9, "y"), (9, "z")], 15)] == [10, 10, 13]


def test_drain_of_one_key_is_no_digest_and_of_a_digest_is_one() -> None:
    stage = crowd()
    stage.feed(burst("a", now=1), 1.0)
    assert [(made.key, made.parts) for made in stage.drain(2.0)] == [("a", ())]
    stage = crowd()
    for key in "abc":
        stage.feed(burst(key, now=1), 1.0)
    assert [len(made.parts) for made in stage.drain(2.0)] == [3]


# --- pauses


def test_while_paused_nothing_leaves_by_itself_and_flush_gives_nothing() -> None:
    stage = Caps(FREE, per_key=None)
    assert stage.pause(1.0) == []
    assert stage.feed(burst("a", now=2), 2.0) == []
    assert (stage.paused, stage.deadline, stage.held) == (True, inf, 1)
    assert [stage.poll(50.0), stage.flush(60.0)] == [[], []]
    (made,) = stage.resume(70.0)
    assert (made.time, made.waited, made.paused, made.bursts) == (WALL + 70, 68.0, 68.0, 1)
    assert (stage.paused, stage.deadline, stage.held) == (False, inf, 0)


def test_what_was_due_before_a_pause_leaves_as_of_then() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    stage.feed(burst("a"), 0.0)
    stage.feed(burst("a", now=4), 4.0)
    (made,) = stage.pause(12.0)
    assert (made.time, made.paused) == (WALL + 10, 0.0)


def test_after_a_pause_the_caps_hold_as_if_time_had_stood_still() -> None:
    stage = Caps(Limit(2, per=10), per_key=CoolDown(first=4, factor=2, longest=40))
    stage.feed(burst("a"), 0.0)
    stage.pause(1.0)
    for seq, key in enumerate("abc", 2):
        stage.feed(burst(key, now=seq, seq=seq), seq)
    assert told((8.0, made) for made in stage.resume(8.0)) == [(8.0, "a", 1)]
    assert told(laws.at_every_deadline(stage, 8.0, 100.0)) == [(10.0, "b", 1), (18.0, "c", 1)]


def test_a_burst_tells_apart_the_wait_for_the_caps_from_the_pause() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    stage.feed(burst("a"), 0.0)
    stage.feed(burst("a", now=2), 2.0)
    stage.pause(3.0)
    stage.resume(5.0)
    stage.pause(6.0)
    stage.resume(7.0)
    (made,) = stage.poll(50.0)
    assert (made.waited, made.paused) == (8.0, 3.0)


@pytest.mark.parametrize("separate", [1, 5])
def test_a_day_of_pause_ends_in_a_digest_or_in_a_mail_for_each_of_few_keys(separate: int) -> None:
    stage = Caps(separate=separate)
    stage.feed(burst("k0"), 0.0)
    stage.pause(1.0)
    for minute in range(1, 1441):
        assert stage.feed(burst(f"k{minute % 5}", now=minute * 60, seq=minute), minute * 60.0) == []
    out = [*stage.resume(86460.0), *(made for _, made in laws.at_every_deadline(stage, 86460.0, 2e5))]
    assert [made.bursts for made in out] == ([1440] if separate == 1 else [288] * 5)
    assert sum(made.count for made in out) == 1440
    assert len(stage.dump()[4][0]) <= 3


def test_to_pause_or_resume_twice_changes_nothing() -> None:
    stage = Caps(FREE, per_key=None)
    assert stage.resume(0.5) == []
    stage.pause(1.0)
    stage.feed(burst("a", now=2), 2.0)
    assert stage.pause(5.0) == []
    (made,) = stage.resume(9.0)
    assert (made.waited, made.paused) == (7.0, 7.0)
    stage.feed(burst("b", now=10), 10.0)
    assert (stage.resume(12.0), stage.deadline) == ([], inf)


def test_a_resume_that_comes_too_late_to_matter_moves_no_departure() -> None:
    stage = Caps(Limit(1, per=10), per_key=None)
    stage.feed(burst("a"), 0.0)
    stage.feed(burst("a"), 0.0)
    (made,) = stage.resume(25.0)
    assert made.time == WALL + 10


def test_drain_gives_all_though_paused() -> None:
    stage = Caps(FREE, per_key=None, separate=5)
    stage.pause(1.0)
    for key in "ab":
        stage.feed(burst(key, now=2), 2.0)
    (made,) = stage.drain(5.0)
    assert (made.parts, made.waited, made.paused, made.time) == ((("a", 1), ("b", 1)), 3.0, 3.0, WALL + 5)
    assert (stage.held, stage.paused, stage.drain(6.0)) == (0, True, [])


def test_a_pause_survives_a_restart() -> None:
    stage = crowd(separate=5)
    stage.feed(burst("d", now=1), 1.0)
    stage.pause(2.0)
    # Looser limits would have let it go within the pause.
    fresh = Caps(FREE, per_key=None)
    fresh.load(json.loads(json.dumps(stage.dump())))
    assert (fresh.paused, fresh.deadline, fresh.held) == (True, inf, 1)
    stage.resume(5.0)
    later = Caps(FREE, per_key=None)
    later.load(json.loads(json.dumps(stage.dump())))
    assert later.deadline == 5.0
    assert [(made.waited, made.paused) for made in later.poll(5.0)] == [(4.0, 3.0)]
    assert [(made.waited, made.paused) for made in fresh.resume(5.0)] == [(4.0, 3.0)]


# --- a reserve for what is urgent


def urgent(key: str, *lines: str, now: float = 0.0, seq: int = 1) -> Burst:
    return replace(burst(key, *lines, now=now, seq=seq), urgent=True)


def test_others_leave_the_reserve_alone_and_an_urgent_burst_takes_it() -> None:
    stage = Caps(Limit(3, per=10), per_key=None, reserve=1)
    assert [len(stage.feed(burst(key, now=now), now)) for now, key in ((0.0, "a"), (1.0, "b"), (2.0, "c"))] == [1, 1, 0]
    (made,) = stage.feed(urgent("d", now=3.0), 3.0)
    assert (made.key, made.waited, stage.held) == ("d", 0.0, 1)
    # It took a slot of the limit: the ordinary one waits until only one of the others is within 10 s.
    assert told(laws.at_every_deadline(stage, 3.0, 100.0)) == [(11.0, "c", 1)]


def test_a_burst_says_that_an_urgent_one_may_leave_sooner() -> None:
    stage = Caps(Limit(3, per=10), per_key=None, reserve=1)
    (one,), (two,) = (stage.feed(burst("a", now=now), now) for now in (0.0, 4.0))
    assert [(made.resume, made.sooner) for made in (one, two)] == [(None, False), (WALL + 10, True)]
    stage.feed(burst("a", now=5.0), 5.0)
    assert [(made.resume, made.sooner) for made in stage.drain(6.0)] == [(None, False)]
    (made,) = Caps(Limit(1, per=10), per_key=None).feed(burst("a"), 0.0)
    assert (made.resume, made.sooner) == (WALL + 10, False)


def test_an_urgent_burst_waits_for_no_cool_down_and_takes_along_what_its_key_holds() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), reserve=1)
    stage.feed(burst("a", "1"), 0.0)
    assert stage.feed(burst("a", "2", now=1, seq=2), 1.0) == []
    (made,) = stage.feed(urgent("a", "3", now=2.0, seq=3), 2.0)
    assert (made.head, made.bursts, made.waited, made.urgent, made.seq) == (("2", "3"), 2, 1.0, True, 2)
    # It counts for the cool-down as any other.
    assert stage.feed(burst("a", "4", now=3.0, seq=4), 3.0) == []
    assert stage.deadline == 22.0


def test_a_limit_of_its_key_holds_for_an_urgent_burst_too() -> None:
    stage = Caps(FREE, per_key=Limit(1, per=10), reserve=1)
    stage.feed(burst("a"), 0.0)
    assert stage.feed(urgent("a", now=1.0), 1.0) == []
    assert stage.deadline == 10.0


def test_when_the_reserve_is_used_up_the_urgent_are_first_in_line() -> None:
    stage = Caps(Limit(2, per=10), per_key=None, reserve=1)
    assert len(stage.feed(burst("a"), 0.0)) == 1
    assert len(stage.feed(urgent("b", now=1.0), 1.0)) == 1
    assert stage.feed(burst("c", now=2.0), 2.0) == []
    assert stage.feed(urgent("d", now=3.0), 3.0) == []
    assert told(laws.at_every_deadline(stage, 3.0, 100.0)) == [(10.0, "d", 1), (20.0, "c", 1)]


def test_an_urgent_burst_passes_a_digest_that_has_nothing_of_its_key() -> None:
    stage = Caps(Limit(2, per=10), per_key=None, separate=1, reserve=1)
    for now, key in enumerate("abc"):
        stage.feed(burst(key, now=now), float(now))
    assert stage.held == 2
    (made,) = stage.feed(urgent("d", now=3.0), 3.0)
    assert (made.key, stage.held) == ("d", 2)
    # A second one waits beside the digest, and what comes of its key waits with it.
    assert stage.feed(urgent("e", now=4.0), 4.0) == []
    assert stage.feed(burst("e", now=5.0, seq=2), 5.0) == []
    assert told(laws.at_every_deadline(stage, 5.0, 100.0)) == [(10.0, "e", 2), (20.0, "b+c", 2)]


def test_an_urgent_burst_takes_a_digest_along_that_has_lines_of_its_key() -> None:
    stage = Caps(Limit(2, per=10), per_key=CoolDown(first=30, longest=30), separate=1, reserve=1)
    for now, key in enumerate("abc"):
        stage.feed(burst(key, now=now), float(now))
    assert told((3.0, made) for made in stage.feed(urgent("c", now=3.0), 3.0)) == [(3.0, "b+c", 3)]
    assert stage.held == 0


def test_of_what_a_digest_cannot_name_any_may_be_of_the_urgent_key() -> None:
    stage = Caps(Limit(2, per=10), per_key=None, separate=1, reserve=1)
    for number in range(60):
        stage.feed(burst(f"k{number}", now=1), 1.0)
    (made,) = stage.feed(urgent("new", now=2.0), 2.0)
    assert (made.bursts, made.urgent) == (60, True)


def test_too_many_urgent_bursts_become_part_of_the_digest() -> None:
    stage = Caps(Limit(2, per=10), per_key=None, separate=1, reserve=1)
    for now, key in enumerate("abcdefg"):
        stage.feed(urgent(key, now=now) if key > "c" else burst(key, now=now), float(now))
    assert told(laws.at_every_deadline(stage, 6.0, 100.0)) == [(10.0, "b+c+e+f", 4), (13.0, "g", 1)]


def test_nothing_is_urgent_in_a_pause() -> None:
    stage = Caps(Limit(2, per=10), per_key=None, reserve=1)
    stage.pause(0.0)
    assert (stage.feed(urgent("a", now=1.0), 1.0), stage.deadline) == ([], inf)
    assert len(stage.resume(2.0)) == 1


def test_without_a_reserve_an_urgent_burst_is_one_of_many() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10))
    stage.feed(burst("a"), 0.0)
    assert (stage.feed(urgent("a", now=1.0), 1.0), stage.deadline) == ([], 10.0)


def test_what_waits_beside_a_digest_survives_a_restart_into_caps_without_a_reserve() -> None:
    stage = Caps(Limit(2, per=10), per_key=None, separate=1, reserve=1)
    for now, key in enumerate("abc"):
        stage.feed(burst(key, now=now), float(now))
    stage.feed(urgent("d", now=3.0), 3.0)
    stage.feed(urgent("e", now=4.0), 4.0)
    fresh = Caps(Limit(2, per=10), per_key=None, separate=1)
    fresh.load(json.loads(json.dumps(stage.dump())))
    assert fresh.held == 3
    assert told(laws.at_every_deadline(fresh, 4.0, 100.0)) == [(10.0, "b+c", 2), (13.0, "e", 1)]


# --- the memory of keys


def test_past_the_bound_new_keys_share_one_memory() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), keys=2)
    arrivals = [(0, "a"), (1, "b"), (2, "c"), (3, "d"), (4, "e")]
    assert story(stage, arrivals) == [(0, "a", 1), (1, "b", 1), (2, "c", 1), (12, "d", 1), (32, "e", 1)]


def test_keys_that_no_longer_matter_make_room() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), keys=2)
    arrivals = [(0, "a"), (1, "b"), (30, "b"), (40, "c"), (41, "d"), (42, "e"), (43, "a")]
    assert story(stage, arrivals)[3:] == [(40, "c", 1), (41, "d", 1), (51, "e", 1), (71, "a", 1)]


def test_a_key_that_came_again_does_not_stand_before_those_that_went_quiet() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), keys=2)
    arrivals = [(0, "a"), (1, "b"), (30, "a"), (45, "c"), (46, "d")]
    assert story(stage, arrivals)[3:] == [(45, "c", 1), (46, "d", 1)]


def test_a_held_key_keeps_its_memory_however_long_it_waits() -> None:
    stage = Caps(Limit(1, per=1000), per_key=CoolDown(first=1, factor=2, longest=4), keys=1)
    arrivals = [(0, "a"), (1, "a"), (900, "b"), (901, "b")]
    assert story(stage, arrivals, until=950) == [(0, "a", 1)]
    assert [key for key, _ in stage.dump()[3][0]] == ["a"]
    assert story(stage, []) == [(1000, "a", 1), (2000, "b", 2)]


def test_the_memory_of_a_flood_of_keys_is_bounded() -> None:
    stage = Caps(FREE, keys=10)
    for number in range(500):
        stage.feed(burst(f"key {number}", now=number / 100), number / 100)
    assert stage.dump()[3][0][-1][0] == "key 9"
    assert len(json.dumps(stage.dump())) < 20_000


def test_a_digest_that_waits_admits_no_keys() -> None:
    stage = Caps(Limit(1, per=1000), keys=100, separate=2)
    for number in range(500):
        stage.feed(burst(f"key {number}", now=number), number)
    assert len(stage.dump()[3][0]) <= 5


def test_a_crowded_out_key_does_not_hasten_a_digest() -> None:
    stage = Caps(FREE, per_key=CoolDown(first=10, factor=2, longest=40), keys=1, separate=1)
    arrivals = [(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "c")]
    assert story(stage, arrivals)[2:] == [(10, "a+b+c", 3)]


# --- wrong values


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Limit(0, 60), r"Limit\(count=0\): must be 1 or more"),
        (lambda: Limit(3, 0), r"Limit\(per=0\): must be 0.001 seconds or more"),
        (lambda: Limit(3, inf), r"Limit\(per=inf\)"),
        (lambda: Limit(3, float("nan")), r"Limit\(per=nan\)"),
        (lambda: CoolDown(first=0), r"CoolDown\(first=0\): must be 0.001"),
        (lambda: CoolDown(factor=0.5), r"CoolDown\(factor=0.5\): must be 1 or more"),
        (lambda: CoolDown(factor=inf), r"CoolDown\(factor=inf\)"),
        (lambda: CoolDown(first=60, longest=59), r"CoolDown\(longest=59\): must be at least first=60"),
        (lambda: CoolDown(longest=inf), r"CoolDown\(longest=inf\)"),
        (lambda: Caps(separate=0), r"Caps\(separate=0\): must be 1 or more"),
        (lambda: Caps(keys=0), r"Caps\(keys=0\): must be 1 or more"),
        (lambda: Caps(reserve=-1), r"Caps\(reserve=-1\): must be 0 or more"),
        (lambda: Caps(reserve=3), r"reserve=3\): .* leave Limit\(count=3, per=60.0\) a slot for the others"),
        (lambda: Caps(per_key=(CoolDown(), CoolDown())), r"per_key=.*one CoolDown at most"),
    ],
)
def test_a_wrong_value_is_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


# --- dump and load


def test_departures_survive_a_restart() -> None:
    stage = crowd()
    fresh = Caps(Limit(3, per=10), per_key=None)
    fresh.load(json.loads(json.dumps(stage.dump())))
    assert story(fresh, [(1, "a")]) == [(10, "a", 1)]


def test_a_state_fits_caps_with_other_parameters() -> None:
    stage = crowd(separate=3)
    for key in "abc":
        stage.feed(burst(key, now=1), 1.0)
    state = stage.dump()
    strict = Caps(Limit(1, per=60), per_key=CoolDown(first=1, longest=5), separate=1, keys=1)
    strict.load(state)
    assert strict.held == 3
    assert story(strict, [(2, "d")]) == [(60, "a+b+c+d", 4)]
    # Looser limits would have let all of it go in the past: it leaves no earlier than the last departure.
    loose = Caps(FREE, per_key=None)
    late = crowd(separate=3)
    late.poll(50.0)
    for key in "abcd":
        late.feed(burst(key, now=50), 50.0)
    loose.load(late.dump())
    assert loose.deadline == 50.0


def test_another_stages_state_is_refused_and_changes_nothing() -> None:
    stage = crowd()
    stage.feed(burst("a", now=1), 1.0)
    before = stage.dump()
    with pytest.raises(StateMismatch, match="no state of caps"):
        stage.load(Aggregator().dump())
    assert stage.dump() == before


# --- the laws

waits = st.sampled_from([0.0, 0.001, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 20.0]) | st.floats(0, 12)
COOL = CoolDown(first=2.0, factor=2.0, longest=9.0)
LIMITS = (Limit(2, per=3.0), Limit(3, per=7.0))
SHAPES: dict[str, laws.Make] = {
    "all": lambda: Caps(*LIMITS, per_key=COOL, separate=2, keys=3),
    "limits": lambda: Caps(*LIMITS, per_key=None, separate=2),
    "per key": lambda: Caps(FREE, per_key=(Limit(2, per=6.0), COOL), separate=2, keys=3),
    "no digests": lambda: Caps(*LIMITS, per_key=COOL, separate=50, keys=2),
    "digests": lambda: Caps(Limit(1, per=2.0), per_key=COOL, separate=1, keys=2),
    "reserve": lambda: Caps(*LIMITS, per_key=COOL, separate=2, keys=3, reserve=1),
    "reserve and digests": lambda: Caps(*LIMITS, per_key=(Limit(2, per=6.0), COOL), separate=1, reserve=1),
}
every_shape = pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES)


COMMANDS = st.sampled_from([laws.FLUSH, laws.PAUSE, laws.RESUME, laws.RESUME])


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[float, Any]]:
    """Bursts as windows give them: numbered lines, none equal to another; flushes, pauses and their ends between."""
    out: list[tuple[float, Any]] = []
    now, number = 0.0, 0
    for seq, (gap, key, count) in enumerate(
        draw(st.lists(st.tuples(waits, st.sampled_from("abcde"), st.integers(0, 4)), max_size=25)), 1
    ):
        now += gap
        lines = [f"{key}{(number := number + 1):03}" for _ in range(count)]
        some = urgent if draw(st.integers(0, 3)) == 3 else burst
        out.append((gap, some(key, *lines, now=now, seq=seq) if lines else draw(COMMANDS)))
    return out


def fed(script: laws.Script) -> list[Burst]:
    return [item for _, item in script if not isinstance(item, str)]


@every_shape
@given(script=scripts())
def test_the_laws_of_every_stage(make: laws.Make, script: laws.Script) -> None:
    laws.all_laws(make, script, key=lambda line: line[:1])


@pytest.mark.parametrize("shape", ["all", "limits", "no digests", "reserve", "reserve and digests"])
@given(script=scripts())
def test_the_cap_law_is_exact_for_every_limit(shape: str, script: laws.Script) -> None:
    laws.cap_law(SHAPES[shape], script, [(limit.count, limit.per) for limit in LIMITS])


@pytest.mark.parametrize("reserve", [0, 1])
@given(script=scripts())
def test_the_cap_law_is_exact_for_every_key(reserve: int, script: laws.Script) -> None:
    rules = (Limit(1, per=1.5), Limit(2, per=6.0))
    out = laws.left(lambda: Caps(FREE, per_key=rules, separate=50, reserve=reserve), script)
    for key in "abcde":
        moments = [moment for moment, made in out if made.key == key]
        for rule in rules:
            assert all(b >= a + rule.per for a, b in zip(moments, moments[rule.count :], strict=False))


@every_shape
@given(script=scripts())
def test_nothing_waits_without_a_reason(make: laws.Make, script: laws.Script) -> None:
    """A departure comes with an arrival, or exactly at the end of an interval that some departure began."""
    out = [pair for step in laws.play(make, script)[:-1] for pair in step]
    moments, now = set(), 0.0
    for gap, _ in script:
        moments.add(now := now + gap)
    intervals = [2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0]
    for moment, _ in out:
        ends = {earlier + interval for earlier, _ in out for interval in intervals if earlier < moment}
        assert moment in moments or moment in ends, f"why at {moment}?"


# Keys that share one memory are promised nothing: one of them may be given its own.
ROOM = {
    "all": lambda: Caps(*LIMITS, per_key=COOL, separate=2),
    "no digests": lambda: Caps(*LIMITS, per_key=(Limit(2, per=6.0), COOL), separate=50),
}


@pytest.mark.parametrize("make", ROOM.values(), ids=ROOM)
@given(script=scripts())
def test_the_times_that_are_told_are_true(make: laws.Make, script: laws.Script) -> None:
    promised: dict[str, float] = {}
    for moment, made in (pair for step in laws.play(make, script)[:-1] for pair in step):
        assert made.time == pytest.approx(WALL + moment)
        assert made.first <= made.last <= made.closed <= made.time + 1e-6
        assert made.time - made.waited <= made.closed + 1e-6
        assert 0 <= made.paused <= made.waited + 1e-6
        if not made.parts:
            assert made.time >= promised.get(made.key, 0.0) - 1e-6
        for key, _ in made.parts or ((made.key, 0),):
            promised[key] = made.resume or 0.0


@every_shape
@given(script=scripts())
def test_drain_gives_one_burst_at_most(make: laws.Make, script: laws.Script) -> None:
    stage, now = make(), 0.0
    for gap, item in script:
        laws.give(stage, item, now := now + gap)
    held = stage.held - sum(made.count for made in stage.poll(now))
    assert sum(made.count for made in stage.drain(now)) == held
    assert stage.drain(now) == []


@given(script=scripts())
def test_a_fold_shows_what_the_lines_together_would_show(script: laws.Script) -> None:
    bursts = fed(script)
    lines = [line for item in bursts for line in (*item.head, *item.tail)]
    stage = Caps(Limit(1, per=1e6), per_key=None, separate=50)
    stage.feed(burst("x"), 0.0)
    for item in bursts:
        stage.feed(replace(item, key="k"), 0.0)
    for made in stage.drain(0.0):
        assert made.excerpt == burst("k", *lines).excerpt


@every_shape
@given(script=scripts())
def test_the_law_of_pauses(make: laws.Make, script: laws.Script) -> None:
    laws.pause_law(make, script)


@every_shape
@given(script=scripts())
def test_what_is_told_of_pauses_is_true(make: laws.Make, script: laws.Script) -> None:
    """`paused` is what of the pauses fell between the first moment a burst was held and its departure."""
    pauses: list[list[float]] = []
    now = 0.0
    for gap, item in script:
        now += gap
        if item is laws.PAUSE and (not pauses or len(pauses[-1]) == 2):
            pauses.append([now])
        elif item is laws.RESUME and pauses and len(pauses[-1]) == 1:
            pauses[-1].append(now)
    for moment, made in laws.left(make, script):
        since = moment - made.waited
        ends = ((max(begin, since), min(*end, moment) if end else moment) for begin, *end in pauses)
        assert made.paused == pytest.approx(sum(max(0.0, end - begin) for begin, end in ends), abs=1e-6)
