"""SMTP, against a server that fails as it is told; all stages and ways of it are in test_smtp_faults.py."""

from __future__ import annotations

import base64
import resource
import socket
import threading
import time
import traceback
from dataclasses import replace

import pytest

from burstmail import DeliveryError, Message, PermanentDeliveryError, SMTPSink, TemporaryDeliveryError
from tests.sinks.server import Server

SOON = 0.4
USER, PASSWORD = "watchman", "correct horse/battery"
LOGIN = (USER, PASSWORD)


def sink(server: Server, **options) -> SMTPSink:
    return SMTPSink("127.0.0.1", server.port, **{"timeout": 5, "local_hostname": "web1.example.org", **options})


def failure(server: Server, message: Message, **options) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sink(server, **options).send(message)
    text = str(caught.value)
    assert "\n" not in text and f"127.0.0.1:{server.port}" in text
    return caught.value


def test_the_bytes_that_arrive_are_the_bytes_of_the_message(message):
    with Server() as server:
        assert sink(server).send(message) == {}
    (mail,) = server.mails
    assert mail.data == message.data
    assert mail.sender == "ops@example.org"
    assert mail.recipients == ["alice@example.org", "bob@example.org"]
    assert server.commands[0] == ("EHLO web1.example.org", False)
    assert server.verbs == ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]


def test_each_mail_has_a_connection_of_its_own(message):
    with Server() as server:
        one = sink(server)
        one.send(message)
        one.send(message)
    assert server.connections == 2 and len(server.mails) == 2


def test_a_large_mail_arrives_whole(message):
    large = replace(message, data=message.data + b".line\r\n" * 300_000)
    with Server() as server:
        sink(server).send(large)
    assert server.mails[0].data == large.data


def test_a_server_that_only_knows_helo_is_spoken_to(message):
    with Server({"EHLO": b"502 what?"}) as server:
        sink(server).send(message)
    assert len(server.mails) == 1 and "HELO" in server.verbs


def test_the_null_sender_is_an_empty_path(message):
    with Server() as server:
        sink(server).send(replace(message, sender=""))
    assert server.mails[0].sender == ""


# --- refusals ---------------------------------------------------------------------------------------------------------

ANSWERS = {
    "4xx": b"451 4.3.0 later",
    "5xx": b"554 5.7.1 never",
    "421": b"421 4.3.2 closing",
    "garbage": b"HTTP/1.1 400",
}
BEFORE = ["banner", "EHLO"]
ABOUT_MESSAGE = ["MAIL", "RCPT", "DATA", "dot"]
SILENCES = ["close", "hang", "drip", "endless", "half"]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("stage", [*BEFORE, *ABOUT_MESSAGE])
def test_only_a_5xx_about_the_message_is_permanent(message, stage, answer):
    faults = {stage: ANSWERS[answer]} | ({"HELO": ANSWERS[answer]} if stage == "EHLO" else {})
    with Server(faults) as server:
        error = failure(server, message)
    permanent = answer == "5xx" and stage in ABOUT_MESSAGE
    assert type(error) is (PermanentDeliveryError if permanent else TemporaryDeliveryError)
    assert server.mails == []


def test_the_error_says_what_the_server_said_and_where(message):
    with Server({"MAIL": b"550-5.1.8 bad\r\n550 sender \x1b[31m"}) as server:
        told = str(failure(server, message))
    assert told == f"smtp 127.0.0.1:{server.port}, MAIL FROM: 550 5.1.8 bad\\x0asender \\x1b[31m"


@pytest.mark.parametrize("code", [530, 534, 535, 538])
@pytest.mark.parametrize("stage", ABOUT_MESSAGE)
def test_a_5xx_about_the_login_is_temporary(message, stage, code):
    with Server({stage: b"%d 5.7.0 who are you" % code}) as server:
        assert type(failure(server, message)) is TemporaryDeliveryError


