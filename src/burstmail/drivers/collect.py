"""What happens in a block -> one mail at its end, if there was anything or if it failed.

A Pipeline whose window nothing closes but the end. Memory is bounded as for any burst: the first and the last lines
are kept, all are counted. Limits: 64 KiB a line; one run at a time for a store.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from ..clock import Clock, SystemClock
from ..core.accept import Framer
from ..core.aggregate import Aggregator
from ..core.compose import Composer
from ..core.keep import Keep
from ..core.kinds import listed, seconds
from ..core.model import Batch
from ..core.stage import Stage
from ..core.statistics import Statistics
from ..core.words import duration
from ..sinks import Sink
from ..sinks.sendmail import SendmailSink
from ..sources import Source
from ..stores import Store
from .thread import Pipeline
from .verdict import Phase, Run, judged

# Ten years: a window that only the end closes, and yet one that can be waited for.
FOREVER = 315360000.0
# The longest that one SMTP conversation may take: what is under way at the end is worth waiting for, since the next run
# of a job may be tomorrow.
GRACE = 60.0
CAPTURES = ("output", "logging")

logger = logging.getLogger("burstmail")


class Collection:
    """Lines of one run, mailed when it ends. A context manager; inside, `log("a line")` and `print(..., file=log)`.

    Args:
        stages: as for a Pipeline. An Aggregator that closes its window sooner than the end makes mails while it runs.
        sink: one or several, as for a Pipeline.
        store: as for a Pipeline; what an earlier run has left in it is mailed at the start.
        name: what the mail calls the lines; '' where they name themselves.
        ran: what runs, for the first sentence: a command as somebody would type it.
        only_if_failed: mail nothing of a run that succeeds; and nothing while it runs.
        capture: "output" (of Python code, instead of showing it) and "logging" (the root logger), or one of them.
        grace: how long the end waits for a delivery that is under way, in seconds.
        clock: the machine's own by default.
        others: `sync`, `backoff`, `give_up`, `on_dead` of the Pipeline.

    A run has failed if the block raises, sys.exit() with a status that is not 0 included, or if `failed` was called.
    In a process forked from this one, lines go to standard error. Raises ValueError for what cannot be captured.
    """

    def __init__(
        self,
        *stages: Stage[Any, Any],
        sink: Sink | Sequence[Sink] | Mapping[str, Sink],
        store: Store | None = None,
        name: str = "",
        ran: str = "",
        only_if_failed: bool = False,
        capture: str | Iterable[str] = (),
        grace: float = GRACE,
        clock: Clock | None = None,
        **others: Any,
    ) -> None:
        seconds(grace=grace)
        self._captures = listed(capture)
        for one in self._captures:
            if one not in CAPTURES:
                raise ValueError(f"capture={one!r}: there is {' and '.join(map(repr, CAPTURES))}")
        self._clock = clock or SystemClock()
        self._run = Run(name=name, ran=ran, only_if_failed=only_if_failed)
        made = judged(stages, self._run, self._clock)
        self._make: Callable[[], Pipeline] = lambda: Pipeline(
            *made, sink=sink, store=store, clock=self._clock, grace=grace, **others
        )
        self._keeps = store is not None
        self._pipeline: Pipeline | None = None
        self._stack = ExitStack()
        self._began = 0.0
        self._outcome = ("", False)
        # What has been given, and is not taken in yet: a text in UTF-8 with its thread's number, or whole lines.
        self._given: deque[tuple[int, bytes] | Batch] = deque()
        # Guards what follows, and `_given` from being emptied by two. A signal handler may print in the middle of it.
        self._lock = threading.RLock()
        self._taking = False
        # Unfinished lines, by thread: print() writes the end of a line by itself.
        self._framers: dict[int, Framer] = {}
        self._owner = 0

    def __enter__(self) -> Collection:
        if self._pipeline is not None:
            raise RuntimeError("this Collection was used already: make a new one")
        self._pipeline, self._owner = self._make(), os.getpid()
        if self._keeps and self._pipeline.statistics().lines_held:
            # What is open is an earlier run's.
            self._pipeline.flush()
        self._run.phase, self._began = Phase.RUNNING, self._clock.monotonic()
        for one in dict.fromkeys(self._captures):
            self._stack.enter_context(_captured(one, self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if os.getpid() != self._owner:
            # A fork of ours: the run is its parent's.
            return
        try:
            self._end(error)
        except Exception:
            # It is logged; and what the block has raised matters more.
            if error is None:
                raise

    def __call__(self, text: object) -> None:
        """Take in a line, or several. Raises RuntimeError outside of the block."""
        if self._run.phase is not Phase.RUNNING:
            raise RuntimeError("this Collection is not open: use it in its `with` block")
        words = str(text)
        self.feed(Batch.of(words if words else "\n"))

    def feed(self, batch: Batch) -> None:
        """Take in lines that were read together. What comes from a fork, or after the end, is shown."""
        self._give(batch)

    def read(self, *sources: Source) -> None:
        """Take in all lines of these sources, to their end."""
        if self._pipeline is not None:
            self._pipeline.read(*sources)

    def write(self, text: str) -> int:
        """As a text file does: a line is taken in with its newline, or at the end."""
        self.take(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Nothing: an unfinished line is finished by the end."""

    def take(self, data: bytes) -> None:
        """The same for bytes."""
        self._give((threading.get_ident(), data))

    def _give(self, what: tuple[int, bytes] | Batch) -> None:
        if os.getpid() != self._owner:
            return _astray(what)
        self._given.append(what)
        with self._lock:
            # Else this is a signal handler, and what it has interrupted goes on with this.
            if not self._taking:
                self._take_all()

    def _take_all(self) -> None:
        self._taking = True
        try:
            while self._given:
                self._take(self._given.popleft())
        finally:
            self._taking = False

    def _take(self, what: tuple[int, bytes] | Batch) -> None:
        if self._pipeline is None or self._run.phase is not Phase.RUNNING:
            _astray(what)
        elif isinstance(what, Batch):
            self._pipeline.feed(what)
        else:
            for batch in self._lines(*what):
                self._pipeline.feed(batch)

    def _lines(self, thread: int, data: bytes) -> Sequence[Batch]:
        framer = self._framers.setdefault(thread, Framer())
        batches = framer.feed(data, 0.0)
        if not framer.unfinished:
            del self._framers[thread]
        return batches

    def failed(self, words: str = "failed") -> None:
        """Say that the run has failed, and how: "3 hosts missing"."""
        self.ended(words, failed=True)

    def ended(self, words: str, *, failed: bool = False) -> None:
        """Say how the run has ended; the last word counts."""
        self._outcome = (words, failed)

    @property
    def lasted(self) -> str:
        """How long the block has taken so far, in words: "2 min 5 s"."""
        return duration(self._clock.monotonic() - self._began)

    @property
    def kept(self) -> bool:
        """After the end: whether what was not delivered waits in the store."""
        return self._pipeline is not None and self._pipeline.kept

    def statistics(self) -> Statistics:
        """The counts so far. Raises RuntimeError before the block."""
        if self._pipeline is None:
            raise RuntimeError("this Collection has not begun: use it in a `with` statement")
        return self._pipeline.statistics()

    def _fell(self, error: BaseException) -> None:
        if isinstance(error, GeneratorExit):
            # The block is in a generator whose consumer wants no more of it.
            return
        code = error.code if isinstance(error, SystemExit) else 1
        if code is None or code == 0:
            return
        if isinstance(error, SystemExit):
            if not isinstance(code, int):
                # As Python does it with what is no number.
                self(code)
            return self.failed(f"exit status {code if isinstance(code, int) else 1} after {self.lasted}")
        from traceback import format_exception, format_exception_only

        self("".join(format_exception(error)))
        self.failed(format_exception_only(error)[-1].partition("\n")[0])

    def _end(self, error: BaseException | None) -> None:
        try:
            for batch in self._unfinished():
                self.feed(batch)
            if error is not None:
                self._fell(error)
        finally:
            # Also where a stage of the user's has raised: what there is, and how it ended, is mailed.
            words, failed = self._outcome
            with self._lock:
                # What other threads print from here on is shown, and so is what they have begun.
                rest = self._unfinished()
                self._run.end(words, failed=failed)
            for batch in rest:
                _astray(batch)
            self._close()

    def _unfinished(self) -> Sequence[Batch]:
        with self._lock:
            rest = [batch for framer in self._framers.values() for batch in framer.drain(0.0)]
            self._framers.clear()
            return rest

    def _close(self) -> None:
        if self._pipeline is None:
            return
        try:
            self._pipeline.close()
        except KeyboardInterrupt:
            # Somebody waits no longer: the log says what is lost by that.
            self.hurry()
            raise

    def hurry(self) -> None:
        """Wait no longer for deliveries: from another thread, while the end waits for them."""
        if self._pipeline is not None:
            self._pipeline.close(grace=0.0)


