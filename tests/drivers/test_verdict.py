"""How a run ended, on what is mailed of it: in simulated time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from burstmail import (
    Aggregator,
    Batch,
    Caps,
    Composer,
    Keep,
    Limit,
    Message,
    Route,
    Routes,
    Stage,
    StateMismatch,
    chain,
    contains,
)
from burstmail.core.salvage import salvaged
from burstmail.drivers.collect import FOREVER
from burstmail.drivers.verdict import STOPPED, Phase, Run, Verdict, judged
from burstmail.testing import ManualClock, Simulation
from tests.core import laws
from tests.core.test_laws import scripts


def window(gap: float = FOREVER) -> Aggregator:
    return Aggregator(gap=gap, max_age=FOREVER)


def begun(*, only_if_failed: bool = False, ran: str = "") -> Run:
    return Run(name="job", ran=ran, only_if_failed=only_if_failed, phase=Phase.RUNNING)


def ended(run: Run, *lines: str, words: str = "done", failed: bool = False) -> Simulation:
    simulation = Simulation(*judged([window()], run, ManualClock()))
    for second, line in enumerate(lines):
        simulation.at(second * 10, line)
    run.end(words, failed=failed)
    return simulation.end()


def test_what_a_run_said_is_one_burst_that_tells_how_it_ended() -> None:
    (burst,) = ended(begun(ran="job --all"), "a", "b", words="exit status 3", failed=True).bursts
    assert (burst.head, burst.outcome, burst.ran, burst.sources) == (
        ("a", "b"),
        "exit status 3",
        "job --all",
        (("job", 2),),
    )


@pytest.mark.parametrize("failed", [False, True])
def test_whether_it_has_failed_is_on_every_burst_of_its(failed: bool) -> None:
    assert [burst.failed for burst in ended(begun(), "a", failed=failed).bursts] == [failed]


def test_a_source_that_lines_name_themselves_stays() -> None:
    run = begun()
    simulation = Simulation(*judged([window()], run, ManualClock())).at(0, Batch.of("a", source="app.log"))
    run.end("done", failed=False)
    assert simulation.end().bursts[0].sources == (("app.log", 1),)


def test_a_success_that_is_not_wanted_is_counted_as_refused() -> None:
    simulation = ended(begun(only_if_failed=True), "a", "b")
    assert simulation.bursts == []
    counts = simulation.statistics()
    assert (counts.lines_in, counts.lines_refused, counts.lines_held) == (2, 2, 0)


def test_a_failure_is_mailed_where_only_failures_are_wanted() -> None:
    (burst,) = ended(begun(only_if_failed=True), "a", "b", words="exit status 1", failed=True).bursts
    assert (burst.count, burst.outcome) == (2, "exit status 1")


@pytest.mark.parametrize("only_if_failed", [False, True])
def test_a_silent_failure_is_a_burst_of_no_lines_and_a_silent_success_none(only_if_failed: bool) -> None:
    (burst,) = ended(begun(only_if_failed=only_if_failed), words="exit status 1", failed=True).bursts
    assert (burst.count, burst.outcome, burst.sources) == (0, "exit status 1", (("job", 0),))
    assert ended(begun(only_if_failed=only_if_failed)).bursts == []


def test_two_silent_failures_are_two_mails() -> None:
    composer = Composer("root", sender="a@example.org", host="example.org")
    ids = set()
    for _ in range(2):
        run = begun()
        run.end("exit status 1", failed=True)
        (message,) = Simulation(*judged([window(), composer], run, ManualClock())).end().deliveries
        assert isinstance(message.item, Message)
        ids.add(message.item.id)
    assert len(ids) == 2


def test_what_comes_out_while_it_runs_says_so_and_the_failure_is_told_all_the_same() -> None:
    run = begun()
    simulation = Simulation(*judged([window(gap=5)], run, ManualClock())).at(0, "a").until(10)
    assert [burst.outcome for burst in simulation.bursts] == ["still running"]
    run.end("exit status 1", failed=True)
    assert [(burst.outcome, burst.count) for burst in simulation.end().bursts][1:] == [("exit status 1", 0)]


def test_with_only_failures_wanted_nothing_comes_out_while_it_runs() -> None:
    run = begun(only_if_failed=True)
    simulation = Simulation(*judged([window(gap=5)], run, ManualClock())).at(0, "a").at(10, "b").at(20, "c").flush()
    assert simulation.bursts == []
    assert simulation.statistics().lines_held == 3
    run.end("exit status 1", failed=True)
    assert [(burst.head, burst.bursts) for burst in simulation.end().bursts] == [(("a", "b", "c"), 3)]


@pytest.mark.parametrize("only_if_failed", [False, True])
def test_what_an_earlier_run_left_is_told_as_such_and_wanted_in_any_case(only_if_failed: bool) -> None:
    run = Run(name="job", ran="job --all", only_if_failed=only_if_failed)
    simulation = Simulation(*judged([window()], run, ManualClock())).at(0, "a").flush()
    (burst,) = simulation.bursts
    assert (burst.outcome, burst.ran, burst.notes, burst.reason.value) == ("end not seen", "", (STOPPED,), "end")


def test_a_verdict_stands_in_front_of_the_caps() -> None:
    stages = judged([window(), Caps(Limit(2, 60.0)), Composer("root", sender="a", host="b")], begun(), ManualClock())
    assert [type(stage).__name__ for stage in stages] == ["Aggregator", "Verdict", "Caps", "Composer"]


def routed(run: Run, *, every: bool = False) -> Simulation:
    routes = Routes(
        Route(contains("disk"), window(), name="disks"), Route(contains(""), window(), name="rest"), every=every
    )
    return Simulation(*judged([routes], run, ManualClock()))


def test_each_route_tells_how_it_ended() -> None:
    run = begun()
    simulation = routed(run).at(0, "disk full").at(1, "other")
    run.end("exit status 1", failed=True)
    told = [(burst.route, burst.head, burst.outcome) for burst in simulation.end().bursts]
    assert told == [("disks", ("disk full",), "exit status 1"), ("rest", ("other",), "exit status 1")]


def test_a_silent_failure_is_told_to_the_last_route_alone() -> None:
    run = begun()
    simulation = routed(run)
    run.end("exit status 1", failed=True)
    assert [(burst.route, burst.count) for burst in simulation.end().bursts] == [("rest", 0)]


def test_a_failure_that_one_route_has_told_is_not_told_again() -> None:
    run = begun()
    simulation = routed(run).at(0, "disk full")
    run.end("exit status 1", failed=True)
    assert [burst.route for burst in simulation.end().bursts] == ["disks"]


def test_routes_stay_as_they_are() -> None:
    run = begun()
    simulation = routed(run, every=True).at(0, "disk full")
    run.end("done", failed=False)
    assert [burst.route for burst in simulation.end().bursts] == ["disks", "rest"]


def held() -> Verdict:
    verdict = Verdict(begun(only_if_failed=True), ManualClock())
    stage: Stage[Batch, object] = chain(window(gap=1), verdict)
    stage.feed(Batch.of("a\nb"), 0.0)
    stage.poll(2.0)
    return verdict


def test_what_is_held_back_survives() -> None:
    verdict = held()
    other = Verdict(run := begun(only_if_failed=True), ManualClock())
    other.load(verdict.dump())
    assert other.held == 2
    run.end("exit status 1", failed=True)
    assert [burst.head for burst in other.drain(3.0)] == [("a", "b")]


def test_what_holds_nothing_survives_as_nothing() -> None:
    verdict = held()
    verdict.load(Verdict(begun(), ManualClock()).dump())
    assert verdict.held == 0
    with pytest.raises(StateMismatch):
        verdict.load(["caps", 1])


def test_what_is_held_back_is_found_where_there_is_no_verdict_any_more() -> None:
    assert [burst.head for burst in salvaged(held().dump(), 3.0)] == [("a", "b")]


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("only_if_failed", [False, True])
@given(script=scripts())
def test_it_keeps_the_laws(phase: Phase, only_if_failed: bool, script: laws.Script) -> None:
    def make() -> Stage[Any, Any]:
        # A silent failure is told once, and under a name that nobody can know.
        run = Run(name="", only_if_failed=only_if_failed, phase=phase, told=1)
        return chain(Aggregator(gap=2, max_age=5, keep=Keep(head=2, tail=2)), Verdict(run, ManualClock()))

    laws.poll_law(make, script)
    laws.conservation(make, script)
    laws.progress(make, script)
    laws.dump_law(make, script)
