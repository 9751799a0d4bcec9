"""Signals while the command is still being imported: a person who has changed their mind, a reload that comes early."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from burstmail.cli.bundle import bundle
from tests.cli.process import COMMAND, ENVIRONMENT, LONG, environment, mails

SCRIPT = [sys.executable, "-c", "import sys; from burstmail.__main__ import run; sys.exit(run())"]
# A module that burstmail imports before its first own word; under this name, and then the real one.
EARLY = """
import os, sys
os.kill(os.getpid(), {number})
for _ in range(100):
    pass
sys.path.remove(os.path.dirname(__file__))
del sys.modules["difflib"]
import difflib
"""


def begun(
    tmp_path: Path, command: list[str], number: int, *words: str, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """A command that is sent a signal while it imports."""
    early = tmp_path / "early"
    early.mkdir()
    (early / "difflib.py").write_text(EARLY.format(number=int(number)))
    path = f"{early}:{ENVIRONMENT['PYTHONPATH']}"
    env = environment(tmp_path / "state") | {"PYTHONPATH": path}
    return subprocess.run(
        [*command, *words], env=env, input=b"a line\n", capture_output=True, timeout=LONG, check=False, **more
    )


@pytest.mark.parametrize("words", [["--version"], ["check", "--to", "root"], ["queue"], ["run", "--to", "root"]])
@pytest.mark.parametrize("command", [COMMAND, SCRIPT], ids=["module", "script"])
def test_an_interrupt_at_the_very_beginning_ends_it_and_says_nothing(
    tmp_path: Path, command: list[str], words: list[str]
) -> None:
    done = begun(tmp_path, command, signal.SIGINT, *words)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_an_interrupt_at_the_very_beginning_of_a_bundle_says_nothing(tmp_path: Path) -> None:
    bundle(str(tmp_path / "burstmail"))
    done = begun(tmp_path, [sys.executable, str(tmp_path / "burstmail")], signal.SIGINT, "check", "--to", "root")
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_the_console_script_is_that_entry() -> None:
    page = Path(__file__).resolve().parents[2] / "pyproject.toml"
    assert tomllib.loads(page.read_text())["project"]["scripts"] == {"burstmail": "burstmail.__main__:run"}


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
@pytest.mark.parametrize("run", [["run"], []], ids=["run", "bare"])
def test_a_service_outlives_what_is_asked_before_it_has_begun(tmp_path: Path, number: int, run: list[str]) -> None:
    mail = tmp_path / "mail"
    (tmp_path / "burstmail.toml").write_text(f'to = "root@example.org"\nmaildir = "{mail}"\nlog = "stderr"\n')
    done = begun(tmp_path, COMMAND, number, *run, "-c", str(tmp_path / "burstmail.toml"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(mails(mail)) == 1


def test_what_ends_by_itself_is_still_ended_by_a_hang_up(tmp_path: Path) -> None:
    assert begun(tmp_path, COMMAND, signal.SIGHUP, "check", "--to", "root").returncode == -signal.SIGHUP


def test_a_hang_up_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    code = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); sys.argv = ['burstmail', '--version']\n"
    more = "import burstmail.__main__ as it\ntry: it.run()\nfinally: print(signal.getsignal(signal.SIGHUP))"
    done = subprocess.run(
        [sys.executable, "-c", code + more], env=environment(tmp_path), capture_output=True, timeout=LONG, check=False
    )
    assert done.stdout.split()[-1] in (b"1", b"Handlers.SIG_IGN")
