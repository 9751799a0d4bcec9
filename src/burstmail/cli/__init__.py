"""Arguments -> exit status. The first word is a command, or it is `run` that is meant.

Each command is a module, imported when it is asked for, with a function of this name that gives an exit status. What it
raises is told in one line (or one for each problem of a file), as Misuse is everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module

from .options import Misuse, looks_like_a_file

# A supervisor starts a program that ends again at once: syslog-ng 15 to 25 times a second.
PATIENCE = 5.0
# The commands that end by themselves, by the module each is in. `run` is the one that is meant without a word.
COMMANDS = {
    "check": "check",
    "test-mail": "trial",
    "setup": "setup",
    "queue": "queue",
    "bundle": "bundle",
}
WORDS = ("run", *COMMANDS)
# What stands behind it is somebody else's command line.
JOB = "--"


def main(arguments: Sequence[str] | None = None, *, patience: float = PATIENCE) -> int:
    """Run the command line and return the exit status. `patience`: how long a service that fails waits, in seconds."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    word = given[0] if given else ""
    if word in COMMANDS:
        return _at_once(COMMANDS[word], given[1:])
    given = given[word == "run" :]
    if JOB in given and (word == "run" or word.startswith("-")):
        at = given.index(JOB)
        return _at_once("job", given[:at], given[at + 1 :])
    from .service import command

    return command(given, patience=patience, refused=_no_command(given))


def _at_once(module: str, *arguments: Sequence[str]) -> int:
    """A command that ends by itself. What it fails with goes to standard error."""
    from . import channel
    from .status import tell

    try:
        run: Callable[..., int] = import_module(f".{module}", __name__).command
        return run(*arguments)
    except Exception as error:
        channel.attach("stderr", None)
        return tell(error)


def _no_command(given: Sequence[str]) -> Misuse | None:
    word = given[0] if given else "-"
    if word.startswith("-") or not word:
        return None
    if looks_like_a_file(word):
        return Misuse(f"there is no command {word!r}: did you mean `burstmail run -c {word}`? (see burstmail --help)")
    near = get_close_matches(word, WORDS, n=1)
    hint = f"did you mean `burstmail {near[0]}`?" if near else f"there are {', '.join(WORDS)}; others run behind {JOB}"
    return Misuse(f"there is no command {word!r}: {hint} (see burstmail --help)")
