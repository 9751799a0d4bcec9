"""Connection -> words. What a server has shown of itself: TLS version, whose certificate, by whom, until when.

Every byte of a certificate is somebody else's, even of one that was verified: nothing here raises for what it says.
"""

from __future__ import annotations

import ssl
from typing import Any

# Of the names a certificate is for, which can be a hundred.
NAMES = 3


def papers(sock: ssl.SSLSocket) -> str:
    """One sentence about an encrypted connection."""
    return f"{sock.version() or 'TLS'}; certificate of {described(sock.getpeercert() or {})}"


def described(certificate: Any) -> str:
    """Whose certificate this is, as `ssl.SSLSocket.getpeercert` shows it."""
    names = [str(value) for _, value in certificate.get("subjectAltName", ())]
    shown = ", ".join(names[:NAMES]) + (f" and {len(names) - NAMES} more" if len(names) > NAMES else "")
    by = _part(certificate.get("issuer", ()))
    return f"{shown or _part(certificate.get('subject', ())) or 'nobody'}, by {by or 'nobody'}, {_until(certificate)}"


def _part(name: Any) -> str:
    """The part of a distinguished name that a person knows it by."""
    parts = {str(key): str(value) for pairs in name for key, value in pairs}
    words = [parts[key] for key in ("organizationName", "commonName") if key in parts]
    return " ".join(dict.fromkeys(words))


def _until(certificate: Any) -> str:
    from datetime import UTC, datetime

    try:
        end = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        return f"valid until {datetime.fromtimestamp(end, UTC):%Y-%m-%d}"
    except (KeyError, ValueError, OverflowError, OSError):
        return "valid until nobody knows when"
