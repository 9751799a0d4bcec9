"""Keep: how much of some lines is kept and shown; and where a text has to be cut for it.

A run of lines is a text in which each line is ended by a newline; it is cut between lines only. The first line and the
last one always fit: a burst without any would explain nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from .kinds import numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much of a burst is kept. The rest is counted, by number and by pattern."""

    # 200 + 200 lines and 64 KiB: large enough to explain a burst, and well below the 100 kB at which providers clip.
    head: int = 200
    """First lines that are shown."""
    tail: int = 200
    """Last lines that are shown."""
    bytes: int = 65536
    """Bytes of both together, shared in proportion to head and tail."""
    # What a mail can carry along when it is compressed, and six times in the budget of an Aggregator.
    log: int = 1048576
    """Bytes of all lines that are kept, half of them first and half of them last; never less than is shown."""

    def __post_init__(self) -> None:
        numbers("Keep", head=self.head, tail=self.tail, bytes=self.bytes, log=self.log)
        for name in ("head", "tail", "log"):
            if getattr(self, name) < 0:
                raise ValueError(f"Keep({name}={getattr(self, name)!r}): must be 0 or more")
        if self.head + self.tail < 1:
            raise ValueError("Keep(head=0, tail=0): keep at least one line")
        if self.bytes < 1:
            raise ValueError(f"Keep(bytes={self.bytes!r}): must be 1 or more")

    @property
    def head_bytes(self) -> int:
        """The head's share of `bytes`."""
        return self.bytes * self.head // (self.head + self.tail)

    @property
    def tail_bytes(self) -> int:
        """The tail's share of `bytes`."""
        return self.bytes - self.head_bytes

    @property
    def front_bytes(self) -> int:
        """The share of the first lines in `log`."""
        return max(self.log - self.log // 2, self.head_bytes)

    @property
    def back_bytes(self) -> int:
        """The share of the last lines in `log`."""
        return max(self.log // 2, self.tail_bytes)


def opening(text: str, room: int) -> int:
    """How many characters the longest run of first lines has that fits into `room` bytes; one line always does."""
    room = max(0, room)
    # No more characters than bytes can fit, and a cut character cannot hold the newline.
    start = text[:room]
    if start.isascii():
        end = start.rfind("\n") + 1
    else:
        raw = start.encode()
        end = len(raw[: raw.rfind(b"\n", 0, room) + 1].decode())
    return end or text.find("\n") + 1


def ending(text: str, room: int) -> int:
    """At which character the longest run of last lines begins that fits into `room` bytes; one line always does."""
    room = max(0, room)
    # One more than can fit: it tells whether a line begins just there.
    behind = max(0, len(text) - room - 1)
    end = text[behind:] if behind else text
    size = len(end) if end.isascii() else len(end.encode())
    if size <= room:
        return 0
    if size == len(end):
        start = behind + end.find("\n", size - room - 1) + 1
    else:
        raw = end.encode()
        start = len(text) - len(raw[raw.find(b"\n", size - room - 1) + 1 :].decode())
    return start if start < len(text) else text.rfind("\n", 0, -1) + 1


def first_lines(text: str, count: int) -> list[str]:
    """At most `count` lines, without their newlines."""
    return text.split("\n", count)[:-1]


def last_lines(text: str, count: int) -> list[str]:
    """At most `count` lines, without their newlines."""
    return text.rsplit("\n", count + 1)[:-1][-count:] if count else []
