"""Real loggers send to a SyslogSource: numbered lines, none lost, none repeated, and every field readable."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from burstmail import TLS
from burstmail.core.fields import parse
from tests.conftest import HOW
from tests.servers import senders
from tests.sinks.certificates import Authority
from tests.sources.receiving import Receiver

pytestmark = pytest.mark.servers

COUNT = 2000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("tls"))
    made.server("server")
    made.server("client")
    return made


@pytest.fixture
def receiver(tmp_path: Path, authority: Authority) -> Iterator[Receiver]:
    """Every way in at once; TLS for those with a certificate of the authority."""
    folder = authority.folder
    tls = TLS(certificate=folder / "server.pem", key=folder / "server.key", client_ca=authority.ca)
    urls = ("udp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls://127.0.0.1:0", f"unix://{tmp_path}/ours")
    with Receiver(*urls, tls=tls) as made:
        yield made


def sent(first: int = 0, count: int = COUNT) -> list[str]:
    return [f"<38>Nov 23 10:00:00 app[7]: number {number} of \u00e4 few" for number in range(first, first + count)]


def check(receiver: Receiver, count: int = COUNT) -> None:
    """All of them, once, in order; and who says it is known from each line alone."""
    lines = [line for line in receiver.wait(count) if "number" in line]
    told = [parse(line) for line in lines]
    # rsyslog keeps the space behind the tag as part of the message, in RFC 5424 too.
    assert [fields.message.removeprefix(" ") for fields in told] == [
        f"number {number} of \u00e4 few" for number in range(count)
    ]
    seen = {(fields.program, fields.pid, fields.facility, fields.severity, bool(fields.host)) for fields in told}
    assert seen == {("app", "7", 4, 6, True)}


# --- logger ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["--rfc5424", "--rfc3164"])
@pytest.mark.parametrize("way", ["udp", "tcp", "tcp --octet-count", "unix"])
def test_logger(receiver: Receiver, tmp_path: Path, way: str, form: str) -> None:
    if not shutil.which("logger"):
        pytest.skip("no logger here: it is part of util-linux (bsdutils)")
    kind, *more = way.split()
    if kind == "unix":
        where = ["--socket", f"{tmp_path}/ours", "--socket-errors=on"]
    else:
        where = ["--server", "127.0.0.1", "--port", str(receiver.port(kind)), f"--{kind}", *more]
    text = "".join(f"number {number}\n" for number in range(300))
    command = ["logger", *where, form, "--tag", "app", "--id=7", "--priority", "auth.info"]
    subprocess.run(command, input=text, text=True, check=True, timeout=20)
    told = [parse(line) for line in receiver.wait(300)]
    assert [fields.message.rpartition("] ")[2] for fields in told] == [f"number {number}" for number in range(300)]
    assert {(fields.program, fields.pid, fields.facility, fields.severity) for fields in told} == {("app", "7", 4, 6)}
    assert all(fields.host for fields in told)


def test_a_message_of_several_lines_stays_one(receiver: Receiver) -> None:
    where = ["--server", "127.0.0.1", "--port", str(receiver.port("tcp")), "--tcp", "--octet-count"]
    subprocess.run(["logger", *where, "--tag", "app", "one\n<0>Nov 23 10:00:00 db1 kernel: forged"], check=True)
    first, second = receiver.wait(2)
    assert parse(first).message.endswith("one")
    assert second == "\t<0>Nov 23 10:00:00 db1 kernel: forged"


# --- rsyslog -----------------------------------------------------------------------------------------------------

OMFWD = {
    "udp": 'protocol="udp"',
    "udp, RFC 5424": 'protocol="udp" template="RSYSLOG_SyslogProtocol23Format"',
    "tcp": 'protocol="tcp"',
    "tcp, ISO stamps": 'protocol="tcp" template="RSYSLOG_ForwardFormat"',
    "tcp, counted": 'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"',
}
OMFWD_TLS = """
    protocol="tcp" StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"
    StreamDriver.CAFile="{ca}" StreamDriver.CertFile="{client}.pem" StreamDriver.KeyFile="{client}.key" {more}
