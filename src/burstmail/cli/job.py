"""Options, words -> exit status. `burstmail run [OPTIONS] -- COMMAND`: runs it, and mails what it wrote when it ends.

The status is the command's, whatever becomes of the mail. What is wrong with the command line stops it; what is wrong
behind that, in a file that somebody has edited since, does not: the command runs by itself then.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from shlex import join
from typing import Any

from burstmail import Caps, Collection, Route, Routes, Stage

from . import channel
from .child import Child, NotRun, blocked, shown
from .configuration import given_by
from .destination import sink_of
from .manners import fill_standard_descriptors
from .options import Misuse, parse
from .output import Output
from .parts import given, stages_of
from .place import FEW, SOURCES, STEM, UNUSABLE, Place, default_root
from .status import MISUSE, tell
from .turns import Turns

# Ten years: nothing but the end of the command ends the burst.
FOREVER = 315360000.0
# Who says one of these wants mails while it runs; who says one of the others, at least several: then there are caps.
WINDOW = ("gap", "max_age", "max_lines", "max_bytes")
SEVERAL = (*WINDOW, "key", "urgent", "threshold", "caps", "cool_down")
# What has no meaning where the lines are the command's.
FOREIGN = (*SOURCES, "stdin", "confirm")
# Seconds. One SMTP conversation takes no longer, and the next run may be tomorrow.
GRACE = 60.0
# The same, once we have been asked to end.
ASKED = 4.0

logger = logging.getLogger("burstmail")


def command(arguments: Sequence[str], words: Sequence[str]) -> int:
    """Run the command that `words` are, and return its status; 128 and the signal that ended it."""
    said = parse(arguments)
    if not words:
        raise Misuse("behind -- stands the command: which?")
    for name in FOREIGN:
        if name in said:
            raise Misuse(f"--{OPTIONS.get(name, name)} has no place here: the lines are those of the command behind --")
    # The next pipe would be its standard output, or ours.
    fill_standard_descriptors()
    with blocked() as mask:
        try:
            job = Job(given_by(arguments), said, words, mask)
        except Misuse as error:
            channel.attach("stderr", None)
            tell(error)
            logger.error("the command runs all the same, but nothing of it is mailed")
            return _alone(words, mask) or MISUSE
        return job.run()


# Where an option is not called what it is called here.
OPTIONS = {"files": "file"}


def _alone(words: Sequence[str], mask: set[int]) -> int:
    """Without us: what it writes goes where it would have gone."""
    try:
        return shown(Child(words, mask=mask).wait())
    except NotRun as error:
        logger.error("cannot run %s: %s", words[0], error)
        return error.status


class Job:
    """A command, and the mail about it. Raises Misuse for options that the parts refuse."""

    def __init__(
        self, options: Mapping[str, Any], said: Mapping[str, Any], words: Sequence[str], mask: set[int]
    ) -> None:
        self._options, self._words, self._mask = options, words, mask
        self._name = said.get("name") or words[0]
        place = _place(options, said, words)
        try:
            channel.attach(options.get("log"), place.directory)
        except ValueError as error:
            raise Misuse(str(error)) from None
        if place.homeless:
            logger.warning("no home directory, so nothing is kept over an end: say --state DIR, or --state none")
        self._store = None if place.directory is None else Turns(place.directory)
        self._log = self._collection(self._store)
        self._output: Output | None = None
        self._lasted = ""
        self._asked = False

    def _collection(self, store: Any) -> Collection:
        options = self._options
        return Collection(
            *_stages(options),
            sink=sink_of(options, Nobody()),
            store=store,
            name=self._name,
            ran=join(self._words),
            only_if_failed="only_if_failed" in options,
            grace=options.get("grace", GRACE),
            **given(options, "sync", "backoff", "give_up"),
        )

    def run(self) -> int:
        """Run it, and mail."""
        with self._log:
            status = self._ran()
        self._left_behind()
        return status

    def _ran(self) -> int:
        into, out = os.pipe()
        output = self._output = Output(into, tee="tee" in self._options)
        try:
            child = Child(self._words, mask=self._mask, output=out, ended=self._has_ended, leave=self._leave)
        except NotRun as error:
            self._log.ended(f"cannot be run: {error}", failed=True)
            return error.status
        finally:
            os.close(out)
        self._read(output)
        status = child.wait()
        words = f"{_ended(status)} after {self._lasted}{', a child of it goes on' * output.open}"
        self._log.ended(words, failed=status != 0)
        return shown(status)

    def _has_ended(self) -> None:
        self._lasted = self._log.lasted
        if self._output:
            self._output.ending()

    def _read(self, output: Output) -> None:
        try:
            self._log.read(output.lines)
        except Exception:
            # A bug, of ours or of a stage: the command must not stand before a full pipe for that.
            logger.exception("what the command writes cannot be collected any more")
            output.discard()
        output.done()

    def _leave(self, status: int) -> None:
        """Asked to end, when the command has ended: a few seconds are left for the mail, and none if asked again."""
        if self._asked:
            self._left(status)
        self._asked = True
        if self._output:
            self._output.cut()
        timer = threading.Timer(ASKED, self._left, (status,))
        timer.daemon = True
        timer.start()

    def _left(self, status: int) -> None:
        try:
            self._log.hurry()
        finally:
            os._exit(status)

    def _left_behind(self) -> None:
        """What runs that overlapped with others have not mailed, for they were killed."""
        for store in self._store.others() if self._store else ():
            with self._collection(store):
                pass


class Nobody:
    """Whom a sink may tell that nobody reads what it prints: the command goes on."""

    def close(self) -> None:
        """Nothing."""


def _ended(status: int) -> str:
    if status < 0:
        try:
            return f"killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"killed by signal {-status}"
    return f"exit status {status}" if status else "done"


def _stages(options: Mapping[str, Any]) -> list[Stage[Any, Any]]:
    """The stages that the options describe; without a word of them about bursts, one mail at the end, and no caps."""
    ways = [options, *options.get("routes", ())]
    if not any(name in options for name in WINDOW):
        options = dict(options) | {"gap": FOREVER, "max_age": FOREVER}
    stages = stages_of(options)
    if any(name in one for one in ways for name in SEVERAL):
        return stages
    return [_uncapped(stage) if isinstance(stage, Routes) else stage for stage in _without_caps(stages)]


def _uncapped(routes: Routes) -> Routes:
    own = [Route(route.filter, *_without_caps(route.stages), name=route.name) for route in routes.routes]
    return Routes(*own, every=routes.every)


def _without_caps(stages: Sequence[Stage[Any, Any]]) -> list[Stage[Any, Any]]:
    return [stage for stage in stages if not isinstance(stage, Caps)]


def _place(options: Mapping[str, Any], said: Mapping[str, Any], words: Sequence[str]) -> Place:
    """Where it is kept. The name in a file is that of the service, and not of each job that has the same file."""
    name = said.get("name") or _name(options, words)
    if "state" in options:
        given = options["state"]
        return Place(root=None if given == "none" else os.path.abspath(given), name=name)
    root = None if "print" in options else default_root()
    return Place(root=root, name=name, homeless=root is None and "print" not in options)


def _name(options: Mapping[str, Any], words: Sequence[str]) -> str:
    """The command's, and digits that are the same for the same words and recipients."""
    from hashlib import sha256

    stem = UNUSABLE.sub("-", os.path.basename(words[0])).strip("-")[:STEM] or "command"
    told = [*words, os.path.abspath(options.get("config", "")), *sorted(options.get("to", ()))]
    return f"{stem}-{sha256(chr(0).join(told).encode('utf-8', 'surrogateescape')).hexdigest()[:FEW]}"
