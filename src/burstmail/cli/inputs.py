"""Options -> inputs. What is to be read, and what belongs to what; nothing is opened before it is asked for.

A kind of source is imported when it is asked for: most instances have one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from burstmail import Source, StreamSource

from .beginning import Beginning
from .options import Misuse
from .place import SYSTEMD, reads_others, reads_standard_input

if TYPE_CHECKING:
    from burstmail import Passed

logger = logging.getLogger("burstmail")

# More than files (512) and connections (1,000) take, at their defaults.
DESCRIPTORS = 4096
TLS_FILES = {"certificate": "tls_cert", "key": "tls_key", "client_ca": "tls_client_ca"}
# What journalctl reads in a directory: journald leaves a ~ behind the name of a damaged file.
JOURNALS = ("*.journal", "*/*.journal", "*.journal~", "*/*.journal~")
# What says more about another option: what for, and what to do where that is missing.
BELONGS = {
    "from_beginning": (("files", "journal"), "says where --file and --journal begin: add one of them"),
    "journal_matches": (("journal",), "chooses entries of the journal: add --journal"),
    "journal_directory": (("journal",), "says where the journal is: add --journal"),
    "allow": (("listen",), "says whom to listen to: add --listen URL"),
    "tls_key": (("tls_cert",), "belongs to a certificate: add --tls-cert FILE"),
    "tls_client_ca": (("tls_cert",), "belongs to a server with a certificate: add --tls-cert FILE"),
}
# What only a command has: its output, and its end.
JOBS = ("only_if_failed", "tee")
SPELT = {"journal_matches": "journal_match"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something to be read."""

    key: tuple[Any, ...]
    """All that it is made of: two with the same one are the same."""
    make: Callable[[], list[Source]] = field(repr=False, compare=False)
    seats: frozenset[str] = frozenset()
    """Addresses that it takes, and nobody else can have at the same time."""

    def open(self) -> list[Source]:
        """Its sources; they listen from now on. Raises Misuse for what they refuse."""
        try:
            return self.make()
        except ValueError as error:
            raise Misuse(str(error)) from None
        except OSError as error:
            words = error.strerror or str(error)
            raise Misuse(f"{error.filename!r}: {words}" if error.filename else words) from None


def check_inputs(options: Mapping[str, Any]) -> None:
    """Raise Misuse, in one line, for options that make no sense without others, or beside them."""
    for _, words in misfits(options):
        raise Misuse(words)


