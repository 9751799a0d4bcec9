"""python plain.py HANDLER MAILDIR SECONDS: a program without a framework that logs 500 exceptions a second."""

from __future__ import annotations

import logging
import logging.config
import sys

from flood import flood, handler

logging.config.dictConfig(
    {
        "version": 1,
        "handlers": {"mail": handler(sys.argv[1], sys.argv[2])},
        "root": {"level": "WARNING", "handlers": ["mail"]},
    }
)
log = logging.getLogger("shop")


def order(number: int) -> None:
    try:
        raise LookupError(f"order {number} is gone")
    except LookupError:
        log.exception("order %d failed", number)


if __name__ == "__main__":
    flood(order, seconds=float(sys.argv[3]))
