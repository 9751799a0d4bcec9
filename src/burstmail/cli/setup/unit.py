"""Handover -> a systemd unit (systemd.service(5)), restricted to what these options need (sandbox.py)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..manners import GRACE, NEVER, READING
from ..options import Misuse
from ..place import SYSTEM, SYSTEMD, reads_others
from ..status import MISUSE
from . import quoting
from .access import OTHER, access
from .credentials import credentials
from .handover import Handover
from .sandbox import restrictions

KILL = ("/bin/kill", "/usr/bin/kill")
# What systemd waits for after SIGTERM unless it is told otherwise (systemd-system.conf(5), DefaultTimeoutStopSec=).
STOP = 90.0
# No name or file can make another unit's directory of it: they become letters, digits and dashes.
OWN_STATE = "burstmail_service"

UNIT = """\
# burstmail as a service: one mail per burst of log lines. Printed by `burstmail setup {target}`.
#
#   put it into:    /etc/systemd/system/{name}.service
#   check it with:  systemd-analyze verify /etc/systemd/system/{name}.service
#   begin with it:  systemctl daemon-reload && systemctl enable --now {name}
#   what waits:     {queue}
{more}
[Unit]
Description=burstmail: one mail per burst of log lines
{after}
[Service]
# It says when it listens and is about to read (READY=1), and while a new configuration is read.
Type=notify
ExecStart={command}
# A broken configuration changes nothing: the journal says what is wrong, and the old one stays in force.
ExecReload={kill} -HUP $MAINPID
# A mail that is on its way is not torn off with it.
KillMode=mixed
{stop}Restart=on-failure
RestartSec=5
# An option or the configuration is wrong: starting again would not mend it.
RestartPreventExitStatus={misuse}
# It is started anew when it hangs: it tells of itself only while lines are taken in and what is due is done.
WatchdogSec=2min
{state}{credentials}
{restrictions}
[Install]
WantedBy=multi-user.target
"""
SOCKET = """\
#
# systemd opens the sockets: say which in /etc/systemd/system/{name}.socket, and enable that one, too:
#
#   [Socket]
#   ListenStream=601
#   ListenDatagram=514
#
#   [Install]
#   WantedBy=sockets.target
"""
STATE = """\
# What must survive is kept in /var/lib/{state}, which belongs to nobody else.
StateDirectory={state}
StateDirectoryMode=0700
"""
CREDENTIAL = """\
# systemd reads the file as root, and shows it to this service alone.
LoadCredential={name}:{path}
"""


def unit(given: Handover, target: str) -> str:
    """The text of the unit. Raises Misuse for what a service cannot do."""
    _check(given)
    name = unit_name(given)
    given = _named(given)
    secrets = credentials(given)
    stateless, state = given.options.get("state") == "none", state_name(given)
    return UNIT.format(
        target=target,
        name=name,
        queue="nothing, by --state none" if stateless else f"burstmail queue --state /var/lib/{state}",
        more="".join(_more(given)),
        after="".join(_after(given, name)),
        command=quoting.systemd((*given.program, "run", *secrets.arguments)),
        kill=next((path for path in KILL if os.access(path, os.X_OK)), KILL[0]),
        stop=_stop(given),
        misuse=MISUSE,
        state="" if stateless else STATE.format(state=state),
        credentials="".join(CREDENTIAL.format(name=one, path=_plain(path)) for one, path in secrets.files.items()),
        restrictions=restrictions(access(given)),
    )


def unit_name(given: Handover) -> str:
    """What the unit is called."""
    return f"burstmail-{given.label}" if given.label else "burstmail"


def state_name(given: Handover) -> str:
    """What its state directory is called.

    systemd gives all that is in it to the service's user (systemd.exec(5)), and in SYSTEM is what cron jobs and loggers
    of root's have kept.
    """
    return OWN_STATE if f"/var/lib/{unit_name(given)}" == SYSTEM else unit_name(given)


def _named(given: Handover) -> Handover:
    """With a name that stays when options change: its state directory is its own."""
    if "config" in given.options or "name" in given.options:
        return given
    return given.saying("--name", "burstmail")


def _check(given: Handover) -> None:
    options = given.options
    if not reads_others(options) or "stdin" in options:
        raise Misuse(
            "a service has no standard input: say --file, --listen or --journal (burstmail setup journald says it)"
        )
    if options.get("state", "none") != "none":
        raise Misuse(
            "--state: systemd makes the directory, and says where (StateDirectory=): leave it out, or say none"
        )
    if options.get("log", "stderr") not in ("stderr", "none"):
        raise Misuse("--log: what it has to say goes to the journal by itself: leave it out")


def _more(given: Handover) -> Iterator[str]:
    if SYSTEMD in given.options.get("listen", ()):
        yield SOCKET.format(name=unit_name(given))


def _after(given: Handover, name: str) -> Iterator[str]:
    if "smtp" in given.options or "listen" in given.options:
        yield "Wants=network-online.target\nAfter=network-online.target\n"
    if SYSTEMD in given.options.get("listen", ()):
        yield f"Requires={name}.socket\nAfter={name}.socket\n"


def _stop(given: Handover) -> str:
    # All it may take, as it is bound to end by itself: manners.py.
    longest = READING + max(given.options.get("grace", GRACE), GRACE) + NEVER
    return f"# As --grace says, and some more.\nTimeoutStopSec={longest + 1:.0f}\n" if longest > STOP else ""


def notes(given: Handover) -> Iterator[str]:
    """What the unit cannot mend: a line each, for whoever prints it."""
    needed = access(given)
    user = needed.user or "a user that only systemd knows"
    for path in needed.unrunnable:
        remedy = "install burstmail in /usr/local or /opt, and print this again"
        yield f"{path} cannot be run by the service, which runs as {user}: {remedy}"
    for path in needed.unreadable:
        yield f"{path} cannot be read by the service, which runs as {user}: let a group read it, and print this again"
    if needed.sendmail == OTHER or (needed.sendmail and needed.listens):
        yield "through sendmail little can be forbidden to the service: with --smtp smtp://localhost all can"
    for url in given.options.get("listen", ()):
        if url.startswith("unix:"):
            yield f"{url}: the service may not make that socket; a .socket unit can: say --listen systemd"


def _plain(path: str) -> str:
    """A path behind a colon, where quotes are no quotes."""
    return path.replace("%", "%%")
