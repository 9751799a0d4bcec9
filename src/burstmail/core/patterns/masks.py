"""Line -> shape. What varies by its form (numbers, addresses, times, ...) becomes a mark; the words stay.

A shape is the message of a line (its syslog header gone but for the program's name) with one private character for each
masked part, and single spaces. Limits: 4,096 characters of a line are looked at, 1,000 by a user's masks. Every pattern
here takes linear time on any text: each repetition is possessive or bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..fields import parse
from ..kinds import several
from .contrast import saying, says_what, stated
from .meaning import KEPT, kept

DIGITS = b"0123456789"

# Enough for any message a person reads.
SEEN = 4096
# What a user's expression takes may grow with the square of a text, and worse.
OWN = 1000

# A message is no text if more than one part in so many of it is escaped bytes, and one in so many control characters:
# text in other encodings than UTF-8 has none of these. And if it is longer than this.
_ESCAPES, _CONTROLS, _SHORT = 3, 50, 40
_CONTROL = bytes({*range(32)} - {9})

# One private character per kind (Unicode's private use area): a word that holds one is known to vary.
KINDS = ("n", "hex", "id", "dev", "ip", "mac", "uuid", "time", "url", "unit", "mail", "host", "quoted", "*", "masked")
MARKS = tuple(map(chr, range(0xE000, 0xE000 + len(KINDS))))
NUMBER, HEX, ID, DEV, IP, MAC, UUID, TIME, URL, UNIT, MAIL, HOST, QUOTED, VALUE, MASKED = MARKS
# Stands for a blank in what is one: 12 ms, Windows Update.
JOINT = "\ue0ff"
_SHOWN = KEPT | {ord(JOINT): " "} | {ord(mark): f"<{kind}>" for mark, kind in zip(MARKS, KINDS, strict=True)}

_B, _E = "(?<![0-9A-Za-z])", "(?![0-9A-Za-z])"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = "[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?+"
_ZONE = "(?: ?(?:Z|UTC|GMT|[A-Z]{1,2}[SD]T|[+-][0-9]{2}:?[0-9]{2})(?![0-9A-Za-z]))"
_DAY = "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = f"(?<![A-Za-z]-)(?:[0-9]{{4}}([-/.])(?:0?[1-9]|1[0-2])\\1{_DAY}|{_DAY}/{_DAY}/(?:[0-9]{{4}}|[0-9]{{2}}))"
_UNIT = "(?:[kKMGTP]i?[bB]|[munμ]?s|secs?|B|[kKMG]Hz)(?![0-9A-Za-z])"
_VALUE = "(?<![0-9A-Za-z.])[-+]?[0-9]++(?:[.,][0-9]++)*+"
# A time that is too short to tell: <1 sec.
_LESS = r"(?:(?<=\s)<(?=[0-9]{1,20}+ ?(?:secs?|[mun]?s)(?![0-9A-Za-z])))?+"
_GROUPS = "[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6}+"
_LABEL = r"[0-9A-Za-z_][\w-]{0,62}+"
# Digits and letters in turns, as in no word: deadbeef1, 4bXk12zQ, A1B2C3D4E5. The shortest of a mark has eight.
_MIXED = (
    rf"{_B}(?:(?=[0-9]*+[A-Fa-f])(?=[A-Fa-f]*+[0-9])[0-9A-Fa-f]{{4,}}+"
    rf"|(?=[0-9A-Za-z]{{8}})(?:[A-Za-z]++[0-9]++[A-Za-z]++[0-9]|[0-9]++[A-Za-z]++[0-9]++[A-Za-z])[0-9A-Za-z]*+){_E}"
)

# (mark, what a text must hold to be worth the search, pattern). The longer form first, or its parts would be numbers.
_FORMS = (
    (URL, "://", r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}+://[^\s\"'<>()\[\]{},;]{1,2000}+"),
    # systemd.unit(5): nginx.service, getty@tty1.service, user-1000.slice.
    (
        UNIT,
        ".",
        r"(?<![\w@\\.-])[0-9A-Za-z_][\w@\\.-]{0,255}?\."
        rf"(?:service|socket|timer|mount|automount|scope|slice|target|device|swap){_E}",
    ),
    (MAIL, "@", rf"{_B}[A-Za-z0-9._%+=-]{{1,64}}+@[A-Za-z0-9-]{{1,63}}+(?:\.[A-Za-z0-9-]{{1,63}}+)++"),
    (UUID, "-", rf"{_B}[0-9A-Fa-f]{{8}}-(?:[0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}}{_E}"),
    (
        TIME,
        ":",
        rf"{_B}(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?"
        rf"(?:{_MONTH} [ 0-9]?[0-9]|[0-9]{{1,2}}[ /-]{_MONTH}[ /-][0-9]{{4}})"
        rf",?[ :](?:[0-9]{{4}} )?{_CLOCK}{_ZONE}?(?: [0-9]{{4}}{_E})?",
    ),
    (TIME, ":", rf"{_B}{_DATE}[T ]{_CLOCK}{_ZONE}?{_E}"),
    (TIME, "", rf"{_B}{_DATE}{_E}(?![-/.][0-9])"),
    (MAC, ":", rf"{_B}[0-9A-Fa-f]{{2}}(?::[0-9A-Fa-f]{{2}}){{5,31}}+(?![0-9A-Za-z:])"),
    (MAC, "-", rf"{_B}[0-9A-Fa-f]{{2}}(?:-[0-9A-Fa-f]{{2}}){{5}}(?![0-9A-Za-z-])"),
    (TIME, ":", rf"{_B}(?<!:){_CLOCK}(?![0-9A-Za-z]|:[0-9A-Fa-f])"),
    (IP, ".", rf"{_B}(?<![0-9]\.)[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?![0-9A-Za-z]|[.-][0-9A-Za-z])"),
    (IP, "::", rf"(?<![0-9A-Za-z:])(?:{_GROUPS})?+::(?:{_GROUPS})?+(?![0-9A-Za-z:])(?:%[0-9a-z]{{1,15}}+)?+"),
    (IP, ":", r"(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![0-9A-Za-z:])"),
    # What was asked for, with a query: /search?q=x&page=2.
    (VALUE, "?", r"(?<![^\s\"'=(\[])/[^\s\"'<>?]{0,1000}+\?[^\s\"'<>]{0,1000}+"),
    (VALUE, ":\\", r"(?<![0-9A-Za-z])[A-Za-z]:\\[^\s\"'<>|,;()\[\]]{0,1000}+"),
    (HEX, "0x", "0x[0-9A-Fa-f]++"),
    # The name of an address: mail.example.org[192.0.2.1], host/192.0.2.1.
    (VALUE, IP, rf"{_B}[0-9A-Za-z_.-]{{1,255}}+(?=[\[/]{IP})"),
    # A name with a domain that is one: what is between the dots says nothing (login.example.com, update.example.org).
    (
        HOST,
        ".",
        rf"(?<![\w.@-])(?:(?:{_LABEL}\.){{1,9}}(?:com|org|net|edu|gov|mil|info|local|lan|internal|arpa)"
        rf"|(?:{_LABEL}\.){{2,9}}[a-z]{{2}})(?![\w-]|\.\w)",
    ),
    # A digest in base64; a word of that length has not all three.
    (
        ID,
        "",
        r"(?<![0-9A-Za-z+/_=-])(?=[A-Za-z+/_-]++[0-9]|[0-9])(?=[0-9a-z+/_-]*+[A-Z])(?=[0-9A-Z+/_-]*+[a-z])"
        r"[0-9A-Za-z][0-9A-Za-z+/_-]{31,}+=*+",
    ),
    (ID, "", _MIXED.replace("{4,}", "{8,}")),
    # Where a device is plugged in: 0000:00:1f.6.
    (DEV, ":", rf"{_B}(?:[0-9a-f]{{4}}:)?+[0-9a-f]{{2}}:[0-9a-f]{{2}}\.[0-7]{_E}"),
    # Linux names disks by letters: sda, vdb1, xvdc.
    (DEV, "d", rf"{_B}(?:[shv]|xv)d[a-z](?![A-Za-z])"),
    # Serial0/0/0:15.
    (NUMBER, ":", r"(?<![0-9./])[0-9]{1,4}(?:/[0-9]{1,4}){1,4}+:[0-9]{1,5}+(?![0-9A-Za-z.:/])"),
    # A sign is one where no word ends before it: -7, blk_-7, but not node-7.
    (f"{NUMBER}{JOINT}", " ", rf"{_LESS}{_VALUE} (?={_UNIT})"),
    (NUMBER, "", rf"{_LESS}{_VALUE}|[0-9]++"),
    # A field without a value: "rhost= user=".
    (VALUE, "=", r"(?<=[0-9A-Za-z_]=)(?=[\s,;)\]}]|\Z)"),
    # A field that is empty here, and a name in the next line.
    (VALUE, "()", r"(?<=\s\()(?=\))"),
    (VALUE, "[]", r"(?<=\s\[)(?=\])"),
)
_FOUND = tuple((mark, sign, re.compile(pattern)) for mark, sign, pattern in _FORMS)
_QUOTED = re.compile(r"\"((?:[^\"\\\n]|\\.){1,256}+)\"|(?<!\w)'([^'\n]{1,256}+)'(?!\w)")
# Whose value it is that is quoted.
_KEY = re.compile(r"([A-Za-z_]\w{0,30}+)[\"']?+ ?+[=:] ?+\Z")
# What is said, and no name: four words in a row.
_SENTENCE = re.compile(r"(?<![A-Za-z'])(?:[A-Za-z][a-z']++ ){3}[a-z]{2}")
# The kernel's own clock, in front of what it says: "[ 5048.512301] usb 1-2: ...".
_UPTIME = re.compile(r"\A\[ {0,8}+[0-9]{1,9}+\.[0-9]{1,9}+\] ")
# What ends with digits, and the rest of the word that they are in.
_AFTER_DIGITS = re.compile(rb"\A(?s:.)*[0-9][0-9A-Za-z_]*+")


# Shorter ones too: the groups of a UUID.
_RAW = re.compile(f"{_MIXED}|0[xX][0-9A-Fa-f]++".encode())


def bare(line: bytes) -> bytes:
    """The line without digits, nor identifiers of digits and letters, which would make each line another."""
    return _RAW.sub(b"", line).translate(None, DIGITS)


class Masker:
    """Makes shapes. A user's masks are regular expressions; what they match is shown as `<masked>`."""

    __slots__ = ("_own", "masks")

    def __init__(self, masks: Iterable[str] = ()) -> None:
        """Raises ValueError for what is no regular expression."""
        self.masks = several("masks", masks)
        self._own = []
        for mask in self.masks:
            try:
                self._own.append(re.compile(mask))
            except (re.error, TypeError) as error:
                raise ValueError(f"mask {mask!r}: {error}") from None

    def shape(self, line: str) -> str:
        """The program's name, a newline if there is one, and the message without what varies by its form."""
        fields = parse(line[:SEEN])
        text = _binary(fields.message) or self._formless(_UPTIME.sub("", fields.message))
        return f"{fields.program}\n{text}" if fields.program else text

    def _formless(self, text: str) -> str:
        for own in self._own:
            text = own.sub(_masked, text[:OWN]) + text[OWN:]
        text = kept(text)
        if '"' in text or "'" in text:
            text = _QUOTED.sub(_quoted, text)
        for mark, sign, form in _FOUND:
            if sign in text:
                text = form.sub(mark, text)
        return " ".join(text.split())


