"""Arguments -> options of the commands beside the main one: `burstmail bundle` and `burstmail queue`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from . import values
from .options import Parser
from .values import told

ACTIONS = ("list", "check", "show", "retry", "delete")

QUEUE = """\
list             what waits and what is dead, with keys; this is what happens without a word
check            one line for a monitor; status 0 if nothing is dead, nothing waits for more than an hour and all
                 can be read, else 1
show KEY         the mail, decoded
retry KEY...     try it again now, be it waiting or dead; --all: everything
delete KEY...    it will never be sent

A burstmail that runs does what is asked within a second."""


def parse_bundle(arguments: Sequence[str]) -> dict[str, Any]:
    """The options of `burstmail bundle`."""
    parser = Parser(
        prog="burstmail bundle",
        description="Write burstmail as one executable file. It needs nothing but Python 3.11 or newer.",
        allow_abbrev=False,
    )
    parser.add_argument("path", metavar="FILE", help="where to; an existing file is replaced")
    parser.add_argument(
        "--python",
        metavar="PATH",
        default="/usr/bin/python3",
        help="the interpreter on the host it will run on (default: %(default)s)",
    )
    return vars(parser.parse_args(arguments))


def parse_queue(arguments: Sequence[str]) -> dict[str, Any]:
    """The options of `burstmail queue`: `do`, `keys`, `all`; `state`, `name` and `config`, or None."""
    parser = Parser(
        prog="burstmail queue",
        description="What waits to be delivered and what was given up, of all names.",
        epilog=QUEUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("do", metavar="ACTION", nargs="?", default="list", help=", ".join(ACTIONS))
    parser.add_argument("keys", metavar="KEY", nargs="*", help="as `list` shows it")
    parser.add_argument("--all", action="store_true", help="retry all")
    parser.add_argument(
        *("-c", "--config"),
        metavar="FILE",
        default=None,
        help="only what the burstmail with this file keeps, where that says",
    )
    parser.add_argument("--state", metavar="DIR", type=told(values.path), default=None, help="as burstmail's own")
    parser.add_argument("--name", metavar="NAME", type=told(values.name), default=None, help="only this name")
    options = vars(parser.parse_intermixed_args(arguments))
    if options["do"] not in ACTIONS:
        parser.error(f"there is no {options['do']!r}: say one of {', '.join(ACTIONS)}")
    _check_queue(parser, options)
    return options


def _check_queue(parser: Parser, options: dict[str, Any]) -> None:
    do, keys, every = options["do"], options["keys"], options["all"]
    if every and (do != "retry" or keys):
        parser.error("--all belongs to retry, without a KEY")
    if do in ("list", "check") and keys:
        parser.error(f"{do} takes no KEY: show does")
    if do not in ("list", "check") and not keys and not every:
        parser.error(f"{do} needs a KEY, as `burstmail queue` lists it" + (", or --all" if do == "retry" else ""))
