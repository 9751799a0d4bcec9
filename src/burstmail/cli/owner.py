"""Root -> the owner of a state directory. Who looks after a service is root, and what it keeps is the service's.

A user that systemd makes (DynamicUser=) has no name to run a command as, and may enter the directory only from inside
of the service: so we go in as root, and give up being root there. What root would make in it the service could not
read; and root must not trust what somebody else may have put there: links lead nowhere outside any more.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module

# What is imported when it is needed: from inside it cannot be.
NEEDED = (
    *("sqlite3", "json", "fcntl", "time", "shutil", "zlib", "difflib", "traceback", "linecache", "textwrap"),
    *("email.parser", "email.policy", "email.utils", "email.header", "email.generator", "email.headerregistry"),
    *("email.contentmanager", "email.message", "email.iterators", "email.quoprimime", "email.base64mime"),
    *("quopri", "base64", "binascii", "datetime", "calendar", "locale"),
    *("encodings.utf_8", "encodings.ascii", "encodings.latin_1", "encodings.raw_unicode_escape", "encodings.idna"),
)


def entered(root: str) -> str:
    """The path of this directory for the rest of the process, which is its owner's from now on, if it was root's."""
    if os.geteuid() != 0:
        return root
    try:
        found = os.stat(root)
    except OSError:
        # Whoever reads it tells of it.
        return root
    if found.st_uid == 0:
        return root
    for name in NEEDED:
        import_module(name)
    group = _group(found.st_uid, found.st_gid)
    # In a container it may be forbidden; then its owner's rights have to do.
    with suppress(PermissionError):
        os.chroot(root)
        os.chdir("/")
        root = "/"
    with suppress(PermissionError):
        os.setgroups([])
    os.setgid(group)
    os.setuid(found.st_uid)
    return root


def _group(user: int, group: int) -> int:
    """That of the user, if it is known here: the directory may be in the group of whoever has made it."""
    import pwd

    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return group
