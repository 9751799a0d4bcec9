"""One SMTP connection: smtplib's client, with bounds it does not have. Loaded when a sink is made.

smtplib's timeout is per read, so a server that drips holds it for ever, and a reply that never ends fills the memory;
what a server says before it hangs up in the middle of a mail is never heard.
Limits: a deadline over everything from the first connect on (looking up the host's name apart, which the system's
resolver bounds), `REPLY` bytes for one reply, `LEAVE` seconds for the answer to QUIT.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..clock import SystemClock
from .certificates import papers

REPLY = 65536
LEAVE = 2.0

# Of what a server offers, what a delivery here depends on.
TOLD = ("starttls", "auth", "size")


class Conversation(smtplib.SMTP):
    """A client that knows where it stands: `stage` names the step under way, `expired` says the deadline has passed.

    `about` is the address or the name that the step is about. `done(words)` hears of each step that went well,
    `failed(error)` of each that did not and after which another address is tried.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        me: str,
        connect_timeout: float,
        timeout: float,
        done: Callable[[Conversation, str], None],
        failed: Callable[[Conversation, Exception], object],
    ) -> None:
        super().__init__(local_hostname=me, timeout=timeout)
        # Where smtplib's starttls() finds the name to verify.
        self._host = host
        self._port = port
        self._connect_timeout = connect_timeout
        self._deadline = SystemClock().monotonic() + timeout
        self._handle: socket.socket | None = None
        self._timer = threading.Timer(timeout, self._expire)
        self._timer.daemon = True
        self._done = done
        self._failed = failed
        self.stage, self.about = "lookup", ""
        self.expired = False

    def ask(self, stage: str, call: Callable[..., tuple[int, bytes]], *args: object, about: str = "") -> None:
        """Take one step; any reply but 2xx is a SMTPResponseException."""
        self.stage, self.about = stage, about
        code, text = call(*args)
        if not 200 <= code < 300:
            raise smtplib.SMTPResponseException(code, text)
        self._done(self, f"{code} {text.decode('utf-8', 'replace')}")

    def begin(self, implicit: ssl.SSLContext | None, starttls: ssl.SSLContext | None) -> None:
        """Connect, be greeted, introduce ourselves, encrypt."""
        try:
            self._timer.start()
        except RuntimeError as error:
            # No thread to be had: the machine is short of something, and that passes.
            raise OSError(str(error)) from None
        raw = self._connected()
        self.sock = raw
        if implicit is not None:
            self._encrypt(raw, implicit)
        self.ask("greeting", self.getreply)
        self._introduce()
        if starttls is not None:
            self.stage = "STARTTLS"
            if not self.has_extn("starttls"):
                raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS")
            self.ask("STARTTLS", self.docmd, "STARTTLS")
            self._encrypt(raw, starttls)
            self._introduce()

    def _encrypt(self, raw: socket.socket, context: ssl.SSLContext) -> None:
        self.stage, self.about = "TLS handshake", ""
        self.sock = encrypted = context.wrap_socket(raw, server_hostname=self._host)
        # What came in clear is forgotten, be it read or not (RFC 3207 section 4.2, CVE-2011-0411).
        self.file = self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self._done(self, papers(encrypted))

    def _introduce(self) -> None:
        self.stage, self.about = "EHLO", ""
        self.ehlo_or_helo_if_needed()
        name = (self.helo_resp or self.ehlo_resp or b"").split(b"\n")[0].decode("utf-8", "replace")
        told = [f"{word.upper()} {self.esmtp_features[word].strip()}".strip() for word in TOLD if self.has_extn(word)]
        self._done(self, f"{name}; it offers {', '.join(told) or 'nothing that matters here'}")

    def log_in(self, user: str, password: str) -> None:
        """AUTH, in a way that both sides know."""
        self.stage, self.about = "AUTH", ""
        code, text = self.login(user, password)
        self._done(self, f"{code} {text.decode('utf-8', 'replace')}")

    def leave(self) -> None:
        """QUIT, politely and briefly: what the server makes of it changes nothing any more. Safe in any state."""
        with suppress(OSError):
            if self.sock is not None:
                self.sock.settimeout(LEAVE)
                self.sock.sendall(b"QUIT\r\n")
                self.sock.recv(512)
        self._timer.cancel()
        if self._timer.ident is not None:
            self._timer.join()
        self.close()
        if self._handle is not None:
            self._handle.close()

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """MAIL FROM; the sender may be empty. Raises ValueError for what is no address."""
        return super().mail(_address(sender) if sender else "", options)

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """RCPT TO. Raises ValueError for what is no address."""
        return super().rcpt(_address(recip), options)

    def send(self, s: Any) -> None:
        """Send a command or a mail. A server that hangs up meanwhile is heard out: a 4xx or 5xx is its reply."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        try:
            self.sock.sendall(s.encode(self.command_encoding) if isinstance(s, str) else s)
        except OSError as error:
            code, text = self._last_words()
            self.close()
            # A yes to half a mail is no yes.
            if 400 <= code < 600:
                raise smtplib.SMTPResponseException(code, text) from None
            raise smtplib.SMTPServerDisconnected(f"connection lost: {error.strerror or error}") from None

    def _last_words(self) -> tuple[int, bytes]:
        try:
            return self.getreply()
        except OSError:
            return -1, b""

    def getreply(self) -> tuple[int, bytes]:
        """One reply of one or more lines (RFC 5321 section 4.2); code -1 for what is no reply."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        if self.file is None:
            self.file = self.sock.makefile("rb")
        texts: list[bytes] = []
        left = REPLY
        while True:
            line = self._line(left)
            left -= len(line)
            texts.append(line[4:].strip())
            if line[3:4] != b"-" or not line[:3].isdigit():
                break
        return int(line[:3]) if line[:3].isdigit() else -1, b"\n".join(texts)

    def _line(self, left: int) -> bytes:
        try:
            line: bytes = self.file.readline(left + 1) if self.file is not None else b""
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"connection lost: {error.strerror or error}") from None
        if len(line) > left:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"a reply of more than {REPLY} bytes")
        if not line.endswith(b"\n"):
            self.close()
            raise smtplib.SMTPServerDisconnected("the server closed the connection")
        return line

    def _connected(self) -> socket.socket:
        """The first address that answers; each is given `connect_timeout`, all together the deadline."""
        failure: OSError | None = None
        for family, kind, protocol, _, address in self._looked_up():
            left = self._deadline - SystemClock().monotonic()
            if left <= 0:
                break
            if failure is not None:
                self._failed(self, failure)
            self.about = str(address[0])
            try:
                return self._tried(socket.socket(family, kind, protocol), address, min(self._connect_timeout, left))
            except OSError as error:
                failure = error
        raise failure or TimeoutError("no time left to connect")

    def _looked_up(self) -> list[Any]:
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        names = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if names != [self._host]:
            self._done(self, f"{self._host} is {', '.join(names)}")
        self.stage = "connect"
        return found

    def _tried(self, sock: socket.socket, address: Any, patience: float) -> socket.socket:
        try:
            sock.settimeout(patience)
            sock.connect(address)
            self._watch(sock)
        except OSError:
            sock.close()
            raise
        self._done(self, f"port {self._port} answers")
        return sock

    def _watch(self, sock: socket.socket) -> None:
        # A second handle: TLS takes the first one over, and a number that is closed may be somebody else's by then.
        self._handle = sock.dup()
        if self.expired:
            raise TimeoutError("no time left after connecting")
        # Only in case: the timer acts first, and says why.
        sock.settimeout(self.timeout + 1)

    def _expire(self) -> None:
        self.expired = True
        if self._handle is not None:
            # The other side may have been quicker.
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


def _address(text: str) -> str:
    # smtplib would guess what is meant, and send the mail to somebody else.
    if not re.fullmatch(r"[\w!#$%&'*+/=?^`{|}~.@-]+", text, re.ASCII):
        raise ValueError(f"no address that can be sent: {text!r}")
    return text
