"""Sinks act: they hand one message to somebody else, and say what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..errors import DeliveryError


class Sink(Protocol):
    """Where mails go. Any object with this method is a sink."""

    def send(self, item: Any) -> Mapping[str, DeliveryError]:
        """Deliver a Message (or a Burst, where a pipeline has no Composer).

        Returns the recipients that failed, each with its error; an empty mapping when all accepted. Raises
        TemporaryDeliveryError or PermanentDeliveryError when it failed for all. The same message may come again: its
        bytes and its Message-ID are then the same, its recipients those still to be served.
        """
        ...
