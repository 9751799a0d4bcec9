"""Options of a run, and what they make of the markers."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator
from itertools import count

import pytest
from hypothesis import HealthCheck, settings

HOW = "run `bash tests/run --install-servers`"

# No deadline per example: the machines tests run on are shared, and speed is measured in tests/bench, never here.
# Where a change is judged, the same examples each time, so that it is judged for itself; elsewhere ever new ones.
SAME = os.environ.get("CI", "false") == "true"
settings.register_profile("everyday", deadline=None, derandomize=SAME, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("full", settings.get_profile("everyday"), max_examples=2000)
# What another Python has been asked in full: here it is only whether this one differs.
settings.register_profile("brief", settings.get_profile("everyday"), max_examples=20)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the large numbers too")
    parser.addoption("--brief", action="store_true", help="a fifth of the examples: another Python has had them all")
    help = "a skipped test that needs a real server or browser fails"
    parser.addoption("--require-servers", action="store_true", help=help)


def pytest_configure(config: pytest.Config) -> None:
    chosen = [name for name in ("full", "brief") if config.getoption(f"--{name}")]
    settings.load_profile(chosen[0] if chosen else "everyday")


# Where the command line keeps its state unless told otherwise: never in a directory of this machine.
STATES = tempfile.mkdtemp(prefix="burstmail-tests-")
atexit.register(shutil.rmtree, STATES, ignore_errors=True)
NUMBERS = count(1)


def pytest_runtest_setup() -> None:
    os.environ["STATE_DIRECTORY"] = f"{STATES}/{next(NUMBERS)}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="a large number: run `bash tests/run --full`"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    real = item.get_closest_marker("servers") or item.get_closest_marker("browser")
    if report.skipped and real and item.config.getoption("--require-servers") and not item.get_closest_marker("full"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but every real server and browser is required here: {report.longrepr}"
    return report
