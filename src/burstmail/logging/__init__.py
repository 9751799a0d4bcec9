"""LogRecord -> mail, by a Pipeline. A handler for the standard library's logging: one mail per burst, and nobody waits.

A record becomes lines of syslog (see records.py), and a thread of the handler's own feeds them. Each process
has a pipeline of its own: it begins with the first record, and again after a fork. What burstmail logs itself never
becomes a mail, or one that fails would be followed by another, for ever; it is said once on standard error.
Limits: `capacity`, and those of the parts.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..core.compose import Composer
from ..core.kinds import numbers, seconds
from ..core.mail.subject import DEFAULT
from ..core.split import Splitter
from ..core.words import plural
from ..drivers.thread import Pipeline
from ..host import short_hostname
from ..sinks import Sink
from .feeder import Feeder, Grip, Text
from .recipe import Make, limits, maker, once, sink_of, windows
from .records import header, lines

if TYPE_CHECKING:
    from traceback import TracebackException

# How burstmail's own threads and loggers are called.
OWN = "burstmail"
# What a frame of a traceback weighs while it waits, roughly, in characters.
FRAME = 256
PLAIN = logging.Formatter()
# Different complaints that are said, each once.
COMPLAINTS = 100


class BurstHandler(logging.Handler):
    """One mail per burst of records, by a Pipeline in the background. All parameters fit into a dictConfig.

    Args:
        to: the recipient, or several.
        sender: envelope sender and From; by default `user@hostname` of this process.
        subject: as in Composer, whose default it has; `{program}` is the logger.
        sink: where mails go: any Sink, `smtp://...` or `smtps://...` as for SMTPSink.from_url, `maildir:DIRECTORY`, or
            the path of a sendmail command, which is looked for by default.
        password: that of the user in an SMTP URL.
        gap, max_age: when a burst ends, in seconds: see Window.
        key: what has bursts of its own: "logger", "level", "logger,level" or as in Aggregator; by default all is one.
        caps: pairs of a count and seconds: at most so many mails in any such time; by default (3, 60) and (5, 900).
        cool_down: the first and the longest interval of one key's mails, in seconds; None for none.
        urgent: records of this level are mailed at once, and one mail of each of `caps` is kept for them; None: none.
        state: a directory, in which what is not mailed yet survives the end. Processes that share it, as the workers of
            a server do, share bursts and caps: one of them mails what all of them log. Nothing else may use it.
        capacity: characters of records that may wait for the pipeline, besides those it is busy with: 4,194,304.
        grace: how long `close` waits for deliveries, in seconds: 4.
        level: as for any handler.
        pipeline: in place of all before `capacity`: a Pipeline, which the handler will close, or a function that makes
            one. A process that has forked needs the function, for it cannot use its parent's. Begin its stages with
            Whole(), or tracebacks will be torn apart.

    A Formatter makes the text behind time, host, logger and process; it needs to name none of these.
    Raises ValueError for what none of the parts would take, and FileNotFoundError where there is no sendmail command.
    """

    def __init__(
        self,
        to: str | Sequence[str] | None = None,
        *,
        sender: str | None = None,
        subject: str = DEFAULT,
        sink: Sink | str | None = None,
        password: str | None = None,
        gap: float = 5.0,
        max_age: float = 60.0,
        key: str | Splitter | None = None,
        caps: Sequence[Sequence[float]] = ((3, 60.0), (5, 900.0)),
        cool_down: Sequence[float] | None = (60.0, 900.0),
        urgent: int | str | None = logging.CRITICAL,
        state: str | os.PathLike[str] | None = None,
        capacity: int = 4 * 1024 * 1024,
        grace: float = 4.0,
        level: int | str = logging.NOTSET,
        pipeline: Pipeline | Make | None = None,
    ) -> None:
        numbers(capacity=capacity)
        seconds(grace=grace)
        self._urgent = None if urgent is None else _level(urgent)
        self._capacity, self._grace = capacity, grace
        self._host = short_hostname()
        if pipeline is None and to is None:
            raise ValueError("BurstHandler(to=None): name a recipient, or give a pipeline")
        self._make = _given(pipeline) or maker(
            windows(gap, max_age, key),
            limits(caps, cool_down, urgent is not None),
            Composer(to or (), sender=sender, subject=subject),
            sink_of(sink, password),
            state,
            grace,
        )
        self._guard = threading.RLock()
        self._feeder: Feeder | None = None
        # Whether this process is ending, and no pipeline will begin any more; and records that could not be taken.
        self._ended = False
        self._missed = 0
        self._said: set[tuple[str, str]] = set()
        # Now that nothing can be refused any more: at exit logging closes what it knows of, be it finished or not.
        super().__init__(level)
        _HANDLERS.add(self)

    def handle(self, record: logging.LogRecord) -> bool:
        """As any handler, but without its lock: who logs does not wait for another who does."""
        try:
            passed: Any = self.filter(record)
        except Exception:
            self.handleError(record)
            return False
        if passed:
            # From Python 3.12 on a filter may give another record.
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Leave the record to be mailed. Never waits, and never raises: see logging.Handler.handleError."""
        try:
            if self._ended or _own(record):
                self._complain(record)
            else:
                self._put(record)
        except RecursionError:
            # What handleError does takes more of the stack than there is.
            self._missed += 1
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Close what is open: it is mailed as soon as the caps let it. Waits a second at most, and for no mail."""
        # At the end of the interpreter `close` follows, and says what kind of end it was.
        if (feeder := self._feeder) and not _EXITING.is_set():
            feeder.flush()

    def close(self) -> None:
        """Close what is open, and wait `grace` seconds at most for deliveries. A later record begins anew.

        logging.shutdown() calls it at the end of the interpreter, and so does a new configuration.
        """
        with self._guard:
            feeder, self._feeder = self._feeder, None
            self._ended = self._ended or _EXITING.is_set()
        if feeder:
            feeder.close(self._grace)
        super().close()

    def _put(self, record: logging.LogRecord) -> None:
        urgent = self._urgent is not None and record.levelno >= self._urgent
        text, size = self._text(record, header(record, self._host, urgent=urgent))
        # One that is closed in this very moment takes nothing, and is not there any more.
        while not (self._feeder or self._begin()).put(text, size, record.created, self._taken()):
            pass

    def _text(self, record: logging.LogRecord, start: str) -> tuple[Text, int]:
        """The lines; those of a traceback, which take most of the time, are made by the thread that feeds."""
        formatter = self.formatter or PLAIN
        error, place = record.exc_info[1:] if record.exc_info else (None, None)
        if error and not record.exc_text and not record.stack_info and _is_usual(formatter):
            from traceback import TracebackException

            # All that is known now. No frame is kept, nor what its variables hold.
            trace = TracebackException(type(error), error, place, lookup_lines=False, compact=True)
            record = copy(record)
            record.exc_info = None
            text = formatter.format(record)
            return partial(_traced, start, text, trace), len(text) + _weight(trace)
        text = lines(start, formatter.format(record))
        return text, len(text)

    def _taken(self) -> int:
        missed, self._missed = self._missed, 0
        return missed

    def _begin(self) -> Feeder:
        with self._guard:
            if (feeder := self._feeder) is None:
                feeder = self._feeder = Feeder(self._make, self._more, capacity=self._capacity)
                _hear_of_the_end()
            return feeder

    def _more(self, count: int, time: float) -> str:
        told = (
            f"{plural(count, 'record')} of logging could not be taken: too many waited, or there was no stack for them"
        )
        record = {"name": "logging", "levelno": logging.ERROR, "created": time, "process": os.getpid()}
        return lines(header(logging.makeLogRecord(record), self._host), told)

    def _complain(self, record: logging.LogRecord) -> None:
        """Say what is not mailed where it would be said without any handler, unless another handler has said it."""
        last = logging.lastResort
        said = (record.name, str(record.msg))
        if last is None or record.levelno < last.level or said in self._said or _is_heard(record):
            return
        if len(self._said) < COMPLAINTS:
            self._said.add(said)
            last.handle(record)

    def _forked(self) -> None:
        """In a process just forked, of which only this thread is left: locks may be held for ever."""
        self._guard, self._feeder, self._missed = threading.RLock(), None, 0


_HANDLERS: WeakSet[BurstHandler] = WeakSet()
_EXITING = threading.Event()
# What a process has from its parent: never used, and never taken apart.
_INHERITED: list[Feeder] = []


class _Forking(threading.local):
    """What the thread that forks holds meanwhile."""

    held: Sequence[tuple[Feeder, Grip]] = ()


_FORKING = _Forking()


def _handlers() -> list[BurstHandler]:
    while True:
        try:
            return list(_HANDLERS)
        except RuntimeError:
            # Another thread has made one meanwhile.
            continue


def _before_fork() -> None:
    # Should this raise, nothing is held, and nothing of an earlier fork is given back twice.
    _FORKING.held = ()
    feeders = [handler._feeder for handler in _handlers()]
    _FORKING.held = [(feeder, feeder.hold()) for feeder in feeders if feeder]


def _after_fork() -> None:
    for feeder, grip in _FORKING.held:
        feeder.release(grip)


def _in_child() -> None:
    for handler in _handlers():
        handler._forked()
    for feeder, grip in _FORKING.held:
        _INHERITED.append(feeder)
        feeder.leave(grip)


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
# Before logging's own, which closes the handlers: what was registered last is called first.
atexit.register(_EXITING.set)


def _hear_of_the_end() -> None:
    """Children of multiprocessing end without atexit, and so without logging.shutdown()."""
    util: Any = sys.modules.get("multiprocessing.util")
    if util and sys.modules["multiprocessing.process"].parent_process() is not None:
        util.Finalize(None, _end, exitpriority=-100)


def _end() -> None:
    for handler in _handlers():
        handler.close()


def _own(record: logging.LogRecord) -> bool:
    """Whether burstmail logged it, or a sink of the user's in a thread of burstmail's."""
    thread = record.threadName or threading.current_thread().name
    return thread.startswith(OWN) or record.name == OWN or record.name.startswith(f"{OWN}.")


def _is_heard(record: logging.LogRecord) -> bool:
    """Whether there is a handler that writes it somewhere."""
    at: logging.Logger | None = logging.getLogger(record.name)
    while at:
        if any(isinstance(one, logging.StreamHandler) and record.levelno >= one.level for one in at.handlers):
            return True
        at = at.parent if at.propagate else None
    return False


def _given(pipeline: Pipeline | Make | None) -> Make | None:
    if not (pipeline is None or isinstance(pipeline, Pipeline) or callable(pipeline)):
        raise TypeError(f"pipeline={pipeline!r}: must be a Pipeline, or a function that makes one")
    return once(pipeline) if isinstance(pipeline, Pipeline) else pipeline


def _is_usual(formatter: logging.Formatter) -> bool:
    """Whether what it makes of an exception is what Python prints."""
    kind, usual = type(formatter), logging.Formatter
    return kind.format is usual.format and kind.formatException is usual.formatException


def _traced(start: str, text: str, trace: TracebackException) -> str:
    try:
        told = "".join(trace.format())
    except Exception as error:
        told = f"[its traceback cannot be shown: {type(error).__name__}]"
    return lines(start, f"{text}\n{told}" if text else told)


def _weight(trace: TracebackException) -> int:
    """What a traceback holds until it is shown: what an exception says may be as long as a file."""
    weight, left = 0, [trace]
    while left:
        one = left.pop()
        weight += FRAME * len(one.stack) + len(str(one))
        left += [other for other in (one.__cause__, one.__context__, *(one.exceptions or ())) if other]
    return weight


def _level(level: int | str) -> int:
    number = logging.getLevelNamesMapping().get(level) if isinstance(level, str) else level
    if number is None:
        raise ValueError(f"urgent={level!r}: no level of logging; write a number, or a name such as 'CRITICAL'")
    return number