def test_too_many_recipients_is_temporary_in_its_old_form_too(message):
    with Server({"RCPT": b"552 too many recipients"}) as server:
        assert type(failure(server, message)) is TemporaryDeliveryError


@pytest.mark.parametrize("how", SILENCES)
@pytest.mark.parametrize("stage", ["EHLO", "body", "dot"])
def test_a_server_that_breaks_off_or_never_ends_is_left_in_time(message, stage, how):
    large = replace(message, data=message.data + b"x" * 20_000_000 + b"\r\n") if stage == "body" else message
    start = time.monotonic()
    with Server({stage: how}) as server:
        error = failure(server, large, timeout=SOON)
        took = time.monotonic() - start
    assert type(error) is TemporaryDeliveryError
    assert took < SOON + 2
    if how in ("hang", "drip"):
        assert took >= SOON and f"not done after {SOON:g} s" in str(error)


def test_an_endless_reply_costs_no_memory(message):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Server({"EHLO": "endless"}) as server:
        assert "more than 65536 bytes" in str(failure(server, message))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_line_without_end_costs_no_memory(message):
    with Server({"banner": b"220-" + b"x" * 1_000_000}) as server:
        assert "more than 65536 bytes" in str(failure(server, message))


def test_nobody_listening_is_temporary(message):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TemporaryDeliveryError, match=rf"smtp 127\.0\.0\.1:{port}, connect: .*refused"):
        SMTPSink("127.0.0.1", port).send(message)


def test_a_host_without_address_is_temporary(message):
    with pytest.raises(TemporaryDeliveryError, match="lookup: Name or service not known"):
        SMTPSink("nowhere.invalid", 25, tls="off").send(message)


def test_a_host_that_does_not_answer_is_left_after_the_connect_timeout(message):
    # A full backlog: the kernel drops further connections.
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(busy.getsockname())
            fillers.append(filler)
        start = time.monotonic()
        with pytest.raises(TemporaryDeliveryError, match="connect: timed out"):
            SMTPSink("127.0.0.1", busy.getsockname()[1], connect_timeout=0.3, timeout=9).send(message)
        assert 0.3 <= time.monotonic() - start < 3
        for filler in fillers:
            filler.close()


def test_without_a_thread_to_watch_the_time_it_is_temporary(message, monkeypatch):
    def exhausted(self) -> None:
        raise RuntimeError("can't start new thread")

    with Server() as server:
        with monkeypatch.context() as short:
            short.setattr(threading.Thread, "start", exhausted)
            error = failure(server, message)
        assert sink(server).send(message) == {}
    assert type(error) is TemporaryDeliveryError and "can't start new thread" in str(error)


# --- recipients -------------------------------------------------------------------------------------------------------


def test_a_refused_recipient_does_not_hold_up_the_others(message):
    with Server({"RCPT bob@example.org": b"550 5.1.1 no such user"}) as server:
        failed = sink(server).send(message)
    assert list(failed) == ["bob@example.org"]
    assert isinstance(failed["bob@example.org"], PermanentDeliveryError)
    assert "550 5.1.1 no such user" in str(failed["bob@example.org"])
    assert server.mails[0].recipients == ["alice@example.org"]


def test_recipients_refused_differently_keep_their_own_errors(message):
    faults = {"RCPT alice@example.org": b"550 never", "RCPT bob@example.org": b"450 greylisted"}
    with Server(faults) as server:
        failed = sink(server).send(message)
    assert type(failed["alice@example.org"]) is PermanentDeliveryError
    assert type(failed["bob@example.org"]) is TemporaryDeliveryError
    assert "DATA" not in server.verbs


@pytest.mark.parametrize("stage", ["DATA", "dot"])
@pytest.mark.parametrize("fault", ["close", b"451 later"])
def test_a_recipient_refused_for_good_stays_so_when_the_mail_fails_later(message, stage, fault):
    with Server({"RCPT alice@example.org": b"550 never", stage: fault}) as server:
        failed = sink(server).send(message)
    assert type(failed["alice@example.org"]) is PermanentDeliveryError
    assert type(failed["bob@example.org"]) is TemporaryDeliveryError


