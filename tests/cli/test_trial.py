"""`burstmail test-mail`: a real mail by the way that is configured, and what happened, step by step."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest

from burstmail import SMTPSink
from burstmail.cli import destination, main, remedies
from tests.cli.process import environment, run
from tests.sinks.certificates import Authority
from tests.sinks.server import Server

USER, PASSWORD = LOGIN = ("watchman", "correct horse/battery")
OK, INTERRUPTED, UNDELIVERED, MISUSE = 0, 130, 75, 78
WAITS = 0.4


@pytest.fixture
def trial(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str], list[str]]]:
    """Run it: the status, the lines of standard output, and those of standard error."""

    def tried(*options: str) -> tuple[int, list[str], list[str]]:
        status = main(["test-mail", *options])
        out, err = capfd.readouterr()
        assert all(line.isprintable() for line in (out + err).split("\n"))
        return status, out.splitlines(), err.splitlines()

    return tried


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def good(authority: Authority) -> ssl.SSLContext:
    return authority.server("trial")


@pytest.fixture
def password(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A minute is too long for a test."""
    monkeypatch.setattr(destination.SMTPSink, "from_url", partial(SMTPSink.from_url, timeout=WAITS))
    yield


def url(server: Server, scheme: str = "smtp", user: str = "", more: str = "") -> str:
    return f"{scheme}://{user}127.0.0.1:{server.port}{more}"


def secure(server: Server, authority: Authority, password: str) -> list[str]:
    """The options of a login by STARTTLS."""
    place = url(server, user=f"{USER}@")
    return ["--to", "ops@example.org", "--smtp", place, "--password-file", password, "--smtp-ca", str(authority.ca)]


def parsed(data: bytes) -> EmailMessage:
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_healthy_server_takes_it_and_every_step_is_shown(trial, authority, good, password):
    with Server(context=good, login=LOGIN) as server:
        status, out, err = trial(*secure(server, authority, password), "--from", "me@example.org")
    assert (status, err) == (OK, [])
    assert out[0] == f"to ops@example.org, from me@example.org, by {url(server, user='watchman@')}"
    titles = [line.split(":")[0] for line in out[1:-1]]
    assert titles == [
        "  connect 127.0.0.1",
        "  greeting",
        "  EHLO",
        "  STARTTLS",
        "  TLS handshake",
        "  EHLO",
        "  AUTH",
        "  MAIL FROM me@example.org",
        "  RCPT TO ops@example.org",
        "  DATA",
    ]
    assert out[-2] == "  DATA: 250 stored"
    assert out[-1].startswith("accepted for ops@example.org: look for the subject [test] [burstmail] ")
    assert len(server.mails) == 1 and "FAILED" not in "".join(out)


def test_the_mail_says_that_it_is_a_test_and_looks_like_a_real_one(trial, tmp_path):
    trial("--to", "root", "--maildir", str(tmp_path / "box"))
    (file,) = (tmp_path / "box" / "new").iterdir()
    mail = parsed(file.read_bytes())
    assert mail["Subject"].startswith("[test] [burstmail] ") and "3 lines" in mail["Subject"]
    text = mail.get_body(("plain",)).get_content()
    assert "This is a test mail: nothing has happened, and nothing is to be done." in text
    assert "Severity: info" in text
    assert mail.get_body(("html",)) is not None and mail["Auto-Submitted"] == "auto-generated"


LOOKS = ["--max-lines", "1", "--max-bytes", "100", "--urgent", "test mail", "--key", "host,program,severity"]
LOOKS += ["--keep", "1+0", "--cap", "2/h", "--subject", "{program} has {lines}", "--text-only", "--threshold", "50/5m"]


def test_one_mail_by_ones_own_templates_whatever_cuts_and_caps_bursts(trial, tmp_path):
    status, _, err = trial("--to", "root", "--maildir", str(tmp_path / "box"), *LOOKS)
    assert (status, err) == (OK, [])
    (file,) = (tmp_path / "box" / "new").iterdir()
    mail = parsed(file.read_bytes())
    assert mail["Subject"] == "[test] burstmail has 3 lines"
    assert mail.get_body(("html",)) is None


