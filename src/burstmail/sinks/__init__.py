"""Sinks act: they hand one message to somebody else, and say what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..core.model import Message
from ..errors import DeliveryError


class Sink(Protocol):
    """Where mails go. Any object with this method is a sink."""

    def send(self, item: Any) -> Mapping[str, DeliveryError]:
        """Deliver a Message (or a Burst, where a pipeline has no Composer).

        Returns the recipients that failed, each with its error; an empty mapping when all accepted. Raises
        TemporaryDeliveryError or PermanentDeliveryError when it failed for all alike. The same message may come again:
        its bytes and its Message-ID are then the same, its recipients those still to be served.
        """
        ...


def failures(said: object) -> Mapping[str, DeliveryError]:
    """What a sink has returned. One that returns nothing has named nobody who failed; anything else is a bug.

    Raises TypeError for what no driver could act on.
    """
    if said is None:
        return {}
    if isinstance(said, Mapping) and all(isinstance(error, DeliveryError) for error in said.values()):
        return said
    raise TypeError(f"send() returned {said!r:.100}: it must be the recipients that failed, each with a DeliveryError")


def load(*names: str) -> None:
    """Load these modules now, when a sink is made, and not with its first mail.

    By then there may be no descriptor left to open a file with, or another version on the disk.
    """
    from importlib import import_module

    for name in names:
        import_module(name, __name__)


def mail(item: Any) -> Message:
    """The item, for sinks that can deliver nothing but mail. Raises TypeError for anything else."""
    if not isinstance(item, Message):
        raise TypeError(f"this sink sends mail and was given a {type(item).__name__}: put a Composer before it")
    return item
