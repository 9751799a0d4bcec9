"""Message -> an SMTP server (RFC 5321), one connection for each mail.

Certificates are verified, always; credentials never travel in clear, except to this machine itself. Limits: 10 s to
connect, 60 s for the whole attempt, 64 KiB for one reply, 2 s for the answer to QUIT.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..core.escape import one_line
from ..core.kinds import numbers, seconds, texts
from ..core.model import Message
from ..errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from ..host import hostname
from . import load, mail
from .steps import LONGEST, Step, Watch, line, tell

if TYPE_CHECKING:
    import ssl

    from .conversation import Conversation

Tls: TypeAlias = Literal["starttls", "implicit", "off"]

# Where a 5xx speaks of the message. Before that it speaks of the two machines, and somebody will mend them.
ABOUT_MESSAGE = ("MAIL FROM", "RCPT TO", "DATA")

# 5xx that speak of this client's login and not of the message (RFC 4954 section 6).
LOGIN = (530, 534, 535, 538)


class SMTPSink:
    """Speaks SMTP with `host`.

    `tls` is "starttls", "implicit" or "off"; None means off for loopback without a user, else starttls, which is then
    required. `user` and `password` log in. `ca` is a file with the certificates to trust instead of the system's.
    Seconds: `connect_timeout` for each address of the host, `timeout` for the whole attempt. `local_hostname` is what
    this machine calls itself in EHLO, default its name. `watch` is called with every Step, in the thread that sends.
    Raises ValueError for what can never work, or would send credentials in clear.
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
        watch: Watch | None = None,
    ) -> None:
        texts("SMTPSink", host=host, **{} if local_hostname is None else {"local_hostname": local_hostname})
        local = _is_loopback(host)
        self._tls: Tls = tls or ("off" if local and user is None else "starttls")
        self._name = f"smtp {host}:{port}"
        _check_place(host, port, self._tls)
        _check_login(self._name, user, password)
        if user is not None and self._tls == "off" and not local:
            raise ValueError(f"{self._name}: a password must not travel without TLS; use starttls or implicit")
        seconds("SMTPSink", timeout=timeout, connect_timeout=connect_timeout)
        if not (timeout > 0 and connect_timeout > 0):
            raise ValueError(f"{self._name}: timeouts must be more than 0 seconds")
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._context = None if self._tls == "off" else _context(self._name, ca)
        self._connect_timeout, self._timeout = connect_timeout, timeout
        self._me = local_hostname or hostname()
        self._watch = watch
        load(".conversation", ".reasons")

    @classmethod
    def from_url(
        cls, url: str, *, password: str | None = None, ca: str | os.PathLike[str] | None = None, **options: Any
    ) -> SMTPSink:
        """From `smtp://[user@]host[:25]` or `smtps://[user@]host[:465]`, with `?tls=off` to do without TLS.

        A password does not belong in a URL, where everybody can read it: ValueError.
        """
        from urllib.parse import unquote, urlsplit

        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # Not quoted: whatever is wrong with it, there may be a password inside.
            raise ValueError("smtp URL: the host or the port is wrong; write it as smtp://host:25") from None
        if parts.password is not None:
            raise ValueError("smtp URL: it must not contain a password, others can read it; use a password file")
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or parts.fragment:
            raise ValueError(f"smtp URL {one_line(url)!r}: write it as smtp://host:25 or smtps://host:465")
        if parts.query not in ("", "tls=off") or (parts.query and parts.scheme == "smtps"):
            raise ValueError(f"smtp URL {one_line(url)!r}: only ?tls=off can follow the host, and only of smtp://")
        tls: Tls | None = "off" if parts.query else "implicit" if parts.scheme == "smtps" else None
        user = unquote(parts.username) if parts.username else None
        if port is None:
            port = 465 if parts.scheme == "smtps" else 25
        return cls(parts.hostname, port, tls=tls, user=user, password=password, ca=ca, **options)

    def __repr__(self) -> str:
        return f"SMTPSink({self._host!r}, {self._port}, tls={self._tls!r})"

    def send(self, item: Message) -> Mapping[str, DeliveryError]:
        """One connection, one mail. Recipients that fail differently come back with an error each, even if all fail."""
        message = mail(item)
        failed: dict[str, DeliveryError] = {}
        talk = self._conversation()
        try:
            self._begin(talk)
            self._transact(talk, message, failed)
        except (OSError, ValueError) as error:
            # Every SMTPException is an OSError. ValueError: what smtplib cannot send, or cannot make sense of.
            common = self._error(talk, error)
            failed |= {name: common for name in message.recipients if name not in failed}
        finally:
            talk.leave()
        errors = list(failed.values())
        if len(errors) == len(set(message.recipients)) and len({type(error) for error in errors}) == 1:
            raise errors[0]
        return failed

    def _conversation(self) -> Conversation:
        from .conversation import Conversation

        return Conversation(
            self._host,
            self._port,
            me=self._me,
            connect_timeout=self._connect_timeout,
            timeout=self._timeout,
            done=self._done,
            failed=self._error,
        )

    def _begin(self, talk: Conversation) -> None:
        implicit = self._tls == "implicit"
        talk.begin(self._context if implicit else None, None if implicit else self._context)
        if self._user is not None and self._password is not None:
            talk.log_in(self._user, self._password)

    def _transact(self, talk: Conversation, message: Message, failed: dict[str, DeliveryError]) -> None:
        """The mail itself (RFC 5321 section 3.3). Not smtplib's sendmail(): it forgets the refused ones on an error."""
        from smtplib import SMTPResponseException

        size = [f"SIZE={len(message.data)}"] if talk.has_extn("size") else []
        talk.ask("MAIL FROM", talk.mail, message.sender, size, about=message.sender)
        for name in message.recipients:
            try:
                talk.ask("RCPT TO", talk.rcpt, name, about=name)
            except (SMTPResponseException, ValueError) as error:
                failed[name] = self._error(talk, error)
        if len(failed) < len(set(message.recipients)):
            talk.ask("DATA", talk.data, message.data)

    def _done(self, talk: Conversation, words: str) -> None:
        tell(self._watch, Step(name=talk.stage, words=line(self._clean(words)), about=one_line(talk.about, LONGEST)))

    def _error(self, talk: Conversation, error: Exception) -> DeliveryError:
        """What to make of a step that failed; it is told of, too."""
        from .reasons import reason_of, words_of

        code = int(getattr(error, "smtp_code", 0))
        reason, told = reason_of(error, talk.stage), words_of(error)
        if talk.expired and not code:
            reason, told = "timeout", f"not done after {self._timeout:g} s"
        told = self._clean(told)
        step = Step(
            name=talk.stage, words=line(told), about=one_line(talk.about, LONGEST), reason=reason, code=max(0, code)
        )
        tell(self._watch, step)
        # An address that cannot be put on the wire never will be.
        final = (code and _condemns(talk.stage, code)) or (reason == "address" and talk.stage in ABOUT_MESSAGE)
        kind = PermanentDeliveryError if final else TemporaryDeliveryError
        return kind(f"{self._name}, {talk.stage}: {one_line(told)}")

    def _clean(self, text: str) -> str:
        """The text without our credentials: servers quote what they do not understand, and errors go to logs."""
        if self._user is None or self._password is None:
            return text
        from base64 import b64encode

        forms = [self._password]
        for secret in (self._password, self._user, f"\0{self._user}\0{self._password}"):
            forms.append(b64encode(secret.encode()).decode())
        for form in forms:
            text = text.replace(form, "***")
        # Cut off or broken over lines, a piece still says too much.
        return re.sub(r"[A-Za-z0-9+/=]{6,}", lambda piece: "***" if piece[0] in " ".join(forms) else piece[0], text)


