"""Mails -> what they tell of numbered lines: which were shown, how many only counted, what came twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

from tests.cli.process import kept, shown, text_of


class Told:
    """What the mails of a Maildir tell of numbered lines, so far. `number` finds a line's number.

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
        """Line -> the Message-IDs of the mails that tell of it, in their text or in the file that goes along."""
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
        """Those of the numbers that no mail tells of."""
        return set(numbers) - self.ids.keys()

    def twice(self) -> dict[int, set[str]]:
        """The numbers that mails of different Message-IDs tell of."""
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
        self._count(id, dict(_pairs(mail["X-Burstmail"])), data)

    def _count(self, id: str, counts: dict[str, int], data: bytes) -> None:
        seen, told = (self._numbers(lines) for lines in (shown(text_of(data)), kept(data)))
        for number in told:
            self.ids.setdefault(number, set()).add(id)
        self.lines += counts["lines"]
        self.left_out += counts["lines"] - len(told)
        if counts["shown"] + counts["left-out"] != counts["lines"]:
            self.faults.append(f"{counts} in X-Burstmail of {id} do not add up")
        if len(seen) != counts["shown"] or len(set(told)) != len(told) or not set(seen) <= set(told):
            self.faults.append(f"{counts} in X-Burstmail, but mail {id} shows {sorted(seen)}")
        if self._ordered and told != sorted(told):
            self.faults.append(f"not in order in mail {id}: {told}")

    def _numbers(self, lines: list[str]) -> list[int]:
        return [int(number) for number in self._number.findall("\n".join(lines))]


def _pairs(header: str) -> Iterator[tuple[str, int]]:
    for item in header.split(";"):
        name, _, value = item.strip().partition("=")
        yield name, int(value)
