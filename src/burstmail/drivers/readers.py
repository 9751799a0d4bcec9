"""Sources -> feed. Each source is read in a thread of its own; one alone in the caller's.

A source that cannot be read any more ends, and the others go on: what they bring is not less worth for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from ..core.model import Batch
from ..sources import Source

logger = logging.getLogger("burstmail")


class Readers:
    """`read` returns when all sources have ended, and raises what the first one that failed raised."""

    def __init__(self, sources: Sequence[Source], feed: Callable[[Batch], object]) -> None:
        if not sources:
            raise ValueError("sources: name at least one")
        self._sources = sources
        self._feed = feed
        self._errors: list[BaseException] = []

    def read(self) -> None:
        """Read to the end of all."""
        if len(self._sources) == 1:
            return self._one(self._sources[0])
        threads = [threading.Thread(target=self._guarded, args=(source,), daemon=True) for source in self._sources]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except BaseException:
            # KeyboardInterrupt: what has been read by then is fed.
            self._close()
            raise
        if self._errors:
            raise self._errors[0]

    def _one(self, source: Source) -> None:
        for batch in source:
            self._feed(batch)

    def _guarded(self, source: Source) -> None:
        try:
            self._one(source)
        except OSError as error:
            logger.error("a source has ended, the others go on: %s", error)
            self._errors.append(error)
        except BaseException as bug:
            self._errors.insert(0, bug)
            self._close()

    def _close(self) -> None:
        for source in self._sources:
            source.close()
