"""Text -> value. What a person writes after an option: durations, caps, sizes, secrets.

Every function raises ValueError in one line that shows what was given and what was expected.
"""

from __future__ import annotations

import argparse
import os
import re
import stat
from collections.abc import Callable
from typing import Any, TypeVar

from burstmail import Aggregator, Backoff, Composer, CoolDown, Keep, Limit, Threshold, at_least, contains, match

T = TypeVar("T")

UNITS = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}
# [0-9] and not \d: other scripts' digits are no option values.
PIECE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|sec|s|min|m|hour|h|day|d)")
DURATION = re.compile(rf"(?:{PIECE.pattern})+")
SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
COUNT = re.compile(r"[0-9]{1,12}")
# One component of a path on any file system, and no hidden one.
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
SIZES = {"": 1, "k": 1024, "kib": 1024, "m": 1024**2, "mib": 1024**2, "g": 1024**3, "gib": 1024**3}
SIZE = re.compile(r"([0-9]{1,12})([A-Za-z]*)")
# A password is a line, not a file somebody named by mistake.
SECRET_BYTES = 4096
# More than that is no mail any more (core/mail/report.py).
TEMPLATE_BYTES = 65536


def told(function: Callable[[str], T]) -> Callable[[str], T]:
    """A value's own words in argparse's error, instead of `invalid ... value`."""

    def read(text: str) -> T:
        try:
            return function(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        except OSError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {os.strerror(error.errno or 0)}") from None

    return read


def duration(text: str) -> float:
    """`5s`, `10m`, `1h30m`, `500ms`; a bare number is seconds."""
    if SECONDS.fullmatch(text):
        return float(text)
    if not DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration: write it like 5s, 10m or 1h30m")
    return sum(float(number) * UNITS[unit] for number, unit in PIECE.findall(text))


def count(text: str) -> int:
    """A whole number from 1."""
    if not COUNT.fullmatch(text) or not int(text):
        raise ValueError(f"{text!r} is no count: write a whole number from 1")
    return int(text)


def size(text: str) -> int:
    """Bytes: `65536`, `64k` (1024 each), `1M`."""
    found = SIZE.fullmatch(text)
    factor = SIZES.get(found[2].lower()) if found else None
    if found is None or factor is None or not int(found[1]):
        raise ValueError(f"{text!r} is no size: write bytes like 65536, 64k or 1M")
    return int(found[1]) * factor


def cap(text: str) -> Limit:
    """`3/min`, `5/15min`, `20/h`: so many mails in so much time."""
    number, slash, per = text.partition("/")
    if not slash or not COUNT.fullmatch(number):
        raise ValueError(f"{text!r} is no cap: write it like 3/min, 5/15min or 20/h")
    if not int(number):
        raise ValueError(f"{text!r} would never let a mail leave: allow at least 1")
    try:
        return Limit(int(number), per=UNITS[per] if per in UNITS else duration(per))
    except ValueError as error:
        raise ValueError(f"{text!r} is no cap: {error}") from None


def cool_down(text: str) -> CoolDown | None:
    """`1m..15m`: the first and the longest rest of a key; `off` for none."""
    if text == "off":
        return None
    form = f"{text!r} is no cool-down: write it like 1m..15m, or off"
    first, longest = _range(text, form)
    try:
        return CoolDown(first=first, longest=longest)
    except ValueError:
        raise ValueError(form) from None


def backoff(text: str) -> Backoff:
    """`30s..30m`: the first and the longest rest of a destination that fails."""
    form = f"{text!r} is no backoff: write it like 30s..30m"
    first, longest = _range(text, form)
    try:
        return Backoff(first=first, longest=longest)
    except ValueError:
        raise ValueError(form) from None


def _range(text: str, form: str) -> tuple[float, float]:
    """Two durations, the longer one behind; `form` is what to say when it is something else."""
    first, dots, longest = text.partition("..")
    if not dots:
        raise ValueError(form)
    try:
        low, high = duration(first), duration(longest)
    except ValueError as error:
        raise ValueError(f"{form}; {error}") from None
    if low > high:
        raise ValueError(f"{form}: the shorter one first")
    return low, high


def name(text: str) -> str:
    """A name for a directory: letters, digits, dots, dashes, underscores."""
    if not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name: use 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front")
    return text


def path(text: str) -> str:
    """A path that names something."""
    if not text or "\0" in text:
        raise ValueError(f"{text!r} is no path: name one, or say none")
    return text


def threshold(text: str) -> tuple[int, float]:
    """`10/5m`: so many lines in so much time, in seconds."""
    number, slash, per = text.partition("/")
    if not slash or not COUNT.fullmatch(number):
        raise ValueError(f"{text!r} is no threshold: write it like 10/5m")
    if int(number) < 2:
        raise ValueError(f"{text!r} lets every line pass: ask for 2 or more")
    seconds = UNITS[per] if per in UNITS else duration(per)
    Threshold(int(number), per=seconds)
    return int(number), seconds


def recipient(text: str) -> str:
    """One address."""
    if "," in text:
        raise ValueError(f"{text!r} is more than one address: say each by itself")
    return text


def network(text: str) -> str:
    """Addresses of senders: `192.0.2.0/24`, `2001:db8::/32`, or one."""
    from ipaddress import ip_network

    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r}: no network, {error}; write 192.0.2.0/24, 2001:db8::/32 or an address") from None
    return text


