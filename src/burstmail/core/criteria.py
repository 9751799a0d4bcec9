"""Mapping -> Filter. Filters as a configuration file can hold them.

All that a mapping says must be true of a line. Its keys are those of match() (`host`, `program`, `pid`, `facility`,
`severity`, `data`), `at_least`, `contains` with `ignore_case`, and `any`, `all` (lists of mappings) and `not` (one, or
a list of which none may be true). An empty mapping is true of every line.
Limits: 32 levels; a file that nests deeper is no work of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import reduce
from operator import and_, or_
from typing import Any

from .admit import ANYTHING, Filter
from .contains import contains
from .match import at_least, match

_DEEPEST = 32


def criteria(mapping: Mapping[str, Any]) -> Filter:
    """The filter that a mapping describes.

    Raises ValueError, with the place (`any[1].progam`), for an unknown key, a value of a wrong type, a name that stands
    for nothing and an expression that is none.

    >>> from burstmail import criteria
    >>> failed = criteria({"program": ["sshd", "login"], "contains": "Failed|failure", "not": {"host": "test*"}})
    >>> failed("Nov 23 12:00:00 web1 sshd[1]: Failed password"), failed("Nov 23 12:00:00 test1 sshd[1]: Failed")
    (True, False)
    """
    return _whole(mapping, "")


def _whole(mapping: Any, place: str) -> Filter:
    if not isinstance(mapping, Mapping):
        raise ValueError(f"{place or 'criteria'}: {mapping!r} is no table of criteria")
    if place.count(".") + place.count("[") > 2 * _DEEPEST:
        raise ValueError(f"{place[:40]}...: nests deeper than {_DEEPEST} levels")
    for key in mapping:
        if key not in _KEYS:
            raise ValueError(f"{_at(place, key)}: {_hint(key)}")
    if "ignore_case" in mapping and "contains" not in mapping:
        raise ValueError(f"{_at(place, 'ignore_case')}: goes with contains, which is missing")
    return reduce(and_, [_part(key, mapping, place) for key in mapping if key != "ignore_case"] or [ANYTHING])


def _at(place: str, key: object) -> str:
    return f"{place}.{key}" if place else str(key)


def _hint(key: object) -> str:
    near = get_close_matches(str(key), _KEYS, n=1)
    return f"did you mean {near[0]}?" if near else f"unknown; use {', '.join(_KEYS)}"


def _part(key: str, mapping: Mapping[str, Any], place: str) -> Filter:
    where = _at(place, key)
    if key in _GROUPS:
        return _GROUPS[key](mapping[key], where)
    try:
        return _KEYS[key](mapping)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{value!r} is no string and no list of strings")
    return list(texts)


def _data(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no table of SD-ID.PARAM-NAME and text")
    return {name: _texts(texts) for name, texts in value.items()}


def _contains(mapping: Mapping[str, Any]) -> Filter:
    ignore = mapping.get("ignore_case", False)
    if not isinstance(ignore, bool):
        raise TypeError(f"ignore_case is {ignore!r}: use true or false")
    return contains(*_texts(mapping["contains"]), ignore_case=ignore)


def _at_least(mapping: Mapping[str, Any]) -> Filter:
    severity = mapping["at_least"]
    if not isinstance(severity, str):
        raise TypeError(f"{severity!r} is no string")
    return at_least(severity)


def _several(value: Any, place: str) -> list[Filter]:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{place}: {value!r} is no list of tables with at least one in it")
    return [_whole(inner, f"{place}[{number}]") for number, inner in enumerate(value)]


def _none(value: Any, place: str) -> Filter:
    return ~(_whole(value, place) if isinstance(value, Mapping) else reduce(or_, _several(value, place)))


_GROUPS: dict[str, Callable[[Any, str], Filter]] = {
    "any": lambda value, place: reduce(or_, _several(value, place)),
    "all": lambda value, place: reduce(and_, _several(value, place)),
    "not": _none,
}
_KEYS: dict[str, Callable[[Mapping[str, Any]], Filter]] = {
    "host": lambda mapping: match(host=_texts(mapping["host"])),
    "program": lambda mapping: match(program=_texts(mapping["program"])),
    "pid": lambda mapping: match(pid=_texts(mapping["pid"])),
    "facility": lambda mapping: match(facility=_texts(mapping["facility"])),
    "severity": lambda mapping: match(severity=_texts(mapping["severity"])),
    "data": lambda mapping: match(data=_data(mapping["data"])),
    "at_least": _at_least,
    "contains": _contains,
    "ignore_case": _contains,
    **dict.fromkeys(("any", "all", "not"), lambda mapping: ANYTHING),
}
