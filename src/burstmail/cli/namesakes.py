"""Place -> words. Who changes an option that is part of the name starts anew: what the old name keeps is told of.

Asked once, at the first start under a name. Nothing is opened for writing, and nothing that runs is disturbed.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from .place import Place

if TYPE_CHECKING:
    from .queue import Box

logger = logging.getLogger("burstmail")

# More are no change of options, but a machine with many of them.
TOLD = 3


def tell_of_namesakes(place: Place, *, follows: bool) -> None:
    """Log what other names keep that nobody runs, if this one is new.

    `follows` says that positions count, too: under a new name a file or a journal is read from its end.
    """
    if place.root is None or place.directory is None or not os.path.isdir(place.root):
        return
    from .queue import DATABASE, NoSuch, Unreadable, kept_in

    if os.path.lexists(os.path.join(place.directory, DATABASE)):
        return

    try:
        found, _ = kept_in(place.root, None, given=True)
    except (NoSuch, Unreadable):
        return
    idle = [(box.name, kept) for box in found if not box.runs and (kept := _kept(box, follows))]
    for name, kept in idle[:TOLD]:
        logger.warning(
            "the name %s is new; %s keeps %s, and no burstmail of that name runs: to go on there, say --name %s",
            place.name,
            name,
            kept,
            name,
        )


def _kept(box: Box, follows: bool) -> str:
    """What would be missed, in words; '' for nothing."""
    mails = sum(not letter.dead for letter in box.letters)
    counts = {"mail": mails, "line": box.held + box.lines}
    parts = [f"{count:,} {noun}{'s' * (count != 1)}" for noun, count in counts.items() if count]
    return " and ".join([*parts, "how far it has read"] if follows and box.follows else parts)
