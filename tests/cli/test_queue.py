"""What waits and what is dead can be seen, tried again and deleted, whether or not a burstmail runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from burstmail import Aggregator, Batch, Change, Composer, Entry, FileStore, Keep, Saved
from burstmail.cli import letters
from burstmail.cli.place import name_of_file
from tests.cli.process import COMMAND, environment, run

MAIL = """From: me@example.org\r
To: root\r
Subject: {subject}\r
Date: Mon, 23 Nov 2026 10:00:43 +0000\r
Message-ID: <0123456789abcdef0123456789abcdef.burstmail@example.org>\r
X-Burstmail: lines={lines}; shown=2; left-out=0; bursts=1\r
Content-Type: text/plain; charset="utf-8"\r
\r
{text}\r
"""


def row(
    *to: str, subject: str = "2 lines", lines: int = 2, text: str = "  one", tries: int = 0, error: str = ""
) -> Any:
    data = MAIL.format(subject=subject, lines=lines, text=text)
    return [["message", "<id>", "me@example.org", list(to or ("root",)), data, ["no burst"]], 0.0, tries, None, error]


def dead(*to: str, error: str = "550 no such user", **more: Any) -> Any:
    return [row(*to, **more)[0], 1795428000.0, error, ""]


def kept(root: Path, name: str, waiting: dict[str, Any] | None = None, given_up: dict[str, Any] | None = None) -> Path:
    store = FileStore(root / name)
    assert store.open() is not None
    store.commit(Change(outbox=waiting or {}, dead=given_up or {}))
    store.close()
    return root


def queue(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return run("queue", *arguments, env=environment(root) | {"TZ": "UTC"})


def said(root: Path, *arguments: str) -> str:
    done = queue(root, *arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def opened(root: Path, name: str) -> tuple[FileStore, Saved]:
    store = FileStore(root / name)
    saved = store.open()
    assert saved is not None
    return store, saved


# list


def test_a_listing_says_what_waits_and_what_is_dead_under_every_name(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row("root", "ops", lines=4312), "/2": row(tries=3, error="cannot connect")})
    kept(tmp_path, "usb", {"mail/7": row(subject="usb", lines=1, tries=1)}, {"mail/5.1": dead("nobody", subject="old")})
    assert said(tmp_path) == said(tmp_path, "list") == (
        "auth: 2 mails waiting, 0 dead; no burstmail of this name runs\n"
        "  1  waits  Mon, 23 Nov 2026 10:00:43 +0000  4,312 lines  to root, ops\n"
        "      2 lines\n"
        "      not tried yet\n"
        "  2  waits  Mon, 23 Nov 2026 10:00:43 +0000  2 lines  to root\n"
        "      2 lines\n"
        "      tried 3 times: cannot connect\n"
        "usb: 1 mail waiting, 1 dead; no burstmail of this name runs\n"
        "  mail/7  waits  Mon, 23 Nov 2026 10:00:43 +0000  1 line  to root\n"
        "      usb\n"
        "      tried once\n"
        "  mail/5.1  dead  Mon, 23 Nov 2026 10:00:00 +0000  2 lines  to nobody\n"
        "      old\n"
        "      given up: 550 no such user\n"
    )  # fmt: skip
    assert said(tmp_path, "--name", "usb").startswith("usb: ")
    assert said(tmp_path, "list", "--state", str(tmp_path), "--name", "usb") == said(tmp_path, "--name", "usb")


def test_a_listing_says_whether_somebody_serves_a_name(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row()})
    store, _ = opened(tmp_path, "auth")
    assert said(tmp_path).splitlines()[0] == "auth: 1 mail waiting, 0 dead"
    store.close()
    assert said(tmp_path).splitlines()[0] == "auth: 1 mail waiting, 0 dead; no burstmail of this name runs"


def test_lines_that_are_in_no_mail_yet_are_counted(tmp_path: Path) -> None:
    kept(tmp_path, "auth")
    store, _ = opened(tmp_path, "auth")
    store.append(Entry(id=1, count=3, text="a\nb\nc\n"))
    store.close()
    assert "; 3 lines in the journal" in said(tmp_path)


def test_looking_changes_nothing_and_disturbs_nobody(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row()}, {"/0.1": dead()})
    store, _ = opened(tmp_path, "auth")
    said(tmp_path)
    said(tmp_path, "show", "1")
    store.append(Entry(id=1, count=1, text="still mine\n"), sync=True)
    store.close()
    assert list(opened(tmp_path, "auth")[1].outbox) == ["/1"]


def test_nothing_kept_is_no_error(tmp_path: Path) -> None:
    assert said(tmp_path / "not there") == f"nothing is kept in {tmp_path}/not there\n"
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup" / "log").write_text("")
    assert said(tmp_path) == f"nothing is kept in {tmp_path}\n"


def test_whoever_reads_the_first_lines_only_sees_no_error(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {f"/{number}": row(text="x" * 1000) for number in range(1000)})
    command = ["sh", "-c", '"$@" | head -n 1', "sh", *COMMAND, "queue"]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, timeout=30, check=True)
    assert done.stderr == b""
    assert done.stdout.startswith(b"auth: 1,000 mails waiting")


def test_a_store_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row()})
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "store.db").write_bytes(b"garbage" * 1000)
    done = queue(tmp_path)
    assert done.returncode == 74
    assert done.stdout.startswith(b"auth: 1 mail waiting")
    assert done.stderr.startswith(b"burstmail: broken: the store is damaged, and mended at the next start: ")
    assert done.stderr.count(b"\n") == 1


def test_what_the_caps_hold_is_shown(tmp_path: Path) -> None:
    options = ("--to", "root", "--maildir", str(tmp_path / "box"), "--state", str(tmp_path / "state"), "--name", "auth")
    for text in (b"one\n", b"two\nthree\n"):
        assert run(*options, lines=text).returncode == 0
    assert said(tmp_path / "state") == (
        "auth: 0 mails waiting, 0 dead; 2 lines open or held; no burstmail of this name runs\n"
    )


def test_a_name_there_is_not_is_told_with_those_there_are(tmp_path: Path) -> None:
    kept(tmp_path, "auth")
    kept(tmp_path, "usb")
    done = queue(tmp_path, "--name", "typo")
    assert (done.returncode, done.stdout) == (66, b"")
    assert done.stderr.decode() == (
        f"burstmail: nothing is kept under typo in {tmp_path}: the names there are auth, usb\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["auth", "usb"]


def test_a_state_directory_that_is_not_there_is_an_error_when_it_was_named(tmp_path: Path) -> None:
    done = queue(tmp_path, "--state", f"{tmp_path}/typo")
    assert (done.returncode, done.stdout) == (66, b"")
    assert done.stderr.decode() == f"burstmail: there is no directory {tmp_path}/typo\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_somebody_elses_stores_are_told_with_what_to_do() -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        kept(folder / "state", "auth")
        folder.chmod(0o755)
        code = "import os, sys, sqlite3, locale, burstmail.cli.queue, burstmail.cli.commands; "
        code += "from burstmail.cli import main; os.setuid(65534); sys.exit(main())"
        hint = "run this as the user that burstmail runs as\n"
        denied = f"burstmail: cannot read {folder}/state: Permission denied; {hint}"
        foreign = f"burstmail: auth: {folder}/state/auth belongs to user 0, not 65534: run as that user, or chown it\n"
        for mode, words in ((0o700, denied), (0o755, foreign)):
            (folder / "state").chmod(mode)
            done = run("queue", command=[sys.executable, "-c", code], env=environment(folder / "state"))
            assert (done.returncode, done.stdout) == (74, b"")
            assert done.stderr.decode() == words
    finally:
        shutil.rmtree(folder)


def test_a_configuration_file_says_where_to_look_and_under_which_name(tmp_path: Path) -> None:
    file = tmp_path / "web.toml"
    file.write_text('to = "root"\nstate = "kept"\n')
    kept(tmp_path / "kept", name_of_file(str(file), {}), {"/1": row()})
    kept(tmp_path / "kept", "another", {"/1": row()})
    kept(tmp_path / "elsewhere", name_of_file(str(file), {}))
    assert said(tmp_path, "-c", str(file)).startswith("web-")
    assert said(tmp_path, "-c", str(file)).count("waiting") == 1
    assert said(tmp_path, "--config", str(file), "--name", "another").startswith("another: 1 mail waiting")
    assert "0 mails waiting" in said(tmp_path, "list", "-c", str(file), "--state", str(tmp_path / "elsewhere"))
    file.write_text('to = "root"\nstate = "kept"\nname = "another"\n')
    assert said(tmp_path, "-c", str(file)).startswith("another: 1 mail waiting")


def test_a_configuration_file_with_a_mistake_is_told_of_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "web.toml"
    file.write_text('to = "root"\nsatte = "kept"\n')
    done = queue(tmp_path, "-c", str(file))
    assert (done.returncode, done.stdout) == (78, b"")
    assert b"web.toml:2: satte: there is no such key: did you mean state?" in done.stderr


# check


def dated(age: float) -> Callable[[], Any]:
    """Made when it is asked for: between collecting the tests and this one there may be many minutes."""

    def made() -> Any:
        found = row(tries=1)
        found[0][4] = found[0][4].replace("Mon, 23 Nov 2026 10:00:43 +0000", formatdate(time.time() - age))
        return found

    return made


@pytest.mark.parametrize(
    ("waiting", "given_up", "status", "words"),
    [
        ({}, {}, 0, "OK: 0 mails waiting, 0 of them for more than an hour, 0 dead; 0 lines open or held"),
        ({"/1": dated(3000)}, {}, 0, "OK: 1 mail waiting, 0 of them for more than an hour, 0 dead; "),
        ({"/1": dated(0), "/2": dated(4000)}, {}, 1, "NOT OK: 2 mails waiting, 1 of them for more than an hour, 0"),
        ({}, {"/0.1": dead()}, 1, "NOT OK: 0 mails waiting, 0 of them for more than an hour, 1 dead"),
        # What does not say how old it is may be old.
        ({"/1": None}, {}, 1, "NOT OK: 1 mail waiting, 1 of them"),
    ],
)
def test_a_check_is_one_line_and_a_status(
    tmp_path: Path, waiting: dict[str, Any], given_up: dict[str, Any], status: int, words: str
) -> None:
    kept(tmp_path, "auth", {key: made() if made else [None] for key, made in waiting.items()}, given_up)
    kept(tmp_path, "usb")
    done = queue(tmp_path, "check")
    assert (done.returncode, done.stderr) == (status, b"")
    assert done.stdout.decode().startswith(words)
    assert done.stdout.count(b"\n") == 1


def test_a_check_alarms_when_something_cannot_be_read(tmp_path: Path) -> None:
    kept(tmp_path, "auth")
    for options in (["--name", "typo"], ["--state", f"{tmp_path}/typo"]):
        done = queue(tmp_path, "check", *options)
        assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (1, b"", 1)
        assert done.stdout.startswith(b"NOT OK: ")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "store.db").write_bytes(b"garbage" * 1000)
    done = queue(tmp_path, "check")
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (1, b"", 1)
    assert b"; broken: the store is damaged" in done.stdout


# show


def test_a_mail_of_two_views_is_shown_once_and_what_is_attached_is_named(tmp_path: Path) -> None:
    aggregator = Aggregator(keep=Keep(head=1, tail=1))
    aggregator.feed(Batch.of(f"line {number}" for number in range(9)), 0.0)
    (mail,) = Composer("ops", sender="me@example.org").feed(aggregator.flush(1.0)[0], 1.0)
    item = ["message", mail.id, mail.sender, list(mail.recipients), mail.data.decode("latin-1"), ["no burst"]]
    kept(tmp_path, "auth", {"/1": [item, 0.0, 0, None, ""]})
    shown = said(tmp_path, "show", "1").split("\n")
    assert [line for line in shown if line.startswith("  ")] == ["  line 0", "  line 8"]
    assert re.fullmatch(r"\[attached: burst\.log\.gz, [0-9]{2,3} bytes\]", shown[-2])


def test_what_is_attached_may_be_damaged(tmp_path: Path) -> None:
    part = "--x\r\nContent-Disposition: attachment; filename*=no''a%1b\r\nContent-Type: text/plain; charset=no-such"
    text = f"--x\r\n\r\n  one\r\n{part}\r\n\r\n\xff\r\n--x--"
    encoded = row("ops", text=text)
    encoded[0][4] = encoded[0][4].replace('text/plain; charset="utf-8"', "multipart/mixed; boundary=x", 1)
    kept(tmp_path, "auth", {"/1": encoded})
    shown = said(tmp_path, "show", "1")
    assert "  one\n" in shown
    assert shown.endswith("\n[what is attached cannot be read]\n")


def test_a_mail_is_shown_decoded(tmp_path: Path) -> None:
    encoded = row("ops", subject="=?utf-8?q?gr=C3=BC=C3=9Fe?=", text="  one\r\n  two", tries=2, error="451 later")
    kept(tmp_path, "auth", {"/1": encoded})
    assert said(tmp_path, "show", "1").split("\n") == [
        "key: 1",
        "state: waits",
        "for: ops",
        "bounces to: me@example.org",
        "tried 2 times: 451 later",
        "",
        "From: me@example.org",
        "To: root",
        "Subject: grüße",
        "Date: Mon, 23 Nov 2026 10:00:43 +0000",
        "Message-ID: <0123456789abcdef0123456789abcdef.burstmail@example.org>",
        "",
        "  one",
        "  two",
        "",
    ]


def test_nothing_in_a_mail_moves_a_cursor(tmp_path: Path) -> None:
    evil = "\x1b[2J\x07\u202e"
    kept(tmp_path, "auth", {"/1": row(f"a{evil}", subject="s\x1b[2J", text="t\x1b[2J\x07", tries=1, error=f"e{evil}")})
    for action in (["list"], ["show", "1"]):
        text = said(tmp_path, *action)
        assert all(char.isprintable() or char == "\n" for char in text)
        assert r"a\x1b[2J\x07\u202e" in text
    assert r"t\x1b[2J\x07" in text


@pytest.mark.parametrize(
    "broken",
    [None, 1, "x", [], [[]], [["burst", []], 0.0, 1, None, ""], [["message"], 0.0, 1, None, ""],
     [["message", 1, 2, 3, 4, 5], 0.0, "x", None, ""], [["message", "", "", [], "\u20ac", []], 0.0, 1, None, ""]],
)  # fmt: skip
@pytest.mark.parametrize("gone", [True, False])
def test_no_row_breaks_a_listing(broken: Any, gone: bool) -> None:
    found = letters.letter("/1", broken, dead=gone)
    assert found.listed().startswith("  1  ")
    assert "this is no mail" in found.listed()
    assert "this is no mail" in found.shown()


# retry and delete


def test_where_none_runs_a_deletion_is_made_at_once(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row(), "/2": row()}, {"/0.1": dead()})
    assert said(tmp_path, "delete", "1", "0.1") == "auth 1: deleted\nauth 0.1: deleted\n"
    store, saved = opened(tmp_path, "auth")
    assert list(saved.outbox) == ["/2"]
    assert store.dead("/0.1") is None


def staged(root: Path, name: str) -> list[tuple[str, str]]:
    store, saved = opened(root, name)
    return [(entry.kind, entry.text) for entry in store.adopt(saved.last, 0.0, 0.0)]


def test_where_none_runs_a_retry_waits_for_the_next_start(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row()})
    assert said(tmp_path, "retry", "1") == "auth 1: it will be tried as soon as a burstmail of this name starts\n"
    assert "\n  1  waits, retry asked for  Mon" in said(tmp_path)
    assert "\nstate: waits, retry asked for\n" in said(tmp_path, "show", "1")
    assert staged(tmp_path, "auth") == [("retry", "/1")]
    assert "retry asked for" not in said(tmp_path)


@pytest.mark.parametrize("action", ["retry", "delete"])
def test_a_burstmail_that_runs_is_asked(tmp_path: Path, action: str) -> None:
    kept(tmp_path, "auth", {"/1": row()})
    store, saved = opened(tmp_path, "auth")
    assert said(tmp_path, action, "1") == f"auth 1: the burstmail that runs will {action} it within a second\n"
    found = store.adopt(saved.last, 0.0, 0.0)
    assert [(entry.kind, entry.text) for entry in found] == [(action, "/1")]
    store.close()


def test_all_can_be_tried_again(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row()}, {"/0.1": dead()})
    kept(tmp_path, "usb", {"/1": row()})
    said(tmp_path, "retry", "--all")
    assert staged(tmp_path, "auth") == [("retry", "/1"), ("retry", "/0.1")]
    assert staged(tmp_path, "usb") == [("retry", "/1")]


# Misuse


def test_a_key_of_two_names_asks_for_the_name(tmp_path: Path) -> None:
    for name in ("auth", "usb"):
        kept(tmp_path, name, {"/1": row()})
    done = queue(tmp_path, "delete", "1")
    assert (done.returncode, done.stderr) == (78, b"burstmail: '1' is a mail of auth, usb: say which with --name\n")
    assert said(tmp_path, "delete", "1", "--name", "usb") == "usb 1: deleted\n"
    assert list(opened(tmp_path, "auth")[1].outbox) == ["/1"]


def test_an_unknown_key_is_told_and_the_others_are_done(tmp_path: Path) -> None:
    kept(tmp_path, "auth", {"/1": row()})
    done = queue(tmp_path, "delete", "nonsense\x1b", "1")
    assert (done.returncode, done.stdout) == (66, b"auth 1: deleted\n")
    assert done.stderr.startswith(b"burstmail: there is no mail nonsense\\x1b: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frobnicate"], "there is no 'frobnicate': say one of list, check, show, retry, delete"),
        (["show"], "show needs a KEY"),
        (["retry"], "or --all"),
        (["delete", "--all"], "--all belongs to retry"),
        (["retry", "--all", "1"], "--all belongs to retry"),
        (["list", "1"], "list takes no KEY"),
        (["check", "1"], "check takes no KEY"),
        (["check", "--all"], "--all belongs to retry"),
        (["--name", "../etc"], "'../etc' is no name"),
        (["--state", "none"], "which state directory?"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_a_wrong_option_is_explained_in_one_line(tmp_path: Path, arguments: Sequence[str], words: str) -> None:
    done = queue(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (78, b"")
    assert done.stderr.startswith(b"burstmail: ")
    assert done.stderr.count(b"\n") == 1
    assert words in done.stderr.decode()


def test_a_bug_has_a_status_of_its_own(tmp_path: Path) -> None:
    code = "import sys; from burstmail.cli import main, queue; queue.kept_in = None; sys.exit(main())"
    done = run("queue", command=[sys.executable, "-c", code])
    assert done.returncode == 70
    assert done.stderr.startswith(b"burstmail: this is a bug\n  Traceback")


def test_help_explains_every_action(tmp_path: Path) -> None:
    text = said(tmp_path, "--help")
    for action in ("list", "check", "show KEY", "retry KEY", "delete KEY", "--all", "--state DIR", "--name NAME"):
        assert action in text
