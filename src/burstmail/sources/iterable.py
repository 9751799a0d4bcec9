"""Items of a Python iterable -> Batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..core.accept import Framer
from ..core.model import Batch


class IterableSource:
    """Lines from any iterable of str or bytes: a list, a generator, an open file. Each item is one read.

    A newline at an item's end is optional, one inside it starts a new line. Bytes are decoded, and lines ended and
    bounded (64 KiB), as Framer does it.
    """

    def __init__(self, lines: Iterable[str | bytes]) -> None:
        self._lines = lines
        self._closed = False

    def __iter__(self) -> Iterator[Batch]:
        """One Batch per item."""
        items = iter(self._lines)
        framer = Framer()
        # Asked before an item is taken: what has been taken must come out.
        while not self._closed:
            for item in items:
                data = item.encode("utf-8", "backslashreplace") if isinstance(item, str) else item
                yield from framer.feed(data if data.endswith(b"\n") else data + b"\n", 0.0)
                break
            else:
                return

    def close(self) -> None:
        """End before the next item is taken. An item that is being made just then still comes."""
        self._closed = True
