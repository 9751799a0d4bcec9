"""Options -> Pipeline. The public parts, put together the way a script would.

`routes` among the options are mappings of their own: what a route does not say it has from the options around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_
from typing import Any

from burstmail import (
    ANYTHING,
    Admit,
    Aggregator,
    Caps,
    Composer,
    FileStore,
    Filter,
    Join,
    Limit,
    Pipeline,
    Route,
    Routes,
    Stage,
    Threshold,
    Whole,
    at_least,
    contains,
    criteria,
    match,
)

from .destination import Ends, qualified, sink_of
from .options import Misuse
from .place import reads_standard_input

WINDOW = ("gap", "max_age", "max_lines", "max_bytes", "key", "keep", "patterns", "masks")
MAIL = ("to", "sender", "subject", "text", "html", "redact", "threads", "attach")
RUNNING = ("sync", "backoff", "give_up", "grace")
# What is in front of all routes, and no matter of a single one.
FRONT = ("include", "exclude", "programs", "at_least")


def pipeline_of(options: Mapping[str, Any], source: Ends, directory: str | None = None) -> Pipeline:
    """The pipeline these options describe. `source` is closed when nobody reads the mails printed.

    `directory` is where it keeps what must survive. Raises Misuse where the parts refuse an option.
    """
    try:
        return Pipeline(
            *stages_of(options),
            sink=sink_of(options, source),
            store=None if directory is None else FileStore(directory),
            **given(options, *RUNNING),
        )
    except (ValueError, OSError) as error:
        raise Misuse(str(error)) from None


def stages_of(options: Mapping[str, Any]) -> list[Stage[Any, Any]]:
    """All stages, from Batch to Message. Raises Misuse where they refuse an option."""
    routes = routes_of(options)
    try:
        if "routes" not in options:
            return [*front_of(options), *sieve_of(routes[0]), *cut_of(routes[0])]
        made = [Route(criteria(one.get("match", {})), *_behind(options, one), name=one["name"]) for one in routes]
        return [*front_of(options), Routes(*made, every="every" in options)]
    except (ValueError, OSError) as error:
        raise Misuse(str(error)) from None


def routes_of(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The whole settings of each route, `name` and `match` among them; where there are none, those of the only way."""
    if "routes" not in options:
        return [dict(options)]
    common = {name: value for name, value in options.items() if name not in ("routes", "every", "name")}
    return [common | route for route in options["routes"]]


def front_of(options: Mapping[str, Any]) -> list[Stage[Any, Any]]:
    """What all lines meet first. Records are made before all else: the others take one as one."""
    stages: list[Stage[Any, Any]] = [Join()] if "join" in options else [Whole()] if _comes_whole(options) else []
    if (wanted := filter_of(options)) is not ANYTHING:
        stages.append(Admit(wanted))
    return stages


def _comes_whole(options: Mapping[str, Any]) -> bool:
    """Whether all that is read are messages with a header, and the lines of one after its first are indented."""
    return not ("files" in options or reads_standard_input(options))


def filter_of(options: Mapping[str, Any]) -> Filter:
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


def _behind(options: Mapping[str, Any], route: Mapping[str, Any]) -> list[Stage[Any, Any]]:
    own: list[Stage[Any, Any]] = [Join()] if "join" in route and "join" not in options else []
    return [*own, *sieve_of(route), *cut_of(route)]


def sieve_of(route: Mapping[str, Any]) -> list[Stage[Any, Any]]:
    """Which of a route's lines get as far as a burst."""
    if "threshold" not in route:
        return []
    count, per = route["threshold"]
    return [Threshold(count, per=per, **given(route, "key"), **_urgent(route))]


def cut_of(route: Mapping[str, Any]) -> list[Stage[Any, Any]]:
    """A route's lines to its mails."""
    return [window_of(route), caps_of(route), composer_of(route)]


def window_of(route: Mapping[str, Any]) -> Aggregator:
    """What is one burst."""
    if "masks" in route and "patterns" in route:
        raise Misuse("--mask belongs to patterns, and --no-patterns says not to count them")
    return Aggregator(**given(route, *WINDOW), **_urgent(route))


def _urgent(route: Mapping[str, Any]) -> dict[str, Any]:
    return {"urgent": contains(*route["urgent"])} if "urgent" in route else {}


def caps_of(route: Mapping[str, Any]) -> Caps:
    """How much mail there is at most."""
    limits: list[Limit] = route.get("caps", [])
    reserve: dict[str, Any] = {"reserve": 1} if "urgent" in route else {}
    if reserve and any(limit.count < 2 for limit in limits):
        raise Misuse("--urgent keeps one mail of each --cap for urgent lines: let each --cap allow 2 or more")
    return Caps(*limits, **given(route, per_key="cool_down"), **reserve)


def composer_of(route: Mapping[str, Any]) -> Composer:
    """The mail, and to whom."""
    if "smtp" in route:
        route = {**route, **{name: qualified(route[name]) for name in ("to", "sender") if name in route}}
    return Composer(**given(route, *MAIL, name="name_shown"))


def given(options: Mapping[str, Any], *same: str, **renamed: str) -> dict[str, Any]:
    """What was given, by the parameter's name: an option that was not leaves the part its own default."""
    names = dict(zip(same, same, strict=True)) | renamed
    return {parameter: options[option] for parameter, option in names.items() if option in options}
