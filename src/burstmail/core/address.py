"""str -> str. One strict look at a mail address, before it is used anywhere.

Only the forms people use in configuration: `user`, `user+tag`, `user@host.example`; no display names, quoted local
parts, comments or lists, for each of those is a way to smuggle in a second recipient or a header; nor what some mail
programs take for an option, a file, a program or a way through another host.
"""

from __future__ import annotations

import re

# RFC 5322 section 3.2.3: dot-atom; RFC 5321 section 4.1.2: Domain and address-literal.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LITERAL = re.compile(r"\[(?:(?P<four>[0-9.]{7,15})|IPv6:(?P<six>[0-9A-Fa-f:.]{2,45}))\]")
# sendmail(8): an option; aliases(5): a program and a file.
_LEADING = ("-", "|", "/")
# Without a domain these name one: user%host and host!user, which Postfix rewrites by default.
_ROUTING = re.compile("[%!]")
# RFC 5894 section 7.2: the standard of 2003, which Python has, makes another name of them than the one of 2008.
_DEVIATING = re.compile("[\u00df\u03c2\u200c\u200d]")


def address(text: str) -> str:
    """The address, its domain in ASCII form. A bare local user such as `root` is valid.

    Raises ValueError, in one line, for anything else; RFC 5321 section 4.5.3.1 bounds the length.
    """
    if not isinstance(text, str):
        raise TypeError(f"address {text!r}: must be a text, as 'root' or 'user@host.example'")
    local, at, domain = text.rpartition("@") if "@" in text else (text, "", "")
    if at and not domain.isascii():
        domain = _ascii(domain, text)
    # `=?` opens an encoded word (RFC 2047 section 2), in whose place a mail program shows something else.
    if not _LOCAL.fullmatch(local) or local.startswith(_LEADING) or "=?" in local or len(local) > 64:
        raise ValueError(f"address {text!r}: the part before @ is not valid; write it as user or user@host.example")
    if not at:
        if _ROUTING.search(local):
            raise ValueError(f"address {text!r}: % and ! name another host; write it as user@host.example")
        return local
    if not _is_domain(domain) or len(local) + 1 + len(domain) > 254:
        raise ValueError(f"address {text!r}: the domain is not valid; write it as user@host.example")
    return f"{local}@{domain}"


def _is_domain(text: str) -> bool:
    if found := _LITERAL.fullmatch(text):
        return _is_number(found["four"] or found["six"], 4 if found["four"] else 6)
    # RFC 1123 section 2.1: 192.0.2.1 is an IP address, and that is written in brackets. A container may be named 4711.
    return bool(_DOMAIN.fullmatch(text)) and not ("." in text and text.rpartition(".")[2].isdigit())


def _is_number(text: str, version: int) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(text).version == version
    except ValueError:
        return False


def _ascii(domain: str, text: str) -> str:
    try:
        if _DEVIATING.search(domain):
            raise UnicodeError
        return domain.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"address {text!r}: the domain has no one ASCII form; write it as user@xn--...") from None
