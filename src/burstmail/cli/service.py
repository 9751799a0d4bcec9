"""Options -> exit status. `burstmail run`: lines in, mails out, until the input ends or a signal says so.

It builds the public parts and runs them: whatever it can do, a script can do with the same parts.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from burstmail import Pipeline

from . import channel
from .confirm import confirm
from .inputs import check_inputs, inputs_of
from .manners import Manners
from .namesakes import tell_of_namesakes
from .notify import Notifier
from .options import Misuse, first_look, parse
from .parts import pipeline_of
from .place import STARTUP, Place, place_of, reads_a_file, reads_standard_input
from .reading import Reading
from .reload import Reload
from .status import OK, UNDELIVERED, Unreadable, tell
from .watchdog import Watchdog

logger = logging.getLogger("burstmail")


def command(arguments: Sequence[str], *, patience: float, refused: Misuse | None = None) -> int:
    """Run, and return the exit status. A failure waits `patience` seconds, unless at a terminal.

    `refused` is what is wrong with the arguments already: it is told as any other failure is.
    """
    # First of all: no child may tell the service manager of itself.
    notifier = Notifier.from_environment()
    channel.detach()
    manners = Manners()
    try:
        if refused:
            raise refused
        return _mail(arguments, manners, notifier)
    except Exception as error:
        status = _failure(error, arguments)
    manners.rest(0.0 if _at_terminal() else patience)
    return status


def _mail(arguments: Sequence[str], manners: Manners, notifier: Notifier) -> int:
    said = parse(arguments)
    options = _look(said)
    place = place_of(options, said)
    _attach(options.get("log"), place.directory)
    check_inputs(options)
    _check(options, place)
    reading = Reading(inputs_of(options))
    pipeline = pipeline_of(options, reading, place.directory)
    manners.allow(options.get("grace"))
    manners.serve(reading, pipeline, _hang_up(said, options, reading, pipeline, notifier, manners))
    with Watchdog(notifier, pipeline):
        try:
            # As Pipeline.run, but a signal leaves less time to deliver the longer reading has gone on.
            _read(reading, pipeline, notifier, confirming="confirm" in options)
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from None
        finally:
            notifier.stopping()
            pipeline.close(grace=manners.left())
    statistics = pipeline.statistics()
    # A store keeps what waits for the next start, and the dead for a person.
    return UNDELIVERED if (statistics.waiting or statistics.dead) and not pipeline.kept else OK


def _look(said: dict[str, Any]) -> dict[str, Any]:
    """What is said on the command line, with what is in the file under it. Raises Invalid for all that is wrong."""
    if "config" not in said:
        return said
    from .configuration.problem import Invalid
    from .configuration.proof import examine

    found = examine(said)
    if found.problems:
        raise Invalid(found.problems)
    return found.options


def _hang_up(
    said: dict[str, Any],
    options: dict[str, Any],
    reading: Reading,
    pipeline: Pipeline,
    notifier: Notifier,
    manners: Manners,
) -> Callable[[], None] | None:
    """What SIGHUP does beside a flush: only a file can have changed."""
    if "config" not in options:
        return None
    return Reload(lambda: _look(said), options, reading, pipeline, notifier=notifier, manners=manners)


def _read(reading: Reading, pipeline: Pipeline, notifier: Notifier, *, confirming: bool) -> None:
    if confirming:
        notifier.ready()
        return confirm(reading.sources[0], pipeline)
    reading.read(pipeline, notifier.ready)


def _check(options: dict[str, Any], place: Place) -> None:
    """What can only be known here and now."""
    if sys.stdin is None and reads_standard_input(options):
        raise Misuse("standard input is closed: give it the lines, by a pipe or with < FILE")
    if "confirm" in options:
        if sys.stdout is None:
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
    return tell(error)


def _at_terminal() -> bool:
    # Any of the three: the lines may come from a file or a pipe, and a person look on all the same.
    return any(os.isatty(descriptor) for descriptor in range(3))
