"""Sockets -> text, in turns: what can be read now, a chunk of each. Connections come, are judged, and go.

Nothing here waits for one of them, and nothing wakes up while nobody is there.
Limits: those of SyslogLimits, and no more connections than the process may have descriptors; 64 new connections and 16
steps of handshakes a turn, so that neither keeps senders waiting.
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from math import inf

from ..clock import Clock
from ..core.allowed import Allowed, group
from ..core.guests import Guest, Guests, SyslogLimits
from ..core.origin import Origin
from ..host import short_hostname
from .complaints import Complaints
from .connection import CHUNK, Connection, Secured
from .datagrams import Datagrams
from .places import BACKLOG, RECEIVE, Place
from .tls import Certificates

ACCEPTED = 64
# Descriptors of the process that no connection gets: the store, and mails that leave, need some.
SPARE = 64
SHAKEN = 16
# Datagrams do not wait as streams do: they are looked for again after so many connections.
AMONG = 32
# Seconds without new connections when there are no descriptors for them: asking again at once would be a busy loop.
PAUSE = 1.0
# accept(2): out of descriptors or of memory. All else it can say is about the one connection.
SHORTAGE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# TCP: a peer that has vanished is found out after 10 minutes, by the kernel.
KEEPALIVE = (("TCP_KEEPIDLE", 300), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))


class Room:
    """All sockets of a source. `waker` is a descriptor that ends a wait; `woken` is called then."""

    def __init__(
        self,
        places: Iterable[Place],
        *,
        certificates: Certificates | None,
        allowed: Allowed,
        limits: SyslogLimits,
        clock: Clock,
        waker: int,
        woken: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._allowed = allowed
        self._certificates = certificates
        self._woken = woken
        self._complaints = Complaints(clock)
        self._guests = Guests(_affordable(limits))
        self._connections: dict[Guest, Connection] = {}
        # What those said last who were sent away.
        self._last: list[str] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(waker, selectors.EVENT_READ, None)
        self._places = list(places)
        self._doors = [place for place in self._places if place.stream]
        self._boxes = [self._box(place) for place in self._places if not place.stream]
        self._paused = inf
        listeners: list[Place | Datagrams] = [*self._doors, *self._boxes]
        for listener in listeners:
            self._selector.register(_socket(listener), selectors.EVENT_READ, listener)

    @property
    def empty(self) -> bool:
        """Whether nobody is connected."""
        return not self._connections

    def turn(self, until: float) -> Iterator[str]:
        """Wait until something can be read, or that moment, and read it."""
        ends = min(until, self._guests.deadline, self._paused)
        ready = self._selector.select(None if ends == inf else max(0.0, ends - self._clock.monotonic()))
        shaken = 0
        for number, (key, _) in enumerate(ready, 1):
            if not number % AMONG:
                yield from self._unboxed()
            match key.data:
                case Datagrams() as box:
                    yield box.read(2 * CHUNK)
                case Place() as door:
                    self._accept(door)
                case Secured(greeted=False) as secured:
                    shaken += 1
                    if shaken <= SHAKEN:
                        yield self._shake(secured)
                case Connection() as connection:
                    yield self._read(connection)
                case _:
                    self._woken()
        self._tidy()
        yield from self._said()

    def _unboxed(self) -> Iterator[str]:
        for box in self._boxes:
            yield box.read(2 * CHUNK)

    def shut(self) -> Iterator[str]:
        """Nobody else comes in; what has come is read, and all who are there are told."""
        for door in self._doors:
            for _ in range(BACKLOG // ACCEPTED):
                self._accept(door)
            self._stop(door)
        for box in self._boxes:
            # What is there now, which is no more than the buffer: a flood must not keep us.
            for _ in range(2 * RECEIVE // (2 * CHUNK)):
                yield box.read(2 * CHUNK)
            self._stop(box)
        self._doors, self._boxes, self._paused = [], [], inf
        for connection in list(self._connections.values()):
            connection.farewell()
            if connection.ended:
                self._leave(connection)
        yield from self._said()

    def end(self) -> Iterator[str]:
        """What everybody has said by now, finished or not."""
        for guest in list(self._connections):
            self._dismiss(guest, "")
        yield from self._said()

    def close(self) -> None:
        """Give everything back."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        for place in self._places:
            place.close()
        self._selector.close()
        self._complaints.rest()

    def _box(self, place: Place) -> Datagrams:
        def origin(address: str) -> Origin:
            return Origin(address or short_hostname(), self._stamp)

        return Datagrams(place, self._allowed, self._limits.bound, origin, self._complaints)

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._clock.time()).astimezone().isoformat(timespec="microseconds")

    def _stop(self, listener: Place | Datagrams) -> None:
        with suppress(KeyError):
            self._selector.unregister(_socket(listener))
        (listener if isinstance(listener, Place) else listener.place).close()

    def _accept(self, door: Place) -> None:
        for _ in range(ACCEPTED):
            try:
                stream, address = door.socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in SHORTAGE:
                    return self._no_room(door, error)
                # Gone again before it was accepted.
                continue
            self._enter(door, stream, address[0] if isinstance(address, tuple) else "")

    def _no_room(self, door: Place, error: OSError) -> None:
        self._complaints.note(f"no connection could be accepted ({error.strerror})", f"at {door.url}")
        if guest := self._guests.worst():
            self._dismiss(guest, "somebody else needed its place")
        with suppress(KeyError):
            self._selector.unregister(door.socket)
        self._paused = self._clock.monotonic() + PAUSE

    def _enter(self, door: Place, stream: socket.socket, host: str) -> None:
        # Those of a unix socket have no address; who may connect is for the file's mode to say.
        if host and not self._allowed(host):
            self._complaints.note("connections of senders that are not allowed were refused", f"from {host}")
            return stream.close()
        stream.setblocking(False)
        if host:
            _keep_alive(stream)
        now = self._clock.monotonic()
        guest, gone = self._guests.arrive(group(host) if host else "", now, handshake=door.tls)
        for other in gone:
            self._dismiss(other, "somebody else needed its place")
        origin = Origin(host or short_hostname(), self._stamp)
        who = f"{host} at {door.url}"
        if door.tls and self._certificates:
            context = self._certificates.context(now)
            connection: Connection = Secured(stream, who, guest, origin, self._limits.bound, context=context)
        else:
            connection = Connection(stream, who, guest, origin, self._limits.bound)
        self._connections[guest] = connection
        self._selector.register(stream, selectors.EVENT_READ, connection)

    def _shake(self, connection: Secured) -> str:
        if connection.guest not in self._connections:
            return ""
        if not connection.shake():
            self._complaints.note("TLS handshakes failed", f"from {connection.who}: {connection.failure}")
            self._leave(connection)
            return ""
        if not connection.greeted:
            self._watch(connection)
            return ""
        self._guests.greeted(connection.guest, self._clock.monotonic())
        # Its first messages may have come with the end of the handshake.
        return self._read(connection)

    def _watch(self, connection: Connection) -> None:
        """Whether it can be written to matters only while there is something to be written."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if self._selector.get_key(connection.socket).events != events:
            self._selector.modify(connection.socket, events, connection)

    def _read(self, connection: Connection) -> str:
        if connection.guest not in self._connections:
            return ""
        text = connection.read()
        if connection.ended:
            self._leave(connection)
            return text
        self._watch(connection)
        now = self._clock.monotonic()
        for guest in self._guests.heard(connection.guest, now, whole=bool(text), held=connection.held):
            self._dismiss(guest, "too much was unfinished")
        return text

    def _tidy(self) -> None:
        now = self._clock.monotonic()
        if now >= self._paused:
            self._paused = inf
            for door in self._doors:
                with suppress(KeyError):
                    self._selector.register(door.socket, selectors.EVENT_READ, door)
        for guest in self._guests.due(now):
            connection = self._connections[guest]
            if guest.idle and not guest.leaving:
                self._guests.farewell(guest, now)
                connection.farewell()
            else:
                self._dismiss(guest, guest.why)

    def _dismiss(self, guest: Guest, why: str) -> None:
        """Send one away, and keep what it has said."""
        connection = self._connections[guest]
        self._last.append(connection.rest())
        if why:
            self._complaints.note(f"connections were closed: {why}", f"that of {connection.who}")
        self._leave(connection)

    def _leave(self, connection: Connection) -> None:
        self._guests.leave(connection.guest)
        del self._connections[connection.guest]
        self._selector.unregister(connection.socket)
        connection.close()

    def _said(self) -> Iterator[str]:
        said, self._last = self._last, []
        yield from said


def _socket(listener: Place | Datagrams) -> socket.socket:
    return listener.socket if isinstance(listener, Place) else listener.place.socket


def _affordable(limits: SyslogLimits) -> SyslogLimits:
    """No more connections than there are descriptors for: the worst go for those who come, as it is with any limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    # RLIM_INFINITY is -1.
    return limits if soft < 0 else replace(limits, connections=min(limits.connections, max(1, soft - SPARE)))


def _keep_alive(stream: socket.socket) -> None:
    with suppress(OSError):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):
                stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
