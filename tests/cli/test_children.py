"""Who ignores the end of children hands that on to us: sendmail must be heard all the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.process import HASTY, run

# dash would put the default back.
IGNORING = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (67, 75)])
def test_sendmail_is_heard_although_the_parent_ignores_children(tmp_path: Path, status: int, expected: int) -> None:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(f"#!/bin/sh\ncat >> {tmp_path}/mail\necho said so >&2\nexit {status}\n")
    sendmail.chmod(0o755)
    wrapped = [sys.executable, "-c", IGNORING]
    options = ("--to", "root", "--sendmail", str(sendmail), "--state", "none")
    done = run(*options, lines=b"one\n", command=[*wrapped, *HASTY])
    assert done.returncode == expected
    assert "one" in (tmp_path / "mail").read_text()
    assert (b"said so" in done.stderr) == (status != 0)
