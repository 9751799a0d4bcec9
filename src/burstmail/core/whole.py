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

    Put it in front of all other stages of a pipeline that a BurstHandler feeds.
    """

    def feed(self, item: Batch, now: float) -> Sequence[Batch]:
        """The same lines, as records."""
        return [item if item.joined else replace(item, joined=True)]
