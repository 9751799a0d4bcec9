"""What a real Chromium makes of the mails; measured once for all tests of a width and a scheme."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.browser.chromium import Findings, command, measured
from tests.browser.pages import PAGES
from tests.conftest import HOW

Measure = Callable[[int, str], Findings]


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    if command() is None:
        pytest.skip(f"no chromium-headless-shell here: {HOW}")


@cache
def _measured(width: int, scheme: str) -> Findings:
    return measured([page.html for page in PAGES], width=width, scheme=scheme)


@pytest.fixture(scope="session")
def found() -> Measure:
    return _measured
