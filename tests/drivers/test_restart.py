"""One store, several engines: restarts, handing over, callables that raise, states of other settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import pytest

from burstmail import (
    Aggregator,
    Attempt,
    Batch,
    Burst,
    Caps,
    Change,
    DeliveryError,
    Entry,
    Instant,
    Limit,
    MemoryStore,
    PermanentDeliveryError,
    Pipeline,
    Saved,
    Stage,
    StoreError,
    TemporaryDeliveryError,
    each,
)
from burstmail.core.flow import Flow
from burstmail.drivers.engine import Engine
from burstmail.drivers.ledger import Ledger
from burstmail.stores import DELETE, RETRY
from burstmail.testing import ManualClock, RecordingSink

DOWN = TemporaryDeliveryError("connection refused")
NO = PermanentDeliveryError("no such user")


class Shared(MemoryStore):
    """As several processes see one store: each has its own view of who has it."""

    shared = True

    def __init__(self, whole: MemoryStore) -> None:
        self.__dict__ = whole.__dict__

    def open(self) -> Saved | None:
        if self.__dict__.setdefault("owner", id(self)) != id(self):
            return None
        return super().open()

    def close(self) -> None:
        if self.__dict__.get("owner") == id(self):
            del self.__dict__["owner"]


class Run:
    """An engine, its clock, and a sink that takes what it is given."""

    def __init__(
        self, store: MemoryStore | None, *stages: Stage[Any, Any], clock: ManualClock | None = None, sync: str = "burst"
    ) -> None:
        self.clock = clock or ManualClock(50.0)
        path = stages or (Aggregator(gap=5), Caps(Limit(1, per=60), per_key=None))
        self.engine = Engine(Flow(*path), self.clock, store=store, sync=sync)
        self.bursts: list[Burst] = []
        self.outcomes: list[DeliveryError] = []
        self.tried = 0
        self.make(self.engine.start())

    def make(self, attempts: Sequence[Attempt]) -> None:
        self.engine.logger.tell()
        todo = list(attempts)
        while todo:
            attempt = todo.pop(0)
            failed: DeliveryError | Mapping[str, DeliveryError] = self.outcomes.pop(0) if self.outcomes else {}
            self.tried += 1
            if not failed:
                assert isinstance(attempt.item, Burst)
                self.bursts.append(attempt.item)
            todo += self.engine.settle(attempt, failed)[0]

    def feed(self, *lines: str) -> None:
        self.make(self.engine.feed(Batch.of(lines)))

    def wait(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while (due := self.engine.deadline - self.engine.now) <= end - self.clock.monotonic():
            self.clock.advance(max(0.0, due))
            self.make(self.engine.poll())
        self.clock.advance(end - self.clock.monotonic())

    @property
    def shown(self) -> list[str]:
        return [line for burst in self.bursts for line in (*burst.head, *burst.tail)]


def rebooted(clock: ManualClock, passed: float) -> ManualClock:
    """A new monotonic clock, `passed` seconds of wall time later."""
    return ManualClock(3.0, wall=clock.time() + passed - 3.0)


def test_an_open_window_survives_and_closes_when_it_would_have() -> None:
    store = MemoryStore()
    first = Run(store)
    first.feed("a")
    store.close()
    second = Run(store, clock=rebooted(first.clock, 3.0))
    second.wait(1.9)
    assert second.bursts == []
    second.wait(0.2)
    assert (second.shown, second.bursts[0].last - second.bursts[0].first) == (["a"], 0.0)


def test_caps_survive_so_that_restarts_are_no_mail_bomb() -> None:
    store, clock, sent = MemoryStore(), ManualClock(50.0), 0
    for number in range(50):
        run = Run(store, clock=clock)
        run.feed(f"line {number}")
        run.make(run.engine.end())
        run.engine.close()
        sent += len(run.bursts)
        clock = rebooted(clock, 0.2)
    assert sent == 1
    last = Run(store, clock=clock)
    last.wait(60)
    assert [burst.count for burst in last.bursts] == [49]


def test_a_wall_clock_that_was_set_back_holds_nothing_up() -> None:
    store = MemoryStore()
    first = Run(store)
    first.feed("a")
    store.close()
    second = Run(store, clock=rebooted(first.clock, -1e6))
    second.wait(5.0)
    assert second.shown == ["a"]


def test_after_ten_hours_without_power_what_was_open_leaves_at_once() -> None:
    store = MemoryStore()
    first = Run(store)
    first.feed("a")
    store.close()
    assert Run(store, clock=rebooted(first.clock, 36000.0)).shown == ["a"]


def test_an_end_with_a_store_keeps_what_rests_and_one_without_tries_it_again() -> None:
    for store, tries in ((MemoryStore(), 1), (None, 2)):
        run = Run(store)
        run.outcomes = [DOWN, DOWN]
        run.feed("a")
        run.wait(5)
        run.make(run.engine.end())
        assert (run.tried, run.engine.keeps) == (tries, store is not None)


def test_what_a_second_instance_reads_is_mailed_by_the_first() -> None:
    whole = MemoryStore()
    clock = ManualClock(50.0)
    first, second = Run(Shared(whole), clock=clock), Run(Shared(whole), clock=clock)
    second.feed("from the second")
    first.feed("from the first")
    first.wait(6.5)
    second.make(second.engine.poll())
    assert sorted(first.shown) == ["from the first", "from the second"]
    assert (second.bursts, second.engine.keeps) == ([], True)


def test_the_second_instance_goes_on_when_the_first_has_gone() -> None:
    whole = MemoryStore()
    clock = ManualClock(50.0)
    first, second = Run(Shared(whole), clock=clock), Run(Shared(whole), clock=clock)
    first.feed("a")
    second.feed("b")
    second.make(second.engine.flush())
    first.make(first.engine.end())
    first.engine.close()
    assert first.shown == ["a"]
    second.wait(1.0)
    second.feed("c")
    second.wait(70.0)
    assert (second.shown, first.shown) == (["b", "c"], ["a"])


def test_a_second_instance_that_ends_leaves_its_lines_to_the_first() -> None:
    whole = MemoryStore()
    clock = ManualClock(50.0)
    first, second = Run(Shared(whole), clock=clock), Run(Shared(whole), clock=clock)
    second.feed("b")
    second.make(second.engine.end())
    second.engine.close()
    first.wait(6.5)
    assert first.shown == ["b"]


def test_a_second_instance_says_so_once_after_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    whole = MemoryStore()
    clock = ManualClock(50.0)
    first, second = Run(Shared(whole), clock=clock), Run(Shared(whole), clock=clock)
    for seconds, times in ((50, 0), (200, 1)):
        second.wait(seconds)
        assert caplog.text.count("another process has had this store for a minute") == times
    first.engine.close()


def test_an_instance_that_ends_adopts_no_more() -> None:
    whole = MemoryStore()
    first = Run(Shared(whole))
    first.make(first.engine.end())
    whole.stage(Entry(wall=0.0, count=1, text="late\n"))
    assert (first.engine.poll(), first.engine.deadline) == ([], inf)


class Broken(MemoryStore):
    """Fails while `error` is set; `stage` and `adopt` too."""

    def __init__(self) -> None:
        super().__init__()
        self.error = ""

    def _check(self) -> None:
        if self.error:
            raise StoreError(self.error)

    def open(self) -> Saved | None:
        self._check()
        return super().open()

    def append(self, entry: Entry, *, sync: bool = False) -> None:
        self._check()
        super().append(entry)

    def adopt(self, last: int, now: float, wall: float) -> Sequence[Entry]:
        self._check()
        return super().adopt(last, now, wall)

    def dead(self, key: str) -> Any:
        self._check()
        return super().dead(key)

    def sync(self) -> None:
        self._check()


def test_a_store_that_fails_is_said_once_in_the_log_and_in_the_next_mail(caplog: pytest.LogCaptureFixture) -> None:
    store = Broken()
    run = Run(store)
    store.error = "database or disk is full"
    with caplog.at_level(logging.WARNING, logger="burstmail"):
        for _ in range(5):
            run.feed("a")
            run.wait(61)
        store.error = ""
        run.wait(61)
    assert caplog.text.count("the store fails") == caplog.text.count("the store works again") == 1
    notes = [note for burst in run.bursts for note in burst.notes]
    assert len([note for note in notes if "database or disk is full" in note]) == 1
    # It has recovered by itself: what is open now survives.
    run.feed("b")
    store.close()
    again = Run(store, clock=rebooted(run.clock, 70))
    assert again.shown == ["b"]


def test_a_store_that_fails_at_the_start_gets_what_came_meanwhile_and_gives_what_it_had() -> None:
    store = Broken()
    first = Run(store)
    first.outcomes = [DOWN]
    first.feed("queued")
    first.wait(5)
    first.feed("open")
    store.close()
    store.error = "input/output error"
    second = Run(store, clock=rebooted(first.clock, 1))
    second.feed("in memory")
    second.wait(0.5)
    store.error = ""
    second.wait(70)
    assert sorted(second.shown) == ["in memory", "open", "queued"]
    assert len({(burst.epoch, burst.seq) for burst in second.bursts}) == len(second.bursts)


def test_syncs_are_once_a_second_with_every_batch_or_never() -> None:
    class Counting(MemoryStore):
        syncs = 0

        def sync(self) -> None:
            Counting.syncs += 1

        def append(self, entry: Entry, *, sync: bool = False) -> None:
            Counting.syncs += sync
            super().append(entry)

    for sync, wanted in (("burst", 1), ("batch", 10), ("off", 0)):
        Counting.syncs = 0
        run = Run(Counting(), Aggregator(gap=30, max_age=100), sync=sync)
        for _ in range(10):
            run.feed("a")
            run.wait(0.09)
        run.wait(0.2)
        assert Counting.syncs == wanted


def test_a_sync_that_is_asked_for_says_whether_it_worked() -> None:
    store = Broken()
    run = Run(store)
    run.feed("a")
    run.engine.sync()
    store.error = "input/output error"
    with pytest.raises(StoreError, match="input/output"):
        run.engine.sync()
    run.feed("b")
    with pytest.raises(StoreError, match="memory only"):
        run.engine.sync()
    with pytest.raises(StoreError, match="no store"):
        Run(None).engine.sync()


def test_a_sync_that_fails_when_it_is_due_sends_the_engine_to_memory() -> None:
    store = Broken()
    run = Run(store)
    run.feed("a")
    store.error = "input/output error"
    run.wait(1.0)
    assert not run.engine.keeps


def test_a_sync_word_is_checked() -> None:
    with pytest.raises(ValueError, match="sync='often': must be one of batch, burst, off"):
        Ledger(None, "often")


class Poison(Instant[Batch, Batch]):
    """A stage of a user's own that cannot take some lines."""

    def feed(self, item: Batch, now: float) -> Sequence[Batch]:
        if "poison" in item.text:
            raise ZeroDivisionError
        return [item]