def _captured(what: str, log: Collection) -> Any:
    # Not before it is asked for: it has `io` in it.
    from . import captured

    return captured.output(log.take) if what == "output" else captured.records(log)


def _astray(what: tuple[int, bytes] | Batch) -> None:
    """What comes from a fork, or after the end, is not lost where somebody looks."""
    text = what.text if isinstance(what, Batch) else what[1].decode("utf-8", "backslashreplace")
    if (stream := sys.__stderr__) is not None:
        stream.write(text)
        stream.flush()


def collect(
    to: str | Sequence[str] | Composer,
    *,
    subject: str | None = None,
    name: str | None = None,
    only_if_failed: bool = False,
    capture: str | Iterable[str] = (),
    sink: Sink | Sequence[Sink] | Mapping[str, Sink] | None = None,
    store: Store | None = None,
    keep: Keep | None = None,
    grace: float = GRACE,
    clock: Clock | None = None,
) -> Collection:
    """Collect what happens in a `with` block, and mail it at the end, if there was anything or if it failed.

    `to` are the recipients, or a Composer that knows them, and all else about the mail; `subject` is its template, and
    `name` what the mail calls the lines: by default the script's name. `sink` is SendmailSink() by default; `keep` says
    how many lines are kept. The rest is as for Collection. Raises ValueError for what these refuse.

    >>> from burstmail import collect
    >>> from burstmail.testing import RecordingSink
    >>> sink = RecordingSink()
    >>> with collect("root", name="import.py", sink=sink) as log:
    ...     log("line 17 has 5 columns")
    >>> [message.count for message in sink.messages]
    [1]
    """
    if isinstance(to, Composer):
        if subject is not None:
            raise ValueError(f"subject={subject!r}: the Composer has one already; give it there")
        composer = to
    else:
        composer = Composer(to) if subject is None else Composer(to, subject=subject)
    return Collection(
        Aggregator(gap=FOREVER, max_age=FOREVER, keep=keep),
        composer,
        sink=SendmailSink() if sink is None else sink,
        store=store,
        name=os.path.basename(sys.argv[0]) if name is None else name,
        only_if_failed=only_if_failed,
        capture=capture,
        grace=grace,
        clock=clock,
    )