"""


def with_rsyslog() -> None:
    if not senders.rsyslogd():
        pytest.skip(f"no rsyslog here: {HOW}")


@pytest.mark.parametrize("options", OMFWD.values(), ids=OMFWD)
def test_rsyslog(receiver: Receiver, tmp_path: Path, options: str) -> None:
    with_rsyslog()
    sender = senders.rsyslog(tmp_path, receiver.port("udp" if "udp" in options else "tcp"), options)
    try:
        sender.send(sent())
        check(receiver)
    finally:
        sender.stop()


@pytest.mark.parametrize("more", ["", 'TCP_Framing="octet-counted"'])
def test_rsyslog_with_tls(receiver: Receiver, tmp_path: Path, authority: Authority, more: str) -> None:
    with_rsyslog()
    if not senders.has_rsyslog_tls():
        pytest.skip(f"no TLS module of rsyslog here: {HOW}")
    options = OMFWD_TLS.format(ca=authority.ca, client=authority.folder / "client", more=more)
    sender = senders.rsyslog(tmp_path, receiver.port("tls"), options, authority.ca)
    try:
        sender.send(sent())
        check(receiver)
    finally:
        sender.stop()


# --- syslog-ng ---------------------------------------------------------------------------------------------------

NETWORK = {
    "udp": 'network("127.0.0.1" port({udp}) transport("udp"));',
    "tcp": 'network("127.0.0.1" port({tcp}) transport("tcp"));',
    "tls": 'network("127.0.0.1" port({tls}) transport("tls") {files});',
    "syslog, udp": 'syslog("127.0.0.1" port({udp}) transport("udp"));',
    "syslog, tcp": 'syslog("127.0.0.1" port({tcp}) transport("tcp"));',
    "syslog, tls": 'syslog("127.0.0.1" port({tls}) transport("tls") {files});',
    "unix": 'unix-dgram("{ours}");',
}
FILES = 'tls(ca-file("{ca}") cert-file("{client}.pem") key-file("{client}.key") peer-verify(required-trusted))'


@pytest.mark.parametrize("destination", NETWORK.values(), ids=NETWORK)
def test_syslog_ng(receiver: Receiver, tmp_path: Path, authority: Authority, destination: str) -> None:
    if not senders.has_syslog_ng():
        pytest.skip(f"no syslog-ng here: {HOW}")
    files = FILES.format(ca=authority.ca, client=authority.folder / "client")
    ports = {scheme: receiver.port(scheme) for scheme in ("udp", "tcp", "tls")}
    sender = senders.syslog_ng(tmp_path, destination.format(**ports, files=files, ours=tmp_path / "ours"))
    try:
        sender.send(sent())
        check(receiver)
    finally:
        sender.stop()


# While it is idle, syslog-ng does not look at a TLS connection, and notices its end when it writes: that line it loses.
@pytest.mark.parametrize(("transport", "lost"), [("tcp", set()), ("tls", {500})])
def test_a_sender_that_is_told_to_go_comes_back_and_goes_on(
    tmp_path: Path, authority: Authority, transport: str, lost: set[int]
) -> None:
    """A restart of burstmail, as a logger sees it: it reads the end of the connection, and keeps its lines."""
    if not senders.has_syslog_ng():
        pytest.skip(f"no syslog-ng here: {HOW}")
    folder = authority.folder
    tls = TLS(certificate=folder / "server.pem", key=folder / "server.key")
    first = Receiver(f"{transport}://127.0.0.1:0", tls=tls)
    port = first.port(transport)
    files = f'tls(ca-file("{authority.ca}"))' if transport == "tls" else ""
    sender = senders.syslog_ng(tmp_path, f'network("127.0.0.1" port({port}) transport("{transport}") {files});')
    try:
        with first:
            sender.send(sent(0, 500))
            first.wait(500)
        sender.send(sent(500, 500))
        # Nobody is there, and it has found out.
        time.sleep(0.2)
        with Receiver(f"{transport}://127.0.0.1:{port}", tls=tls) as second:
            second.wait(500 - len(lost))
            sender.send(sent(1000, 500))
            second.wait(1000 - len(lost))
    finally:
        sender.stop()
    numbers = [int(parse(line).message.split()[1]) for line in [*first.lines, *second.lines]]
    assert [number for number in numbers if number not in lost] == [n for n in range(1500) if n not in lost]
