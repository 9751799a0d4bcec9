"""What `burstmail setup` prints for systemd, before systemd-analyze, and what a burstmail does beside what it forbids.

No init is started: units are read by systemd's own parser, and system calls and files are those of a real run.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from burstmail.cli import main
from burstmail.cli.setup import quoting
from burstmail.cli.setup.handover import handed_over
from burstmail.cli.setup.sandbox import STRICT
from tests.cli.process import ENVIRONMENT
from tests.conftest import HOW
from tests.servers.processes import wait_for
from tests.servers.syslog_ng import EXAMPLES

pytestmark = pytest.mark.servers

ANALYZE = shutil.which("systemd-analyze")
SMTP = ("--smtp", "smtp://localhost")
POSTDROP = Path("/usr/sbin/postdrop")
# Where the number turns from OK to MEDIUM (systemd-analyze(1), security).
OK = 5.0
NAMED = re.compile(r"^\s+(@?[a-z0-9_-]+)$", re.M)
SERVICES = {
    "journal": ("journald", *SMTP),
    "journal-by-sendmail": ("journald",),
    "files": ("systemd", "--file", "/var/log/*.log", "--join", *SMTP),
    "files-by-sendmail": ("systemd", "--file", "/var/log/*.log"),
    "maildir": ("journald", "--maildir", "{directory}/mails"),
    "ports": ("systemd", "--listen", "udp://0.0.0.0:514", "--listen", "tcp://127.0.0.1:1514", *SMTP),
    "sockets": ("systemd", "--listen", "systemd", *SMTP),
    "file": ("systemd", "-c", "{directory}/100% of $HOME.toml"),
    "password": ("journald", "--smtp", "smtps://me@example.org", "--password-file", "{directory}/password"),
}
SOCKET = "[Socket]\nListenStream=601\nListenDatagram=514\n"


@pytest.fixture(autouse=True)
def analyze() -> None:
    if not ANALYZE:
        pytest.skip(f"no systemd-analyze here: {HOW}")


def analyzed(*words: str | Path, level: str = "info") -> str:
    """What systemd-analyze says; it must find nothing wrong."""
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": level, "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
    done = subprocess.run(
        [str(ANALYZE), *words], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(params=SERVICES)
def unit(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Path:
    """A unit as it is printed, in a file of its name."""
    if "sendmail" in request.param and not POSTDROP.exists():
        pytest.skip(f"no Postfix here: {HOW}")
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "100% of $HOME.toml").write_text('to = "root"\njournal = true\nsmtp = "smtp://localhost"\n')
    words = [word.format(directory=tmp_path) for word in SERVICES[request.param]]
    # Where the tests' own Python is installed says nothing about a unit.
    monkeypatch.setattr(sys.modules[handed_over.__module__], "executable", lambda: ["/bin/true"])
    assert main(["setup", *words]) == 0
    text = capfd.readouterr().out
    (name,) = re.findall(r"put it into: +/etc/systemd/system/(\S+)", text)
    if "burstmail.socket" in text:
        (tmp_path / "burstmail.socket").write_text(SOCKET)
    file = tmp_path / name
    file.write_text(text)
    return file


def test_nothing_is_wrong_with_it(unit: Path) -> None:
    assert analyzed("verify", unit) == ""


def test_it_is_restricted(unit: Path) -> None:
    (number,) = re.findall(
        r"Overall exposure level for \S+: ([0-9.]+) OK", analyzed("security", "--offline=true", unit)
    )
    assert float(number) < OK


@pytest.mark.parametrize("name", ["burstmail", "burstmail-network"])
def test_the_examples_are_as_good(name: str, tmp_path: Path) -> None:
    for file in EXAMPLES.glob(f"{name}.s*"):
        # Verified is also that the program is there.
        text = file.read_text().replace("/usr/local/bin/burstmail", "/bin/true")
        (tmp_path / file.name).write_text(text)
    for file in tmp_path.iterdir():
        assert analyzed("verify", file) == ""
    assert re.search(r": [0-4]\.\d OK", analyzed("security", "--offline=true", tmp_path / f"{name}.service"))


HOSTILE = [
    *(
        "a b",
        "",
        "100%",
        "%n %h %%",
        "$HOME",
        "${HOME} $$",
        '"',
        "'",
        'it\'s "so"',
        "\\",
        "\\n",
        "\\x41",
        "\\",
        ";",
        "&&",
    ),
    *(
        "a\tb",
        "two\nlines",
        "\r",
        "\x01\x1b[31m",
        "\x7f",
        "äöü €",
        "#",
        "# not a comment",
        "=",
        "-x",
        "--",
        "~",
        "*?",
        "|",
    ),
    *("`id`", "!", "@", "+", ":", "{x}", "a;b", "\u2028", "\N{NO-BREAK SPACE}", "[Service]", "x\\\ny", " ", "\\;"),
]


def test_every_word_arrives_as_it_was(tmp_path: Path) -> None:
    unit = tmp_path / "words.service"
    unit.write_text(f"[Service]\nType=notify\nExecStart={quoting.systemd(['/bin/true', *HOSTILE])}\n")
    dump = analyzed("verify", unit, level="debug")
    (line,) = re.findall(r"^\s*Command Line: /bin/true (.*)$", dump, re.M)
    # Where systemd has replaced what % stands for, and variables not yet: it makes $ of $$ when it starts the program.
    assert unquoted(line) == [word.replace("$", "$$") for word in HOSTILE]


def unquoted(line: str) -> list[str]:
    """The words of a command line as systemd shows it: as a shell has it, and escapes as C has them."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|([^ ]+)', line)
    simple = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

    def plain(found: re.Match[str]) -> str:
        escape = found[1]
        return chr(int(escape, 8)) if escape[0].isdigit() else simple.get(escape, escape)

    return [re.sub(r"\\([0-7]{3}|.)", plain, quoted or bare) for quoted, bare in words]


