"""Handover -> Access. Which files a service with these options reads and writes, and as whom it may.

It looks at the files that are there now: their owners, groups and modes. What the service could not read is told.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..place import SYSTEMD
from .handover import Handover

# Postfix: its sendmail hands the mail to this one, which gains a group by its file's mode.
POSTDROP = "/usr/sbin/postdrop"
POSTFIX, OTHER = "postfix", "other"
OWN_USER = "burstmail"
JOURNAL_GROUP = "systemd-journal"
HOMES = ("/home", "/root", "/run/user")
TEMPORARY = ("/tmp", "/var/tmp")
# Below these only root, or who has the capability, may listen (ip(7)).
PRIVILEGED = 1024
# Options that are paths of files to be read: those that hold what is in the file stand among the paths given.
FILES = ("smtp_ca", "tls_cert", "tls_key", "tls_client_ca", "journal_directory")
GIVEN = ("config", "text", "html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a service needs."""

    user: str = ""
    """Whom it runs as; empty for a user that systemd makes while it runs (DynamicUser=)."""
    groups: tuple[str, ...] = ()
    """What it must belong to, to read what it reads."""
    writes: tuple[str, ...] = ()
    """Directories it writes to, beside its own."""
    sendmail: str = ""
    """POSTFIX, or OTHER, where somebody else's program takes the mail."""
    listens: bool = False
    low_port: bool = False
    touched: tuple[str, ...] = field(default=(), repr=False)
    """All paths it uses."""
    unreadable: tuple[str, ...] = ()
    unrunnable: tuple[str, ...] = ()
    """What of its own program it could not reach."""

    @property
    def homes(self) -> bool:
        """Whether any of it is in a home directory."""
        return any(_is_in(path, HOMES) for path in self.touched)

    @property
    def temporary(self) -> bool:
        """Whether any of it is in a directory of temporary files."""
        return any(_is_in(path, TEMPORARY) for path in self.touched)


def access(given: Handover) -> Access:
    """What these options need."""
    options = given.options
    sendmail = _sendmail(given)
    maildir = os.path.abspath(options["maildir"]) if "maildir" in options else ""
    user = _owner(maildir) if maildir else OWN_USER if sendmail else ""
    read = list(dict.fromkeys(_read(given)))
    doors = [_door(path, user) for path in read]
    groups = [JOURNAL_GROUP] if "journal" in options and "journal_directory" not in options else []
    listen = [urlsplit(url) for url in options.get("listen", ()) if url != SYSTEMD]
    writes = [_existing(maildir)] if maildir else []
    return Access(
        user=user,
        groups=tuple(dict.fromkeys([*groups, *(group for door in doors for group in door or ())])),
        writes=tuple(writes),
        sendmail=sendmail,
        listens=bool(options.get("listen")),
        low_port=any(url.scheme != "unix" and 0 < (url.port or 0) < PRIVILEGED for url in listen),
        touched=(*read, *writes, *(word for word in given.program if os.path.isabs(word))),
        unreadable=tuple(path for path, door in zip(read, doors, strict=True) if door is None),
        unrunnable=tuple(word for word in given.program if os.path.isabs(word) and not _reached(word, user)),
    )


def _reached(program: str, user: str) -> bool:
    """Whether everybody may run it, where it is called and where it is: pipx makes links into its own home."""
    return all(_door(path, user) == () for path in (program, os.path.realpath(program)))


def _sendmail(given: Handover) -> str:
    options = given.options
    if "smtp" in options or "maildir" in options:
        return ""
    # Distributions give their several sendmails names like sendmail.postfix.
    name = os.path.basename(os.path.realpath(options.get("sendmail", "/usr/sbin/sendmail")))
    return POSTFIX if name.startswith("sendmail") and os.path.exists(POSTDROP) else OTHER


def _read(given: Handover) -> Iterator[str]:
    from glob import glob

    yield from (given.paths[name] for name in GIVEN if name in given.paths)
    yield from (os.path.abspath(given.options[name]) for name in FILES if name in given.options)
    for pattern in given.options.get("files", ()):
        pattern = os.path.abspath(pattern)
        yield from glob(pattern, recursive=True) or [os.path.dirname(pattern)]


def _door(path: str, user: str) -> tuple[str, ...] | None:
    """The groups that let somebody else read it; None where none does."""
    groups: list[str] = []
    while True:
        group = _group(path, user, stat.S_IROTH if not groups and os.path.isfile(path) else stat.S_IXOTH)
        if group is None:
            return None
        groups += [group] * bool(group)
        if (above := os.path.dirname(path)) == path:
            return tuple(groups)
        path = above


def _group(path: str, user: str, everybody: int) -> str | None:
    """The group that a right depends on: empty where everybody has it, None where only the owner has."""
    import grp

    try:
        found = os.stat(path)
    except OSError:
        # What is not there yet will be readable, or be told of in the log.
        return ""
    if found.st_mode & everybody or (user and _uid(user) == found.st_uid):
        return ""
    if not found.st_mode & everybody << 3:
        return None
    try:
        return grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        return str(found.st_gid)


def _uid(user: str) -> int:
    import pwd

    try:
        return int(user) if user.isdecimal() else pwd.getpwnam(user).pw_uid
    except KeyError:
        return -1


def _owner(path: str) -> str:
    """Who owns a directory that is there, or in which it would be made."""
    import pwd

    owner = os.stat(_existing(path)).st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
