"""A mail read back by the standard library and nothing of ours: what its reader sees, and what a server sees.

`read(data)` fails unless the bytes are clean on the wire and the parser finds nothing odd in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message as Part
from email.utils import getaddresses
from itertools import chain
from unicodedata import category
from zlib import MAX_WBITS, decompress

from tests.core.readpage import Page, page

# The headers that are meant to be there, in their order; those of threads are there or not, together.
NAMES = ["From", "To", "Subject", "Date", "Message-ID"]
THREAD = ["References", "In-Reply-To"]
MARKS = ["Auto-Submitted", "X-Auto-Response-Suppress", "X-Burstmail", "MIME-Version", "Content-Type"]
ENCODING = "Content-Transfer-Encoding"
TYPES = {
    "text/plain": ["Content-Type", ENCODING],
    "text/html": ["Content-Type", ENCODING],
    "multipart/alternative": ["Content-Type"],
    "application/gzip": ["Content-Type", ENCODING, "Content-Disposition"],
}
# The whole mail without what is attached (a third of which providers clip at).
LARGEST = 100_000

# Whatever one server or another has taken for the end of a mail (SMTP smuggling), the NUL forms included.
END = re.compile(rb"[\r\n]\x00?\.\x00?[\r\n]")

# Unicode's Default_Ignorable_Code_Point that are neither controls nor formats nor unassigned, and blanks that are no
# spaces: nothing is drawn for them, though they count as letters, marks or symbols.
_BLANKS = [(0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164)]
_BLANKS += [(0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0x13441, 0x13442), (0x16FE4, 0x16FE4), (0x1D159, 0x1D159)]
_BLANKS += [(0xE0100, 0xE01EF)]
INVISIBLE = frozenset(map(chr, chain.from_iterable(range(first, last + 1) for first, last in _BLANKS)))
# Marks one above the other, more than which are seen on no letter of any language.
PILE = 4


def stays(char: str) -> bool:
    """Whether a reader may see the character itself."""
    return char == "\t" or (category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and char not in INVISIBLE)


def seen(text: str) -> str:
    """What a reader sees of text from outside: a second, slow opinion on `burstmail.core.escape.visible`."""
    shown, marks = [], 0
    for char in text:
        marks = marks + 1 if stays(char) and category(char) in ("Mn", "Me") else 0
        shown.append(char if stays(char) and marks <= PILE else spelled(ord(char)))
    return "".join(shown)


SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def shown(line: str) -> str:
    """A log line as the mail has it: a priority (RFC 3164 section 4.1.1) in words."""
    digits, end, rest = line.removeprefix("<").partition(">")
    if line.startswith("<") and end and digits in map(str, range(192)):
        return f"{SEVERITIES[int(digits) % 8]:7} {seen(rest)}"
    return seen(line)


def one(text: str, limit: int) -> str:
    """A name in a header or in one of our sentences: a second opinion on `burstmail.core.escape.one_line`."""
    text = seen(text.replace("\t", " ")).replace("=?", "= ?")
    return (text if len(text) <= limit else text[: limit - 1] + "…").strip()


def spelled(code: int) -> str:
    """The escape of a code point."""
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def lines(raw: bytes) -> list[str]:
    """The lines in bytes from a logger, as one who has never seen our Framer would read them."""
    pieces = raw.removesuffix(b"\n").split(b"\n") if raw else []
    return [piece.removesuffix(b"\r").decode("utf-8", "backslashreplace") for piece in pieces]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A mail as its reader has it."""

    headers: dict[str, str]
    """Unfolded and decoded, in their order."""
    text: str
    """The text view."""
    page: Page | None = None
    """The HTML view."""
    log: str = ""
    """What is attached, unpacked."""
    types: list[str] = field(default_factory=list)
    """The content types, outer first."""

    @property
    def subject(self) -> str:
        return self.headers["Subject"]

    @property
    def sections(self) -> list[list[str]]:
        """The text, split at empty lines, without the signature. A log line is never one: it is indented."""
        return [part.split("\n") for part in self.text[: self.text.rindex("\n\n-- \n")].split("\n\n")]

    @property
    def lines(self) -> list[str]:
        """The log lines in the text."""
        return [line[2:] for line in self.sections[-1] if line.startswith("  ")]

    @property
    def counts(self) -> dict[str, int]:
        """What the header for machines says: lines, shown, left-out, bursts."""
        pairs = (pair.split("=") for pair in self.headers["X-Burstmail"].split("; "))
        return {name: int(number) for name, number in pairs}


