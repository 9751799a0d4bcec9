"""A datagram socket -> text. Each datagram is one message (RFC 5426 section 3.1).

What the kernel had to drop, because we were too slow for its buffer, is asked for and told.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from functools import lru_cache

from ..core.allowed import Allowed
from ..core.octets import message
from ..core.origin import Origin
from .complaints import Complaints
from .places import Place

# UDP carries up to 65,507 bytes; a unix socket what its sender's buffer holds, 208 KiB unless somebody has raised that.
LONGEST = 2**18
# Linux since 4.12; Python does not name it. Of nine numbers (SK_MEMINFO_VARS) the last counts what was dropped.
SO_MEMINFO = 55


class Datagrams:
    """Reads one place. `origin` makes the Origin of an address; a unix socket's senders have none: ''."""

    def __init__(
        self, place: Place, allowed: Allowed, bound: int, origin: Callable[[str], Origin], complaints: Complaints
    ) -> None:
        self.place = place
        self._socket = place.socket
        self._allowed = allowed if place.socket.family != socket.AF_UNIX else Allowed()
        self._bound = bound
        self._origin = lru_cache(maxsize=4096)(origin)
        self._complaints = complaints
        self._buffer = memoryview(bytearray(LONGEST))
        self._dropped = 0

    def read(self, most: int) -> str:
        """What is there, up to about so many bytes of it."""
        parts: list[str] = []
        size = 0
        while size < most:
            try:
                length, address = self._socket.recvfrom_into(self._buffer)
            except OSError:
                # Nothing is there; or an error is told that an earlier datagram of ours could have had: it is once.
                break
            # An empty one counts too, or a flood of them would never let us go.
            size += length + 1
            # Of a unix socket it is None, a path, or bytes: whatever the sender likes.
            host = address[0] if isinstance(address, tuple) else ""
            if not self._allowed or self._allowed(host):
                parts.append(self._text(bytes(self._buffer[:length]), host))
            else:
                self._complaints.note("datagrams of senders that are not allowed were ignored", f"from {host}")
        self._count_drops()
        return "".join(parts)

    def _text(self, data: bytes, host: str) -> str:
        raw = message(data, self._bound)
        return self._origin(host).of(raw.decode("utf-8", "backslashreplace")) + "\n" if raw else ""

    def _count_drops(self) -> None:
        # A unix socket never drops: its senders wait, or are told.
        if self._socket.family == socket.AF_UNIX:
            return
        try:
            numbers = struct.unpack("9I", self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))
        except (OSError, struct.error):
            # An older Linux, or none.
            return
        # It is a counter of 32 bits.
        lost = (numbers[8] - self._dropped) % 2**32
        if lost:
            self._dropped = numbers[8]
            self._complaints.note("datagrams were lost, the kernel's buffer was full", f"at {self.place.url}", lost)
