"""Message -> whether it passes: contains, the filter on what stands behind a header.

Limits: an expression sees the first 4,096 characters of a message (lines.MESSAGE), and no more.
"""

from __future__ import annotations

import re

from .admit import Filter, Judge
from .fields import Fields
from .lines import MESSAGE, Lines, Selection, marked
from .literals import literals


class _Expression(Judge):
    def __init__(self, pattern: re.Pattern[str]) -> None:
        known = literals(pattern)
        self._search = pattern.search
        self._needed = known.needed
        self._lowered = bool(pattern.flags & re.IGNORECASE)
        self._exact = known.exact
        # Many lines can be left out at a glance, if there is something to look for.
        self.cost = 3 if self._needed is None else 1

    def judge(self, fields: Fields) -> bool:
        return self._search(fields.message[:MESSAGE]) is not None

    def possible(self, view: Lines) -> bool:
        return self._needed is None or view.may_have(self._needed, self._lowered)

    def among(self, view: Lines, asked: Selection) -> Selection:
        if not self.possible(view):
            return 0
        # The messages, when they are there, tell at once what the lines would tell only nearly.
        if self._needed is not None and not view.few(asked) and not (view.read and self._exact):
            asked = view.having(self._needed, asked, self._lowered)
        if view.few(asked):
            return super().among(view, asked)
        messages = view.columns["message"]
        if self._exact and self._needed is not None:
            found = 0
            for word in self._needed:
                found |= marked(word, messages)
            return asked & found
        return view.those(asked, lambda number: self._search(messages[number]) is not None)


def contains(*expressions: str, ignore_case: bool = False) -> Filter:
    """Lines in whose message one of the regular expressions is found; a line without a header is all message.

    The message is what stands behind the header, and its first 4,096 characters are searched. Raises ValueError for
    an expression that is none, and for none at all.
    """
    if not expressions:
        raise ValueError("contains: name at least one regular expression")
    first, *rest = (_Expression(_compiled(expression, ignore_case)) for expression in expressions)
    found: Filter = first
    for part in rest:
        found |= part
    return found


def _compiled(expression: str, ignore_case: bool) -> re.Pattern[str]:
    if not isinstance(expression, str):
        raise TypeError(f"contains: {expression!r} is no string")
    try:
        return re.compile(expression, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise ValueError(f"contains {expression!r}: {error.msg}{where}") from error
    except (OverflowError, RecursionError) as error:
        raise ValueError(f"contains {expression!r}: {error}") from error
