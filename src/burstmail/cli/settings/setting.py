"""One setting: how it is called, read and explained, as an option and as a key of a configuration file.

What all settings are is in settings.py; options, keys and the reference are made from them, so that none says anything
of its own. A default is no part of a setting: it belongs to the library, and only the help tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import values

# What a number may be written for, without quotes: the text of these is one.
NUMERIC = (values.duration, values.count, values.size, values.attach)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting. One without `metavar` is a flag."""

    name: str
    """The option without its dashes, and the key in a file."""
    help: str
    """What it does, as an option's help has it: other options are named with their dashes."""
    metavar: str = ""
    """What stands for the value; empty for a flag."""
    stored: str = ""
    """What it is called among the options; empty: the name, with underscores."""
    reader: Callable[[str], Any] = str
    """Text to value; raises ValueError or OSError."""
    choices: tuple[str, ...] = ()
    """The values there are; empty for any that the reader takes."""
    repeatable: bool = False
    """Whether it may be said several times; its value is a list."""
    const: bool = True
    """What a flag that is said stands for."""
    rivals: str = ""
    """Those with the same word here exclude each other."""
    routed: bool = False
    """Whether a route may have one of its own."""
    filed: bool = True
    """Whether it may stand in a file."""
    path: bool = False
    """Whether its value is a path: in a file, relative to the directory of that."""
    words: tuple[str, ...] = ()
    """Values that are words where others are paths."""
    short: str = ""
    """Another name for the option."""

    @property
    def dest(self) -> str:
        """What it is called among the options."""
        return self.stored or self.name.replace("-", "_")

    @property
    def option(self) -> str:
        """The option."""
        return f"--{self.name}"

    @property
    def flag(self) -> bool:
        """Whether it has no value."""
        return not self.metavar

    @property
    def numeric(self) -> bool:
        """Whether a number may be its value."""
        return self.reader in NUMERIC


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are explained together."""

    title: str
    settings: tuple[Setting, ...]
