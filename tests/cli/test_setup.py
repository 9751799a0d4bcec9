"""`burstmail setup`: what it prints for a logger or systemd, and what it refuses. Real ones are in tests/servers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import burstmail
from burstmail.cli import main
from burstmail.cli.place import SYSTEM
from burstmail.cli.setup import TARGETS, access, handover, quoting
from burstmail.cli.setup.executable import executable
from tests.cli.process import run

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAM = "/usr/local/bin/burstmail"
Setup = Callable[..., str]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    programs = tmp_path_factory.mktemp("programs")
    (programs / "journalctl").write_text("#!/bin/sh\n")
    (programs / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(handover, "executable", lambda: [PROGRAM])
    # Postfix, wherever the tests run.
    monkeypatch.setattr(access, "POSTDROP", "/bin/sh")


@pytest.fixture
def mailer(tmp_path: Path) -> str:
    path = tmp_path / "sendmail"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def setup(capfd: pytest.CaptureFixture[str], mailer: str) -> Setup:
    """What is printed for these words; the notes beside it, if any, in `setup.said`."""

    def printed(target: str, *words: str, status: int = 0, sendmail: bool = True) -> str:
        found = main([target and "setup", target, *words, *(["--sendmail", mailer] if sendmail else [])])
        out, err = capfd.readouterr()
        assert found == status, err
        return out if status == 0 else (err if not out else pytest.fail(f"printed {out}"))

    return printed


def command_of(unit: str) -> list[str]:
    """ExecStart, as far as no word in it needs more than quotes."""
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.M)
    return shlex.split(line)


def settings(unit: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in unit.splitlines() if line[:1].isalpha())


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_alone_is_enough(target: str, setup: Setup) -> None:
    more = ["--file", "/var/log/syslog"] if target == "systemd" else []
    text = setup(target, *more)
    assert f"{PROGRAM} run --to root" in text
    for what in ("put it into:", "check it with:", "begin with it:"):
        assert re.search(rf"^#   {what} +\S", text, re.M)
    assert text.isascii() and "\t" not in text and text.endswith("\n") and all(map(str.__len__, text.split("\n\n")))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["setup", "syslogng"], "did you mean syslog-ng?"),
        (["setup", "journal"], "did you mean journald?"),
        (["setup", "upstart"], "there are syslog-ng, rsyslog, journald, systemd"),
        (["setup"], "for whom?"),
        (["setup", "--to", "root"], "Say it first"),
        (["setup", "rsyslog", "--too", "root"], "'--too'"),
        (["setup", "rsyslog", "--gap", "soon"], "--gap"),
        (["setup", "rsyslog", "--print"], "--print"),
        (["setup", "syslog-ng", "--confirm"], "syslog-ng does not"),
        (["setup", "syslog-ng", "--file", "/var/log/app.log"], "add --stdin"),
        (["setup", "rsyslog", "--listen", "udp://127.0.0.1:1514"], "add --stdin"),
        (["setup", "systemd"], "setup journald says it"),
        (["setup", "systemd", "--journal", "--stdin"], "no standard input"),
        (["setup", "journald", "--state", "/var/lib/x"], "StateDirectory"),
        (["setup", "journald", "--log", "/var/log/x"], "--log"),
        (["setup", "rsyslog", "--subject", "two words"], "has a space in it: write it into a file"),
        (["setup", "rsyslog", "--subject", ""], "empty"),
        (["setup", "rsyslog", "--subject", '"{what}"'], "begins with a quote"),
        (["setup", "journald", "--file", "/var/log/\udcff.log"], "not UTF-8"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    words: list[str], expected: str, capfd: pytest.CaptureFixture[str], mailer: str
) -> None:
    sendmail = [] if "--print" in words else ["--sendmail", mailer]
    assert main([*words, *(sendmail if len(words) > 2 else [])]) == 78
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and err.startswith("burstmail: ") and expected in err


def test_help_says_what_there_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "rsyslog", "--help"]) == 0
    out = capfd.readouterr().out
    assert all(f"  {target} " in out for target in TARGETS)


@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_what_cannot_be_printed_whole_is_a_failure(where: str) -> None:
    command = ["sh", "-c", f'"$@" {where}', "sh", sys.executable, "-m", "burstmail"]
    done = run("setup", "journald", "--maildir", "/", command=command)
    assert done.returncode == 78
    assert re.fullmatch(rb"burstmail: cannot write standard output: .*\n", done.stderr)


def test_all_that_is_wrong_in_a_file_is_told_and_nothing_printed(setup: Setup, tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text('to = "root"\nmax_age = "60s"\ngap = "soon"\n')
    said = setup("syslog-ng", "-c", str(file), status=78)
    assert [line.split(": ")[1] for line in said.splitlines()] == [f"{file}:2", f"{file}:3"]


def test_paths_are_the_same_from_anywhere(setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("alerts.toml").write_text('to = "root"\n')
    Path("outbox").mkdir()
    Path("page.txt").write_text("$lines")
    words = ["-calerts.toml", "--maildir=outbox", "--text-template", "page.txt", "--state", "none", "--log", "stderr"]
    text = setup("syslog-ng", *words, sendmail=False)
    (command,) = re.findall(r'"exec (.*)"\n', text)
    assert shlex.split(command) == [
        *(PROGRAM, "run", "--config", f"{tmp_path}/alerts.toml", "--maildir", f"{tmp_path}/outbox"),
        *("--text-template", f"{tmp_path}/page.txt", "--state", "none", "--log", "stderr"),
    ]


def test_a_value_that_begins_with_a_dash_stays_behind_its_equals_sign(setup: Setup) -> None:
    assert "--subject=-{what}" in setup("rsyslog", "--subject=-{what}")


def test_two_files_meet_nowhere(setup: Setup, tmp_path: Path) -> None:
    names: list[set[str]] = []
    for name in ("usb alerts", "auth"):
        file = tmp_path / f"{name}.toml"
        file.write_text('to = "root"\n')
        text = setup("syslog-ng", "-c", str(file)) + setup("journald", "-c", str(file))
        names.append(set(re.findall(r"(?:conf\.d/|^filter |^destination |StateDirectory=|system/)(\S+)", text, re.M)))
    assert not names[0] & names[1]
    assert {"burstmail-usb-alerts.conf", "d_burstmail_usb_alerts", "burstmail-usb-alerts"} <= names[0]


def test_where_nothing_is_chosen_the_logger_chooses_errors(setup: Setup) -> None:
    assert "level(err..emerg)" in setup("syslog-ng")
    assert 'prifilt("*.err")' in setup("rsyslog")
    assert "--at-least err" in setup("journald")


def test_where_something_is_chosen_the_logger_passes_all(setup: Setup) -> None:
    assert "filter" not in setup("syslog-ng", "--include", "usb").replace("own filter", "")
    assert 'prifilt("*.*")' in setup("rsyslog", "--program", "sshd")
    assert "--at-least" not in setup("journald", "--threshold", "10/5m")


def test_confirmation_is_asked_for_where_it_is_given(setup: Setup) -> None:
    assert 'confirmMessages="on"' in setup("rsyslog", "--confirm", "--state", "/var/lib/burstmail")
    assert "confirmMessages" not in setup("rsyslog")


# The examples are what is printed, but for what they are about.


def bare(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


@pytest.mark.parametrize("alert", ["auth-failures", "console-logins", "network-link", "usb"])
def test_the_examples_for_syslog_ng_are_what_is_printed(alert: str, setup: Setup, mailer: str) -> None:
    example = (EXAMPLES / f"{alert}.conf").read_text()
    (options,) = re.findall(rf'"exec {PROGRAM} (.*)"', example)
    text = setup("syslog-ng", *shlex.split(options)).replace(f" --sendmail {mailer}", "").replace(" run ", " ")
    name = alert.replace("-", "_")
    (told,) = re.findall(r"filter \w+ \{\n(.*?);\n\}", example, re.S)
    text = text.replace("_burstmail", f"_{name}").replace("    level(err..emerg)", told)
    assert bare(text) == bare(example)


@pytest.mark.parametrize("alert", ["auth-failures", "usb"])
def test_the_examples_for_rsyslog_are_what_is_printed(alert: str, setup: Setup, mailer: str, tmp_path: Path) -> None:
    example = (EXAMPLES / f"rsyslog-{alert}.conf").read_text()
    (options,) = re.findall(rf'binary="{PROGRAM} (.*)"', example)
    text = setup("rsyslog", *shlex.split(options)).replace(f" --sendmail {mailer}", "").replace(" run ", " ")
    (told,) = re.findall(r"^if (.*?)\s+then \{", example, re.S | re.M)
    text = text.replace('name="burstmail"\n', f'name="mail-{alert}"\n').replace('prifilt("*.err")', told)
    text = text.replace('queue.filename="burstmail"', f'queue.filename="mail-{alert}"')
    assert " ".join(bare(text)) == " ".join(bare(example))


# What it is that is started.


def test_the_command_runs_from_anywhere_with_no_environment() -> None:
    done = subprocess.run([*executable(), "--version"], cwd="/", env={}, capture_output=True, text=True, check=True)
    assert done.stdout == f"burstmail {burstmail.__version__}\n"


def test_a_script_is_started_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "burstmail"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["./burstmail", "setup"])
    assert executable() == [str(script)]


def test_a_bundle_is_started_as_it_was(tmp_path: Path) -> None:
    bundle = tmp_path / "burstmail.pyz"
    assert run("bundle", str(bundle), "--python", sys.executable).returncode == 0
    for command, mode in (([str(bundle)], 0o755), ([sys.executable, "-I", str(bundle)], 0o644)):
        bundle.chmod(mode)
        done = run("setup", "rsyslog", "--state", "none", "--maildir", str(tmp_path), command=command, cwd=tmp_path)
        assert f'binary="{" ".join(command)} run --to root '.encode() in done.stdout, done.stderr


# Spelling.

LETTERS = st.one_of(
    st.sampled_from("$%\"'\\ ;\n{`#"), st.characters(exclude_categories=["Cs"], exclude_characters="\0")
)
WORDS = st.lists(st.text(LETTERS, max_size=12), min_size=1)


@given(WORDS)
def test_a_shell_gets_the_words(words: list[str]) -> None:
    assert shlex.split(quoting.shell(words)) == words


@given(WORDS)
def test_a_unit_has_each_command_on_one_line(words: list[str]) -> None:
    line = quoting.systemd(["/bin/true", *words])
    assert line.splitlines() == [line] or not line.isascii()
    assert "\n" not in line and "\r" not in line
    assert not re.search(r"(?<!%)(%%)*%(?!%)", line) and not re.search(r"(?<!\$)(\$\$)*\$(?!\$)", line)


def test_what_systemd_would_replace_is_doubled() -> None:
    line = quoting.systemd(["/opt/$5 100%/burstmail", "$HOME", "${X}y", "100%", "plain"])
    # The path of a program has no variables.
    assert line == '"/opt/$5 100%%/burstmail" "$$HOME" "$${X}y" 100%% plain'


@pytest.mark.parametrize("spell", [quoting.shell, quoting.rsyslog, quoting.systemd])
def test_what_no_program_can_be_given_is_refused(spell: Callable[[list[str]], str]) -> None:
    with pytest.raises(ValueError, match="NUL"):
        spell(["/bin/true", "a\0b"])


# Units.


def test_a_unit_keeps_its_name_when_options_change(setup: Setup) -> None:
    unit = setup("journald", "--at-least", "crit")
    assert command_of(unit)[-2:] == ["--name", "burstmail"]
    assert settings(unit)["StateDirectory"] == "burstmail_service"


@pytest.mark.parametrize("name", ["", "burstmail", "service", "_service", "burstmail_service"])
def test_no_unit_takes_the_directory_of_roots_own_burstmails_or_that_of_another(setup: Setup, name: str) -> None:
    """systemd.exec(5): whatever is in it would be given to the service's user, so that root's could not use it."""
    state = settings(setup("journald", *(["--name", name] if name else [])))["StateDirectory"]
    assert f"/var/lib/{state}" != SYSTEM
    assert (state == "burstmail_service") == (name in ("", "burstmail"))


def test_a_file_or_a_name_of_ones_own_stays(setup: Setup, tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text('to = "root"\njournal = true\n')
    assert "--name" not in command_of(setup("systemd", "-c", str(file)))
    unit = setup("journald", "--name", "kernel")
    assert command_of(unit).count("--name") == 1
    assert settings(unit)["StateDirectory"] == "burstmail-kernel"


def test_the_journal_is_added_to_a_file_without_sources_only(setup: Setup, tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text('to = "root"\n')
    assert "--journal" in command_of(setup("journald", "-c", str(file)))
    file.write_text('to = "root"\nfile = "/var/log/syslog"\n')
    assert "journal = true" in setup("journald", "-c", str(file), status=78)


def test_what_is_about_the_journal_needs_no_other_word(setup: Setup, tmp_path: Path) -> None:
    words = command_of(setup("journald", "--journal-match", "_SYSTEMD_UNIT=ssh.service"))
    assert "--journal" in words and "--at-least" not in words


def test_a_file_whose_name_rsyslog_cannot_pass_is_to_be_named_otherwise(setup: Setup, tmp_path: Path) -> None:
    file = tmp_path / "my alerts.toml"
    file.write_text('to = "root"\n')
    assert "name the file without one" in setup("rsyslog", "-c", str(file), status=78)


def test_by_sendmail_rights_can_be_gained(setup: Setup) -> None:
    told = settings(setup("journald"))
    implied = {"NoNewPrivileges", "DynamicUser", "SystemCallFilter", "RestrictAddressFamilies", "PrivateDevices"}
    assert not implied & told.keys()
    assert told["User"] == "burstmail" and told["ReadWritePaths"] == "-/var/spool/postfix/maildrop"
    assert told["PrivateNetwork"] == "yes"


def test_a_sendmail_of_others_has_network_and_places_to_write(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "POSTDROP", "/nowhere")
    told = settings(setup("journald"))
    assert told["ProtectSystem"] == "full"
    assert not {"PrivateNetwork", "ProtectHome", "CapabilityBoundingSet", "ReadWritePaths"} & told.keys()


def test_what_listens_has_the_network(setup: Setup) -> None:
    assert "PrivateNetwork" not in settings(setup("systemd", "--listen", "udp://127.0.0.1:1514"))


def test_by_smtp_nothing_can_be_gained(setup: Setup) -> None:
    told = settings(setup("journald", "--smtp", "smtp://localhost", sendmail=False))
    assert told["NoNewPrivileges"] == told["DynamicUser"] == told["MemoryDenyWriteExecute"] == "yes"
    assert "User" not in told and told["CapabilityBoundingSet"] == ""


def test_a_maildir_is_written_by_its_owner(setup: Setup, tmp_path: Path) -> None:
    import pwd

    told = settings(setup("journald", "--maildir", str(tmp_path / "new" / "box"), sendmail=False))
    assert told["User"] == pwd.getpwuid(os.geteuid()).pw_name
    assert told["ReadWritePaths"] == str(tmp_path)
    assert told["PrivateTmp"] == ("no" if str(tmp_path).startswith("/tmp") else "yes")


def test_a_password_is_handed_over_by_systemd(setup: Setup, tmp_path: Path) -> None:
    secret = tmp_path / "smtp-password"
    secret.write_text("opensesame\n")
    secret.chmod(0o600)
    smtp = ["--smtp", "smtps://me@mail.example.org"]
    unit = setup("journald", *smtp, "--password-file", str(secret), sendmail=False)
    assert settings(unit)["LoadCredential"] == f"password:{secret}"
    words = command_of(unit)
    assert words[words.index("--password-file") + 1] == "password"
    assert "opensesame" not in unit


def test_a_password_of_a_file_needs_a_name_that_is_one_in_both_places(setup: Setup, tmp_path: Path) -> None:
    secret = tmp_path / "smtp-password"
    secret.write_text("opensesame\n")
    secret.chmod(0o600)
    file = tmp_path / "alerts.toml"
    text = 'to = "a@example.org"\njournal = true\nsmtp = "smtps://me@mail.example.org"\npassword-file = "{}"\n'
    file.write_text(text.format("smtp-password"))
    unit = setup("systemd", "-c", str(file), sendmail=False)
    assert settings(unit)["LoadCredential"] == f"smtp-password:{secret}"
    file.write_text(text.format(secret))
    assert "a name without a directory" in setup("systemd", "-c", str(file), sendmail=False, status=78)


def test_who_may_read_the_files_is_looked_up(setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import grp

    folder = tmp_path / "log"
    folder.mkdir(mode=0o755)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/") and "pytest" in str(path):
            path.chmod(0o755)
    log = folder / "app.log"
    log.write_text("")
    group = grp.getgrgid(log.stat().st_gid).gr_name
    smtp = ["--smtp", "smtp://localhost"]

    def told(mode: int, door: int = 0o755) -> str:
        log.chmod(mode)
        folder.chmod(door)
        return settings(setup("systemd", "--file", f"{folder}/*.log", *smtp, sendmail=False)).get(
            "SupplementaryGroups", ""
        )

    assert told(0o644) == ""
    assert told(0o640) == group
    assert told(0o644, 0o750) == group
    assert settings(setup("journald", *smtp, sendmail=False))["SupplementaryGroups"] == "systemd-journal"


def test_a_program_that_the_service_cannot_reach_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As pipx installs it for root: a link to what is in a home."""
    home, link = tmp_path / "home", Path(tempfile.mkdtemp(dir="/tmp")) / "burstmail"
    home.mkdir()
    (home / "burstmail").write_text("#!/bin/sh\n")
    (home / "burstmail").chmod(0o755)
    link.symlink_to(home / "burstmail")
    link.parent.chmod(0o755)
    monkeypatch.setattr(handover, "executable", lambda: [str(link)])
    home.chmod(0o700)
    assert main(["setup", "journald", "--smtp", "smtp://localhost"]) == 0
    assert f"{link} cannot be run by the service, which runs as a user that only systemd" in capfd.readouterr().err
    monkeypatch.setattr(handover, "executable", lambda: ["/bin/sh"])
    assert main(["setup", "journald", "--smtp", "smtp://localhost"]) == 0
    assert "cannot be run" not in capfd.readouterr().err
    shutil.rmtree(link.parent)


