"""str -> str. One strict look at a mail address, before it is used anywhere.

Only the forms people use in configuration: `user`, `user+tag`, `user@host.example`; no display names, quoted local
parts, comments or lists, for each of those is a way to smuggle in a second recipient or a header.
"""

from __future__ import annotations

import re

# RFC 5322 section 3.2.3: dot-atom; RFC 5321 section 4.1.2: Domain and address-literal.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LITERAL = re.compile(r"\[(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\]")


def address(text: str) -> str:
    """The address, its domain in ASCII form. A bare local user such as `root` is valid.

    Raises ValueError, in one line, for anything else; RFC 5321 section 4.5.3.1 bounds the length.
    """
    local, at, domain = text.rpartition("@") if "@" in text else (text, "", "")
    if at and not domain.isascii():
        domain = _ascii(domain, text)
    if not _LOCAL.fullmatch(local) or local.startswith("-") or len(local) > 64:
        raise ValueError(f"address {text!r}: the part before @ is not valid; write it as user or user@host.example")
    if not at:
        return local
    if not (_DOMAIN.fullmatch(domain) or _LITERAL.fullmatch(domain)) or len(local) + 1 + len(domain) > 254:
        raise ValueError(f"address {text!r}: the domain is not valid; write it as user@host.example")
    return f"{local}@{domain}"


def _ascii(domain: str, text: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"address {text!r}: the domain has no ASCII form; write it as user@xn--...") from None
