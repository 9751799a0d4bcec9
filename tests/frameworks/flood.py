"""Errors from many threads at a steady pace, and how long each call took. For the programs beside this one."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from statistics import median, quantiles


class Counter(logging.Handler):
    """Counts records and the lines of their texts, as any Formatter would make them."""

    def __init__(self) -> None:
        super().__init__()
        self.records = self.lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.records += 1
        self.lines += self.format(record).rstrip("\n").count("\n") + 1


def handler(kind: str, maildir: str) -> dict[str, object]:
    """An entry of a dictConfig's handlers: "null", "file", "burst", or "short" for bursts of a second at most."""
    if kind == "null":
        return {"class": "logging.NullHandler"}
    if kind == "file":
        return {"class": "logging.FileHandler", "filename": "/dev/null"}
    burst = {"class": "burstmail.logging.BurstHandler", "to": "root", "sink": f"maildir:{maildir}"}
    # More of them than the caps let out.
    return burst | ({"gap": 0.5, "max_age": 1.0} if kind == "short" else {})


def flood(call: Callable[[int], object], *, seconds: float, threads: int = 20, rate: int = 500) -> None:
    """Call it so many times a second, and print in milliseconds how long that took whoever called."""
    errors = int(rate * seconds)
    times: list[list[float]] = [[] for _ in range(threads)]
    interval = threads / rate
    start = time.perf_counter() + 0.1

    def work(place: int) -> None:
        for turn in range(errors // threads):
            due = start + (turn + place / threads) * interval
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            call(place * 1000 + turn)
            times[place].append(time.perf_counter() - began)

    workers = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    taken = sorted(1000 * spent for some in times for spent in some)
    told = {"calls": len(taken), "median": median(taken), "p99": quantiles(taken, n=100)[98], "longest": taken[-1]}
    print(json.dumps(told | {"lines": COUNTER.lines, "records": COUNTER.records}))


COUNTER = Counter()
