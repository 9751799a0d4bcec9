"""Settings of where lines come from, and of which of them count."""

from __future__ import annotations

from .. import values
from .setting import Group, Setting

FILE = Group(
    "a file of settings",
    (
        Setting(
            name="config",
            short="-c",
            metavar="FILE",
            reader=values.path,
            filed=False,
            help="read settings and routes from this TOML file; what is said here wins (see `burstmail check -c FILE`)",
        ),
    ),
)
SOURCES = Group(
    "where lines come from (default: standard input; several at once are fine)",
    (
        Setting(
            name="file",
            metavar="PATTERN",
            stored="files",
            reader=values.path,
            repeatable=True,
            path=True,
            help="follow a log file, as tail -F does, through rotations and restarts; or all that fit a pattern such "
            "as '/var/log/app/*.log'; repeatable",
        ),
        Setting(
            name="listen",
            metavar="URL",
            reader=values.listening,
            repeatable=True,
            help="receive syslog at udp://ADDRESS:PORT, tcp://ADDRESS:PORT, tls://ADDRESS:PORT or unix:///PATH; or "
            "systemd, for the sockets that a .socket unit passes; repeatable",
        ),
        Setting(name="journal", help="follow the systemd journal"),
        Setting(name="stdin", help="read standard input too, beside any of these"),
        Setting(
            name="from-beginning",
            help="where nothing has been read before, read --file and --journal from their beginning (default: what "
            "comes from now on)",
        ),
        Setting(
            name="tls-cert",
            metavar="FILE",
            reader=values.path,
            path=True,
            help="certificate of tls:// (PEM), with its chain",
        ),
        Setting(
            name="tls-key",
            metavar="FILE",
            reader=values.path,
            path=True,
            help="its key (default: it is in --tls-cert)",
        ),
        Setting(
            name="tls-client-ca",
            metavar="FILE",
            reader=values.path,
            path=True,
            help="let in only clients with a certificate of this authority (default: all)",
        ),
        Setting(
            name="allow",
            metavar="NETWORK",
            reader=values.network,
            repeatable=True,
            help="take syslog from these addresses only, such as 192.0.2.0/24; repeatable (default: from all)",
        ),
        Setting(
            name="journal-match",
            metavar="FIELD=VALUE",
            stored="journal_matches",
            repeatable=True,
            help="entries that journalctl finds by this, such as _SYSTEMD_UNIT=ssh.service; repeatable (default: all)",
        ),
        Setting(
            name="journal-directory",
            metavar="DIR",
            reader=values.path,
            path=True,
            help="a directory of journal files (default: the machine's own journal)",
        ),
    ),
)
JOB = Group(
    "a command whose output it is (burstmail run [options] -- COMMAND ARGS)",
    (
        Setting(name="only-if-failed", filed=False, help="drop the output of a command that succeeds"),
        Setting(name="tee", filed=False, help="pass the output on, too (default: it is only mailed)"),
    ),
)
FILTERS = Group(
    "which lines count (all of what is given must be so; what is left out is counted)",
    (
        Setting(
            name="include",
            metavar="REGEX",
            reader=values.expression,
            repeatable=True,
            help="lines with this in their message, of which it sees the first 4,096 characters; repeatable: any of "
            "them (default: all)",
        ),
        Setting(
            name="exclude",
            metavar="REGEX",
            reader=values.expression,
            repeatable=True,
            help="not those with this in it; repeatable",
        ),
        Setting(
            name="program",
            metavar="NAME",
            stored="programs",
            reader=values.program,
            repeatable=True,
            help="lines of this program; * and ? stand for anything; repeatable: any of them (default: all)",
        ),
        Setting(
            name="at-least",
            metavar="SEVERITY",
            reader=values.severity,
            help="lines of this severity or worse: debug, info, notice, warning, err, crit, alert, emerg; not those "
            "that tell none (default: all lines)",
        ),
        Setting(
            name="join",
            routed=True,
            help="stack traces are one with the line before them, also for the other options of this group",
        ),
        Setting(
            name="threshold",
            metavar="COUNT/TIME",
            reader=values.threshold,
            routed=True,
            help="only what comes so often, by --key, such as 10/5m; what does not is counted in the next mail "
            "(default: all)",
        ),
        Setting(
            name="urgent",
            metavar="REGEX",
            reader=values.expression,
            repeatable=True,
            routed=True,
            help="a line with this in it is mailed at once, with all that is open with it; one mail of each --cap is "
            "for such lines only; repeatable",
        ),
    ),
)
