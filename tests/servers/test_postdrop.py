"""Why a unit that mails through Postfix's sendmail may not say NoNewPrivileges=yes, nor anything that implies it.

In namespaces of its own: its directories take the place of the machine's for this one process. Not every container may
make them, so this is not one of the servers that are required.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HOW

POSTDROP = Path("/usr/sbin/postdrop")
NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
# As `ip link set lo up`: PrivateNetwork= has loopback, and nothing else.
LOOPBACK = """
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
"""
QUEUE = """
set -e
umask 022
mount -t tmpfs none /var/spool/postfix
mkdir /var/spool/postfix/maildrop /var/spool/postfix/public
chown postfix:postdrop /var/spool/postfix/*
chmod 1730 /var/spool/postfix/maildrop
mount -t tmpfs none /etc/postfix
printf 'compatibility_level=3.6\\nmyhostname=x.example.org\\n' > /etc/postfix/main.cf
touch /etc/postfix/master.cf /etc/postfix/dynamicmaps.cf
# ReadWritePaths=
mount --bind /var/spool/postfix/maildrop /var/spool/postfix/maildrop
mount -o remount,bind,ro /var/spool/postfix
mount -o remount,bind,rw /var/spool/postfix/maildrop
"$0" -c "$1"
umask 077
printf 'Subject: x\\n\\nhi\\n' | timeout --kill-after=1 3 setpriv --reuid 65534 --regid 65534 --clear-groups \
    --bounding-set=-all --inh-caps=-all {more} /usr/sbin/sendmail -i -f root -- root 2> /dev/null || true
ls /var/spool/postfix/maildrop | grep -vc '\\.' || true
"""


@pytest.mark.parametrize(("more", "queued"), [("", "1"), ("--no-new-privs", "0")])
def test_sendmail_of_postfix_needs_new_privileges_and_nothing_else(more: str, queued: str) -> None:
    if not POSTDROP.exists() or not shutil.which("setpriv"):
        pytest.skip(f"no Postfix, or no setpriv here: {HOW}")
    if (
        not shutil.which("unshare")
        or subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("namespaces cannot be made here: run this as root")
    # With a process namespace: what is left of a postdrop that tries for ever ends with it.
    command = [*NAMESPACES, "sh", "-c", QUEUE.format(more=more), sys.executable, LOOPBACK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == queued, done.stderr
