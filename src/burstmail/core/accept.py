"""bytes -> Batch. Newlines, the bound on a line, decoding.

Lines end at `\\n` only (a form feed or U+2028 is text), one `\\r` before it is dropped. What comes out does not depend
on how the stream was cut into reads. Decoding cannot fail: what is no UTF-8 becomes `\\xNN`.
Limits: a line longer than `bound` bytes is cut there and says how much is missing; a line without end costs no more.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from math import inf

from ..errors import StateMismatch
from .kinds import numbers
from .model import Batch
from .stage import State, opened


class Framer:
    """Chunks of a byte stream in, whole lines out: at most one Batch for each chunk.

    `bound` is the longest line in bytes: 64 KiB, syslog-ng's log_msg_size. Raises ValueError below 1.
    """

    def __init__(self, bound: int = 65536) -> None:
        numbers(bound=bound)
        if bound < 1:
            raise ValueError(f"bound={bound!r}: must be 1 byte or more")
        self._bound = bound
        # The unfinished line: its first `bound` bytes, the length of all of it, and whether it ends with \r so far.
        self._line = bytearray()
        self._length = 0
        self._return = False

    @property
    def deadline(self) -> float:
        """Never: only input matters."""
        return inf

    @property
    def held(self) -> int:
        """1 while a line is unfinished."""
        return int(self._length > 0)

    @property
    def unfinished(self) -> int:
        """Bytes of the unfinished line that are kept."""
        return len(self._line)

    def feed(self, item: bytes, now: float) -> Sequence[Batch]:
        """The lines that are complete with this chunk, as one Batch; `now` does not matter."""
        ready = self.split(item)
        return [_batch(ready)] if ready else []

    def split(self, item: bytes) -> bytes:
        """The same lines as bytes, each ended by one newline; b'' if none is complete."""
        end = item.rfind(b"\n") + 1
        if not end:
            self._hold(item)
            return b""
        start, first = 0, b""
        if self._length:
            start = item.index(b"\n") + 1
            self._hold(item[: start - 1])
            first = self._take()
        lines = item[start:end]
        # Looking for one byte is a memchr; for two it is a loop of 60 to 90 ns a line.
        if b"\r" in lines:
            lines = lines.replace(b"\r\n", b"\n")
        ready = first + self._bounded(lines)
        self._hold(item[end:])
        return ready

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        # Nothing is kept behind a gap, which a state of a smaller bound has.
        if len(self._line) == self._length:
            self._line += data[: self._bound - self._length]
        self._length += len(data)
        self._return = data.endswith(b"\r")

    def _take(self) -> bytes:
        """The held line, which is finished now."""
        # The \r belongs to the line's end: it counts neither towards the bound nor among the bytes that are cut.
        length = self._length - self._return
        line = bytes(self._line[:length])
        self._line, self._length, self._return = bytearray(), 0, False
        return (line if length == len(line) else cut(line, length)) + b"\n"

    def _bounded(self, lines: bytes) -> bytes:
        """Whole lines, none over the bound: hop from newline to newline, a bound at a time, not line by line."""
        out: list[bytes] = []
        copied = position = 0
        while len(lines) - position > self._bound + 1:
            hop = lines.rfind(b"\n", position, position + self._bound + 1) + 1
            if not hop:
                hop = lines.index(b"\n", position) + 1
                first = cut(lines[position : position + self._bound], hop - 1 - position)
                out += [lines[copied:position], first, b"\n"]
                copied = hop
            position = hop
        return b"".join([*out, lines[copied:]]) if out else lines

    def poll(self, now: float) -> Sequence[Batch]:
        """Nothing is ever due."""
        return []

    def flush(self, now: float) -> Sequence[Batch]:
        """Nothing: half a line is no line."""
        return []

    def drain(self, now: float) -> Sequence[Batch]:
        """The unfinished last line, if there is one: nothing more will come."""
        rest = self.rest()
        return [_batch(rest)] if rest else []

    def rest(self) -> bytes:
        """The same as bytes."""
        return self._take() if self._length else b""

    def dump(self) -> State:
        """The unfinished line."""
        return ["framer", 1, self._line.decode("latin-1"), self._length, self._return]

    def load(self, state: State) -> None:
        """The dumped line; what a smaller bound has cut from it stays cut."""
        text, length, ends = opened(state, "framer", 3)
        try:
            line = text.encode("latin-1")
            fits = len(line) <= length and bool(line) == bool(length)
        except (AttributeError, TypeError, UnicodeEncodeError):
            fits = False
        if not fits:
            raise StateMismatch("this state of framer holds no line: it was not dumped by this version")
        self._line, self._length, self._return = bytearray(line[: self._bound]), length, bool(ends)


def cut(line: bytes, length: int) -> bytes:
    """A line of `length` bytes, cut to what `line` holds of it: between characters, and marked."""
    # RFC 3629 section 3: a character has up to 4 bytes, so what is unfinished starts in the last 3.
    last = line[-3:]
    end = len(line) - len(last) + codecs.utf_8_decode(last, "backslashreplace", False)[1]
    return line[:end] + b" [... %d bytes cut]" % (length - end)


def _batch(lines: bytes) -> Batch:
    # Counting is a loop of 60 to 90 ns a line, leaving out is not.
    count = len(lines) - len(lines.replace(b"\n", b""))
    return Batch(text=lines.decode("utf-8", "backslashreplace"), count=count)
