"""Message -> an SMTP server (RFC 5321), one connection for each mail.

Certificates are verified, always; credentials never travel in clear. Limits: 10 s to connect, 60 s for the whole
attempt (smtplib's own timeout is per read, so a server that drips could hold it for ever), 64 KiB for one reply.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..core.escape import one_line
from ..core.model import Message
from ..errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from ..host import hostname

if TYPE_CHECKING:
    import smtplib

Tls: TypeAlias = Literal["starttls", "implicit", "off"]

REPLY = 65536

# 5xx that speak of this client's login and not of the message (RFC 4954 section 6).
LOGIN = (530, 534, 535, 538)


class SMTPSink:
    """Speaks SMTP with `host`.

    `tls` is "starttls", "implicit" or "off"; None means off for loopback without a user, else starttls. `user` and
    `password` log in. `ca` is a file with the certificates to trust instead of the system's. Seconds: `connect_timeout`
    and `timeout`, the bound on the whole attempt. Raises ValueError when credentials would travel in clear.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 25,
        *,
        tls: Tls | None = None,
        user: str | None = None,
        password: str | None = None,
        ca: str | os.PathLike[str] | None = None,
        connect_timeout: float = 10.0,
        timeout: float = 60.0,
        local_hostname: str | None = None,
    ) -> None:
        local = _is_loopback(host)
        self._tls: Tls = tls or ("off" if local and user is None else "starttls")
        if self._tls not in ("starttls", "implicit", "off"):
            raise ValueError(f"tls={tls!r}: must be starttls, implicit or off")
        if user is not None and self._tls == "off" and not local:
            raise ValueError(f"smtp {host}: a password must not travel without TLS; use starttls or implicit")
        if (user is None) != (password is None):
            raise ValueError(f"smtp {host}: user and password go together; give both or neither")
        if not (timeout > 0 and connect_timeout > 0):
            raise ValueError(f"smtp {host}: timeouts must be more than 0 seconds")
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._ca = None if ca is None else os.fspath(ca)
        self._connect_timeout, self._timeout = connect_timeout, timeout
        self._name = local_hostname or hostname()

    @classmethod
    def from_url(
        cls, url: str, *, password: str | None = None, ca: str | os.PathLike[str] | None = None, **options: Any
    ) -> SMTPSink:
        """From `smtp://[user@]host[:25]` or `smtps://[user@]host[:465]`, with `?tls=off` to do without TLS.

        A password does not belong in a URL, where everybody can read it: ValueError.
        """
        from urllib.parse import parse_qs, unquote, urlsplit

        parts = urlsplit(url)
        if parts.password is not None:
            raise ValueError(f"smtp URL for {parts.hostname}: no password in the URL; use a password file")
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"smtp URL {url!r}: write it as smtp://host:25 or smtps://host:465")
        query = parse_qs(parts.query, keep_blank_values=True)
        if query and query != {"tls": ["off"]}:
            raise ValueError(f"smtp URL {url!r}: only ?tls=off can follow the host")
        tls: Tls | None = "off" if query else "implicit" if parts.scheme == "smtps" else None
        user = unquote(parts.username) if parts.username else None
        try:
            port = parts.port or (465 if parts.scheme == "smtps" else 25)
        except ValueError:
            raise ValueError(f"smtp URL {url!r}: the port must be a number from 1 to 65535") from None
        return cls(parts.hostname, port, tls=tls, user=user, password=password, ca=ca, **options)

    def __repr__(self) -> str:
        return f"SMTPSink({self._host!r}, {self._port}, tls={self._tls!r})"

    def send(self, item: Message) -> Mapping[str, DeliveryError]:
        """One connection, one mail."""
        import smtplib

        try:
            with self._connected() as server:
                refused = server.sendmail(item.sender, list(item.recipients), item.data)
                _quit(server)
        except smtplib.SMTPRecipientsRefused as error:
            # After a 421 it stops asking: whom it has not asked about is not refused, but not served either.
            refused = {name: error.recipients.get(name, (421, b"closed before RCPT")) for name in item.recipients}
        except smtplib.SMTPResponseException as error:
            raise self._error(error.smtp_code, error.smtp_error, _about_message(error)) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # ValueError: a reply that is no SMTP at all. The server's certificate is in the OSErrors too.
            raise TemporaryDeliveryError(f"{self._where}: {one_line(str(error)) or type(error).__name__}") from None
        return {name: self._error(code, text, True) for name, (code, text) in refused.items()}

    @property
    def _where(self) -> str:
        return f"smtp {self._host}:{self._port}"

    def _error(self, code: int, text: bytes | str, about_message: bool) -> DeliveryError:
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        if about_message and 500 <= code < 600 and code not in LOGIN:
            return PermanentDeliveryError(f"{self._where} refused: {code} {one_line(said)}")
        return TemporaryDeliveryError(f"{self._where}: {code} {one_line(said)}")

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A session that is greeted, encrypted and logged in; cut off at the deadline."""
        session = _session_class()
        raw = socket.create_connection((self._host, self._port), self._connect_timeout)
        with _deadline(raw, self._timeout):
            server = session(local_hostname=self._name, timeout=self._timeout)
            try:
                server.begin(raw, self._host, self._context() if self._tls == "implicit" else None)
                if self._tls == "starttls":
                    server.starttls(context=self._context())
                if self._user is not None and self._password is not None:
                    server.login(self._user, self._password)
                yield server
            finally:
                server.close()

    def _context(self) -> Any:
        import ssl

        return ssl.create_default_context(cafile=self._ca)


def _session_class() -> Any:
    """smtplib's client with a bound on replies, and a connection made by ourselves."""
    import smtplib

    class Session(smtplib.SMTP):
        def begin(self, raw: socket.socket, host: str, context: Any) -> None:
            raw.settimeout(self.timeout)
            self._host = host
            self.sock = context.wrap_socket(raw, server_hostname=host) if context else raw
            code, text = self.getreply()
            if code != 220:
                raise smtplib.SMTPConnectError(code, text)
            self.ehlo_or_helo_if_needed()

        def getreply(self) -> tuple[int, bytes]:
            if self.file is None:
                sock: Any = self.sock
                self.file = _Bounded(sock.makefile("rb"))
            self.file.left = REPLY
            return super().getreply()

    return Session


class _Bounded:
    """A reader that gives up on a reply which never ends."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.left = REPLY

    def readline(self, limit: int) -> bytes:
        line: bytes = self._file.readline(limit)
        self.left -= len(line)
        if self.left < 0:
            raise OSError(f"reply longer than {REPLY} bytes")
        return line

    def close(self) -> None:
        self._file.close()


@contextmanager
def _deadline(raw: socket.socket, seconds: float) -> Iterator[None]:
    """Shut the connection down after so many seconds, whatever hangs on it."""
    import threading

    # A second handle: TLS takes the first one over, and a number that is closed may be somebody else's by then.
    handle = raw.dup()
    timer = threading.Timer(seconds, _shut(handle))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()
        raw.close()


def _shut(handle: socket.socket) -> Callable[[], None]:
    def shut() -> None:
        try:
            handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other side was quicker.
            return

    return shut


def _about_message(error: Exception) -> bool:
    import smtplib

    return isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError)


def _quit(server: smtplib.SMTP) -> None:
    import smtplib

    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        # The mail is accepted; how the server takes its leave does not matter.
        return


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
