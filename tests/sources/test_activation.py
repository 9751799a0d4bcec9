"""Descriptors as systemd passes them: whose they are, what they are, and that nobody else gets them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from burstmail import Passed, StreamSource, activated, standard_input
from burstmail.sources import activation

PID = str(os.getpid())


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def descriptor(opened: socket.socket) -> int:
    """A descriptor of its own, inheritable as one that systemd passes."""
    fd = os.dup(opened.fileno())
    os.set_inheritable(fd, True)
    return fd


def told(**variables: str) -> dict[str, str]:
    return {"LISTEN_PID": PID, "PATH": "/bin", **{f"LISTEN_{name}": value for name, value in variables.items()}}


def at(fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that what systemd passes begins there; 3 and its like are pytest's own."""
    monkeypatch.setattr(activation, "FIRST", fd)


def test_nothing_is_passed_where_nothing_is_said() -> None:
    assert activated({}) == ()


@pytest.mark.parametrize("pid", ["1", "", f"{PID} ", f"0{PID}", "x"])
def test_what_is_for_another_process_is_left_to_it(pid: str) -> None:
    environ = {"LISTEN_PID": pid, "LISTEN_FDS": "1"}
    assert activated(environ) == ()
    assert environ == {"LISTEN_PID": pid, "LISTEN_FDS": "1"}


def test_a_listening_socket_comes_with_its_name(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    at(descriptor(listening), monkeypatch)
    environ = told(FDS="1", FDNAMES="syslog.socket")
    (one,) = activated(environ)
    assert (one.name, one.listens) == ("syslog.socket", True)
    assert isinstance(one.stream, socket.socket) and one.stream.getsockname() == listening.getsockname()
    assert not one.stream.get_inheritable()
    # No child may take it for its own; and asked again, it is not passed twice.
    assert environ == {"PATH": "/bin"}
    assert activated(environ) == ()
    one.stream.close()


def test_several_keep_their_order_and_may_lack_names(monkeypatch: pytest.MonkeyPatch) -> None:
    base = 200
    with socket.socket() as a, socket.socket(type=socket.SOCK_DGRAM) as b:
        os.dup2(a.fileno(), base)
        os.dup2(b.fileno(), base + 1)
    at(base, monkeypatch)
    first, second = activated(told(FDS="2", FDNAMES="one"))
    assert (first.name, first.listens, second.name, second.listens) == ("one", False, "", True)
    for each in (first, second):
        each.stream.close()


def test_the_environment_is_that_of_the_process_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", PID)
    monkeypatch.setenv("LISTEN_FDS", "0")
    assert activated() == ()
    assert "LISTEN_PID" not in os.environ and "LISTEN_FDS" not in os.environ


@pytest.mark.parametrize("count", ["", "x", "-1", "1.5", "9999999", "\u0663"])
def test_a_number_of_descriptors_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(ValueError, match="LISTEN_FDS="):
        activated(told(FDS=count))


def test_a_descriptor_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    at(999, monkeypatch)
    with pytest.raises(OSError, match="Bad file descriptor"):
        activated(told(FDS="1"))


@pytest.mark.parametrize(
    ("kind", "listens"),
    [
        ((socket.AF_INET, socket.SOCK_DGRAM), True),
        ((socket.AF_INET6, socket.SOCK_DGRAM), True),
        ((socket.AF_UNIX, socket.SOCK_DGRAM), True),
        ((socket.AF_UNIX, socket.SOCK_STREAM), False),
    ],
)
def test_datagrams_are_not_a_stream(kind: tuple[socket.AddressFamily, socket.SocketKind], listens: bool) -> None:
    with socket.socket(*kind) as opened:
        one = activation.passed(descriptor(opened))
    assert one.listens is listens
    one.stream.close()


def test_a_unix_socket_that_listens_is_one(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(tmp_path / "socket"))
        opened.listen()
        one = activation.passed(descriptor(opened))
    assert one.listens
    one.stream.close()


@pytest.mark.parametrize(
    "kind",
    [
        (socket.AF_NETLINK, socket.SOCK_RAW),
        (socket.AF_NETLINK, socket.SOCK_DGRAM),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET),
    ],
)
def test_a_socket_that_carries_no_lines_is_refused(kind: tuple[int, int]) -> None:
    with socket.socket(*kind) as opened:
        fd = descriptor(opened)
        with pytest.raises(ValueError, match=rf"descriptor {fd} \(log\) is a socket that carries no log lines"):
            activation.passed(fd, "log")
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)


def lines(one: Passed) -> list[str]:
    assert not one.listens
    with one.stream:
        return [line for batch in StreamSource(one.stream) for line in batch.lines]


def test_an_accepted_connection_is_a_stream(listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()) as sender:
        accepted, _ = listening.accept()
        one = activation.passed(accepted.detach())
        sender.sendall(b"one\ntwo\n")
    assert lines(one) == ["one", "two"]


def test_a_fifo_is_a_stream(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    one = activation.passed(os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK))
    writer = os.open(tmp_path / "fifo", os.O_WRONLY)
    os.write(writer, b"one\ntwo\n")
    os.close(writer)
    assert lines(one) == ["one", "two"]


INPUT = """
import os, socket, sys
from burstmail import standard_input
one = standard_input()
print(one.name, one.listens, type(one.stream).__name__, file=sys.stderr)
one.stream.close()
os.fstat(0)
"""


def described(stdin: int) -> str:
    done = subprocess.run([sys.executable, "-c", INPUT], stdin=stdin, stdout=stdin, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr.strip()


def test_standard_input_may_be_any_of_them(listening: socket.socket) -> None:
    assert described(listening.fileno()) == "stdin True socket"
    with socket.create_connection(listening.getsockname()) as connection:
        assert described(connection.fileno()) == "stdin False socket"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        assert described(datagrams.fileno()) == "stdin True socket"
    out, into = os.pipe()
    assert described(out) == "stdin False FileIO"
    os.close(out)
    os.close(into)


def test_standard_input_is_a_copy() -> None:
    one = standard_input()
    assert one.stream.fileno() != 0
    one.stream.close()
    os.fstat(0)
