"""Settings of the mail: to whom, what is in it, what is one burst, and how much of it."""

from __future__ import annotations

from .. import values
from .setting import Group, Setting

MAIL = Group(
    "the mail",
    (
        Setting(
            name="to",
            metavar="ADDRESS",
            reader=values.recipient,
            repeatable=True,
            routed=True,
            help="recipient, required; repeatable; a local user such as root is fine",
        ),
        Setting(
            name="from",
            metavar="ADDRESS",
            stored="sender",
            routed=True,
            help="sender (default: user@host, fully qualified)",
        ),
        Setting(
            name="from-name",
            metavar="TEXT",
            stored="name_shown",
            routed=True,
            help="name for the sender (default: none)",
        ),
        Setting(
            name="subject",
            metavar="TEXT",
            reader=values.subject,
            routed=True,
            help="template; fields: {mark} {what} {host} {program} {key} {count} {lines} {duration} {bursts} {summary} "
            "{top} {severity} {reason} {first} {last} (default: [burstmail] {mark}: {what}: {summary}: {top}; an empty "
            "field takes what parts it from the next one along)",
        ),
        Setting(
            name="keep",
            metavar="HEAD+TAIL",
            reader=values.keep,
            routed=True,
            help="first and last lines of a burst that the mail shows; all are counted (default: 200+200)",
        ),
    ),
)
CONTENT = Group(
    "what is in it",
    (
        Setting(
            name="text-template",
            metavar="FILE",
            stored="text",
            reader=values.text_template,
            routed=True,
            path=True,
            help="the text, with $fields: those of --subject, and $opening $severity $facts $sources $timeline "
            "$patterns $lines (or $head $gap $tail) $left_out $attachment $notes $signature",
        ),
        Setting(
            name="html-template",
            metavar="FILE",
            stored="html",
            reader=values.html_template,
            rivals="html",
            routed=True,
            path=True,
            help="the HTML likewise",
        ),
        Setting(name="text-only", stored="html", const=False, rivals="html", routed=True, help="no HTML"),
        Setting(
            name="redact",
            metavar="NAMES",
            reader=values.redact,
            routed=True,
            help="what is taken out of lines, joined by commas: urls (passwords in them), passwords, tokens; or none "
            "(default: all three; functions of your own need a script)",
        ),
        Setting(
            name="attach",
            metavar="SIZE",
            reader=values.attach,
            routed=True,
            help="largest burst.log.gz, which is there when the mail does not show all lines; or none (default: "
            "1,000,000)",
        ),
        Setting(
            name="mask",
            metavar="REGEX",
            stored="masks",
            reader=values.mask,
            repeatable=True,
            routed=True,
            help="what else varies in lines that are to be counted as one; repeatable",
        ),
        Setting(
            name="no-patterns",
            stored="patterns",
            const=False,
            routed=True,
            help="do not count lines by pattern",
        ),
        Setting(
            name="no-threads",
            stored="threads",
            const=False,
            routed=True,
            help="no References: each mail stands alone",
        ),
    ),
)
BURSTS = Group(
    "what is one burst",
    (
        Setting(
            name="gap",
            metavar="DURATION",
            reader=values.duration,
            routed=True,
            help="ends after so much quiet (default: 5s)",
        ),
        Setting(
            name="max-age",
            metavar="DURATION",
            reader=values.duration,
            routed=True,
            help="ends at this age, quiet or not (default: 60s)",
        ),
        Setting(
            name="max-lines",
            metavar="COUNT",
            reader=values.count,
            routed=True,
            help="ends with this many lines",
        ),
        Setting(name="max-bytes", metavar="SIZE", reader=values.size, routed=True, help="ends at this size"),
        Setting(
            name="key",
            metavar="FIELDS",
            routed=True,
            help="a burst of its own for each value of these, joined by commas: host, program, pid, facility, severity "
            "(default: one for all)",
        ),
    ),
)
AMOUNT = Group(
    "how much mail (what is over waits, merged and counted)",
    (
        Setting(
            name="cap",
            metavar="COUNT/TIME",
            stored="caps",
            reader=values.cap,
            repeatable=True,
            routed=True,
            help="mails at most, over all keys; repeatable, together they replace the default (3/min and 5/15min)",
        ),
        Setting(
            name="cool-down",
            metavar="FIRST..LONGEST",
            reader=values.cool_down,
            routed=True,
            help="rest of one key after its first mail, doubling while it goes on; or off (default: 1m..15m)",
        ),
    ),
)
