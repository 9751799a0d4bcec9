"""Words -> Pipeline, as often as needed: one after another in a process, and one in each that forks.

What is wrong is said when the words are read, and what is imported when it is first used is imported then: a process
that forks while one of its threads imports something has a half of it for ever. Limits: those of the parts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from ..core.aggregate import Aggregator
from ..core.cap import Caps
from ..core.compose import Composer
from ..core.escape import one_line
from ..core.limits import CoolDown, Limit
from ..core.match import match
from ..core.split import Splitter
from ..core.stage import Stage
from ..core.whole import Whole
from ..drivers.thread import Pipeline
from ..sinks import Sink, load
from ..stores.sqlite import FileStore
from .records import URGENT_FACILITY

Make: TypeAlias = Callable[[], Pipeline]

# What records have, by the names that logging has for it.
FIELDS = {"logger": "program", "level": "severity"}
# What a pipeline imports when it first needs it, and a store when it is opened.
LATER = ["base64", "random", "secrets", "traceback", "zlib"]
STORES = ["contextlib", "fcntl", "json", "sqlite3", "time"]


def maker(
    windows: Callable[[], Aggregator],
    caps: Callable[[], Caps],
    composer: Composer,
    sink: Sink,
    state: str | os.PathLike[str] | None,
    grace: float,
) -> Make:
    """The pipeline of a BurstHandler. Raises what the parts do."""

    def stages() -> tuple[Stage[Any, Any], ...]:
        return Whole(), windows(), caps(), composer

    def make() -> Pipeline:
        return Pipeline(*stages(), sink=sink, store=None if state is None else FileStore(state), grace=grace)

    # Whoever configures hears of what is wrong.
    stages()
    load(*LATER, *STORES * (state is not None))
    return make


def windows(gap: float, max_age: float, key: str | Splitter | None) -> Callable[[], Aggregator]:
    """What makes an Aggregator for records. `key` may name fields as logging does."""
    if isinstance(key, str):
        key = ",".join(FIELDS.get(name.strip(), name) for name in key.split(","))
    return partial(Aggregator, gap=gap, max_age=max_age, key=key, urgent=match(facility=URGENT_FACILITY))


def limits(caps: Sequence[Sequence[float]], cool_down: Sequence[float] | None, urgent: bool) -> Callable[[], Caps]:
    """What makes Caps of pairs of numbers."""
    each = [Limit(int(count), per) for count, per in caps]
    cool = None if cool_down is None else CoolDown(first=cool_down[0], longest=cool_down[1])
    # Of a limit of one mail none can be kept for urgent records.
    reserve = int(urgent and all(limit.count > 1 for limit in each))
    return partial(Caps, *each, per_key=cool, reserve=reserve)


def once(pipeline: Pipeline) -> Make:
    """A pipeline that somebody else has made can be had once: not again after its end, and not after a fork."""
    left = [pipeline]

    def make() -> Pipeline:
        if os.getpid() == owner and left:
            return left.pop()
        raise RuntimeError("the Pipeline given to BurstHandler has ended, or is another process's: give a function")

    owner = os.getpid()
    return make


def sink_of(sink: Sink | str | None, password: str | None) -> Sink:
    """A sink from a word, or itself."""
    if isinstance(sink, str) and sink.startswith(("smtp:", "smtps:")):
        from ..sinks.smtp import SMTPSink

        return SMTPSink.from_url(sink, password=password)
    if password is not None:
        raise ValueError("password: it belongs to sink='smtp://USER@HOST', which is missing")
    if isinstance(sink, str) and sink.startswith("maildir:"):
        from ..sinks.maildir import MaildirSink

        return MaildirSink(sink.removeprefix("maildir:"))
    if isinstance(sink, str) and not sink.startswith("/"):
        raise ValueError(
            f"sink {one_line(sink)!r}: write smtp://HOST, smtps://HOST, maildir:DIR, or /PATH of a command"
        )
    if isinstance(sink, str | None):
        from ..sinks.sendmail import SendmailSink

        return SendmailSink(sink)
    return sink
