"""How long an error takes the thread that logs it: 500 a second, from 20 threads, each with its traceback.

Beside a handler that does nothing, and one that formats each record and writes it to /dev/null. Programs are those of
tests/frameworks; Django and Flask only where tests/run has made an environment for them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from contestants import SRC

PROGRAMS = SRC.parent / "tests" / "frameworks"
FRAMEWORKS = SRC.parent / ".venvs" / "frameworks" / "bin" / "python"
HANDLERS = {"null": "NullHandler", "file": "FileHandler, /dev/null", "burst": "BurstHandler"}
FIGURES = ("median", "p99", "longest")


def calls(seconds: float, rounds: int, work: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Milliseconds, by program and handler; the rounds are interleaved, and each figure is the median over them."""
    programs = {"logging": (sys.executable, "plain.py")}
    if FRAMEWORKS.exists():
        programs |= {name: (str(FRAMEWORKS), f"{name.lower()}_site.py") for name in ("Django", "Flask")}
    found: dict[str, dict[str, list[dict[str, float]]]] = {name: {kind: [] for kind in HANDLERS} for name in programs}
    for number in range(rounds):
        for name, (python, file) in programs.items():
            for kind in HANDLERS:
                print(f"\rcalls, round {number + 1} of {rounds}: {name} {kind:42}", end="", file=sys.stderr, flush=True)
                found[name][kind].append(_run([python, str(PROGRAMS / file), kind], seconds, work / "calls"))
    print(file=sys.stderr)
    return {
        name: {
            kind: {figure: median(one[figure] for one in rows) for figure in FIGURES} for kind, rows in kinds.items()
        }
        for name, kinds in found.items()
    }


def _run(command: list[str], seconds: float, mails: Path) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    done = subprocess.run([*command, str(mails), str(seconds)], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    shutil.rmtree(mails, ignore_errors=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    for name, kinds in found.items():
        for kind, one in kinds.items():
            told = ", ".join(f"{figure} {one[figure]:.3f}" for figure in FIGURES)
            print(f"ms for an error, {name}, {HANDLERS[kind]}: {told}")
