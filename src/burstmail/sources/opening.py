"""path -> descriptor. Only of a regular file, without waiting, and through no link that somebody has laid as a trap.

Who may write to a log directory, and nothing else, could let root read and mail any file by a symbolic link. So a link
is followed if it belongs to root, to us, or to the owner of the file that it leads to: nobody gains anything then. That
goes for links anywhere in a path: one in the place of a directory leads to other files just as well.
What is no regular file is never opened: a FIFO would wait, and a device may do anything.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from zlib import crc32

from ..core.follow import WINDOW, Status

# As many as Linux itself follows are 40; a log that takes more than eight is a mistake.
LINKS = 8
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def status_of(result: os.stat_result) -> Status:
    """What of stat(2) is used. Raises OSError for what is no regular file."""
    if not stat.S_ISREG(result.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return Status(device=result.st_dev, inode=result.st_ino, size=result.st_size, time=result.st_mtime_ns)


def opened(path: str) -> tuple[int, Status]:
    """A descriptor to read from. Raises OSError."""
    status_of(os.stat(path))
    owners: list[int] = []
    return _checked(_entered(path, owners), {*owners})


def _entered(path: str, owners: list[int]) -> int:
    """The open file. Its path is gone part by part, and each is held, so that no link is followed but those seen."""
    here = os.open("/" if path.startswith("/") else ".", _LOOK)
    ahead = _parts(path)
    try:
        while True:
            part = ahead.pop()
            if (target := _target(part, here, owners)) is not None:
                ahead += _parts(target)
                here = _stepped(here, "/") if target.startswith("/") else here
            elif ahead:
                here = _stepped(here, part)
            else:
                return os.open(part, _READ, dir_fd=here)
    finally:
        os.close(here)


def _parts(path: str) -> list[str]:
    """The last one first. What ends in a slash is a directory."""
    return [part or "." for part in reversed(path.split("/"))]


def _stepped(here: int, part: str) -> int:
    there = os.open(part, _LOOK, dir_fd=here)
    os.close(here)
    return there


def _target(part: str, here: int, owners: list[int]) -> str | None:
    """Where it leads to if it is a link, whose owner is then among the owners."""
    link = os.open(part, _LOOK, dir_fd=here)
    try:
        status = os.fstat(link)
        if not stat.S_ISLNK(status.st_mode):
            return None
        owners.append(status.st_uid)
        if len(owners) > LINKS:
            raise OSError(errno.ELOOP, "too many symbolic links")
        return os.readlink("", dir_fd=link)
    finally:
        os.close(link)


def _checked(fd: int, owners: set[int]) -> tuple[int, Status]:
    try:
        result = os.fstat(fd)
        if owners - {0, os.geteuid(), result.st_uid}:
            raise OSError(errno.EPERM, "a symbolic link of neither root nor the file's owner leads to it")
        return fd, status_of(result)
    except BaseException:
        os.close(fd)
        raise


def checksums(fd: int) -> Callable[[int], int | None]:
    """Of an open file: the checksum before an offset, as a mark has it; None when it cannot be read."""

    def before(offset: int) -> int | None:
        start = max(0, offset - WINDOW)
        try:
            data = os.pread(fd, offset - start, start)
        except OSError:
            return None
        return crc32(data) if len(data) == offset - start else None

    return before
