"""Options -> all that is wrong with them, and what is doubtful. Every part is made once, nothing is opened or written.

What only a part knows to be wrong is about one option, or about several that do not go together. It is blamed on the
one without which the part says something else; of several, on the last in the file, which is then left out to see what
else there is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from burstmail import FileSource, IterableSource, JournalSource, Outbox

from .. import parts
from ..destination import sink_of
from ..inputs import check_inputs
from ..options import Misuse
from ..settings import by_dest, named
from . import OWN, Configuration, examined, merged
from .positions import Place
from .problem import Invalid, Problem

Build = Callable[[Mapping[str, Any]], object]

# Whoever it is: the part in question is no matter of recipients.
SOMEBODY = {"to": ["root"]}
OPTION = re.compile(r"--([a-z-]++)")
# A part calls its parameter by its own name; the key is told already.
PARAMETER = re.compile(r"[a-z_]++=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found."""

    options: Configuration
    """The options as far as they are right."""
    problems: tuple[Problem, ...]
    """What keeps them from being used, in the order of the lines."""
    warnings: tuple[Problem, ...]
    """What is probably not meant so."""


def examine(given: Mapping[str, Any]) -> Findings:
    """Look at the options on a command line, and at the file that `config` among them names."""
    problems: list[Problem] = []
    options = Configuration(given, path="", lines={})
    try:
        if "config" in given:
            options, problems = examined(given["config"])
            options = merged(options, given)
    except Invalid as error:
        if not any(problem.place[-1:] == ("to",) for problem in problems):
            problems += error.problems
    # What is missing may be what is wrong: then each is looked at by itself.
    problems += _alone(options) if problems else _together(options)
    return Findings(
        options=options, problems=Invalid(problems).problems, warnings=tuple(_doubtful(options)) if not problems else ()
    )


def _shared(options: Mapping[str, Any]) -> list[Build]:
    """What there is once, whatever routes there are."""
    return [parts.front_of, _sink, check_inputs, _files, _journal, _outbox]


def _sink(options: Mapping[str, Any]) -> object:
    return sink_of(options, IterableSource([]))


def _files(options: Mapping[str, Any]) -> None:
    if options.get("files"):
        FileSource(*options["files"]).close()


def _journal(options: Mapping[str, Any]) -> None:
    if "journal" in options:
        JournalSource(*options.get("journal_matches", ())).close()


def _outbox(options: Mapping[str, Any]) -> object:
    return Outbox(**parts.given(options, "backoff", "give_up"))


OF_A_ROUTE: tuple[Build, ...] = (parts.sieve_of, parts.window_of, parts.caps_of, parts.composer_of)


def _together(options: Configuration) -> list[Problem]:
    found = [_problem(options, None, *one) for build in _shared(options) for one in _blamed(build, options)]
    for number, route in enumerate(parts.routes_of(options)):
        own = number if "routes" in options else None
        left = {dest: value for dest, value in route.items() if dest not in OWN}
        found += [_problem(options, own, *one) for build in OF_A_ROUTE for one in _blamed(build, left)]
    return list(dict.fromkeys(found))


def _alone(options: Configuration) -> list[Problem]:
    """What is wrong with an option whatever the others are."""
    found: list[Problem] = []
    for number, route in [(None, options), *enumerate(options.get("routes", []))]:
        for dest, value in route.items():
            builds = OF_A_ROUTE if dest not in OWN else ()
            alone = {**SOMEBODY, dest: value}
            found += [_problem(options, number, *one) for build in builds for one in _blamed(build, alone)]
    return list(dict.fromkeys(found))


def _blamed(build: Build, options: Mapping[str, Any]) -> Iterator[tuple[str, int | None, str]]:
    """Which option is wrong, which of its values, and what is said of it; one after the other."""
    left = dict(options)
    while (words := _refused(build, left)) is not None:
        for dest in reversed(left):
            if _refused(build, _without(left, dest)) != words:
                break
        else:
            yield "", None, words
            return
        at = _which(build, left, dest, words)
        yield dest, at, words
        if at is None:
            left = _without(left, dest)
        else:
            left[dest] = [value for number, value in enumerate(left[dest]) if number != at]


def _without(options: dict[str, Any], dest: str) -> dict[str, Any]:
    left = {name: value for name, value in options.items() if name != dest}
    return left if dest != "to" else left | SOMEBODY


def _which(build: Build, options: dict[str, Any], dest: str, words: str) -> int | None:
    """Which of several values it is."""
    values = options[dest]
    if not isinstance(values, list) or len(values) < 2:
        return None
    for number, value in enumerate(values):
        if _refused(build, options | {dest: [value]}) == words:
            return number
    return None


def _refused(build: Build, options: Mapping[str, Any]) -> str | None:
    """What the part says against it; None for nothing."""
    try:
        build(options)
    except (Misuse, ValueError, OSError) as error:
        return str(error)
    return None


def _problem(options: Configuration, route: int | None, dest: str, at: int | None, words: str) -> Problem:
    place = (dest and (options.place(dest, route) or options.place(dest))) or ()
    if not place:
        # Of the command line: there, options have their dashes.
        said = next((setting.option for setting in by_dest(dest)), "")
        told = words if not said or "--" in words else f"{said}: {PARAMETER.sub('', words, count=1)}"
        return Problem(path="", line=None, words=told)
    name = place[-1]
    words = OPTION.sub(lambda found: found[1] if named(found[1]) else found[0], PARAMETER.sub("", words, count=1))
    told = words if words.startswith(f"{name} ") else f"{name}: {words}"
    return options.problem(place if at is None else (*place, at), told)


def _doubtful(options: Configuration) -> Iterator[Problem]:
    yield from _exposed(options)
    yield from _missing(options)
    if "every" not in options:
        yield from _starved(options)


def _exposed(options: Configuration) -> Iterator[Problem]:
    if options.path and os.path.exists(options.path) and os.stat(options.path).st_mode & 0o002:
        yield options.problem((), "everybody can write to this file, and so have any program run: run chmod o-w on it")


def _missing(options: Configuration) -> Iterator[Problem]:
    from glob import glob

    for number, pattern in enumerate(options.get("files", [])):
        if not glob(pattern, recursive=True):
            place: Place = options.place("files")
            place = (*place, number) if (*place, number) in options.lines else place
            yield options.problem(place, f"file: {pattern!r} is no file yet: it is waited for")


def _starved(options: Configuration) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for number, route in enumerate(options.get("routes", [])):
        match = repr(route["match"])
        taken = seen.get(repr({})) or seen.get(match)
        if taken:
            words = f"route {route['name']!r} never gets a line: {taken!r} above takes them all; put this one first"
            yield options.problem(("route", number), words)
        seen.setdefault(match, route["name"])
