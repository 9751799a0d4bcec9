"""Item -> the first of several sinks that takes it.

Every recipient is asked for in turn: whom one sink did not serve, the next one tries. A permanent no is not the last
word either, since what one relay refuses another may take; it is reported only when every sink said so. Nothing is
remembered between mails: the first sink is always tried first. Limits: the sinks' own, added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..core.model import Item, Message
from ..errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from . import Sink, failures


class FallbackSink:
    """Tries `sinks` in order, each for the recipients that those before it did not serve.

    A recipient that none served fails for good only when every sink refused it for good: as long as one of them may
    take it later, its error is temporary. The error says what each of them said. What a sink accepted and then lost the
    connection over counts as failed, so the next may deliver it a second time, with the same Message-ID. Any exception
    that is no DeliveryError is a bug: it surfaces, and the sinks after it are not asked.

    Raises ValueError without sinks, TypeError for what is none.
    """

    def __init__(self, *sinks: Sink) -> None:
        if not sinks:
            raise ValueError("FallbackSink(): name at least one sink, the preferred one first")
        for sink in sinks:
            if not callable(getattr(sink, "send", None)):
                raise TypeError(f"FallbackSink: {sink!r} is no sink, it has no send(); give each sink as an argument")
        self._sinks = sinks

    def __repr__(self) -> str:
        return f"FallbackSink({', '.join(map(repr, self._sinks))})"

    def send(self, item: Item) -> Mapping[str, DeliveryError]:
        """Deliver through as few sinks as will do; the recipients that no sink served, each with its error.

        Raises the error instead when the sinks said the same about all recipients, or the item has none (a Burst).
        """
        told: dict[str, list[DeliveryError]] = {name: [] for name in _recipients(item)}
        left = list(told)
        for sink in self._sinks:
            failed = _tried(sink, _only(item, left), left)
            for name, error in failed.items():
                told[name].append(error)
            left = list(failed)
            if not left:
                return {}
        failed = {name: _verdict(told[name]) for name in left}
        common = failed[left[0]]
        alike = {(type(error), str(error)) for error in failed.values()}
        if not isinstance(item, Message) or (len(failed) == len(told) and len(alike) == 1):
            raise common
        return failed


def _tried(sink: Sink, item: Item, names: Sequence[str]) -> dict[str, DeliveryError]:
    """The names that this sink did not serve, each with its error."""
    try:
        failed = failures(sink.send(item))
    except DeliveryError as error:
        return dict.fromkeys(names, error)
    return {name: failed[name] for name in names if name in failed}


def _verdict(errors: Sequence[DeliveryError]) -> DeliveryError:
    final = all(isinstance(error, PermanentDeliveryError) for error in errors)
    kind = PermanentDeliveryError if final else TemporaryDeliveryError
    return kind("; then ".join(map(str, errors)))


def _recipients(item: Item) -> Sequence[str]:
    # A Burst goes to no address: one nameless recipient stands for the sink itself.
    return tuple(dict.fromkeys(item.recipients)) if isinstance(item, Message) else ("",)


def _only(item: Item, names: Sequence[str]) -> Item:
    return replace(item, recipients=tuple(names)) if isinstance(item, Message) else item
