"""Settings of where mails go, what happens when they cannot, and what survives."""

from __future__ import annotations

from .. import values
from .setting import Group, Setting

DESTINATION = Group(
    "where to (one of --sendmail, --smtp, --maildir, --print)",
    (
        Setting(
            name="sendmail",
            metavar="PATH",
            rivals="destination",
            path=True,
            help="through this program (default: found in the usual places)",
        ),
        Setting(
            name="smtp",
            metavar="URL",
            rivals="destination",
            help="smtp://[user@]host[:port] (STARTTLS unless on loopback without a user; ?tls=off for none) or "
            "smtps://[user@]host[:port]; a recipient without a domain gets this host's name",
        ),
        Setting(
            name="maildir",
            metavar="DIR",
            rivals="destination",
            path=True,
            help="into a Maildir, made if missing; needs no mail server",
        ),
        Setting(
            name="print",
            rivals="destination",
            help="on standard output, decoded: for trying things out",
        ),
        Setting(
            name="password-file",
            metavar="FILE",
            stored="password",
            reader=values.secret,
            path=True,
            help="its first line is the password of --smtp's user; only its owner may read it; a bare name is first "
            "looked for in $CREDENTIALS_DIRECTORY (systemd's LoadCredential)",
        ),
        Setting(
            name="smtp-ca",
            metavar="FILE",
            reader=values.certificates,
            path=True,
            help="trust these certificates (PEM) instead of the system's",
        ),
    ),
)
FAILURES = Group(
    "when it cannot be delivered",
    (
        Setting(
            name="backoff",
            metavar="FIRST..LONGEST",
            reader=values.backoff,
            help="rest of the destination after a failure, doubling while it goes on (default: 30s..30m)",
        ),
        Setting(
            name="give-up",
            metavar="DURATION",
            reader=values.duration,
            help="how long a mail is tried; then it is dead, and `burstmail queue` shows it (default: 3d)",
        ),
        Setting(
            name="grace",
            metavar="DURATION",
            reader=values.duration,
            help="for deliveries at the end; the rest is kept (default: 4s)",
        ),
    ),
)
KEEPING = Group(
    "what survives, and where that is told",
    (
        Setting(
            name="state",
            metavar="DIR",
            reader=values.path,
            path=True,
            words=("none",),
            help="keep it in DIR/NAME/, or none (default: $STATE_DIRECTORY, else /var/lib/burstmail for root, else "
            "~/.local/state/burstmail; none with --print, or when standard input is a file)",
        ),
        Setting(
            name="name",
            metavar="NAME",
            reader=values.name,
            help="what this one is called (default: made from --to, --from, --subject, the destination and the "
            "sources; where standard input is read, also from --key, --include, --exclude, --program and --at-least)",
        ),
        Setting(
            name="sync",
            metavar="WHEN",
            choices=("batch", "burst", "off"),
            help="when it must have reached the disk: batch, each read; burst, each mail and each second; off, when "
            "the system likes (default: burst)",
        ),
        Setting(
            name="log",
            metavar="FILE",
            reader=values.path,
            path=True,
            words=("stderr", "none"),
            help="a file of at most 512k and one older, or stderr, or none (default: stderr; DIR/NAME/log when that is "
            "/dev/null)",
        ),
        Setting(
            name="confirm",
            help="answer each line on standard output once it is on the disk: rsyslog's omprog with confirmMessages",
        ),
    ),
)
