"""The base for stages that hold nothing."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import pytest

from burstmail import Batch, Instant, StateMismatch


def test_an_instant_stage_only_needs_feed() -> None:
    class Shout(Instant[Batch, Batch]):
        def feed(self, item: Batch, now: float) -> Sequence[Batch]:
            return [Batch.of(item.text.upper())]

    stage = Shout()
    assert [batch.text for batch in stage.feed(Batch.of("a"), 0.0)] == ["A\n"]
    assert (stage.deadline, stage.held) == (inf, 0)
    assert stage.poll(1.0) == stage.flush(1.0) == stage.drain(1.0) == []
    stage.load(stage.dump())
    with pytest.raises(StateMismatch, match="Shout"):
        stage.load(["Whisper", 1])
    with pytest.raises(TypeError, match="no feed"):
        Instant[Batch, Batch]().feed(Batch.of("a"), 0.0)
