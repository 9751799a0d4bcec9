"""SIGHUP -> a service under its new configuration. What is open is mailed first, then the file is read again.

Either all of it is in force afterwards or nothing: what is wrong is told, each with its line, and what was read before
goes on. What belongs to the place of an instance, and to what it says, stays until a restart.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from burstmail import Pipeline

from .destination import sink_of
from .inputs import check_inputs, inputs_of
from .notify import Notifier
from .options import Misuse
from .parts import given, stages_of
from .reading import Reading

logger = logging.getLogger("burstmail")

# What a pipeline, and a supervisor, have been told once.
FIXED = ("state", "name", "sync", "log", "confirm")


class Patient(Protocol):
    """Who ends the service: Manners."""

    def allow(self, grace: float | None) -> None:
        """From now on, deliveries may take so long at the end."""
        ...


class Reload:
    """To be called at SIGHUP, from any thread: it never waits. What comes while one is under way makes another."""

    def __init__(
        self,
        look: Callable[[], Mapping[str, Any]],
        options: Mapping[str, Any],
        reading: Reading,
        pipeline: Pipeline,
        *,
        notifier: Notifier,
        manners: Patient,
    ) -> None:
        self._look = look
        self._options = options
        self._reading = reading
        self._pipeline = pipeline
        self._notifier = notifier
        self._manners = manners
        self._lock = threading.Lock()
        self._asked = self._works = False

    def __call__(self) -> None:
        """Do it, soon."""
        with self._lock:
            self._asked = True
            if self._works:
                return
            self._works = True
        # An input that gives way takes its time, and SIGTERM must be heard meanwhile.
        threading.Thread(target=self._work, name="reload", daemon=True).start()

    def _work(self) -> None:
        while self._wanted():
            self._notifier.reloading()
            try:
                flush(self._pipeline)
                self._reload()
            except Misuse as error:
                for problem in getattr(error, "problems", (error,)):
                    logger.error("the new configuration is refused, and the old one stays in force: %s", problem)
            except Exception:
                # A bug must not cost the service: what it was told before is still right.
                logger.exception("the new configuration is not in force: this is a bug")
            self._notifier.ready()

    def _wanted(self) -> bool:
        with self._lock:
            self._works, self._asked = self._asked, False
            return self._works

    def _reload(self) -> None:
        new = self._look()
        stay = [name for name in FIXED if new.get(name) != self._options.get(name)]
        kept = {name: self._options[name] for name in FIXED if name in self._options}
        options = {name: value for name, value in new.items() if name not in FIXED} | kept
        check_inputs(options)
        stages, sink = stages_of(options), sink_of(options, self._reading)
        more = given(options, "backoff", "give_up")

        def commit() -> None:
            try:
                self._pipeline.reconfigure(*stages, sink=sink, **more)
            except (ValueError, RuntimeError) as error:
                raise Misuse(str(error)) from None

        self._reading.change(inputs_of(options), commit)
        self._options = options
        self._manners.allow(options.get("grace"))
        logger.info("the new configuration is in force: %s", options["config"])
        if stay:
            logger.warning("what has changed of %s needs a restart", ", ".join(stay))


def flush(pipeline: Pipeline) -> None:
    """Mail what is open, as far as the caps allow."""
    try:
        pipeline.flush()
    except Exception as error:
        # Mostly it is closing, and everything leaves anyway; a bug must not cost the thread that hears of SIGTERM.
        logger.info("not flushed: %s", error)