def test_each_mail_has_an_id_of_its_own(trial, tmp_path):
    for _ in range(2):
        trial("--to", "root", "--maildir", str(tmp_path / "box"))
    mails = [parsed(file.read_bytes()) for file in (tmp_path / "box" / "new").iterdir()]
    assert len({mail["Message-ID"] for mail in mails}) == 2


def test_print_shows_the_mail(trial):
    status, out, err = trial("--to", "root", "--print")
    assert (status, err) == (OK, [])
    assert out[0].endswith(", on standard output") and "To: root" in out
    assert any(line.startswith("Subject: [test] ") for line in out)


def test_the_sendmail_command_is_told_with_what_it_says(trial, tmp_path):
    path = tmp_path / "sendmail"
    path.write_text("#!/bin/sh\necho queued as 4F2A >&2\n")
    path.chmod(0o755)
    status, out, err = trial("--to", "root", "--sendmail", str(path))
    assert (status, err) == (OK, [])
    assert out[0].endswith(f", through {path}")
    assert out[1] == f"  sendmail root: {path} exited with 0: queued as 4F2A"


# --- routes -----------------------------------------------------------------------------------------------------------

ROUTES = """
to = "ops@example.org"
from = "burstmail@example.org"
smtp = "{place}"

[[route]]
name = "disks"
match = {{ program = "kernel" }}
to = ["storage@example.org", "ops@example.org"]

[[route]]
name = "logins"
match = {{ program = "sshd" }}

[[route]]
name = "raid"
to = ["ops@example.org", "storage@example.org"]

[[route]]
name = "boss"
from = "alerts@example.org"
"""


@pytest.fixture
def routes(tmp_path: Path) -> Callable[[Server], str]:
    def written(server: Server) -> str:
        path = tmp_path / "burstmail.toml"
        path.write_text(ROUTES.format(place=url(server)))
        return str(path)

    return written


def test_every_set_of_recipients_gets_one(trial, routes):
    with Server() as server:
        status, out, err = trial("-c", routes(server))
    assert (status, err) == (OK, [])
    assert [line.split(", by ")[0] for line in out if line.startswith("to ")] == [
        "to storage@example.org, ops@example.org (route disks, raid), from burstmail@example.org",
        "to ops@example.org (route logins), from burstmail@example.org",
        "to ops@example.org (route boss), from alerts@example.org",
    ]
    assert [sorted(mail.recipients) for mail in server.mails] == [
        ["ops@example.org", "storage@example.org"],
        ["ops@example.org"],
        ["ops@example.org"],
    ]


def test_one_that_is_refused_keeps_no_other_from_being_tried(trial, routes):
    with Server({"RCPT storage@example.org": b"550 5.1.1 no such user"}) as server:
        status, out, err = trial("-c", routes(server))
    assert status == UNDELIVERED
    assert len(server.mails) == 3 and server.mails[0].recipients == ["ops@example.org"]
    assert err == [
        "burstmail: not delivered to storage@example.org: RCPT TO: 550 5.1.1 no such user",
        "burstmail: what to do: correct --to: it has no such mailbox, or does not accept mail for it",
    ]
    assert "  RCPT TO storage@example.org: FAILED: 550 5.1.1 no such user" in out
    assert any(line.startswith("accepted for ops@example.org: ") for line in out)


def test_options_win_over_the_file(trial, routes, tmp_path):
    with Server() as server:
        config = routes(server)
        status, out, _ = trial("-c", config, "--to", "me@example.org", "--maildir", str(tmp_path / "box"))
    assert status == OK and server.connections == 0
    assert len(list((tmp_path / "box" / "new").iterdir())) == 2
    assert {line.split()[1] for line in out if line.startswith("to ")} == {"me@example.org"}


# --- what fails -------------------------------------------------------------------------------------------------------

