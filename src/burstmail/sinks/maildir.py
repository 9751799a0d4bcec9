"""Message -> a file in a Maildir: delivery that needs no mail server."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..core.kinds import paths
from ..core.model import Message
from ..errors import DeliveryError, TemporaryDeliveryError
from . import mail
from .steps import Step, Watch, line, tell


class MaildirSink:
    """Delivers into `path`/new, made with tmp, new and cur (mode 0700) when it is not there.

    A file is complete and on the disk before it appears. Its name is made of the message's time and Message-ID, so that
    a message sent again replaces itself, as long as no mail reader has moved it. `watch` is called with every Step.
    Raises TemporaryDeliveryError when the disk refuses.
    """

    def __init__(self, path: str | os.PathLike[str], *, watch: Watch | None = None) -> None:
        paths(path=path)
        self._path = os.fspath(path)
        self._watch = watch

    def __repr__(self) -> str:
        return f"MaildirSink({self._path!r})"

    def send(self, item: Message) -> Mapping[str, DeliveryError]:
        """Write the message as maildir(5) says: into tmp, then by rename into new. Lines end in `\\n`, as on Unix."""
        message = mail(item)
        name = _name(message)
        try:
            self._make()
            self._write(name, message.data.replace(b"\r\n", b"\n"))
        except OSError as error:
            told = error.strerror or type(error).__name__
            step = Step(
                name="Maildir", words=line(told), about=line(self._path), reason="system", code=error.errno or 0
            )
            tell(self._watch, step)
            raise TemporaryDeliveryError(f"cannot deliver into Maildir {self._path}: {told}") from None
        tell(self._watch, Step(name="Maildir", words=line(os.path.join("new", name)), about=line(self._path)))
        return {}

    def _make(self) -> None:
        new = not os.path.isdir(self._path)
        # One by one: makedirs() gives its mode to the last directory only.
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), exist_ok=True)
        for folder in ("", "tmp", "new", "cur"):
            try:
                os.mkdir(os.path.join(self._path, folder), 0o700)
            except FileExistsError:
                continue
            new = True
        if new:
            _sync(self._path)
            _sync(os.path.dirname(os.path.abspath(self._path)))

    def _write(self, name: str, data: bytes) -> None:
        draft = os.path.join(self._path, "tmp", name)
        # What a crash left behind, or somebody put there for us to follow.
        if os.path.lexists(draft):
            os.unlink(draft)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(fd)
            os.replace(draft, os.path.join(self._path, "new", name))
        except OSError:
            # On a full disk half a mail is in everybody's way.
            os.unlink(draft)
            raise
        # Without this the file can be back under its old name after a power cut.
        _sync(os.path.join(self._path, "new"))


def _name(message: Message) -> str:
    # A slash or a colon means something in a Maildir; 150 keeps clear of the 255 bytes a name may have.
    unique = "".join(char if char.isalnum() or char in "-." else "_" for char in message.id.strip("<>"))
    return f"{int(message.burst.time)}.{unique[:150]}"


def _sync(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
