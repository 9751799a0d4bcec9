"""All 1,114,112 code points through every place of a mail: each is shown, or spelled out; none does anything else."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

from burstmail.core.escape import one_line
from burstmail.core.mail.mailbox import mailbox
from burstmail.core.mail.mime import header
from burstmail.core.mail.subject import Subject, named
from tests.core.payloads import burst, composed
from tests.core.readback import lines, mailboxes, one, read, seen, stays

EVERYTHING = list(map(chr, range(sys.maxunicode + 1)))
SHOWN = list(filter(stays, EVERYTHING))
SPELLED = [char for char in EVERYTHING if not stays(char)]
ADDRESS = "log@web1.example.org"


def blocks(characters: Iterable[str], size: int) -> list[str]:
    text = "".join(characters)
    return [text[at : at + size] for at in range(0, len(text), size)]


def raw(block: str, size: int) -> bytes:
    """The code points in lines of so many. A surrogate is no UTF-8: it comes as bytes that are none."""
    # LF ends a line, and so does CR LF.
    pieces = blocks(block.replace("\n", ""), size)
    return b"".join(piece.encode("utf-8", "surrogatepass") + b"|\n" for piece in pieces)


def test_every_code_point_is_here() -> None:
    assert len(EVERYTHING) == len(SHOWN) + len(SPELLED) == 1_114_112
    assert 130_000 < len(SHOWN) < 160_000


def test_in_a_line_in_both_views() -> None:
    for block in blocks(EVERYTHING, 2048):
        data = raw(block, 64)
        mail = read(composed(burst(data)).data)
        assert mail.lines == [seen(line) for line in lines(data)], hex(ord(block[0]))
        assert mail.page and mail.page.lines == mail.lines, hex(ord(block[0]))


def test_in_what_is_attached() -> None:
    for block in blocks(EVERYTHING, 150_000):
        data = raw(block, 1000)
        mail = read(composed(burst(data), attach=9_000_000).data)
        assert mail.log == "".join(f"  {seen(line)}\n" for line in lines(data)), hex(ord(block[0]))


def test_in_a_subject() -> None:
    plain, template = burst(b"x"), Subject("{key}")
    names = named(plain)
    # What is spelled out is plain ASCII: only characters that stay as they are can be new to a header.
    for block in blocks(SPELLED, 8):
        subject = template.of(replace(plain, key=block), names, None)
        assert subject == one(block, 80) and subject.isascii()
    for block in blocks(SHOWN, 79):
        message = composed(replace(plain, key=f"{block}|"), subject="{key}", html=False, redact=())
        assert read(message.data).headers["Subject"] == one(f"{block}|", 80), hex(ord(block[0]))


def test_in_the_name_of_the_sender() -> None:
    for block in blocks(SPELLED, 6):
        assert one_line(block, 60) == one(block, 60) and one_line(block, 60).isascii()
    for block in blocks(SHOWN, 59):
        line = header("From", mailbox(f"{block}|", ADDRESS))
        assert line.isascii() and line.endswith("\r\n") and mailboxes(line) == [(one(f"{block}|", 60), ADDRESS)]
    message = composed(burst(b"x"), name='\u202e\n=?utf-8?q?=0ABcc:_evil?=, "evil" <evil@example.org>')
    assert read(message.data).headers["From"].endswith(f"<{ADDRESS}>")
