"""path -> name of a place, and back. File names are bytes; what a position is saved under is text.

Each path has a name of its own: bytes that are no UTF-8 are escaped, and so is the backslash that does it.
"""

from __future__ import annotations

import os
import re

_KIND = "file:"
_ESCAPED = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")


def place_name(path: str) -> str:
    """What the position in a file is saved under."""
    return _KIND + os.fsencode(path).replace(b"\\", rb"\\").decode("utf-8", "backslashreplace")


def place_path(name: str) -> str:
    """The path of what is saved under a name that `place_name` has made."""
    name = name.removeprefix(_KIND)
    return os.fsdecode(
        _ESCAPED.sub(lambda found: bytes.fromhex((found[1] or b"5c").decode()), name.encode("utf-8", "surrogatepass"))
    )
