"""Text -> whether it goes on from the line before. How stack traces, and what databases add, look in a log.

An indented or empty line goes on. So does what these programs write at the margin: Java (Caused by), Python (the whole
of a traceback, with the exception after it), Go, Rust, PHP, .NET, gdb, PostgreSQL. Regular expressions of the user's
see no more than LOOK characters. Limits: none; nothing here fails on any text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LOOK = 4096

# At the margin, and yet never the beginning of anything.
_MORE = "|".join([
    "Caused by: |Suppressed: ",
    r"Traceback \(most recent call last\):",
    "During handling of the above exception, |The above exception was the direct cause of ",
    r"goroutine [0-9]{1,20} \[|created by [^ ]+|\[signal ",
    "note: run with |stack backtrace:|Stack trace:|#[0-9]{1,4}[ \t]|--- End of ",
    # PostgreSQL's second and further lines: to syslog with a number, to a file with the stamp and process once more.
    r"\[[0-9]{1,10}-(?:[2-9]|[1-9][0-9]{1,9})\] ",
    r"(?:[0-9-]{10} [0-9:.]{8,15} [A-Z0-9+-]{1,6} \[[0-9]{1,10}\] )?"
    "(?:DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT):  ",
])  # fmt: skip
# An exception by itself: it explains the line before it, if nothing else does.
_THROWN = r"(?:[A-Za-z_$][\w$]{0,80}\.){1,20}[\w$]{0,80}(?:Exception|Error|Throwable)(?::|\Z)"
# After these one more line at the margin goes on, whatever it is; after this, such as look like calls.
_ONE = r"Traceback \(most recent call last\):|thread '[^']{0,80}' (?:\([0-9]{1,20}\) )?panicked at [^ ]{1,200}:\Z"
_CALLS = r"goroutine [0-9]{1,20} \["

# What all of the above have one of, wherever a header ends, if they are not empty or indented.
_WORDS = (
    *("Caused by: ", "Suppressed: ", "Traceback (", "the above exception", "The above exception", "goroutine "),
    *("created by ", "note: run with ", "stack backtrace:", "Stack trace:", " #", "--- End of ", " [", ":  "),
    *("panicked at ", "Exception", "Error", "Throwable"),
)
_EDGES, _ENDS = " \t[#", ": ]-"

# What may go on, as a record remembers it.
CAUSE, ONE, CALLS, NOTHING = "cause", "one", "calls", ""
AWAITING = (ONE, CALLS)


def begun(text: str) -> str:
    """What may go on at the margin after the first line of a record."""
    return _after(text) or (NOTHING if re.match(_THROWN, text) else CAUSE)


def gone_on(text: str, before: str) -> str:
    """What may go on after a further line, when `before` might until now."""
    if after := _after(text):
        return after
    # At the margin the one line that was awaited has come; calls may always be followed by more.
    return before if before == CALLS or (before == ONE and indented(text)) else NOTHING


def _after(text: str) -> str:
    # Three searches in C, instead of expressions for every line.
    if "Traceback (" in text or "panicked at " in text:
        return ONE if re.match(_ONE, text) else NOTHING
    return CALLS if text.startswith("goroutine ") and re.match(_CALLS, text) else NOTHING


def indented(text: str) -> bool:
    """Whether it begins as the lines do that are no line of their own."""
    return text[:1] in (" ", "\t")


def goes_on(text: str, before: str) -> bool:
    """Whether a line does that comes after a record, when `before` may go on at the margin."""
    if before == ONE or not text or indented(text) or re.match(_MORE, text):
        return True
    if before == CAUSE:
        return re.match(_THROWN, text) is not None
    return before == CALLS and text.endswith(")") and "(" in text.partition(" ")[0]


def words_in(text: str) -> list[str]:
    """Which words there are in any of these lines that some lines which go on have: hardly ever more than a few."""
    return [word for word in _WORDS if word in text]


def plain(line: str, words: Sequence[str]) -> bool:
    """Whether this line with its header cannot go on by itself; `words` are those of its read.

    It spares most lines a look at their header, which costs more than all else. Not to know it is no harm.
    """
    # Behind a PRI alone, or at the very beginning.
    start = line.find(">", 0, 6) + 1
    if line[start : start + 1] in _EDGES or line[-1:] in _ENDS or "  " in line[9:] or "\t" in line:
        return False
    return not words or all(word not in line for word in words)


class Rule:
    """Which lines go on: as above, or as `more` says; or, with `begin`, all that it does not find to be the first."""

    def __init__(self, begin: str | None, more: str | None) -> None:
        for name, expression in (("begin", begin), ("more", more)):
            try:
                re.compile(expression or "")
            except re.error as error:
                raise ValueError(f"Join({name}={expression!r}): no regular expression: {error}") from None
        self._begin, self._more = begin, more
        self.usual = begin is None and more is None

    def __call__(self, text: str, before: str) -> bool:
        """Whether the line goes on."""
        if self._begin is not None:
            return not re.search(self._begin, text[:LOOK])
        return goes_on(text, before) or (self._more is not None and re.search(self._more, text[:LOOK]) is not None)
