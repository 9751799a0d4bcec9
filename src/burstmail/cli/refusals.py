"""Options -> what is wrong with them, all at once. The parts are made for nothing, and say what they refuse.

Nothing is opened, connected to or written. The setting at fault is the one without which a part would be made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from burstmail import TLS, Aggregator, CallbackSink, FileSource, JournalSource, Pipeline, SyslogSource, criteria

from .destination import sink_of
from .inputs import TLS_FILES, misfits, must_be_a_directory
from .options import Misuse
from .parts import FRONT, MAIL, RUNNING, WINDOW, caps_of, composer_of, filter_of, given, routes_of, sieve_of, window_of
from .place import SYSTEMD

# What a part is made of, those first that are least at home there.
ROUTE: tuple[tuple[Callable[[Mapping[str, Any]], object], tuple[str, ...]], ...] = (
    (lambda route: criteria(route.get("match", {})), ("match",)),
    # Without a threshold there is no such part, and nothing else is wrong with it.
    (sieve_of, ("key", "urgent", "threshold")),
    (window_of, ("urgent", *reversed(WINDOW))),
    (caps_of, ("caps", "cool_down", "urgent")),
    (composer_of, ("name_shown", *reversed(MAIL))),
)
SINK = ("password", "smtp_ca", "smtp", "maildir", "sendmail", "print")
# What a part cannot be made without.
NEEDED = {"to": ["root"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that a part refuses."""

    words: str
    """What is wrong, and what to do, as on the command line."""
    setting: str | None = None
    """The setting at fault, as it is called among the options; None where that is none alone."""
    route: int | None = None
    """The number of the route that says it, from 0; None for the top."""


def refusals(options: Mapping[str, Any]) -> list[Refusal]:
    """All that is refused, each once."""
    found = [
        *(Refusal(words=words, setting=name) for name, words in misfits(options)),
        *_inputs(options),
        *_tried(filter_of, options, FRONT),
        # Several go together, or not: once it is told of one, what the others are good for is open.
        *_tried(lambda given: sink_of(given, Nobody()), options, SINK)[:1],
        *_tried(_running, options, RUNNING),
    ]
    routes = options.get("routes", [{}])
    for number, whole in enumerate(routes_of(options)):
        own = [one for make, names in ROUTE for one in _tried(make, whole, names)]
        found += [replace(one, route=number) if one.setting in routes[number] else one for one in own]
    return list(dict.fromkeys(found))


class Nobody:
    """Whom to tell that nobody reads printed mails: none is printed."""

    def close(self) -> None:
        """Nothing."""


def _running(options: Mapping[str, Any]) -> object:
    return Pipeline(Aggregator(), sink=CallbackSink(print), **given(options, *RUNNING))


def _inputs(options: Mapping[str, Any]) -> Iterator[Refusal]:
    yield from _each("files", options, FileSource)
    if "journal" in options:
        yield from _tried(_journal, options, ("journal_matches", "journal_directory", "journal"))
    yield from _each("listen", options, lambda url: url == SYSTEMD or SyslogSource.check(url))
    yield from _each("allow", options, lambda network: SyslogSource.check(allow=(network,)))
    yield from _tried(_context, options, tuple(TLS_FILES.values())[::-1])


def _journal(options: Mapping[str, Any]) -> object:
    directory = options.get("journal_directory")
    must_be_a_directory(directory)
    return JournalSource(*options.get("journal_matches", ()), directory=directory) if "journal" in options else None


def _context(options: Mapping[str, Any]) -> object:
    if "tls_cert" not in options:
        return None
    return TLS(**{name: options[option] for name, option in TLS_FILES.items() if option in options}).context()


def _each(name: str, options: Mapping[str, Any], look: Callable[[str], object]) -> list[Refusal]:
    found = [_error(look, value) for value in options.get(name, ())]
    return [Refusal(words=words, setting=name) for words in found if words is not None]


def _tried(
    make: Callable[[Mapping[str, Any]], object], options: Mapping[str, Any], names: Sequence[str]
) -> list[Refusal]:
    """What is refused as long as anything is, each time without the setting at fault."""
    found: list[Refusal] = []
    while (words := _error(make, options)) is not None:
        said = [name for name in names if name in options]
        fault = next((name for name in said if _error(make, _without(name, options)) != words), None)
        found.append(Refusal(words=words, setting=fault))
        if fault is None:
            break
        options = _without(fault, options)
    return found


def _without(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    left = {other: value for other, value in options.items() if other != name}
    return left | {name: NEEDED[name]} if name in NEEDED else left


def _error(make: Callable[[Any], object], given: Any) -> str | None:
    try:
        make(given)
    except (Misuse, ValueError, OSError) as error:
        return str(error)
    return None
