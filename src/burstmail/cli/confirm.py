"""Batch -> reply. What rsyslog's omprog calls confirmMessages: standard output says what has become of each message.

rsyslog writes one message, waits for one line, and only then writes the next. So what can be read at once is one
message, be it of several lines, and gets one reply: OK once it is on the disk, `Error: ...` when it is not, and then
rsyslog keeps it, and all that follow, and brings it again. By then it is in memory, and told of once: what is known
again is not taken in a second time. Limits: one message waits here while the store fails; a reply has 1,000 bytes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from burstmail import Batch, Pipeline, Source, StoreError

# useTransactions="on" puts these around messages, as lines like any other. They can be renamed there: not with us.
BEGIN, COMMIT = "BEGIN TRANSACTION", "COMMIT TRANSACTION"
OK = "OK"
# omprog reads 4,095 bytes of a reply at most, and restarts whoever says more.
LONGEST = 1000


def confirm(source: Source, pipeline: Pipeline, descriptor: int = 1) -> None:
    """Feed a pipeline, which has a store, from a source to its end, and answer on the descriptor.

    The first OK says that we listen. Then each batch of the source gets one reply: whoever writes several lines at
    once, 64 KiB at most, and waits, gets one for all of them.
    """
    _say(descriptor, OK)
    replies = Replies(pipeline)
    for batch in source:
        _say(descriptor, replies.to(batch))


class Replies:
    """Messages in, replies out; what is answered with OK is in the pipeline and on the disk."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        # None until the first message. BEGIN comes first or never; later, anybody may have logged a line of that text.
        self._transactions: bool | None = None
        # Taken in and answered with an error. It might have been refused untaken; but should rsyslog be stopped now, it
        # forgets this one message (8.2302, with a queue on disk too), while a mail may still leave from here.
        self._owed: Batch | None = None

    def to(self, batch: Batch) -> str:
        """The reply to one message."""
        if self._transactions is None:
            self._transactions = batch.text.startswith(BEGIN + "\n")
        if self._transactions:
            batch = _without_marks(batch)
            if not batch.count:
                # What was in the transaction has been answered for, each message by itself. DEFER_COMMIT instead would
                # leave it to COMMIT, but an error in the middle then makes rsyslog (8.2302) drop what came before it,
                # and one at COMMIT makes it try again at once, thousands of times a second.
                return OK
        if self._owed is None or batch.text != self._owed.text:
            self._pipeline.feed(batch)
        error = self._sync()
        # It comes again before anything else does; whatever did not was given up.
        self._owed = batch if error else None
        return error or OK

    def _sync(self) -> str:
        """What keeps the lines that were taken in from the disk; '' when nothing does."""
        try:
            self._pipeline.sync()
        except StoreError as error:
            return f"Error: {error}"
        return ""


def _without_marks(batch: Batch) -> Batch:
    # Without confirmMessages rsyslog waits for no reply, so marks and messages may come together.
    lines = [line + "\n" for line in batch.lines if line not in (BEGIN, COMMIT)]
    return replace(batch, text="".join(lines), count=len(lines))


def _say(descriptor: int, reply: str) -> None:
    """One reply, in one write: omprog takes two that come together for nonsense."""
    line = " ".join(reply.split()).encode("ascii", "backslashreplace")[:LONGEST]
    # Nobody listens any more: the end of the input follows, and what is in it is wanted all the same.
    with suppress(OSError):
        os.write(descriptor, line + b"\n")
