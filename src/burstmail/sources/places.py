"""URL -> a socket that listens. `udp://`, `tcp://`, `tls://` with an address and a port, `unix://` with a path.

A name that stands for several addresses gives a socket for each. `[::]` is IPv6 only, `0.0.0.0` IPv4 only.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

# RFC 5426 section 3.3 and RFC 5425 section 4.1; TCP has no port of its own, and everybody takes that of UDP.
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
# As syslog daemons make theirs: whoever can reach the directory may log.
MODE = 0o666
# Unread datagrams that the kernel keeps for us, in bytes. The most it allows, where that is less.
RECEIVE = 2**23
# Connections that wait to be accepted.
BACKLOG = 512
# Linux has this since 2.6.14 and Python does not name it: more than net.core.rmem_max, for those who may.
SO_RCVBUFFORCE = 33


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A socket that listens."""

    socket: socket.socket
    url: str
    """Where it can be reached, with the port that it got."""
    tls: bool = False
    ours: bool = True
    """Whether it is closed at the end; one that was handed over is not."""
    file: tuple[str, int, int] | None = None
    """Path, device and inode of a unix socket that is removed at the end."""

    @property
    def stream(self) -> bool:
        """Whether it brings connections, and not datagrams."""
        return self.socket.type == socket.SOCK_STREAM

    def close(self) -> None:
        """End it; what is handed over stays open, and a file that is not ours any more stays there."""
        # Twice would be wrong: the file may be another's by then, with the same inode.
        if not self.ours or self.socket.fileno() < 0:
            return
        if self.file:
            path, *known = self.file
            with suppress(OSError):
                status = os.lstat(path)
                if [status.st_dev, status.st_ino] == known:
                    os.unlink(path)
        self.socket.close()


def opened(url: str) -> list[Place]:
    """The sockets of a URL. Raises ValueError for one that cannot be understood, OSError for one that cannot be had."""
    make = understood(url)
    try:
        return make()
    except OSError as error:
        parts = urlsplit(url)
        raise OSError(
            error.errno, f"cannot listen on {url}: {error.strerror or error}{_advice(error, parts)}"
        ) from error


def understood(url: str) -> Callable[[], list[Place]]:
    """What opens the sockets of a URL. Raises ValueError for one that cannot be understood."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in (*PORTS, "unix"):
            raise ValueError("begin it with udp://, tcp://, tls:// or unix://")
        return _file(parts) if parts.scheme == "unix" else _network(parts)
    except ValueError as error:
        raise ValueError(f"{url!r}: {error}") from None


def _advice(error: OSError, parts: SplitResult) -> str:
    """What to do about it, with a colon in front; '' where the error says it."""
    if parts.scheme == "unix":
        missing = "make the directory first, or use RuntimeDirectory= in a unit"
        words = {errno.ENOENT: missing, errno.EACCES: "choose a directory that this user may write to"}
    else:
        words = {
            errno.EACCES: "ports below 1024 are root's; take another, or have systemd open it (--listen systemd)",
            errno.EADDRINUSE: "`ss -lntup` says who has it; stop that, or take another port",
            errno.EADDRNOTAVAIL: "this machine does not have that address; 0.0.0.0 or [::] is all of its own",
        }
    advice = words.get(error.errno or 0)
    return f": {advice}" if advice else ""


def handed(given: socket.socket, tls: bool) -> Place:
    """A socket of somebody else's making, which listens or takes datagrams. Raises ValueError for any other."""
    if not isinstance(given, socket.socket):
        raise TypeError(f"place {given!r}: must be a URL, as 'udp://0.0.0.0:514', or a socket")
    listens = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not (listens or given.type == socket.SOCK_DGRAM):
        raise ValueError(f"socket {given.fileno()}: it neither listens nor takes datagrams; StreamSource reads it")
    given.setblocking(False)
    scheme = ("tls" if tls else "tcp") if listens else "udp"
    return Place(socket=given, url=_url(given, scheme), tls=tls and bool(listens), ours=False)


def _network(parts: SplitResult) -> Callable[[], list[Place]]:
    if not parts.hostname:
        raise ValueError("name an address; 0.0.0.0 is all of this machine's")
    if parts.path.strip("/") or parts.query or parts.username:
        raise ValueError("an address and a port are all it can have")
    host, port = parts.hostname, PORTS[parts.scheme] if parts.port is None else parts.port
    kind = socket.SOCK_DGRAM if parts.scheme == "udp" else socket.SOCK_STREAM

    def make() -> list[Place]:
        found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)
        made: list[Place] = []
        try:
            for family, _, _, _, address in dict.fromkeys(found):
                made.append(_bound(family, kind, address, parts.scheme))
        except BaseException:
            for place in made:
                place.close()
            raise
        return made

    return make


def _bound(family: int, kind: int, address: object, scheme: str) -> Place:
    made = socket.socket(family, kind)
    try:
        made.setblocking(False)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            # Connections of the process before this one may still be dying.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)  # type: ignore[arg-type]  # as getaddrinfo gave it
        if kind == socket.SOCK_STREAM:
            made.listen(BACKLOG)
        else:
            _enlarge(made)
        return Place(socket=made, url=_url(made, scheme), tls=scheme == "tls")
    except BaseException:
        made.close()
        raise


def _enlarge(made: socket.socket) -> None:
    with suppress(OSError):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
        made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE)


def _url(made: socket.socket, scheme: str) -> str:
    name = made.getsockname()
    if made.family == socket.AF_UNIX:
        return f"unix://{os.fsdecode(name)}"
    return f"{scheme}://[{name[0]}]:{name[1]}" if ":" in name[0] else f"{scheme}://{name[0]}:{name[1]}"


def _file(parts: SplitResult) -> Callable[[], list[Place]]:
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError("a unix socket has a whole path: unix:///run/burstmail/log")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    mode = options.pop("mode", f"{MODE:o}")
    if options or mode.strip("01234567") or len(mode.removeprefix("0")) != 3:
        raise ValueError("it can have a mode of three or four digits and nothing else: ?mode=0660")
    # unix(7): sun_path, with the NUL behind it.
    if len(os.fsencode(parts.path)) > 107:
        raise ValueError("the path of a unix socket has at most 107 bytes")
    return lambda: [_named(parts.path, int(mode, 8))]


def _named(path: str, mode: int) -> Place:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        _free(path)
        # Before bind, so that it is never open to more than it will be; after it, for the umask does not count.
        os.fchmod(made.fileno(), mode)
        made.bind(path)
        status = _permitted(path, mode)
        return Place(socket=made, url=f"unix://{path}", file=(path, status.st_dev, status.st_ino))
    except BaseException:
        made.close()
        raise


def _permitted(path: str, mode: int) -> os.stat_result:
    """Give the socket its mode, and nothing that somebody else has put in its place: a link would lead anywhere."""
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            raise FileExistsError(errno.EEXIST, "somebody has put something else in its place")
        # fchmod(2) takes no descriptor that is only a path.
        os.chmod(f"/proc/self/fd/{fd}", mode)
        return status
    finally:
        os.close(fd)


def _free(path: str) -> None:
    """Remove a socket that nobody reads any more. Whatever else is there stays."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is something else that is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
                return
            except OSError as error:
                # EPROTOTYPE: a stream socket listens there.
                raise OSError(errno.EADDRINUSE, "another process listens there") from error
        raise OSError(errno.EADDRINUSE, "another process listens there")
