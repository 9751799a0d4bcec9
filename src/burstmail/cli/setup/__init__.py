"""Arguments -> a stanza on standard output. What a logger or systemd needs to start burstmail with these options.

Nothing is written anywhere: whoever prints it reads it, and puts it where it says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from errno import EBADF

from ..channel import say
from ..options import Misuse
from ..place import reads_others
from ..status import OK
from .handover import Handover, handed_over, must_read_standard_input, names_a_file

TARGETS = ("syslog-ng", "rsyslog", "journald", "systemd")
# The text, and what its reader should know beside.
Printed = tuple[str, Sequence[str]]
HELP = f"""\
usage: burstmail setup {"|".join(TARGETS)} [-c FILE] [options]

Print what starts burstmail with these options (default: --to root), with the paths of this burstmail:

  syslog-ng   a destination and a log path
  rsyslog     an action; with --confirm, one that keeps each line until burstmail has it
  journald    a systemd unit that follows the journal
  systemd     a systemd unit that reads what the options say: --file, --listen, --journal

Nothing is written: the comments say where to put it, and how to check it. All options are those of `burstmail run`.
"""


def command(arguments: Sequence[str]) -> int:
    """Print it, and return the exit status."""
    if {"-h", "--help"} & set(arguments):
        _write(HELP)
        return OK
    text, notes = _target(arguments)(arguments[1:])
    for note in notes:
        say(note)
    _write(text)
    return OK


def _write(text: str) -> None:
    """All of it, or a word about that: half a unit in a file looks like one."""
    data = text.encode()
    try:
        if sys.stdout is None:
            raise OSError(EBADF, "it is closed")
        while data:
            data = data[os.write(1, data) :]
    except OSError as error:
        raise Misuse(f"cannot write standard output: {error.strerror}") from None


def _target(arguments: Sequence[str]) -> Callable[[Sequence[str]], Printed]:
    from difflib import get_close_matches

    word = arguments[0] if arguments else ""
    printers = {"syslog-ng": _syslog_ng, "rsyslog": _rsyslog, "journald": _journald, "systemd": _systemd}
    if word in printers:
        return printers[word]
    if not word or word.startswith("-"):
        raise Misuse(f"for whom? Say it first: burstmail setup {'|'.join(TARGETS)} [options]")
    near = get_close_matches(word, TARGETS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(TARGETS)}"
    raise Misuse(f"setup {word!r}: {hint} (see burstmail setup --help)")


def _syslog_ng(arguments: Sequence[str]) -> Printed:
    from .stanzas import syslog_ng

    given = handed_over(arguments)
    must_read_standard_input(given, "syslog-ng")
    if "confirm" in given.options:
        raise Misuse("--confirm answers a logger that asks, and syslog-ng does not: leave it out")
    return syslog_ng(given), given.warnings


def _rsyslog(arguments: Sequence[str]) -> Printed:
    from .stanzas import rsyslog

    given = handed_over(arguments)
    must_read_standard_input(given, "rsyslog")
    return rsyslog(given), given.warnings


def _journald(arguments: Sequence[str]) -> Printed:
    words = list(arguments)
    if not names_a_file(words):
        words.append("--journal")
    given = handed_over(words)
    if "journal" not in given.options:
        if reads_others(given.options):
            raise Misuse("setup journald: that file reads no journal: write journal = true, or say setup systemd")
        words.append("--journal")
    if not given.chooses:
        words += ["--at-least", "err"]
    return _unit(given if words == arguments else handed_over(words), "journald")


def _systemd(arguments: Sequence[str]) -> Printed:
    return _unit(handed_over(arguments), "systemd")


def _unit(given: Handover, target: str) -> Printed:
    from .unit import notes, unit

    return unit(given, target), (*given.warnings, *notes(given))
