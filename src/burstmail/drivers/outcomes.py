"""Attempt, what came of it -> the log. What every driver says of deliveries, and of what is left at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from ..core.model import Attempt, DeadLetter, Item
from ..core.statistics import Statistics
from ..core.words import plural
from ..errors import DeliveryError
from ..sinks import Sink
from .sender import Result

logger = logging.getLogger("burstmail")

T = TypeVar("T")


class Outcomes:
    """`on_dead` hears of each dead letter; what it raises passes through."""

    def __init__(self, on_dead: Callable[[Item, DeliveryError], object] | None) -> None:
        if not (on_dead is None or callable(on_dead)):
            raise TypeError(f"on_dead={on_dead!r}: must be a function of a message and an error")
        self._on_dead = on_dead
        # The last one: what the end is explained with.
        self._error: DeliveryError | None = None

    def tell(self, attempt: Attempt, result: Result, dead: Sequence[DeadLetter]) -> None:
        """One attempt has ended."""
        errors = {"all": result} if isinstance(result, DeliveryError) else result
        for name, error in errors.items():
            self._error = error
            logger.warning("try %d failed for %s: %s", attempt.number, name, error)
        for letter in dead:
            logger.error("a mail of %s is undeliverable: %s", plural(letter.item.count, "line"), letter.error)
            if self._on_dead:
                self._on_dead(letter.item, letter.error)

    def conclude(self, left: Statistics, *, busy: bool, kept: bool) -> None:
        """The end: `left` is not delivered. `busy` says that an attempt has not ended, `kept` that a store has it."""
        mails = f"{plural(left.waiting, 'mail')} ({plural(left.lines_waiting, 'line')})"
        none = "none yet, the attempt has not ended" if busy else "none in this run, it was not yet time to try again"
        why = self._error or none
        if left.waiting and not kept:
            logger.error("%s not delivered at exit, and lost; last error: %s", mails, why)
        elif left.waiting:
            logger.warning("%s not delivered at exit, and kept for the next start; last error: %s", mails, why)
        if held := left.lines_held - left.lines_waiting:
            logger.info("%s held by the caps, and kept for the next start", plural(held, "line"))


def named(sink: T | Sequence[T] | Mapping[str, T]) -> dict[str, T]:
    """Destinations by name: several have their place as one, one alone has none. Raises ValueError for none at all."""
    if isinstance(sink, Mapping):
        sinks = {str(name): one for name, one in sink.items()}
    elif isinstance(sink, Sequence) and not isinstance(sink, str):
        # A text is a sequence, too: of characters, none of which anybody means.
        sinks = {str(place): one for place, one in enumerate(sink, 1)}
    else:
        sinks = {"": sink}
    if not sinks:
        raise ValueError("sink: name at least one")
    return sinks


def sinks_of(sink: Sink | Sequence[Sink] | Mapping[str, Sink]) -> dict[str, Sink]:
    """Destinations by name. Raises TypeError for what is no sink: later than here, the mails are lost as well."""
    sinks = named(sink)
    for one in sinks.values():
        if isinstance(one, type) or not callable(getattr(one, "send", None)):
            raise TypeError(f"sink={one!r}: must have a send(), as SMTPSink(...); put CallbackSink around a function")
    return sinks


def jitter() -> float:
    """From 0 to 1, so that those who failed together do not all come again together."""
    from random import random

    return random()
