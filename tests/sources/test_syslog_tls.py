"""TLS with real certificates: who is believed, what is refused, and that nobody waits for a handshake."""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from burstmail import TLS, SyslogLimits, SyslogSource
from burstmail.core.fields import parse
from burstmail.core.guests import Guests
from burstmail.core.origin import Origin
from burstmail.sources import tls as module
from burstmail.sources.connection import Secured
from tests.sinks.certificates import Authority, openssl
from tests.sources.receiving import Receiver, is_closed, numbered, until

LINE = b"<38>Nov 23 10:00:00 web1 sshd[812]: Failed password"
URL = "tls://127.0.0.1:0"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """With a server's certificate, a client's, and another authority's client."""
    made = Authority(tmp_path_factory.mktemp("tls"))
    made.server("server")
    made.server("client")
    made.server("stranger", signed=False)
    return made


@pytest.fixture
def files(authority: Authority) -> TLS:
    return TLS(certificate=authority.folder / "server.pem", key=authority.folder / "server.key")


def client(authority: Authority, name: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.ca)
    if name:
        context.load_cert_chain(authority.folder / f"{name}.pem", authority.folder / f"{name}.key")
    return context


def secured(receiver: Receiver, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(receiver.connect("tls"), server_hostname="127.0.0.1")


def test_messages_of_any_size_come_through(authority: Authority, files: TLS) -> None:
    large = LINE + b"x" * 60_000
    with Receiver(URL, tls=files) as receiver:
        with secured(receiver, client(authority)) as stream:
            # RFC 5425 section 4.3 counts octets; newlines are read as well.
            stream.sendall(b"%d %s%d %s" % (len(LINE), LINE, len(large), large))
            receiver.wait(2)
            stream.sendall(b"".join(b"%d %s" % (len(line), line) for line in numbered("tls", range(20_000))))
        with secured(receiver, client(authority)) as stream:
            stream.sendall(LINE + b"\n<38>half")
        receiver.wait(20_004)
    assert receiver.lines[:2] == [LINE.decode(), large.decode()]
    told = [line for line in receiver.lines if ": tls" in line]
    assert told == [line.decode() for line in numbered("tls", range(20_000))]
    assert any(line.endswith("half") for line in receiver.lines)


def test_a_socket_that_is_handed_over_speaks_tls(authority: Authority, files: TLS) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, Receiver(listening, tls=files) as receiver:
        assert receiver.source.addresses[0].startswith("tls://")
        with secured(receiver, client(authority)) as stream:
            stream.sendall(LINE + b"\n")
            receiver.wait(1)


def test_beside_a_url_of_tls_a_socket_that_is_handed_over_is_plain(authority: Authority, files: TLS) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, Receiver(listening, URL, tls=files) as receiver:
        with receiver.connect("tcp") as stream:
            stream.sendall(LINE + b"\n")
            receiver.wait(1)
        with secured(receiver, client(authority)) as stream:
            stream.sendall(LINE + b"\n")
            receiver.wait(2)


def test_a_context_of_the_users_own_is_taken_as_it_is(authority: Authority, files: TLS) -> None:
    with Receiver(URL, tls=files.context()) as receiver, secured(receiver, client(authority)) as stream:
        stream.sendall(LINE + b"\n")
        receiver.wait(1)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_closed_in_the_middle_of_a_stream_it_reads_on_and_says_that_it_ends(
    authority: Authority, files: TLS, version: ssl.TLSVersion
) -> None:
    context = client(authority)
    context.minimum_version = context.maximum_version = version
    count = 30_000
    # It ends with the last sender; one who is starved for a second is still there.
    with Receiver(URL, tls=files, linger=10) as receiver:
        stream = context.wrap_socket(receiver.connect("tls"), server_hostname="127.0.0.1", suppress_ragged_eofs=False)
        for number in range(0, count, 100):
            stream.sendall(b"".join(line + b"\n" for line in numbered("tls", range(number, number + 100))))
            if number == count // 2:
                receiver.wait(1)
                receiver.source.close()
        # A close_notify, and not only the end of TCP: that would be an error (RFC 8446 section 6.1).
        stream.settimeout(20)
        assert stream.recv(1) == b""
        stream.close()
        lines = receiver.join()
    assert lines == [line.decode() for line in numbered("tls", range(count))]


def test_one_who_makes_it_answer_and_never_reads_is_ended(authority: Authority, files: TLS) -> None:
    """What cannot be sent is not kept without limit."""
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        guest, _ = Guests(SyslogLimits()).arrive("", 0.0)
        connection = Secured(here, "", guest, Origin("", str), 65536, context=files.context())
        with suppress(BlockingIOError):
            while True:
                here.send(b"x" * 65536)
        connection._go.write(b"x" * 1000)
        connection._send()
        assert (len(connection.unsent), connection.ended) == (1000, False)
        connection._go.write(b"x" * 65536)
        connection._send()
        assert connection.ended


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_what_is_older_than_tls_1_2_is_refused(
    authority: Authority, files: TLS, caplog: pytest.LogCaptureFixture
) -> None:
    old = client(authority)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with Receiver(URL, tls=files) as receiver:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            secured(receiver, old)
        until("log", lambda: caplog.records)
    (told,) = [record.getMessage() for record in caplog.records]
    assert "TLS handshakes failed, 1 times, the last time from 127.0.0.1 at tls://127.0.0.1" in told
    assert files.context().minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(("name", "heard"), [("client", True), ("stranger", False), (None, False)])
def test_with_a_client_authority_only_its_clients_are_heard(
    authority: Authority, files: TLS, name: str | None, heard: bool, caplog: pytest.LogCaptureFixture
) -> None:
    strict = TLS(certificate=files.certificate, key=files.key, client_ca=authority.ca)
    with Receiver(URL, tls=strict) as receiver:
        try:
            # In TLS 1.3 the client believes that it is through, and is told later.
            with secured(receiver, client(authority, name)) as stream:
                stream.sendall(LINE + b"\n")
                if heard:
                    receiver.wait(1)
                else:
                    assert is_closed(stream)
        except OSError:
            assert not heard
        if not heard:
            until("log", lambda: caplog.records)
            assert "TLS handshakes failed" in caplog.text
    assert len(receiver.lines) == heard


def test_plain_text_is_no_handshake_and_is_not_heard(authority: Authority, files: TLS) -> None:
    with Receiver(URL, tls=files) as receiver, receiver.connect("tls") as stream:
        stream.sendall(LINE + b"\n")
        assert is_closed(stream)
    assert receiver.lines == []


def test_text_before_the_end_of_a_handshake_is_not_heard_at_the_end_either(files: TLS) -> None:
    with Receiver(URL, tls=files) as receiver, receiver.connect("tls") as stream:
        stream.sendall(b"\x16")
        time.sleep(0.05)
    assert receiver.lines == []


def test_handshakes_that_stop_are_ended_and_keep_nobody_waiting(
    authority: Authority, files: TLS, caplog: pytest.LogCaptureFixture
) -> None:
    limits = SyslogLimits(handshake=2.5)
    with Receiver(URL, tls=files, limits=limits) as receiver:
        silent = [receiver.connect("tls") for _ in range(20)]
        half = [receiver.connect("tls") for _ in range(20)]
        for stream in half:
            stream.sendall(hello(authority)[:50])
        with secured(receiver, client(authority)) as good:
            good.sendall(LINE + b"\n")
            receiver.wait(1)
            # None of them is ended yet: nobody had to wait for that.
            assert select.select([*silent, *half], [], [], 0)[0] == []
            assert all(is_closed(stream) for stream in [*silent, *half])
            good.sendall(LINE + b"\n")
            receiver.wait(2)
        for stream in [*silent, *half]:
            stream.close()
    assert "connections were closed: its TLS handshake took too long" in caplog.text


def hello(authority: Authority) -> bytes:
    """The first message of a handshake."""
    out = ssl.MemoryBIO()
    talk = client(authority).wrap_bio(ssl.MemoryBIO(), out, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        talk.do_handshake()
    return out.read()


def test_a_handshake_that_was_reset_is_over(authority: Authority, files: TLS) -> None:
    with Receiver(URL, tls=files) as receiver:
        for data in (b"", hello(authority), b"\x16\x03\x01\xff\xff" + b"x" * 1000):
            stream = receiver.connect("tls")
            stream.sendall(data)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            stream.close()
        with secured(receiver, client(authority)) as good:
            good.sendall(LINE + b"\n")
            receiver.wait(1)


def test_a_connection_that_was_reset_costs_only_its_unfinished_message(authority: Authority, files: TLS) -> None:
    with Receiver(URL, tls=files) as receiver:
        stream = secured(receiver, client(authority))
        stream.sendall(LINE + b"\n<38>Nov 23 10:00:00 web1 app: half")
        receiver.wait(1)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.close()
        assert parse(receiver.wait(2)[1]).message == "half"


def test_many_handshakes_at_once_all_succeed(authority: Authority, files: TLS) -> None:
    context = client(authority)
    with Receiver(URL, tls=files) as receiver:
        plain = [receiver.connect("tls") for _ in range(40)]
        for stream in plain:
            stream.setblocking(False)
        talks = [context.wrap_socket(s, server_hostname="127.0.0.1", do_handshake_on_connect=False) for s in plain]
        waiting = list(talks)
        end = time.monotonic() + 20
        while waiting and time.monotonic() < end:
            waiting = [stream for stream in waiting if not shaken(stream)]
        for stream in talks:
            stream.sendall(LINE + b"\n")
        receiver.wait(40)
        for stream in talks:
            stream.close()


def shaken(stream: ssl.SSLSocket) -> bool:
    try:
        stream.do_handshake()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False
    return True


# --- files -------------------------------------------------------------------------------------------------------


def test_certificate_and_key_may_be_one_file(authority: Authority, files: TLS, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes((authority.folder / "server.key").read_bytes() + (authority.folder / "server.pem").read_bytes())
    with Receiver(URL, tls=TLS(certificate=both)) as receiver, secured(receiver, client(authority)) as stream:
        stream.sendall(LINE + b"\n")
        receiver.wait(1)


def test_files_that_cannot_be_used_are_named(authority: Authority, files: TLS, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(FileNotFoundError, match="missing.pem"):
        SyslogSource(URL, tls=TLS(certificate=missing))
    with pytest.raises(OSError, match=r"TLS certificate .*server\.pem, key .*client\.key: .*mismatch"):
        SyslogSource(URL, tls=TLS(certificate=files.certificate, key=authority.folder / "client.key"))
    with pytest.raises(OSError, match=r"TLS client authority .*server\.key: "):
        SyslogSource(URL, tls=TLS(certificate=files.certificate, key=files.key, client_ca=files.key))
    locked = tmp_path / "locked.key"
    openssl("ec", "-in", str(files.key), "-aes256", "-passout", "pass:secret", "-out", str(locked), at=tmp_path)
    with pytest.raises(OSError, match="it has a password: write the key without one"):
        SyslogSource(URL, tls=TLS(certificate=files.certificate, key=locked))


def test_a_renewed_certificate_is_used_without_a_restart(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LOOKS", 0.0)
    for end in ("pem", "key"):
        replace(authority.folder / f"server.{end}", tmp_path / f"now.{end}")
    files = TLS(certificate=tmp_path / "now.pem", key=tmp_path / "now.key")
    with Receiver(URL, tls=files) as receiver:
        assert subject(receiver, authority) == "server"
        for end in ("pem", "key"):
            replace(authority.folder / f"client.{end}", tmp_path / f"now.{end}")
        assert subject(receiver, authority) == "client"
        (tmp_path / "now.pem").write_text("half of a certif")
        assert subject(receiver, authority) == "client"
        (tmp_path / "now.pem").unlink()
        assert subject(receiver, authority) == "client"
    assert "TLS goes on with the certificate it has: TLS certificate" in caplog.text
    assert "No such file" in caplog.text


def test_files_are_not_asked_for_at_every_connection(
    authority: Authority, files: TLS, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    honest: Callable[[TLS], object] = TLS.stamps
    monkeypatch.setattr(TLS, "stamps", lambda self: asked.append(1) or honest(self))
    with Receiver(URL, tls=files) as receiver:
        for _ in range(5):
            assert subject(receiver, authority) == "server"
    # Once when it was made, once at the first.
    assert len(asked) == 2


def replace(source: Path, target: Path) -> None:
    draft = target.with_suffix(".new")
    draft.write_bytes(source.read_bytes())
    os.replace(draft, target)


def subject(receiver: Receiver, authority: Authority) -> str:
    with secured(receiver, client(authority)) as stream:
        found = stream.getpeercert()
        assert found
        return dict(pair[0] for pair in found["subject"])["commonName"]  # type: ignore[misc, index]  # a nest of tuples
