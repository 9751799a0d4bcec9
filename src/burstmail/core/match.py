"""Fields -> whether they pass: match and at_least, the filters on what a header says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from .admit import Filter, Judge
from .columns import numbers as numbers_of
from .fields import FACILITIES, SEVERITIES, Fields, value
from .lines import Lines, Selection
from .wildcard import fixed, matcher

Names: TypeAlias = str | Sequence[str]

# The names syslog.conf(5) calls deprecated, and people go on writing.
_OTHERWISE = {"error": "err", "warn": "warning", "panic": "emerg"}


class _Named(Judge):
    """A field of which the header holds the very text."""

    cost = 1

    def __init__(self, field: str, names: Sequence[str]) -> None:
        self._field = field
        self._passes = passes = matcher(names)
        # The same few texts come with every batch.
        self._raw = lru_cache(maxsize=512)(lambda text: passes(value(text)))
        self._literals = frozenset(map(fixed, names))
        self._implied = field == "program" and self._passes("kernel")
        self.columns = frozenset([field])

    def judge(self, fields: Fields) -> bool:
        return self._passes(getattr(fields, self._field))

    def possible(self, view: Lines) -> bool:
        return view.present(self._literals) or (self._implied and view.ring)

    def narrowed(self, view: Lines, asked: Selection) -> Selection:
        found = view.narrowed(self._literals, asked)
        return asked if found != asked and self._implied and view.ring else found

    def among(self, view: Lines, asked: Selection) -> Selection:
        if not view.few(asked):
            asked = asked if view.read else self.narrowed(view, asked) if self.possible(view) else 0
        if view.few(asked):
            return super().among(view, asked)
        return view.where(self._field, self._raw, asked)


class _Numbered(Judge):
    """The facility, or the severity."""

    cost = 2
    columns = frozenset(["priority"])

    def __init__(self, field: str, numbers: frozenset[int]) -> None:
        self._field = field
        self._numbers = numbers
        place = ("facility", "severity").index(field)
        self._raw = lru_cache(maxsize=512)(lambda text: numbers_of(text)[place] in numbers)

    def judge(self, fields: Fields) -> bool:
        return getattr(fields, self._field) in self._numbers

    def among(self, view: Lines, asked: Selection) -> Selection:
        if view.few(asked):
            return super().among(view, asked)
        return view.where("priority", self._raw, asked)


class _Data(Judge):
    cost = 5

    def __init__(self, element: str, parameter: str, names: Sequence[str]) -> None:
        self._element, self._parameter = element, parameter
        self._passes = matcher(names)

    def judge(self, fields: Fields) -> bool:
        found = fields.data.get(self._element, {}).get(self._parameter)
        return found is not None and self._passes(found)

    def possible(self, view: Lines) -> bool:
        return view.present([f"[{self._element}"])


def match(
    *,
    host: Names | None = None,
    program: Names | None = None,
    pid: Names | None = None,
    facility: Names | None = None,
    severity: Names | None = None,
    data: Mapping[str, Names] | None = None,
) -> Filter:
    """Lines of whose header all this is true; each is a name or several, any of which will do.

    In a name, `*` stands for any characters and `?` for one; case matters. Facilities and severities are those of
    syslog(3), by name. `data` is structured data (RFC 5424 section 6.3) as `{"SD-ID.PARAM-NAME": names}`.
    Raises ValueError for a name that is none, and if nothing is asked; TypeError for what is no string.
    """
    parts: list[Filter] = []
    for field, names in (("host", host), ("program", program), ("pid", pid)):
        if names is not None:
            parts.append(_Named(field, _several(field, names)))
    for field, names, known in (("facility", facility, FACILITIES), ("severity", severity, SEVERITIES)):
        if names is not None:
            parts.append(_Numbered(field, _known(field, _several(field, names), known)))
    for name, names in (data or {}).items():
        element, dot, parameter = name.rpartition(".")
        if not (element and dot and parameter):
            raise ValueError(f"data {name!r}: write SD-ID.PARAM-NAME, such as 'meta.sequenceId'")
        parts.append(_Data(element, parameter, _several(f"data {name!r}", names)))
    if not parts:
        raise ValueError("match: name at least one of host, program, pid, facility, severity, data")
    first, *rest = parts
    for part in rest:
        first &= part
    return first


def at_least(severity: str) -> Filter:
    """Lines as severe as this or more: `at_least("warning")` is warning, err, crit, alert and emerg.

    A line that tells no severity does not pass. Raises ValueError for a name that is none.
    """
    name = _OTHERWISE.get(severity, severity)
    if name not in SEVERITIES:
        raise ValueError(f"at_least {severity!r}: use {', '.join(SEVERITIES)}")
    return _Numbered("severity", frozenset(range(SEVERITIES.index(name) + 1)))


def _several(what: str, names: Names) -> Sequence[str]:
    several = (names,) if isinstance(names, str) else tuple(names)
    if not several:
        raise ValueError(f"{what}: name at least one")
    for name in several:
        if not isinstance(name, str):
            raise TypeError(f"{what}: {name!r} is no string")
    return several


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> frozenset[int]:
    """The numbers of the names, each of which must stand for one at least."""
    found: set[int] = set()
    for name in names:
        passes = matcher([_OTHERWISE.get(name, name)])
        numbers = {number for number, one in enumerate(known) if passes(one)}
        if not numbers:
            raise ValueError(f"{what} {name!r}: use {', '.join(known)}")
        found |= numbers
    return frozenset(found)