# What the server does, and the step and the remedy that are named.
FAILURES = {
    ("banner", b"554 5.7.1 blocked"): ("greeting: 554", "this machine's address"),
    ("banner", "hang"): ("greeting: not done after 0.4 s", "smtps://"),
    ("STARTTLS", b"454 4.7.0 local problem"): ("STARTTLS: 454", "TLS does not work"),
    ("handshake", "hang"): ("TLS handshake: not done", "too slow"),
    ("AUTH", b"535 5.7.8 wrong"): ("AUTH: 535 5.7.8 wrong", "first line of --password-file"),
    ("MAIL", b"550 5.1.8 no such domain"): ("MAIL FROM: 550", "--from"),
    ("RCPT", b"554 5.7.1 Relay access denied"): ("RCPT TO: 554", "mynetworks"),
    ("RCPT", b"450 4.2.0 Greylisted \x1b[31m"): ("RCPT TO: 450 4.2.0 Greylisted \\x1b[31m", "5 min"),
    ("dot", b"554 5.7.1 spam"): ("DATA: 554", "spam"),
    ("dot", "close"): ("DATA: the server closed the connection", "not known"),
}


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAILURES, ids=[f"{at}-{how!s:.9}" for at, how in FAILURES])
def test_a_failure_names_the_step_and_the_remedy(trial, authority, good, password, fault):
    step, words = FAILURES[fault]
    with Server(dict([fault]), context=good, login=LOGIN) as server:
        status, out, err = trial(*secure(server, authority, password))
    assert status == UNDELIVERED
    assert len(err) == 2 and err[0].startswith(f"burstmail: not delivered to ops@example.org: {step}")
    assert err[1].startswith("burstmail: what to do: ") and words in err[1]
    assert len([line for line in out if "FAILED" in line]) == 1
    assert not any(line.startswith("accepted") for line in out)


@pytest.mark.parametrize("kind", ["other-name", "self-signed", "expired", "unknown-authority"])
def test_a_wrong_certificate_is_named_with_its_remedy(trial, authority, good, kind):
    make = {
        "other-name": lambda: authority.server("trial-other", names="DNS:other.example"),
        "self-signed": lambda: authority.server("trial-self", signed=False),
        "expired": lambda: authority.server("trial-expired", days=-1),
        "unknown-authority": lambda: good,
    }
    remedies = {
        "other-name": "a name that is in the certificate, not 127.0.0.1: `openssl s_client",
        "self-signed": "other authorities than the one that signed",
        "expired": "renew",
        "unknown-authority": "as --smtp-ca FILE",
    }
    trusted = [] if kind == "unknown-authority" else ["--smtp-ca", str(authority.ca)]
    with Server(context=make[kind](), implicit=True) as server:
        status, _, err = trial("--to", "ops@example.org", "--smtp", url(server, "smtps"), *trusted)
    assert status == UNDELIVERED and server.mails == []
    assert "TLS handshake: certificate verify failed" in err[0] and remedies[kind] in err[1]


def test_tls_at_once_where_the_server_speaks_first(trial):
    with Server() as server:
        status, _, err = trial("--to", "ops@example.org", "--smtp", url(server, "smtps"))
    assert status == UNDELIVERED
    assert "TLS handshake" in err[0] and f"port {server.port} does not begin with TLS" in err[1]


@pytest.mark.usefixtures("impatient")
def test_a_greeting_where_the_server_waits_for_tls(trial, good):
    with Server(context=good, implicit=True) as server:
        status, _, err = trial("--to", "ops@example.org", "--smtp", url(server))
    assert status == UNDELIVERED and "greeting" in err[0] and "say smtps://" in err[1]


def test_a_login_where_none_is_offered(trial, password):
    with Server() as server:
        place = url(server, user="watchman@", more="?tls=off")
        status, _, err = trial("--to", "ops@example.org", "--smtp", place, "--password-file", password)
    assert status == UNDELIVERED and "AUTH" in err[0] and "?tls=off" in err[1]


def test_a_server_without_starttls(trial, password):
    with Server(login=LOGIN) as server:
        place = url(server, user="watchman@")
        status, _, err = trial("--to", "ops@example.org", "--smtp", place, "--password-file", password)
    assert status == UNDELIVERED and "STARTTLS" in err[0] and "smtps://127.0.0.1:465" in err[1]


