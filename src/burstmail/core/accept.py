"""bytes -> Batch. Newlines, the bound on a line, decoding.

Lines end at `\\n` only (a form feed or U+2028 is text), one `\\r` before it is dropped, and what comes out does not depend
on how the stream was cut into reads. Decoding cannot fail: what is no UTF-8 becomes `\\xNN`.
Limits: a line longer than `bound` bytes is cut there and says how much is missing; a line without end costs no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from .model import Batch
from .stage import State, opened


class Framer:
    """Chunks of a byte stream in, whole lines out: at most one Batch for each chunk.

    `bound` is the longest line in bytes: 64 KiB, syslog-ng's log_msg_size. Raises ValueError below 1.
    """

    def __init__(self, bound: int = 65536) -> None:
        if bound < 1:
            raise ValueError(f"bound={bound!r}: must be 1 byte or more")
        self._bound = bound
        # The unfinished line: its first `bound` bytes in pieces, and the length of all of it.
        self._pieces: list[bytes] = []
        self._kept = 0
        self._length = 0

    @property
    def deadline(self) -> float:
        """Never: only input matters."""
        return inf

    @property
    def held(self) -> int:
        """1 while a line is unfinished."""
        return int(self._length > 0)

    def feed(self, item: bytes, now: float) -> Sequence[Batch]:
        """The lines that are complete with this chunk, as one Batch; `now` does not matter."""
        end = item.rfind(b"\n") + 1
        if not end:
            self._hold(item)
            return []
        start, first = 0, b""
        if self._length:
            start = item.index(b"\n") + 1
            self._hold(item[: start - 1])
            first = self._take()
        ready = first + self._bounded(item[start:end])
        self._hold(item[end:])
        return [_batch(ready)]

    def _hold(self, data: bytes) -> None:
        self._length += len(data)
        if data and self._kept < self._bound:
            piece = data[: self._bound - self._kept]
            self._pieces.append(piece)
            self._kept += len(piece)

    def _take(self) -> bytes:
        """The held line, which is finished now."""
        line, length = b"".join(self._pieces), self._length
        self._pieces, self._kept, self._length = [], 0, 0
        return (line if length <= self._bound else _cut(line, length)) + b"\n"

    def _bounded(self, lines: bytes) -> bytes:
        """Whole lines, none over the bound: hop from newline to newline, a bound at a time, not line by line."""
        out: list[bytes] = []
        copied = position = 0
        while len(lines) - position > self._bound + 1:
            hop = lines.rfind(b"\n", position, position + self._bound + 1) + 1
            if not hop:
                hop = lines.index(b"\n", position) + 1
                cut = _cut(lines[position : position + self._bound], hop - 1 - position)
                out += [lines[copied:position], cut, b"\n"]
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
        return [_batch(self._take())] if self._length else []

    def dump(self) -> State:
        """The unfinished line."""
        return ["framer", 1, b"".join(self._pieces).decode("latin-1"), self._length]

    def load(self, state: State) -> None:
        """The dumped line."""
        text, length = opened(state, "framer", 2)
        line = text.encode("latin-1")[: self._bound]
        self._pieces, self._kept, self._length = [line] if line else [], len(line), length


def _cut(line: bytes, length: int) -> bytes:
    """A line of `length` bytes, cut to what `line` holds of it: between characters, and marked."""
    end = len(line)
    # RFC 3629 section 3: 10xxxxxx continues a character; a lead byte 11xxxxxx opens one of up to 4 bytes.
    lead = next((back for back in range(1, min(4, end) + 1) if line[end - back] & 0xC0 != 0x80), 1)
    opener = line[end - lead]
    if opener >= 0xC0 and lead < (2 if opener < 0xE0 else 3 if opener < 0xF0 else 4):
        end -= lead
    return line[:end] + b" [... %d bytes cut]" % (length - end)


def _batch(lines: bytes) -> Batch:
    # Looking for one byte is a memchr; for two, or counting, it is a loop of 60 to 90 ns a line.
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    count = len(lines) - len(lines.replace(b"\n", b""))
    return Batch(text=lines.decode("utf-8", "backslashreplace"), count=count)
