"""python django_site.py HANDLER MAILDIR SECONDS [count]: a Django site whose view raises, 500 times a second."""

from __future__ import annotations

import logging
import sys

from django.conf import settings
from flood import COUNTER, flood, handler

settings.configure(
    SECRET_KEY="not one",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "mail": handler(sys.argv[1], sys.argv[2]),
        },
        "root": {"level": "WARNING", "handlers": ["mail"]},
        # Django's own default mails to ADMINS, and writes to the console.
        "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
    },
)

import django  # noqa: E402

django.setup()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.urls import path  # noqa: E402


def order(request: object, number: int) -> object:
    raise LookupError(f"order {number} is gone")


urlpatterns = [path("orders/<int:number>", order)]


site = WSGIHandler()
factory = RequestFactory()


def ask(number: int) -> None:
    told: list[str] = []
    list(site(factory.get(f"/orders/{number}").environ, lambda status, headers: told.append(status)))
    assert told[0].startswith("500"), told


if __name__ == "__main__":
    if sys.argv[4:]:
        logging.getLogger().addHandler(COUNTER)
    flood(ask, seconds=float(sys.argv[3]))
