"""What a block of Python code writes -> lines. Its output and its log records, for as long as the block lasts.

At the level of Python: a child process, and what writes to a descriptor, is not among it. Undone in any case.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

FORM = "%(levelname)s %(name)s: %(message)s"
# Records about the mails themselves would be mailed with the next ones; they go where they always go.
OWN = "burstmail"


class Writer(io.RawIOBase):
    """Bytes, to whoever takes them."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Buffer, /) -> int:
        """All of it."""
        view = memoryview(data)
        self._take(view.tobytes())
        return view.nbytes


@contextmanager
def output(take: Callable[[bytes], object]) -> Iterator[None]:
    """sys.stdout and sys.stderr go to `take`."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    # Through the one the other way round would be lost what stands in its buffer: there is none.
    stream = io.TextIOWrapper(cast(io.BufferedIOBase, Writer(take)), "utf-8", "backslashreplace", write_through=True)
    with redirect_stdout(cast(TextIO, stream)), redirect_stderr(cast(TextIO, stream)):
        yield


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
