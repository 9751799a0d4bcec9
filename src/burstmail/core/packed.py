"""Text <-> what a state carries of it. Long text is compressed: log lines become a fifth, and states are written often.

Limits: below 4 KiB text stays as it is, and can be read in the store.
"""

from __future__ import annotations

from typing import TypeAlias

# The text; or, in a list, base64 of what zlib made of its UTF-8.
Packed: TypeAlias = "str | list[str]"

_LONG = 4096
# The fastest: the next ones take as long again for a tenth less.
_LEVEL = 1


def packed(text: str) -> Packed:
    """The text, as JSON can carry it."""
    if len(text) < _LONG:
        return text
    from base64 import b64encode
    from zlib import compress

    return [b64encode(compress(text.encode(), _LEVEL)).decode()]


def unpacked(state: Packed) -> str:
    """The packed text. Raises ValueError for what is none."""
    if isinstance(state, str):
        return state
    from base64 import b64decode
    from zlib import decompress, error

    try:
        (text,) = state
        return decompress(b64decode(text)).decode()
    except (error, TypeError) as cause:
        raise ValueError(f"a packed text that cannot be unpacked: {cause}") from None
