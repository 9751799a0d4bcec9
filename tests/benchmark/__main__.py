"""Measure burstmail beside what else could read the same lines. One command, one table.

    tests/bench                 2,000,000 lines, 5 rounds: some minutes
    tests/bench --quick         100,000 lines, 3 rounds: the start of the interpreter weighs in
    tests/bench --json FILE     the figures for machines, too

Every contestant reads the same lines from a real pipe (`cat FILE |`). Times are whole processes, from the start to the
exit, the mails written included. The rounds are interleaved, since a shared machine changes its pace: a ratio is taken
inside a round, and what is shown is the median over the rounds. CPU time is what other work disturbs least. Whoever is
slow gets fewer lines; the table says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from calls import calls, show
from contestants import Row, contestants, generate
from measure import idle, imports, longer, race, trickle
from ways import ways


def table(result: dict[str, Any], rows: list[Row]) -> None:
    bare = rows[0].lines
    titles = f"{'lines':>11} {'seconds':>8} {'lines/s':>12} {'x loop':>7} {'CPU s':>7} {'x loop':>7} {'peak MiB':>9}"
    print(f"\n{'':42} {titles}  aim")
    for row in rows:
        one = row.figures()
        aim = f">= {row.aim} x" if row.aim else ""
        less = "" if row.lines == bare else f"1/{bare // row.lines} of the lines; ratios are per line"
        print(
            f"{row.name:42} {row.lines:11,} {one['seconds']:8.2f} {one['lines_per_second']:12,.0f}"
            f" {one['ratio_to_bare_loop']:7.4f} {one['cpu_seconds']:7.2f} {one['cpu_ratio_to_bare_loop']:7.4f}"
            f" {one['peak_mib']:9.1f}  {aim}{less}".rstrip()
        )
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"A peak of {own:.0f} MiB or less may be that of this program, which every child starts with.")
    for name, peak in result["longer"]["peak_mib"].items():
        print(f"{name}, {result['longer']['times']} x the lines: peak {peak:.1f} MiB (aim: < 40, and no growth)")
    for one in result["rows"]:
        if one["stored"]:
            print(f"{one['name']}: {one['bytes_written_per_byte_read']:.2f} bytes written for each byte read")
    for name, one in result["trickle"].items():
        cost = f"{one['cpu_ms']:.2f} ms of CPU and {one['bytes_written']:,.0f} bytes written for each"
        print(f"a line a second, {name}: {cost}{' (aim: < 1 ms)' if 'burst' in name else ''}")
    for name, count in result["idle"]["context_switches"].items():
        print(f"idle for {result['idle']['seconds']:g} s {name}: {count} context switches (aim: 0)")
    show(result["calls"])
    nothing, all_ = result["import_ms"]["pass"], result["import_ms"]["import burstmail"]
    print(f"python -c pass {nothing:.1f} ms, import burstmail {all_:.1f} ms: {all_ / nothing:.2f} x (aim: <= 3)")


def main() -> None:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="tests/bench", description=__doc__, formatter_class=shape)
    parser.add_argument("--lines", type=int, help="how many lines (2,000,000)")
    parser.add_argument("--rounds", type=int, help="how many rounds (5)")
    parser.add_argument("--hosts", type=int, default=4, help="hosts in the lines; five programs each (4)")
    parser.add_argument("--idle", type=float, help="seconds of idleness, and of a line a second (10)")
    parser.add_argument("--quick", action="store_true", help="100,000 lines, 3 rounds, 2 s idle")
    parser.add_argument("--json", metavar="FILE", help="write the figures here as well")
    given = parser.parse_args()
    usual = (100_000, 3, 2.0) if given.quick else (2_000_000, 5, 10.0)
    lines, rounds, still = (
        default if value is None else value
        for value, default in zip((given.lines, given.rounds, given.idle), usual, strict=True)
    )
    with tempfile.TemporaryDirectory(prefix="burstmail-bench-") as name:
        work = Path(name)
        source = work / "lines"
        generate(source, lines, given.hosts)
        rows = [*contestants(lines, work), *ways(lines, source, work)]
        race(rows, source, rounds, work)
        result = {
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "lines": lines,
            "bytes": source.stat().st_size,
            "keys": given.hosts * 5,
            "rounds": rounds,
            "rows": [row.figures() for row in rows],
            "longer": {"times": 10, "peak_mib": longer(rows, source, 10)},
            "trickle": trickle(still, work),
            "idle": {"seconds": still, "context_switches": idle(still, work)},
            "calls": calls(still, rounds, work),
            "import_ms": imports(20),
        }
    said = ("date", "python", "system", "lines", "bytes", "keys", "rounds")
    print("; ".join(f"{name} {result[name]}" for name in said))
    table(result, rows)
    if given.json:
        Path(given.json).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
