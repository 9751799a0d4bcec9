"""str -> str. What may be shown to a person: every character is printable, or an escape that says what it was.

A log line is written by attackers. Control, format (bidirectional overrides, zero widths), private, surrogate and
unassigned characters and the line and paragraph separators never reach a terminal, a header or a mail reader raw; nor
do letters and marks that show nothing (Unicode's Default_Ignorable_Code_Point, blanks that are no spaces), in which
text can be hidden, nor more than 4 marks on one letter (Unicode TR 39 section 5.4), which cover the lines around them.
"""

from __future__ import annotations

import re
from unicodedata import category

MARKS = 4

# Printable by their category, and yet nothing is to be seen. Variation selectors too, behind an emoji or not: there are
# 256 of them, which is one for each byte of a hidden text.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
# Neither letter nor digit nor space, and no character of Latin scripts: what may be a pile of marks.
_PILE = re.compile(r"[^\w\s\x00-\u02ff]{5,}+")


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text with every character that is not for reading shown as `\\xNN`, `\\uNNNN` or `\\UNNNNNNNN`.

    A tab stays, and so do the ordinary spaces of other scripts (Unicode category Zs).
    """
    if not text.isprintable():
        text = "".join(
            char if char.isprintable() or char == "\t" or category(char) == "Zs" else _escaped(char) for char in text
        )
    if text.isascii():
        return text
    return _PILE.sub(_piled, _BLANK.sub(lambda found: _escaped(found[0]), text))


def _piled(found: re.Match[str]) -> str:
    shown, marks = [], 0
    for char in found[0]:
        marks = marks + 1 if category(char) in ("Mn", "Me") else 0
        shown.append(_escaped(char) if marks > MARKS else char)
    return "".join(shown)


def one_line(text: str, limit: int = 200) -> str:
    """The text for a header value: visible, no tab, cut at `limit` characters with an ellipsis.

    `=?` is broken, for it opens an encoded word (RFC 2047 section 2) that would be decoded into anything at all.
    """
    text = visible(text[: 2 * limit].replace("\t", " ")).replace("=?", "= ?")
    return text if len(text) <= limit else text[: limit - 1] + "…"