def misfits(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Options that make no sense without others, or beside them, and why."""
    for name, (others, words) in BELONGS.items():
        if name in options and not any(other in options for other in others):
            yield name, f"--{SPELT.get(name, name).replace('_', '-')} {words}"
    listen = options.get("listen", [])
    secure = [url for url in listen if url.startswith("tls:")]
    if secure and "tls_cert" not in options:
        yield "listen", f"--listen {secure[0]} needs --tls-cert FILE"
    if "tls_cert" in options and not secure and SYSTEMD not in listen:
        yield "tls_cert", "--tls-cert is for --listen tls://ADDRESS:PORT, which is missing"
    if "confirm" in options and reads_others(options):
        yield "confirm", "--confirm answers whoever writes to standard input: it goes with no other source"
    for name in JOBS:
        if name in options:
            yield name, f"--{name.replace('_', '-')} belongs to `burstmail run ... -- COMMAND`"
    if "confirm" in options and "print" in options:
        yield "confirm", "--confirm answers on standard output: it must be open, and without --print"


def inputs_of(options: Mapping[str, Any]) -> list[Input]:
    """What these options say is to be read."""
    found: list[Input] = []
    if reads_standard_input(options):
        found.append(Input(key=("stdin",), make=lambda: _standard(options)))
    if "files" in options:
        key = ("files", *options["files"], _start(options))
        found.append(Input(key=key, make=lambda: _files(options)))
    found += [_listening(urls, options) for urls in _together(options)]
    if "journal" in options:
        key = ("journal", *options.get("journal_matches", ()), options.get("journal_directory"), _start(options))
        found.append(Input(key=key, make=lambda: _journal(options)))
    return found


def _together(options: Mapping[str, Any]) -> list[list[str]]:
    """Addresses that are one input. Where a file can be read again, each is one: no other loses its connections."""
    urls: list[str] = options.get("listen", [])
    if "config" in options:
        return [[url] for url in dict.fromkeys(urls)]
    return [urls] if urls else []


def _listening(urls: list[str], options: Mapping[str, Any]) -> Input:
    how = [options.get(name) for name in TLS_FILES.values()] if any(map(_secure, urls)) else []
    return Input(
        key=("listen", *urls, *how, *options.get("allow", ())),
        make=lambda: _network(urls, options),
        seats=frozenset(_seat(url) for url in urls if url != SYSTEMD),
    )


def _secure(url: str) -> bool:
    return url.startswith("tls:") or url == SYSTEMD


def _seat(url: str) -> str:
    """What of an address only one can have: 0.0.0.0 is every address."""
    try:
        parts = urlsplit(url)
        return f"{'udp' if parts.scheme == 'udp' else 'tcp'}:{parts.port}" if parts.port else parts.path or url
    except ValueError:
        return url


def _make_room(options: Mapping[str, Any]) -> None:
    """Let several inputs together have the descriptors that each may take alone.

    The soft limit is low for the sake of programs that use select(2), as systemd says (NEWS for version 240).
    """
    if len(options.get("listen", ())) + ("files" in options) < 2:
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _standard(options: Mapping[str, Any]) -> list[Source]:
    from burstmail import standard_input

    given = standard_input()
    if not given.listens:
        given.stream.close()
        return [StreamSource(0)]
    if "confirm" in options:
        raise Misuse("--confirm answers on a stream, and standard input is a socket that listens")
    return _syslog([given.stream], {})


def _start(options: Mapping[str, Any]) -> str:
    return "beginning" if "from_beginning" in options else "end"


def _files(options: Mapping[str, Any]) -> list[Source]:
    from glob import has_magic

    from burstmail import FileSource

    _make_room(options)
    for pattern in options["files"]:
        # A pattern may match nothing for long. A plain name of nothing is mostly one that is misspelt.
        if not (has_magic(pattern) or os.path.lexists(pattern)):
            logger.warning("there is no file %s yet: it is waited for", pattern)
    return [Beginning(FileSource(*options["files"], start=_start(options)))]


def _journal(options: Mapping[str, Any]) -> list[Source]:
    from burstmail import JournalSource

    matches, directory = options.get("journal_matches", ()), options.get("journal_directory")
    must_be_a_directory(directory)
    if directory is not None:
        _look_for_journals(directory)
    return [JournalSource(*matches, directory=directory, start=_start(options))]


def must_be_a_directory(directory: str | None) -> None:
    """Raise Misuse for a directory of journal files that is none; one that is not there is waited for."""
    if directory is not None and os.path.lexists(directory) and not os.path.isdir(directory):
        raise Misuse(f"--journal-directory {directory} is no directory: name the one that holds journal files")


def _look_for_journals(directory: str) -> None:
    """Tell of a directory in which journalctl finds nothing: it waits there in silence, also for ever."""
    from glob import iglob

    # A journal of one machine has a directory of its own, as in /var/log/journal.
    if not any(True for pattern in JOURNALS for _ in iglob(pattern, root_dir=directory)):
        logger.warning("no journal files are found in %s: they are waited for", directory)


def _network(urls: list[str], options: Mapping[str, Any]) -> list[Source]:
    _make_room(options)
    handed = _handed() if SYSTEMD in urls else ()
    places = [url for url in urls if url != SYSTEMD] + [one.stream for one in handed if one.listens]
    return [*_syslog(places, options), *(StreamSource(one.stream) for one in handed if not one.listens)]


def _syslog(places: list[Any], options: Mapping[str, Any]) -> list[Source]:
    if not places:
        return []
    from burstmail import TLS, SyslogSource

    secure = any(not isinstance(place, str) or _secure(place) for place in places)
    wanted = {name: option for name, option in TLS_FILES.items() if secure and option in options}
    files = {name: _readable(option, options[option]) for name, option in wanted.items()}
    return [SyslogSource(*places, tls=TLS(**files) if files else None, allow=options.get("allow", ()))]


def _readable(option: str, path: str) -> str:
    """The path of a file, tried here: only the command line knows which option it came by."""
    try:
        # A pipe that nobody writes to would be waited for.
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        advice = "name a PEM file that this user may read"
        raise Misuse(f"--{option.replace('_', '-')} {path}: {error.strerror}: {advice}") from None
    return path


def _handed() -> tuple[Passed, ...]:
    from burstmail import activated

    handed = activated()
    if not handed:
        raise Misuse("--listen systemd: systemd passed no sockets: start it from a .socket unit")
    return handed
