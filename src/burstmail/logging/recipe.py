"""Words -> Pipeline, as often as needed: one after another in a process, and one in each that forks.

What is wrong is said when the words are read, and what is imported when it is first used is imported then: a process
that forks while one of its threads imports something has a half of it for ever. Limits: those of the parts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

from ..core.aggregate import Aggregator
from ..core.cap import Caps
from ..core.compose import Composer
from ..core.escape import one_line
from ..core.kinds import paths
from ..core.limits import CoolDown, Limit
from ..core.match import match
from ..core.rows import NAMES
from ..core.split import Splitter
from ..core.stage import Stage
from ..core.whole import Whole
from ..drivers.outcomes import sinks_of
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

    sinks_of(sink)
    if state is not None:
        paths(state=state)
    # Whoever configures hears of what is wrong.
    stages()
    load(*LATER, *STORES * (state is not None))
    return make


def windows(gap: float, max_age: float, key: str | Splitter | None) -> Callable[[], Aggregator]:
    """What makes an Aggregator for records. `key` may name fields as logging does."""
    for name, seconds in (("gap", gap), ("max_age", max_age)):
        if not isinstance(seconds, (int, float)):
            raise ValueError(f"{name}={seconds!r}: write seconds, as {name}=60")
    if isinstance(key, str):
        names = [FIELDS.get(name.strip(), name.strip()) for name in key.split(",")]
        if not set(names) <= set(NAMES):
            raise ValueError(f"key={key!r}: use one or more of {', '.join((*FIELDS, *NAMES))}")
        key = ",".join(names)
    return partial(Aggregator, gap=gap, max_age=max_age, key=key, urgent=match(facility=URGENT_FACILITY))


def limits(caps: Sequence[Sequence[float]], cool_down: Sequence[float] | None, urgent: bool) -> Callable[[], Caps]:
    """What makes Caps of pairs of numbers."""
    wanted = f"caps={caps!r}: write pairs of a count and seconds, as [[3, 60], [20, 3600]]"
    each = [Limit(int(count), per) for count, per in _pairs(caps, wanted)]
    cool = None
    if cool_down is not None:
        wanted = f"cool_down={cool_down!r}: write the first and the longest interval in seconds, as [60, 900]"
        [(first, longest)] = _pairs([cool_down], wanted)
        cool = CoolDown(first=first, longest=longest)
    # Of a limit of one mail none can be kept for urgent records.
    reserve = int(urgent and all(limit.count > 1 for limit in each))
    return partial(Caps, *each, per_key=cool, reserve=reserve)


def _pairs(given: object, wanted: str) -> list[tuple[float, float]]:
    """Pairs of numbers, of a configuration that may hold anything. Raises ValueError with these words for others."""
    try:
        pairs = [(first, second) for first, second in cast(Iterable[Iterable[Any]], given)]
    except (TypeError, ValueError):
        raise ValueError(wanted) from None
    if not all(isinstance(number, (int, float)) for pair in pairs for number in pair):
        raise ValueError(wanted)
    return pairs


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
