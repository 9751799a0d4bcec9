"""Sources read: they yield batches, and end when they are told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class Resumable(Source, Protocol):
    """A source of what is still there after a restart: it goes on where its last batch that was kept ended.

    Its batches have a `place`: a name of its own, and its position behind their lines, as JSON can carry it.
    """

    def resume(self, places: Callable[[], Mapping[str, Any] | None]) -> None:
        """Before it is iterated: where to ask for positions. None says: another process reads; wait, and ask again."""
        ...
