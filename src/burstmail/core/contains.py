"""Message -> whether it passes: contains, the filter on what stands behind a header.

Limits: an expression sees the first 4,096 characters of a message (columns.MESSAGE), and no more.
"""

from __future__ import annotations

import re

from .admit import Filter, Judge
from .columns import MESSAGE
from .fields import Fields
from .lines import Lines, Selection
from .literals import literals


class _Expression(Judge):
    columns = frozenset(["message"])

    def __init__(self, pattern: re.Pattern[str]) -> None:
        known = literals(pattern)
        self._search = pattern.search
        # What is found first in a text that has it; of several with one beginning, that is enough for a glance.
        self._needed = known.needed and _shortened(known.needed)
        self._exact = tuple(sorted(known.needed or ())) if known.exact else ()
        self._lowered = bool(pattern.flags & re.IGNORECASE)
        self.cost = 3 if self._exact else 4

    def judge(self, fields: Fields) -> bool:
        return self._search(fields.message[:MESSAGE]) is not None

    def _looks(self, view: Lines) -> bool:
        """Whether there is something to look for, and it would be seen."""
        return self._needed is not None and (view.ascii or not self._lowered)

    def possible(self, view: Lines) -> bool:
        return not self._looks(view) or view.present(self._needed or (), self._lowered)

    def narrowed(self, view: Lines, asked: Selection) -> Selection:
        return view.narrowed(self._needed or (), asked, self._lowered) if self._looks(view) else asked

    def among(self, view: Lines, asked: Selection) -> Selection:
        if not view.few(asked):
            asked = asked if view.read and self._exact else self.narrowed(view, asked) if self.possible(view) else 0
        if view.few(asked):
            return super().among(view, asked)
        if self._exact:
            found, first = view.containing(self._exact, asked)
            # What was found is mostly what will be found again.
            if first != self._exact[0]:
                self._exact = (first, *(other for other in self._exact if other != first))
            return found
        messages = view.column("message")
        return view.those(asked, lambda number: self._search(messages[number]))


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


def _shortened(words: frozenset[str]) -> frozenset[str]:
    first, last = min(words), max(words)
    same = next((place for place, pair in enumerate(zip(first, last, strict=False)) if len({*pair}) > 1), len(first))
    return frozenset([first[:same]]) if same > 2 else words


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
