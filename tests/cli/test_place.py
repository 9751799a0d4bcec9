"""Where state is kept, and under which name: two configurations never meet, and a tuned one finds itself again."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

import pytest

from burstmail.cli import options, place, values
from burstmail.cli.place import Place, name_of, place_of


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Somebody who is not root, has a home, and whose standard input is no file."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(place, "reads_a_file", lambda options: False)
    return tmp_path


def placed(*arguments: str) -> Place:
    return place_of(options.parse(["--to", "root", *arguments]))


def name(*arguments: str) -> str:
    return name_of(options.parse(arguments))


# The directory


def test_systemds_directory_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two")
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert placed("--name", "auth").directory == "/var/lib/one/auth"


@pytest.mark.parametrize("useless", ["", "relative", ":/later"])
def test_a_useless_one_is_none(monkeypatch: pytest.MonkeyPatch, useless: str) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", useless)
    monkeypatch.setenv("XDG_STATE_HOME", useless)
    assert placed().root == "/home/somebody/.local/state/burstmail"


def test_root_has_a_place_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert placed().root == "/var/lib/burstmail"


def test_others_have_the_xdg_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert placed().root == "/xdg/burstmail"


def test_without_a_home_variable_the_users_own_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: nobody.pw_uid)
    assert placed().root == f"{nobody.pw_dir}/.local/state/burstmail"


@pytest.mark.parametrize("home", ["", "relative"])
def test_without_a_home_nothing_is_kept_and_that_is_said(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.setenv("HOME", home)
    # A user that no table knows.
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    found = placed()
    assert (found.root, found.directory, found.homeless) == (None, None, True)


def test_what_is_given_is_taken(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/one")
    monkeypatch.chdir(user)
    assert placed("--state", "here", "--name", "auth").directory == str(user / "here" / "auth")
    assert placed("--state", "none").directory is None
    assert not placed("--state", "none").homeless
    assert placed("--state", "./none").root == str(user / "none")


def test_a_trial_run_keeps_nothing_unless_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert placed("--print").directory is None
    assert placed("--print", "--state", "/x").root == "/x"
    monkeypatch.setattr(place, "reads_a_file", lambda options: True)
    assert placed().directory is None
    assert not placed().homeless
    assert placed("--state", "/x").root == "/x"


def test_a_standard_input_that_is_not_read_may_be_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # As cron, systemd and `nohup` leave it behind: /dev/null, or whatever.
    monkeypatch.undo()
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "fstat", lambda fd: os.stat(__file__))
    assert placed().directory is None
    assert placed("--journal").directory is not None
    assert placed("--file", "/var/log/syslog").directory is not None
    assert placed("--file", "/var/log/syslog", "--stdin").directory is None


# The name

FILTERS = ("--include", "x", "--program", "sshd", "--at-least", "err", "--exclude", "y")
READ = (
    ("--file", "/var/log/syslog"),
    ("--file", "/var/log/mail.log"),
    ("--file", "/var/log/syslog", "--file", "/var/log/mail.log"),
    ("--listen", "udp://127.0.0.1:5514"),
    ("--listen", "tcp://127.0.0.1:5514"),
    ("--listen", "systemd"),
    ("--journal",),
    ("--journal", "--journal-match", "_UID=0"),
    ("--journal", "--journal-directory", "/var/log/journal/remote"),
    ("--journal", "--file", "/var/log/syslog"),
    ("--journal", "--stdin"),
    (),
)


def test_a_name_is_short_and_fit_for_a_path() -> None:
    assert re.fullmatch("[0-9a-f]{10}", name("--to", "root"))


def test_a_name_stays_the_same_for_ever() -> None:
    # What waits under it would be left behind by a version that counts differently.
    assert name("--to", "root") == "d5e8e62231"
    assert name("--to", "ops@example.org", "--smtp", "smtp://localhost", "--key", "host") == "f8d6f76925"
    assert name("--to", "root", *FILTERS) == "6a66514700"
    assert name("--to", "root", "--file", "/var/log/syslog") == "3a86ac120a"
    assert name("--to", "root", "--journal") == "2eb8667600"


@pytest.mark.parametrize(
    "more",
    [
        ["--to", "ops"],
        ["--from", "log"],
        ["--subject", "[usb] {what}"],
        ["--key", "host"],
        ["--smtp", "smtp://localhost"],
        ["--sendmail", "/bin/true"],
        ["--maildir", "/tmp/x"],
        ["--file", "/var/log/syslog"],
        ["--file", "/var/log/syslog", "--stdin"],
        ["--listen", "udp://127.0.0.1:5514"],
        ["--journal"],
        ["--journal", "--journal-match", "_UID=0"],
        ["--journal", "--journal-directory", "/x"],
        ["--include", "x"],
        ["--exclude", "x"],
        ["--program", "x"],
        ["--at-least", "err"],
    ],
)
def test_what_goes_where_is_in_the_name(more: list[str]) -> None:
    assert name("--to", "root", *more) != name("--to", "root")


@pytest.mark.parametrize(
    "more",
    [
        ["--gap", "9s"], ["--max-age", "9s"], ["--max-lines", "9"], ["--max-bytes", "9"], ["--keep", "9+9"],
        ["--cap", "9/h"], ["--cool-down", "off"], ["--backoff", "1s..9s"], ["--give-up", "1h"], ["--grace", "1s"],
        ["--sync", "off"], ["--log", "none"], ["--threshold", "9/h"], ["--join"], ["--urgent", "x"], ["--stdin"],
        ["--confirm"], ["--state", "/x"],
    ],
)  # fmt: skip
def test_tuning_keeps_the_name(more: list[str]) -> None:
    # Whoever loosens a cap in the middle of a flood wants what is held to come out.
    assert name("--to", "root", *more) == name("--to", "root")


@pytest.mark.parametrize("read", READ, ids=" ".join)
def test_whoever_reads_something_else_has_another_name(read: tuple[str, ...]) -> None:
    for more in ((), FILTERS, ("--key", "host")):
        assert name("--to", "root", *read, *more) not in {
            name("--to", "root", *other, *others) for other in READ if other != read for others in ((), FILTERS)
        }


@pytest.mark.parametrize("more", [FILTERS, *zip(FILTERS[::2], FILTERS[1::2], strict=True), ("--key", "host")])
def test_filters_are_tuning_where_the_sources_say_what_is_read(more: tuple[str, ...]) -> None:
    # Positions and what is held are under the name: whoever mends an expression wants both to go on.
    for read in READ:
        if read and "--stdin" not in read:
            assert name("--to", "root", *read, *more) == name("--to", "root", *read)


@pytest.mark.parametrize("more", [*zip(FILTERS[::2], FILTERS[1::2], strict=True), ("--key", "host")])
def test_filters_tell_those_apart_who_read_standard_input(more: tuple[str, ...]) -> None:
    # Two behind one logger: what each is given, no option says.
    for read in ((), ("--journal", "--stdin")):
        assert name("--to", "root", *read, *more) != name("--to", "root", *read)


def test_sockets_that_are_passed_are_told_apart_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for units in ("firewalls.socket", "switches.socket", "switches.socket:switches.socket"):
        monkeypatch.setenv("LISTEN_FDNAMES", units)
        names.add(name("--to", "root", "--listen", "systemd"))
        assert name("--to", "root", "--journal") == "2eb8667600"
    assert len(names) == 3


def test_the_order_of_recipients_is_no_other_configuration() -> None:
    assert name("--to", "a", "--to", "b") == name("--to", "b", "--to", "a", "--to", "b")


def test_neither_is_the_order_of_sources_and_expressions() -> None:
    for option, one, two in (
        ("--file", "/a", "/b"),
        ("--listen", "udp://[::1]:1", "udp://[::1]:2"),
        ("--include", "a", "b"),
    ):
        assert name("--to", "root", option, one, option, two) == name("--to", "root", option, two, option, one)
    both = [
        name("--to", "root", "--journal", "--journal-match", "_UID=0", "--journal-match", more) for more in ("+", "A=b")
    ]
    assert len(set(both)) == 2


def test_a_maildir_is_the_same_however_it_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert name("--to", "root", "--maildir", "mail") == name("--to", "root", "--maildir", str(tmp_path / "mail"))


def test_a_password_is_in_no_name(tmp_path: Path) -> None:
    names = set()
    for number in range(2):
        secret = tmp_path / f"password-{number}"
        secret.write_text(f"hunter{number}\n")
        secret.chmod(0o600)
        names.add(name("--to", "root", "--smtp", "smtps://me@example.org", "--password-file", str(secret)))
    assert len(names) == 1


@pytest.mark.parametrize("text", ["", ".", "..", ".hidden", "a/b", "a b", "a\0", "x" * 65, "grüße", "a\n"])
def test_a_name_that_is_no_single_component_is_refused(text: str) -> None:
    with pytest.raises(options.Misuse, match="--name"):
        options.parse(["--to", "root", f"--name={text}"])


@pytest.mark.parametrize("text", ["a", "auth", "Auth_1.2-3", "x" * 64, "0", "_"])
def test_a_name_is_taken_as_it_is(text: str) -> None:
    assert placed("--name", text).name == text


def test_a_file_is_known_by_where_it_is_and_not_by_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = place_of({"config": "alerts.toml", "to": ["root"]}).name
    assert re.fullmatch("alerts-[0-9a-f]{6}", name)
    same = [{"config": str(tmp_path / "alerts.toml")}, {"config": "./alerts.toml", "to": ["ops"], "files": ["/x"]}]
    assert {place_of(options).name for options in same} == {name}
    assert place_of({"config": "other/alerts.toml"}).name != name
    assert place_of({"config": "alerts.toml", "name": "mine"}).name == "mine"


def test_who_tries_a_file_out_has_nothing_of_those_it_is_for() -> None:
    options = {"config": "/etc/alerts.toml", "to": ["me"]}
    daemon = place_of(options, {"config": "/etc/alerts.toml"}).name
    assert place_of(options, {"config": "/etc/alerts.toml", "gap": 1.0}).name == daemon
    assert len({daemon, *(place_of(options, {"to": [who]}).name for who in ("me", "you"))}) == 3


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("/a b/ü x.toml", "x"),
        ("/.toml", "toml"),
        ("/ü.toml", "burstmail"),
        ("/x/my.alerts.toml", "my-alerts"),
        (f"/{'y' * 300}", "y" * 40),
        ("/etc/-rf.toml", "rf"),
    ],
)
def test_whatever_a_file_is_called_the_name_is_one(path: str, stem: str) -> None:
    name = place_of({"config": path}).name
    assert name[:-7] == stem
    assert values.name(name) == name
