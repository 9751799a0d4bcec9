"""How many mails an hour there are at most: never more, however the lines come, and sometimes as many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Aggregator, Batch, Caps, CoolDown, Limit, chain
from burstmail.cli.amount import COUNTED, HOUR, most
from burstmail.cli.explain import LIMITS
from burstmail.core.cap import LIMITS as OURS


def departures(caps: Caps, arrivals: list[float]) -> list[float]:
    """When mails leave, if a line comes at each of these moments."""
    stage = chain(Aggregator(gap=0.001), caps)
    found: list[float] = []
    for moment in [*arrivals, arrivals[-1] + 10 * HOUR]:
        while (due := stage.deadline) <= moment:
            found += [due] * len(stage.poll(due))
        if moment in arrivals:
            found += [moment] * len(stage.feed(Batch.of("line"), moment))
    return found


def fullest(moments: list[float], within: float) -> int:
    """Of all windows of this length, the most there are in one."""
    return max(sum(start <= other < start + within - 1e-3 for other in moments) for start in moments)


LIMIT = st.builds(Limit, st.integers(1, 4), st.sampled_from([10.0, 25.0, 60.0, 90.0]))
COOL = st.builds(
    lambda first, more: CoolDown(first=first, longest=first + more),
    st.sampled_from([1.0, 7.0, 20.0]),
    st.sampled_from([0.0, 5.0, 30.0]),
)


@given(
    st.lists(LIMIT, min_size=1, max_size=2),
    st.none() | COOL,
    st.lists(st.sampled_from([0.5, 1.0, 3.0, 8.0, 20.0, 31.0, 55.0]), min_size=1, max_size=60),
)
def test_there_are_never_more(limits: list[Limit], cool: CoolDown | None, pauses: list[float]) -> None:
    arrivals = [sum(pauses[: count + 1]) for count in range(len(pauses))]
    found = departures(Caps(*limits, per_key=cool), arrivals)
    bound = most(limits, cool, 100.0)
    assert bound is not None
    assert fullest(found, 100.0) <= bound


@pytest.mark.parametrize(
    "limits", [(Limit(3, 60.0), Limit(5, 900.0)), (Limit(20, 3600.0),), (Limit(1, 7.0), Limit(4, 30.0))]
)
def test_a_flood_has_as_many_as_the_limits_let_through(limits: tuple[Limit, ...]) -> None:
    flood = [float(second) for second in range(0, 4000, 1)]
    found = departures(Caps(*limits, per_key=None), flood)
    assert fullest(found, HOUR) == most(limits, None)


def test_who_is_quiet_now_and_then_has_as_many_as_a_cool_down_lets_through() -> None:
    # Four mails, a quiet of 15 minutes, and the rests are short again; at last, a fifth.
    noise = [at + run * 1324.0 for run in range(3) for at in (0.0, 61.0, 182.0, 423.0)] + [2 * 1324.0 + 904.0]
    found = departures(Caps(Limit(100, 60.0), per_key=CoolDown()), noise)
    assert fullest(found, HOUR) == most([], CoolDown()) == 13


def test_no_rule_is_no_bound() -> None:
    assert most([], None) is None


def test_amounts_that_nobody_counts_are_bounded_all_the_same() -> None:
    assert most([Limit(10**6, 60.0)], None) == 60 * 10**6
    assert most([], CoolDown(first=0.001, longest=0.001)) == 3_600_000 > COUNTED


def test_the_limits_are_those_that_caps_have_by_themselves() -> None:
    assert LIMITS == OURS
