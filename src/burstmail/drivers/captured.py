"""What a block of Python code writes -> lines. Its output and its log records, for as long as the block lasts.

At the level of Python: a child process, and what writes to a descriptor, is not among it. Undone in any case.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

FORM = "%(levelname)s %(name)s: %(message)s"
# Records about the mails themselves would be mailed with the next ones; they go where they always go.
OWN = "burstmail"


class Writer(io.RawIOBase):
    """Bytes, to whoever takes them; once that has ended, to the stream that stood here before."""

    def __init__(self, take: Callable[[bytes], object], before: TextIO | None) -> None:
        self._take = take
        self.before = before
        self.ended = False

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Buffer, /) -> int:
        """All of it."""
        view = memoryview(data)
        if not self.ended:
            self._take(view.tobytes())
        elif self.before is not None:
            self.before.write(view.tobytes().decode("utf-8", "backslashreplace"))
            self.before.flush()
        return view.nbytes


class Captured(io.TextIOWrapper):
    """What stands in for a stream. Nothing stays in it: of two that take turns, one would be late."""

    def __init__(self, take: Callable[[bytes], object], before: TextIO | None) -> None:
        self.writer = Writer(take, before)
        super().__init__(cast(Any, self.writer), "utf-8", "backslashreplace", write_through=True)


@contextmanager
def output(take: Callable[[bytes], object]) -> Iterator[None]:
    """sys.stdout and sys.stderr go to `take`. Blocks may overlap, in threads, and end in any order."""
    for stream in (sys.stdout, sys.stderr):
        # A stream whose reader is gone is none of the block's business.
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    out, error = Captured(take, sys.stdout), Captured(take, sys.stderr)
    sys.stdout, sys.stderr = out, error
    try:
        yield
    finally:
        out.writer.ended = error.writer.ended = True
        # Where another block has begun meanwhile, and goes on, its own streams stay in place.
        sys.stdout, sys.stderr = _standing(sys.stdout), _standing(sys.stderr)


def _standing(stream: TextIO) -> TextIO:
    found: TextIO | None = stream
    while isinstance(found, Captured) and found.writer.ended:
        found = found.writer.before
    # A program without streams has None for them.
    return cast(TextIO, found)


@contextmanager
def records(take: Callable[[str], object]) -> Iterator[None]:
    """What reaches the root logger goes to `take`, too, as text; burstmail's own records do not."""
    handler = Handler(take)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class Handler(logging.Handler):
    """A record as a line, its traceback in the lines behind it."""

    def __init__(self, take: Callable[[str], object]) -> None:
        super().__init__()
        self._take = take
        self.setFormatter(logging.Formatter(FORM))
        self.addFilter(lambda record: record.name != OWN and not record.name.startswith(OWN + "."))

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises."""
        try:
            self._take(self.format(record))
        except Exception:
            self.handleError(record)