def test_whom_the_server_was_not_asked_about_is_tried_again(message):
    with Server({"RCPT alice@example.org": b"421 4.3.2 closing"}) as server:
        assert type(failure(server, message)) is TemporaryDeliveryError


UNSPEAKABLE = [
    "bob@example.org\r\nRCPT TO:<eve@example.org",
    "bøb@example.org",
    "a b@example.org",
    "a@b> SIZE=1",
    "",
    "a@b,c@d",
]


@pytest.mark.parametrize("address", UNSPEAKABLE)
def test_an_address_that_cannot_be_said_is_permanent_for_itself_only(message, address):
    with Server() as server:
        failed = sink(server).send(replace(message, recipients=(address, "bob@example.org")))
    assert [type(error) for error in failed.values()] == [PermanentDeliveryError]
    assert list(failed) == [address] and str(failed[address]).isprintable()
    assert server.mails[0].recipients == ["bob@example.org"]


@pytest.mark.parametrize("address", [address for address in UNSPEAKABLE if address])
def test_a_sender_that_cannot_be_said_is_permanent(message, address):
    with Server() as server:
        error = failure(server, replace(message, sender=address))
    assert type(error) is PermanentDeliveryError
    assert "MAIL" not in server.verbs


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def good(authority):
    return authority.server("good")


def test_starttls_encrypts_all_but_the_first_words(message, authority, good):
    with Server(context=good) as server:
        sink(server, tls="starttls", ca=authority.ca).send(message)
    assert server.mails[0].data == message.data
    clear = [command.split()[0] for command, secure in server.commands if not secure]
    assert clear == ["EHLO", "STARTTLS"]
    assert server.verbs[2:] == ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]


def test_implicit_tls_encrypts_everything(message, authority, good):
    with Server(context=good, implicit=True) as server:
        sink(server, tls="implicit", ca=authority.ca).send(message)
    assert server.mails[0].data == message.data
    assert all(secure for _, secure in server.commands)


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("kind", ["wrong-name", "self-signed", "expired", "unknown-authority"])
def test_a_certificate_that_cannot_be_trusted_gets_no_mail(message, authority, good, kind, implicit):
    make = {
        "wrong-name": lambda: authority.server(kind, names="DNS:other.example"),
        "self-signed": lambda: authority.server(kind, signed=False),
        "expired": lambda: authority.server(kind, days=-1),
        "unknown-authority": lambda: good,
    }
    ca = None if kind == "unknown-authority" else authority.ca
    with Server(context=make[kind](), implicit=implicit) as server:
        error = failure(
            server, message, tls="implicit" if implicit else "starttls", ca=ca, user=USER, password="secret!"
        )
    assert type(error) is TemporaryDeliveryError
    assert "certificate" in str(error)
    assert server.mails == [] and "AUTH" not in server.verbs


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("how", ["close", "hang", "drip", b"this is no TLS"])
def test_a_handshake_that_fails_is_temporary_and_in_time(message, authority, good, how, implicit):
    start = time.monotonic()
    with Server({"handshake": how}, context=good, implicit=implicit) as server:
        options = {"tls": "implicit" if implicit else "starttls", "ca": authority.ca, "timeout": SOON}
        error = failure(server, message, **options)
        assert time.monotonic() - start < SOON + 2
    assert type(error) is TemporaryDeliveryError
    assert server.mails == []


@pytest.mark.parametrize("how", [b"454 not now", b"501 no", b"garbage", *SILENCES])
def test_a_server_that_refuses_starttls_gets_nothing_in_clear(message, authority, good, how):
    with Server({"STARTTLS": how}, context=good, login=LOGIN) as server:
        error = failure(server, message, ca=authority.ca, user=USER, password=PASSWORD, timeout=SOON)
    assert type(error) is TemporaryDeliveryError
    assert not {"AUTH", "MAIL"} & set(server.verbs)


