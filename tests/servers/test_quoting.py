"""What `burstmail setup` spells for syslog-ng and rsyslog, before the real ones: each word arrives as it was."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from burstmail.cli.setup import quoting
from tests.conftest import HOW
from tests.servers.processes import Foreground, wait_for
from tests.servers.rsyslog import ENVIRONMENT, UNPACKED, rsyslogd
from tests.servers.test_systemd import HOSTILE

pytestmark = pytest.mark.servers

TELLER = """#!{python}
import json, sys
with open({path!r} + ".new", "w") as file:
    json.dump(sys.argv[1:], file)
import os
os.rename({path!r} + ".new", {path!r})
sys.stdin.read()
"""
SYSLOG_NG = """@version: 3.38
source s_src {{ unix-dgram("{home}/log" flags(no-multi-line)); }};
destination d_told {{ program({command}); }};
log {{ source(s_src); destination(d_told); }};
"""
RSYSLOG = """
global(workDirectory="{home}")
module(load="imuxsock" SysSock.Use="off")
module(load="omprog")
input(type="imuxsock" Socket="{home}/log")
action(type="omprog" binary={command})
"""


@pytest.fixture
def teller(tmp_path: Path) -> str:
    """A program that writes its words into a file, and reads on."""
    script = tmp_path / "teller"
    script.write_text(TELLER.format(python=sys.executable, path=str(tmp_path / "words")))
    script.chmod(0o755)
    return str(script)


def told(directory: Path) -> list[str]:
    import json

    file = directory / "words"
    wait_for("words", file.exists)
    words: list[str] = json.loads(file.read_text())
    return words


def test_syslog_ng_passes_every_word_as_it_was(tmp_path: Path, teller: str) -> None:
    if not shutil.which("syslog-ng"):
        pytest.skip(f"no syslog-ng here: {HOW}")
    command = quoting.syslog_ng(f"exec {quoting.shell([teller, *HOSTILE])}")
    (tmp_path / "conf").write_text(SYSLOG_NG.format(home=tmp_path, command=command))
    files = {"cfgfile": "conf", "persist-file": "persist", "pidfile": "pid", "control": "control"}
    arguments = [f"--{option}={tmp_path / name}" for option, name in files.items()]
    checked = subprocess.run(
        ["syslog-ng", "--syntax-only", *arguments[:1]], capture_output=True, timeout=30, check=False
    )
    assert checked.returncode == 0, checked.stderr
    daemon = Foreground(["syslog-ng", "--foreground", "--stderr", *arguments], tmp_path / "said")
    try:
        assert told(tmp_path) == HOSTILE
    finally:
        daemon.stop()


def test_rsyslog_passes_every_word_as_it_was_that_is_not_refused(tmp_path: Path, teller: str) -> None:
    program = rsyslogd()
    if not program:
        pytest.skip(f"no rsyslog here: {HOW}")
    words = [word for word in HOSTILE if word and " " not in word and word[0] != '"']
    assert len(words) > 30
    command = quoting.rsyslog([teller, *words])
    (tmp_path / "conf").write_text(RSYSLOG.format(home=tmp_path, command=command))
    modules = [] if not UNPACKED.exists() else [f"-M{next(UNPACKED.glob('usr/lib/*/rsyslog'))}"]
    start = [program, "-n", *modules, "-f", str(tmp_path / "conf"), "-i", str(tmp_path / "pid")]
    daemon = Foreground(start, tmp_path / "said", env=ENVIRONMENT)
    try:
        wait_for("socket of rsyslog", (tmp_path / "log").exists)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(tmp_path / "log"))
            sender.send(b"<13>Nov 23 10:00:00 app: line")
        assert told(tmp_path) == words
    finally:
        daemon.stop()
