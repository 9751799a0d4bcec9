"""Signals -> calls. How a line daemon behaves towards whoever started it.

Signal handlers only leave a byte in a pipe; a thread reads it and acts, since a handler may interrupt the very code
whose lock it would need. SIGTERM and SIGINT: finish reading; after 3 seconds, or on a second SIGINT, stop reading; what
still runs half a minute after all should be over is killed.
SIGHUP: flush, and with a file read that again. SIGUSR1: the counts go to the log.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from collections.abc import Callable
from dataclasses import fields
from math import inf

from burstmail import Pipeline, SystemClock

from .destination import Ends
from .reload import flush

STOP = (signal.SIGTERM, signal.SIGINT)
# rsyslog kills 5 seconds after it has asked: 3 to read what is in the pipe, what is left of 4.3 to deliver, and the
# rest for a busy machine to notice.
READING = 3.0
# Without a signal nobody waits for us; the bound is the library's own.
GRACE = 4.0
NOTICING = 0.3
# Whoever has not ended so much later never will: a regular expression of the user's may take for ever, and while one is
# at work no thread of ours is. Nobody else would end it, where the parent is syslog-ng.
NEVER = 30.0

logger = logging.getLogger("burstmail")


class Manners:
    """Signal handlers from the start; what they mean from `serve` on. A signal in between is not forgotten."""

    def __init__(self) -> None:
        fill_standard_descriptors()
        self._clock = SystemClock()
        self._grace = GRACE
        # When a signal to end has come; and the same once it is acted upon.
        self._came: float | None = None
        self._asked: float | None = None
        self._told, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        for number in (*STOP, signal.SIGHUP, signal.SIGUSR1):
            # rsyslog and `&` start children that ignore SIGINT, nohup such that ignore SIGHUP: they mean it.
            if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._bound if number in STOP else lambda *_: None)
        # By default it kills: that is what it is for.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        # Ignored, and that is inherited, it would hide how sendmail ended.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def allow(self, grace: float | None) -> None:
        """How long deliveries may take at the end, in seconds; None: the library's own."""
        self._grace = GRACE if grace is None else grace

    def serve(self, source: Ends, pipeline: Pipeline, hang_up: Callable[[], None] | None = None) -> None:
        """From now on signals act on these two. `hang_up` is what SIGHUP does, by default a flush."""
        hang_up = hang_up or (lambda: flush(pipeline))
        threading.Thread(target=self._serve, args=(source, pipeline, hang_up), name="signals", daemon=True).start()

    def _bound(self, *_: object) -> None:
        """The kernel ends us at last, whatever happens here: no line is lost by it that is in the store."""
        # Whoever asks while we start, or are busy, has deliveries end no later for that.
        if self._came is None:
            self._came = self._clock.monotonic()
        if not signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.setitimer(signal.ITIMER_REAL, READING + max(self._grace, GRACE) + NEVER)

    def rest(self, seconds: float) -> None:
        """Wait, unless asked to end."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0:
            if any(number in STOP for number in self._signals(left)):
                return

    def left(self) -> float:
        """Seconds that may still be spent on deliveries."""
        if self._asked is None:
            return self._grace
        # Who gives more than the default has a parent that waits longer.
        end = self._asked + max(self._grace, GRACE) + NOTICING
        return min(self._grace, max(0.0, end - self._clock.monotonic()))

    def _serve(self, source: Ends, pipeline: Pipeline, hang_up: Callable[[], None]) -> None:
        late = inf
        while True:
            numbers = self._signals(late - self._clock.monotonic())
            if signal.SIGHUP in numbers:
                hang_up()
            if signal.SIGUSR1 in numbers:
                _count(pipeline)
            if self._asked is None and any(number in STOP for number in numbers):
                now = self._clock.monotonic()
                self._asked = now if self._came is None else self._came
                # From now on: whatever the start took, what is in the pipe is read.
                late = now + READING
                source.close()
            elif not numbers or signal.SIGINT in numbers:
                # A second SIGTERM says nothing new: systemd and the syslog-ng it stops send one each, and lines that
                # syslog-ng wrote in between are still in the pipe.
                late = inf
                source.close()

    def _signals(self, seconds: float) -> bytes:
        """The numbers of the signals that come within so many seconds."""
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        ready = poll.poll(None if seconds == inf else max(0.0, seconds * 1000))
        return os.read(self._told, 64) if ready else b""


def _count(pipeline: Pipeline) -> None:
    counts = pipeline.statistics()
    told = " ".join(f"{field.name}={getattr(counts, field.name)}" for field in fields(counts) if field.name != "routes")
    logger.info("statistics: %s", told)


def fill_standard_descriptors() -> None:
    """What a parent has closed becomes /dev/null, or the next pipe opened here would be our standard output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
