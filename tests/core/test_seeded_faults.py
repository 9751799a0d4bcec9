"""Each law catches a fault that breaks it: a law that cannot fail would prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import laws
import pytest
import test_cap
import test_echo
from hypothesis import Phase, given, settings
from test_laws import KEEP, LIMITS, MANY_KEYS, ONE_KEY, scripts, windows

from burstmail import Burst, Caps, CloseReason, Limit, Session, chain
from burstmail.core import excerpt as excerpts
from burstmail.core.collector import Collector
from burstmail.core.echo import Echo
from burstmail.core.excerpt import Excerpt
from burstmail.core.keyed import Keyed

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
        name, version, (start, _, first), *rest = honest(self)
        return [name, version, [start, start, first], *rest]

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
    monkeypatch.setattr(Session, "_room", lambda self, batch, size: (batch.count, None if self.held < 2 else CLOSED))
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