def test_a_server_stripped_of_starttls_gets_nothing(message, authority):
    with Server(login=LOGIN) as server:
        error = failure(server, message, user=USER, password=PASSWORD, ca=authority.ca)
    assert type(error) is TemporaryDeliveryError and "STARTTLS" in str(error)
    assert not {"AUTH", "MAIL"} & set(server.verbs)


def test_what_is_slipped_in_before_the_handshake_is_not_believed(message, authority, good):
    # CVE-2011-0411: an injected reply must not be taken for one that came through TLS.
    with Server({"STARTTLS": b"220 go ahead\r\n250-evil\r\n250 AUTH PLAIN"}, context=good) as server:
        error = failure(server, message, user=USER, password=PASSWORD, ca=authority.ca, timeout=SOON)
    assert type(error) is TemporaryDeliveryError
    assert "AUTH" not in server.verbs and server.mails == []


# --- credentials ------------------------------------------------------------------------------------------------------

SECRETS = [
    PASSWORD,
    base64.b64encode(PASSWORD.encode()).decode(),
    base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode(),
]


def clean(text: str) -> bool:
    return not any(secret in text for secret in SECRETS)


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN", "XFOO LOGIN"])
def test_login_then_mail(message, authority, good, mechanisms):
    with Server(context=good, login=LOGIN, mechanisms=mechanisms) as server:
        sink(server, user=USER, password=PASSWORD, ca=authority.ca).send(message)
    assert len(server.mails) == 1
    assert all(secure for command, secure in server.commands if command.startswith("AUTH"))


def test_without_a_user_nothing_logs_in(message, authority, good):
    with Server(context=good, login=LOGIN) as server:
        sink(server, tls="starttls", ca=authority.ca).send(message)
    assert "AUTH" not in server.verbs


@pytest.mark.parametrize(
    "fault",
    [b"535 5.7.8 wrong", b"454 later", b"334 !", b"334 " + b"A" * 7, b"garbage", b"421 bye", b"echo", *SILENCES],
)
def test_a_login_that_fails_is_temporary_and_tells_no_secret(message, authority, good, fault):
    with Server({"AUTH": fault}, context=good, login=LOGIN) as server:
        error = failure(server, message, user=USER, password=PASSWORD, ca=authority.ca, timeout=SOON)
    assert type(error) is TemporaryDeliveryError
    assert clean("".join(traceback.format_exception(error)))
    assert "MAIL" not in server.verbs


def test_a_server_that_quotes_the_login_is_quoted_without_it(message, authority, good):
    with Server({"AUTH": b"echo"}, context=good, login=LOGIN) as server:
        told = str(failure(server, message, user=USER, password=PASSWORD, ca=authority.ca))
    assert "502 what is AUTH PLAIN ***?" in told


def test_a_login_quoted_in_part_tells_nothing_either(message, authority, good):
    piece = SECRETS[2][:20].encode()
    with Server({"AUTH": b"500 what is " + piece}, context=good, login=LOGIN) as server:
        told = str(failure(server, message, user=USER, password=PASSWORD, ca=authority.ca))
    assert piece.decode() not in told and "what is ***" in told


@pytest.mark.parametrize("password", [PASSWORD, "a b", "s3cr3"])
def test_a_password_quoted_in_clear_is_not_repeated(message, authority, good, password):
    with Server({"AUTH": f"535 wrong password {password} for you".encode()}, context=good, login=LOGIN) as server:
        told = str(failure(server, message, user=USER, password=password, ca=authority.ca))
    assert told.endswith("AUTH: 535 wrong password *** for you")


def test_a_server_without_a_known_mechanism_is_temporary(message, authority, good):
    with Server(context=good, login=LOGIN, mechanisms="GSSAPI") as server:
        error = failure(server, message, user=USER, password=PASSWORD, ca=authority.ca)
    assert type(error) is TemporaryDeliveryError


