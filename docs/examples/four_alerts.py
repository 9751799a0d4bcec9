"""The four alerts of docs/syslog-ng.md in one program: four routes, each with recipients of its own.

    four_alerts.py WHERE...

WHERE is a log file or a pattern of such, a URL to receive syslog at (udp://, tcp://, unix://), or - for standard input.
"""

import signal
import sys

from burstmail import (
    Aggregator,
    Caps,
    Composer,
    FileSource,
    FileStore,
    Pipeline,
    Route,
    Routes,
    SendmailSink,
    StreamSource,
    SyslogSource,
    contains,
    match,
)

LOGINS = match(facility=["auth", "authpriv"])
KERNEL = match(facility="kern", program="kernel")
FAILURES = contains(
    "authentication failure|Failed [A-Za-z0-9/-]+ for|[Ii]nvalid user|FAILED LOGIN|FAILED SU|incorrect password"
)


def alert(name, filter):
    """A route with windows, caps and a recipient of its own."""
    composer = Composer(to=f"{name}@example.org", subject=f"[{name}] {{what}}: {{summary}}")
    return Route(filter, Aggregator(key="host"), Caps(), composer, name=name)


# A line takes the first route whose filter it passes.
ALERTS = (
    alert("auth", LOGINS & FAILURES),
    alert("console", LOGINS & match(program="login") & contains("LOGIN ON|session opened for user")),
    alert("network", KERNEL & contains("bonding:|bond[0-9]+: |e1000e[: ]")),
    alert("usb", KERNEL & contains("USB device|USB disconnect")),
)


def source(where):
    """What WHERE names."""
    if where == "-":
        return StreamSource()
    return SyslogSource(where) if "://" in where else FileSource(where)


def main(places):
    """Read all places until SIGTERM, or until they end."""
    sources = [source(where) for where in places]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: [source.close() for source in sources])
    pipeline = Pipeline(Routes(*ALERTS), sink=SendmailSink(), store=FileStore("/var/lib/four-alerts"))
    pipeline.run(*sources)


if __name__ == "__main__":
    main(sys.argv[1:] or ["-"])
