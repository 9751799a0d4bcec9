"""A store in a directory that is not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from burstmail import FileStore


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "name"


@pytest.fixture
def store(place: Path) -> Iterator[FileStore]:
    made = FileStore(place)
    yield made
    made.close()
