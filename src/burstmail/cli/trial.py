"""Options -> one real mail to everybody, and what happened to it, step by step. `burstmail test-mail`.

The steps go to standard output as they happen; what failed, and what to do about it, to standard error. No line is
read, and no state directory is touched: an instance that runs never hears of it. Limits: those of the sinks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from burstmail import DeliveryError, Message, Step, SystemClock

from .channel import say, visible
from .configuration.problem import Invalid
from .configuration.proof import examine
from .destination import sink_of
from .options import parse
from .parts import routes_of
from .remedies import Way, remedy
from .sample import sample
from .status import OK, UNDELIVERED

# What takes longer is worth a word.
SLOW = 1.0
# Of an end by Ctrl-C, as shells say it.
INTERRUPTED = 130

HELP = """\
usage: burstmail test-mail -c FILE [options]
       burstmail test-mail --to ADDRESS [options]

Send one real mail, marked as a test, the way burstmail would send it, to every set of recipients that the options or
the routes of the file name, and say step by step what happened. Reads no lines, and touches nothing that is kept.

The options are those of burstmail (see burstmail --help); what matters here is what says to whom (--to, --from), by
which way (--sendmail, --smtp, --maildir, --print, --password-file, --smtp-ca) and what a mail looks like. Run it as the
user that burstmail runs as.

exit status: 0 all mails were accepted; 75 one was not, and standard error says why; 78 an option is wrong.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One mail to send."""

    message: Message
    routes: tuple[str, ...]
    """The names of the routes whose recipients they are; () without routes."""


class Nothing:
    """In the place of what is read."""

    def close(self) -> None:
        """There is nothing to end."""


@dataclass(slots=True)
class Story:
    """The steps of one mail, shown as they come."""

    clock: SystemClock = field(default_factory=SystemClock)
    done: list[Step] = field(default_factory=list)
    failed: list[Step] = field(default_factory=list)
    since: float = 0.0

    def begin(self, errand: Errand, way: str) -> None:
        """Say what is sent, and forget what was before."""
        self.done, self.failed, self.since = [], [], self.clock.monotonic()
        of = f" (route {', '.join(errand.routes)})" if errand.routes else ""
        put(f"to {', '.join(errand.message.recipients)}{of}, from {errand.message.sender}, {way}")

    def hear(self, step: Step) -> None:
        """One step."""
        (self.failed if step.reason else self.done).append(step)
        took, self.since = self.clock.monotonic() - self.since, self.clock.monotonic()
        slow = f" ({took:.0f} s)" if took >= SLOW else ""
        put(f"  {_titled(step)}: {'FAILED: ' if step.reason else ''}{step.words}{slow}")

    def reason(self, recipient: str) -> Step | None:
        """The step by which this recipient got no mail."""
        own = [step for step in self.failed if step.about == recipient]
        steps = own or self.failed
        return steps[-1] if steps else None


def command(arguments: Sequence[str]) -> int:
    """`burstmail test-mail`. Raises Invalid for all that is wrong with the options, and with the file they name."""
    if {"-h", "--help"} & set(arguments):
        put(HELP.rstrip("\n"))
        return OK
    found = examine(parse(arguments))
    if found.problems:
        raise Invalid(found.problems)
    options = found.options
    errands = _errands(options)
    story = Story()
    sink = sink_of(options, Nothing(), story.hear)
    status = OK
    try:
        for errand in errands:
            story.begin(errand, _way(options))
            status = _sent(sink, errand, story, options) or status
    except KeyboardInterrupt:
        say("interrupted: what was accepted before is on its way")
        return INTERRUPTED
    return status


def _errands(options: Mapping[str, Any]) -> list[Errand]:
    """A mail for every set of recipients, in the order of the routes."""
    routes: dict[tuple[frozenset[str], str], list[Mapping[str, Any]]] = {}
    for route in routes_of(options):
        routes.setdefault((frozenset(route["to"]), route.get("sender", "")), []).append(route)
    return [Errand(message=sample(same[0]), routes=_names(options, same)) for same in routes.values()]


def _names(options: Mapping[str, Any], routes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(str(route["name"]) for route in routes) if "routes" in options else ()


def _sent(sink: Any, errand: Errand, story: Story, options: Mapping[str, Any]) -> int:
    message = errand.message
    try:
        failed: Mapping[str, DeliveryError] = sink.send(message)
    except DeliveryError as error:
        failed = dict.fromkeys(message.recipients, error)
    if accepted := [name for name in message.recipients if name not in failed]:
        put(f"accepted for {', '.join(accepted)}: look for the subject {_subject(message)}")
    told: dict[tuple[str, str], list[str]] = {}
    for name, refusal in failed.items():
        told.setdefault(_why(story, name, refusal, _smtp(options)), []).append(name)
    for (words, what), names in told.items():
        say(f"not delivered to {', '.join(names)}: {words}")
        say(f"what to do: {what}")
    return UNDELIVERED if failed else OK


def _why(story: Story, name: str, error: DeliveryError, way: Way) -> tuple[str, str]:
    """What failed for a recipient, and what to do about it."""
    step = story.reason(name)
    if step is None:
        return str(error), "mend what the words name, then run this again"
    return f"{step.name}: {step.words}", remedy(step, story.done, way)


def _titled(step: Step) -> str:
    return f"{step.name} {step.about}" if step.about else step.name


def _subject(message: Message) -> str:
    from email import message_from_bytes, policy

    return str(message_from_bytes(message.data, policy=policy.default)["Subject"])


def _way(options: Mapping[str, Any]) -> str:
    if "smtp" in options:
        return f"by {options['smtp']}"
    if "maildir" in options:
        return f"into the Maildir {options['maildir']}"
    if "print" in options:
        return "on standard output"
    return f"through {options.get('sendmail', 'sendmail')}"


def _smtp(options: Mapping[str, Any]) -> Way:
    from urllib.parse import urlsplit

    if "smtp" not in options:
        return Way()
    # The sink has read it before, so it can be read.
    url = urlsplit(options["smtp"])
    return Way(
        host=url.hostname or "",
        port=url.port or (465 if url.scheme == "smtps" else 25),
        user=url.username is not None,
        ca="smtp_ca" in options,
    )


def put(text: str) -> None:
    """Lines on standard output, at once, and past Python's own buffers; the mail does not depend on who reads them."""
    shown = "".join(f"{visible(line)}\n" for line in text.split("\n"))
    with suppress(OSError):
        os.write(1, shown.encode("utf-8", "backslashreplace"))
