"""Arguments -> exit status. The thin wrapper: it parses, builds the public parts, runs them.

Whatever it can do, a script can do with the same parts. Exit statuses are those of sysexits.h, and never 127: syslog-ng
takes that for "command not found" and never starts the program again.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from burstmail import Pipeline

from . import channel
from .confirm import confirm
from .inputs import Inputs, check_inputs, inputs_of
from .manners import Manners
from .namesakes import tell_of_namesakes
from .options import Misuse, first_look, parse
from .parts import pipeline_of
from .place import STARTUP, Place, place_of, reads_a_file, reads_standard_input

OK = 0
BUG = 70
UNREADABLE = 74
UNDELIVERED = 75
MISUSE = 78
# A supervisor starts a program that ends again at once: syslog-ng 15 to 25 times a second.
PATIENCE = 5.0

logger = logging.getLogger("burstmail")


class Unreadable(Exception):
    """Standard input fails: one line says how."""


def main(arguments: Sequence[str] | None = None, *, patience: float = PATIENCE) -> int:
    """Run the command line and return the exit status. `patience` is how long a failure waits, in seconds."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["bundle"]:
        return _bundle(given[1:])
    if given[:1] == ["queue"]:
        return _queue(given[1:])
    channel.detach()
    manners = Manners()
    try:
        return _mail(given, manners)
    except Exception as error:
        status = _failure(error, given)
    manners.rest(0.0 if _at_terminal() else patience)
    return status


def _mail(arguments: Sequence[str], manners: Manners) -> int:
    options = parse(arguments)
    place = place_of(options)
    _attach(options.get("log"), place.directory)
    _check(options, place)
    inputs = inputs_of(options)
    pipeline = pipeline_of(options, inputs, place.directory)
    manners.serve(inputs, pipeline, options.get("grace"))
    try:
        # As Pipeline.run, but a signal leaves less time to deliver the longer reading has gone on.
        _read(inputs, pipeline, confirming="confirm" in options)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    finally:
        pipeline.close(grace=manners.left())
    statistics = pipeline.statistics()
    # A store keeps what waits for the next start, and the dead for a person.
    return UNDELIVERED if (statistics.waiting or statistics.dead) and not pipeline.kept else OK


def _read(inputs: Inputs, pipeline: Pipeline, *, confirming: bool) -> None:
    if confirming:
        return confirm(inputs.sources[0], pipeline)
    pipeline.read(*inputs.sources)


def _check(options: dict[str, Any], place: Place) -> None:
    """What no single part can know to be wrong."""
    check_inputs(options)
    if sys.stdin is None and reads_standard_input(options):
        raise Misuse("standard input is closed: give it the lines, by a pipe or with < FILE")
    if "confirm" in options:
        if "print" in options or sys.stdout is None:
            raise Misuse("--confirm answers on standard output: it must be open, and without --print")
        if place.directory is None:
            raise Misuse(f"--confirm promises what only a state directory can keep: {_instead(options)}")
    tell_of_namesakes(place, follows="files" in options or "journal" in options)
    if place.homeless:
        logger.warning("no home directory, so nothing is kept over an end: say --state DIR, or --state none")


def _instead(options: dict[str, Any]) -> str:
    if options.get("state") == "none":
        return "leave out one of --confirm and --state none"
    if reads_a_file(options):
        return "there is none when standard input is a file, unless you say --state DIR"
    return "say --state DIR"


def _attach(choice: str | None, directory: str | None) -> None:
    try:
        channel.attach(choice, directory)
    except ValueError as error:
        raise Misuse(str(error)) from None


def _failure(error: Exception, arguments: Sequence[str]) -> int:
    """Tell of what ends us, where somebody can read it, and give the exit status."""
    if not channel.attached():
        look = first_look(arguments)
        directory = place_of({"name": STARTUP} | look).directory
        try:
            channel.attach(look.get("log"), directory)
        except ValueError:
            channel.attach("stderr", None)
    if isinstance(error, Misuse | Unreadable):
        logger.error("%s", error)
        return MISUSE if isinstance(error, Misuse) else UNREADABLE
    logger.error("this is a bug", exc_info=error)
    return BUG


def _queue(arguments: Sequence[str]) -> int:
    from .commands import parse_queue
    from .queue import queue

    try:
        return queue(**parse_queue(arguments))
    except Exception as error:
        channel.attach("stderr", None)
        return _failure(error, arguments)


def _bundle(arguments: Sequence[str]) -> int:
    from .bundle import bundle
    from .commands import parse_bundle

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
            sys.stderr.write(f"burstmail: {channel.visible(words)}\n")


def _at_terminal() -> bool:
    # Any of the three: the lines may come from a file or a pipe, and a person look on all the same.
    return any(os.isatty(descriptor) for descriptor in range(3))
