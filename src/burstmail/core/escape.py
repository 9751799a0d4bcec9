"""str -> str. What may be shown to a person: every character is printable, or an escape that says what it was.

A log line is written by attackers. Control, format (bidirectional overrides, zero widths), private, surrogate and
unassigned characters and the line and paragraph separators never reach a terminal, a header or a mail reader raw.
"""

from __future__ import annotations

from unicodedata import category


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text with every character that is not for reading shown as `\\xNN`, `\\uNNNN` or `\\UNNNNNNNN`.

    A tab stays, and so do the ordinary spaces of other scripts (Unicode category Zs).
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\t" or category(char) == "Zs" else _escaped(char) for char in text
    )


def one_line(text: str, limit: int = 200) -> str:
    """The text for a header value: visible, no tab, cut at `limit` characters with an ellipsis.

    `=?` is broken, for it opens an encoded word (RFC 2047 section 2) that would be decoded into anything at all.
    """
    text = visible(text[: 2 * limit].replace("\t", " ")).replace("=?", "= ?")
    return text if len(text) <= limit else text[: limit - 1] + "…"
