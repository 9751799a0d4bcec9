"""A year of everything that goes wrong, in simulated time."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from burstmail import Backoff, TemporaryDeliveryError
from tests.drivers.life import Life
from tests.drivers.test_engine import stages

DAY = 86400.0
DOWN = TemporaryDeliveryError("connection refused")


class Weather:
    """Spells of trouble: none, a mail server that is down for hours or days, a process that keeps dying, a bad disk."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.spell = "fair"

    def change(self) -> None:
        self.spell = self.chance.choice(["fair", "fair", "server", "server", "crashes", "disk", "greylisting"])

    def writes(self) -> Iterator[str]:
        while True:
            trouble = {"crashes": ["crash", "crash after"], "disk": ["fail", "fail after"]}.get(self.spell)
            yield self.chance.choice(trouble) if trouble and self.chance.random() < 0.3 else ""

    def attempts(self) -> Iterator[Any]:
        while True:
            often = {"server": 1.0, "greylisting": 0.5, "crashes": 0.1}.get(self.spell, 0.0)
            trouble = ["crash", "crash after"] if self.spell == "crashes" else [DOWN, {"a@example.org": DOWN}]
            yield self.chance.choice(trouble) if self.chance.random() < often else ""


def conserved(life: Life) -> None:
    """Every line this process knows of is held, out, or about burstmail itself."""
    counts = life.engine.statistics()
    assert counts.lines_in == counts.lines_held + counts.lines_out + counts.lines_own


@pytest.mark.parametrize("days", [365, pytest.param(3650, marks=pytest.mark.full)])
def test_a_year_of_mixed_faults_conserves_every_line_at_every_step(days: int) -> None:
    weather = Weather(days)
    life = Life(stages, weather.writes(), weather.attempts())
    first = life.clock.time()
    while life.clock.time() < first + days * DAY:
        weather.change()
        for _ in range(weather.chance.randrange(1, 12)):
            life.wait(weather.chance.expovariate(1 / 5000.0))
            life.lines(weather.chance.choice([1, 1, 2, 3, 7]))
            if weather.chance.random() < 0.05:
                life.flush()
            if weather.chance.random() < 0.02:
                # NTP, or somebody with a watch.
                life.wall += weather.chance.uniform(-4000, 4000)
            conserved(life)
    life.end()
    conserved(life)
    life.check()
    assert life.crashes > days / 10
    # An outage is no mail bomb, and neither is a restart: what the caps let out, and as much again that had waited for
    # the server, or for one of its recipients.
    assert max(_within(life.arrivals[""], 900.0)) <= 2 * 5


def _within(moments: list[float], per: float) -> Iterator[int]:
    for place, moment in enumerate(moments):
        yield sum(moment <= later < moment + per for later in moments[place : place + 50])


@pytest.mark.parametrize("seed", range(10))
def test_once_faults_stop_everything_is_out_within_the_longest_backoff_and_a_minute(seed: int) -> None:
    weather = Weather(seed)
    life = Life(stages, weather.writes(), weather.attempts())
    for _ in range(10):
        weather.change()
        for _ in range(8):
            life.wait(weather.chance.expovariate(1 / 500.0))
            life.lines(2)
    weather.spell = "fair"
    waiting = life.engine.statistics().waiting
    queued = set(life.store.__dict__["_outbox"])
    life.wait(Backoff().longest + 60)
    assert not queued & set(life.store.__dict__["_outbox"])
    assert waiting <= 20
