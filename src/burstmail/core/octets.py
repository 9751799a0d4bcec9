"""bytes of a connection -> whole syslog messages (RFC 6587 section 3.4, RFC 5425 section 4.3), as lines.

The first message decides for the connection: it begins with its length (`83 <34>1 ...`), or it is a line and ends at
a newline, or at a NUL as syslog-ng has it. So a newline inside a message of one who ends messages with newlines cannot
begin a length that swallows what follows. Among counted messages, a length that lies costs nothing: what stands there
is given out up to the next newline or length.
A newline inside a counted message or a datagram does not end it: the lines after it are indented by a tab.
Limits: `bound` bytes a message, the rest is cut and marked as Framer does it, and nothing else is kept. A length has up
to 7 digits (10 MB).
"""

from __future__ import annotations

import re

from .accept import Framer, cut

# RFC 6587 section 3.4.1: MSG-LEN SP SYSLOG-MSG, no leading zero; a message begins with its PRI. Some send a newline
# between two messages.
_LENGTH = re.compile(rb"\r?+\n?+([1-9][0-9]{0,6}+) (?=<)")
# What may become one with the bytes that follow.
_BEGUN = re.compile(rb"(?:[1-9][0-9]{0,6}+ ?)?\Z")
_NEXT = re.compile(rb"\n|(?<![0-9])[1-9][0-9]{0,6}+ (?=<)")
# What a length may have begun in at the end of what was searched: 7 digits, a space, and what is no digit before them.
_EDGE = 9
# In front of a message, nothing of this is one.
_BLANK = b"\r\n\0"
_BLANKS = (b"\r", b"\n", b"\0")


def message(raw: bytes, bound: int = 65536, length: int = 0) -> bytes:
    """One message, without newlines at its end and with a tab after those inside it; b'' if nothing is in it.

    `length` is how long it was if `raw` is only the beginning of it.
    """
    length = max(length, len(raw))
    raw = raw.rstrip(_BLANK) if length <= bound else cut(raw[:bound], length)
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\n\t") if b"\n" in raw else raw


class Octets:
    """Chunks of one connection in; whole messages out, each ended by a newline.

    What comes out does not depend on how the stream was cut into chunks. `bound` is the longest message in bytes.
    """

    def __init__(self, bound: int = 65536) -> None:
        self._bound = bound
        self._lines = Framer(bound)
        self._counted: bool | None = None
        # The beginning of a length, perhaps.
        self._edge = b""
        # The unfinished message: its first `bound` bytes, how many there were, and how many are still to come; or, if
        # there was no length, whether what was found instead goes on.
        self._kept = bytearray()
        self._length = 0
        self._missing = 0
        self._astray = False
        # Whether a digit stands before the edge: those at its beginning are then the end of a number.
        self._digit = False

    @property
    def held(self) -> int:
        """Bytes of the unfinished message that are kept."""
        return len(self._edge) + len(self._kept) + self._lines.unfinished

    def feed(self, data: bytes) -> bytes:
        """The messages that are complete with this chunk."""
        if self._edge:
            data, self._edge = self._edge + data, b""
        if self._counted is None:
            data = data.lstrip(_BLANK)
            if _BEGUN.match(data):
                self._edge = data
                return b""
            self._counted = _LENGTH.match(data) is not None
        return self._count(data) if self._counted else self._lines.split(data.replace(b"\0", b"\n"))

    def drain(self) -> bytes:
        """What is unfinished, as a message: nothing more will come."""
        done: list[bytes] = []
        self._keep(self._edge)
        self._edge, self._missing = b"", 0
        self._finish(done)
        return _ended(done) + self._lines.rest()

    def _count(self, data: bytes) -> bytes:
        done: list[bytes] = []
        at = 0
        while at < len(data):
            if self._missing:
                at = self._take(data, at, done)
            elif self._astray:
                at = self._skip(data, at, done)
            else:
                at = self._begin(data, self._whole(data, at, done))
        return _ended(done)

    def _whole(self, data: bytes, at: int, done: list[bytes]) -> int:
        """Messages that are all there, as nearly all are: this is paid on each of them."""
        bound = self._bound
        while found := _LENGTH.match(data, at):
            start = found.end()
            end = start + int(found[1])
            if end > len(data):
                break
            done.append(message(data[start:end], bound))
            at = end
        return at

    def _begin(self, data: bytes, at: int) -> int:
        """What comes next: a message of known length, one that is not known yet, or what is none."""
        if data[at : at + 1] in _BLANKS:
            at = len(data) - len(data[at:].lstrip(_BLANK))
        if found := _LENGTH.match(data, at):
            self._missing = int(found[1])
            return found.end()
        if _BEGUN.match(data, at):
            self._edge = data[at:]
            return len(data)
        self._astray = True
        return at

    def _take(self, data: bytes, at: int, done: list[bytes]) -> int:
        """More of a message of known length."""
        end = at + self._missing
        piece = data[at:end]
        self._missing -= len(piece)
        self._keep(piece)
        if not self._missing:
            self._finish(done)
        return at + len(piece)

    def _skip(self, data: bytes, at: int, done: list[bytes]) -> int:
        """More of what is no message of known length."""
        begin = len(data) - len(data.lstrip(b"0123456789")) if self._digit and not at else at
        if found := _NEXT.search(data, begin):
            self._keep(data[at : found.start()])
            self._finish(done)
            return found.end() if found[0] == b"\n" else found.start()
        edge = max(at, len(data) - _EDGE)
        if edge:
            self._digit = data[at:edge][-1:].isdigit()
        self._keep(data[at:edge])
        self._edge = data[edge:]
        return len(data)

    def _keep(self, piece: bytes) -> None:
        self._kept += piece[: self._bound - len(self._kept)]
        self._length += len(piece)

    def _finish(self, done: list[bytes]) -> None:
        done.append(message(bytes(self._kept), self._bound, self._length))
        self._kept, self._length, self._astray, self._digit = bytearray(), 0, False, False


def _ended(messages: list[bytes]) -> bytes:
    return b"".join([text + b"\n" for text in messages if text])
