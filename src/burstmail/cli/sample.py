"""A route's settings -> the mail that tries them out. Three lines through its own window and its own composer.

It looks like a real one, says in the subject and in its lines that it is none, and has a Message-ID of its own each
time. What would cut three lines into several mails is left out; nothing is filtered, capped or kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burstmail import Batch, Composer, Message, SystemClock, chain, hostname

from .parts import composer_of, window_of

MARK = "[test] "
LINES = (
    "This is a test mail: nothing has happened, and nothing is to be done.",
    "Somebody has run `burstmail test-mail` to see whether mail arrives.",
    "In a real mail the lines of a log stand here.",
)
# Which lines are one mail; when it leaves is no question here.
CUTS = ("gap", "max_age", "max_lines", "max_bytes", "urgent")


def sample(route: Mapping[str, Any]) -> Message:
    """The mail, by settings that the parts have not refused."""
    stages = chain(window_of(_without(route, CUTS)), composer_of({**route, "subject": MARK + _subject(route)}))
    (message,) = [*stages.feed(_batch(), 0.0), *stages.flush(0.0)]
    return message


def _without(route: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in route.items() if name not in names}


def _subject(route: Mapping[str, Any]) -> str:
    """Its template; where there is none, the library's own."""
    from inspect import signature

    return str(route.get("subject") or signature(Composer).parameters["subject"].default)


def _batch() -> Batch:
    import os
    from datetime import UTC, datetime
    from secrets import token_hex

    wall = SystemClock().time()
    stamp = datetime.fromtimestamp(int(wall), UTC).astimezone().isoformat()
    # As a logger writes them: facility user, severity info.
    lines = "".join(f"<14>{stamp} {hostname()} burstmail[{os.getpid()}]: {line}\n" for line in LINES)
    return Batch(text=lines, count=len(LINES), time=wall, epoch=token_hex(16), seq=1)
