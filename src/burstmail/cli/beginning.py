"""A source of files -> the same, which says when it knows where each of them begins. What is written then is read.

Before that, a line that comes into a file that is followed from its end may be taken for one that was there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from burstmail import Batch, Resumable


def _nothing() -> None:
    """Nobody asks."""


class Beginning:
    """`then` is called once: with the first look at the files, or where none comes."""

    def __init__(self, source: Resumable) -> None:
        self._source = source
        self.then: Callable[[], object] = _nothing

    def resume(self, places: Callable[[], Mapping[str, Any] | None]) -> None:
        """As the source's own."""

        def asked() -> Mapping[str, Any] | None:
            if (found := places()) is None:
                # Another process reads, perhaps for long, and says how far: what comes now is not missed.
                self._say()
            return found

        self._source.resume(asked)

    def __iter__(self) -> Iterator[Batch]:
        """As the source: its first batch says where the first file begins, and it has found out of all by then."""
        try:
            for batch in self._source:
                self._say()
                yield batch
        finally:
            self._say()

    def close(self) -> None:
        """As the source's own."""
        self._source.close()

    def _say(self) -> None:
        then, self.then = self.then, _nothing
        then()
