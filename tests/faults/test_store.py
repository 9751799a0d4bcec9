"""FileStore alone, with a fault at each call: an operation is in the store wholly or not at all, all before it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from burstmail import FileStore
from tests.cli.process import ENVIRONMENT
from tests.faults import storing
from tests.faults.strace import (
    CHANGING,
    EVERY,
    FOR_GOOD,
    NAMES,
    ONCE,
    Fault,
    Trace,
    faults_of,
    needs_strace,
    some,
    traced,
)

pytestmark = [pytest.mark.servers, needs_strace]

LIFE = [sys.executable, str(Path(storing.__file__))]
GAVE_UP = 3


class Life:
    """One life of a store under one fault."""

    def __init__(self, place: Path, fault: Fault | None, *, named: bool = False) -> None:
        place.mkdir()
        self.fault = fault
        self.store = place / "store"
        self.trace = Trace(place / "trace")
        files = [self.store, *(self.store / name for name in NAMES)] if named else []
        words = traced(self.trace, fault, files=files, calls=EVERY if named else CHANGING)
        command = [*words, *LIFE, str(self.store)]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)
        self.status, self.said, self.errors = done.returncode, done.stdout, done.stderr

    @property
    def done(self) -> int:
        """How many operations it has said to be done."""
        return self.said.count("done ")

    def must_have_left_all(self) -> None:
        """What was done is in the store; what was being done, wholly or not at all."""
        store = FileStore(self.store)
        try:
            found = storing.Contents.of(store)
            assert found in WANTED[self.done : self.done + 2], f"{self}: {found}"
        finally:
            store.close()
        # SQLite calls a header that it cannot read malformed.
        if not (self.fault and self.fault.error == "EIO" and "read" in self.fault.call):
            assert not list(self.store.glob("*damaged*")), f"{self}: taken for damaged"

    def __str__(self) -> str:
        return f"{self.fault}, status {self.status}\n{self.said}{self.errors}\n{str(self.trace)[-3000:]}"


WANTED = storing.expected()


def lives(place: Path, faults: Iterable[Fault], *, named: bool = False) -> Iterable[Life]:
    """All of them, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(lambda fault: Life(place / str(fault), fault, named=named), faults)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """What a life without a fault calls."""
    life = Life(tmp_path_factory.mktemp("reference") / "life", None)
    assert (life.status, life.done) == (0, len(storing.OPERATIONS)), str(life)
    life.must_have_left_all()
    return life.trace


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """What a life without a fault calls on the store's files."""
    life = Life(tmp_path_factory.mktemp("named") / "life", None, named=True)
    assert (life.status, life.done) == (0, len(storing.OPERATIONS)), str(life)
    return life.trace


def test_killed_at_any_call_it_has_all_that_was_done(
    tmp_path: Path, reference: Trace, pytestconfig: pytest.Config
) -> None:
    for life in lives(tmp_path, faults_of(reference.counts, [""], at_most=some(pytestconfig, 40))):
        assert life.trace.fired == 1, str(life)
        life.must_have_left_all()


def test_a_call_that_fails_once_costs_nothing(tmp_path: Path, named: Trace, pytestconfig: pytest.Config) -> None:
    for life in lives(tmp_path, faults_of(named.counts, ONCE, at_most=some(pytestconfig, 25)), named=True):
        assert life.trace.fired == 1, str(life)
        assert (life.status, life.done) == (0, len(storing.OPERATIONS)), str(life)
        life.must_have_left_all()


def test_a_call_that_fails_for_good_costs_nothing_that_was_done(
    tmp_path: Path, named: Trace, pytestconfig: pytest.Config
) -> None:
    faults = faults_of(named.counts, FOR_GOOD, on=True, at_most=some(pytestconfig, 8))
    for life in lives(tmp_path, faults, named=True):
        assert life.trace.fired, str(life)
        assert life.status in (0, GAVE_UP), str(life)
        life.must_have_left_all()
