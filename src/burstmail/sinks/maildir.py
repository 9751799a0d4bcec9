"""Message -> a file in a Maildir: delivery that needs no mail server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..core.model import Message
from ..errors import DeliveryError, TemporaryDeliveryError


class MaildirSink:
    """Delivers into `path`/new, made with tmp, new and cur (mode 0700) when it is not there.

    A file is complete and on the disk before it appears. Its name is made of the message's time and Message-ID, so that
    a message sent again replaces itself. Raises TemporaryDeliveryError when the disk refuses.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def __repr__(self) -> str:
        return f"MaildirSink({str(self._path)!r})"

    def send(self, item: Message) -> Mapping[str, DeliveryError]:
        """Write the message as maildir(5) says: into tmp, then by rename into new. Lines end in `\\n`, as on Unix."""
        unique = "".join(char if char.isalnum() or char in "-." else "_" for char in item.id.strip("<>"))
        name = f"{int(item.burst.time)}.{unique}"
        try:
            for folder in ("tmp", "new", "cur"):
                (self._path / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self._path / "tmp" / name, item.data.replace(b"\r\n", b"\n"))
            (self._path / "tmp" / name).replace(self._path / "new" / name)
            # Without this the file can be back under its old name after a power cut.
            _sync(self._path / "new")
        except OSError as error:
            raise TemporaryDeliveryError(f"cannot deliver into {self._path}: {error.strerror}") from None
        return {}

    def _write(self, path: Path, data: bytes) -> None:
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