def listening(text: str) -> str:
    """Where to receive syslog: a URL, or `systemd`. What can be had of it is found out when it is opened."""
    from urllib.parse import urlsplit

    if text == "systemd":
        return text
    try:
        parts = urlsplit(path(text))
        if parts.scheme not in ("udp", "tcp", "tls", "unix"):
            raise ValueError("begin it with udp://, tcp://, tls:// or unix://")
        if parts.scheme != "unix" and not (parts.hostname and (parts.port is None or parts.port >= 0)):
            raise ValueError("name an address; 0.0.0.0 is all of this machine's")
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    return text


def unambiguous(text: object) -> None:
    """Raise ValueError for an expression that other programs read in another way, such as grep's [[:digit:]]."""
    import warnings

    if not isinstance(text, str):
        return

    with warnings.catch_warnings():
        # What Python warns of, it takes for something else than is meant: of [[:digit:]] for one of `[:digt` and a ].
        warnings.simplefilter("error", FutureWarning)
        try:
            re.compile(text)
        except FutureWarning as warning:
            told = str(warning)
            advice = r"write \[ for a bracket itself, and \d for [[:digit:]]"
            raise ValueError(f"{text!r}: {told[:1].lower()}{told[1:]}: {advice}") from None
        except RecursionError:
            raise ValueError(f"{text[:40]!r}...: nests too deep") from None
        except (re.error, OverflowError):
            # The part that takes it says it better.
            return


def expression(text: str) -> str:
    """A regular expression for what stands in a message."""
    unambiguous(text)
    contains(text)
    if re.search(text, ""):
        raise ValueError(f"{text!r} is found in every line: it must match at least one character")
    return text


def program(text: str) -> str:
    """A program's name, or a pattern of such."""
    if not text:
        raise ValueError("'' is no program: name one, such as sshd or postfix/*")
    match(program=text)
    return text


def severity(text: str) -> str:
    """A severity by name."""
    at_least(text)
    return text


def keep(text: str) -> Keep:
    """`200+200`: how many first and last lines of a burst are shown."""
    head, plus, tail = text.partition("+")
    if not (plus and COUNT.fullmatch(head) and COUNT.fullmatch(tail)):
        raise ValueError(f"{text!r} is no pair of counts: write first and last lines like 200+200")
    return Keep(head=int(head), tail=int(tail))


def redact(text: str) -> tuple[str, ...]:
    """Names of built-in redactions, joined by commas; `none` for none."""
    names = tuple(text.split(","))
    if names == ("none",):
        return ()
    if "none" in names:
        raise ValueError(f"{text!r}: none stands alone")
    _try(redact=names)
    return names


def attach(text: str) -> int:
    """The size of a file, or `none`, which is 0."""
    try:
        return 0 if text == "none" else size(text)
    except ValueError as error:
        raise ValueError(f"{error}, or none") from None


def mask(text: str) -> str:
    """A regular expression for a part of a line."""
    unambiguous(text)
    Aggregator(masks=[text])
    if re.search(text, ""):
        raise ValueError(f"mask {text!r} matches where nothing is: it must match at least one character")
    return text


def subject(text: str) -> str:
    """A template of a subject."""
    _try(subject=text)
    return text


def text_template(path: str) -> str:
    """The text of a file that is a template."""
    text = _template(path)
    _try(text=text)
    return text


def html_template(path: str) -> str:
    """The same, for HTML."""
    text = _template(path)
    _try(html=text)
    return text


def _template(path: str) -> str:
    with open(path, "rb") as file:
        data = file.read(TEMPLATE_BYTES + 1)
    if len(data) > TEMPLATE_BYTES:
        raise ValueError(f"{path!r} is too large for a template: at most {TEMPLATE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path!r} is not UTF-8") from None


def _try(**given: Any) -> None:
    """Whether the library takes it, so that the option is named if not."""
    Composer("root", sender="root", host="localhost", **given)


def secret(path: str) -> str:
    """The first line of a file that only its owner may read.

    A bare name is first looked for among systemd's credentials. Those are opened to the service by an access list, and
    then show as readable by a group (systemd.exec(5), LoadCredential=).
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if folder and "/" not in path and os.path.exists(os.path.join(folder, path)):
        path = os.path.join(folder, path)
    credential = bool(folder) and os.path.dirname(os.path.abspath(path)) == os.path.abspath(folder)
    # Checked on the open file, so that it cannot be exchanged in between.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise ValueError(f"{path!r} is a directory: name the file that holds the password")
        if mode & (0o037 if credential else 0o077):
            raise ValueError(f"{path!r} can be read or written by others: run chmod 600 on it")
        line = os.read(descriptor, SECRET_BYTES).split(b"\n")[0].rstrip(b"\r")
    finally:
        os.close(descriptor)
    if not line:
        raise ValueError(f"{path!r} holds no password in its first line")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path!r} holds a password that is not UTF-8") from None


def certificates(path: str) -> str:
    """The path of a file of certificates, tried here: a sink would only find out with the first mail."""
    import ssl

    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path!r} holds no certificates: name a PEM file") from None
    return path
