"""Options of where lines come from, and of which of them count: how they are written."""

from __future__ import annotations

import argparse

from . import values
from .values import told


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Where lines come from. Without any of these: standard input."""
    group = parser.add_argument_group("where lines come from (default: standard input; several at once are fine)")
    group.add_argument(
        "--file",
        metavar="PATTERN",
        dest="files",
        action="append",
        type=told(values.path),
        help="follow a log file, as tail -F does, through rotations and restarts; or all that fit a pattern such as "
        "'/var/log/app/*.log'; repeatable",
    )
    group.add_argument(
        "--listen",
        metavar="URL",
        action="append",
        type=told(values.path),
        help="receive syslog at udp://ADDRESS:PORT, tcp://ADDRESS:PORT, tls://ADDRESS:PORT or unix:///PATH; or "
        "systemd, for the sockets that a .socket unit passes; repeatable",
    )
    group.add_argument("--journal", action="store_true", help="follow the systemd journal")
    group.add_argument("--stdin", action="store_true", help="read standard input too, beside any of these")
    _add_senders(group)
    _add_journal(group)


def _add_senders(group: argparse._ArgumentGroup) -> None:
    path = told(values.path)
    group.add_argument(
        "--from-beginning",
        action="store_true",
        help="where nothing has been read before, read --file and --journal from their beginning (default: what comes "
        "from now on)",
    )
    group.add_argument("--tls-cert", metavar="FILE", type=path, help="certificate of tls:// (PEM), with its chain")
    group.add_argument("--tls-key", metavar="FILE", type=path, help="its key (default: it is in --tls-cert)")
    group.add_argument(
        "--tls-client-ca",
        metavar="FILE",
        type=path,
        help="let in only clients with a certificate of this authority (default: all)",
    )
    group.add_argument(
        "--allow",
        metavar="NETWORK",
        action="append",
        help="take syslog from these addresses only, such as 192.0.2.0/24; repeatable (default: from all)",
    )


def _add_journal(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--journal-match",
        metavar="FIELD=VALUE",
        dest="journal_matches",
        action="append",
        help="entries that journalctl finds by this, such as _SYSTEMD_UNIT=ssh.service; repeatable (default: all)",
    )
    group.add_argument(
        "--journal-directory",
        metavar="DIR",
        type=told(values.path),
        help="a directory of journal files (default: the machine's own journal)",
    )


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Which lines count."""
    group = parser.add_argument_group(
        "which lines count (all of what is given must be so; what is left out is counted)"
    )
    _add_words(group)
    _add_fields(group)
    _add_timed(group)


def _add_words(group: argparse._ArgumentGroup) -> None:
    regex = told(values.expression)
    group.add_argument(
        "--include",
        metavar="REGEX",
        action="append",
        type=regex,
        help="lines with this in their message, of which it sees the first 4,096 characters; repeatable: any of them "
        "(default: all)",
    )
    group.add_argument(
        "--exclude", metavar="REGEX", action="append", type=regex, help="not those with this in it; repeatable"
    )


def _add_fields(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--program",
        metavar="NAME",
        dest="programs",
        action="append",
        type=told(values.program),
        help="lines of this program; * and ? stand for anything; repeatable: any of them (default: all)",
    )
    group.add_argument(
        "--at-least",
        metavar="SEVERITY",
        type=told(values.severity),
        help="lines of this severity or worse: debug, info, notice, warning, err, crit, alert, emerg; not those that "
        "tell none (default: all lines)",
    )


def _add_timed(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--join",
        action="store_true",
        help="stack traces are one with the line before them, also for the other options of this group",
    )
    group.add_argument(
        "--threshold",
        metavar="COUNT/TIME",
        type=told(values.threshold),
        help="only what comes so often, by --key, such as 10/5m; what does not is counted in the next mail (default: "
        "all)",
    )
    group.add_argument(
        "--urgent",
        metavar="REGEX",
        action="append",
        type=told(values.expression),
        help="a line with this in it is mailed at once, with all that is open with it; one mail of each --cap is for "
        "such lines only; repeatable",
    )
