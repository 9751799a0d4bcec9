"""Each law catches a fault that breaks it: a law that cannot fail would prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import laws
import pytest
import test_cap
import test_echo
from hypothesis import Phase, given, settings
from test_laws import BEFORE, KEEP, LETTER, LIMITS, MANY_KEYS, ONE_KEY, TRACES, alarmed, reserved, scripts, windows

from burstmail import Batch, Burst, Caps, CloseReason, Limit, Session, Threshold, Window, chain
from burstmail.core import excerpt as excerpts
from burstmail.core import join as joins
from burstmail.core import session as sessions
from burstmail.core import threshold as thresholds
from burstmail.core.collector import Collector
from burstmail.core.echo import Echo
from burstmail.core.excerpt import Excerpt
from burstmail.core.keyed import Keyed
from burstmail.core.limits import Gate
from burstmail.core.recent import Recent
from burstmail.core.record import Read, Record

Law = Callable[[laws.Script], None]
Patch = pytest.MonkeyPatch


def caught(law: Law, wanted: Callable[[], Any] = scripts) -> None:
    """Some script among 2,000 makes the law complain."""

    @settings(max_examples=2000, phases=[Phase.generate], derandomize=True, database=None)
    @given(script=wanted())
    def search(script: laws.Script) -> None:
        law(script)

    with pytest.raises((AssertionError, ExceptionGroup)):
        search()


def test_the_poll_law_catches_a_window_that_closes_when_it_is_polled(monkeypatch: Patch) -> None:
    def late(self: Session, now: float) -> list[Burst]:
        return [self.close(now, CloseReason.GAP)] if self.deadline <= now else []

    monkeypatch.setattr(Session, "poll", late)
    caught(lambda script: laws.poll_law(ONE_KEY["session"], script))


def test_conservation_catches_lines_that_are_not_counted(monkeypatch: Patch) -> None:
    honest = Collector.add

    def forgetful(self: Collector, text: str, count: int, size: int) -> None:
        honest(self, text, count, size)
        self.count -= count == 3

    monkeypatch.setattr(Collector, "add", forgetful)
    caught(lambda script: laws.conservation(ONE_KEY["session"], script))


def test_conservation_catches_a_crowded_window_that_is_dropped(monkeypatch: Patch) -> None:
    monkeypatch.setattr(type(windows()), "_give_up", lambda self, machine, now: [])
    caught(lambda script: laws.conservation(MANY_KEYS["crowded windows"], script))


def test_progress_catches_a_deadline_that_stays(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Session, "poll", lambda self, now: [])
    caught(lambda script: laws.progress(ONE_KEY["session"], script))


def test_the_cap_law_catches_a_log_that_is_one_too_long() -> None:
    one_more = [Limit(limit.count + 1, limit.per) for limit in LIMITS]
    promised = [(limit.count, limit.per) for limit in LIMITS]
    caught(lambda script: laws.cap_law(lambda: chain(windows(), Caps(*one_more, per_key=None)), script, promised))


def test_order_catches_a_tail_that_is_turned_round(monkeypatch: Patch) -> None:
    honest = excerpts.last_lines
    monkeypatch.setattr(excerpts, "last_lines", lambda text, count: honest(text, count)[::-1])
    caught(lambda script: laws.order(windows, script, key=lambda line: line[:1]))


def test_the_dump_law_catches_what_is_not_written_down(monkeypatch: Patch) -> None:
    honest = Session.dump

    def partial(self: Session) -> Any:
        name, version, (start, _, *others), *rest = honest(self)
        return [name, version, [start, start, *others], *rest]

    monkeypatch.setattr(Session, "dump", partial)
    caught(lambda script: laws.dump_law(ONE_KEY["session"], script))


def test_the_dump_law_catches_windows_that_come_back_in_another_order(monkeypatch: Patch) -> None:
    honest = Keyed.dump

    def shuffled(self: Keyed[Any, Any]) -> Any:
        name, version, serial, rows = honest(self)
        return [name, version, serial, [[key, place, inner] for place, (key, _, inner) in enumerate(sorted(rows))]]

    monkeypatch.setattr(Keyed, "dump", shuffled)
    caught(lambda script: laws.dump_law(MANY_KEYS["crowded windows"], script))


def test_the_batch_law_catches_a_bound_that_looks_at_whole_batches(monkeypatch: Patch) -> None:
    def whole(batch: Batch, size: int, window: Window, filled: Collector) -> tuple[int, CloseReason | None]:
        return batch.count, None if filled.count < 2 else CLOSED

    monkeypatch.setattr(sessions, "room", whole)
    caught(lambda script: laws.batch_law(ONE_KEY["session"], script))


CLOSED = CloseReason.MAX_LINES


def test_folding_catches_a_join_that_forgets_the_other_head(monkeypatch: Patch) -> None:
    def careless(self: Excerpt, other: Excerpt) -> Excerpt:
        return Excerpt.of(self.head, other.tail, count=self.count + other.count, keep=self.keep)

    def law(script: laws.Script) -> None:
        lines = [line for _, item in script if item is not laws.FLUSH for line in item.lines]
        assert _kept(lines[:2]).join(_kept(lines[2:])) == _kept(lines)

    monkeypatch.setattr(Excerpt, "join", careless)
    caught(law)


def _kept(lines: Sequence[str]) -> Excerpt:
    collector = Collector(KEEP)
    for line in lines:
        collector.add(f"{line}\n", 1, len(line) + 1)
    return collector.excerpt()


def limited() -> Caps:
    return Caps(*LIMITS, per_key=None, separate=2)


def test_the_law_of_pauses_catches_what_leaves_in_one(monkeypatch: Patch) -> None:
    honest = Caps.flush
    monkeypatch.setattr(Caps, "flush", lambda self, now: honest(self, now) or self.drain(now))
    caught(lambda script: laws.pause_law(limited, script), test_cap.scripts)


def test_the_law_of_pauses_catches_one_that_counts_as_a_departure(monkeypatch: Patch) -> None:
    honest = Caps.pause

    def heavy(self: Caps, now: float) -> Sequence[Burst]:
        out = honest(self, now)
        self._all.record(now)
        return out

    monkeypatch.setattr(Caps, "pause", heavy)
    caught(lambda script: laws.pause_law(limited, script), test_cap.scripts)


def test_progress_catches_a_pause_that_stays_due(monkeypatch: Patch) -> None:
    honest = Caps.deadline.fget
    assert honest

    def eager(self: Caps) -> float:
        return self._all.opens if self.paused and self.held else honest(self)

    monkeypatch.setattr(Caps, "deadline", property(eager))
    monkeypatch.setattr(Caps, "poll", lambda self, now: [])
    caught(lambda script: laws.progress(limited, script), test_cap.scripts)


def test_the_dump_law_catches_a_pause_that_is_not_written_down(monkeypatch: Patch) -> None:
    honest = Caps.dump
    monkeypatch.setattr(Caps, "dump", lambda self: [*honest(self)[:-1], [None, None]])
    caught(lambda script: laws.dump_law(limited, script), test_cap.scripts)


def test_the_dump_law_catches_ids_that_are_not_written_down(monkeypatch: Patch) -> None:
    honest = Echo.dump
    monkeypatch.setattr(Echo, "dump", lambda self: [*honest(self)[:2], [], *honest(self)[3:]])
    caught(lambda script: laws.dump_law(test_echo.echo, script), test_echo.scripts)


def traces() -> Any:
    return scripts(kinds=TRACES)


def before(name: str, law: Callable[[laws.Make, laws.Script], None]) -> Law:
    return lambda script: law(BEFORE[name], script)


def test_conservation_catches_a_threshold_that_does_not_count_what_it_gives_up(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Threshold, "_give_up", lambda self: self._picked(next(iter(self._waiting))))
    caught(before("threshold", laws.conservation))


def test_conservation_catches_a_threshold_that_tells_twice_of_what_was_below(monkeypatch: Patch) -> None:
    honest = Threshold._give_up

    def twice(self: Threshold) -> None:
        honest(self)
        self._untold += 1

    monkeypatch.setattr(Threshold, "_give_up", twice)
    caught(before("threshold", laws.conservation))


def test_progress_catches_a_threshold_that_gives_nothing_up(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Threshold, "poll", lambda self, now: [])
    caught(before("threshold", laws.progress))


def test_the_poll_law_catches_a_threshold_that_gives_up_one_batch_at_a_poll(monkeypatch: Patch) -> None:
    def poll(self: Threshold, now: float) -> list[Batch]:
        if self.deadline <= now:
            self._give_up()
        return []

    monkeypatch.setattr(Threshold, "poll", poll)
    caught(before("threshold", laws.poll_law))


def test_order_catches_a_threshold_that_gives_out_the_newest_first(monkeypatch: Patch) -> None:
    honest = Recent.passed
    monkeypatch.setattr(Recent, "passed", lambda self, needed: honest(self, needed)[::-1])
    caught(lambda script: laws.order(BEFORE["threshold"], script, key=lambda line: ""))


def test_the_dump_law_catches_moments_that_are_not_written_down(monkeypatch: Patch) -> None:
    honest = Recent.dump
    monkeypatch.setattr(Recent, "dump", lambda self: [row for row in honest(self) if row[2]])
    caught(before("threshold", laws.dump_law))


def test_the_batch_law_catches_a_threshold_that_counts_batches(monkeypatch: Patch) -> None:
    honest = Recent.add
    monkeypatch.setattr(Recent, "add", lambda self, now, lines, number: honest(self, now, min(lines, 1), number))
    caught(before("threshold", laws.batch_law))


def test_a_number_that_two_parts_begin_with_is_caught(monkeypatch: Patch) -> None:
    def law(script: laws.Script) -> None:
        made = laws.left(lambda: Threshold(2, per=4, key=LETTER), script)
        names = [(batch.seq, batch.gone) for _, batch in made]
        assert len(set(names)) == len(names)

    monkeypatch.setattr(thresholds, "_numbered", lambda parts, gone: parts)
    caught(law)


def test_conservation_catches_a_record_that_drops_a_line(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Record, "add", lambda self, text, line, now: None)
    caught(before("join", laws.conservation), traces)


def test_the_poll_law_catches_a_record_that_ends_at_any_poll(monkeypatch: Patch) -> None:
    monkeypatch.setattr(joins.Join, "poll", lambda self, now: joins.Join.flush(self, now) if self.held else [])
    monkeypatch.setattr(
        joins.Join, "flush", lambda self, now: joins._batches([self._closed(name) for name in [*self._open]], now)
    )
    caught(before("join", laws.poll_law), traces)


def test_order_catches_records_that_leave_in_another_order(monkeypatch: Patch) -> None:
    honest = joins._batches
    monkeypatch.setattr(joins, "_batches", lambda records, now: honest(records[::-1], now))
    caught(lambda script: laws.order(BEFORE["join"], script, key=lambda line: ""), traces)


def test_the_dump_law_catches_a_record_that_forgets_when_its_last_line_came(monkeypatch: Patch) -> None:
    honest = Record.dump

    def partial(self: Record) -> Any:
        name, (since, _), *rest = honest(self)
        return [name, [since, since], *rest]

    monkeypatch.setattr(Record, "dump", partial)
    caught(before("join", laws.dump_law), traces)


def test_the_batch_law_catches_records_that_have_the_number_of_their_read(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Read, "given", property(lambda self: 0, lambda self, value: None), raising=False)
    caught(before("join", laws.batch_law), traces)


def test_the_dump_law_catches_an_alarm_that_is_not_written_down(monkeypatch: Patch) -> None:
    honest = Session.dump

    def quiet(self: Session) -> Any:
        *rest, (_, below), tally, timeline = honest(self)
        return [*rest, [None, below], tally, timeline]

    monkeypatch.setattr(Session, "dump", quiet)
    caught(before("urgent", laws.dump_law))


def test_the_batch_law_catches_an_alarm_that_every_urgent_line_puts_off(monkeypatch: Patch) -> None:
    def first(self: Any, part: Batch) -> str | None:
        return "a" if part.count == 1 and part.text[0] == "a" else None

    monkeypatch.setattr("burstmail.core.urgent.Urgency.first", first)
    caught(before("urgent", laws.batch_law))


def test_the_cap_law_catches_a_reserve_outside_the_limit(monkeypatch: Patch) -> None:
    honest = Gate.opening
    monkeypatch.setattr(Gate, "opening", lambda self, reserve=0, *, cool=True: honest(self, reserve - 1, cool=cool))
    promised = [(limit.count, limit.per) for limit in LIMITS]
    caught(lambda script: laws.cap_law(lambda: chain(alarmed(key=LETTER), reserved()), script, promised))


def test_the_law_of_pauses_catches_an_urgent_burst_that_leaves_as_of_a_time_before_it(monkeypatch: Patch) -> None:
    monkeypatch.setattr(
        Caps, "_plus", lambda self, held, item, now, ready: held.plus(item, now, min(held.ready, ready))
    )
    caught(lambda script: laws.pause_law(test_cap.SHAPES["reserve"], script), test_cap.scripts)
