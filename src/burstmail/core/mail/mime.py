"""Headers and parts -> the bytes of a mail. ASCII and CRLF only, lines short (RFC 5322 section 2.1.1).

Written here and not left to the standard library, whose header folding has let a log line become a header of its own
(CVE-2024-6923, Python 3.11.7 and 3.12.1) and raised IndexError on others (3.13.0): a mail that cannot be composed
blocks everything behind it. It also gives the same bytes on every Python.
Limits: header lines of 78 characters, longer only where a single word is; body lines of 76.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

WIDTH = 78
# A line with an encoded word in it (RFC 2047 section 2).
NARROW = 76
# Bytes in one encoded word: they make 52 base64 characters, with `=?utf-8?b?` and `?=` 64, behind `Subject: ` 73.
WORD = 39
# Behind the 32 hexadecimal digits of every Message-ID, so that the lines in which a mail server logs our mail can be
# found in what we read.
MARK = ".burstmail@"
# Bytes in one line of base64: 76 characters (RFC 2045 section 6.8).
ROW = 57

_WORDS = re.compile(r" *[^ ]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What a mail store of the kind of mbox would write a `>` in front of.
_FROM = re.compile(rb"^From ", re.MULTILINE)
_BLANK = re.compile(rb"^(.{74,75})(=20|=09)$", re.MULTILINE)

Headers: TypeAlias = "Iterable[tuple[str, str]]"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mail: the headers of its content, and its body, ASCII with CRLF at the end of each line."""

    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def bytes(self, headers: Headers = ()) -> bytes:
        """The part with its headers behind those given.

        Raises ValueError if a name or value has a control character: values are made visible before they come here.
        """
        head = "".join(header(name, value) for name, value in [*headers, *self.headers])
        return head.encode("ascii") + b"\r\n" + self.body


def rendered(headers: Headers, content: str | Part) -> bytes:
    """The whole mail: the headers, those of the encoding, and the content, by itself a plain text."""
    part = text_part(content) if isinstance(content, str) else content
    return part.bytes([*headers, ("MIME-Version", "1.0")])


def text_part(text: str, kind: str = "plain") -> Part:
    """Text as UTF-8, each line ended by a newline."""
    encoding, body = encoded(text)
    return Part(
        (("Content-Type", f'text/{kind}; charset="utf-8"'), ("Content-Transfer-Encoding", encoding)),
        body,
    )


def file_part(data: bytes, kind: str, name: str) -> Part:
    """Bytes to be saved under a name (RFC 2183)."""
    headers = (
        ("Content-Type", f'{kind}; name="{name}"'),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f'attachment; filename="{name}"'),
    )
    return Part(headers, _based(data))


def multipart(kind: str, boundary: str, parts: Iterable[Part]) -> Part:
    """Several parts as one (RFC 2046 section 5.1): 'alternative', the best last, or 'mixed'.

    The boundary must have `=_` in it, which stands in neither encoding (RFC 2045 section 6.7): no text can hold it.
    """
    mark = f"--{boundary}".encode("ascii")
    body = b"".join(mark + b"\r\n" + part.bytes() + b"\r\n" for part in parts)
    return Part((("Content-Type", f'multipart/{kind}; boundary="{boundary}"'),), body + mark + b"--\r\n")


def header(name: str, value: str) -> str:
    """One header, folded, with its CRLF. ASCII stands as it is: `one_line` has broken every `=?` of a log line."""
    if _CONTROL.search(name + value):
        raise ValueError(f"header {name!r}: its value must be one line of visible characters, not {value!r}")
    lines = [f"{name}:"]
    words = " " + value if value.isascii() else "".join(encoded_words(value))
    width = NARROW if "=?" in words else WIDTH
    for word in _WORDS.findall(words):
        if len(lines[-1]) + len(word) > width and lines != [f"{name}:"]:
            lines.append("")
        lines[-1] += word
    return "\r\n".join(lines) + "\r\n"


def encoded_words(value: str) -> Iterator[str]:
    """` =?utf-8?b?...?=` pieces, cut between characters: each must be decodable alone (RFC 2047 section 5)."""
    piece = b""
    for character in value:
        more = character.encode()
        if len(piece) + len(more) > WORD:
            yield _encoded_word(piece)
            piece = b""
        piece += more
    yield _encoded_word(piece)


def _encoded_word(piece: bytes) -> str:
    return f" =?utf-8?b?{b2a_base64(piece, newline=False).decode()}?="


def encoded(text: str) -> tuple[str, bytes]:
    """The shorter of quoted-printable and base64, and its name. Lines of the text end with a newline."""
    body = quoted(text.encode())
    raw = text.replace("\n", "\r\n").encode()
    # Measured before it is made: nearly always quoted-printable, which a person can read as it is, is shorter.
    if len(body) <= -(-len(raw) // ROW) * 2 + -(-len(raw) // 3) * 4:
        return "quoted-printable", body
    return "base64", _based(raw)


def quoted(text: bytes) -> bytes:
    """Quoted-printable (RFC 2045 section 6.7), line by line: the parts of a text make as many bytes as the whole."""
    # The rest of the line goes to the next one, which has room for what the escape takes more; and so does the blank at
    # an end, with which b2a_qp makes lines of 78.
    rows = _BLANK.sub(rb"\1=\n\2", b2a_qp(text, istext=True))
    return _FROM.sub(b"=46rom=\n ", rows).replace(b"\n", b"\r\n")


def _based(raw: bytes) -> bytes:
    rows = (b2a_base64(raw[at : at + ROW], newline=False) for at in range(0, len(raw), ROW))
    return b"".join(row + b"\r\n" for row in rows)
