"""A log with numbered lines, a real logrotate that rotates it, and a process that reads it and can be killed."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random

import burstmail

# Bursts, each in a file of the name that it always has: one that comes twice, as after a kill, is one all the same.
READER = """
import os, signal, sys
from pathlib import Path
from burstmail import Aggregator, CallbackSink, FileSource, FileStore, Keep, Pipeline
pattern, state, out = sys.argv[1:4]
source = FileSource(*pattern.split("|"), start="beginning", poll=0.25, linger=float(sys.argv[4]))
signal.signal(signal.SIGTERM, lambda *_: source.close())

def take(burst):
    assert not burst.elided
    draft = Path(out, "draft")
    draft.write_text("".join(line + "\\n" for line in burst.head + burst.tail))
    draft.rename(Path(out, f"{burst.epoch}.{burst.seq}.{burst.gone}".replace("/", "_")))

keep = Keep(head=10**6, tail=0, bytes=2**26, log=2**26)
windows = Aggregator(gap=0.05, max_age=0.2, keep=keep, budget=2**28)
pipeline = Pipeline(windows, sink=CallbackSink(take), store=FileStore(state))
pipeline.run(source)
"""


class Writer(threading.Thread):
    """Writes numbered lines. It learns of a rotation some time after it, or by asking now and then."""

    def __init__(self, path: Path, seed: int, *, creates: bool, told: bool) -> None:
        super().__init__()
        self.count = 0
        self.began = 0
        """The first line in the file that is open now."""
        self.reopen = threading.Event()
        self._path, self._random = path, Random(seed)
        self._creates, self._told = creates, told
        self._ended = threading.Event()

    def run(self) -> None:
        file = -1
        while not self._ended.is_set():
            if file < 0:
                file, self.began = self._open(), self.count
                continue
            for _ in range(self._random.randrange(60)):
                os.write(file, b"line %d: %s\n" % (self.count, b"x" * self._random.randrange(60)))
                self.count += 1
            time.sleep(self._random.random() * 0.02)
            if self.reopen.is_set() if self._told else self._random.random() < 0.2:
                self.reopen.clear()
                os.close(file)
                file = -1
        if file >= 0:
            os.close(file)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | (os.O_CREAT if self._creates else 0), 0o644)
        except FileNotFoundError:
            time.sleep(0.001)
            return -1

    def end(self) -> None:
        self._ended.set()
        self.join()


class Rotation:
    """A directory with one log; what logrotate is told of it."""

    def __init__(self, directory: Path, *options: str, suffix: str = "") -> None:
        self.logs = directory / "logs"
        self.logs.mkdir()
        self.log = self.logs / "app.log"
        self.log.touch()
        self._configuration, self._state = directory / "logrotate.conf", directory / "logrotate.state"
        lines = "".join(f"    {option}\n" for option in ("missingok", *options))
        self._configuration.write_text(f"{self.log} {{\n{lines}}}\n")
        # logrotate refuses a configuration that others may write to.
        self._configuration.chmod(0o644)

    def rotate(self) -> None:
        command = ["logrotate", "-f", "-s", str(self._state), str(self._configuration)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def on_disk(self) -> set[int]:
        """The numbers of all lines that are in any file now."""
        data = b"".join(_content(path) for path in self.logs.iterdir())
        return {number(line) for line in data.decode().splitlines() if is_whole(line)}


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def is_whole(line: str) -> bool:
    return line.startswith("line ") and ": " in line


def number(line: str) -> int:
    return int(line[5 : line.index(":")])


class Reader:
    """The process, and what it has delivered, in whichever life."""

    def __init__(self, directory: Path, pattern: str, linger: float = 2.0) -> None:
        self._out, self._log = directory / "out", directory / "log"
        self._out.mkdir()
        self._arguments = [pattern, str(directory / "state"), str(self._out), str(linger)]
        self._read: dict[str, list[str]] = {}
        self.lives = 0
        self.start()

    def start(self) -> None:
        self.lives += 1
        env = {**os.environ, "PYTHONPATH": str(Path(burstmail.__file__).parents[1])}
        with self._log.open("ab") as log:
            command = [sys.executable, "-c", READER, *self._arguments]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        # Before it can take it, SIGTERM kills it like any program.
        assert self.process.wait(30) in (0, -signal.SIGTERM), self.log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def lines(self) -> list[str]:
        for path in self._out.iterdir():
            if path.name not in self._read and path.name != "draft":
                self._read[path.name] = path.read_text().split("\n")[:-1]
        return [line for lines in self._read.values() for line in lines]

    def numbers(self) -> Counter[int]:
        return Counter(number(line) for line in self.lines() if is_whole(line))
