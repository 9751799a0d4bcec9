"""A message that waits, and the row a store keeps of it: `[item, born, tries, ready, last error]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from ..errors import DeliveryError
from .fold import dump_item, restored_item
from .model import Item, Message
from .stage import State


@dataclass(slots=True)
class Waiting:
    """One message in a queue; `born` and `ready` are moments of the core, -inf for at once."""

    serial: int
    item: Item
    born: float
    tries: int = 0
    ready: float = -inf
    error: str = ""


def row_of(row: Waiting, tries: int | None = None) -> State:
    """The row; with other `tries` than it has, if asked to."""
    return [dump_item(row.item), row.born, row.tries if tries is None else tries, put(row.ready), row.error]


def waiting_of(serial: int, row: State) -> Waiting:
    """The message of a row."""
    item, born, tries, ready, error = row
    return Waiting(serial, restored_item(item), born, tries, got(ready), error)


def renewed(row: State, now: float) -> State:
    """A row whose times are those of another core."""
    return [row[0], now, row[2], None, row[4]] if isinstance(row, list) and len(row) == 5 else row


def recipients_of(item: Item) -> Sequence[str]:
    """Who is to get it."""
    # A Burst goes to no address: one nameless recipient stands for the sink itself.
    return item.recipients if isinstance(item, Message) else ("",)


def by_recipient(item: Item, failed: DeliveryError | Mapping[str, DeliveryError]) -> Mapping[str, DeliveryError]:
    """What a sink has said, for each recipient that failed."""
    if isinstance(failed, DeliveryError):
        return dict.fromkeys(recipients_of(item), failed)
    return {name: error for name, error in failed.items() if name in recipients_of(item)}


def only(item: Item, names: Mapping[str, Any]) -> Item:
    """The item for these recipients alone."""
    if not isinstance(item, Message):
        return item
    return replace(item, recipients=tuple(name for name in item.recipients if name in names))


def put(moment: float) -> float | None:
    """A moment as JSON can carry it."""
    return None if moment == -inf else moment


def got(moment: float | None) -> float:
    """The moment that was put."""
    return -inf if moment is None else moment
