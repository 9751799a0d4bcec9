"""Inputs -> lines of a pipeline. All that is read, each source in a thread; some may give way to others meanwhile.

One that fails ends, and the others go on: what they bring is not less worth for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from burstmail import Source

from .beginning import Beginning
from .inputs import Input
from .options import Misuse

logger = logging.getLogger("burstmail")

# What an input that gives way may take to read what has come by then, in seconds; after that it is to end at once.
LEAVING = 4.0


class Reads(Protocol):
    """Where the lines go: a Pipeline."""

    def read(self, *sources: Source) -> None:
        """Read to the end, from where it was."""
        ...


class Reading:
    """The inputs, open from now on, and closed together. Raises Misuse for what they refuse."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        # Guards all below.
        self._changed = threading.Condition()
        self._inputs = {one.key: one for one in inputs}
        # One that has failed has none any more; one that has come to its end is still there.
        self._sources = {one.key: one.open() for one in inputs}
        self._running: list[Source] = []
        # Those that give way, and are closed with the others all the same.
        self._leaving: list[Source] = []
        self._closes = 0
        self._changing = self._ended = False
        self._errors: list[BaseException] = []
        self._pipeline: Reads | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """All that are open."""
        with self._changed:
            return tuple(source for sources in self._sources.values() for source in sources)

    def close(self) -> None:
        """Finish; the second time, at once."""
        with self._changed:
            self._closes += 1
            leaving = tuple(self._leaving)
            self._changed.notify_all()
        for source in (*self.sources, *leaving):
            source.close()

    def read(self, pipeline: Reads, begun: Callable[[], object] = lambda: None) -> None:
        """Read all to their end, the first one here. Raises what the first that failed raised.

        `begun` is called as soon as nothing that comes from then on can be missed.
        """
        with self._changed:
            self._pipeline = pipeline
            self._running = [source for sources in self._sources.values() for source in sources]
            sources = tuple(self._running)
        # All that listens does so already; and all files are one source.
        if (files := next((source for source in sources if isinstance(source, Beginning)), None)) is None:
            begun()
        else:
            files.then = begun
        for source in sources[1:]:
            self._start(source)
        for source in sources[:1]:
            self._run(source)
        with self._changed:
            self._changed.wait_for(lambda: not (self._running or self._changing))
            self._ended = True
            if self._errors:
                raise self._errors[0]

    def change(self, inputs: Sequence[Input], commit: Callable[[], object]) -> None:
        """Go over to other inputs. Those that are the same go on untouched.

        `commit` is called when all is open that can be, and nothing is closed yet. What it raises, and Misuse for what
        cannot be opened, leaves everything as it was.
        """
        with self._change():
            wanted = {one.key: one for one in inputs}
            old = [one for key, one in self._inputs.items() if key not in wanted]
            new = [one for key, one in wanted.items() if key not in self._sources]
            # An address that is taken can only be had when whoever has it is gone.
            late = [one for one in new if any(one.seats & other.seats for other in old)]
            opened = [(one, one.open()) for one in new if one not in late]
            commit()
            for one in old:
                self._leave(one)
            opened += [pair for one in late for pair in self._seated(one, old)]
            self._go_on([one for key, one in wanted.items() if key in self._sources], opened)

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._changed:
            if self._closes or self._ended:
                raise Misuse("it is about to end")
            self._changing = True
        try:
            yield
        finally:
            with self._changed:
                self._changing = False
                self._changed.notify_all()

    def _leave(self, old: Input) -> None:
        """To its end, so that it has said how far it came before another goes on from there."""
        with self._changed:
            self._leaving = self._sources.pop(old.key, [])
        for patience in (LEAVING, None):
            for source in self._leaving:
                source.close()
            with self._changed:
                # Asked to end, nothing new begins: then nobody waits for it here.
                if self._changed.wait_for(lambda: self._closes or not self._left(), patience):
                    break
        with self._changed:
            self._leaving = []

    def _left(self) -> bool:
        return any(source in self._running for source in self._leaving)

    def _seated(self, new: Input, old: Sequence[Input]) -> list[tuple[Input, list[Source]]]:
        """It, or whoever had its address before."""
        try:
            return [(new, new.open())]
        except Misuse as error:
            logger.error("an input cannot be changed, and is read as before: %s", error)
        return [pair for one in old if one.seats & new.seats for pair in self._back(one)]

    def _back(self, old: Input) -> list[tuple[Input, list[Source]]]:
        try:
            return [(old, old.open())]
        except Misuse as error:
            logger.error("an input is lost until the next reload: %s", error)
            # Where it was the only one, the service ends, and must not seem to have had enough.
            self._errors.append(OSError(str(error)))
            return []

    def _go_on(self, same: Sequence[Input], opened: Sequence[tuple[Input, list[Source]]]) -> None:
        with self._changed:
            self._inputs = {one.key: one for one in [*same, *(one for one, _ in opened)]}
            # Asked to end meanwhile: what is new has not begun, and does not.
            if self._closes:
                return
            self._sources |= {one.key: sources for one, sources in opened}
            # Before anything is read, `read` will find them.
            started = [source for _, sources in opened for source in sources] if self._pipeline else []
            self._running += started
        for source in started:
            self._start(source)

    def _start(self, source: Source) -> None:
        threading.Thread(target=self._run, args=(source,), name="reading", daemon=True).start()

    def _run(self, source: Source) -> None:
        assert self._pipeline is not None
        try:
            self._pipeline.read(source)
        except OSError as error:
            self._fail(source, error)
        except BaseException as bug:
            self._errors.insert(0, bug)
            self.close()
        with self._changed:
            self._running.remove(source)
            self._changed.notify_all()

    def _fail(self, source: Source, error: OSError) -> None:
        with self._changed:
            if len(self._running) > 1 or self._errors:
                logger.error("a source has ended, the others go on: %s", error)
            self._errors.append(error)
            # Whoever reads the configuration again wants it tried again.
            self._sources = {key: sources for key, sources in self._sources.items() if source not in sources}