def shown(shape: str) -> str:
    """The shape as a person may read it: `Failed password for <*> from <ip> port <n>`."""
    return shape.translate(_SHOWN)


def before_address(line: str, shape: str) -> bytes:
    """The bytes that the first address in the line's message stands behind, there only; b'' if there are none."""
    if IP not in shape:
        return b""
    line = line[:SEEN]
    message = parse(line).message
    # The form of IPv4, and then the two of IPv6, as in _FOUND.
    for mark, _, form in _FOUND:
        found = form.search(message) if mark == IP else None
        if found:
            head = line[: len(line) - len(message) + found.start()].encode("utf-8", "replace")
            # Digits differ from line to line.
            before = _AFTER_DIGITS.sub(b"", head[-16:])
            return before if before and head.find(before) == len(head) - len(before) else b""
    return b""


def _binary(text: str) -> str:
    """The shape of what is no text, '' for what is: it has no forms, and to look for them takes as long as ever."""
    # An escape has four characters, and stands for a byte that is part of no character.
    if not text.count("\\x") * 4 * _ESCAPES > len(text) > _SHORT:
        return ""
    # Of bytes, since for text it takes as long as all else together; and no other character has one of these in it.
    data = text.encode("utf-8", "surrogatepass")
    controls = len(data) - len(data.translate(None, _CONTROL))
    return f"binary {VALUE}" if controls * _CONTROLS > len(text) else ""


def _masked(found: re.Match[str]) -> str:
    # An expression that matches nothing masks nothing.
    return MASKED if found[0] else ""


def _quoted(found: re.Match[str]) -> str:
    """What is quoted is a name or a value, unless it tells what happened: "down", "connection refused"."""
    text = found[1] or found[2]
    before = _KEY.search(found.string, max(0, found.start() - 40), found.start())
    if before:
        told = says_what(before[1]) or (" " not in text and stated(text))
    elif found.string[found.end() : found.end() + 1] == ":" and found.string[found.start() - 1] in "{,":
        # The name of a member of a JSON object.
        told = True
    else:
        told = saying(text) or _SENTENCE.search(text) is not None
    return found[0] if told else found[0][0] + QUOTED + found[0][0]
