"""Options -> sink. The one destination that they name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from burstmail import (
    CallbackSink,
    Item,
    MaildirSink,
    Message,
    PermanentDeliveryError,
    SendmailSink,
    Sink,
    SMTPSink,
    Step,
    TemporaryDeliveryError,
    hostname,
)

from .options import Misuse


class Ends(Protocol):
    """What is read."""

    def close(self) -> None:
        """End soon; the second time, at once."""
        ...


def sink_of(options: Mapping[str, Any], source: Ends, watch: Callable[[Step], object] | None = None) -> Sink:
    """The sink these options describe. `source` is closed when nobody reads the mails printed. Raises Misuse."""
    try:
        return _sink(options, source, watch)
    except (ValueError, OSError) as error:
        raise Misuse(str(error)) from None


def _sink(options: Mapping[str, Any], source: Ends, watch: Callable[[Step], object] | None) -> Sink:
    watched: dict[str, Any] = {} if watch is None else {"watch": watch}
    if "smtp" in options:
        _must_log_in(options)
        more = {"password": "password", "ca": "smtp_ca"}
        login = {name: options[option] for name, option in more.items() if option in options}
        return SMTPSink.from_url(options["smtp"], **login, **watched)
    for name in ("password", "smtp_ca"):
        if name in options:
            option = "--password-file" if name == "password" else "--smtp-ca"
            raise Misuse(f"{option} belongs to --smtp URL, which is missing")
    if "maildir" in options:
        return MaildirSink(options["maildir"], **watched)
    if "print" in options:
        return printing(source)
    return SendmailSink(options.get("sendmail"), **watched)


def _must_log_in(options: Mapping[str, Any]) -> None:
    """Whoever names a user names the password's file, too; a URL that is none is refused elsewhere."""
    from urllib.parse import urlsplit

    with suppress(ValueError):
        parts = urlsplit(options["smtp"])
        if parts.username and parts.password is None and "password" not in options:
            words = "names a user: say where the password is, with --password-file FILE, or leave out the user"
            raise Misuse(f"--smtp {options['smtp']!r} {words}")


def qualified(names: Any) -> Any:
    """Bare users with this host's name behind them: a mail server elsewhere has other users of that name."""
    if isinstance(names, str):
        return names if "@" in names else f"{names}@{hostname()}"
    return [qualified(name) for name in names]


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
