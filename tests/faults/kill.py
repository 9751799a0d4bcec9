"""Random kill -9 under load: numbered lines in, mails out, and burstmail killed at any moment, again and again.

    PYTHONPATH=src:. python -m tests.faults.kill --cycles 10000 --workers 2 [--seed 1] [--scenario NAME]

Every worker has a directory of its own and one scenario, and prints what it found as one line of JSON. The oracle:
every acknowledged line is in a mail, or counted in one; no line is in two mails of different Message-ID; one
Message-ID means the same bytes; nothing is in a mail that was not written; the last one ends with status 0.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from tests.cli.process import ENVIRONMENT
from tests.faults.process import Child, import_all, run
from tests.faults.told import Told

ROOT = Path(__file__).parents[2]
NUMBER = r"n=(\d+)\."
# Lines are shown, not counted only, as far as 64 KiB go: identity is a sharper oracle than a sum.
SHOW = ("--keep", "20000+20000")
FREE = ("--cap", "100000/1s", "--cool-down", "off")
TIGHT = ("--cap", "2/300ms", "--cool-down", "100ms..400ms")
# Delivers, says "later" without delivering, or delivers and says "later" all the same: a reply that got lost.
MAILER = """#!/bin/sh
case $(($$ % 4)) in 0) exit 75 ;; 1) status=75 ;; *) status=0 ;; esac
draft={directory}/tmp/$$-$(date +%N)
cat > $draft && mv $draft {directory}/new/ && exit $status
exit 71
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What differs between workers."""

    options: tuple[str, ...]
    mailer: bool = False
    overlap: float = 0.0
    """How often a second instance is started beside the first."""
    ordered: bool = False
    """Whether the lines of a mail must be in the order in which they were written."""
    reconfigured: bool = False
    """Whether every start has other options."""
    meddled: bool = False
    """Whether an operator looks into the queue, and has it retried, in between."""
    frozen: bool = False
    """Whether one of two instances stops moving now and then, whatever it is at and whatever it has locked."""


SCENARIOS = {
    "plain": Scenario(options=("--gap", "30ms", *FREE), ordered=True),
    "keyed": Scenario(options=("--gap", "30ms", "--key", "program", *FREE)),
    "capped": Scenario(options=("--gap", "20ms", "--key", "program", *TIGHT)),
    "mailer": Scenario(options=("--gap", "30ms", *FREE, "--backoff", "20ms..200ms"), mailer=True, ordered=True),
    "overlap": Scenario(options=("--gap", "30ms", *FREE), overlap=0.7),
    "overlap-capped": Scenario(options=("--gap", "20ms", "--key", "program", *TIGHT), overlap=0.7),
    "frozen": Scenario(options=("--gap", "20ms", "--key", "program", *TIGHT), overlap=1.0, frozen=True),
    "synced": Scenario(options=("--gap", "30ms", *FREE, "--sync", "batch"), ordered=True),
    "unsynced": Scenario(options=("--gap", "30ms", *FREE, "--sync", "off"), ordered=True),
    "reconfigured": Scenario(options=(), reconfigured=True),
    "everything": Scenario(
        options=("--backoff", "20ms..200ms"), mailer=True, overlap=0.5, reconfigured=True, meddled=True
    ),
}
# For a scenario that changes them at every start.
CHOICES: list[list[tuple[str, ...]]] = [
    [(), ("--key", "program"), ("--key", "host,program")],
    [FREE, TIGHT, (*TIGHT[:2], "--cool-down", "off")],
    [("--gap", "20ms"), ("--gap", "60ms", "--max-age", "100ms"), ("--gap", "50ms", "--max-lines", "7")],
    [(), ("--sync", "batch"), ("--sync", "off")],
]


@dataclass(slots=True)
class Report:
    """What a run did and found."""

    scenario: str
    seed: int
    cycles: int = 0
    unready: int = 0
    """Killed before it could say that it was ready."""
    written: int = 0
    acknowledged: int = 0
    delivered: int = 0
    left_out: int = 0
    mails: int = 0
    repeated: int = 0
    """Mails that came again under the same Message-ID."""
    largest: int = 0
    """Bytes of the state directory, at most, as seen after a kill."""
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class Run:
    """One worker's run: one directory, one scenario, many kills."""

    def __init__(self, directory: Path, name: str, seed: int) -> None:
        self.directory = directory
        self.report = Report(name, seed)
        self._scenario = SCENARIOS[name]
        self._random = Random(seed)
        self._next = 1
        self._frozen: Child | None = None
        # Whether there is a store by now.
        self._opened = False
        self._acknowledged: set[int] = set()
        self._mails = directory / "mails"
        self._told = Told(self._mails, NUMBER, ordered=self._scenario.ordered)
        self._log = directory / "log"
        to = ["--maildir", str(self._mails)]
        if self._scenario.mailer:
            to = ["--sendmail", str(self._make_mailer())]
        store = ["--state", str(directory / "state"), "--name", "it", "--confirm"]
        self._arguments = ["--to", "root", *to, *store, *SHOW, *self._scenario.options]

    def _make_mailer(self) -> Path:
        for folder in ("tmp", "new"):
            (self._mails / folder).mkdir(parents=True)
        mailer = self.directory / "sendmail"
        mailer.write_text(MAILER.format(directory=self._mails))
        mailer.chmod(0o755)
        return mailer

    def go(self, cycles: int) -> Report:
        """Kill so many times, looking at what was delivered now and then, and at the end."""
        started = time.monotonic()
        children: list[Child] = []
        while self.report.cycles < cycles:
            children.append(self._start())
            if len(children) < 2 and self._random.random() < self._scenario.overlap:
                children.append(self._start())
            self._load(children)
            self._stop(children)
            self.report.cycles += 1
            if self.report.cycles % 100 == 0 or self.report.cycles == cycles:
                self._settle(children)
        self.report.seconds = round(time.monotonic() - started, 1)
        return self.report

    def _start(self) -> Child:
        more = [word for choice in CHOICES for word in self._random.choice(choice)]
        return Child([*self._arguments, *(more if self._scenario.reconfigured else ())], self._log)

    def _load(self, children: Sequence[Child]) -> None:
        """Write for a random while, waiting for each answer, or not. Often the end is there before it is ready."""
        random = self._random
        waits = random.random() < 0.7
        if random.random() < 0.7:
            limit = time.monotonic() + 10
            while not all(child.ready for child in children) and time.monotonic() < limit:
                time.sleep(0.001)
        end = time.monotonic() + random.choice([0.005, 0.02, 0.08]) * random.random() * 2
        while True:
            child = random.choice(children)
            self._write(child, random.choice([1, 1, 3, 20, 80]))
            self._opened = self._opened or child.ready
            if self._scenario.meddled and self._opened and random.random() < 0.1:
                self._meddle()
            if self._scenario.frozen and len(children) > 1 and random.random() < 0.2:
                self._frozen = self._frozen or child
                self._frozen.signal(signal.SIGSTOP)
            # Before it is ready, they would end it as they end any program.
            if random.random() < 0.1 and child.ready:
                child.signal(random.choice([signal.SIGHUP, signal.SIGUSR1]))
            if time.monotonic() >= end:
                return
            pause = time.monotonic() + random.random() ** 3 * 0.03
            while time.monotonic() < pause or (waits and not child.answered and time.monotonic() < end):
                time.sleep(0.0005)

    def _meddle(self) -> None:
        action = self._random.choice([["list"], ["retry", "--all"]])
        # It may be killed as well.
        patience = self._random.choice([5.0, 5.0, 0.002, 0.01])
        command = ["queue", *action, "--state", str(self.directory / "state"), "--name", "it"]
        if status := run(command, self._log, patience):
            self._fault(f"queue {action} ended with status {status}")

    def _write(self, child: Child, count: int) -> None:
        numbers = range(self._next, self._next + count)
        # What does not fit into the pipe is never written, under these numbers or others.
        if child.write(numbers, b"".join(map(self._line, numbers))):
            self.report.written += count
        self._next += count

    def _line(self, number: int) -> bytes:
        return b"<6>Nov 23 10:00:00 web1 app%d: n=%d.\n" % (self._random.randrange(6), number)

    def _stop(self, children: list[Child]) -> None:
        """Kill one of them; now and then all, or one that is about to end by itself."""
        victims = list(children)
        if len(victims) > 1 and self._random.random() < 0.7:
            victims = [self._frozen or self._random.choice(victims)]
        self._frozen = None
        for victim in victims:
            if self._random.random() < 0.25:
                random_end = self._random.choice([victim.hang_up, partial(victim.signal, signal.SIGTERM)])
                random_end()
                time.sleep(self._random.random() * 0.05)
            self.report.unready += not victim.ready
            victim.kill()
            self._hear(victim)
            children.remove(victim)
        self.report.largest = max(self.report.largest, size_of(self.directory / "state"))

    def _settle(self, children: list[Child]) -> None:
        """Let everything out, end all of them in order, and look."""
        children.append(self._start())
        limit = time.monotonic() + 30
        while len(self._missing()) > self._told.left_out and time.monotonic() < limit:
            for child in children:
                self._hear(child)
            time.sleep(0.02)
        for child in children:
            try:
                status = child.end()
            except TimeoutError as error:
                status = -1
                self._fault(str(error))
            if status:
                self._fault(f"ended with status {status}")
            self._hear(child)
        children.clear()
        self._judge()

    def _hear(self, child: Child) -> None:
        self._acknowledged.update(child.acknowledged)
        if child.complaints:
            self._fault(f"said {child.complaints}")

    def _missing(self) -> set[int]:
        return self._told.read().missing(self._acknowledged)

    def _judge(self) -> None:
        told, report = self._told, self.report
        # What the last one delivered while it ended, and a mailer that outlived it.
        time.sleep(0.05)
        missing = self._missing()
        report.acknowledged, report.delivered = len(self._acknowledged), len(told.ids)
        report.left_out, report.mails, report.repeated = told.left_out, told.mails, told.repeated
        if len(missing) > told.left_out:
            lines = sorted(missing)[:20]
            self._fault(f"lost: {len(missing)} acknowledged lines, {told.left_out} counted as left out: {lines}")
            # It may be rare: what is needed to find out goes along.
            run(["queue", "list", "--state", str(self.directory / "state"), "--name", "it"], self._log, 5.0)
            self._fault(f"where they may be, by the queue and the log: {self._log.read_text()[-2500:]}")
        if twice := told.twice():
            self._fault(f"twice: {len(twice)} lines under different Message-IDs: {dict(list(twice.items())[:5])}")
        if told.lines > report.written:
            self._fault(f"mails tell of {told.lines} lines, written were {report.written}")
        if told.repeated > report.cycles and not self._scenario.mailer:
            self._fault(f"{told.repeated} mails came again: a kill can hit one attempt")
        if odd := [number for number in told.ids if not 0 < number < self._next]:
            self._fault(f"never written: {odd[:20]}")
        for words in told.faults:
            self._fault(words)
        if found := re.search("Traceback.*?(?=\nburstmail|$)", self._log.read_text(), re.S):
            self._fault(found[0])
        if damaged := list((self.directory / "state").rglob("*damaged*")):
            self._fault(f"a kill is no damage: {damaged}")

    def _fault(self, words: str) -> None:
        words = f"after {self.report.cycles} cycles: {words}"
        self.report.faults.append(words[:3000])


