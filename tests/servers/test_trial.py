"""`burstmail test-mail` against a real Postfix: what it says happened is what has happened."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.postfix import DOMAIN, Postfix
from tests.servers.processes import burstmail_script, mails, wait_for
from tests.sinks.certificates import Authority

pytestmark = pytest.mark.servers

SENDER = f"burstmail@{DOMAIN}"


def trial(folder: Path, *options: str) -> tuple[int, list[str], list[str]]:
    """The status, the lines of standard output, and those of standard error."""
    command = [str(burstmail_script(folder)), "test-mail", "--from", SENDER, *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def smtp(postfix: Postfix) -> list[str]:
    return ["--smtp", f"smtp://127.0.0.1:{postfix.port}"]


def test_the_steps_by_smtp_end_with_the_number_in_the_queue(postfix: Postfix, tmp_path: Path) -> None:
    status, out, err = trial(tmp_path, "--to", f"trial@{DOMAIN}", *smtp(postfix))
    assert (status, err) == (0, [])
    assert [line.split(":")[0] for line in out[1:-1]] == [
        "  connect 127.0.0.1",
        "  greeting",
        "  EHLO",
        f"  MAIL FROM {SENDER}",
        f"  RCPT TO trial@{DOMAIN}",
        "  DATA",
    ]
    assert f"220 mx.{DOMAIN} ESMTP Postfix" in out[2]
    number = out[-2].split(" queued as ")[1]
    assert number in postfix.log.read_text()


@pytest.mark.parametrize("way", ["smtp", "sendmail"])
def test_what_is_said_to_be_accepted_arrives_marked_as_a_test(postfix: Postfix, tmp_path: Path, way: str) -> None:
    to = f"trial-{way}@{DOMAIN}"
    options = smtp(postfix) if way == "smtp" else ["--sendmail", str(postfix.sendmail)]
    status, out, err = trial(tmp_path, "--to", to, *options)
    assert (status, err) == (0, [])
    (mail,) = wait_for("mail", lambda: [mail for mail in mails(postfix.maildir) if mail["Delivered-To"] == to])
    assert out[-1] == f"accepted for {to}: look for the subject {mail['Subject']}"
    assert mail["Subject"].startswith("[test] [burstmail] ")


def test_a_relay_that_refuses_is_named_with_its_words(postfix: Postfix, tmp_path: Path) -> None:
    to = "somebody@elsewhere.test"
    status, out, err = trial(tmp_path, "--to", to, "--to", f"trial@{DOMAIN}", *smtp(postfix))
    assert status == 75
    assert err[0].startswith(f"burstmail: not delivered to {to}: RCPT TO: 550 5.1.1 <{to}>: Recipient address rejected")
    assert err[1] == "burstmail: what to do: correct --to: it has no such mailbox, or does not accept mail for it"
    assert out[-1].startswith(f"accepted for trial@{DOMAIN}: ")


def test_a_queue_that_is_down_is_not_the_end_of_it(postfix: Postfix, tmp_path: Path) -> None:
    # A sendmail whose configuration is not there, as after half an installation.
    broken = tmp_path / "sendmail"
    broken.write_text('#!/bin/sh\nexec /usr/sbin/sendmail -C /nonexistent "$@"\n')
    broken.chmod(0o755)
    status, _, err = trial(tmp_path, "--to", f"trial@{DOMAIN}", "--sendmail", str(broken))
    assert status == 75
    assert "/nonexistent/main.cf" in err[0] and err[1].startswith("burstmail: what to do: ")


def test_a_server_without_tls_is_named(postfix: Postfix, tmp_path: Path) -> None:
    status, _, err = trial(tmp_path, "--to", f"trial@{DOMAIN}", "--smtp", f"smtps://127.0.0.1:{postfix.port}")
    assert status == 75
    assert "TLS handshake" in err[0] and f"port {postfix.port} does not begin with TLS" in err[1]


@contextmanager
def configured(postfix: Postfix, **settings: object) -> Iterator[None]:
    """The same server with these settings."""
    configure(postfix, "-e", *(f"{name} = {value}" for name, value in settings.items()))
    yield
    configure(postfix, "-X", *settings)


def configure(postfix: Postfix, *arguments: str) -> None:
    # It says so in its log when the new processes read the new files.
    before = postfix.log.read_text().count("reload --")
    for command in (
        ["postconf", "-c", str(postfix.config), *arguments],
        ["postfix", "-c", str(postfix.config), "reload"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    wait_for("the reload", lambda: postfix.log.read_text().count("reload --") > before)


def test_a_server_that_relays_for_nobody_is_named(postfix: Postfix, tmp_path: Path) -> None:
    rules = {"mynetworks": "192.0.2.0/24", "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"}
    with configured(postfix, **rules):
        status, _, err = trial(tmp_path, "--to", "a@elsewhere.test", *smtp(postfix))
    assert status == 75
    assert "RCPT TO: 554 5.7.1 <a@elsewhere.test>: Relay access denied" in err[0] and "mynetworks" in err[1]


@pytest.fixture
def encrypted(postfix: Postfix, tmp_path: Path) -> Iterator[Authority]:
    """It has a certificate for localhost, and wants TLS of everybody."""
    authority = Authority(tmp_path)
    authority.server("mx")
    configure(postfix, "-M", "-e", "tlsmgr/unix=tlsmgr unix - - n 1000? 1 tlsmgr")
    files = {"smtpd_tls_cert_file": tmp_path / "mx.pem", "smtpd_tls_key_file": tmp_path / "mx.key"}
    with configured(postfix, smtpd_tls_security_level="encrypt", **files):
        yield authority


def test_a_server_that_wants_tls_is_named(postfix: Postfix, encrypted: Authority, tmp_path: Path) -> None:
    status, _, err = trial(tmp_path, "--to", f"tls@{DOMAIN}", *smtp(postfix))
    assert status == 75
    assert "MAIL FROM: 530 5.7.0 Must issue a STARTTLS command first" in err[0] and "it wants TLS first" in err[1]


def test_whose_certificate_it_is_and_that_it_offers_no_login(
    postfix: Postfix, encrypted: Authority, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    login = ["--smtp", f"smtp://me@localhost:{postfix.port}", "--password-file", str(secret)]
    status, out, err = trial(tmp_path, "--to", f"tls@{DOMAIN}", *login, "--smtp-ca", str(encrypted.ca))
    assert status == 75 and "AUTH: " in err[0] and "leave USER@ out" in err[1]
    (told,) = [line for line in out if line.startswith("  TLS handshake: ")]
    assert "; certificate of localhost, 127.0.0.1, by tests, valid until 20" in told
    status, _, err = trial(tmp_path, "--to", f"tls@{DOMAIN}", *login)
    assert status == 75 and "TLS handshake: certificate verify failed" in err[0] and "as --smtp-ca FILE" in err[1]
