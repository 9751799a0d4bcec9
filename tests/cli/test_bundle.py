"""`burstmail bundle`: the package as one executable file, tried the way a host without pip would use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from burstmail.cli.bundle import bundle
from tests.cli.process import COMMAND, ENVIRONMENT, LONG, mails, run, shown


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "burstmail"
    bundle(str(path), python=sys.executable)
    return path


def bare(*command: str | Path, lines: bytes = b"", cwd: str = "/") -> subprocess.CompletedProcess[bytes]:
    """Run as syslog-ng may: without any environment."""
    given = ["env", "-i", *map(str, command)]
    return subprocess.run(given, input=lines, capture_output=True, cwd=cwd, timeout=LONG, check=False)


def test_it_runs_with_an_empty_environment(bundled: Path, tmp_path: Path) -> None:
    done = bare(bundled, "--to", "root", "--maildir", tmp_path / "mail", "--state", tmp_path, lines=b"one\ntwo\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [shown(text) for text in mails(tmp_path / "mail")] == [["one", "two"]]


def test_it_carries_every_part_it_needs(bundled: Path, tmp_path: Path) -> None:
    # Each destination and option imports its own modules when used.
    fake = tmp_path / "sendmail"
    fake.write_text("#!/bin/sh\ncat > /dev/null\n")
    fake.chmod(0o755)
    given = ("--to", "root", "--state", tmp_path)
    assert bare(bundled, *given, "--sendmail", fake, "--key", "host,program", lines=b"x\n").stderr == b""
    refused = bare(bundled, *given, "--smtp", "smtp://127.0.0.1:1", lines=b"x\n")
    assert refused.returncode == 0
    assert b"smtp 127.0.0.1:1" in refused.stderr
    assert b"1 mail waiting" in bare(bundled, "queue", "--state", tmp_path).stdout
    confirmed = bare(bundled, *given, "--maildir", tmp_path / "mail", "--confirm", lines=b"x\n")
    assert confirmed.stdout == b"OK\nOK\n"


def test_the_same_sources_give_the_same_bytes(bundled: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    os.umask(os.umask(0o077))
    bundle(str(again), python=sys.executable)
    assert again.read_bytes() == bundled.read_bytes()
    assert again.stat().st_mode & 0o777 == 0o755


def test_a_bundle_can_write_a_bundle(bundled: Path, tmp_path: Path) -> None:
    done = bare(bundled, "bundle", tmp_path / "copy", "--python", sys.executable)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "copy").read_bytes() == bundled.read_bytes()


def test_it_holds_sources_only(bundled: Path) -> None:
    with ZipFile(bundled) as archive:
        names = archive.namelist()
    assert names[:2] == ["__main__.py", "burstmail/__init__.py"]
    assert {Path(name).suffix for name in names} == {".py", ".typed"}
    assert "burstmail/core/aggregate.py" in names


def test_it_does_not_listen_to_python_variables(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "argparse.py").write_text("raise SystemExit(1)")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([bundled, "--version"], env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interpreter_that_is_too_old_is_told_so(tmp_path: Path) -> None:
    # __main__ is all an old interpreter gets to see.
    source = (Path(ENVIRONMENT["PYTHONPATH"]) / "burstmail" / "__main__.py").read_text()
    script = tmp_path / "main.py"
    script.write_text(source.replace("import sys\n", "import sys\nsys.hexversion = 0x03090200\n", 1))
    done = subprocess.run([sys.executable, script], capture_output=True, check=False)
    assert done.returncode == 78
    assert done.stderr.startswith(b"burstmail: needs Python 3.11 or newer")


def test_an_existing_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "burstmail"
    path.write_text("old")
    with path.open() as old:
        bundle(str(path))
        assert old.read() == "old"
    assert path.read_bytes().startswith(b"#!/usr/bin/python3 -I\nPK")
    assert [entry.name for entry in tmp_path.iterdir()] == ["burstmail"]


@pytest.mark.parametrize("python", ["python3", "/usr/bin/env python3", "/a\n/b", "", "/" + "x" * 200])
def test_an_interpreter_the_kernel_cannot_start_is_refused(tmp_path: Path, python: str) -> None:
    with pytest.raises(ValueError, match="must be one absolute path"):
        bundle(str(tmp_path / "burstmail"), python=python)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "missing" / "burstmail"):
        done = run("bundle", str(target), command=COMMAND)
        assert done.returncode == 78
        assert done.stderr.startswith(f"burstmail: cannot write '{target}': ".encode())
        assert done.stderr.count(b"\n") == 1
        assert not list(tmp_path.iterdir())
        assert not list(tmp_path.parent.glob(".test_*"))


def test_an_interpreter_that_is_not_here_is_worth_a_note(tmp_path: Path) -> None:
    done = run("bundle", str(tmp_path / "burstmail"), "--python", "/opt/python/bin/python3")
    assert done.returncode == 0
    assert b"note: there is no /opt/python/bin/python3 here" in done.stderr


def test_bundle_without_a_file_is_misuse() -> None:
    done = run("bundle", command=COMMAND)
    assert done.returncode == 78
    assert done.stderr.startswith(b"burstmail: the following arguments are required: FILE")
