"""The `match` of a route -> criteria. Every mistake in it is found, each with its own line.

A file has dashes where criteria() has underscores: `at-least`, `ignore-case`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burstmail import criteria

from ..settings import named
from ..values import unambiguous
from .keys import Notes, unknown
from .positions import Place

GROUPS = ("any", "all", "not")
FIELDS = ("host", "program", "pid", "facility", "severity", "data")
NAMES = (*FIELDS, "at-least", "contains", "ignore-case", *GROUPS)
# As criteria() has it.
DEEPEST = 32


def read_match(table: Any, place: Place, notes: Notes, *, depth: int = 0) -> dict[str, Any]:
    """The mapping for criteria(); what is wrong is noted, and left out."""
    if not isinstance(table, Mapping):
        notes.add(place, f'{_called(place)}: takes a table of criteria, such as {{ program = "sshd" }}')
        return {}
    if depth > DEEPEST:
        notes.add(place, f"match: nests deeper than {DEEPEST} levels")
        return {}
    if "ignore-case" in table and "contains" not in table:
        notes.add((*place, "ignore-case"), f"{_called(place)}.ignore-case: goes with contains, which is missing")
    found: dict[str, Any] = {}
    for key, value in table.items():
        here = (*place, key)
        if key not in NAMES:
            notes.add(here, f"{_called(here)}: {_misplaced(key) or unknown(key, NAMES)}")
        elif key in GROUPS:
            found[key] = _group(key, value, here, notes, depth)
        elif _good(key, value, here, notes):
            found[key.replace("-", "_")] = value
    if "contains" not in found:
        found.pop("ignore_case", None)
    return found


def _misplaced(key: str) -> str:
    """What to say of a key of the route itself: in TOML it belongs to the header above it."""
    setting = named(key)
    own = key == "name" or (setting is not None and setting.routed)
    return "is no criterion but a key of the route: write it above [route.match]" if own else ""


def _group(key: str, value: Any, place: Place, notes: Notes, depth: int) -> Any:
    if key == "not" and isinstance(value, Mapping):
        return read_match(value, place, notes, depth=depth + 1)
    if not isinstance(value, list) or not value:
        example = "{ ... }" if key == "not" else "[{ ... }, { ... }]"
        notes.add(place, f"{_called(place)}: takes tables of criteria: {key} = {example}")
        return [{}]
    return [read_match(one, (*place, at), notes, depth=depth + 1) for at, one in enumerate(value)]


def _good(key: str, value: Any, place: Place, notes: Notes) -> bool:
    """Whether criteria() takes this one; of a list, each by itself."""
    each: dict[Place, Any] = {place: value}
    if isinstance(value, list) and value:
        each = {(*place, number): [one] for number, one in enumerate(value)}
    refused = {where: words for where, one in each.items() if (words := _refused(key, one))}
    for where, words in refused.items():
        notes.add(where, f"{_called(place)}: {words}")
    return not refused


def _refused(key: str, value: Any) -> str:
    """What is said against it; nothing where it is good."""
    if key == "ignore-case":
        return "" if isinstance(value, bool) else "write true or false"
    called = key.replace("-", "_")
    try:
        if key == "contains":
            for text in value if isinstance(value, list) else [value]:
                unambiguous(text)
        criteria({called: value})
    except (TypeError, ValueError) as error:
        return str(error).removeprefix(f"{called}: ").removeprefix(f"{called} ")
    return ""


def _called(place: Place) -> str:
    """A place from `match` on, as criteria() writes it: `match.any[1].program`."""
    text = ""
    for part in place[2:]:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
