"""How far each source has come, as the journal and the state have it.

What is known here is of lines that the core has: whoever goes on from it neither loses nor repeats any.
Limits: 10,000 names; over that the ones told of longest ago are forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..core.model import Place
from ..core.stage import State
from ..stores import Saved

# Ten times what one source of many files keeps.
NAMES = 10_000


class Places:
    """Positions by name; the one told of last stands last."""

    def __init__(self) -> None:
        self._known: dict[str, State] = {}

    @property
    def known(self) -> Mapping[str, State]:
        """All of them."""
        return dict(self._known)

    def note(self, place: Place | None) -> None:
        """A source has come so far; or, with None as its position, has nothing more to say of this name."""
        if place is None:
            return
        name, position = place
        self._known.pop(name, None)
        if position is not None:
            self._known[name] = position
        if len(self._known) > NAMES:
            del self._known[next(iter(self._known))]

    def become(self, saved: Saved) -> None:
        """Those of a store: of its state, then of what came after."""
        self._known = {}
        for place in _told(saved):
            self.note(place)

    def add(self, saved: Saved) -> None:
        """Those of a store that are not known here."""
        known = self._known
        self.become(saved)
        for place in known.items():
            self.note(place)


def _told(saved: Saved) -> Iterable[Place | None]:
    state = saved.state
    kept = state[4] if isinstance(state, list) and len(state) == 5 else None
    yield from kept.items() if isinstance(kept, dict) else ()
    yield from (entry.place for entry in saved.journal)