def size_of(directory: Path) -> int:
    """Bytes in its files, as they are now: another instance may be at work."""
    size = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size * path.is_file()
    return size


def work(scenario: str, seed: int, cycles: int) -> Report:
    """One worker."""
    with TemporaryDirectory(prefix="burstmail-kill-") as directory:
        return Run(Path(directory), scenario, seed).go(cycles)


def workers(jobs: Sequence[tuple[str, int, int]], at_once: int = 2) -> list[dict[str, Any]]:
    """Run (scenario, seed, cycles) each in a process of its own, so many at once; their reports."""
    waiting, running, done = list(jobs), [], []
    while waiting or running:
        while waiting and len(running) < at_once:
            scenario, seed, cycles = waiting.pop(0)
            command = [sys.executable, "-m", "tests.faults.kill", "--scenario", scenario]
            command += ["--seed", str(seed), "--cycles", str(cycles), "--worker"]
            running.append(subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True))
        process = running.pop(0)
        out, _ = process.communicate()
        assert process.returncode == 0, f"a worker ended with {process.returncode}: {process.args}"
        done.append(json.loads(out))
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=10_000, help="kills in all")
    parser.add_argument("--workers", type=int, default=2, help="processes at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", choices=SCENARIOS, help="only this one")
    parser.add_argument("--worker", action="store_true", help="do it in this process, and print JSON")
    given = parser.parse_args()
    if given.worker:
        import_all()
        report = work(given.scenario or "plain", given.seed, given.cycles)
        print(json.dumps({name: getattr(report, name) for name in Report.__slots__}))
        return 0
    names = [given.scenario] if given.scenario else list(SCENARIOS)
    # Pieces of 250: a directory that has seen some thousand mails is slow to look through.
    pieces = max(1, round(given.cycles / 250))
    jobs = [(names[n % len(names)], given.seed + n, given.cycles // pieces) for n in range(pieces)]
    reports = workers(jobs, given.workers)
    for report in reports:
        print(json.dumps(report))
    print(json.dumps(total(reports)))
    return 1 if any(report["faults"] for report in reports) else 0


def total(reports: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The sums of all reports."""
    names = [name for name in Report.__slots__ if name not in ("scenario", "seed", "faults")]
    sums = {name: round(sum(report[name] for report in reports), 1) for name in names}
    return sums | {"largest": max(report["largest"] for report in reports)}


if __name__ == "__main__":
    sys.exit(main())
