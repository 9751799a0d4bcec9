"""Line -> line. Numbers that say what happened are no values: exit status 0 is not 1, and a 200 is not a 503.

What stays of them: of a status of HTTP or of mail (RFC 9110 section 15, RFC 3463) its class; of exit statuses, error
numbers and counts of errors whether they are zero. Everything here takes linear time on any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import AnyStr, Generic

# The digits that stay, in place of themselves: U+E100 to U+E109 in text; in bytes NUL and a letter.
KEPT = {0xE100 + digit: str(digit) for digit in range(10)}

_IS = "[\"']?(?: ?[=:] ?| (?:with )?)[\"']?"
_NAMES = "code|status|rc|returned|failed|failures|warnings|err(?:no|ors?)?|exit(?:ed)?"
_BAD = "(?: of [0-9]{0,9} [a-z]{1,20})? (?:errors?|fail(?:ures?|ed|ing)|warnings?)(?![A-Za-z])"
_FORM = (
    r"HTTP/[0-9.]{1,5}+[\"']? (?P<web>[1-5])[0-9]{2}(?![0-9])|dsn=(?P<mail>[245])(?=\.)"
    r"|(?<![0-9A-Za-z.,/_-])(?:(?P<zero>0)|(?P<status>[2-5])[0-9]{2})(?![0-9A-Za-z/_-]|[.:][0-9])"
)
# What stands in front of a number, up to so many characters, or behind it.
_FRONT = 40
_ZERO = rf"(?i:{_NAMES}){_IS}\Z"
_STATUS = r"(?i:(?<!exit[ _])(?<!with )(?:(?<!exit)status(?: code| )|(?:(?<!exit)status|code)[\"']? ?[=:]) ?[\"']?)\Z"


class _Forms(Generic[AnyStr]):
    """The expressions, for text or for bytes."""

    def __init__(self, make: Callable[[str], re.Pattern[AnyStr]], stays: Callable[[int, str], AnyStr]) -> None:
        self.number: re.Pattern[AnyStr] = make(_FORM)
        self.zero: re.Pattern[AnyStr] = make(_ZERO)
        self.status: re.Pattern[AnyStr] = make(_STATUS)
        # "0 errors"; without its digits "sshd:0 failed" would look like "sshd: failed", of which there are many.
        self.bad: re.Pattern[AnyStr] = make(f"(?<!:0){_BAD}")
        self.stays: Callable[[int, str], AnyStr] = stays

    def kept(self, text: AnyStr) -> AnyStr:
        return self.number.sub(self._keep, text)

    def _keep(self, found: re.Match[AnyStr]) -> AnyStr:
        which, text = str(found.lastgroup), found.string
        start = found.start(which)
        front = max(0, start - _FRONT)
        if which == "zero" and not (self.zero.search(text, front, start) or self.bad.match(text, found.end())):
            return found[0]
        if which == "status" and not self.status.search(text, front, start):
            return found[0]
        return text[found.start() : start] + self.stays(int(found[which]), which)


def _in_text(digit: int, which: str) -> str:
    return chr(0xE100 + digit) + ("xx" if which in ("web", "status") else "")


def _in_bytes(digit: int, _: str) -> bytes:
    return b"\0" + bytes([ord("g") + digit])


_TEXT = _Forms(re.compile, _in_text)
_BYTES = _Forms(lambda form: re.compile(form.encode()), _in_bytes)
# A log of a web server has nothing else in most lines, and many of these.
_WEB = re.compile(rb"(HTTP/[0-9.]{1,5}+[\"']? )([1-5])[0-9]{2}(?![0-9])")
# What a line in small letters without its digits has where some may stay; and the same, sooner said.
_SIGNS = tuple(
    re.compile(sign.encode()) for sign in (r"dsn=\.", rf"(?:{_NAMES}){_IS}(?![a-z])", rf"(?:\A|[^a-z.,:/_-]){_BAD}")
)
_HINT = re.compile(b"code|status|rc|returned|fail|warning|err|exit|dsn=")


def kept(text: str) -> str:
    """With what stays in other characters than digits."""
    return _TEXT.kept(text)


def kept_bytes(text: bytes) -> bytes:
    """The same for bytes."""
    return _BYTES.kept(text)


def parted(groups: dict[bytes, list[int]], lines: list[bytes]) -> None:
    """Part groups of lines without their digits, by place, where some digits stay: their keys have a NUL."""
    for key in list(groups):
        other = (_remembered if len(key) <= 256 else _has_sign)(key)
        if other or b"HTTP/" in key:
            keep = kept_bytes if other else _kept_web
            for place in groups.pop(key):
                groups.setdefault(keep(lines[place]).translate(None, b"0123456789"), []).append(place)


def worded(line: bytes, key: bytes) -> bytes:
    """The line as its key has it."""
    return kept_bytes(line) if b"\0" in key else line


def _kept_web(line: bytes) -> bytes:
    return _WEB.sub(lambda found: found[1] + _in_bytes(int(found[2]), "web"), line)


def _has_sign(bare: bytes) -> bool:
    """Whether some of the digits that a line has lost may be such, those of the web aside."""
    plain = bare.lower()
    # Paid on every line of a flood in which no two are alike.
    return _HINT.search(plain) is not None and any(sign.search(plain) for sign in _SIGNS)


_remembered = lru_cache(maxsize=2048)(_has_sign)
