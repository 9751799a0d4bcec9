"""Mails -> what they tell of numbered lines: which were shown, how many only counted, what came twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

from tests.cli.process import shown, text_of


class Told:
    """What the mails of a Maildir tell of numbered lines, so far. `number` finds a line's number in a mail's text.

    `faults` says what must never be: a Message-ID with two contents, a mail whose header counts what it does not show;
    with `ordered`, one whose lines are not in order.
    """

    def __init__(self, maildir: Path, number: str, *, ordered: bool = False) -> None:
        self._new = maildir / "new"
        self._number = re.compile(number)
        self._ordered = ordered
        self._seen: dict[str, int] = {}
        self._bytes: dict[str, bytes] = {}
        self.ids: dict[int, set[str]] = {}
        """Line -> the Message-IDs of the mails that show it."""
        self.lines = self.left_out = self.mails = self.repeated = 0
        self.faults: list[str] = []

    def read(self) -> Told:
        """Look at what is new; every file is read once."""
        for path in sorted(self._new.iterdir()) if self._new.exists() else ():
            stamp = path.stat().st_mtime_ns
            # A Maildir has one name for one message: sent again, it replaces itself.
            if self._seen.get(path.name) != stamp:
                self._seen[path.name] = stamp
                self._take(path.read_bytes())
        return self

    def missing(self, numbers: Iterable[int]) -> set[int]:
        """Those of the numbers that no mail shows."""
        return set(numbers) - self.ids.keys()

    def twice(self) -> dict[int, set[str]]:
        """The numbers that mails of different Message-IDs show."""
        return {number: ids for number, ids in self.ids.items() if len(ids) > 1}

    def _take(self, data: bytes) -> None:
        mail = message_from_bytes(data, policy=policy.default)
        id = str(mail["Message-ID"])
        self.mails += 1
        if id in self._bytes:
            self.repeated += 1
            if data != self._bytes[id]:
                self.faults.append(f"two mails of Message-ID {id}:\n{self._bytes[id].decode()}\n{data.decode()}")
            return
        self._bytes[id] = data
        self._count(id, dict(_pairs(mail["X-Burstmail"])), shown(text_of(data)))

    def _count(self, id: str, counts: dict[str, int], lines: list[str]) -> None:
        shown = [int(number) for number in self._number.findall("\n".join(lines))]
        for number in shown:
            self.ids.setdefault(number, set()).add(id)
        self.lines += counts["lines"]
        self.left_out += counts["left-out"]
        if len(shown) != counts["shown"] or len(set(shown)) != len(shown):
            self.faults.append(f"{counts} in X-Burstmail, but mail {id} shows {sorted(shown)}")
        if self._ordered and shown != sorted(shown):
            self.faults.append(f"not in order in mail {id}: {shown}")


def _pairs(header: str) -> Iterator[tuple[str, int]]:
    for item in header.split(";"):
        name, _, value = item.strip().partition("=")
        yield name, int(value)
