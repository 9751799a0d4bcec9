"""One connection -> text: the whole messages among what has arrived. Plain, or in TLS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ..core.escape import one_line
from ..core.guests import Guest
from ..core.octets import Octets
from ..core.origin import Origin

if TYPE_CHECKING:
    import ssl

# What one read takes at most, so that many are served in turn.
CHUNK = 65536


class Connection:
    """A stream socket that somebody has opened. It never blocks."""

    def __init__(self, stream: socket.socket, who: str, guest: Guest, origin: Origin, bound: int) -> None:
        self.socket = stream
        self.who = who
        self.guest = guest
        self.ended = False
        """Nothing more will come."""
        self._origin = origin
        self._octets = Octets(bound)

    @property
    def held(self) -> int:
        """Bytes of its unfinished message."""
        return self._octets.held

    def read(self) -> str:
        """What has come, up to a chunk; at the end of it, the unfinished message too."""
        raw = self._octets.feed(self._receive())
        return self._told(raw + self._octets.drain() if self.ended else raw)

    def rest(self) -> str:
        """What is there now, unfinished or not: it will be closed."""
        text = self.read()
        self.ended = True
        return text + self._told(self._octets.drain())

    def _told(self, raw: bytes) -> str:
        return self._origin.of_all(raw.decode("utf-8", "backslashreplace")) if raw else ""

    def farewell(self) -> None:
        """Tell the other side that nobody listens any more; what it has sent by then is still read."""
        try:
            # TLS or not: the end of the stream, which whoever waits for it sees.
            socket.socket.shutdown(self.socket, socket.SHUT_WR)
        except OSError:
            self.ended = True

    def close(self) -> None:
        """End it."""
        self.socket.close()

    def _receive(self) -> bytes:
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            # Reset: what was whole before is not less worth for it.
            data = b""
        self.ended = self.ended or not data
        return data


class Secured(Connection):
    """The same in TLS. Until the handshake is done, `shake` is called whenever the socket is ready."""

    socket: ssl.SSLSocket
    greeted = False
    """Whether the handshake is done."""
    failure = ""
    """Why it failed."""

    def shake(self) -> str | None:
        """The handshake goes on. 'read' or 'write' is what it waits for, '' that it is done, None that it failed."""
        import ssl

        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return "read"
        except ssl.SSLWantWriteError:
            return "write"
        except (OSError, ValueError) as error:
            # ValueError: a certificate with a NUL in a name, on some Pythons.
            self.failure = one_line(getattr(error, "reason", None) or str(error))
            return None
        self.greeted = True
        return ""

    def rest(self) -> str:
        """What is there now. Before the end of the handshake nobody knows whose it is: nothing."""
        return super().rest() if self.greeted else ""

    def _receive(self) -> bytes:
        import ssl

        parts: list[bytes] = []
        size = 0
        try:
            # A record has up to 16 KiB (RFC 8446 section 5.1). OpenSSL reads no further than its end, so what is left
            # is left in the kernel, where the next wait sees it.
            while size < CHUNK:
                data = self.socket.recv(CHUNK)
                if not data:
                    self.ended = True
                    break
                parts.append(data)
                size += len(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self.ended = True
        return b"".join(parts)
