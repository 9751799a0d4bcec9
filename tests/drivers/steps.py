"""Something happens in the middle of a call: at each step of it, one after another."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def at(step: int, call: Callable[[], object], act: Callable[[], object], files: set[str]) -> bool:
    """Call it, and `act` as a function of these files begins or ends: False after the last of them.

    These are moments when Python looks for signals; it does not with every line.
    """
    left = step

    def trace(frame: FrameType, event: str, value: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        left -= event != "line"
        if left == -1 and event != "line":
            sys.settrace(None)
            act()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return left < 0


def interrupt() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt
