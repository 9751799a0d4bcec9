"""Descriptors that systemd has opened -> sources.

Either as sd_listen_fds(3) has them: descriptors from 3 on, which LISTEN_FDS counts, for the process that LISTEN_PID
names. Or as inetd does: standard input is the socket, and standard output the same one, so that nothing may be written
there. What listens, or gets datagrams, is one for SyslogSource, which knows where a message ends; an accepted
connection, a FIFO or a device is a stream.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import IO

FIRST = 3  # SD_LISTEN_FDS_START

FAMILIES = {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX}
KINDS = {socket.SOCK_STREAM, socket.SOCK_DGRAM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A descriptor that was opened for us. It is closed with its `stream`."""

    name: str
    """FileDescriptorName= of systemd.socket(5); by default that is the name of the socket unit."""
    stream: socket.socket | IO[bytes] = field(repr=False)
    """For SyslogSource if it `listens`, else for StreamSource."""
    listens: bool
    """Whether it is a socket that accepts connections or gets datagrams."""


def activated(environ: MutableMapping[str, str] | None = None) -> tuple[Passed, ...]:
    """What systemd has passed to this process: once, for the variables are taken out, so that no child takes it.

    Nothing if the variables are for another process, or not there. Raises ValueError when they make no sense, and for
    a socket that carries no log lines.
    """
    environ = os.environ if environ is None else environ
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return ()
    del environ["LISTEN_PID"]
    count, names = environ.pop("LISTEN_FDS", ""), environ.pop("LISTEN_FDNAMES", "").split(":")
    if not (count.isascii() and count.isdigit() and len(count) < 6):
        raise ValueError(f"LISTEN_FDS={count!r}: must be the number of descriptors that were passed")
    numbers = range(FIRST, FIRST + int(count))
    return tuple(passed(fd, name) for fd, name in zip(numbers, [*names, *[""] * len(numbers)], strict=False))


def standard_input() -> Passed:
    """Descriptor 0: a listening socket or one for datagrams with `StandardInput=socket` and `Accept=no`, else a stream.

    A copy of it, so that nobody who closes the one closes the other.
    """
    return passed(os.dup(0), "stdin")


def passed(fd: int, name: str = "") -> Passed:
    """What a descriptor is. From here on it is ours: closed with its stream, and not inherited by children.

    Raises ValueError for a socket that carries no log lines, OSError for a number that is no descriptor.
    """
    os.set_inheritable(fd, False)
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return Passed(name=name, stream=open(fd, "rb", buffering=0), listens=False)
    stream = socket.socket(fileno=fd)
    if stream.family not in FAMILIES or stream.type not in KINDS:
        kind = f"{stream.type!r} of {stream.family!r}"
        stream.close()
        raise ValueError(f"descriptor {fd} ({name}) is a socket that carries no log lines: {kind}")
    listens = stream.type == socket.SOCK_DGRAM or _accepts(stream)
    return Passed(name=name, stream=stream, listens=listens)


def _accepts(stream: socket.socket) -> bool:
    return bool(stream.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
