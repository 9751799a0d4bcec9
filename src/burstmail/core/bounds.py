"""Batch -> how many of its lines a window still takes, and why not more.

Limits: those of the Window. One line is always taken, or no window would ever end.
"""

from __future__ import annotations

from .collector import Collector
from .model import Batch, CloseReason
from .window import Window


def room(batch: Batch, size: int, window: Window, filled: Collector) -> tuple[int, CloseReason | None]:
    """For a batch of `size` bytes, and a window filled so far; the reason is None if all are taken."""
    lines, reason = batch.count, None
    if window.max_lines is not None and lines >= window.max_lines - filled.count:
        lines, reason = window.max_lines - filled.count, CloseReason.MAX_LINES
    if window.max_bytes is not None and size >= (left := window.max_bytes - filled.size):
        raw = batch.text.encode()
        reaching = raw.count(b"\n", 0, raw.index(b"\n", max(0, left - 1)) + 1)
        if reaching < lines or reason is None:
            lines, reason = reaching, CloseReason.MAX_BYTES
    return max(1, lines), reason
