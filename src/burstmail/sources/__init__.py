"""Sources read: they yield batches, and end when they are told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..core.model import Batch


class Source(Protocol):
    """Where lines come from. Any object with these two methods is a source.

    Its batches are not stamped (`time`, `epoch` and `seq` stay empty): the driver does that. A source has no clock
    and no thread of its own.
    """

    def __iter__(self) -> Iterator[Batch]:
        """Yield what is read, as it is read, until the end."""
        ...

    def close(self) -> None:
        """End the iteration soon. May be called from any thread, and from a signal handler."""
        ...
