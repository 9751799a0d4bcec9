"""Arguments -> options. One parser; what is not given stays absent, so that every default has one home: the library."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from burstmail import __version__

from .settings import FILE, GROUPS, KEEPING, SETTINGS, Group, Setting
from .usage import ABOUT, MORE, USAGE
from .values import told


class Misuse(Exception):
    """The command line asks for what cannot be: one line says what."""


class Parser(argparse.ArgumentParser):
    """Argparse that raises instead of leaving."""

    def error(self, message: str) -> NoReturn:
        """One line; the usage text would bury it in a log."""
        raise Misuse(f"{message} (see {self.prog} --help)")


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The options given, by name; those of a file that `--config` names are not among them (configuration.given_by)."""
    parser = _mailing()
    known, unknown = parser.parse_known_args(arguments)
    # An unknown word first: whoever misspells --to has not forgotten it.
    if unknown:
        parser.error(_unknown(unknown[0]))
    options = vars(known)
    if "to" not in options and "config" not in options:
        parser.error("--to ADDRESS is missing: to whom? (or -c FILE, which says it)")
    return options


def _unknown(word: str) -> str:
    name = word.partition("=")[0]
    if name.startswith("-"):
        known = [setting.option for setting in SETTINGS]
        near = get_close_matches(name[:64].lower().replace("_", "-"), known, n=1)
        return f"there is no option {name!r}" + (f": did you mean {near[0]}?" if near else "")
    if looks_like_a_file(word):
        return f"{word!r} is no option: did you mean -c {word}?"
    return f"{word!r} is no option: options begin with --, and a command such as check stands in front of all"


def looks_like_a_file(word: str) -> bool:
    """Whether somebody names a configuration, and has forgotten -c."""
    return word.endswith(".toml")


def _mailing() -> Parser:
    parser = Parser(
        prog="burstmail",
        usage=USAGE,
        description=ABOUT,
        epilog=MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
        add_help=False,
    )
    for group in GROUPS:
        _add(parser, group)
    other = parser.add_argument_group("other")
    other.add_argument("--version", action="version", version=f"burstmail {__version__}", help="say the version")
    other.add_argument("-h", "--help", action="help", help="say this")
    return parser


def _add(parser: Parser, group: Group) -> None:
    titled = parser.add_argument_group(group.title)
    rivals: dict[str, argparse._MutuallyExclusiveGroup] = {}
    for setting in group.settings:
        if setting.rivals and setting.rivals not in rivals:
            rivals[setting.rivals] = titled.add_mutually_exclusive_group()
        container = rivals[setting.rivals] if setting.rivals else titled
        container.add_argument(*filter(None, (setting.short, setting.option)), **_argument(setting))


def _argument(setting: Setting) -> dict[str, Any]:
    more: dict[str, Any] = {"dest": setting.dest, "help": setting.help}
    if setting.flag:
        return more | {"action": "store_const", "const": setting.const}
    more |= {"metavar": setting.metavar, "type": told(setting.reader), "choices": setting.choices or None}
    return more | ({"action": "append"} if setting.repeatable else {})


def first_look(arguments: Sequence[str]) -> dict[str, Any]:
    """What can be found of `--state`, `--name` and `--log`, whatever else is wrong: where to tell of that."""
    parser = Parser(argument_default=argparse.SUPPRESS, allow_abbrev=False, add_help=False)
    _add(parser, FILE)
    _add(parser, KEEPING)
    try:
        look = vars(parser.parse_known_args(arguments)[0])
    except Misuse:
        return {}
    return _filed(look["config"]) | look if "config" in look else look


def _filed(path: str) -> dict[str, Any]:
    from .configuration import examined

    try:
        options, _ = examined(path)
    except Misuse:
        return {}
    return {setting.dest: options[setting.dest] for setting in KEEPING.settings if setting.dest in options}
