"""Log records, kept until nobody holds a lock.

A handler of the user's own may feed the very pipeline that logs: under its lock that would wait for itself.
Limits: the last 1,000 records.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from typing import Any

LOG = logging.getLogger("burstmail")
RECORDS = 1000


class Later:
    """Takes what a logger takes, and says it with `tell`."""

    def __init__(self) -> None:
        self._records: deque[tuple[int, str, tuple[object, ...], Any]] = deque(maxlen=RECORDS)

    @property
    def waiting(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._records)

    def info(self, text: str, *values: object) -> None:
        """Worth knowing."""
        self._records.append((logging.INFO, text, values, None))

    def warning(self, text: str, *values: object) -> None:
        """Worth a look."""
        self._records.append((logging.WARNING, text, values, None))

    def error(self, text: str, *values: object) -> None:
        """Somebody has to do something."""
        self._records.append((logging.ERROR, text, values, None))

    def exception(self, text: str, *values: object) -> None:
        """An error, with the exception that is being handled."""
        self._records.append((logging.ERROR, text, values, sys.exc_info()))

    def tell(self) -> None:
        """Log everything."""
        while self._records:
            level, text, values, trace = self._records.popleft()
            LOG.log(level, text, *values, exc_info=trace)
