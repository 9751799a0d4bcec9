"""Options -> all that is wrong with them, and what is doubtful, each with its line. Nothing is opened or written.

What reading a file tells of keys and values, and what the parts refuse of the options that are right by themselves, is
told together, in the order of the lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..refusals import Refusal, refusals
from ..settings import by_dest, named
from . import Configuration, examined, merged
from .positions import Place
from .problem import Invalid, Problem

# Where nobody is named, that is told already.
SOMEBODY = {"to": ["root"]}
OPTION = re.compile(r"--([a-z-]++)")
# A part calls its parameter by its own name; the key is told already.
PARAMETER = re.compile(r"[a-z_]++=")
# What of a line is in its <PRI> alone.
PRIORITIES = {"facility", "severity", "at_least"}


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
        # Recipients that are wrong, or misspelt, are not missing.
        if not any("to" in problem.place or problem.words.endswith("written to") for problem in problems):
            problems += error.problems
    read = list(problems)
    refused = refusals(SOMEBODY | options)
    problems += [_problem(options, one) for one in refused if not _may_follow(one, options, read)]
    warnings = () if problems else tuple(_doubtful(options))
    return Findings(options=options, problems=Invalid(problems).problems, warnings=warnings)


def _may_follow(refusal: Refusal, options: Configuration, read: list[Problem]) -> bool:
    """Whether it misses a setting that may be there, and is misspelt or wrong: that is told already."""
    said = options if refusal.route is None else {**options, **options["routes"][refusal.route]}
    mentioned = (named(name) for name in OPTION.findall(refusal.words))
    missing = [setting.name for setting in mentioned if setting and setting.dest not in said]
    return any(name in problem.words for name in missing for problem in read)


def _problem(options: Configuration, refusal: Refusal) -> Problem:
    dest, words = refusal.setting or "", refusal.words
    place = options.place(dest, refusal.route) or options.place(dest)
    if not place:
        # Of the command line: there, options have their dashes.
        option = next((setting.option for setting in by_dest(dest)), "")
        told = words if not option or "--" in words else f"{option}: {PARAMETER.sub('', words, count=1)}"
        return Problem(path="", line=None, words=told)
    name = place[-1]
    words = OPTION.sub(lambda found: found[1] if named(found[1]) else found[0], PARAMETER.sub("", words, count=1))
    told = words if words.startswith(f"{name} ") else f"{name}: {words}"
    return options.problem(_nearer(options, refusal, place), told)


def _nearer(options: Configuration, refusal: Refusal, place: Place) -> Place:
    """The one of several values that it is about, where its words show it."""
    holder = options if refusal.route is None else options["routes"][refusal.route]
    values = holder.get(refusal.setting or "")
    for number, value in enumerate(values if isinstance(values, list) else ()):
        if (*place, number) in options.lines and isinstance(value, str) and repr(value) in refusal.words:
            return (*place, number)
    return place


def _doubtful(options: Configuration) -> Iterator[Problem]:
    yield from _exposed(options)
    yield from _missing(options)
    yield from _untold(options)
    if "every" not in options:
        yield from _starved(options)


def _exposed(options: Configuration) -> Iterator[Problem]:
    if options.path and os.path.exists(options.path) and os.stat(options.path).st_mode & 0o002:
        yield options.problem((), "everybody can write to this file, and so have any program run: run chmod o-w on it")


def _missing(options: Configuration) -> Iterator[Problem]:
    for number, pattern in enumerate(options.get("files", [])):
        if words := _unfit(pattern):
            place = options.place("files")
            place = (*place, number) if (*place, number) in options.lines else place
            yield options.problem(place, f"file: {pattern!r} {words}")


def _unfit(pattern: str) -> str:
    """Why nothing can be read there by now; '' where something can."""
    from glob import glob

    found = glob(pattern, recursive=True)
    if not found:
        return "is no file yet: it is waited for"
    if all(map(os.path.isdir, found)):
        return f"is a directory, and not read: name the files in it, as with {os.path.join(pattern, '*.log')!r}"
    if not any(os.access(path, os.R_OK) for path in found):
        return "may not be read by this user: check as the one that burstmail runs as, or let a group read it"
    return ""


def _untold(options: Configuration) -> Iterator[Problem]:
    """What asks for a priority, where only files are read: syslog's own are written without."""
    if "files" not in options or any(source in options for source in ("listen", "journal", "stdin")):
        return
    words = "most log files tell none (no <38> in front of a line), and those do not pass: try it with old lines"
    if "at_least" in options:
        yield options.problem(options.place("at_least"), f"at-least: {words}")
    for number, route in enumerate(options.get("routes", [])):
        for name in (key.replace("_", "-") for key in route["match"] if key in PRIORITIES):
            yield options.problem(("route", number, "match", name), f"match.{name}: {words}")


def _starved(options: Configuration) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for number, route in enumerate(options.get("routes", [])):
        match = repr(route["match"])
        taken = seen.get(repr({})) or seen.get(match)
        if taken:
            words = f"route {route['name']!r} never gets a line: {taken!r} above takes them all; put this one first"
            yield options.problem(("route", number), words)
        seen.setdefault(match, route["name"])
