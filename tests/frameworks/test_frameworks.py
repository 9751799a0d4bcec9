"""Django and Flask with their logging going to BurstHandler: 5,000 errors from 20 threads, all counted, few mails."""

from __future__ import annotations

import json
import os
import subprocess
from email import message_from_bytes
from pathlib import Path

import pytest

import burstmail
from tests.conftest import HOW

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent / ".venvs" / "frameworks" / "bin" / "python"

pytestmark = pytest.mark.servers


def run(program: str, *arguments: str | Path) -> dict[str, float]:
    if not PYTHON.exists():
        pytest.skip(f"no environment with Django and Flask here: {HOW}")
    # Where burstmail is installed, it is in that environment, too.
    where = Path(burstmail.__file__).parents[1]
    path = {} if where.name == "site-packages" else {"PYTHONPATH": str(where)}
    command = [str(PYTHON), str(HERE / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | path)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("program", ["django_site.py", "flask_site.py"])
def test_a_flood_of_errors_is_all_counted_in_as_many_mails_as_the_caps_allow(program: str, tmp_path: Path) -> None:
    told = run(program, "short", tmp_path / "mails", "10", "count")
    assert told["calls"] == told["records"] == 5000
    mails = [message_from_bytes(path.read_bytes()) for path in (tmp_path / "mails").glob("new/*")]
    counts = [dict(part.split("=") for part in mail["X-Burstmail"].split("; ")) for mail in mails]
    assert sum(int(count["lines"]) for count in counts) == told["lines"]
    # Three a minute, and at the end what was held.
    assert 2 <= len(mails) <= 4
    assert all("LookupError" in mail["Subject"] or "order" in mail["Subject"] for mail in mails)
