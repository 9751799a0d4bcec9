"""Items of a Python iterable -> Batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..core.accept import Framer
from ..core.model import Batch


class IterableSource:
    """Lines from any iterable of str or bytes: a list, a generator, an open file. Each item is one read.

    A newline at an item's end is optional; bytes are decoded as StreamSource does it.
    """

    def __init__(self, lines: Iterable[str | bytes]) -> None:
        self._lines = lines
        self._closed = False

    def __iter__(self) -> Iterator[Batch]:
        """One Batch per item."""
        for item in self._lines:
            if self._closed:
                return
            if isinstance(item, str):
                yield Batch.of(item)
            else:
                framer = Framer()
                yield from framer.feed(item if item.endswith(b"\n") else item + b"\n", 0.0)

    def close(self) -> None:
        """End before the next item."""
        self._closed = True