def test_the_password_is_in_no_representation(authority):
    one = SMTPSink("mail.example.org", 587, user=USER, password=PASSWORD)
    assert repr(one) == "SMTPSink('mail.example.org', 587, tls='starttls')"
    assert clean(repr(one)) and clean(str(one))


def test_a_login_in_clear_is_allowed_on_this_machine_only(message):
    with Server(login=LOGIN) as server:
        sink(server, tls="off", user=USER, password=PASSWORD).send(message)
    assert len(server.mails) == 1
    with pytest.raises(ValueError, match="without TLS"):
        SMTPSink("mail.example.org", tls="off", user=USER, password=PASSWORD)
    with pytest.raises(ValueError, match="without TLS"):
        SMTPSink("127.0.0.1.example.org", tls="off", user=USER, password=PASSWORD)


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("smtp://localhost", "SMTPSink('localhost', 25, tls='off')"),
        ("smtp://127.0.0.1:2525", "SMTPSink('127.0.0.1', 2525, tls='off')"),
        ("smtp://[::1]:2525", "SMTPSink('::1', 2525, tls='off')"),
        ("smtp://mail.example.org", "SMTPSink('mail.example.org', 25, tls='starttls')"),
        ("smtp://mail.example.org:25?tls=off", "SMTPSink('mail.example.org', 25, tls='off')"),
        ("smtps://mail.example.org", "SMTPSink('mail.example.org', 465, tls='implicit')"),
        ("smtps://mail.example.org:466/", "SMTPSink('mail.example.org', 466, tls='implicit')"),
    ],
)
def test_a_url_says_it_all(url, shown):
    assert repr(SMTPSink.from_url(url)) == shown


def test_a_user_in_the_url_logs_in(message, authority, good):
    with Server(context=good, login=("me@example.org", "pw")) as server:
        url = f"smtp://me%40example.org@127.0.0.1:{server.port}"
        SMTPSink.from_url(url, password="pw", ca=authority.ca, timeout=5).send(message)
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://:25",
        "smtp://mail.example.org:0",
        "smtp://mail.example.org:99999",
        "smtp://mail.example.org:port",
        "smtp://mail.example.org/path",
        "smtp://mail.example.org#part",
        "smtp://mail.example.org?tls=no",
        "smtp://mail.example.org?timeout=3",
        "smtps://mail.example.org?tls=off",
        "smtp://mail example.org",
        "smtp://[::1",
        "smtp://-Xevil\x1b[31m",
        "smtp://user@mail.example.org",
    ],
)
def test_a_bad_url_is_explained_in_one_line(url):
    with pytest.raises(ValueError, match="smtp") as caught:
        SMTPSink.from_url(url)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("url", ["smtp://u:hunter2@host", "smtp://u:hunter2@host:port", "ftp://u:hunter2@host"])
def test_a_password_in_the_url_is_refused_and_not_repeated(url):
    with pytest.raises(ValueError) as caught:
        SMTPSink.from_url(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)).replace(repr(url), "")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"port": 0},
        {"port": 65536},
        {"tls": "maybe"},
        {"timeout": 0},
        {"connect_timeout": -1},
        {"timeout": float("nan")},
        {"user": "me"},
        {"password": "hunter2"},
        {"user": "me", "password": ""},
        {"user": "me", "password": "hunter2\n"},
        {"user": "me", "password": "hunter2é"},
        {"host": ""},
        {"host": "two words"},
        {"host": "a\nb"},
        {"ca": "/nonexistent/ca.pem"},
        {"ca": __file__},
    ],
)
def test_what_can_never_work_is_refused_at_once(options):
    with pytest.raises(ValueError) as caught:
        SMTPSink(**{"host": "mail.example.org", **options})
    assert "\n" not in str(caught.value) and "hunter2" not in str(caught.value)


def test_a_burst_without_a_composer_is_a_mistake(burst):
    with pytest.raises(TypeError, match="put a Composer before it"):
        SMTPSink().send(burst)
