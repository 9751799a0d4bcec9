"""Options -> exit status. `burstmail run`: lines in, mails out, until the input ends or a signal says so.

It builds the public parts and runs them: whatever it can do, a script can do with the same parts.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from . import channel
from .confirm import confirm
from .inputs import Inputs, check_inputs, inputs_of
from .manners import Manners
from .namesakes import tell_of_namesakes
from .options import Misuse, first_look, parse
from .parts import pipeline_of
from .place import STARTUP, Place, place_of, reads_a_file, reads_standard_input
from .status import OK, UNDELIVERED, Unreadable, tell

logger = logging.getLogger("burstmail")


def command(arguments: Sequence[str], *, patience: float, refused: Misuse | None = None) -> int:
    """Run, and return the exit status. A failure waits `patience` seconds, unless at a terminal.

    `refused` is what is wrong with the arguments already: it is told as any other failure is.
    """
    channel.detach()
    manners = Manners()
    try:
        if refused:
            raise refused
        return _mail(arguments, manners)
    except Exception as error:
        status = _failure(error, arguments)
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


def _read(inputs: Inputs, pipeline: Any, *, confirming: bool) -> None:
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
    return tell(error)


def _at_terminal() -> bool:
    # Any of the three: the lines may come from a file or a pipe, and a person look on all the same.
    return any(os.isatty(descriptor) for descriptor in range(3))
