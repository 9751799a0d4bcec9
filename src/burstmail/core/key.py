"""Key -> Splitter. What a stage's `key` parameter says, in any of its forms.

Limits: none; a splitter is asked for all lines of a batch at once.
"""

from __future__ import annotations

from .model import Batch
from .split import Splitter, by


def splitter(key: str | Splitter | None) -> Splitter:
    """None (all lines together), names of fields (`"host,program"`), or a splitter.

    Raises ValueError for what is no name of a field, TypeError for what is none of these.
    """
    if isinstance(key, str):
        return by(*(name.strip() for name in key.split(",")))
    if not (key is None or callable(key)):
        raise TypeError(f"key={key!r}: must be names, as 'host,program', or a splitter, as by('host')")
    return key or _together


def _together(batch: Batch) -> list[tuple[str, Batch]]:
    return [("", batch)]
