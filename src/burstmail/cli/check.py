"""Options -> what they mean, or all that is wrong with them. `burstmail check`; it opens and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from .channel import put
from .configuration.proof import examine
from .explain import explain
from .options import parse
from .place import place_of
from .status import MISUSE, OK

HELP = """\
usage: burstmail check -c FILE [options]
       burstmail check --to ADDRESS [options]

Say what burstmail would do with this configuration file, or with these options: where lines come from, which of them
are mailed to whom, when, and how many mails an hour that is at most. Reads no lines, sends nothing and touches nothing.
The options are those of burstmail (see burstmail --help).

exit status: 0 it can be used; 78 it cannot, and standard error says why: one line for each thing that is wrong, with
the file and the line. What is only doubtful is said there too.
"""


def command(arguments: Sequence[str]) -> int:
    """`burstmail check`. Raises Misuse for options that cannot be read."""
    if {"-h", "--help"} & set(arguments):
        put(1, *HELP.splitlines())
        return OK
    said = parse(arguments)
    found = examine(said)
    put(2, *map(str, found.problems), *map(str, found.warnings))
    if found.problems:
        return MISUSE
    place = place_of(found.options, said)
    whose = f"{said['config']} can be used. " if "config" in said else ""
    put(1, f"{whose}As {place.name}, it would do this:", "", *explain(found.options, place))
    return OK
