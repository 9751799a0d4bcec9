"""Options -> state directory and name. Where what must survive is kept, and under which name.

DIR/NAME/ belongs to one configuration: two that differ in what goes where never meet, and one that is only tuned (gaps,
caps, retries, filters) finds again what it had, and how far it has read. One that is a file is known by its path, and
whatever is in it may change. Nothing secret is in the name: a password is in no option, only its file is.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What is read, what a mail says and where it goes. Not how bursts and caps are cut: who tunes a cap in the middle of a
# flood wants what is held to come out all the same.
IDENTITY = (
    *("to", "sender", "subject", "sendmail", "smtp", "maildir"),
    *("files", "listen", "journal", "journal_matches", "journal_directory", "stdin"),
)
# Tuned like those, where the sources say what is read. What standard input is nobody can tell: two behind one logger
# may differ in nothing else.
PIPED = ("key", "include", "exclude", "programs", "at_least")
# Where lines come from, beside standard input.
SOURCES = ("files", "listen", "journal")
# Those that a .socket unit passes, as `--listen` says it.
SYSTEMD = "systemd"
# Said in another order, or twice, they are the same.
SETS = ("to", "files", "listen", "include", "exclude", "programs")
# A relative path means another file elsewhere.
PATHS = ("maildir", "journal_directory")
# Long enough that two configurations of one machine do not get the same by chance.
DIGITS = 10
# Behind the name of a file, which tells most of it: /etc/burstmail/web.toml is not ~/web.toml.
FEW = 6
# What of a file's name can be in one of ours, and how much of it.
UNUSABLE = re.compile(r"[^A-Za-z0-9_-]+")
STEM = 40
SYSTEM = "/var/lib/burstmail"
# What goes wrong before the name is known is told in the log of this one.
STARTUP = "startup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where this instance keeps what must survive."""

    root: str | None
    """DIR, absolute; None for nowhere."""
    name: str
    """NAME."""
    homeless: bool = False
    """Whether nothing is kept only because there is no place for it."""

    @property
    def directory(self) -> str | None:
        """DIR/NAME; None for nowhere."""
        return None if self.root is None else os.path.join(self.root, self.name)


def place_of(options: Mapping[str, Any], said: Mapping[str, Any] | None = None) -> Place:
    """The place that `--state` and `--name` say, or their defaults.

    `said` are those of the options that stand on the command line and not in a file.
    """
    if "config" in options:
        name = options.get("name") or name_of_file(options["config"], said or {})
    else:
        name = options.get("name") or name_of(options)
    if "state" in options:
        given = options["state"]
        return Place(root=None if given == "none" else os.path.abspath(given), name=name)
    if "print" in options or reads_a_file(options):
        # A trial run: what waits here for the daemon's recipients is none of its business.
        return Place(root=None, name=name)
    root = default_root()
    return Place(root=root, name=name, homeless=root is None)


def name_of(options: Mapping[str, Any]) -> str:
    """The name that follows from the options that say what goes where: ten hexadecimal digits."""
    from hashlib import sha256
    from json import dumps

    piped = reads_standard_input(options)
    told = {name: options[name] for name in (*IDENTITY, *(PIPED if piped else ())) if name in options}
    if not reads_others(options):
        told.pop("stdin", None)
    told |= {name: os.path.abspath(told[name]) for name in PATHS if name in told}
    if "files" in told:
        told["files"] = map(os.path.abspath, told["files"])
    if SYSTEMD in options.get("listen", ()):
        # The option says nothing of the sockets; unless named otherwise, they are called as their units.
        told["sockets"] = os.environ.get("LISTEN_FDNAMES", "")
    told |= {name: sorted(set(told[name])) for name in SETS if name in told}
    return sha256(dumps(told, sort_keys=True).encode()).hexdigest()[:DIGITS]


def name_of_file(path: str, said: Mapping[str, Any]) -> str:
    """The name of a configuration file: its own without the suffix, and six digits made of where it is.

    With other recipients or inputs on the command line it is another instance, for trying out: what waits for those of
    the file is none of its business.
    """
    from hashlib import sha256

    whole = os.path.abspath(path)
    stem = UNUSABLE.sub("-", os.path.splitext(os.path.basename(whole))[0]).strip("-")[:STEM] or "burstmail"
    others = name_of(said) if any(name in said for name in IDENTITY) else ""
    told = f"{whole}\0{others}".encode("utf-8", "surrogateescape")
    return f"{stem}-{sha256(told).hexdigest()[:FEW]}"


def default_root() -> str | None:
    """The first of $STATE_DIRECTORY; else /var/lib/burstmail for root, and the XDG state directory for others."""
    # systemd sets it (systemd.exec(5), StateDirectory=), with colons between several.
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if os.path.isabs(given):
        return given
    if os.geteuid() == 0:
        return SYSTEM
    base = os.environ.get("XDG_STATE_HOME", "")
    # XDG Base Directory Specification: a path that is not absolute is to be ignored.
    if not os.path.isabs(base):
        base = os.path.join(_home(), ".local", "state")
    return os.path.join(base, "burstmail") if os.path.isabs(base) else None


def _home() -> str:
    # A logger may pass on no environment at all (syslog-ng's inherit-environment(no)).
    if given := os.environ.get("HOME"):
        return given
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def reads_standard_input(options: Mapping[str, Any]) -> bool:
    """Whether standard input is read: where lines come from nowhere else, or it is asked for."""
    return "stdin" in options or not reads_others(options)


def reads_others(options: Mapping[str, Any]) -> bool:
    """Whether lines come from anywhere else than standard input."""
    return any(name in options for name in SOURCES)


def reads_a_file(options: Mapping[str, Any]) -> bool:
    """Whether standard input is read, and is a regular file."""
    try:
        return reads_standard_input(options) and stat.S_ISREG(os.fstat(0).st_mode)
    except OSError:
        return False
