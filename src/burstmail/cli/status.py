"""Failure -> log lines and exit status. Those of sysexits.h, and never 127.

syslog-ng takes 127 for "command not found", and never starts the program again.
"""

from __future__ import annotations

import logging

from .options import Misuse

OK = 0
BUG = 70
UNREADABLE = 74
UNDELIVERED = 75
MISUSE = 78

logger = logging.getLogger("burstmail")


class Unreadable(Exception):
    """An input fails: one line says how."""


def tell(error: Exception) -> int:
    """Log what ended a command, and give its exit status. What is wrong in a file is told whole, a line each."""
    if not isinstance(error, Misuse | Unreadable):
        logger.error("this is a bug", exc_info=error)
        return BUG
    for problem in getattr(error, "problems", (error,)):
        logger.error("%s", problem)
    return MISUSE if isinstance(error, Misuse) else UNREADABLE
