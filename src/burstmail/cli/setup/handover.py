"""Arguments -> Handover. What somebody else is to start: the same options, as they are meant from anywhere.

All of it is examined as `check` does, so that nothing is handed over which will not start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..configuration.problem import Invalid
from ..configuration.proof import examine
from ..options import Misuse, parse
from ..place import reads_others
from ..settings import SETTINGS, Setting
from .executable import executable

# What says which lines count: where nothing of it is said, every line there is would be mailed.
CHOOSING = ("include", "exclude", "programs", "at_least", "threshold", "routes", "journal_matches")
RECIPIENT = ("--to", "root")
SPELT = {spelling: setting for setting in SETTINGS for spelling in (setting.option, setting.short) if spelling}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What is to be started."""

    program: tuple[str, ...]
    """The words that start burstmail."""
    arguments: tuple[str, ...]
    """The options, with absolute paths."""
    options: Mapping[str, Any] = field(repr=False)
    """What they mean, together with the file that they may name."""
    paths: Mapping[str, str]
    """The paths among the arguments, by what the option is called among the options."""
    warnings: tuple[str, ...] = ()
    """What is probably not meant so."""

    @property
    def words(self) -> tuple[str, ...]:
        """The whole command."""
        return (*self.program, "run", *self.arguments)

    @property
    def label(self) -> str:
        """What tells this one from others: its name, or that of its file; empty for the only one."""
        stem = os.path.splitext(os.path.basename(self.paths.get("config", "")))[0]
        told = self.options.get("name") or stem
        clean = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in told).strip("-")
        return "" if clean == "burstmail" else clean

    @property
    def chooses(self) -> bool:
        """Whether it says which lines count."""
        return any(name in self.options for name in CHOOSING)

    def saying(self, *words: str) -> Handover:
        """With further options."""
        return replace(self, arguments=(*self.arguments, *words))

    def replacing(self, value: str, other: str) -> tuple[str, ...]:
        """The arguments with another value in the place of a path."""
        return tuple(other if word == value else word for word in self.arguments)


def handed_over(arguments: Sequence[str]) -> Handover:
    """What these arguments ask for. Raises Misuse, with all that is wrong."""
    words = list(arguments)
    for word in words:
        if not word.isprintable() and _unwritable(word):
            raise Misuse(f"{word!r} is not UTF-8, which no configuration can hold: give that file another name")
    if not (names_a_file(words) or any(_parted(word)[0] == RECIPIENT[0] for word in words)):
        words = [*RECIPIENT, *words]
    given = parse(words)
    found = examine(given)
    if found.problems:
        raise Invalid(found.problems)
    if "print" in found.options:
        raise Misuse("--print shows mails to a person, and nobody looks on here: leave it out")
    absolute, paths = _anywhere(words)
    return Handover(
        program=tuple(executable()),
        arguments=tuple(absolute),
        options=found.options,
        paths=paths,
        warnings=tuple(map(str, found.warnings)),
    )


def names_a_file(words: Sequence[str]) -> bool:
    """Whether there is a configuration file among them."""
    return any(_parted(word)[0] in ("--config", "-c") for word in words)


def must_read_standard_input(given: Handover, who: str) -> None:
    """Raise Misuse where lines written to standard input would not be read."""
    if reads_others(given.options) and "stdin" not in given.options:
        raise Misuse(f"{who} writes to standard input, which is not read beside other sources: add --stdin")


def _anywhere(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words with their paths made absolute, and those paths."""
    out: list[str] = []
    paths: dict[str, str] = {}
    left = iter(words)
    for word in left:
        spelling, equals, value = _parted(word)
        setting = SPELT.get(spelling)
        if setting is None or setting.flag:
            out.append(word)
            continue
        value = value if equals else next(left, "")
        if _is_path(setting, value):
            paths[setting.dest] = os.path.abspath(value)
            out += [setting.option, paths[setting.dest]]
        else:
            # As it was: argparse takes a value that begins with a dash only behind the equals sign.
            out += [word] if equals else [word, value]
    return out, paths


def _unwritable(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return True
    return False


def _parted(word: str) -> tuple[str, bool, str]:
    """Option, whether its value is in the same word, and the value."""
    if word[:1] == "-" and word[1:2] != "-" and len(word) > 2:
        return word[:2], True, word[2:].removeprefix("=")
    spelling, equals, value = word.partition("=")
    return spelling, bool(equals), value


def _is_path(setting: Setting, value: str) -> bool:
    # The file itself is no key of it, where its paths are told from other values.
    return (setting.path or setting.dest == "config") and value not in setting.words
