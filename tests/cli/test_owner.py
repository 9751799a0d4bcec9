"""Root looks after services whose state belongs to users of their own, and leaves everything theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import COMMAND, environment, run
from tests.cli.test_queue import dead, kept, row

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
# Nobody has it: as the user of a service that does not run.
SOMEBODY = 61234


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    """As /var/lib/private/NAME, which DynamicUser= makes: its owner cannot enter it from outside."""
    outside = tmp_path / "private"
    outside.mkdir(0o700)
    root = kept(outside / "state", "auth", {"/1": row("root", lines=3)}, {"/2.1": dead(), "/3.1": dead()})
    given(root)
    # By way of a link, as systemd has it.
    (tmp_path / "state").symlink_to(root)
    yield tmp_path / "state"


def given(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        os.chown(path, SOMEBODY, SOMEBODY)


def foreign(root: Path) -> list[str]:
    return [path.name for path in root.resolve().rglob("*") if path.lstat().st_uid != SOMEBODY]


def said(root: Path, *arguments: str) -> tuple[int, str, str]:
    done = run("queue", *arguments, "--state", str(root), command=COMMAND, env=environment(root) | {"TZ": "UTC"})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_root_sees_what_a_service_of_another_user_keeps(private: Path) -> None:
    status, out, err = said(private)
    assert (status, err) == (0, "")
    assert "auth: 1 mail waiting, 2 dead; no burstmail of this name runs\n" in out
    assert said(private, "show", "1")[1].startswith("key: 1\nstate: waits\nfor: root\n")
    assert said(private, "check")[1].startswith("NOT OK: 1 mail waiting, 1 of them for more than an hour, 2 dead")
    assert foreign(private) == []


def test_what_root_asks_for_is_done_and_everything_stays_the_owners(private: Path) -> None:
    assert said(private, "retry", "2.1")[:2] == (
        0,
        "auth 2.1: it will be tried as soon as a burstmail of this name starts\n",
    )
    assert said(private, "delete", "3.1")[:2] == (0, "auth 3.1: deleted\n")
    out = said(private)[1]
    assert "1 mail waiting, 1 dead" in out and "2.1  dead, retry asked for" in out
    assert foreign(private) == []


def test_a_damaged_store_is_mended_as_its_owner(private: Path) -> None:
    database = private.resolve() / "auth" / "store.db"
    data = bytearray(database.read_bytes())
    data[100:108] = b"\xff" * 8
    database.write_bytes(data)
    status, _, err = said(private, "delete", "1")
    assert "Traceback" not in err and status in (0, 66, 74)
    assert foreign(private) == []


def test_paths_are_told_as_they_are_called_outside(private: Path) -> None:
    os.chown(private.resolve() / "auth" / "store.db", 0, 0)
    status, _, err = said(private)
    assert status == 74
    assert f"{private}/auth/store.db belongs to user 0, not {SOMEBODY}" in err
    assert f"nothing is kept under x in {private}: the names there are auth" in said(private, "--name", "x")[2]


def test_what_somebody_has_put_there_leads_root_nowhere(private: Path, tmp_path: Path) -> None:
    """Root's own things are as far away as they are from the owner."""
    other = kept(tmp_path / "roots", "mine", {"/1": row(subject="of root")})
    (private.resolve() / "mine").symlink_to(other / "mine")
    status, out, err = said(private, "--name", "mine")
    assert status != 0 and "of root" not in out + err
