"""Batch <-> the row a state keeps of it, while it waits in a stage; and what it becomes when it leaves.

Limits: none of its own; whoever keeps batches bounds them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .model import Batch
from .packed import packed, unpacked

NAME = "batch"


def dump_batch(batch: Batch) -> list[Any]:
    """The batch, as JSON can carry it; its place is whoever journals reads' business."""
    read = [batch.time, batch.epoch, batch.seq, batch.gone, *filter(None, [batch.source])]
    return [NAME, 1, packed(batch.text), batch.count, read, batch.late, batch.joined]


def restored_batch(state: list[Any]) -> Batch:
    """The dumped batch. Raises ValueError for what is none, and for one whose lines are not as many as it says."""
    # Of a source there is nothing where there is none, and where it was dumped before there were any.
    name, version, text, count, (time, epoch, seq, gone, *source), late, joined = state
    if (name, version) != (NAME, 1):
        raise ValueError(f"no batch: {state!r:.200}")
    text = unpacked(text)
    if count != text.count("\n"):
        raise ValueError(f"a batch of {count} lines that has {text.count(chr(10))}")
    read = Batch(text=text, count=count, time=time, epoch=epoch, seq=seq, gone=gone, late=late, joined=joined)
    return replace(read, source=str(source[0])) if source else read


def leaving(batch: Batch, since: float, now: float) -> Batch:
    """The batch that has waited since then, as it leaves."""
    return batch if now == since else replace(batch, late=batch.late + (now - since))
