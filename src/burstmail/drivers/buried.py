"""DeadLetter -> State, and back at an operator's word. Those that are on their way to the store.

Limits: 1,000 wait for a store to work again; over that the oldest are forgotten, as the log has told of each.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.flow import Flow
from ..core.fold import dump_item
from ..core.model import Attempt, DeadLetter
from ..core.stage import State
from ..stores import RETRY, Entry
from .ledger import Ledger, Mode

WAITING = 1000


class Buried:
    """What is new among a ledger's dead letters: rows by key, None for one that is dead no more."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.rows: dict[str, State] = {}

    def add(self, letters: Sequence[DeadLetter], wall: float, destination: str) -> None:
        """They have died now."""
        for letter in letters:
            self.rows[self._unused(letter.key)] = [dump_item(letter.item), wall, str(letter.error), destination]

    def _unused(self, key: str) -> str:
        """Numbers may begin again after a damage: no dead letter takes the place of another."""
        while key in self.rows or self._ledger.dead(key) is not None:
            key += "x"
        return key

    def written(self) -> None:
        """All of them are in the store."""
        self.rows.clear()

    def bound(self) -> None:
        """Forget what is too much."""
        while len(self.rows) > (WAITING if self._ledger.mode is not Mode.OFF else 0):
            del self.rows[next(iter(self.rows))]

    def obey(self, entry: Entry, flow: Flow, now: float) -> list[Attempt]:
        """An operator wants a mail tried again, be it dead or waiting still; or has no use for it."""
        if entry.kind == RETRY:
            return self._retry(entry.text, flow, now)
        self.rows[entry.text] = None
        return flow.paths.remove(entry.text, now)

    def _retry(self, key: str, flow: Flow, now: float) -> list[Attempt]:
        row = self._ledger.dead(key)
        if row is None:
            return flow.paths.retry(key, now)
        again = isinstance(row, list) and len(row) == 4
        if not (again and flow.restore(f"{row[3]}/0", [row[0], now, 0, None, ""], now)):
            self._ledger.logger.error("the dead letter %s cannot be read, and stays as it is", key)
            return []
        self.rows[key] = None
        return list(flow.poll(now))
