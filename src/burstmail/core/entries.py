"""bytes -> Batch. What `journalctl -o json` says, one object a line, read as it comes.

A Batch has the lines of all entries that are complete with a chunk, and as its place the cursor of the last of them.
Reading goes on *at* an entry that is known already, not after it: it is left out here when it comes, for journalctl
would leave out the first entry in any case, known or not (systemd#30288).
Limits: an entry of more than `LONGEST` bytes is told of, and not shown; a line is bounded as Framer does it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from json import JSONDecoder

from .accept import Framer
from .journal import CURSOR, FIELDS, TIME, lines_of, same
from .model import Batch

# Bytes of JSON. journald cuts what comes by standard output at 48 KiB, but takes 768 MiB in one message of its own
# protocol, from anybody; a byte takes up to 6 characters. What is more than ten such lines long no mail can show.
LONGEST = 1_048_576

# More than a name and a value, other than the message's, can take; so that one which is cut in two is seen whole.
_OVERLAP = 2048
_WANTED = tuple(f'"{name}":"'.encode() for name in (*FIELDS, CURSOR, TIME) if name != "MESSAGE")
# json.loads looks for the encoding of each line first.
_decode = JSONDecoder().decode


class Entries:
    """Chunks in, batches out. `name` is that of the place, `known` the cursor of the entry that came last, if any."""

    def __init__(self, name: str, known: str = "", *, bound: int = 65536, zone: tzinfo | None = None) -> None:
        self._name = name
        self._known = known
        self._zone = zone
        self._framer = Framer(bound)
        # The unfinished line: its chunks, and how long all of them are.
        self._chunks: list[bytes] = []
        self._length = 0
        # Once it is too long: what was found in it that tells where it comes from.
        self._found: dict[str, object] = {}
        self.cursor = known
        """The last entry's; what `known` was before the first."""
        self.read = 0
        """Entries so far, the known one not among them."""
        self.missing = False
        """Whether the known entry did not come: it is gone, and perhaps others with it."""
        self.strange = 0
        """Lines that are neither an entry nor a remark (`-- Boot ... --`)."""

    def feed(self, data: bytes) -> Batch | None:
        """The entries that are complete with this chunk; None when there are none."""
        first, *lines = data.split(b"\n")
        self._hold(first)
        if not lines:
            return None
        rest = lines.pop()
        text = self._held() + "".join(map(self._line, lines))
        self._hold(rest)
        if not text:
            return None
        # Lone surrogates are what JSON can write and UTF-8 cannot.
        (batch,) = self._framer.feed(text.encode("utf-8", "backslashreplace"), 0.0)
        return replace(batch, place=(self._name, self.cursor)) if self.cursor else batch

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._length += len(data)
        self._chunks.append(data)
        if self._length > LONGEST:
            self._look()

    def _look(self) -> None:
        """Keep what is wanted of an entry that is too long, and only as much of its text as may hold half a field."""
        window = b"".join(self._chunks)
        for key in _WANTED:
            start = window.find(key) + len(key)
            end = window.find(b'"', start)
            if len(key) <= start < end:
                self._found[key[1:-3].decode()] = window[start:end].decode("utf-8", "backslashreplace")
        self._chunks = [window[-_OVERLAP:]]

    def _held(self) -> str:
        """The lines of the entry that has been held, and ends here."""
        line, length, found = b"".join(self._chunks), self._length, self._found
        self._chunks, self._length, self._found = [], 0, {}
        if length > LONGEST:
            return self._entry({**found, "MESSAGE": f"[an entry of {length:,} bytes is not shown]"})
        return self._line(line)

    def _line(self, line: bytes) -> str:
        """The lines of the entry that a whole line of JSON is."""
        if len(line) > LONGEST:
            self._hold(line)
            return self._held()
        try:
            entry = _decode(line.decode("utf-8", "backslashreplace"))
        except (ValueError, RecursionError):
            entry = None
        if isinstance(entry, dict):
            return self._entry(entry)
        self.strange += not line.startswith(b"--") and bool(line)
        return ""

    def _entry(self, entry: dict[str, object]) -> str:
        cursor = entry.get(CURSOR)
        known, self._known = self._known, ""
        if isinstance(cursor, str) and cursor:
            self.cursor = cursor
            if known and same(known, cursor):
                return ""
        self.missing = self.missing or bool(known)
        self.read += 1
        return lines_of(entry, self._zone)
