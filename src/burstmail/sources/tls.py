"""Certificates -> TLS for those who connect (RFC 5425).

TLS 1.2 is the oldest version spoken. Files that are renewed are read again, so that a daemon does not outlive its
certificate: asked at most once a minute, when somebody connects.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

logger = logging.getLogger("burstmail")

# Seconds between two looks at the files.
LOOKS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """Files in PEM form. With `client_ca`, only clients with a certificate that it has signed may connect."""

    certificate: str | os.PathLike[str]
    """The server's, followed by those of the authorities between it and a root."""
    key: str | os.PathLike[str] | None = None
    """Its private key, without a password; None: it stands in `certificate`."""
    client_ca: str | os.PathLike[str] | None = None

    def context(self) -> ssl.SSLContext:
        """What connections are wrapped with. Raises OSError, naming the file, for what cannot be read or used."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A client could make us compute for ever.
        context.options |= ssl.OP_NO_RENEGOTIATION
        # A ticket is something we send: a client who closes without having read it resets the connection, and what we
        # have not read by then is lost. Tickets are to save a handshake, and loggers make few.
        context.num_tickets = 0
        try:
            # Asked for a password, OpenSSL would read the terminal.
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except OSError as error:
            key = "" if self.key is None else f", key {self.key}"
            raise OSError(f"TLS certificate {self.certificate}{key}: {_said(error)}") from error
        if self.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            try:
                context.load_verify_locations(self.client_ca)
            except OSError as error:
                raise OSError(f"TLS client authority {self.client_ca}: {_said(error)}") from error
        return context

    def stamps(self) -> list[tuple[int, int, int]]:
        """What changes when a file is replaced."""
        files = {"certificate": self.certificate, "key": self.key, "client authority": self.client_ca}
        found = [_stat(what, path) for what, path in files.items() if path is not None]
        return [(status.st_ino, status.st_mtime_ns, status.st_size) for status in found]


class Certificates:
    """The context that is valid now. Those of the user's own making are taken as they are."""

    def __init__(self, tls: TLS | ssl.SSLContext) -> None:
        self._files = tls if isinstance(tls, TLS) else None
        self._stamps = tls.stamps() if isinstance(tls, TLS) else []
        self._context = tls.context() if isinstance(tls, TLS) else tls
        self._look = 0.0

    def context(self, now: float) -> ssl.SSLContext:
        """For the next connection. Files that cannot be used leave everything as it was."""
        if self._files and now >= self._look:
            self._look = now + LOOKS
            try:
                if (stamps := self._files.stamps()) != self._stamps:
                    self._context, self._stamps = self._files.context(), stamps
            except OSError as error:
                logger.error("TLS goes on with the certificate it has: %s", error)
        return self._context


def _stat(what: str, path: str | os.PathLike[str]) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise OSError(error.errno, f"cannot read the TLS {what} {os.fspath(path)}: {_said(error)}") from error


def _no_password() -> str:
    raise OSError("it has a password: write the key without one")


def _said(error: OSError) -> str:
    return error.strerror or str(error)
