"""What the tests of all sinks need: a mail that is hard to carry."""

from __future__ import annotations

import pytest

from burstmail import Batch, Burst, CloseReason, Excerpt, Keep, Message
from tests.sinks.certificates import Authority

LINES = [
    "From: ops@example.org",
    "To: alice@example.org",
    "Subject: [burstmail] web1 sshd: 3 lines",
    "Message-ID: <4f2a@web1.example.org>",
    "",
    "  first line",
    ".",
    "..",
    ".hidden",
    "From here on",
    "",
    "-- ",
]


@pytest.fixture
def burst() -> Burst:
    keep = Keep(head=1, tail=1)
    batch = Batch.of("first line")
    excerpt = Excerpt.of(batch.lines, keep=keep)
    return Burst(
        key="", excerpt=excerpt, first=1e9, last=1e9, closed=1e9 + 5, time=1e9 + 5, reason=CloseReason.GAP,
        epoch="e", seq=1, gone=0,
    )  # fmt: skip


@pytest.fixture
def message(burst: Burst) -> Message:
    return Message(
        id="<4f2a@web1.example.org>",
        sender="ops@example.org",
        recipients=("alice@example.org", "bob@example.org"),
        data="".join(line + "\r\n" for line in LINES).encode(),
        burst=burst,
    )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
