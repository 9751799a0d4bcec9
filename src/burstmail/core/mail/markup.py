"""str -> HTML. The one place where text becomes markup; nothing else writes `<` or `&` that comes from a line.

Text comes here visible (core/escape.py). What mail programs take for a link by themselves is broken with <wbr>, which
neither shows nor is copied: a log line is written by attackers, and nobody is to open what it names by a slip.
"""

from __future__ import annotations

import re

_SPECIAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
# A scheme, a mail address, a name with a dot: what is linked without asking. Numbers like 192.0.2.1 are not.
_LINK = re.compile(r"://|@|\.(?=[^\W\d])")


def escaped(text: str) -> str:
    """The text as HTML where no element can be, <wbr> included: in <title>, in a quoted attribute."""
    return text.translate(_SPECIAL)


def markup(text: str) -> str:
    """The text as HTML in an element."""
    return _LINK.sub(r"\g<0><wbr>", escaped(text))
