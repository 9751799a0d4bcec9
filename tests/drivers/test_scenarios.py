"""One table of scenarios: Simulation, Pipeline and AsyncPipeline give the same bursts, to the line and the second."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.drivers.controlled import PLAYERS, Story, simulated
from tests.drivers.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
@pytest.mark.parametrize("play", PLAYERS)
def test_what_must_come_out_comes_out(play: Callable[[Scenario], Story], scenario: Scenario) -> None:
    story = play(scenario)
    assert story.told() == list(scenario.mails)
    counts = story.statistics[-1]
    assert {name: getattr(counts, name) for name in scenario.counts} == dict(scenario.counts)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
@pytest.mark.parametrize("play", PLAYERS[1:])
def test_every_driver_tells_the_same_story(play: Callable[[Scenario], Story], scenario: Scenario) -> None:
    assert play(scenario) == simulated(scenario)
