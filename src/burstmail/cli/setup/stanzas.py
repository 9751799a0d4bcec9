"""Handover -> a stanza for syslog-ng or rsyslog, in whose words it starts burstmail and passes lines on to it.

What each line is for stands above it: whoever reads it in a year has nothing but the file.
"""

from __future__ import annotations

from ..options import Misuse
from . import quoting
from .handover import Handover

EVERYTHING = """\
# Every line goes to burstmail, whose own options say which of them count.
"""

SYSLOG_NG = """\
# Lines for burstmail, which sends one mail per burst of them. Printed by `burstmail setup syslog-ng`.
#
#   put it into:    /etc/syslog-ng/conf.d/{file}.conf
#   check it with:  syslog-ng --syntax-only
#   begin with it:  syslog-ng-ctl reload
#
# For syslog-ng 3.38 or later.

{choice}
destination d_{name} {{
    program(
        # `exec` lets burstmail take the place of the shell, so that it hears of a stop itself. Output goes to
        # /dev/null: try the command by hand first.
        {command}

        # One line a message, in a form burstmail reads: <${{PRI}}> becomes the severity's name in the mail.
        template("<${{PRI}}>${{ISODATE}} ${{HOST}} ${{MSGHDR}}${{MESSAGE}}\\n")

        # Messages that wait here while burstmail is slower than they come: a flood fits, at 1 KiB each some 100 MB.
        # Past it syslog-ng drops, silently but for `syslog-ng-ctl stats`.
        log-fifo-size(100000)

        # A reload leaves burstmail running, its open burst with it.
        keep-alive(yes)
    );
}};

log {{
    # Where messages come from: s_src is Debian's name for it. A source of your own should say flags(no-multi-line): a
    # newline inside a message would let any local user forge a whole line. system() takes no flags, hence the rewrite.
    source(s_src);
{filter}    rewrite {{ subst("[\\r\\n]+", " ", value("MESSAGE"), type("pcre"), flags("global")); }};
    destination(d_{name});
    # No flags(flow-control): if burstmail ever stopped reading, it would stop sshd, login and cron as well.
}};
"""
SYSLOG_NG_FILTER = """\
# Which lines: errors and worse. Say here what you want mails about.
filter f_{name} {{
    level(err..emerg);
}};
"""

RSYSLOG = """\
# Lines for burstmail, which sends one mail per burst of them. Printed by `burstmail setup rsyslog`.
#
#   put it into:    /etc/rsyslog.d/{file}.conf
#   check it with:  rsyslogd -N1
#   begin with it:  systemctl restart rsyslog
#
# For rsyslog 8.2302 or later.

module(load="omprog")

# One line a message, in a form burstmail reads: <%PRI%> becomes the severity's name in the mail. escape-cc: a newline
# inside a message would let any local user forge a whole line. The newline at the end belongs to omprog's protocol.
template(name="{name}" type="string"
    string="{line}")

{choice}
{filter} then {{
    action(
        type="omprog"
        name="{action}"

        # No spaces within a word, not even in quotes: rsyslog 8.2302 passes the quotes on, and may crash at its end.
        # Output goes to /dev/null: try the command by hand first.
        binary={command}
        template="{name}"
{queue}    )
}}
"""
# Of a message: its priority, then a line as rsyslog writes it to files.
LINE = (
    "<%PRI%>%TIMESTAMP:::date-rfc3339% %HOSTNAME% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf,escape-cc%\\n"
)
RSYSLOG_FILTER = """\
# Which lines: errors and worse. Say here what you want mails about."""
IN_MEMORY = """
        # A queue of its own: without one, whatever keeps burstmail busy keeps all other logging waiting.
        queue.type="LinkedList"
        queue.size="100000"

        # At a stop, time to hand over what waits in it, in milliseconds. Without it rsyslog drops what is left.
        queue.timeoutShutdown="10000"
"""
CONFIRMED = """
        # burstmail answers each line once it is on its disk (--confirm): both of them, or neither.
        confirmMessages="on"

        # When burstmail cannot keep a message, its disk being full for example, it says why: let rsyslog log it, and
        # bring the message again after 5 seconds, for ever.
        reportFailures="on"
        action.resumeInterval="5"
        action.resumeRetryCount="-1"

        # A queue of its own, on disk, written with each message: it survives the end of rsyslog, even kill -9.
        queue.type="Disk"
        queue.filename="{action}"
        queue.checkpointInterval="1"
        queue.size="100000"
        queue.maxDiskSpace="200m"

        # What was handed over in one go, and not yet struck off the queue when rsyslog is killed, comes twice.
        queue.dequeueBatchSize="8"

        # At a stop, time to hand over what waits in it, in milliseconds. Without it rsyslog breaks off in the middle,
        # where 8.2302 may lose messages, or crash.
        queue.timeoutShutdown="10000"
"""


def syslog_ng(given: Handover) -> str:
    """A destination with program(), and a log path to it."""
    name = _name(given, "_")
    return SYSLOG_NG.format(
        name=name,
        file=_name(given, "-"),
        choice=EVERYTHING if given.chooses else SYSLOG_NG_FILTER.format(name=name),
        command=quoting.syslog_ng(f"exec {quoting.shell(given.words)}"),
        filter="" if given.chooses else f"    filter(f_{name});\n",
    )


def rsyslog(given: Handover) -> str:
    """An action with omprog; with `--confirm`, one that keeps each message until burstmail has it."""
    action = _name(given, "-")
    return RSYSLOG.format(
        line=LINE,
        name=_name(given, "_"),
        file=action,
        action=action,
        choice=EVERYTHING.rstrip() if given.chooses else RSYSLOG_FILTER,
        filter='if prifilt("*.*")' if given.chooses else 'if prifilt("*.err")',
        command=_omprog(given),
        queue=(CONFIRMED if "confirm" in given.options else IN_MEMORY).format(action=action),
    )


def _omprog(given: Handover) -> str:
    try:
        return quoting.rsyslog(given.words)
    except ValueError as error:
        file = given.paths.get("config", "")
        remedy = f"name the file without one: {file}" if " " in file else "write it into a file, and say -c FILE"
        raise Misuse(f"{error}: {remedy}") from None


def _name(given: Handover, joint: str) -> str:
    return joint.join(["burstmail", *filter(None, given.label.split("-"))])
