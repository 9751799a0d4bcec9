"""Name and address -> the value of a From header (RFC 5322 section 3.4). The name may hold anything.

It is made visible, and in ASCII whatever it holds: quoted, or in encoded words (RFC 2047 section 5), which say nothing
about the address behind them. Limits: 60 characters of a name.
"""

from __future__ import annotations

from ..escape import one_line
from .mime import encoded_words

NAME = 60


def mailbox(name: str, address: str) -> str:
    """`"Name" <user@host>`; without a name the address alone. The address has been looked at already."""
    shown = one_line(name, NAME).strip()
    if not shown:
        return address
    if not shown.isascii():
        return f"{''.join(encoded_words(shown)).strip()} <{address}>"
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'
