"""Where a store's files lie, who may touch them, and who has them now.

The directory and all files in it are the user's own: no links, nobody else may write. Two locks, both gone with the
process that held them: `lock` says who has the store, `door` guards the few moments in which its files are swapped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..errors import StoreError

DATABASE, JOURNAL = "store.db", "store.journal"
# Beside a database in WAL mode; they belong to it and move with it.
COMPANIONS = ("-wal", "-shm")
DAMAGED = 3
# Seconds between two tries at the door, and how many: 5 s, as for the database's own lock.
PAUSE, TRIES = 0.01, 500


class Place:
    """A directory with a database. Every method raises StoreError, in one line, when the system refuses."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = os.path.abspath(os.fsdecode(directory))
        self.database = self.path(DATABASE)
        self.journal = self.path(JOURNAL)
        self.draft = self.path(DATABASE + ".new")
        # Not empty while somebody is in a transaction.
        self.mark = self.path("door")
        self._lock: int | None = None
        self._owner = 0

    def path(self, name: str) -> str:
        """A file in the directory."""
        return os.path.join(self.directory, name)

    def prepare(self) -> None:
        """Make the directory if it is not there; refuse it when somebody else could change what is in it."""
        with told(f"cannot use the directory {self.directory}"):
            _make(self.directory)
            found = os.lstat(self.directory)
            _own(self.directory, found, "directory", stat.S_ISDIR)
            if found.st_mode & 0o022:
                raise StoreError(f"{self.directory} is writable for others: chmod go-w, or choose another directory")
            parent = os.path.dirname(self.directory)
            above = os.stat(parent)
            mode = above.st_mode
            if above.st_uid not in (0, os.geteuid()):
                whose = f"{parent} belongs to user {above.st_uid}"
                raise StoreError(f"{whose}, who could swap {self.directory}: choose another directory")
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                raise StoreError(f"{parent} is writable for all, who could swap {self.directory}: chmod o-w {parent}")
            for path in (self.path("lock"), self.path("door")):
                if not self.check(path):
                    raise StoreError(f"{path} is no file: remove it")

    def check(self, *paths: str) -> bool:
        """Whether these are files, where they exist at all. False is damage.

        Raises StoreError for files that are somebody else's, and for links.
        """
        with told(f"cannot look at {paths[0]}"):
            files = [self._check(path) for path in paths]
        return all(files)

    @property
    def files(self) -> tuple[str, ...]:
        """The database and its companions."""
        return tuple(self.database + end for end in ("", *COMPANIONS))

    def take(self) -> bool:
        """Get the store for this process; False when somebody else has it. Kept until `release`."""
        with told(f"cannot lock {self.directory}"):
            if self._lock is not None and self._still("lock", self._lock):
                return True
            self.release()
            fd = self._open("lock")
            if not _locked(fd):
                os.close(fd)
                return False
            self._lock, self._owner = fd, os.getpid()
        return True

    def release(self) -> None:
        """Let go of the store."""
        fd, self._lock = self._lock, None
        if fd is not None:
            _unlock(fd, self._owner)

    @property
    def taken(self) -> bool:
        """Whether this process has the store, and the lock is still the one that others see."""
        return self._lock is not None and self._still("lock", self._lock)

    @contextmanager
    def door(self) -> Iterator[None]:
        """Nobody else swaps files, or leaves entries in them, meanwhile."""
        from time import sleep

        with told(f"cannot lock {self.directory}"):
            fd, owner = self._open("door"), os.getpid()
        try:
            tries = TRIES
            while not _locked(fd):
                if not (tries := tries - 1):
                    raise StoreError(f"{self.path('door')} has been locked for 5 s: is another burstmail stopped?")
                sleep(PAUSE)
            yield
        finally:
            _unlock(fd, owner)

    def identity(self) -> tuple[int, int] | None:
        """Which file the database is; None when there is none."""
        try:
            found = os.lstat(self.database)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def create(self) -> None:
        """An empty draft, 0600, for a new database."""
        with told(f"cannot create {self.draft}"):
            self.discard()
            os.close(os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))

    def discard(self) -> None:
        """No draft any more."""
        for end in ("", "-journal", *COMPANIONS):
            _remove(self.draft + end)

    def keep(self, path: str, kept: str) -> None:
        """Move a damaged file aside."""
        with told(f"cannot move {path} aside"):
            _remove(kept)
            os.replace(path, kept)
            synced(self.directory)

    def install(self, kept: str) -> None:
        """Put the draft into the database's place; what is there is kept as `kept`."""
        with told(f"cannot replace {self.database}"):
            for end in ("", *COMPANIONS):
                _remove(kept + end)
            # The database first: without it, and with a draft, the next start goes on from here.
            for end in ("", "-wal"):
                if os.path.lexists(self.database + end):
                    os.replace(self.database + end, kept + end)
            _remove(self.database + "-shm")
            os.replace(self.draft, self.database)
            synced(self.directory)

    def slot(self, path: str) -> str:
        """A name to keep a damaged file under: a free one, else the oldest's."""
        names = [f"{path}.damaged-{number}" for number in range(1, DAMAGED + 1)]
        return min(names, key=lambda name: os.lstat(name).st_ctime if os.path.lexists(name) else 0.0)

    def _still(self, name: str, fd: int) -> bool:
        try:
            there = os.lstat(self.path(name))
        except OSError:
            return False
        return os.path.samestat(os.fstat(fd), there)

    def _open(self, name: str) -> int:
        return os.open(self.path(name), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def _check(self, path: str) -> bool:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return True
        if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
            _own(path, found, "file", stat.S_ISREG)
            if found.st_nlink > 1:
                raise StoreError(f"{path} has a second name (a hard link): remove one of the two")
            if found.st_mode & 0o077:
                os.chmod(path, 0o600)
        return stat.S_ISREG(found.st_mode)


@contextmanager
def told(what: str) -> Iterator[None]:
    """An OSError becomes a StoreError that says what could not be done."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{what}: {error.strerror or error}") from None


def synced(folder: str) -> None:
    """New names in a directory survive a power cut only after this."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _make(folder: str) -> None:
    if not os.path.lexists(folder):
        _make(os.path.dirname(folder))
        # With the mode of its last directory for all of them, which makedirs() does not do.
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            synced(os.path.dirname(folder))


def _own(path: str, found: os.stat_result, kind: str, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(found.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(found.st_mode) else f"no {kind}"
        raise StoreError(f"{path} is {what}: remove it, or choose another directory")
    if found.st_uid != os.geteuid():
        raise StoreError(f"{path} belongs to user {found.st_uid}, not {os.geteuid()}: run as that user, or chown it")


def _locked(fd: int) -> bool:
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(fd: int, owner: int) -> None:
    import fcntl

    # Not only closed: a process forked meanwhile holds the same lock. And in such a process: only closed.
    # An error here is nobody's: what was to be done under the lock is done, and the lock goes with the descriptor.
    if owner == os.getpid():
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)
    with suppress(OSError):
        os.close(fd)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        from shutil import rmtree

        rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
