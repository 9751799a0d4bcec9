"""One table of scenarios: Simulation, Pipeline and AsyncPipeline give the same bursts, to the line and the second."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Backoff
from tests.drivers.controlled import PLAYERS, Story, simulated
from tests.drivers.scenarios import (
    DOWN,
    NO,
    SCENARIOS,
    Act,
    Become,
    Flush,
    Outcome,
    Restart,
    Scenario,
    Stepped,
    anything,
)


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


# Eighths of a second, which floats add up exactly: each clock is wound in its own way.
MOMENTS = st.integers(0, 800).map(lambda eighths: eighths / 8)
LINES = st.lists(st.sampled_from(["a", "a!", "b", "b1", "c", "  c"]), min_size=1, max_size=3).map("|".join)
ACTS = st.one_of(LINES, LINES, LINES, st.sampled_from([Flush(), Become(anything), Stepped(-50), Restart()]))
SCRIPTS = st.lists(st.sampled_from([None, None, DOWN, NO, {"two@example.org": DOWN}]), max_size=8)


@given(steps=st.lists(st.tuples(MOMENTS, ACTS), max_size=15), outcomes=SCRIPTS)
@pytest.mark.parametrize("play", PLAYERS[1:3])
def test_whatever_happens_every_driver_tells_the_same_story(
    play: Callable[[Scenario], Story], steps: list[tuple[float, Act]], outcomes: list[Outcome]
) -> None:
    scenario = Scenario(
        name="any",
        stages=anything,
        steps=steps,
        mails=(),
        outcomes=outcomes,
        stored=True,
        backoff=Backoff(first=4, longest=20),
        give_up=50,
        until=1000,
    )
    assert play(scenario) == simulated(scenario)
