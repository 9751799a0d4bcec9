"""path -> descriptor. Only of a regular file, without waiting, and through no link that somebody has laid as a trap.

Who may write to a log directory, and nothing else, could let root read and mail any file by a symbolic link. So a link
is followed if it belongs to root, to us, or to the owner of the file that it leads to: nobody gains anything then.
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


def status_of(result: os.stat_result) -> Status:
    """What of stat(2) is used. Raises OSError for what is no regular file."""
    if not stat.S_ISREG(result.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return Status(device=result.st_dev, inode=result.st_ino, size=result.st_size, time=result.st_mtime_ns)


def opened(path: str) -> tuple[int, Status]:
    """A descriptor to read from. Raises OSError."""
    status_of(os.stat(path))
    owners: set[int] = set()
    for _ in range(LINKS):
        fd, target = _entered(path, owners)
        if target is None:
            return _checked(fd, owners)
        path = os.path.join(os.path.dirname(path), target)
    raise OSError(errno.ELOOP, "too many symbolic links")


def _entered(path: str, owners: set[int]) -> tuple[int, str | None]:
    """The open file; or where a link leads to, whose owner is then among the owners."""
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    # Held, so that the one whose owner is asked for is the one that is followed.
    link = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        owners.add(os.fstat(link).st_uid)
        return -1, os.readlink("", dir_fd=link)
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