def _condemns(stage: str, code: int) -> bool:
    if stage == "RCPT TO" and code == 552:
        # "Too many recipients" in old servers: to be taken as 452 (RFC 5321 section 4.5.3.1.10).
        return False
    return stage in ABOUT_MESSAGE and 500 <= code < 600 and code not in LOGIN


def _check_place(host: str, port: int, tls: str) -> None:
    if not host.isascii() or not re.fullmatch(r"[\w.:%-]{1,255}", host):
        raise ValueError(f"smtp host {one_line(host)!r}: must be a host name or an IP address")
    numbers("SMTPSink", port=port)
    if not 1 <= port <= 65535:
        raise ValueError(f"smtp port {port!r}: must be a number from 1 to 65535")
    if tls not in ("starttls", "implicit", "off"):
        raise ValueError(f"tls={tls!r}: must be starttls, implicit or off")


def _check_login(name: str, user: str | None, password: str | None) -> None:
    if (user is None) != (password is None):
        raise ValueError(f"{name}: user and password go together; give both or neither")
    for what, value in (("user", user), ("password", password)):
        # The value is never quoted. smtplib sends ASCII only; a newline mostly comes from the end of a file.
        fits = value and hasattr(value, "isascii") and value.isascii() and value.isprintable()
        if value is not None and not fits:
            raise ValueError(f"{name}: the {what} must be printable ASCII, and not empty")


def _context(name: str, ca: str | os.PathLike[str] | None) -> ssl.SSLContext:
    import ssl

    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise ValueError(f"{name}: cannot read certificates from {os.fspath(ca or '')!r}: {error}") from None


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or re.fullmatch(r"127\.\d+\.\d+\.\d+", host) is not None
