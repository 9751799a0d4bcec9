"""Ways in, and routes: who runs, on what, and who sends it.

Each is a short program, as a user would write it. One that would not end closes its source after the last line.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from contestants import SRC, Row, first

# Each program of the generated log, and what each of its lines holds.
PROGRAMS = ("sshd", "kernel", "CRON", "postfix/* nginx")
EVERY = ("Failed password|Disconnected from", "I/O error", "CMD", "lost connection|timed out")
# One line in some 1,300.
FEW = ("user 77 .* port 7\\d? ", "I/O error, sector 7 ", "check-7 .*limit 7$", "lost connection 7 of|request 'GET /7'$")

ROUTES = """
import sys
from burstmail import Aggregator, Caps, Composer, Limit, MaildirSink, Pipeline, Route, Routes, StreamSource
from burstmail import contains, match

mails, patterns, *rules = sys.argv[1:]

def route(rule):
    programs, _, expression = rule.partition(": ")
    window, caps = Aggregator(patterns=patterns == "yes"), Caps(Limit(1000, per=1), per_key=None)
    wanted = match(program=programs.split()) & contains(expression)
    return Route(wanted, window, caps, Composer(to="root"), name=programs)

routes = Routes(*map(route, rules))
Pipeline(routes, sink=MaildirSink(mails)).run(StreamSource())
"""

SOURCE = """
import sys
from burstmail import Aggregator, Caps, Composer, FileSource, JournalSource, Limit, MaildirSink, Pipeline, SyslogSource

mails, way, place, count = sys.argv[1:]

class UntilAll:
    def __init__(self, source, count):
        self.source, self.left = source, count
        self.close = source.close

    def __iter__(self):
        for batch in self.source:
            yield batch
            self.left -= batch.count
            if self.left <= 0:
                self.close()
                self.close()

if way == "file":
    source = FileSource(place, start="beginning")
elif way == "journal":
    source = JournalSource(directory=place, start="beginning")
else:
    source = SyslogSource(place)
Pipeline(
    Aggregator(patterns=False), Caps(Limit(1000, per=1), per_key=None), Composer(to="root"), sink=MaildirSink(mails)
).run(UntilAll(source, int(count)))
"""

# To a unix socket a datagram is never lost: whoever sends it waits.
SENDER = """
import socket, sys, time
way, place, *files = sys.argv[1:]
stream = way == "tcp"
kind = (socket.AF_INET, socket.SOCK_STREAM) if stream else (socket.AF_UNIX, socket.SOCK_DGRAM)
sender = socket.socket(*kind)
address = ("127.0.0.1", int(place)) if stream else place
while sender.connect_ex(address):
    time.sleep(0.01)
for name in files:
    with open(name, "rb") as file:
        if stream:
            sender.sendfile(file)
        else:
            for line in file:
                sender.send(line[:-1])
"""

# The lines of systemd-journal-remote's own format, a microsecond apart.
EXPORTED = (
    "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=00000000000000000000000000000001\n"
    "_HOSTNAME=web1\nSYSLOG_IDENTIFIER=app\nPRIORITY=6\nMESSAGE={}\n\n"
)
UNPACKED = SRC.parent / ".venvs" / "journal-remote"


def ways(lines: int, source: Path, work: Path) -> list[Row]:
    """Routes on standard input, and every other way in."""
    rows = [
        _routes("four routes, few lines match", lines, work, "yes", FEW),
        _routes("four routes, every line, no patterns", lines, work, "no", EVERY),
        Row(**vars(_routes("four routes, every line", lines, work, "yes", EVERY)) | {"aim": 0.0}),
        _way("FileSource", lines, work, "file", str(source)),
        _way("SyslogSource, TCP", lines, work, "tcp", str(_port())),
        _way("SyslogSource, unix datagrams", max(1, lines // 10), work, "unix", str(work / "socket")),
    ]
    few = max(1, lines // 100)
    if journal := _journal(first(source, few, work), work / "journal"):
        rows.append(_way("JournalSource", few, work, "journal", journal))
    return rows


def _routes(name: str, lines: int, work: Path, patterns: str, expressions: tuple[str, ...]) -> Row:
    mails = work / name.replace(" ", "-")
    rules = [f"{programs}: {expression}" for programs, expression in zip(PROGRAMS, expressions, strict=True)]
    command = [sys.executable, "-c", ROUTES, str(mails), patterns, *rules]
    return Row(name, command, lines, mails=mails, aim=0.12, told="|".join(expressions))


def _way(name: str, lines: int, work: Path, way: str, place: str) -> Row:
    mails = work / f"way-{way}"
    urls = {"tcp": f"tcp://127.0.0.1:{place}", "unix": f"unix://{place}"}
    command = [sys.executable, "-c", SOURCE, str(mails), way, urls.get(way, place), str(lines)]
    # Whoever reads by itself needs nobody to send.
    sender = [sys.executable, "-I", "-c", SENDER, way, place] if way in urls else ["true"]
    return Row(name, command, lines, mails=mails, sender=sender)


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _journal(source: Path, folder: Path) -> str:
    """A journal with these lines; '' where there is nothing to make one with, or nothing to read it."""
    places = [UNPACKED / "lib" / "systemd", Path("/lib/systemd"), Path("/usr/lib/systemd")]
    writer = shutil.which("systemd-journal-remote", path=":".join(map(str, places)))
    if not (writer and shutil.which("journalctl")):
        return ""
    folder.mkdir()
    libraries = [*UNPACKED.glob("usr/lib/*-linux-*"), *UNPACKED.glob("usr/lib/*-linux-*/systemd")]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    rows = source.read_text().splitlines()
    start = 1_700_000_000_000_000
    text = "".join(EXPORTED.format(start + number, number + 1, row) for number, row in enumerate(rows))
    command = [writer, "--output", str(folder / "system.journal"), "-"]
    subprocess.run(command, input=text.encode(), stderr=subprocess.DEVNULL, env=environment, check=True)
    return str(folder)