# What a burstmail does that is not forbidden.


def names(group: str) -> set[str]:
    """The system calls in a group, those of groups in it too."""
    found = set(NAMED.findall(analyzed("syscall-filter", group).split("\n", 1)[1]))
    return {name for name in found if name[0] != "@"}.union(*(names(name) for name in found if name[0] == "@"))


@contextmanager
def traced(directory: Path, *options: str) -> Iterator[int]:
    """The pid of a burstmail under strace, once it says that it is ready."""
    ready = directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(ready))
        manager.settimeout(60)
        environment = ENVIRONMENT | {"NOTIFY_SOCKET": str(ready), "STATE_DIRECTORY": str(directory / "state")}
        # strace has children of its own, too, for a moment.
        begin = ["sh", "-c", f'echo $$ > {directory}/pid.new; mv {directory}/pid.new {directory}/pid; exec "$@"', "sh"]
        command = [*begin, sys.executable, "-m", "burstmail", "run", *options]
        strace = ["strace", "-f", "-qq", "-s", "400", "-o", str(directory / "trace")]
        process = subprocess.Popen([*strace, *command], env=environment)
        wait_for("process under strace", (directory / "pid").exists)
        child = int((directory / "pid").read_text())
        try:
            assert manager.recv(100) == b"READY=1"
            yield child
            process.wait(60)
        finally:
            if process.poll() is None:
                os.kill(child, signal.SIGKILL)
                process.wait(60)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """All that a burstmail does which reads files, the journal and the network, and delivers to a server."""
    if not shutil.which("strace"):
        pytest.skip(f"no strace here: {HOW}")
    from tests.sinks.server import Server

    directory = tmp_path_factory.mktemp("traced")
    (directory / "journals").mkdir()
    log = directory / "app.log"
    log.touch()
    with Server() as server:
        options = ["--to", "a@example.org", "--smtp", f"smtp://localhost:{server.port}", "--gap", "100ms"]
        options += [
            "--file",
            str(log),
            "--from-beginning",
            "--journal",
            "--journal-directory",
            str(directory / "journals"),
        ]
        options += ["--listen", "udp://127.0.0.1:0"]
        with traced(directory, *options) as pid:
            with log.open("a") as file:
                file.write("Nov 23 10:00:00 web1 app: ERROR\n")
            wait_for("mail", lambda: server.mails, 60)
            os.kill(pid, signal.SIGTERM)
    return directory, (directory / "trace").read_text()


def test_every_system_call_of_it_is_allowed(trace: tuple[Path, str]) -> None:
    done = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace[1], re.M))
    assert {"execve", "connect", "openat"} <= done
    allowed: set[str] = set()
    for minus, group in re.findall(r"^SystemCallFilter=(~?)(\S+)$", STRICT, re.M):
        allowed = allowed - names(group) if minus else allowed | names(group)
    # SQLite gives its files the owner of the database, as root only.
    assert done - allowed - {"fchown"} == set()


def test_every_address_family_of_it_is_allowed(trace: tuple[Path, str]) -> None:
    # The resolver of libc asks the kernel for its addresses by AF_NETLINK, and does without.
    families = set(re.findall(r"\bsocket\((AF_[A-Z0-9]+)", trace[1])) - {"AF_NETLINK"}
    (allowed,) = re.findall(r"^RestrictAddressFamilies=(.*)$", STRICT, re.M)
    assert families and families <= set(allowed.split())


def test_nothing_is_written_but_its_own(trace: tuple[Path, str]) -> None:
    directory, text = trace
    flags = r"(?:O_WRONLY|O_RDWR|[A-Z_|]*O_CREAT)"
    opened = re.findall(rf'openat\([^,]+, "([^"]+)", {flags}[^)]*\) = \d', text)
    changed = re.findall(r'\b(?:mkdir|unlink|rename|chmod|link|symlink)(?:at2?)?\((?:[^",]+, )?"([^"]+)".*\) = 0', text)
    state = str(directory / "state")
    assert any(path.startswith(state) for path in opened)
    temporary = [
        path for path in (*opened, *changed) if path.startswith("/tmp/") and not path.startswith(str(directory))
    ]
    ours = (state, str(directory / "pid"), "/dev/null", "/proc/self/")
    assert [path for path in (*opened, *changed) if path not in temporary and not path.startswith(ours)] == []
