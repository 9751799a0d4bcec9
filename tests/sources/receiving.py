"""A SyslogSource that is read in a thread, and sockets that send to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from burstmail import Batch, SyslogSource

PATIENCE = 20.0


def until(what: str, probe: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until the probe is true."""
    end = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < end, f"no {what} within {seconds:g} s"
        time.sleep(0.005)


class Receiver:
    """What a source has received so far. At the end of its block the source is closed, and read to its end."""

    def __init__(self, *places: str | socket.socket, linger: float = 0.1, **options: Any) -> None:
        self.source = SyslogSource(*places, linger=linger, **options)
        self.batches: list[Batch] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        try:
            for batch in self.source:
                self.batches.append(batch)
        except BaseException as error:
            self._failure = error

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> list[str]:
        """Close the source and wait for its end."""
        self.source.close()
        return self.join()

    def join(self) -> list[str]:
        """Wait for the end of the source."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the source does not end"
        if self._failure:
            raise self._failure
        return self.lines

    @property
    def lines(self) -> list[str]:
        return [line for batch in self.batches for line in batch.lines]

    def wait(self, count: int) -> list[str]:
        """Wait for so many lines."""
        until(f"{count} lines, but {len(self.lines)}", lambda: sum(batch.count for batch in self.batches) >= count)
        return self.lines

    def port(self, scheme: str) -> int:
        (found,) = [urlsplit(url).port for url in self.source.addresses if url.startswith(scheme)]
        assert found
        return found

    def connect(self, scheme: str = "tcp") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port(scheme)), PATIENCE)

    def datagrams(self, *messages: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for message in messages:
                sender.sendto(message, ("127.0.0.1", self.port("udp")))


def is_closed(stream: socket.socket, seconds: float = PATIENCE) -> bool:
    """Whether the other side ends the connection, or resets it, within so many seconds."""
    stream.settimeout(seconds)
    try:
        return stream.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def numbered(who: str, numbers: Iterable[int]) -> list[bytes]:
    return [b"<38>Nov 23 10:00:00 web1 app: %s number %d" % (who.encode(), number) for number in numbers]
