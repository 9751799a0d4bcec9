"""Batch -> Batch. For sources that give whole records: lines that go on from another are indented, and come with it.

Nothing waits, unlike in Join, which cannot know whether more will come. Limits: none; it holds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .model import Batch
from .stage import Instant


class Whole(Instant[Batch, Batch]):
    """A line that begins with a space or tab belongs to the line before it: they are not parted, and are judged as one.

    Put it in front of all other stages of a pipeline that a BurstHandler, a JournalSource or a SyslogSource feeds.
    """

    def feed(self, item: Batch, now: float) -> Sequence[Batch]:
        """The same lines, as records."""
        # Where no line goes on, records are lines, which all that comes next is faster with.
        more = "\n\t" in item.text or "\n " in item.text
        return [replace(item, joined=True) if more else item]