@pytest.mark.parametrize(
    "stages",
    [(Poison(), Aggregator(gap=5)), (Aggregator(gap=5, key=each(lambda line: str(int(line, 36)))),)],
    ids=["a stage", "a key"],
)
def test_lines_that_make_a_callable_raise_are_mailed_as_they_are(
    stages: Sequence[Stage[Any, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    run = Run(Rewound(store), *stages)
    run.feed("before")
    run.feed("poison !")
    run.feed("after")
    run.wait(10)
    assert sorted(run.shown) == ["after", "before", "poison !"]
    (note,) = [note for burst in run.bursts for note in burst.notes]
    assert note.startswith("1 line as they came, since a stage or a callable raised")
    assert "the lines are mailed as they are" in caplog.text


class Rewound(MemoryStore):
    """A store that may be opened again by the one who has it, as the protocol says."""

    def __init__(self, whole: MemoryStore) -> None:
        self.__dict__ = whole.__dict__

    def open(self) -> Saved | None:
        return super().open()


def test_poison_in_the_journal_is_no_crash_loop() -> None:
    store = MemoryStore()
    first = Run(store, Aggregator(gap=5))
    first.feed("before")
    first.feed("poison !")
    first.feed("after")
    store.close()
    second = Run(store, Poison(), Aggregator(gap=5), clock=rebooted(first.clock, 0))
    second.wait(10)
    assert sorted(second.shown) == ["after", "before", "poison !"]
    store.close()
    assert Run(store, Poison(), Aggregator(gap=5), clock=second.clock).bursts == []


def test_a_callable_that_raises_without_a_store_surfaces() -> None:
    run = Run(None, Poison(), Aggregator(gap=5))
    with pytest.raises(ZeroDivisionError):
        run.feed("poison")


@pytest.mark.parametrize(
    "state", [[99, 1.0, 2.0, []], ["x"], [1, "now", 2.0, []], [1, True, 2.0, []], 5, [1, 0, 0, {}]]
)
def test_a_state_of_another_version_is_no_crash_loop_and_the_journal_is_kept(state: Any) -> None:
    store = MemoryStore()
    first = Run(store)
    first.feed("a")
    store.close()
    store.__dict__["_state"] = state
    second = Run(store, clock=rebooted(first.clock, 1))
    second.wait(10)
    assert second.shown == ["a"]


def test_other_stages_get_what_was_open_as_one_burst() -> None:
    store = MemoryStore()
    first = Run(store, Aggregator(gap=500, max_age=1000), Caps(Limit(1, per=60), per_key=None))
    first.feed("a")
    first.make(first.engine.flush())
    for text in "bc":
        first.feed(text)
        first.make(first.engine.flush())
    first.engine.close()
    second = Run(store, Aggregator(gap=5), clock=rebooted(first.clock, 1))
    second.wait(10)
    assert (first.shown, second.shown) == (["a"], ["b", "c"])
    assert "kept under other settings" in second.bursts[0].notes[0]


def test_a_message_that_cannot_be_read_is_said_and_does_not_stop_the_others() -> None:
    store = MemoryStore()
    first = Run(store)
    first.outcomes = [DOWN]
    first.feed("a")
    first.wait(5)
    store.close()
    store.__dict__["_outbox"]["/0"] = ["rubbish"]
    second = Run(store, clock=rebooted(first.clock, 100))
    assert second.shown == ["a"]
    second.wait(60)
    second.feed("b")
    second.wait(70)
    assert any("1 mail in the store could not be read" in note for note in second.bursts[-1].notes)


def test_a_dead_letter_is_kept_and_an_operator_can_have_it_tried_again_or_deleted() -> None:
    store = Rewound(MemoryStore())
    run = Run(Shared(store))
    run.outcomes = [NO]
    run.feed("a")
    run.wait(5)
    (key,) = store.__dict__["_dead"]
    store.stage(Entry(kind=RETRY, text=key))
    run.wait(1)
    assert (run.shown, store.__dict__["_dead"]) == (["a"], {})
    run.outcomes = [NO]
    run.wait(60)
    run.feed("b")
    run.wait(5)
    (key,) = store.__dict__["_dead"]
    store.stage(Entry(kind=DELETE, text=key))
    run.wait(1)
    assert (run.shown, store.__dict__["_dead"]) == (["a"], {})


def test_an_operator_can_have_a_waiting_mail_tried_at_once_or_deleted() -> None:
    store = MemoryStore()
    run = Run(Shared(store))
    run.outcomes = [DOWN]
    run.feed("a")
    run.wait(5)
    for key in ("/99", "nonsense", "/1"):
        store.stage(Entry(kind=RETRY, text=key))
    run.wait(1)
    assert run.shown == ["a"]
    run.outcomes = [DOWN]
    run.wait(60)
    run.feed("b")
    run.wait(5)
    store.stage(Entry(kind=DELETE, text="/2"))
    run.wait(1)
    assert (store.__dict__["_outbox"], run.engine.statistics().waiting) == ({}, 0)


def test_a_dead_letter_that_cannot_be_read_is_said(caplog: pytest.LogCaptureFixture) -> None:
    class Unreadable(MemoryStore):
        shared = True

        def dead(self, key: str) -> Any:
            raise StoreError("input/output error")

    store = Unreadable()
    store.stage(Entry(kind=RETRY, text="/1.1"))
    Run(store)
    assert "cannot read the dead letter /1.1: input/output error" in caplog.text


def test_a_mail_that_takes_the_process_down_does_not_stay_the_first_in_line() -> None:
    store = MemoryStore()
    clock = ManualClock(50.0)
    engine = Engine(Flow(Aggregator(max_lines=1)), clock, store=store)
    (attempt,) = [*engine.start(), *engine.feed(Batch.of("poison"))]
    engine.feed(Batch.of("good"))
    # Both are in the queue; the process dies in the first attempt, and in the next life the other one goes first.
    store.close()
    again = Engine(Flow(Aggregator(max_lines=1)), clock, store=store).start()
    assert isinstance(attempt.item, Burst)
    assert [found.item.head for found in again if isinstance(found.item, Burst)] == [("good",)]


def test_a_flood_is_committed_every_32_mebibytes() -> None:
    store = MemoryStore()
    run = Run(store, Aggregator(gap=50, max_age=100))
    longest = 0
    for _ in range(1200):
        run.feed("x" * 65535)
        longest = max(longest, len(store.__dict__["_journal"]))
    assert 500 <= longest <= 513


def test_a_store_that_works_again_at_the_end_gets_what_is_true_by_then() -> None:
    store = Broken()
    run = Run(store)
    run.feed("a")
    store.error = "database or disk is full"
    run.feed("b")
    run.wait(5)
    assert run.shown == ["a", "b"]
    store.error = ""
    run.engine.close()
    again = Run(store, clock=rebooted(run.clock, 100))
    again.wait(100)
    assert again.shown == []


def test_what_the_caps_hold_is_given_up_when_the_store_fails_at_the_very_end() -> None:
    class FailsLater(Broken):
        def commit(self, change: Change, *, sync: bool = True) -> None:
            self._check()
            super().commit(change)

    store = FailsLater()
    run = Run(store, Aggregator(max_lines=1), Caps(Limit(1, per=60), per_key=None))
    for text in "abc":
        run.feed(text)
    assert run.shown == ["a"]
    store.error = "database or disk is full"
    run.feed("d")
    run.make(run.engine.end())
    assert (run.shown, run.engine.keeps) == (["a", "b", "c", "d"], False)


def test_a_mail_is_tried_again_at_an_operators_word_though_the_caps_are_late() -> None:
    store = MemoryStore()
    first = Run(Shared(store))
    first.outcomes = [DOWN]
    for text in "abc":
        first.feed(text)
        first.make(first.engine.flush())
    store.stage(Entry(kind=RETRY, text="/1"))
    again = Run(Rewound(store), clock=rebooted(first.clock, 1000))
    assert sorted(again.shown) == ["a", "b", "c"]


def test_numbers_used_while_the_store_fails_are_never_another_mails() -> None:
    store = Broken()
    first = Run(store, Aggregator(max_lines=1))
    store.error = "database or disk is full"
    for text in "abc":
        first.feed(text)
    # Killed; the store knows nothing of these, and gives their numbers again.
    store.error = ""
    second = Run(store, Aggregator(max_lines=1), clock=rebooted(first.clock, 1))
    for text in "def":
        second.feed(text)
    places = {(burst.epoch, burst.seq, burst.gone) for burst in (*first.bursts, *second.bursts)}
    assert (len(places), first.shown, second.shown) == (6, ["a", "b", "c"], ["d", "e", "f"])


def test_what_was_due_while_nothing_ran_leaves_now_and_says_so() -> None:
    store = MemoryStore()
    first = Run(store)
    first.feed("a")
    store.close()
    second = Run(store, clock=rebooted(first.clock, 600))
    (burst,) = second.bursts
    assert burst.time == second.clock.time()
    assert (burst.closed - burst.last, burst.notes) == (
        5.0,
        ("This was due 9 min 55 s earlier, when burstmail was not running.",),
    )


def test_what_the_caps_held_while_nothing_ran_leaves_now_within_their_limits() -> None:
    store = MemoryStore()
    caps = Caps(Limit(1, per=60), per_key=None)
    first = Run(store, Aggregator(max_lines=1, key=each(lambda line: line)), caps)
    for text in "abcd":
        first.feed(text)
    store.close()
    caps = Caps(Limit(1, per=60), per_key=None)
    second = Run(store, Aggregator(max_lines=1, key=each(lambda line: line)), caps, clock=rebooted(first.clock, 86400))
    start = second.clock.time()
    assert [burst.time - start for burst in second.bursts] == [0.0]
    assert abs(second.bursts[0].waited - 86400) < 1
    second.wait(130)
    # All departures are those of a limit of one a minute, counted from now and not from a time in the past.
    assert [round(burst.time - start) for burst in second.bursts] == [0, 60, 120]


def test_a_short_stop_is_not_worth_a_word() -> None:
    store = MemoryStore()
    first = Run(store)
    first.feed("a")
    store.close()
    (burst,) = Run(store, clock=rebooted(first.clock, 20)).bursts
    assert burst.notes == ()


class Bomb(Instant[Burst, Burst]):
    """A stage behind the windows that cannot take some bursts."""

    def feed(self, item: Burst, now: float) -> Sequence[Burst]:
        if any("poison" in line for line in item.head):
            raise ZeroDivisionError
        return [item]


def test_a_stage_that_raises_when_time_passes_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    stages = Aggregator(gap=5), Bomb(), Caps(Limit(5, per=60), per_key=None)
    run = Run(store, *stages)
    run.feed("poison")
    run.wait(10)
    run.feed("after")
    run.wait(10)
    assert run.shown == ["poison", "after"]
    assert "the lines are mailed as they are" in caplog.text


def test_a_stage_that_raises_at_the_end_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    stages = Aggregator(gap=5), Bomb(), Caps(Limit(5, per=60), per_key=None)
    run = Run(store, *stages)
    run.feed("poison")
    run.make(run.engine.end())
    assert run.engine.close()
    assert run.shown + Run(store, *stages, clock=rebooted(run.clock, 100)).shown == ["poison"]
    assert "the lines are mailed as they are" in caplog.text


def test_a_state_that_makes_a_stage_raise_is_no_crash_loop() -> None:
    store = MemoryStore()
    first = Run(store, Aggregator(gap=5), Caps(Limit(5, per=60), per_key=None))
    first.feed("poison")
    first.engine.close()
    stages = Aggregator(gap=5), Bomb(), Caps(Limit(5, per=60), per_key=None)
    second = Run(store, *stages, clock=rebooted(first.clock, 100))
    assert second.shown == ["poison"]
    assert Run(store, *stages, clock=rebooted(second.clock, 100)).shown == []


def test_without_a_store_that_works_such_a_stage_surfaces_and_nothing_old_is_overwritten() -> None:
    store = Broken()
    run = Run(store, Aggregator(gap=5), Bomb(), Caps())
    run.feed("poison")
    store.error = "input/output error"
    with pytest.raises(ZeroDivisionError):
        run.wait(10)
    store.error = ""
    run.engine.close()
    assert [entry.text for entry in store.__dict__["_journal"]] == ["poison\n"]


def test_a_callable_that_raises_on_an_adopted_line_repeats_none_of_the_others() -> None:
    whole = MemoryStore()
    key = each(lambda line: str(int(line[-1])))
    for text in ("a1", "ab", "a2", "a3"):
        whole.stage(Entry(wall=0.0, count=1, text=f"{text}\n"))
    run = Run(Shared(whole), Aggregator(max_lines=1, key=key))
    assert sorted(run.shown) == ["a1", "a2", "a3", "ab"]


def test_what_came_of_an_attempt_is_told_of_no_other_message() -> None:
    engine = Engine(Flow(Aggregator(max_lines=1)), ManualClock(), store=MemoryStore())
    (first,) = [*engine.start(), *engine.feed(Batch.of("a"))]
    engine.feed(Batch.of("b"))
    (second,), _ = engine.settle(first, {})
    assert engine.settle(first, {}) == ([], [])
    assert engine.statistics().sent == 1
    engine.settle(second, DOWN)
    assert engine.statistics().waiting == 1


def test_no_dead_letter_takes_the_place_of_another() -> None:
    store = MemoryStore()
    for text in "ab":
        store.__dict__["_state"] = None
        run = Run(store, Aggregator(max_lines=1))
        run.outcomes = [NO]
        run.feed(text)
        run.engine.close()
    assert sorted(store.__dict__["_dead"]) == ["/1.1", "/1.1x"]


def test_a_dead_letter_of_another_shape_stays_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    store.__dict__["_dead"]["/1.1"] = ["rubbish"]
    store.stage(Entry(kind=RETRY, text="/1.1"))
    Run(Shared(store))
    assert list(store.__dict__["_dead"]) == ["/1.1"]
    assert "the dead letter /1.1 cannot be read" in caplog.text


def test_who_has_lost_the_store_to_another_goes_on_by_itself() -> None:
    class Lost(Broken):
        others = False

        def open(self) -> Saved | None:
            return None if self.others else super().open()

    store = Lost()
    run = Run(store)
    run.feed("a")
    store.others, store.error = True, "the files have been removed"
    run.feed("b")
    store.error = ""
    run.wait(10)
    assert (run.shown, run.engine.keeps) == (["a", "b"], False)


def test_what_is_adopted_counts_towards_the_journal() -> None:
    store = MemoryStore()
    run = Run(Shared(store), Aggregator(gap=50, max_age=100))
    # At most 8 MiB are adopted at once.
    for _ in range(600):
        store.stage(Entry(wall=run.clock.time(), count=1, text="x" * 65535 + "\n"))
    run.wait(1)
    assert 0 < len(store.__dict__["_journal"]) < 514


def test_a_window_that_goes_on_after_a_restart_is_another_than_its_first_lines_alone() -> None:
    store = MemoryStore()
    first = Run(store)
    first.feed("a")
    alone = first.engine._flow.epoch
    store.close()
    second = Run(store, clock=rebooted(first.clock, 1))
    second.feed("b")
    second.wait(10)
    assert second.bursts[0].epoch == f"{alone}+{second.engine._flow.epoch}"


def test_a_handler_may_feed_the_pipeline_that_logs() -> None:
    store = Broken()
    pipeline = Pipeline(Aggregator(gap=60), sink=RecordingSink(), store=store)

    class Feeds(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            pipeline.feed(record.getMessage())

    handler = Feeds()
    logging.getLogger("burstmail").addHandler(handler)
    try:
        store.error = "database or disk is full"
        pipeline.feed("a")
        assert pipeline.statistics().lines_in >= 2
    finally:
        logging.getLogger("burstmail").removeHandler(handler)
        pipeline.close()
