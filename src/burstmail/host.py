"""Who we are: the only file that asks the machine for its name and its user.

Asked once, where a default is needed, never per mail. The answer is always fit for an address (RFC 5321 section 4.1.2),
and never waits longer than `LOOKUP` seconds for a name server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Resolvers give up after 5 s a server and try; a name is not worth that wait at every start.
LOOKUP = 2.0
MAILNAME = "/etc/mailname"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,62}[A-Za-z0-9_-]|[A-Za-z0-9_]")


def hostname() -> str:
    """The machine's name, with its domain where one is known, in lower case; "localhost" when there is no usable name.

    In this order: the host name if it has a dot, `/etc/mailname` (Debian's name for mail), the name service, the host
    name alone.
    """
    for name in _candidates():
        domain = name.strip().rstrip(".").lower()
        # 180: an address has at most 254 bytes, of which up to 64 and the @ belong to the user.
        if len(domain) <= 180 and _DOMAIN.fullmatch(domain):
            return domain
    return "localhost"


def short_hostname() -> str:
    """The machine's name without its domain, as loggers write it; never waits. "localhost" if that is none."""
    import socket

    label = socket.gethostname().partition(".")[0]
    return label if _DOMAIN.fullmatch(label) else "localhost"


def default_sender() -> str:
    """`user@hostname` of the process; the user is "burstmail" when it has no name that an address can carry."""
    import os
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = ""
    usable = _USER.fullmatch(user) and ".." not in user
    return f"{user if usable else 'burstmail'}@{hostname()}"


def _candidates() -> Iterator[str]:
    import socket

    short = socket.gethostname()
    if "." in short:
        yield short
    yield _first_line(MAILNAME)
    full = _looked_up(short)
    # A machine whose name only resolves to loopback is called localhost.localdomain by it: its own name says more.
    if "." in full and not full.lower().startswith("localhost"):
        yield full
    yield short


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline(1000)
    except OSError:
        return ""


def _looked_up(short: str) -> str:
    """The fully qualified name, or '' when the name service does not answer in time."""
    import socket
    from threading import Thread

    found: list[str] = []
    # A lookup cannot be interrupted: it is left behind in a thread that does not hold up the end of the process.
    thread = Thread(target=lambda: found.append(socket.getfqdn(short)), name="burstmail-hostname", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # At the end of the interpreter none can be started any more.
        return ""
    thread.join(LOOKUP)
    return found[0] if found else ""
