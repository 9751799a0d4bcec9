"""Item -> a function of yours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import DeliveryError


class CallbackSink:
    """Calls `function(message)`, or `function(burst)` where the pipeline has no Composer.

    To have the item tried again later, raise TemporaryDeliveryError in it. Any other exception is a bug and surfaces.
    A call that hangs holds up later calls, but never the reading of lines.
    """

    def __init__(self, function: Callable[[Any], object]) -> None:
        self._function = function

    def __repr__(self) -> str:
        return f"CallbackSink({self._function!r})"

    def send(self, item: Any) -> Mapping[str, DeliveryError]:
        """Call the function; what it returns does not matter."""
        self._function(item)
        return {}
