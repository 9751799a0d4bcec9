"""Batch -> reply. What rsyslog's omprog calls confirmMessages: standard output says what has become of each message.

rsyslog writes one message, waits for one line, and only then writes the next. So what can be read at once is one
message, be it of several lines, and gets one reply: OK once it is on the disk, `Error: ...` when it is not, and then
rsyslog keeps it and brings it again. Nothing is taken in while the store fails; what was taken in just as it began to
fail is known again when it comes back, and told of once. Limits: 10,000 such messages; past them one may be told twice.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace

from burstmail import Batch, Pipeline, Source, StoreError

# useTransactions="on" puts these around messages, as lines like any other. They can be renamed there: not with us.
BEGIN, COMMIT = "BEGIN TRANSACTION", "COMMIT TRANSACTION"
OK, TAKEN = "OK", "DEFER_COMMIT"
REMEMBERED = 10_000
# omprog reads 4,095 bytes of a reply at most, and restarts whoever says more.
LONGEST = 1000


def confirm(source: Source, pipeline: Pipeline, descriptor: int = 1) -> None:
    """Feed a pipeline from a source to its end, and answer on the descriptor.

    The first OK says that we listen. Each batch of the source then gets one reply. The pipeline has a store.
    """
    _say(descriptor, OK)
    replies = Replies(pipeline)
    for batch in source:
        _say(descriptor, replies.to(batch))


class Replies:
    """Messages in, replies out; what is told of is in the pipeline by then."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        # None until the first message, which is BEGIN or never. Later, a line of that text would prove nothing: anybody
        # may log it.
        self._transactions: bool | None = None
        # Whether the last sync worked, so that it is worth while to take something in.
        self._works = False
        # Messages taken in since the last sync; and those of them that rsyslog will bring again.
        self._taken: list[int] = []
        self._owed: Counter[int] = Counter()

    def to(self, batch: Batch) -> str:
        """The reply to one message."""
        if self._transactions is None:
            self._transactions = batch.text.startswith(BEGIN + "\n")
        if self._transactions:
            return self._to_part(batch)
        if not self._works and (error := self._sync()):
            return error
        self._take(batch)
        return self._settled()

    def _to_part(self, batch: Batch) -> str:
        """The reply to a part of a transaction: a mark, or a message, which is in the journal when it is answered."""
        lines = batch.lines
        messages = [line for line in lines if line not in (BEGIN, COMMIT)]
        if messages:
            self._take(replace(batch, text="\n".join(messages) + "\n", count=len(messages)))
        # Without confirmMessages rsyslog waits for no reply, and several parts come at once.
        if COMMIT in lines:
            return self._settled()
        if messages:
            # Not OK: after that rsyslog may leave COMMIT out.
            return TAKEN
        return OK if self._works else self._sync() or OK

    def _take(self, batch: Batch) -> None:
        message = hash(batch.text)
        if self._owed[message] > 0:
            self._owed[message] -= 1
        else:
            self._pipeline.feed(batch)
        if len(self._taken) < REMEMBERED:
            self._taken.append(message)

    def _settled(self) -> str:
        """Sync, and the reply to whoever waits for that."""
        if error := self._sync():
            self._owed.update(self._taken)
        else:
            # What failed is brought again before anything else; what was not, has been given up.
            self._owed.clear()
        self._taken.clear()
        return error or OK

    def _sync(self) -> str:
        """The error that keeps what was taken in from the disk; '' when there is none."""
        try:
            self._pipeline.sync()
        except StoreError as error:
            self._works = False
            return f"Error: {error}"
        self._works = True
        return ""


def _say(descriptor: int, reply: str) -> None:
    """One reply, in one write: omprog takes two that come together for nonsense."""
    line = " ".join(reply.split())[:LONGEST].encode("ascii", "backslashreplace") + b"\n"
    # Nobody listens any more: the end of the input follows, and what it still holds is wanted.
    with suppress(OSError):
        os.write(descriptor, line)
