"""How it is measured: interleaved races, peak memory, bytes written, one line a second, idleness, an import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from contestants import SRC, Row, burstmail, first

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SRC)}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    seconds: float
    cpu: float
    peak: int
    """Bytes."""
    written: int
    """Bytes that it made the system write to disks (`write_bytes` in /proc/PID/io), mails included."""


def run(command: list[str], files: list[Path], sender: list[str] | None = None) -> Cost:
    """One process that reads the files from a pipe, or from who sends them."""
    start = time.perf_counter()
    feeder = subprocess.Popen([*(sender or ["cat"]), *map(str, files)], stdout=subprocess.PIPE)
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
    # Linux counts blocks of 512 bytes here, whatever those of the disk are.
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, usage.ru_oublock * 512)


def counted(mails: Path) -> int:
    """Lines that the mails in a maildir stand for; the maildir is emptied."""
    total = 0
    for mail in (mails / "new").iterdir():
        header = mail.read_text().split("X-Burstmail: lines=", 1)[1]
        total += int(header.split(";", 1)[0])
    shutil.rmtree(mails)
    return total


def told(row: Row, source: Path) -> int:
    """How many lines the mails must stand for."""
    if not row.told:
        return row.lines
    done = subprocess.run(["grep", "-cP", row.told, str(source)], capture_output=True, text=True)
    return int(done.stdout)


def race(rows: list[Row], source: Path, rounds: int, work: Path) -> None:
    """All contestants once a round; the order moves on by one, so that nobody always follows the same neighbour."""
    for number in range(rounds):
        turn = number % len(rows)
        for row in rows[turn:] + rows[:turn]:
            print(f"\rround {number + 1} of {rounds}: {row.name:42}", end="", file=sys.stderr, flush=True)
            lines = source if row.lines == rows[0].lines else first(source, row.lines, work)
            cost = run(row.command, [lines], row.sender)
            row.seconds.append(cost.seconds)
            row.cpu.append(cost.cpu)
            row.peak = max(row.peak, cost.peak)
            row.read, row.written = lines.stat().st_size, max(row.written, cost.written)
            if row.mails and (found := counted(row.mails)) != (expected := told(row, lines)):
                raise SystemExit(f"{row.name}: the mails stand for {found:,} lines of {expected:,}")
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
        if row.mails and not row.sender and not row.told:
            print(f"\r{times} x the input: {row.name:42}", end="", file=sys.stderr, flush=True)
            cost = run(row.command, [source] * times)
            found = counted(row.mails)
            if found != times * row.lines:
                raise SystemExit(f"{row.name}: the mails stand for {found:,} lines of {times * row.lines:,}")
            peaks[row.name] = cost.peak / 2**20
    print(file=sys.stderr)
    return peaks


def cpu_of(pid: int) -> float:
    """Seconds of CPU of all threads so far, to the nanosecond (/proc/PID/task/TID/schedstat)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def trickle(seconds: float, work: Path) -> dict[str, dict[str, float]]:
    """A line a second: milliseconds of CPU and bytes written for each, without a store and with one."""
    states = {"no store": "none", "--sync burst": str(work / "trickle"), "--sync batch": str(work / "drop")}
    processes = {}
    for name, state in states.items():
        sync = name.split()[1] if "sync" in name else "off"
        command = burstmail(work / f"mails {name}", "--state", state, "--sync", sync)
        processes[name] = subprocess.Popen(command, stdin=subprocess.PIPE, env=ENVIRONMENT)
    # The first lines load what is loaded when it is first used.
    say(processes.values(), 2)
    before = {name: (cpu_of(process.pid), bytes_of(process.pid)) for name, process in processes.items()}
    lines = max(1, round(seconds))
    say(processes.values(), lines)
    found = {}
    for name, process in processes.items():
        cpu, written = before[name]
        cpu, written = cpu_of(process.pid) - cpu, bytes_of(process.pid) - written
        found[name] = {"cpu_ms": 1000 * cpu / lines, "bytes_written": written / lines}
        process.communicate()
    return found


def bytes_of(pid: int) -> int:
    """Bytes that a process has made the system write to disks so far."""
    counts = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(counts["write_bytes"])


def say(processes: Iterable[subprocess.Popen[bytes]], lines: int) -> None:
    """A line a second to each."""
    for _ in range(lines):
        for process in processes:
            assert process.stdin
            process.stdin.write(
                b"Nov 23 10:00:00 web1 sshd[123]: Failed password for root from 203.0.113.7 port 22 ssh2\n"
            )
            process.stdin.flush()
        time.sleep(1)


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
