"""One connection -> text: the whole messages among what has arrived. Plain, or in TLS."""

from __future__ import annotations

import socket
from contextlib import suppress
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
        self.unsent = b""
        """What waits until it can be sent."""
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
            self.socket.shutdown(socket.SHUT_WR)
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
    """The same in TLS. Until the handshake is done, `shake` is called whenever the socket is ready, and then `read`.

    What is encrypted goes through memory: so the end of the stream can be told without reading, and losing, what comes
    at that moment (RFC 5425 section 4.4 wants a close_notify; a logger that gets none does not notice the end).
    """

    greeted = False
    """Whether the handshake is done."""
    failure = ""
    """Why it failed."""

    def __init__(
        self,
        stream: socket.socket,
        who: str,
        guest: Guest,
        origin: Origin,
        bound: int,
        *,
        context: ssl.SSLContext,
    ) -> None:
        import ssl

        super().__init__(stream, who, guest, origin, bound)
        self._come, self._go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._come, self._go, server_side=True)
        self._again = (ssl.SSLWantReadError, ssl.SSLWantWriteError)

    def shake(self) -> bool:
        """The handshake goes on. False: it has failed."""
        self._come.write(super()._receive())
        try:
            self._tls.do_handshake()
            self.greeted = True
        except self._again:
            pass
        except (OSError, ValueError) as error:
            # ValueError: a certificate with a NUL in a name, on some Pythons.
            self.failure = one_line(getattr(error, "reason", None) or str(error))
            self.ended = True
        # What went wrong is told the other side too.
        self._send()
        if self.ended and not self.greeted:
            self.failure = self.failure or "the connection was closed"
            return False
        return True

    def farewell(self) -> None:
        """The same; one whose handshake is not done has said nothing yet, and need not be listened to."""
        if not self.greeted:
            self.ended = True
            return
        # It would wait for the other side's answer, which is not needed; or there is nothing left to end.
        with suppress(OSError, ValueError):
            self._tls.unwrap()
        self._send()
        super().farewell()

    def _receive(self) -> bytes:
        self._come.write(super()._receive())
        parts: list[bytes] = []
        try:
            while data := self._tls.read(CHUNK):
                parts.append(data)
            self.ended = True
        except self._again:
            pass
        except OSError:
            self.ended = True
        self._send()
        return b"".join(parts)

    def _send(self) -> None:
        self.unsent += self._go.read()
        try:
            while self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            # Whoever makes us answer, and does not read it.
            self.ended = self.ended or len(self.unsent) > CHUNK
        except OSError:
            self.unsent = b""
