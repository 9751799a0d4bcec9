"""python flask_site.py HANDLER MAILDIR SECONDS [count]: a Flask application whose view raises, 500 times a second."""

from __future__ import annotations

import logging
import logging.config
import sys

from flask import Flask
from flood import COUNTER, flood, handler

logging.config.dictConfig(
    {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"mail": handler(sys.argv[1], sys.argv[2])},
        "root": {"level": "WARNING", "handlers": ["mail"]},
    }
)
if sys.argv[4:]:
    logging.getLogger().addHandler(COUNTER)

app = Flask("shop")


@app.get("/orders/<int:number>")
def order(number: int) -> str:
    raise LookupError(f"order {number} is gone")


def ask(number: int) -> None:
    assert app.test_client().get(f"/orders/{number}").status_code == 500


if __name__ == "__main__":
    flood(ask, seconds=float(sys.argv[3]))