def read(data: bytes, *, largest: int = LARGEST) -> Read:
    """The mail in the bytes; AssertionError with what is wrong of them."""
    clean(data)
    mail = message_from_bytes(data)
    headers = dict(map(_header, _headers(data)))
    assert len(headers) == len(_headers(data))
    multi = mail.is_multipart()
    threads = THREAD if "References" in headers else []
    assert list(headers) == mail.keys() == [*NAMES, *threads, *MARKS] + [ENCODING] * (not multi), list(headers)
    for name, value in mail.items():
        _agree(name, value, headers[name])
    leaves = list(_leaves(mail, outer=True))
    found = {part.get_content_type(): _content(part) for part in leaves}
    packed = found.pop("application/gzip", b"")
    attached = sum(len(str(part.get_payload())) for part in leaves if part.get_content_type() == "application/gzip")
    assert len(data) - attached < largest, len(data) - attached
    views = {name: content.decode("utf-8").replace("\r\n", "\n") for name, content in found.items()}
    assert "\r" not in "".join(views.values())
    return Read(
        headers=headers,
        text=views["text/plain"],
        page=page(views["text/html"]) if "text/html" in views else None,
        log=decompress(packed, 16 + MAX_WBITS).decode("utf-8") if packed else "",
        types=[part.get_content_type() for part in mail.walk()],
    )


def clean(data: bytes) -> None:
    """What any server and any mailbox may do to these bytes is nothing."""
    assert data.isascii() and b"\x00" not in data
    assert data.endswith(b"\r\n") and not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert not END.search(b"\r\n" + data)
    rows = data.split(b"\r\n")
    # mbox writers put > in front of it.
    assert not [row for row in rows if row.startswith(b"From ")]
    # RFC 5322 section 2.1.1; a word that is longer cannot be folded, but must stay below the hard limit.
    long = [row for row in rows if len(row) > 78]
    assert all(re.fullmatch(rb"([!-9;-~]+:)? +[!-~]+", row) and len(row) <= 998 for row in long), long
    # A server that strips trailing white space changes nothing.
    assert not [row for row in rows if row.endswith((b" ", b"\t"))]
    # RFC 2047 section 2.
    assert not [row for row in rows if re.search(rb"=\?[^ ]+\?[bBqQ]\?", row) and len(row) > 76]


def _headers(data: bytes) -> list[str]:
    return data.split(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", "\n ").split("\r\n")


def _header(line: str) -> tuple[str, str]:
    """Unfolded (RFC 5322 section 2.2.3) and decoded by the old parser, which changes no white space as the new does."""
    name, _, value = line.partition(":")
    assert re.fullmatch("[A-Za-z-]+", name), line
    return name, _decoded(value.replace("\n", "").removeprefix(" "))


def _decoded(value: str) -> str:
    pieces = decode_header(value)
    return "".join(piece if isinstance(piece, str) else piece.decode(charset or "ascii") for piece, charset in pieces)


def _agree(name: str, value: str, decoded: str) -> None:
    """The new parser, which knows what each header should look like, finds nothing wrong and reads the same."""
    header = policy.default.header_fetch_parse(name, value)
    # A local user is an address to every server, but not to this parser.
    assert not header.defects or "@" not in value.rpartition("<")[2], (name, value, header.defects)
    assert name != "Subject" or str(header).split() == decoded.split()


def mailboxes(line: str) -> list[tuple[str, str]]:
    """The names and addresses in a header line: taken apart first, and decoded then (RFC 2047 section 6.2)."""
    found = getaddresses([line.partition(":")[2].replace("\r\n", "")])
    return [(_decoded(name), address) for name, address in found]


def _leaves(part: Part, *, outer: bool = False) -> Iterator[Part]:
    kind = part.get_content_type()
    assert not part.defects, part.defects
    if not outer:
        assert part.keys() == TYPES[kind], (kind, part.keys())
    if not part.is_multipart():
        assert part[ENCODING] in ("quoted-printable", "base64") and max(map(len, _rows(part))) <= 76
        yield part
        return
    # RFC 2045 section 6.7: what no encoding of ours can contain.
    assert "=_" in str(part.get_boundary())
    assert not (part.preamble or part.epilogue)
    children = part.get_payload()
    assert isinstance(children, list)
    assert [child.get_content_type() for child in children] == {
        "multipart/alternative": ["text/plain", "text/html"],
        "multipart/mixed": [children[0].get_content_type(), "application/gzip"],
    }[kind]
    for child in children:
        yield from _leaves(child)


def _rows(part: Part) -> list[str]:
    return str(part.get_payload()).split("\r\n")


def _content(part: Part) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content
