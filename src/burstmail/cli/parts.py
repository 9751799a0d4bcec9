"""Options -> Pipeline. The public parts, put together the way a script would."""

from __future__ import annotations

import os
import sys
from functools import reduce
from operator import and_
from typing import Any, Protocol

from burstmail import (
    ANYTHING,
    Admit,
    Aggregator,
    CallbackSink,
    Caps,
    Composer,
    FileStore,
    Filter,
    Item,
    Join,
    Limit,
    MaildirSink,
    Message,
    PermanentDeliveryError,
    Pipeline,
    SendmailSink,
    Sink,
    SMTPSink,
    Stage,
    TemporaryDeliveryError,
    Threshold,
    at_least,
    contains,
    hostname,
    match,
)

from .options import Misuse

WINDOW = ("gap", "max_age", "max_lines", "max_bytes", "key", "keep", "patterns", "masks")
MAIL = ("to", "sender", "subject", "text", "html", "redact", "threads", "attach")


class Ends(Protocol):
    """What is read."""

    def close(self) -> None:
        """End soon; the second time, at once."""
        ...


def pipeline_of(options: dict[str, Any], source: Ends, directory: str | None = None) -> Pipeline:
    """The pipeline these options describe. `source` is closed when nobody reads the mails printed.

    `directory` is where it keeps what must survive. Raises Misuse where the parts refuse an option.
    """
    if "smtp" in options:
        options = options | {name: qualified(options[name]) for name in ("to", "sender") if name in options}
    if "masks" in options and "patterns" in options:
        raise Misuse("--mask belongs to patterns, and --no-patterns says not to count them")
    try:
        return Pipeline(
            *_sieve(options),
            Aggregator(**_given(options, *WINDOW), **_urgent(options)),
            _caps(options),
            Composer(**_given(options, *MAIL, name="name_shown")),
            sink=_sink(options, source),
            store=None if directory is None else FileStore(directory),
            **_given(options, "sync", "backoff", "give_up", "grace"),
        )
    except (ValueError, OSError) as error:
        raise Misuse(str(error)) from None


def _sieve(options: dict[str, Any]) -> list[Stage[Any, Any]]:
    """Which lines get as far as a burst. Records are made first: the others take one as one."""
    stages: list[Stage[Any, Any]] = [Join()] if "join" in options else []
    if (wanted := filter_of(options)) is not ANYTHING:
        stages.append(Admit(wanted))
    if "threshold" in options:
        count, per = options["threshold"]
        stages.append(Threshold(count, per=per, **_given(options, "key"), **_urgent(options)))
    return stages


def filter_of(options: dict[str, Any]) -> Filter:
    """What the options ask of a line; ANYTHING where they ask nothing."""
    parts: list[Filter] = []
    if "programs" in options:
        parts.append(match(program=options["programs"]))
    if "at_least" in options:
        parts.append(at_least(options["at_least"]))
    if "include" in options:
        parts.append(contains(*options["include"]))
    if "exclude" in options:
        parts.append(~contains(*options["exclude"]))
    return reduce(and_, parts) if parts else ANYTHING


def _urgent(options: dict[str, Any]) -> dict[str, Any]:
    return {"urgent": contains(*options["urgent"])} if "urgent" in options else {}


def _caps(options: dict[str, Any]) -> Caps:
    limits: list[Limit] = options.get("caps", [])
    reserve: dict[str, Any] = {"reserve": 1} if "urgent" in options else {}
    if reserve and any(limit.count < 2 for limit in limits):
        raise Misuse("--urgent keeps one mail of each --cap for urgent lines: let each --cap allow 2 or more")
    return Caps(*limits, **_given(options, per_key="cool_down"), **reserve)


def qualified(names: Any) -> Any:
    """Bare users with this host's name behind them: a mail server elsewhere has other users of that name."""
    if isinstance(names, str):
        return names if "@" in names else f"{names}@{hostname()}"
    return [qualified(name) for name in names]


def _given(options: dict[str, Any], *same: str, **renamed: str) -> dict[str, Any]:
    """What was given, by the parameter's name: an option that was not leaves the part its own default."""
    names = dict(zip(same, same, strict=True)) | renamed
    return {parameter: options[option] for parameter, option in names.items() if option in options}


def _sink(options: dict[str, Any], source: Ends) -> Sink:
    if "smtp" in options:
        return SMTPSink.from_url(options["smtp"], **_given(options, "password", ca="smtp_ca"))
    for name in ("password", "smtp_ca"):
        if name in options:
            option = "--password-file" if name == "password" else "--smtp-ca"
            raise Misuse(f"{option} belongs to --smtp URL, which is missing")
    if "maildir" in options:
        return MaildirSink(options["maildir"])
    if "print" in options:
        return printing(source)
    return SendmailSink(**_given(options, path="sendmail"))


def printing(source: Ends) -> Sink:
    """Mails on standard output, readable. When nobody reads them any more, the source is closed at once."""
    if sys.stdout is None:
        raise Misuse("--print needs a standard output, and it is closed")
    # Not through sys.stdout: what it cannot write it keeps, and fails with at exit.
    descriptor = 1

    def show(item: Item) -> None:
        text = item.readable() if isinstance(item, Message) else "".join(item.head)
        data = memoryview(f"{text}\n".encode())
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        except BrokenPipeError:
            source.close()
            source.close()
            raise PermanentDeliveryError("nobody reads standard output any more") from None
        except OSError as error:
            raise TemporaryDeliveryError(f"cannot write standard output: {error.strerror}") from None

    return CallbackSink(show)
