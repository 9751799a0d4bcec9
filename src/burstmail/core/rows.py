"""Text -> rows. The headers of all lines of a chunk at once: each line with a row, which stands for its fields.

Every line matches exactly once, so one findall gives them all; a `^` with re.MULTILINE would be three times slower.
What has neither form of header is read one by one, if it begins as another system's does: as parse() reads it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeAlias

from .fields import Fields, parse, value
from .forms import BEGINS, FACILITIES, SEVERITIES, header


class Values(tuple[str, ...]):
    """A row that was read by itself: the fields' values."""

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        # Never equal to a row that an expression has found, with other things in other places.
        return type(other) is Values and tuple.__eq__(self, other)


Row: TypeAlias = str | tuple[str, ...] | Values
Found: TypeAlias = list[tuple[str, Row]]


def _facility(priority: str) -> str:
    return FACILITIES[int(priority) // 8] if priority else ""


def _severity(priority: str) -> str:
    return SEVERITIES[int(priority) % 8] if priority else ""


# What is found for a field, and what its value is.
_KNOWN: dict[str, tuple[str, Callable[[str], str]]] = {
    "host": ("host", value),
    "program": ("program", value),
    "pid": ("pid", value),
    "facility": ("priority", _facility),
    "severity": ("priority", _severity),
}
NAMES = tuple(_KNOWN)


def named(fields: Fields, name: str) -> str:
    """The value of the field, as text; '' where there is none."""
    if name == "facility":
        return "" if fields.facility is None else FACILITIES[fields.facility]
    if name == "severity":
        return "" if fields.severity is None else SEVERITIES[fields.severity]
    found: str = getattr(fields, name)
    return found


@cache
def _begins() -> Callable[[str], re.Match[str] | None]:
    # The newline is a literal, which is looked for at memchr's speed.
    return re.compile(f"\n(?:<[0-9]{{1,3}}>|){BEGINS}").search


def grouped(found: Iterable[tuple[str, Row]]) -> dict[Row, list[str]]:
    """The lines of each row, in order of their first."""
    groups: defaultdict[Row, list[str]] = defaultdict(list)
    # Paid on every line, and the only such loop: faster than C calls that have to split the text a second time.
    for line, row in found:
        groups[row].append(line)
    return groups


def records(text: str, joined: bool) -> list[str]:
    """Each record with its newline: a line, and with `joined` also those behind it that begin with a space or tab."""
    return re.findall(r".*+\n(?:[ \t].*+\n)*+", text) if joined else [f"{line}\n" for line in text.split("\n")[:-1]]


class Rows:
    """Reads some fields of all lines, in whatever form of header they are."""

    def __init__(self, *names: str) -> None:
        """Names are some of NAMES."""
        self.names = names
        # One string a line instead of a tuple of two, for the commonest key of all.
        self._pair = names == ("host", "program")
        groups = {"pair"} if self._pair else {_KNOWN[name][0] for name in names}
        if "host" not in groups and not self._pair:
            # Each line that has a header shows it by its program.
            groups.add("program")
        # As they come in the expressions.
        self._groups: list[str] = [name for name in ("priority", "pair", "host", "program", "pid") if name in groups]
        self._shown = [] if self._pair else [(self._groups.index(_KNOWN[n][0]), _KNOWN[n][1]) for n in names]
        self._numbered = "priority" in groups
        # The row of a line that has no header.
        self._nothing: Row = "" if len(groups) == 1 else ("",) * len(groups)
        self._forms: dict[tuple[str, bool], Callable[[str], list[tuple[str, ...]]]] = {}

    def read(self, text: str, joined: bool = False) -> tuple[Found, dict[Row, list[str]]]:
        """Each record, with its newline, and its row; and the same by row. Equal rows have equal values.

        A record is a line, and with `joined` also the lines behind it that begin with a space or tab.
        """
        # Most streams have one form of header, and need not pay for the other: the first line tells which.
        first, second = ("new", "old") if ">1 " in text[:6] else ("old", "new")
        found = self._found(first, text, joined)
        groups = grouped(found)
        # A glance, where there may be a row for each line; those with a priority are few.
        known = groups if self._numbered else {self._nothing} & groups.keys()
        lost = {row for row in known if self._lost(row)}
        if lost:
            lines = groups[next(iter(lost))] if len(lost) == 1 else [line for line, row in found if row in lost]
            if rows := self._again(second, lines, joined):
                others = iter(rows)
                found = [(line, next(others) if row in lost else row) for line, row in found]
                groups = grouped(found)
        return found, groups

    def values(self, row: Row) -> tuple[str, ...]:
        """The values of the fields, '' where there is none."""
        if type(row) is Values:
            return row
        if self._pair:
            host, _, program = str(row).rpartition(" ")
            return value(host), value(program)
        texts = (row,) if isinstance(row, str) else row
        return tuple([shown(texts[place]) for place, shown in self._shown])

    def _found(self, form: str, text: str, joined: bool) -> Found:
        found = self._form(form, joined)(text)
        # One group gives pairs already, for findall; mypy cannot know how many there are.
        return found if len(self._groups) == 1 else [(row[0], row[1:]) for row in found]  # type: ignore[return-value]

    def _form(self, form: str, joined: bool) -> Callable[[str], list[tuple[str, ...]]]:
        known = self._forms.get((form, joined))
        if known is None:
            prefix = "new_" if form == "new" else ""
            names = (group if group == "priority" else prefix + group for group in self._groups)
            more = r"(?:[ \t].*+\n)*+" if joined else ""
            known = self._forms[form, joined] = re.compile(rf"({header({*names}, form)}.*+\n{more})").findall
        return known

    def _lost(self, row: Row) -> bool:
        """Whether no header was found; a priority alone is none."""
        return not any(row[1:]) if self._numbered else row == self._nothing

    def _again(self, form: str, lines: list[str], joined: bool) -> list[Row]:
        """The rows of lines that the first form does not explain; none if nothing else does."""
        text = "".join(lines)
        # No line without ">1 " is of RFC 5424.
        rows = [row for _, row in self._found(form, text, joined)] if form == "old" or ">1 " in text else []
        if not _begins()("\n" + text):
            return rows
        rows = rows or [self._nothing] * len(lines)
        return [self._parsed(line) if self._lost(row) else row for line, row in zip(lines, rows, strict=True)]

    def _parsed(self, record: str) -> Values:
        fields = parse(record.partition("\n")[0])
        return Values(named(fields, name) for name in self.names)
