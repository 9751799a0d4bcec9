"""A table of a file -> options. Each key is read as its option would be; what is wrong is noted, and the rest read on.

A number may stand where its text would be one, a single value where a list may; paths are relative to the file's
directory, and `~` is somebody's home, as a shell has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from ..settings import SETTINGS, named
from ..settings.setting import Setting
from .positions import Place
from .problem import Problem

# What people write who think of the parts, of the options' own names, or of other programs.
ALIASES = {
    **{setting.stored: setting.name for setting in SETTINGS if setting.stored and not setting.flag},
    **{"recipient": "to", "recipients": "to", "filter": "match", "criteria": "match", "where": "match"},
    **{"text": "text-template", "html": "html-template", "password": "password-file", "directory": "state"},
}
# What a flag is written as elsewhere.
TRUTHS = ("yes", "no", "on", "off", "true", "false", "1", "0")
IN_MATCH = {
    "include": 'match = { contains = "..." }',
    "exclude": 'match = { not = { contains = "..." } }',
    "program": 'match = { program = "..." }',
    "at-least": 'match = { at-least = "..." }',
}


class Notes:
    """What is wrong, gathered; each with its line."""

    def __init__(self, path: str, lines: Mapping[Place, int]) -> None:
        self.path = path
        self.lines = lines
        self.problems: list[Problem] = []

    def add(self, place: Place, words: str) -> None:
        """Note what is wrong with a key, by its name in its table."""
        self.problems.append(Problem(path=self.path, line=line_of(self.lines, place), place=place, words=words))


def line_of(lines: Mapping[Place, int], place: Place) -> int | None:
    """The line of a place; of one that is not in the text, that of what it is in."""
    while place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return None


def read_keys(table: Mapping[str, Any], place: Place, notes: Notes, *, besides: Iterable[str] = ()) -> dict[str, Any]:
    """The options in a table: that of a route where `place` says one, else the top. `besides`: keys read elsewhere."""
    options: dict[str, Any] = {}
    rivals: dict[str, str] = {}
    besides = tuple(besides)
    for key, value in table.items():
        if key in besides:
            continue
        setting, here = named(key), (*place, key)
        if setting is None or not setting.filed or (place and not setting.routed):
            notes.add(here, f"{key}: {_unfit(key, setting, bool(place), besides)}")
            continue
        # A flag that is false is as if not said, except where a route takes back a no of the top.
        if setting.flag and value is False and (setting.const or not place):
            continue
        if (said := rivals.get(setting.rivals)) and value is not False:
            notes.add(here, f"{key}: excludes {said} (line {notes.lines.get((*place, said))}): say one of them")
            continue
        if setting.rivals and value is not False:
            rivals[setting.rivals] = key
        _put(options, setting, value, here, notes)
    return options


def _unfit(key: str, setting: Setting | None, routed: bool, besides: tuple[str, ...]) -> str:
    """Why a key cannot stand here, and what to write."""
    if setting is not None and not setting.filed:
        return f"is said on the command line only, as {setting.option}"
    if key in IN_MATCH and routed:
        return f"a route says this as {IN_MATCH[key]}; at the top it is for all routes"
    if setting is not None:
        return "is for all routes together: write it at the top, above the first [[route]]"
    if key == "match" and not routed:
        return "belongs to a [[route]]; at the top, say include, exclude, program or at-least"
    return unknown(key, [one.name for one in SETTINGS if one.filed and (one.routed or not routed)] + [*besides])


def unknown(key: str, names: Iterable[str]) -> str:
    """What to say of a key that is none of these."""
    known = list(names)
    near = likeness(key, known)
    if not near:
        return "there is no such key"
    if near == "route":
        return "there is no such key: it is written [[route]]"
    same = near in (_dashed(key), ALIASES.get(key.removeprefix("--")))
    return f"there is no such key: {f'it is written {near}' if same else f'did you mean {near}?'}"


def likeness(key: str, names: Iterable[str]) -> str:
    """The one of these names that is probably meant; empty for none."""
    known = list(names)
    for name in (_dashed(key), ALIASES.get(key.removeprefix("--"), "")):
        if name in known:
            return name
    return next(iter(get_close_matches(_dashed(key)[:64], known, n=1)), "")


def _dashed(key: str) -> str:
    return key.lower().removeprefix("--").replace("_", "-")


def _put(options: dict[str, Any], setting: Setting, value: Any, place: Place, notes: Notes) -> None:
    if setting.flag:
        if isinstance(value, bool):
            options.setdefault(setting.dest, setting.const if value else not setting.const)
        else:
            notes.add(place, f"{setting.name}: {_shown(value)} is neither true nor false: write one of them")
        return
    several = setting.repeatable and isinstance(value, list)
    values = value if several else [value]
    if not values:
        notes.add(place, f"{setting.name}: the list is empty: name something, or leave it out")
    read = [_read(setting, one, (*place, at) if several else place, notes) for at, one in enumerate(values)]
    found = [one[0] for one in read if one]
    if found:
        options[setting.dest] = found if setting.repeatable else found[0]


def _read(setting: Setting, value: Any, place: Place, notes: Notes) -> tuple[Any] | None:
    """The value, alone in a tuple since it may be None; None where it was wrong, and is noted."""
    words = ""
    try:
        text = _text(setting, value)
        if setting.choices and text not in setting.choices:
            raise ValueError(f"{text!r} is none of {', '.join(setting.choices)}")
        return (setting.reader(_path(setting, text, os.path.dirname(os.path.abspath(notes.path)))),)
    except ValueError as error:
        words = str(error)
    except OSError as error:
        words = f"{_shown(error.filename or value)}: {error.strerror or error}"
    notes.add(place, f"{setting.name}: {words.removeprefix(f'{setting.dest} ').removeprefix(f'{setting.dest}: ')}")
    return None


def _text(setting: Setting, value: Any) -> str:
    """A value as it would stand behind the option."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        raise ValueError("takes one value, not a list" if not setting.repeatable else "no lists in a list")
    if isinstance(value, dict):
        raise ValueError("takes a value, not a table")
    if setting.numeric and isinstance(value, int | float):
        return _shown(value)
    raise ValueError(f'{_shown(value)} is no text: write {setting.name} = "{setting.metavar}", in quotes')


def _path(setting: Setting, text: str, folder: str) -> str:
    """A path as it is from anywhere."""
    if not setting.path or not text or text in setting.words:
        return text
    if setting.name == "password-file" and _is_credential(text):
        return text
    text = os.path.expanduser(text)
    if os.path.isabs(text):
        return text
    if setting.name == "file":
        # The directory's own name is no pattern.
        from glob import escape

        folder = escape(folder)
    return os.path.join(folder, text)


def _is_credential(text: str) -> bool:
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return bool(folder) and "/" not in text and os.path.exists(os.path.join(folder, text))


def _shown(value: Any) -> str:
    """A value as it is written in a file, as far as it is short."""
    write: Callable[[Any], str] = repr if isinstance(value, str) else str
    try:
        text = str(value).lower() if isinstance(value, bool) else write(value)
    except ValueError:
        # Python writes no number of more than 4,300 digits.
        return "a number so long"
    return text if len(text) <= 100 else f"{text[:99]}…"
