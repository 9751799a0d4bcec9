"""Syslog from others -> Batch: UDP, TCP, TLS and unix datagram sockets, all in one loop.

What all senders say in one turn of it is one Batch. Messages without a header get one that names their sender, so that
a line always says whose it is; one of several lines goes on in lines that begin with a tab.
Limits: those of SyslogLimits; 128 KiB a Batch, a longest message more.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING

from ..clock import Clock, SystemClock
from ..core.allowed import Allowed
from ..core.guests import SyslogLimits
from ..core.kinds import seconds
from ..core.model import Batch
from .places import Place, handed, opened, understood
from .stream import GATHERED
from .tls import TLS, Certificates

if TYPE_CHECKING:
    import ssl

    from .room import Room

# Seconds after close() to the end, however much still comes: a logger is killed when it takes too long.
LONGEST = 3.0


class SyslogSource:
    """Receives RFC 3164 and RFC 5424 at `udp://`, `tcp://`, `tls://ADDRESS:PORT` and `unix:///PATH[?mode=0660]`.

    TCP and TLS take messages ended by newlines or counted (RFC 6587), whichever a connection begins with. A unix socket
    takes datagrams, its mode is 0666 unless said. A `socket` that listens, or takes datagrams, is used as it is and not
    closed; it speaks TLS if `tls` is given and no URL is of TLS. `tls` is certificate and key, or a context of your
    own. `allow` are networks whose senders are let in, by default whoever can reach the address. `linger`, in seconds,
    is how long open connections must be silent before a closed source ends. Everything listens once it is made.
    Raises ValueError for what cannot be understood, OSError for an address or a file that cannot be had.
    """

    def __init__(
        self,
        *places: str | socket.socket,
        tls: TLS | ssl.SSLContext | None = None,
        allow: Iterable[str] = (),
        limits: SyslogLimits | None = None,
        linger: float = 0.5,
        clock: Clock | None = None,
    ) -> None:
        seconds(linger=linger)
        if not linger >= 0:
            raise ValueError(f"linger={linger!r}: must be 0 seconds or more")
        self._linger = linger
        self._allowed = Allowed(allow)
        self._limits = limits or SyslogLimits()
        self._clock = clock or SystemClock()
        self._certificates = None if tls is None else Certificates(tls)
        self._places = _all(places, tls is not None)
        self._addresses = tuple(place.url for place in self._places)
        # Each close() leaves a byte in the pipe; only the iteration counts them, so that nothing needs a lock.
        self._closes = 0
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)

    @staticmethod
    def check(*places: str, allow: Iterable[str] = ()) -> None:
        """Raise ValueError for what a SyslogSource could not understand; nothing is opened."""
        Allowed(allow)
        for place in places:
            understood(place)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it can be reached, as URLs with the real ports: port 0 asks for any."""
        return self._addresses

    def __iter__(self) -> Iterator[Batch]:
        """Batches until close(). Sockets are given back at the end."""
        if not self._places:
            return
        from .room import Room

        room = Room(
            self._places,
            certificates=self._certificates,
            allowed=self._allowed,
            limits=self._limits,
            clock=self._clock,
            waker=self._wake,
            woken=self._count,
        )
        try:
            while not self._closes:
                yield from _batches(room.turn(inf))
            yield from self._finish(room)
        finally:
            room.close()
            self._places = []

    def close(self) -> None:
        """Finish: let nobody else in, read what has arrived, then end. Called a second time: end at once.

        Safe in a signal handler and in any thread.
        """
        try:
            os.write(self._waker, b"x")
        except BlockingIOError:
            # Full: thousands of calls wait already.
            return

    def _finish(self, room: Room) -> Iterator[Batch]:
        yield from _batches(room.shut())
        last = self._clock.monotonic() + LONGEST
        quiet = self._clock.monotonic() + self._linger
        while self._closes < 2 and not room.empty and self._clock.monotonic() < min(last, quiet):
            for batch in _batches(room.turn(min(last, quiet))):
                yield batch
                quiet = self._clock.monotonic() + self._linger
        yield from _batches(room.end())

    def _count(self) -> None:
        try:
            self._closes += len(os.read(self._wake, 2))
        except BlockingIOError:
            return

    def __del__(self) -> None:
        for fd in (getattr(self, "_wake", -1), getattr(self, "_waker", -1)):
            if fd >= 0:
                os.close(fd)
        for place in getattr(self, "_places", []):
            place.close()


def _all(places: Iterable[str | socket.socket], tls: bool) -> list[Place]:
    urls = [place for place in places if isinstance(place, str)]
    if not places:
        raise ValueError("name at least one address, such as udp://127.0.0.1:514")
    secure = [url for url in urls if url.startswith("tls:")]
    if secure and not tls:
        raise ValueError(f"{secure[0]!r}: TLS needs tls=TLS(certificate=...)")
    found: list[Place] = []
    try:
        for place in places:
            found += opened(place) if isinstance(place, str) else [handed(place, tls and not secure)]
    except BaseException:
        for made in found:
            made.close()
        raise
    return found


def _batches(texts: Iterable[str]) -> Iterator[Batch]:
    parts: list[str] = []
    size = 0
    for text in texts:
        parts.append(text)
        size += len(text)
        if size >= GATHERED:
            yield _batch(parts)
            parts, size = [], 0
    if size:
        yield _batch(parts)


def _batch(parts: list[str]) -> Batch:
    text = "".join(parts)
    return Batch(text=text, count=text.count("\n"))
