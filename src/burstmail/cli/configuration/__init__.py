"""File -> options. A configuration file says what the options say, and what becomes of which lines: its routes.

    to = "ops@example.org"
    file = ["/var/log/syslog", "app/*.log"]

    [[route]]
    name = "disks"
    match = { program = "kernel", contains = "I/O error" }
    to = "storage@example.org"

What options are called and hold is what options.parse() gives. Two are a file's own: `routes`, a list of mappings, each
the route's own options with `name` (str) and `match` (a mapping for criteria(), empty for every line); and `every`,
True where a line takes each route that it fits. The command line wins over all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..options import parse
from ..settings import SETTINGS, by_dest
from .document import document
from .keys import Notes, likeness, line_of, read_keys
from .matches import read_match
from .positions import Place
from .problem import Invalid, Problem

# What a route has that no setting is.
OWN = ("name", "match")
DEALT = ("first", "every")
LONGEST_NAME = 64


class Configuration(dict[str, Any]):
    """Options, with the place of each in the file they came from."""

    def __init__(self, options: Mapping[str, Any], *, path: str, lines: Mapping[Place, int]) -> None:
        super().__init__(options)
        self.path = path
        """The file, as it was named."""
        self.lines = lines
        """The line of each key; of what the command line has replaced, none."""

    def place(self, dest: str, route: int | None = None) -> Place:
        """Where the file says an option: of the route of this number (from 0), else at the top; () for nowhere."""
        above: Place = () if route is None else ("route", route)
        names = (dest,) if dest in OWN and above else [setting.name for setting in by_dest(dest)]
        said = [(*above, name) for name in names if (*above, name) in self.lines]
        return said[0] if said else ()

    def problem(self, place: Place, words: str) -> Problem:
        """What is wrong with a key of this file, or with the whole of it."""
        return Problem(path=self.path, line=line_of(self.lines, place), place=place, words=words)


def given_by(arguments: Sequence[str]) -> dict[str, Any]:
    """The options on the command line, with those of the file that `--config` names under them."""
    given = parse(arguments)
    return merged(read(given["config"]), given) if "config" in given else given


def read(path: str) -> Configuration:
    """The options in a file. Raises Invalid with all that is wrong; recipients may be missing yet."""
    configuration, problems = examined(path)
    if problems:
        raise Invalid(problems)
    return configuration


def examined(path: str) -> tuple[Configuration, list[Problem]]:
    """The options in a file as far as they are right, and what is wrong. Raises Invalid where it cannot be read."""
    said = document(path)
    notes = Notes(path, said.lines)
    options = read_keys(said.tables, (), notes, besides=("route", "routes"))
    routes = _routes(said.tables, notes)
    if routes:
        options["routes"] = routes
    if _dealt(said.tables, notes) == "every":
        options["every"] = True
    found = [problem for problem in said.problems if not _is_flag(problem, notes)]
    return Configuration(options, path=path, lines=said.lines), [*found, *notes.problems]


def _is_flag(problem: Problem, notes: Notes) -> bool:
    """Whether a value without quotes is that of a flag: it needs none, and what it needs is told already."""
    return any(other.line == problem.line and "neither true nor false" in other.words for other in notes.problems)


def _routes(tables: Mapping[str, Any], notes: Notes) -> list[dict[str, Any]]:
    if "route" not in tables:
        return []
    routes = tables["route"]
    if not isinstance(routes, list) or not routes:
        notes.add(("route",), "route: each route is a table of its own: write [[route]], with two brackets")
        return []
    found = [_route(route, ("route", number), notes) for number, route in enumerate(routes)]
    seen: dict[str, int | None] = {}
    for number, route in enumerate(found):
        name = route.get("name")
        if name in seen:
            notes.add(("route", number, "name"), f"name: {name!r} is that of another route (line {seen[name]})")
        elif name is not None:
            seen[name] = notes.lines.get(("route", number, "name"))
    return found


def _route(table: Any, place: Place, notes: Notes) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        notes.add(place, "route: is no table: write [[route]] above its keys")
        return {"match": {}}
    options = read_keys(table, place, notes, besides=OWN)
    match = read_match(table.get("match", {}), (*place, "match"), notes)
    if "name" not in table:
        if not any(key not in OWN and likeness(key, OWN) == "name" for key in table):
            notes.add(place, 'route: has no name: add name = "..."; what waits is found again by it')
        return options | {"match": match}
    name = table["name"]
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        notes.add((*place, "name"), f"name: takes text of 1 to {LONGEST_NAME} visible characters")
        return options | {"match": match}
    return options | {"name": name, "match": match}


def _dealt(tables: Mapping[str, Any], notes: Notes) -> str:
    """How lines are dealt out among routes."""
    if "routes" not in tables:
        return DEALT[0]
    value = tables["routes"]
    if isinstance(value, list | dict):
        notes.add(("routes",), "routes: each route is a table called [[route]]; routes itself is first or every")
    elif value not in DEALT:
        notes.add(("routes",), 'routes: write "first" (a line takes the first route that it fits) or "every"')
    elif "route" not in tables:
        notes.add(("routes",), "routes: says how lines are dealt out among [[route]] tables, and there is none")
    return value if value in DEALT else DEALT[0]


def merged(configuration: Configuration, given: Mapping[str, Any]) -> Configuration:
    """The options of a file with those of the command line above them, and above those of its routes.

    A destination on the command line replaces that of the file whole, sources replace its sources. Raises Invalid where
    nobody would get a mail.
    """
    dropped = _replaced(configuration, given)
    options = {dest: value for dest, value in configuration.items() if dest not in dropped} | dict(given)
    if "routes" in configuration:
        options["routes"] = [
            {dest: value for dest, value in route.items() if dest in OWN or dest not in dropped}
            for route in configuration["routes"]
        ]
    lines = {place: line for place, line in configuration.lines.items() if not _is_of(place, dropped)}
    result = Configuration(options, path=configuration.path, lines=lines)
    if problems := _without_recipients(result):
        raise Invalid(problems)
    return result


def _is_of(place: Place, dropped: set[str]) -> bool:
    key = place[2] if place[0] == "route" and len(place) > 2 else place[0]
    if key in OWN and place[0] == "route":
        return False
    return any(setting.name == key and setting.dest in dropped for setting in SETTINGS)


def _replaced(configuration: Mapping[str, Any], given: Mapping[str, Any]) -> set[str]:
    """What of the file does not count beside what is given."""
    dropped = set(given)
    if dropped & DESTINATIONS:
        dropped |= DESTINATIONS | {"password", "smtp_ca"}
    if dropped & SOURCES:
        dropped |= SOURCES
        left = {dest: given[dest] for dest in SOURCES if dest in given}
        dropped |= {dest for dest, owners in BELONGS.items() if not owners & left.keys()}
        if not any(url.startswith(("tls:", "systemd")) for url in left.get("listen", ())):
            dropped |= {"tls_cert", "tls_key", "tls_client_ca"}
    for one, other in (("masks", "patterns"), ("patterns", "masks")):
        if one in given:
            dropped.add(other)
    return dropped


def _rivals(word: str) -> frozenset[str]:
    return frozenset(setting.dest for setting in SETTINGS if setting.rivals == word)


DESTINATIONS = _rivals("destination")
SOURCES = frozenset(("files", "listen", "journal", "stdin"))
# What is about a source, and goes with it.
BELONGS: dict[str, set[str]] = {
    "from_beginning": {"files", "journal"},
    "journal_matches": {"journal"},
    "journal_directory": {"journal"},
    "allow": {"listen"},
}


def _without_recipients(options: Configuration) -> list[Problem]:
    if "to" in options:
        return []
    add = 'add to = "root", or another address'
    if "routes" not in options:
        return [options.problem((), f"nobody gets a mail: {add}")]
    return [
        options.problem(
            ("route", number), f"route {route.get('name')!r}: nobody gets its mail: {add}, here or at the top"
        )
        for number, route in enumerate(options["routes"])
        if "to" not in route
    ]
