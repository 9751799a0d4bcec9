"""Arguments -> exit status. The thin wrapper: it parses, builds the public parts, runs them.

Whatever it can do, a script can do with the same parts. Exit statuses are those of sysexits.h, and never 127: syslog-ng
takes that for "command not found" and never starts the program again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from burstmail import StreamSource

from .manners import Manners
from .options import Misuse, parse, parse_bundle
from .parts import pipeline_of

OK = 0
BUG = 70
UNREADABLE = 74
UNDELIVERED = 75
MISUSE = 78
# A supervisor starts a program that ends again at once: syslog-ng 15 to 25 times a second.
PATIENCE = 5.0


class Unreadable(Exception):
    """Standard input fails: one line says how."""


def main(arguments: Sequence[str] | None = None, *, patience: float = PATIENCE) -> int:
    """Run the command line and return the exit status. `patience` is how long a failure waits, in seconds."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["bundle"]:
        return _bundle(given[1:])
    manners = Manners()
    try:
        return _mail(given, manners)
    except Misuse as error:
        status = _failed(MISUSE, str(error))
    except Unreadable as error:
        status = _failed(UNREADABLE, str(error))
    except Exception:
        from logging import getLogger

        getLogger("burstmail").exception("this is a bug")
        status = BUG
    manners.rest(0.0 if _at_terminal() else patience)
    return status


def _mail(arguments: Sequence[str], manners: Manners) -> int:
    options = parse(arguments)
    if sys.stdin is None:
        raise Misuse("standard input is closed: give it the lines, by a pipe or with < FILE")
    source = StreamSource(0)
    pipeline = pipeline_of(options, source)
    manners.serve(source, pipeline)
    try:
        # As Pipeline.run, but a signal leaves less time to deliver the longer reading has gone on.
        for batch in source:
            pipeline.feed(batch)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    finally:
        pipeline.close(grace=manners.left())
    statistics = pipeline.statistics()
    return UNDELIVERED if statistics.waiting or statistics.dead else OK


def _bundle(arguments: Sequence[str]) -> int:
    from .bundle import bundle

    options: dict[str, Any] = {}
    try:
        options |= parse_bundle(arguments)
        bundle(options["path"], python=options["python"])
    except (Misuse, ValueError) as error:
        return _failed(MISUSE, str(error))
    except OSError as error:
        return _failed(MISUSE, f"cannot write {options['path']!r}: {error.strerror}")
    if not os.access(options["python"], os.X_OK):
        # The shell answers 127 for a file whose interpreter is missing.
        _say(f"note: there is no {options['python']} here; the file runs only where there is one")
    return OK


def _failed(status: int, words: str) -> int:
    _say(words)
    return status


def _say(words: str) -> None:
    # Nobody may be listening; the exit status says it too.
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(f"burstmail: {words}\n")


def _at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