def test_nobody_listens(trial):
    with Server() as server:
        place = url(server)
    status, out, err = trial("--to", "ops@example.org", "--smtp", place)
    assert status == UNDELIVERED
    assert out[1] == "  connect 127.0.0.1: FAILED: Connection refused"
    assert "connect: Connection refused" in err[0] and "start the mail server" in err[1]


@pytest.mark.parametrize("reply", [f"535 wrong {PASSWORD}", f"535 {base64.b64encode(PASSWORD.encode()).decode()}"])
def test_no_secret_is_shown(trial, authority, good, password, reply):
    with Server({"AUTH": reply.encode()}, context=good, login=LOGIN) as server:
        _, out, err = trial(*secure(server, authority, password))
    shown = "\n".join(out + err)
    assert "***" in shown and PASSWORD not in shown and reply.split()[-1] not in shown


def test_recipients_that_fail_alike_are_told_together(trial):
    with Server({"RCPT": b"550 5.1.1 no such user"}) as server:
        status, out, err = trial("--to", "a@example.org", "--to", "b@example.org", "--smtp", url(server))
    assert status == UNDELIVERED and len(err) == 2
    assert err[0] == "burstmail: not delivered to a@example.org, b@example.org: RCPT TO: 550 5.1.1 no such user"
    assert not any(line.startswith("accepted") for line in out)


def test_recipients_that_fail_differently_are_told_apart(trial):
    faults = {"RCPT a@example.org": b"550 5.1.1 no such user", "RCPT b@example.org": b"450 4.2.0 Greylisted"}
    with Server(faults) as server:
        status, _, err = trial("--to", "a@example.org", "--to", "b@example.org", "--smtp", url(server))
    assert status == UNDELIVERED
    assert [line.split(": ", 2)[1:] for line in err[::2]] == [
        ["not delivered to a@example.org", "RCPT TO: 550 5.1.1 no such user"],
        ["not delivered to b@example.org", "RCPT TO: 450 4.2.0 Greylisted"],
    ]
    assert "correct --to" in err[1] and "5 min" in err[3]


def test_a_command_that_fails(trial, tmp_path):
    path = tmp_path / "sendmail"
    path.write_text("#!/bin/sh\necho no such queue >&2; exit 75\n")
    path.chmod(0o755)
    status, _, err = trial("--to", "root", "--sendmail", str(path))
    assert status == UNDELIVERED
    assert err[0].endswith(f"sendmail: {path} exited with 75: no such queue") and "NoNewPrivileges=" in err[1]


def test_a_maildir_that_cannot_be(trial, tmp_path):
    (tmp_path / "box").write_text("a file")
    status, _, err = trial("--to", "root", "--maildir", str(tmp_path / "box"))
    assert status == UNDELIVERED
    assert err[0].endswith("Maildir: Not a directory") and "no directory" in err[1]


def test_a_sink_that_tells_no_step_is_explained_all_the_same():
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb", closefd=True) as nobody:
        done = run("test-mail", "--to", "root", "--print", capture_output=False, stdout=nobody, stderr=-1)
    assert done.returncode == UNDELIVERED
    assert b"not delivered to root: nobody reads standard output any more" in done.stderr


STAGES = (
    "banner",
    "EHLO",
    "STARTTLS",
    "handshake",
    "EHLO again",
    "AUTH",
    "MAIL",
    "RCPT",
    "DATA",
    "body",
    "dot",
    "QUIT",
)
FAULTS = [
    b"421 4.3.2 closing",
    b"554 5.7.1 never",
    b"\x00\xff\x16 4O4 \x1b[31m\r\n-",
    b"250-no\r\n\xff",
    "close",
    "reset",
]
FAULTS += ["endless", "half", "accepted"]


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault!s:.12}")
def test_whatever_a_server_does_there_is_a_step_and_a_remedy(trial, authority, good, password, fault):
    for stage in STAGES:
        faults = {stage: fault} | ({"HELO": fault} if stage.startswith("EHLO") else {})
        with Server(faults, context=good, login=LOGIN) as server:
            status, out, err = trial(*secure(server, authority, password))
        if status == OK:
            # One that says yes to a mail it has not read is a liar, and cannot be told from others.
            assert err == [] and (len(server.mails) == 1 or (stage, fault) == ("body", "accepted"))
            continue
        assert status == UNDELIVERED, stage
        assert len(err) == 2 and err[1].startswith("burstmail: what to do: "), (stage, err)
        assert "FAILED" in out[-1] and not any(secret in "".join(out + err) for secret in LOGIN[1:])


