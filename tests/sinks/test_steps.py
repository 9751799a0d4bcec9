"""What sinks tell of a delivery: every step in order, with its reason when it fails; nothing secret or hostile."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import DeliveryError, MaildirSink, Message, SendmailSink, SMTPSink, Step
from burstmail.sinks.certificates import described
from tests.sinks.certificates import Authority
from tests.sinks.server import Server

USER, PASSWORD = LOGIN = ("watchman", "correct horse/battery")
SOON = 0.4


def steps(server: Server, message: Message, **options) -> list[Step]:
    """What is told of one delivery; that it may fail is not the question."""
    heard: list[Step] = []
    host = options.pop("host", "127.0.0.1")
    sink = SMTPSink(host, server.port, **{"timeout": 5, "watch": heard.append, **options})
    try:
        sink.send(message)
    except DeliveryError as error:
        # The log and the watcher hear of the same step.
        assert heard[-1].reason and f", {heard[-1].name}: " in str(error)
    return heard


def names(heard: list[Step]) -> list[str]:
    return [f"{step.name} {step.about}".strip() for step in heard]


@pytest.fixture(scope="session")
def good(authority: Authority):
    return authority.server("steps")


# --- SMTP -------------------------------------------------------------------------------------------------------------

MAIL = ["MAIL FROM ops@example.org", "RCPT TO alice@example.org", "RCPT TO bob@example.org", "DATA"]


def test_every_step_is_told_with_the_servers_words(message):
    with Server() as server:
        heard = steps(server, message)
    assert names(heard) == ["connect 127.0.0.1", "greeting", "EHLO", *MAIL]
    assert not any(step.reason or step.code for step in heard)
    assert heard[0].words == f"port {server.port} answers"
    assert heard[1].words == "220 scripted.example ESMTP"
    assert heard[2].words == "scripted.example; it offers SIZE 10240000"
    assert [step.words for step in heard[3:]] == ["250 ok", "250 ok", "250 ok", "250 stored"]


def test_a_name_is_looked_up_first(message):
    with Server() as server:
        heard = steps(server, message, host="localhost")
    assert heard[0].name == "lookup" and heard[0].words.startswith("localhost is ") and "127.0.0.1" in heard[0].words


def test_starttls_and_login_are_told(message, authority, good):
    with Server(context=good, login=LOGIN) as server:
        heard = steps(server, message, ca=authority.ca, user=USER, password=PASSWORD)
    expected = ["greeting", "EHLO", "STARTTLS", "TLS handshake", "EHLO", "AUTH"]
    assert names(heard)[1:] == [*expected, *MAIL]
    by_name = {step.name: step.words for step in heard}
    assert by_name["TLS handshake"].startswith("TLSv1.3; certificate of localhost, 127.0.0.1, by tests, valid until 20")
    assert by_name["AUTH"] == "235 welcome"
    assert heard[2].words.endswith("it offers STARTTLS, AUTH PLAIN, SIZE 10240000")
    assert heard[5].words.endswith("it offers AUTH PLAIN, SIZE 10240000")


def test_implicit_tls_comes_before_the_greeting(message, authority, good):
    with Server(context=good, implicit=True) as server:
        heard = steps(server, message, tls="implicit", ca=authority.ca)
    assert names(heard)[:4] == ["connect 127.0.0.1", "TLS handshake", "greeting", "EHLO"]


def test_a_server_without_extensions_is_told_so(message):
    with Server({"EHLO": b"502 what?"}) as server:
        heard = steps(server, message)
    assert heard[2].words == "scripted.example; it offers nothing that matters here"


def test_what_was_offered_in_clear_is_forgotten_behind_tls(message, authority, good):
    with Server({"EHLO again": b"502 what?"}, context=good) as server:
        heard = steps(server, message, tls="starttls", ca=authority.ca)
    first, again = (step for step in heard if step.name == "EHLO")
    assert "SIZE" in first.words and again.words == "scripted.example; it offers nothing that matters here"


def test_an_address_that_does_not_answer_is_a_step_and_the_next_one_is_tried(message, monkeypatch):
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
    with Server() as server:
        places = [("127.0.0.2", port), ("127.0.0.1", server.port)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        heard = steps(server, message, host="mail.example.org", tls="off")
    assert names(heard)[:3] == ["lookup", "connect 127.0.0.2", "connect 127.0.0.1"]
    assert heard[0].words == "mail.example.org is 127.0.0.2, 127.0.0.1"
    assert (heard[1].words, heard[1].reason) == ("Connection refused", "refused")
    assert not any(step.reason for step in heard[2:])


def test_no_address_is_told_twice_when_none_answers(message, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (2, 3)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    heard: list[Step] = []
    with pytest.raises(DeliveryError, match="connect: Connection refused"):
        SMTPSink("mail.example.org", port, tls="off", watch=heard.append).send(message)
    assert names(heard)[1:] == ["connect 127.0.0.2", "connect 127.0.0.3"]


# Of the scripted server: where it fails and how, and the step and reason that this is; its code.
FAILURES = {
    ("banner", b"554 5.7.1 go away"): ("greeting", "reply", 554),
    ("banner", "close"): ("greeting", "lost", 0),
    ("banner", "hang"): ("greeting", "timeout", 0),
    ("banner", b"HTTP/1.1 400"): ("greeting", "no SMTP", 0),
    ("EHLO", "close"): ("EHLO", "lost", 0),
    ("STARTTLS", b"454 not now"): ("STARTTLS", "reply", 454),
    ("handshake", b"this is no TLS"): ("TLS handshake", "no TLS", 0),
    ("handshake", "close"): ("TLS handshake", "lost", 0),
    ("handshake", "reset"): ("TLS handshake", "lost", 0),
    ("handshake", "hang"): ("TLS handshake", "timeout", 0),
    ("AUTH", b"535 5.7.8 wrong"): ("AUTH", "reply", 535),
    ("AUTH", b"garbage"): ("AUTH", "no SMTP", 0),
    ("AUTH", "hang"): ("AUTH", "timeout", 0),
    ("MAIL", b"530 5.7.0 log in"): ("MAIL FROM ops@example.org", "reply", 530),
    ("RCPT", b"554 5.7.1 relay denied"): ("RCPT TO bob@example.org", "reply", 554),
    ("DATA", b"552 5.3.4 too large"): ("DATA", "reply", 552),
    ("dot", "close"): ("DATA", "lost", 0),
}


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")
@pytest.mark.parametrize(("fault", "told"), FAILURES.items(), ids=[f"{at}-{how!s:.12}" for at, how in FAILURES])
def test_a_failure_is_told_with_its_step_and_reason(message, authority, good, fault, told):
    with Server(dict([fault]), context=good, login=LOGIN) as server:
        heard = steps(server, message, ca=authority.ca, user=USER, password=PASSWORD, timeout=SOON)
    last = heard[-1]
    assert (names([last])[0], last.reason, last.code) == told
    assert last.words


def test_a_server_without_starttls_offers_none(message):
    with Server() as server:
        last = steps(server, message, tls="starttls")[-1]
    assert (last.name, last.reason) == ("STARTTLS", "not offered")


def test_a_server_without_a_known_login_offers_none(message, authority, good):
    with Server(context=good, login=LOGIN, mechanisms="GSSAPI") as server:
        last = steps(server, message, ca=authority.ca, user=USER, password=PASSWORD)[-1]
    assert (last.name, last.reason) == ("AUTH", "not offered")


def test_tls_at_once_meets_a_server_that_speaks_first(message, authority):
    with Server() as server:
        last = steps(server, message, tls="implicit", ca=authority.ca)[-1]
    assert (last.name, last.reason) == ("TLS handshake", "no TLS")


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("reason", ["other name", "unknown authority", "expired", "self-signed"])
def test_what_is_wrong_with_a_certificate_is_told_apart(message, authority, good, reason, implicit):
    make: dict[str, Callable] = {
        "other name": lambda: authority.server("steps-other", names="DNS:other.example,IP:127.0.0.9"),
        "expired": lambda: authority.server("steps-expired", days=-1),
        "self-signed": lambda: authority.server("steps-self", signed=False),
        "unknown authority": lambda: good,
    }
    ca = None if reason == "unknown authority" else authority.ca
    tls = "implicit" if implicit else "starttls"
    with Server(context=make[reason](), implicit=implicit) as server:
        last = steps(server, message, tls=tls, ca=ca)[-1]
    assert last.name == "TLS handshake"
    assert last.reason == ("unknown authority" if reason == "self-signed" else reason)
    assert last.words.startswith("certificate verify failed: ")


def test_each_refused_recipient_is_a_step(message):
    with Server({"RCPT alice@example.org": b"550 5.1.1 no such user"}) as server:
        heard = steps(server, message)
    refused = [step for step in heard if step.reason]
    assert [(step.about, step.words, step.code) for step in refused] == [
        ("alice@example.org", "550 5.1.1 no such user", 550)
    ]
    assert heard[-1].name == "DATA" and not heard[-1].reason


def test_an_address_that_cannot_be_said_is_told(message):
    with Server() as server:
        heard = steps(server, replace(message, recipients=("a b@example.org", "bob@example.org")))
    (refused,) = [step for step in heard if step.reason]
    assert (refused.about, refused.reason) == ("a b@example.org", "address")


def test_a_longest_address_is_told_whole(message):
    name = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}"
    with Server() as server:
        heard = steps(server, replace(message, recipients=(name,)))
    assert heard[-2].about == name


SECRETS = [PASSWORD, *(base64.b64encode(text.encode()).decode() for text in (PASSWORD, f"\0{USER}\0{PASSWORD}"))]


@pytest.mark.parametrize("reply", ["535 wrong {0}", "235 welcome {0}", "235-{1}\r\n235 {2}", "535 {2}\x1b[31m"])
def test_no_step_tells_a_secret_or_a_control_character(message, authority, good, reply):
    fault = reply.format(*SECRETS).encode()
    with Server({"AUTH": fault}, context=good, login=LOGIN) as server:
        heard = steps(server, message, ca=authority.ca, user=USER, password=PASSWORD)
    (told,) = [step for step in heard if step.name == "AUTH"]
    assert "***" in told.words and not any(secret in str(heard) for secret in SECRETS)
    assert told.words.isprintable()


def test_a_reply_of_several_lines_is_told_as_one(message):
    with Server({"MAIL": b"550-5.1.8 bad\r\n550 sender \x1b[31m" + b"x" * 500}) as server:
        last = steps(server, message)[-1]
    assert last.words.startswith("550 5.1.8 bad sender \\x1b[31mxxx") and len(last.words) == 200


def test_a_watcher_that_raises_changes_nothing(message, caplog):
    def broken(step: Step) -> None:
        raise OSError("no space")

    with Server() as server:
        assert SMTPSink("127.0.0.1", server.port, watch=broken).send(message) == {}
    assert len(server.mails) == 1
    assert {record.getMessage() for record in caplog.records} == {"what watches a sink has raised"}


# --- certificates -----------------------------------------------------------------------------------------------------


def test_a_certificate_for_many_names_shows_some():
    names = [("DNS", f"mx{n}.example.org") for n in range(9)]
    issuer = ((("countryName", "US"),), (("organizationName", "Let's Encrypt"),), (("commonName", "R11"),))
    told = described({"subjectAltName": names, "issuer": issuer, "notAfter": "Jan  5 09:34:43 2027 GMT"})
    assert told == (
        "mx0.example.org, mx1.example.org, mx2.example.org and 6 more, by Let's Encrypt R11, valid until 2027-01-05"
    )


def test_an_old_certificate_has_its_name_in_the_subject():
    told = described({"subject": ((("commonName", "mx.example.org"),),)})
    assert told == "mx.example.org, by nobody, valid until nobody knows when"


@given(st.dictionaries(st.sampled_from(["subjectAltName", "notAfter"]), st.text(max_size=30)))
def test_no_date_makes_it_raise(certificate):
    certificate["subjectAltName"] = [("DNS", certificate.get("subjectAltName", ""))]
    assert described(certificate)


# --- sendmail and Maildir ---------------------------------------------------------------------------------------------


def ran(path: Path, message: Message, body: str, **options) -> list[Step]:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    heard: list[Step] = []
    try:
        SendmailSink(path, watch=heard.append, **options).send(message)
    except DeliveryError as error:
        assert str(error).endswith(heard[-1].words)
    return heard


@pytest.fixture
def one(message: Message) -> Message:
    return replace(message, recipients=("bob@example.org",))


def test_the_command_is_told_with_what_it_says(one, tmp_path):
    path = tmp_path / "sendmail"
    (step,) = ran(path, one, "echo 'queued \033[31m as 4F2A' >&2")
    assert step == Step(
        name="sendmail", words=f"{path} exited with 0: queued \\x1b[31m as 4F2A", about="bob@example.org"
    )


ENDS = {
    "exit 75": ("exit", 75, "exited with 75"),
    "echo no such user >&2; exit 67": ("exit", 67, "exited with 67 (no such user): no such user"),
    "kill -9 $$": ("killed", 9, "was killed by signal 9"),
    "sleep 9": ("timeout", 0, "was still running after 0.3 s, and was killed"),
}


@pytest.mark.parametrize("body", ENDS)
def test_a_command_that_fails_is_told_with_how(one, tmp_path, body):
    reason, code, words = ENDS[body]
    (step,) = ran(tmp_path / "sendmail", one, body, timeout=0.3 if "sleep" in body else 30)
    assert (step.reason, step.code) == (reason, code) and step.words.endswith(words)


def test_a_command_that_cannot_be_run_is_told_with_the_errno(one, tmp_path):
    path = tmp_path / "sendmail"
    path.write_text("#!/nonexistent/interpreter\n")
    path.chmod(0o755)
    heard: list[Step] = []
    with pytest.raises(DeliveryError):
        SendmailSink(path, watch=heard.append).send(one)
    assert [(step.reason, step.code) for step in heard] == [("system", 2)]


def test_each_run_for_a_single_recipient_is_told(message, tmp_path):
    heard = ran(tmp_path / "sendmail", message, 'test "$#" = 5 && test "$5" = bob@example.org || exit 67')
    assert [(step.about, step.code) for step in heard] == [
        ("alice@example.org, bob@example.org", 67),
        ("alice@example.org", 67),
        ("bob@example.org", 0),
    ]


def test_a_maildir_tells_the_file(message, tmp_path):
    heard: list[Step] = []
    MaildirSink(tmp_path / "box", watch=heard.append).send(message)
    (file,) = (tmp_path / "box" / "new").iterdir()
    assert heard == [Step(name="Maildir", words=f"new/{file.name}", about=str(tmp_path / "box"))]


def test_a_maildir_that_cannot_be_tells_the_errno(message, tmp_path):
    (tmp_path / "box").write_text("a file")
    heard: list[Step] = []
    with pytest.raises(DeliveryError):
        MaildirSink(tmp_path / "box", watch=heard.append).send(message)
    assert [(step.reason, step.code, step.words) for step in heard] == [("system", 20, "Not a directory")]
