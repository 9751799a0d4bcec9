"""Options -> sources. What is read, all of it at once, and what belongs to what.

A kind of source is imported when it is asked for: most instances have one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from burstmail import Source, StreamSource

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
SPELT = {"journal_matches": "journal_match"}


class Inputs:
    """All sources of a command line, which are closed together."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)

    def close(self) -> None:
        """Finish; the second time, at once."""
        for source in self.sources:
            source.close()


def check_inputs(options: Mapping[str, Any]) -> None:
    """Raise Misuse, in one line, for options that make no sense without others, or beside them."""
    for name, (others, words) in BELONGS.items():
        if name in options and not any(other in options for other in others):
            raise Misuse(f"--{SPELT.get(name, name).replace('_', '-')} {words}")
    listen = options.get("listen", [])
    secure = [url for url in listen if url.startswith("tls:")]
    if secure and "tls_cert" not in options:
        raise Misuse(f"--listen {secure[0]} needs --tls-cert FILE")
    if "tls_cert" in options and not secure and SYSTEMD not in listen:
        raise Misuse("--tls-cert is for --listen tls://ADDRESS:PORT, which is missing")
    if "confirm" in options and reads_others(options):
        raise Misuse("--confirm answers whoever writes to standard input: it goes with no other source")


def inputs_of(options: Mapping[str, Any]) -> Inputs:
    """The sources these options describe; they listen from now on. Raises Misuse for what they refuse."""
    if "files" in options and "listen" in options:
        _raise_limit()
    try:
        return Inputs([*_standard(options), *_files(options), *_network(options), *_journal(options)])
    except ValueError as error:
        raise Misuse(str(error)) from None
    except OSError as error:
        words = error.strerror or str(error)
        raise Misuse(f"{error.filename!r}: {words}" if error.filename else words) from None


def _raise_limit() -> None:
    """Let files and connections together have the descriptors that each may take alone.

    The soft limit is low for the sake of programs that use select(2), as systemd says (NEWS for version 240).
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _standard(options: Mapping[str, Any]) -> list[Source]:
    if not reads_standard_input(options):
        return []
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
    if "files" not in options:
        return []
    from glob import has_magic

    from burstmail import FileSource

    for pattern in options["files"]:
        # A pattern may match nothing for long. A plain name of nothing is mostly one that is misspelt.
        if not (has_magic(pattern) or os.path.lexists(pattern)):
            logger.warning("there is no file %s yet: it is waited for", pattern)
    return [FileSource(*options["files"], start=_start(options))]


def _journal(options: Mapping[str, Any]) -> list[Source]:
    if "journal" not in options:
        return []
    from burstmail import JournalSource

    matches, directory = options.get("journal_matches", ()), options.get("journal_directory")
    if directory is not None:
        _look_for_journals(directory)
    return [JournalSource(*matches, directory=directory, start=_start(options))]


def _look_for_journals(directory: str) -> None:
    """Tell of a directory in which journalctl finds nothing: it waits there in silence, also for ever."""
    from glob import iglob

    if os.path.lexists(directory) and not os.path.isdir(directory):
        raise Misuse(f"--journal-directory {directory} is no directory: name the one that holds journal files")
    # A journal of one machine has a directory of its own, as in /var/log/journal.
    if not any(True for pattern in JOURNALS for _ in iglob(pattern, root_dir=directory)):
        logger.warning("no journal files are found in %s: they are waited for", directory)


def _network(options: Mapping[str, Any]) -> list[Source]:
    urls = options.get("listen", [])
    handed = _handed() if SYSTEMD in urls else ()
    places = [url for url in urls if url != SYSTEMD] + [one.stream for one in handed if one.listens]
    return [*_syslog(places, options), *(StreamSource(one.stream) for one in handed if not one.listens)]


def _syslog(places: list[Any], options: Mapping[str, Any]) -> list[Source]:
    if not places:
        return []
    from burstmail import TLS, SyslogSource

    files = {name: _readable(option, options[option]) for name, option in TLS_FILES.items() if option in options}
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
