"""What comes due in a call that raises is not lost with it: a destination would wait for that attempt for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from burstmail import Aggregator, Batch, Caps, Instant, Limit, each
from burstmail.core.flow import Flow
from burstmail.drivers.engine import Engine
from burstmail.testing import ManualClock


class Raising(Instant[Any, Any]):
    """It takes nothing."""

    def feed(self, item: Any, now: float) -> Sequence[Any]:
        raise ZeroDivisionError


def begun(*lines: str) -> tuple[Engine, ManualClock]:
    clock = ManualClock()
    key = each(lambda line: str(int(line)))
    engine = Engine(Flow(Aggregator(gap=5, key=key), Caps(Limit(1, per=60), per_key=None)), clock)
    assert not engine.start()
    assert not engine.feed(Batch.of(lines))
    clock.advance(10)
    return engine, clock


def test_a_line_that_makes_a_callable_raise() -> None:
    engine, _ = begun("1")
    with pytest.raises(ValueError, match="invalid literal"):
        engine.feed(Batch.of("x"))
    assert [attempt.item.count for attempt in engine.poll()] == [1]
    assert not engine.poll()


def test_stages_that_raise_when_they_are_to_go_on() -> None:
    engine, clock = begun("1", "2")
    (attempt,) = engine.poll()
    clock.advance(10)
    with pytest.raises(ZeroDivisionError):
        # What the caps hold fits no stage of these.
        engine.become(Flow(Aggregator(), Raising()))
    assert not engine.flush()
    assert not engine.settle(attempt, {})[0]
    clock.advance(60)
    assert [attempt.item.count for attempt in engine.poll()] == [1]
