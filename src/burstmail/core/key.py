"""Key -> Splitter. What a stage's `key` parameter says, in any of its forms.

Limits: none; a splitter is asked for all lines of a batch at once.
"""

from __future__ import annotations

from .model import Batch
from .split import Splitter, by


def splitter(key: str | Splitter | None) -> Splitter:
    """None (all lines together), names of fields (`"host,program"`), or a splitter.

    Raises ValueError for what is no name of a field.
    """
    if isinstance(key, str):
        return by(*(name.strip() for name in key.split(",")))
    return key or _together


def _together(batch: Batch) -> list[tuple[str, Batch]]:
    return [("", batch)]
