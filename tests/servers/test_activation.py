"""systemd-socket-activate opens the sockets: what they become, and that nothing is ever written to a sender."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import HOW
from tests.servers.processes import log_lines, mails, wait_for
from tests.servers.systemd import ACTIVATE, Activated, python

pytestmark = pytest.mark.servers

# Sources of all that was passed; what they read goes to a file, and what is printed to wherever standard output is.
READER = """
import os, signal, sys, threading
from burstmail import StreamSource, SyslogSource, activated

passed = activated()
said = sys.argv[1]
with open(said + ".passed", "w") as file:
    print(os.environ.get("LISTEN_FDS"), *((one.name, one.listens) for one in passed), file=file)
listening = [one.stream for one in passed if one.listens]
sources = [StreamSource(one.stream) for one in passed if not one.listens]
sources += [SyslogSource(*listening)] if listening else []
signal.signal(signal.SIGTERM, lambda *_: [source.close() for source in sources])
with open(said, "a") as file:
    for batch in sources[0]:
        print(batch.text, end="", file=file, flush=True)
os.rename(said, said + ".ended")
"""

Start = Callable[..., Activated]


@pytest.fixture
def activate(tmp_path: Path) -> Iterator[Start]:
    if not ACTIVATE:
        pytest.skip(f"no systemd-socket-activate here: {HOW}")
    with ExitStack() as stack:

        def start(*options: str, command: Sequence[str] = (), path: Path | None = None) -> Activated:
            reader = [*python(READER), str(tmp_path / "lines")]
            made = Activated(tmp_path, options, command or reader, path)
            stack.callback(made.stop)
            return made

        yield start


def lines(directory: Path, count: int, name: str = "lines") -> list[str]:
    file = directory / name

    def read() -> list[str]:
        return file.read_text().splitlines() if file.exists() else []

    wait_for(f"{count} lines in {file}", lambda: len(read()) >= count)
    return read()


def passed(directory: Path) -> str:
    return (directory / "lines.passed").read_text().strip()


def test_a_listening_socket_takes_many_senders(activate: Start, tmp_path: Path) -> None:
    server = activate("--fdname=syslog")
    with server.connect() as first, server.connect() as second:
        first.sendall(b"<13>Nov 23 12:00:00 web1 app: one\n")
        assert len(lines(tmp_path, 1)) == 1
        second.sendall(b"33 <13>Nov 23 12:00:00 web2 app: two")
        found = lines(tmp_path, 2)
    assert [line.rsplit(" ", 1)[1] for line in found] == ["one", "two"]
    assert passed(tmp_path) == "None ('syslog', True)"


def test_datagrams_are_messages_each(activate: Start, tmp_path: Path) -> None:
    server = activate("--datagram")
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        # No newline ends them: a stream would make one line of both.
        for number in (1, 2):
            sender.sendto(f"<13>Nov 23 12:00:00 web1 app: {number}".encode(), server.address)
        found = lines(tmp_path, 2)
    assert [line.rsplit(" ", 1)[1] for line in found] == ["1", "2"]
    assert passed(tmp_path).endswith("True)")


def test_a_unix_socket_is_one_of_them(activate: Start, tmp_path: Path) -> None:
    server = activate("--datagram", path=tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(server.address))
        sender.send(b"<13>Nov 23 12:00:00 app: one")
        assert "one" in lines(tmp_path, 1)[0]


def test_a_process_for_each_connection_reads_a_stream(activate: Start, tmp_path: Path) -> None:
    server = activate("--accept")
    with server.connect() as sender:
        sender.sendall(b"one\ntwo\nthree")
    assert lines(tmp_path, 3, "lines.ended") == ["one", "two", "three"]
    assert "False" in passed(tmp_path)


def command_line(tmp_path: Path) -> list[str]:
    places = ["--state", "none", "--maildir", str(tmp_path / "mails"), "--gap", "200ms", "--log", str(tmp_path / "log")]
    return [sys.executable, "-m", "burstmail", "--to", "root", *places]


def test_inetd_style_nothing_is_written_to_the_sender(activate: Start, tmp_path: Path) -> None:
    server = activate("--accept", "--inetd", command=command_line(tmp_path))
    with server.connect() as sender:
        sender.sendall(b"Nov 23 12:00:00 web1 app: one\nNov 23 12:00:00 web1 app: two")
        sender.shutdown(socket.SHUT_WR)
        # Until the command has ended: it has standard output closed by then.
        sender.settimeout(20)
        assert sender.recv(1000) == b""
    (mail,) = mails(tmp_path / "mails")
    assert [line.rsplit(" ", 1)[1] for line in log_lines(mail)] == ["one", "two"]


def test_inetd_style_a_wrong_option_is_not_told_to_the_sender(activate: Start, tmp_path: Path) -> None:
    server = activate("--accept", "--inetd", command=[*command_line(tmp_path), "--no-such-option"])
    with server.connect() as sender:
        sender.shutdown(socket.SHUT_WR)
        sender.settimeout(20)
        assert sender.recv(1000) == b""


def mailed(tmp_path: Path, count: int) -> list[str]:
    def words() -> list[str]:
        found = mails(tmp_path / "mails") if (tmp_path / "mails" / "new").exists() else []
        return [line.rsplit(" ", 1)[1] for mail in found for line in log_lines(mail)]

    wait_for(f"{count} lines in mails", lambda: len(words()) >= count)
    return words()


def test_the_command_listens_where_systemd_says(activate: Start, tmp_path: Path) -> None:
    server = activate(command=[*command_line(tmp_path), "--listen", "systemd"])
    with server.connect() as sender:
        sender.sendall(b"<13>Nov 23 12:00:00 web1 app: one\n")
        assert mailed(tmp_path, 1) == ["one"]
        server.stop()
        assert sender.recv(1000) == b""


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_standard_input_may_be_what_listens(activate: Start, tmp_path: Path, kind: socket.SocketKind) -> None:
    options = ["--inetd"] if kind == socket.SOCK_STREAM else ["--inetd", "--datagram"]
    server = activate(*options, command=command_line(tmp_path))
    for word in (b"one", b"two"):
        with socket.socket(type=kind) as sender:
            sender.connect(server.address)
            sender.sendall(b"<13>Nov 23 12:00:00 web1 app: " + word + b"\n" * (kind == socket.SOCK_STREAM))
    assert sorted(mailed(tmp_path, 2)) == ["one", "two"]
