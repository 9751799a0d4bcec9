"""Access -> what a unit forbids: everything that is not needed for it (systemd.exec(5)).

Left out is what could get in the way one day and gains little: a service that is killed for a new system call of its
libraries is worse than one that could have called it.
"""

from __future__ import annotations

from .access import OTHER, OWN_USER, POSTFIX, Access
from .quoting import unit_path

# In every kernel of the last ten years, and nothing a mail or a log line depends on.
PLAIN = """\
KeyringMode=private
LimitCORE=0
ProtectControlGroups=yes
ProtectProc=invisible
PrivateMounts=yes
PrivateTmp={temporary}
RemoveIPC=yes
UMask=0077
"""
# What a program that delivers by itself, as root and into homes, would miss.
CLOSED = """\
CapabilityBoundingSet={capabilities}
{homes}
ProtectSystem=strict
"""
OPEN = """\
ProtectSystem=full
"""
HOMES = """\
# Some of what it uses is in a home directory, which its user must be able to enter.
ProtectHome=read-only"""
# All of these take the right to gain rights away, at once or (before systemd 254) where the service is not root's.
STRICT = """\
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
"""
BY_SENDMAIL = """\
# Mail goes through sendmail, which must be able to gain rights (Postfix: the group of its queue). So whatever implies
# NoNewPrivileges=yes is missing here: system calls, devices and address families are not restricted. With
# `--smtp smtp://localhost` the same mail server takes the mail, and all of it can be forbidden: print this again.
DevicePolicy=closed
"""
BY_OTHERS = """\
# What this one needs is not known: perhaps it delivers by itself, as root, and into homes. So these stay open, too.
"""
NO_NETWORK = """\
# Neither burstmail nor Postfix's sendmail needs the network: the daemon of Postfix does.
PrivateNetwork=yes
IPAddressDeny=any
"""
QUEUE = "-/var/spool/postfix/maildrop"
DYNAMIC = """\
# A user of its own, whom systemd makes while it runs.
DynamicUser=yes
"""
STATIC = """\
# Whoever owns the Maildir.
User={user}
"""
OWN = """\
# Make the user first: useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin {user}
User={user}
"""
GROUPS = """\
# They may read what it reads.
SupplementaryGroups={groups}
"""
LOW_PORT = """\
# For a port below 1024.
AmbientCapabilities=CAP_NET_BIND_SERVICE
"""


def restrictions(needed: Access) -> str:
    """Whom it runs as, and what it may not."""
    return "".join([*_who(needed), "\n# All that it does not need.\n", _plain(needed), *_more(needed)])


def _who(needed: Access) -> list[str]:
    if not needed.user:
        who = [DYNAMIC]
    else:
        who = [(OWN if needed.user == OWN_USER and needed.sendmail else STATIC).format(user=needed.user)]
    if needed.groups:
        who.append(GROUPS.format(groups=" ".join(needed.groups)))
    if needed.low_port:
        who.append(LOW_PORT)
    return who


def _plain(needed: Access) -> str:
    # With a /tmp of its own it would not find what it uses in the other.
    text = PLAIN.format(temporary="no" if needed.temporary else "yes")
    if needed.sendmail == OTHER:
        return text + OPEN
    text += CLOSED.format(
        capabilities="CAP_NET_BIND_SERVICE" if needed.low_port else "",
        homes=HOMES if needed.homes else "ProtectHome=yes",
    )
    writes = [*map(unit_path, needed.writes), *([QUEUE] if needed.sendmail == POSTFIX else [])]
    return text + (f"ReadWritePaths={' '.join(writes)}\n" if writes else "")


def _more(needed: Access) -> list[str]:
    if not needed.sendmail:
        return [STRICT]
    if needed.sendmail == OTHER:
        return [BY_SENDMAIL, BY_OTHERS]
    return [BY_SENDMAIL] if needed.listens else [BY_SENDMAIL, NO_NETWORK]