def test_what_cannot_be_read_is_told(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("")
    log.chmod(0o600)
    assert main(["setup", "systemd", "--file", str(log), "--smtp", "smtp://localhost"]) == 0
    assert f"{log} cannot be read by the service" in capfd.readouterr().err


def test_a_low_port_needs_the_one_capability(setup: Setup) -> None:
    told = settings(setup("systemd", "--listen", "udp://0.0.0.0:514", "--smtp", "smtp://localhost", sendmail=False))
    assert told["AmbientCapabilities"] == told["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    told = settings(setup("systemd", "--listen", "udp://0.0.0.0:1514", "--smtp", "smtp://localhost", sendmail=False))
    assert "AmbientCapabilities" not in told and told["CapabilityBoundingSet"] == ""


def test_sockets_of_systemd_are_required(setup: Setup) -> None:
    unit = setup("systemd", "--listen", "systemd")
    assert settings(unit)["Requires"] == "burstmail.socket" and "ListenStream=" in unit


def test_a_long_grace_is_waited_for(setup: Setup) -> None:
    assert "TimeoutStopSec" not in settings(setup("journald"))
    assert settings(setup("journald", "--grace", "2m"))["TimeoutStopSec"] == "154"


def test_without_a_state_there_is_no_directory(setup: Setup) -> None:
    assert "StateDirectory" not in settings(setup("journald", "--state", "none"))


@pytest.mark.skipif(not shutil.which("kill"), reason="no kill here")
def test_a_reload_is_a_hang_up(setup: Setup) -> None:
    assert re.fullmatch(r"\S+/kill -HUP \$MAINPID", settings(setup("journald"))["ExecReload"])


UNITS = {
    "burstmail.service": ("journald", "--smtp", "smtp://localhost", "--at-least", "err", "--key", "host,program"),
    "burstmail-network.service": ("systemd", "--smtp", "smtp://localhost", "--name", "network", "--listen", "systemd"),
}


@pytest.mark.parametrize("name", UNITS)
def test_the_example_units_are_what_is_printed(name: str, setup: Setup) -> None:
    assert setup(*UNITS[name], sendmail=False) == (EXAMPLES / name).read_text()
