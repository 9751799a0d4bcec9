"""kill -9 at random moments, under load: what was acknowledged is delivered, and nothing under two Message-IDs."""

from __future__ import annotations

import pytest

from tests.faults.kill import SCENARIOS, total, workers


def check(cycles: int, seed: int) -> None:
    reports = workers([(name, seed + number, cycles) for number, name in enumerate(SCENARIOS)])
    assert [(report["scenario"], report["seed"], fault) for report in reports for fault in report["faults"]] == []
    sums = total(reports)
    assert sums["cycles"] == cycles * len(SCENARIOS)
    # It was under load, and killed in every phase: else all this proves nothing.
    assert sums["acknowledged"] > 5 * sums["cycles"]
    assert sums["unready"] > sums["cycles"] / 50
    assert sums["written"] > sums["acknowledged"]
    assert sums["repeated"] > 0


def test_no_acknowledged_line_is_lost_when_burstmail_is_killed_500_times() -> None:
    check(cycles=46, seed=1)


@pytest.mark.full
def test_no_acknowledged_line_is_lost_when_burstmail_is_killed_thousands_of_times() -> None:
    check(cycles=250, seed=1000)