# --- what is wrong with the options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--to"),
        (["--too", "root"], "--too"),
        (["--to", "root", "--smtp", "http://x"], "smtp URL"),
        (["--to", "two words"], "two words"),
        (["--to", "root", "--subject", "{nothing}"], "--subject"),
        (["--to", "root", "--password-file", "/nonexistent"], "--password-file"),
        (["-c", "/nonexistent.toml"], "/nonexistent.toml"),
        (["--to", "root", "now"], "now"),
    ],
)
def test_a_wrong_option_is_one_line(trial, options, words):
    status, out, err = trial(*options)
    assert (status, out) == (MISUSE, [])
    assert len(err) == 1 and words in err[0]


def test_everything_that_is_wrong_in_a_file_is_named_with_its_line(trial, tmp_path):
    path = tmp_path / "burstmail.toml"
    path.write_text('to = "a@b c"\nsmtp = "http://x"\n[[route]]\nname = "disks"\nfrom = "spaced out"\n')
    status, out, err = trial("-c", str(path))
    assert (status, out) == (MISUSE, [])
    assert [line.split(" ")[1] for line in err] == [f"{path}:{number}:" for number in (1, 2, 5)]


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_says_what_it_does(trial, word):
    status, out, _ = trial(word)
    assert status == OK and out[0].startswith("usage: burstmail test-mail") and "exit status" in "\n".join(out)


# --- as a process -----------------------------------------------------------------------------------------------------


def test_it_reads_nothing_and_leaves_no_trace(tmp_path):
    state = tmp_path / "state"
    env = environment(state)
    read, write = os.pipe()
    try:
        # A pipe that never ends: whoever reads it hangs.
        done = run("test-mail", "--to", "root", "--maildir", str(tmp_path / "box"), input=None, stdin=read, env=env)
    finally:
        os.close(read)
        os.close(write)
    assert (done.returncode, done.stderr) == (OK, b"")
    assert sorted(os.listdir(tmp_path)) == ["box"]


def test_nobody_reading_is_no_reason_not_to_send(tmp_path):
    with Server() as server:
        read, write = os.pipe()
        os.close(read)
        place = url(server)
        with open(write, "wb", closefd=True) as nobody:
            done = run("test-mail", "--to", "a@example.org", "--smtp", place, capture_output=False, stdout=nobody)
    assert done.returncode == OK and len(server.mails) == 1


def test_an_interrupt_ends_it_quietly(trial, monkeypatch):
    def interrupted(self, item):
        raise KeyboardInterrupt

    monkeypatch.setattr(SMTPSink, "send", interrupted)
    status, _, err = trial("--to", "a@example.org", "--smtp", "smtp://localhost")
    assert status == INTERRUPTED and err == ["burstmail: interrupted: what was accepted before is on its way"]


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE = Path(__file__).resolve().parents[2] / "docs" / "test-mail.md"


def test_the_page_has_every_step_in_order():
    rows = [line.split("`")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [name.strip() for name in STEPS.split(",")]
    assert set(remedies.BY_NAME) == set(rows) - {"EHLO"}


STEPS = "lookup, connect, greeting, EHLO, STARTTLS, TLS handshake, AUTH, MAIL FROM, RCPT TO, DATA, sendmail, Maildir"


def test_the_example_of_the_page_is_what_is_said():
    assert f"burstmail: what to do: {remedies.PASSWORD}\n" in PAGE.read_text()
