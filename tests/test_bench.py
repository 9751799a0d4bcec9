"""tests/bench runs, and counts every line. How fast anything is, no test asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent / "benchmark"


def test_the_benchmark_measures_everything_and_counts_all_lines(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--lines", "2000", "--rounds", "1", "--idle", "0.2", "--json", str(figures)]
    done = subprocess.run([sys.executable, str(BENCH), *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = json.loads(figures.read_text())
    rows = {row["name"]: row["lines"] for row in result["rows"]}
    names = ("burstmail", "burstmail --key host,program")
    own = {*names, *(name.replace("burstmail", "burstmail --no-patterns") for name in names)}
    stored = {"burstmail --state DIR", "burstmail --state DIR --key host,program"}
    assert {"for line in sys.stdin", "wc -l", *own, *stored} <= set(rows)
    routes = {f"four routes, {which}" for which in ("few lines match", "every line", "every line, no patterns")}
    assert {*routes, "FileSource", "SyslogSource, TCP", "SyslogSource, unix datagrams"} <= set(rows)
    assert all(f"{name} " in done.stdout for name in rows)
    assert set(result["longer"]["peak_mib"]) == {*own, *stored}
    assert {row["name"] for row in result["rows"] if row["stored"]} == stored
    assert set(result["trickle"]) == {"no store", "--sync burst", "--sync batch"}
    assert set(result["idle"]["context_switches"]) == {"before the first line", "after a mail"}
    # Django and Flask only where there is an environment for them.
    assert "logging" in result["calls"]
    assert all(set(kinds) == {"null", "file", "burst"} for kinds in result["calls"].values())
    assert set(result["import_ms"]) == {"pass", "import burstmail"}
