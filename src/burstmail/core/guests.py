"""Connections -> who has to go. What others may make us hold, and for how long.

Whoever is worst goes first: who has sent no whole message for longest. Those who never sent one are worse than those
who did, unless they are few: then they have just come. So many who say nothing push out each other, and not a sender.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import inf

from .kinds import numbers

# Seconds from telling a guest that we read no more of it to the end: what is on its way still arrives.
FAREWELL = 10.0
# Where more than one in so many have never sent a message, they are the ones to go.
FEW = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogLimits:
    """What a SyslogSource puts up with, over all its addresses. Raises ValueError for what is not more than 0."""

    connections: int = 1000
    """At once. Below the 1,024 descriptors that a process may have open by default."""
    per_address: int = 200
    """Of these, from one IPv4 address or one IPv6 network of 64 bits, which is what one customer has."""
    unfinished: int = 2**24
    """Bytes of unfinished messages that are kept for all connections: 256 of the longest."""
    bound: int = 65536
    """Bytes of a message; the rest is cut and marked. As much as a datagram can hold; syslog-ng's log_msg_size."""
    handshake: float = 10.0
    """Seconds for a TLS handshake: several round trips to the far side of the earth, with losses."""
    message: float = 60.0
    """Seconds for one message from its first byte to its end: loggers send them whole."""
    idle: float = inf
    """Seconds without any message before a connection is ended. Never: a logger may have nothing to say for weeks, and
    some notice the end only by the message they lose (syslog-ng, in TLS). The kernel finds the dead by keepalive."""

    def __post_init__(self) -> None:
        for field in fields(self):
            numbers(**{field.name: getattr(self, field.name)})
            if not (value := getattr(self, field.name)) > 0:
                raise ValueError(f"{field.name}={value!r}: must be more than 0")


class Guest:
    """One connection, as it is judged."""

    __slots__ = ("ends", "group", "held", "idle", "last", "leaving", "spoken", "why")

    def __init__(self, group: str, now: float) -> None:
        self.group = group
        self.last = now
        """When its last whole message came; before the first one, when it came itself."""
        self.spoken = False
        self.held = 0
        """Bytes of its unfinished message."""
        self.idle = False
        """Whether it has only been silent: it is told before it goes."""
        self.leaving = False
        self.ends = inf
        """When it has to go unless something happens."""
        self.why = ""
        """What it will have failed to do by then."""


class Guests:
    """All connections of a source. It is told what happens; `deadline` is when to ask `due`, at the latest."""

    def __init__(self, limits: SyslogLimits) -> None:
        self._limits = limits
        # In order of arrival.
        self._guests: dict[Guest, None] = {}
        self._held = 0
        self.deadline = inf

    def __len__(self) -> int:
        return len(self._guests)

    def arrive(self, group: str, now: float, *, handshake: bool = False) -> tuple[Guest, list[Guest]]:
        """A new one, and those who have to go for it."""
        gone = []
        neighbours = [guest for guest in self._guests if guest.group == group]
        if len(neighbours) >= self._limits.per_address:
            gone = [_worst(neighbours)]
        elif len(self._guests) >= self._limits.connections:
            gone = [_worst(self._guests)]
        guest = Guest(group, now)
        self._guests[guest] = None
        if handshake:
            self._until(guest, now + self._limits.handshake, "its TLS handshake took too long")
        else:
            self.greeted(guest, now)
        return guest, gone

    def greeted(self, guest: Guest, now: float) -> None:
        """Its handshake is done."""
        self._until(guest, now + self._limits.idle, "it was silent for too long", idle=True)

    def heard(self, guest: Guest, now: float, *, whole: bool, held: int) -> list[Guest]:
        """It has sent something, whole messages among it or not. Those who have to go, since too much is unfinished."""
        begins = held > 0 and (whole or not guest.held)
        self._held += held - guest.held
        guest.held = held
        if whole:
            guest.last, guest.spoken = now, True
        if begins:
            self._until(guest, now + self._limits.message, "it did not finish a message")
        elif whole or not held:
            self.greeted(guest, now)
        return [self._heaviest()] if self._held > self._limits.unfinished else []

    def leave(self, guest: Guest) -> None:
        """It has gone."""
        if guest in self._guests:
            del self._guests[guest]
            self._held -= guest.held
        if not self._guests:
            self.deadline = inf

    def farewell(self, guest: Guest, now: float) -> None:
        """It has been told that we read no more of it, and goes when its time is over, whatever it does."""
        self._until(guest, now + FAREWELL, guest.why)
        guest.leaving = True

    def due(self, now: float) -> list[Guest]:
        """Those whose time is over."""
        if now < self.deadline:
            return []
        over = [guest for guest in self._guests if guest.ends <= now]
        self.deadline = min((guest.ends for guest in self._guests if guest.ends > now), default=inf)
        return over

    def worst(self) -> Guest | None:
        """Who goes first, if somebody has to."""
        return _worst(self._guests) if self._guests else None

    def _until(self, guest: Guest, ends: float, why: str, *, idle: bool = False) -> None:
        if not guest.leaving:
            guest.ends, guest.why, guest.idle = ends, why, idle
            self.deadline = min(self.deadline, ends)

    def _heaviest(self) -> Guest:
        return _worst([guest for guest in self._guests if guest.held])


def _worst(guests: Iterable[Guest]) -> Guest:
    every = list(guests)
    silent = [guest for guest in every if not guest.spoken]
    return min(silent if len(silent) * FEW > len(every) else every, key=lambda guest: guest.last)
