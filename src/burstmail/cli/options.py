"""Arguments -> options. One parser; what is not given stays absent, so that every default has one home: the library."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from burstmail import __version__

from . import values
from .intake import add_filters, add_sources
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
    """The options given, by name."""
    parser = _mailing()
    known, unknown = parser.parse_known_args(arguments)
    # An unknown word first: whoever misspells --to has not forgotten it.
    if unknown:
        parser.error(_unknown(unknown[0]))
    options = vars(known)
    if "to" not in options:
        parser.error("--to ADDRESS is missing: to whom?")
    for address in options["to"]:
        if "," in address:
            parser.error(f"--to {address!r}: one address each; repeat --to for more")
    return options


def _unknown(word: str) -> str:
    name = word.partition("=")[0]
    if name.startswith("-"):
        return f"there is no option {name!r}"
    return f"{word!r} is no option, and no command: these are `burstmail queue` and `burstmail bundle`, in front of all"


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
    _add_mail(parser)
    add_sources(parser)
    add_filters(parser)
    _add_content(parser)
    _add_bursts(parser)
    _add_amount(parser)
    _add_destination(parser)
    _add_failures(parser)
    _add_keeping(parser)
    other = parser.add_argument_group("other")
    other.add_argument("--version", action="version", version=f"burstmail {__version__}", help="say the version")
    other.add_argument("-h", "--help", action="help", help="say this")
    return parser


def _add_mail(parser: Parser) -> None:
    group = parser.add_argument_group("the mail")
    group.add_argument(
        "--to",
        metavar="ADDRESS",
        action="append",
        help="recipient, required; repeatable; a local user such as root is fine",
    )
    group.add_argument("--from", metavar="ADDRESS", dest="sender", help="sender (default: user@host, fully qualified)")
    group.add_argument("--from-name", metavar="TEXT", dest="name_shown", help="name for the sender (default: none)")
    group.add_argument(
        "--subject",
        metavar="TEXT",
        type=told(values.subject),
        help="template; fields: {mark} {what} {host} {program} {key} {count} {lines} {duration} {bursts} {summary} "
        "{top} {severity} {reason} {first} {last} (default: [burstmail] {mark}: {what}: {summary}: {top}; an empty "
        "field takes what parts it from the next one along)",
    )
    group.add_argument(
        "--keep",
        metavar="HEAD+TAIL",
        type=told(values.keep),
        help="first and last lines of a burst that the mail shows; all are counted (default: 200+200)",
    )


def _add_content(parser: Parser) -> None:
    group = parser.add_argument_group("what is in it")
    group.add_argument(
        "--text-template",
        metavar="FILE",
        dest="text",
        type=told(values.text_template),
        help="the text, with $fields: those of --subject, and $opening $severity $facts $sources $timeline $patterns "
        "$lines (or $head $gap $tail) $left_out $attachment $notes $signature",
    )
    html = group.add_mutually_exclusive_group()
    html.add_argument(
        "--html-template", metavar="FILE", dest="html", type=told(values.html_template), help="the HTML likewise"
    )
    html.add_argument("--text-only", dest="html", action="store_const", const=False, help="no HTML")
    _add_lines(group)
    group.add_argument(
        "--no-threads", dest="threads", action="store_const", const=False, help="no References: each mail stands alone"
    )


def _add_lines(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--redact",
        metavar="NAMES",
        type=told(values.redact),
        help="what is taken out of lines, joined by commas: urls (passwords in them), passwords, tokens; or none "
        "(default: all three; functions of your own need a script)",
    )
    group.add_argument(
        "--attach",
        metavar="SIZE",
        type=told(values.attach),
        help="largest burst.log.gz, which is there when the mail does not show all lines; or none (default: 1,000,000)",
    )
    group.add_argument(
        "--mask",
        metavar="REGEX",
        dest="masks",
        action="append",
        type=told(values.mask),
        help="what else varies in lines that are to be counted as one; repeatable",
    )
    group.add_argument(
        "--no-patterns", dest="patterns", action="store_const", const=False, help="do not count lines by pattern"
    )


def _add_bursts(parser: Parser) -> None:
    group = parser.add_argument_group("what is one burst")
    duration, size = told(values.duration), told(values.size)
    group.add_argument("--gap", metavar="DURATION", type=duration, help="ends after so much quiet (default: 5s)")
    group.add_argument(
        "--max-age", metavar="DURATION", type=duration, help="ends at this age, quiet or not (default: 60s)"
    )
    group.add_argument("--max-lines", metavar="COUNT", type=told(values.count), help="ends with this many lines")
    group.add_argument("--max-bytes", metavar="SIZE", type=size, help="ends at this size")
    group.add_argument(
        "--key",
        metavar="FIELDS",
        help="a burst of its own for each value of these, joined by commas: host, program, pid, facility, severity "
        "(default: one for all)",
    )


def _add_amount(parser: Parser) -> None:
    group = parser.add_argument_group("how much mail (what is over waits, merged and counted)")
    group.add_argument(
        "--cap",
        metavar="COUNT/TIME",
        dest="caps",
        action="append",
        type=told(values.cap),
        help="mails at most, over all keys; repeatable, together they replace the default (3/min and 5/15min)",
    )
    group.add_argument(
        "--cool-down",
        metavar="FIRST..LONGEST",
        type=told(values.cool_down),
        help="rest of one key after its first mail, doubling while it goes on; or off (default: 1m..15m)",
    )


def _add_destination(parser: Parser) -> None:
    group = parser.add_argument_group("where to (one of --sendmail, --smtp, --maildir, --print)")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--sendmail", metavar="PATH", help="through this program (default: found in the usual places)")
    one.add_argument(
        "--smtp",
        metavar="URL",
        help="smtp://[user@]host[:port] (STARTTLS unless on loopback without a user; ?tls=off for none) or "
        "smtps://[user@]host[:port]; a recipient without a domain gets this host's name",
    )
    one.add_argument("--maildir", metavar="DIR", help="into a Maildir, made if missing; needs no mail server")
    one.add_argument("--print", action="store_true", help="on standard output, decoded: for trying things out")
    group.add_argument(
        "--password-file",
        metavar="FILE",
        dest="password",
        type=told(values.secret),
        help="its first line is the password of --smtp's user; only its owner may read it; a bare name is first looked "
        "for in $CREDENTIALS_DIRECTORY (systemd's LoadCredential)",
    )
    group.add_argument(
        "--smtp-ca",
        metavar="FILE",
        type=told(values.certificates),
        help="trust these certificates (PEM) instead of the system's",
    )


def _add_failures(parser: Parser) -> None:
    group = parser.add_argument_group("when it cannot be delivered")
    duration = told(values.duration)
    group.add_argument(
        "--backoff",
        metavar="FIRST..LONGEST",
        type=told(values.backoff),
        help="rest of the destination after a failure, doubling while it goes on (default: 30s..30m)",
    )
    group.add_argument(
        "--give-up",
        metavar="DURATION",
        type=duration,
        help="how long a mail is tried; then it is dead, and `burstmail queue` shows it (default: 3d)",
    )
    group.add_argument(
        "--grace", metavar="DURATION", type=duration, help="for deliveries at the end; the rest is kept (default: 4s)"
    )


def _add_keeping(parser: Parser) -> None:
    group = parser.add_argument_group("what survives, and where that is told")
    group.add_argument(
        "--state",
        metavar="DIR",
        type=told(values.path),
        help="keep it in DIR/NAME/, or none (default: $STATE_DIRECTORY, else /var/lib/burstmail for root, else "
        "~/.local/state/burstmail; none with --print, or when standard input is a file)",
    )
    group.add_argument(
        "--name",
        metavar="NAME",
        type=told(values.name),
        help="what this one is called (default: made from --to, --from, --subject, the destination and the sources; "
        "where standard input is read, also from --key, --include, --exclude, --program and --at-least)",
    )
    group.add_argument(
        "--sync",
        metavar="WHEN",
        choices=("batch", "burst", "off"),
        help="when it must have reached the disk: batch, each read; burst, each mail and each second; off, when the "
        "system likes (default: burst)",
    )
    _add_words(group)


def _add_words(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--log",
        metavar="FILE",
        type=told(values.path),
        help="a file of at most 512k and one older, or stderr, or none (default: stderr; DIR/NAME/log when that is "
        "/dev/null)",
    )
    group.add_argument(
        "--confirm",
        action="store_true",
        help="answer each line on standard output once it is on the disk: rsyslog's omprog with confirmMessages",
    )


def first_look(arguments: Sequence[str]) -> dict[str, Any]:
    """What can be found of `--state`, `--name` and `--log`, whatever else is wrong: where to tell of that."""
    parser = Parser(argument_default=argparse.SUPPRESS, allow_abbrev=False, add_help=False)
    _add_keeping(parser)
    try:
        return vars(parser.parse_known_args(arguments)[0])
    except Misuse:
        return {}
