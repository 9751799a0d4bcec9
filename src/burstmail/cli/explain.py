"""Options -> plain sentences. What a burstmail with these options would do, for whoever has written them.

Nothing is looked up: what it says follows from the options alone, and from the place that is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any
from urllib.parse import unquote, urlsplit

from burstmail import Backoff, CoolDown, Limit, Pipeline, Window

from .amount import HOUR, most
from .parts import routes_of
from .phrases import counted, criteria_in_words, each, several, span
from .place import SYSTEMD, Place, reads_standard_input

# Those of Caps, where the options name none.
LIMITS = (Limit(3, 60.0), Limit(5, 900.0))


def explain(options: Mapping[str, Any], place: Place | None = None) -> list[str]:
    """The lines of the explanation; an empty one stands between its paragraphs."""
    return [
        *_inputs(options),
        *_front(options),
        "",
        *(_routes(options) if "routes" in options else _route(options)),
        "",
        *_destination(options),
        *_keeping(options, place),
    ]


# Where lines come from


def _inputs(options: Mapping[str, Any]) -> list[str]:
    found = ["Lines are read from standard input, to its end."] if reads_standard_input(options) else []
    if "files" in options:
        found.append(f"Lines are read from {several(options['files'])} as they are written, {_begun(options)}.")
    if "listen" in options:
        found.append(_listening(options))
    if "journal" in options:
        found.append(_journal(options))
    return found


def _begun(options: Mapping[str, Any]) -> str:
    first = "from the beginning" if "from_beginning" in options else "from what is new"
    return f"at first {first}, later from where the last run ended"


def _listening(options: Mapping[str, Any]) -> str:
    urls = ["the sockets that systemd passes" if url == SYSTEMD else url for url in options["listen"]]
    allowed = f", from {several(options['allow'])} only" if "allow" in options else ""
    known = ", from clients with a certificate only" if "tls_client_ca" in options else ""
    return f"Syslog is received at {several(urls)}{allowed}{known}."


def _journal(options: Mapping[str, Any]) -> str:
    which = f" with {several(options['journal_matches'])}" if "journal_matches" in options else ""
    where = f" in {options['journal_directory']}" if "journal_directory" in options else ""
    return f"Entries{which} are read from the systemd journal{where}, {_begun(options)}."


# Which lines count


def _front(options: Mapping[str, Any]) -> list[str]:
    found = []
    if "join" in options:
        found.append("Stack traces are one with the line before them.")
    if wanted := _wanted(options):
        found.append(f"Only lines with {wanted} count. The others are in no mail.")
    return found


def _wanted(options: Mapping[str, Any]) -> str:
    names = {"program": "programs", "at_least": "at_least", "contains": "include"}
    criteria = {key: options[name] for key, name in names.items() if name in options}
    if "exclude" in options:
        criteria["not"] = {"contains": options["exclude"]}
    return criteria_in_words(criteria)


# What becomes of them


def _routes(options: Mapping[str, Any]) -> list[str]:
    routes = routes_of(options)
    every = "every" in options
    found = [f"A line goes to {'each' if every else 'the first'} of these that takes it:"]
    for number, route in enumerate(routes):
        taken = criteria_in_words(route.get("match", {}))
        before = number and not every
        which = f"lines with {taken}" if taken else "all other lines" if before else "all lines"
        joined = ["Stack traces are one with the line before them."] if _joins(options, route) else []
        found += ["", f"{route['name']}: {which}", *(f"  {line}" for line in [*joined, *_route(route)])]
    if all(route.get("match") for route in routes):
        found += ["", "Lines that none of these takes are in no mail."]
    return [*found, *_together(routes)]


def _joins(options: Mapping[str, Any], route: Mapping[str, Any]) -> bool:
    return "join" in route and "join" not in options


def _together(routes: Sequence[Mapping[str, Any]]) -> list[str]:
    amounts = [_most(route) for route in routes]
    if len(routes) < 2:
        return []
    return ["", f"All routes together send at most {counted(sum(amounts), 'mail')} in any hour."]


def _route(route: Mapping[str, Any]) -> list[str]:
    return [*_threshold(route), *_when(route), *_urgent(route), *_amount(route), *_mail(route)]


def _threshold(route: Mapping[str, Any]) -> list[str]:
    if "threshold" not in route:
        return []
    count, per = route["threshold"]
    lines = f"{counted(count, 'line')}{_same(route)} have come within {span(per)}"
    return [f"There is a mail only once {lines}; fewer are counted, and not mailed."]


def _same(route: Mapping[str, Any]) -> str:
    return f" of the same {several(_fields(route))}" if "key" in route else ""


def _fields(route: Mapping[str, Any]) -> list[str]:
    return [name.strip() for name in route["key"].split(",")]


def _when(route: Mapping[str, Any]) -> list[str]:
    window = Window(**{name: route[name] for name in ("gap", "max_age", "max_lines", "max_bytes") if name in route})
    full = [counted(window.max_lines, "line")] if window.max_lines else []
    full += [counted(window.max_bytes, "byte")] if window.max_bytes else []
    sooner = f" or with {several(full, 'or')}" if full else ""
    if window.gap < window.max_age:
        when = f"{span(window.gap)} after the last line, at the latest {span(window.max_age)} after the first"
    else:
        when = f"{span(window.max_age)} after the first line"
    return [f"A mail is sent {when}{sooner}.", *_separate(route)]


def _separate(route: Mapping[str, Any]) -> list[str]:
    if "key" not in route:
        return []
    fields = _fields(route)
    whose = f"Each {fields[0]}" if len(fields) < 2 else f"Each combination of {several(fields)}"
    return [f"{whose} has mails of its own."]


def _urgent(route: Mapping[str, Any]) -> list[str]:
    if "urgent" not in route:
        return []
    wanted = criteria_in_words({"contains": route["urgent"]})
    rest = "with all that is open with it; one mail of each limit is for such lines only"
    return [f"A line with {wanted} is mailed at once, {rest}."]


def _limits(route: Mapping[str, Any]) -> tuple[Sequence[Limit], CoolDown | None]:
    return route.get("caps", LIMITS), route.get("cool_down", CoolDown())


def _most(route: Mapping[str, Any]) -> int:
    """Mails in any hour, at most."""
    limits, cool = _limits(route)
    # A cool-down holds for each key, and not for what is urgent.
    alone = "key" not in route and "urgent" not in route
    found = most(limits, cool if alone else None)
    assert found is not None
    return found


def _amount(route: Mapping[str, Any]) -> list[str]:
    limits, cool = _limits(route)
    first, *others = limits
    said = [f"{counted(first.count, 'mail')} {each(first.per)}", *(f"{one.count:,} {each(one.per)}" for one in others)]
    hourly = [limit.count for limit in limits if limit.per >= HOUR]
    more = "" if _most(route) in hourly else f", and never more than {_most(route):,} in an hour"
    found = [f"At most {several(said)}{more}. What is over waits, merged and counted."]
    if cool:
        grows = f", doubling to {span(cool.longest)}" if cool.longest > cool.first else ""
        again = f"until it has been quiet for {span(cool.longest)}"
        found.append(f"After a mail{_same(route)} the next one waits {span(cool.first)}{grows}, {again}.")
    return found


def _mail(route: Mapping[str, Any]) -> list[str]:
    found = [f"Mails go to {several(route['to'])}{f', from {sender}' if (sender := route.get('sender')) else ''}."]
    if "subject" in route:
        found.append(f'Their subject is "{route["subject"]}".')
    if "keep" in route:
        shown = route["keep"]
        found.append(f"They show the first {shown.head:,} and the last {shown.tail:,} lines, and count all.")
    if route.get("redact") == ():
        found.append("Nothing is taken out of their lines: passwords in them are mailed.")
    return found


# Where to, and what survives


def _destination(options: Mapping[str, Any]) -> list[str]:
    if "print" in options:
        return ["Mails are not sent: they are shown on standard output."]
    backoff = options.get("backoff", Backoff())
    give_up = options.get("give_up", signature(Pipeline).parameters["give_up"].default)
    again = f"after {span(backoff.first)}, and then ever later, up to {span(backoff.longest)}"
    return [
        f"Mails are {_way(options)}.",
        f"Where that fails, it is tried again {again}. What has failed for {span(give_up)} is given up, and shown by "
        "`burstmail queue`.",
    ]


def _way(options: Mapping[str, Any]) -> str:
    if "smtp" in options:
        return _server(options["smtp"])
    if "maildir" in options:
        return f"put into the Maildir {options['maildir']}"
    return f"handed to {options.get('sendmail', 'sendmail, wherever it is found')}"


def _server(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (465 if parts.scheme == "smtps" else 25)
    user = f", as the user {unquote(parts.username)}" if parts.username else ""
    return f"handed to the mail server {parts.hostname}, port {port}{user}"


def _keeping(options: Mapping[str, Any], place: Place | None) -> list[str]:
    if place is None:
        return []
    if place.directory is None:
        return ["Nothing is kept: what is not delivered when it ends is lost."]
    sync = {
        "batch": "Not even a power failure costs a line that was read.",
        "burst": "A power failure costs the lines of the last second at most.",
        "off": "A power failure costs what the system has not written yet.",
    }
    return [
        f"What is read is kept in {place.directory} until it is mailed: a crash, a restart or a mail server that is "
        f"down costs nothing. {sync[options.get('sync', 'burst')]}"
    ]
