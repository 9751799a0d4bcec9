"""How it is measured: interleaved races, peak memory, context switches while idle, the time of an import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from contestants import SRC, Row, burstmail, first

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SRC)}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


def run(command: list[str], files: list[Path]) -> tuple[float, float, int]:
    """Seconds, seconds of CPU, and peak bytes of one process that reads the files from a pipe."""
    start = time.perf_counter()
    feeder = subprocess.Popen(["cat", *map(str, files)], stdout=subprocess.PIPE)
    silent, pipe = subprocess.DEVNULL, subprocess.PIPE
    reader = subprocess.Popen(command, stdin=feeder.stdout, stdout=silent, stderr=pipe, env=ENVIRONMENT)
    assert feeder.stdout and reader.stderr
    feeder.stdout.close()
    said = reader.stderr.read()
    _, status, usage = os.wait4(reader.pid, 0)
    seconds = time.perf_counter() - start
    reader.returncode = os.waitstatus_to_exitcode(status)
    feeder.wait()
    if reader.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {reader.returncode}: {said.decode(errors='replace')[:2000]}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def counted(mails: Path) -> int:
    """Lines that the mails in a maildir stand for; the maildir is emptied."""
    total = 0
    for mail in (mails / "new").iterdir():
        header = mail.read_text().split("X-Burstmail: lines=", 1)[1]
        total += int(header.split(";", 1)[0])
    shutil.rmtree(mails)
    return total


def race(rows: list[Row], source: Path, rounds: int, work: Path) -> None:
    """All contestants once a round; the order moves on by one, so that nobody always follows the same neighbour."""
    for number in range(rounds):
        turn = number % len(rows)
        for row in rows[turn:] + rows[:turn]:
            print(f"\rround {number + 1} of {rounds}: {row.name:30}", end="", file=sys.stderr, flush=True)
            lines = source if row.lines == rows[0].lines else first(source, row.lines, work)
            seconds, cpu, peak = run(row.command, [lines])
            row.seconds.append(seconds)
            row.cpu.append(cpu)
            row.peak = max(row.peak, peak)
            if row.mails and (found := counted(row.mails)) != row.lines:
                raise SystemExit(f"{row.name}: the mails stand for {found:,} lines of {row.lines:,}")
        bare = rows[0]
        for row in rows:
            share = row.lines / bare.lines
            row.ratios.append(share * bare.seconds[-1] / row.seconds[-1])
            row.cpu_ratios.append(share * bare.cpu[-1] / max(row.cpu[-1], 1e-6))
    print(file=sys.stderr)


def longer(rows: list[Row], source: Path, times: int) -> dict[str, float]:
    """Peak MiB of the burstmail rows with so many times the input."""
    peaks = {}
    for row in rows:
        if row.mails:
            print(f"\r{times} x the input: {row.name:30}", end="", file=sys.stderr, flush=True)
            _, _, peak = run(row.command, [source] * times)
            found = counted(row.mails)
            if found != times * row.lines:
                raise SystemExit(f"{row.name}: the mails stand for {found:,} lines of {times * row.lines:,}")
            peaks[row.name] = peak / 2**20
    print(file=sys.stderr)
    return peaks


def switches(pid: int) -> int:
    """Context switches of all threads so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
    return total


def idle(seconds: float, work: Path) -> dict[str, int]:
    """Context switches while nothing comes: before the first line, and after a mail has been sent."""
    processes = {}
    for name, text in {"before the first line": b"", "after a mail": b"one\ntwo\n"}.items():
        mails = work / name.replace(" ", "-")
        command = burstmail(mails, "--gap", "200ms")
        processes[name] = process = subprocess.Popen(command, stdin=subprocess.PIPE, env=ENVIRONMENT)
        assert process.stdin
        process.stdin.write(text)
        process.stdin.flush()
        until = time.monotonic() + 10
        while text and not list(mails.glob("new/*")) and time.monotonic() < until:
            time.sleep(0.02)
    time.sleep(1)
    before = {name: switches(process.pid) for name, process in processes.items()}
    time.sleep(seconds)
    found = {name: switches(process.pid) - before[name] for name, process in processes.items()}
    for process in processes.values():
        process.communicate()
    return found


def imports(times: int) -> dict[str, float]:
    """Median milliseconds of an interpreter that does nothing, and of one that imports burstmail."""
    programs = {"pass": "pass", "import burstmail": f"import sys; sys.path.insert(0, {str(SRC)!r}); import burstmail"}
    spent: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(times + 1):
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-I", "-c", program], check=True)
            spent[name].append((time.perf_counter() - start) * 1000)
    # The first round writes the .pyc files.
    return {name: median(values[1:]) for name, values in spent.items()}
