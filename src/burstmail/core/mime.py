"""Headers and text -> the bytes of a mail. ASCII and CRLF only, lines short (RFC 5322 section 2.1.1).

Written here and not left to the standard library, whose header folding has let a log line become a header of its own
(CVE-2024-6923, Python 3.11.7 and 3.12.1) and raised IndexError on others (3.13.0): a mail that cannot be composed
blocks everything behind it. It also gives the same bytes on every Python.
Limits: header lines of 78 characters, longer only where a single word is; body lines of 76.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable, Iterator

WIDTH = 78
# Bytes in one encoded word: they make 52 base64 characters, with `=?utf-8?b?` and `?=` 64, behind `Subject: ` 73 of the
# 76 to which RFC 2047 section 2 limits such a line.
WORD = 39
# Behind the 32 hexadecimal digits of every Message-ID, so that the lines in which a mail server logs our mail can be
# found in what we read.
MARK = ".burstmail@"
# Bytes in one line of base64: 76 characters (RFC 2045 section 6.8).
ROW = 57

_WORDS = re.compile(r" *[^ ]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def rendered(headers: Iterable[tuple[str, str]], text: str) -> bytes:
    """The whole mail: the headers, those of the encoding, and the text as UTF-8.

    Raises ValueError if a name or value has a control character: values are made visible before they come here.
    """
    encoding, body = encoded(text)
    content = [
        ("MIME-Version", "1.0"),
        ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Content-Transfer-Encoding", encoding),
    ]
    head = "".join(header(name, value) for name, value in [*headers, *content])
    return head.encode("ascii") + b"\r\n" + body


def header(name: str, value: str) -> str:
    """One header, folded, with its CRLF. ASCII stands as it is: `one_line` has broken every `=?` of a log line."""
    if _CONTROL.search(name + value):
        raise ValueError(f"header {name!r}: its value must be one line of visible characters, not {value!r}")
    lines = [f"{name}:"]
    for word in _WORDS.findall(" " + value if value.isascii() else "".join(_encoded_words(value))):
        if len(lines[-1]) + len(word) > WIDTH and not lines[-1].endswith(":"):
            lines.append("")
        lines[-1] += word
    return "\r\n".join(lines) + "\r\n"


def _encoded_words(value: str) -> Iterator[str]:
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
    quoted = b2a_qp(text.encode(), istext=True).replace(b"\n", b"\r\n")
    raw = text.replace("\n", "\r\n").encode()
    # Measured before it is made: nearly always quoted-printable, which a person can read as it is, is shorter.
    if len(quoted) <= -(-len(raw) // ROW) * 2 + -(-len(raw) // 3) * 4:
        return "quoted-printable", quoted
    rows = (b2a_base64(raw[at : at + ROW], newline=False) for at in range(0, len(raw), ROW))
    return "base64", b"".join(row + b"\r\n" for row in rows)
