"""Futures -> the end of them. Waiting that ends what it has begun, even when it is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any


class Patience:
    """It remembers that it was cancelled: whoever uses it raises CancelledError in the end."""

    def __init__(self) -> None:
        self.cancelled = False

    async def through(self, future: asyncio.Future[Any]) -> BaseException | None:
        """Until it is done, whatever happens: returns what it raised."""
        while not future.done():
            await self.at_most([future], None)
        return future.exception()

    async def at_most(self, futures: Collection[asyncio.Future[Any]], seconds: float | None) -> None:
        """Until they are done, or for so long, or until somebody cancels."""
        if not futures:
            return
        try:
            await asyncio.wait(futures, timeout=seconds)
        except asyncio.CancelledError:
            self.cancelled = True
