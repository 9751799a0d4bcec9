"""Line -> line. Numbers that say what happened are no values: exit status 0 is not 1, and a 200 is not a 503.

What stays of them: of a status of HTTP or of mail (RFC 9110 section 15, RFC 3463) its class; of exit statuses, error
numbers and counts of errors whether they are zero. Everything here takes linear time on any text.
"""

from __future__ import annotations

import re
from functools import lru_cache

# The digits that stay, in place of themselves: U+E100 to U+E109 in text; in bytes NUL and a letter.
KEPT = {0xE100 + digit: str(digit) for digit in range(10)}

_NAMES = "code|status|rc|returned|err(?:no|ors?)?|exit(?:ed)?|fail(?:ures|ed)|warnings"
_IS = "[\"']?(?: ?[=:] ?| (?:with )?)[\"']?"
_BAD = "(?:errors?|fail(?:ures?|ed|ing)|warnings?)(?![A-Za-z])"
_ALONE = "(?![0-9A-Za-z/_-]|[.:][0-9])"
_EXIT = "exit(?:ed)?(?: with)?(?: code| status)?|exit_?(?:code|status)"
_FORM = (
    rf"HTTP/[0-9.]{{1,5}}+[\"']? (?P<web>[1-5])[0-9]{{2}}(?![0-9])|dsn=(?P<mail>[245])(?=\.)"
    rf"|(?i:{_EXIT}){_IS}(?P<exit>[0-9]++){_ALONE}|(?i:code|status){_IS}(?P<code>[2-5])[0-9]{{2}}{_ALONE}"
    rf"|(?i:{_NAMES}){_IS}(?P<name>0){_ALONE}"
    rf"|(?<![0-9A-Za-z.,:/_-])(?P<none>0)(?= (?:of [0-9]{{1,9}} [a-z]{{1,20}} )?{_BAD})"
)
_TEXT, _BYTES = re.compile(_FORM), re.compile(_FORM.encode())
# A log of a web server has nothing else in most lines, and many of these.
_WEB = re.compile(rb"HTTP/[0-9.]{1,5}+[\"']? (?P<web>[1-5])[0-9]{2}(?![0-9])")
# What a line in small letters without its digits has where some may stay.
_SIGNS = tuple(
    re.compile(sign.encode())
    for sign in (
        r"dsn=\.",
        rf"(?:code|status|rc|returned|failed|failures|warnings|err(?:no|ors?)?|exit(?:ed)?){_IS}(?![a-z])",
        rf"(?:\A|[^a-z.,:/_-]) (?:of  [a-z]{{1,20}} )?{_BAD}",
    )
)
# The same, sooner said.
_HINT = re.compile(b"code|status|rc|returned|fail|warning|err|exit|dsn=")


def kept(text: str) -> str:
    """With what stays in other characters than digits."""
    return _TEXT.sub(_in_text, text)


def _in_text(found: re.Match[str]) -> str:
    which = str(found.lastgroup)
    if which == "exit" and found[which] != "0":
        return found[0]
    stays = chr(0xE100 + int(found[which])) + ("xx" if which in ("web", "code") else "")
    return found.string[found.start() : found.start(which)] + stays


def kept_bytes(text: bytes) -> bytes:
    """The same for bytes."""
    return _BYTES.sub(_in_bytes, text)


def _in_bytes(found: re.Match[bytes]) -> bytes:
    which = str(found.lastgroup)
    if which == "exit" and found[which] != b"0":
        return found[0]
    return found.string[found.start() : found.start(which)] + b"\0" + bytes([ord("g") + int(found[which])])


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
    return _WEB.sub(_in_bytes, line)


def _has_sign(bare: bytes) -> bool:
    """Whether some of the digits that a line has lost may be such, those of the web aside."""
    plain = bare.lower()
    # Paid on every line of a flood in which no two are alike.
    return _HINT.search(plain) is not None and any(sign.search(plain) for sign in _SIGNS)


_remembered = lru_cache(maxsize=2048)(_has_sign)
