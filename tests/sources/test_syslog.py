"""Real sockets: each way in, what is a message, who is let in, and the end."""

from __future__ import annotations

import errno
import gc
import os
import resource
import selectors
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from burstmail import SyslogSource
from burstmail.clock import SystemClock
from burstmail.core.allowed import Allowed
from burstmail.core.fields import parse
from burstmail.core.origin import Origin
from burstmail.sources import datagrams, places, room
from burstmail.sources.complaints import Complaints
from burstmail.sources.connection import Connection
from tests.sources.receiving import Receiver, is_closed, numbered, until

LINE = b"<38>Nov 23 10:00:00 web1 sshd[812]: Failed password"
MODERN = b"<38>1 2026-11-23T10:00:00Z web1 sshd 812 - - Failed password"


# --- each way in -------------------------------------------------------------------------------------------------


def test_what_is_only_looked_at_is_not_opened(tmp_path: Path) -> None:
    SyslogSource.check("udp://0.0.0.0:1", "tls://[::]:6514", f"unix://{tmp_path}/socket", allow=["192.0.2.0/24"])
    assert not list(tmp_path.iterdir())
    for wrong in ("http://x", "udp://", "tcp://127.0.0.1:x", "unix:///x?mode=9"):
        with pytest.raises(ValueError, match="http|name an address|Port|mode"):
            SyslogSource.check(wrong)
    with pytest.raises(ValueError, match="everybody"):
        SyslogSource.check(allow=["everybody"])


def test_a_datagram_is_a_message() -> None:
    with Receiver("udp://127.0.0.1:0") as receiver:
        receiver.datagrams(LINE, MODERN + b"\n\0", b"", b"\n", b"<38>Nov 23 10:00:00 web1 app: one\r\n<0>two")
        assert receiver.wait(4) == [
            LINE.decode(),
            MODERN.decode(),
            "<38>Nov 23 10:00:00 web1 app: one",
            "\t<0>two",
        ]


def test_a_datagram_of_the_largest_size_arrives_whole() -> None:
    large = LINE + b"x" * (65507 - len(LINE))
    with Receiver("udp://127.0.0.1:0") as receiver:
        receiver.datagrams(large)
        assert receiver.wait(1) == [large.decode()]


@pytest.mark.parametrize("family", ["127.0.0.1", "[::1]"])
def test_both_framings_of_a_stream(family: str) -> None:
    with Receiver(f"tcp://{family}:0") as receiver:
        where = (family.strip("[]"), receiver.port("tcp"))
        with socket.create_connection(where) as stream:
            stream.sendall(LINE + b"\n" + MODERN + b"\n<38>half")
            receiver.wait(2)
        with socket.create_connection(where) as stream:
            stream.sendall(b"%d %s%d %s" % (len(MODERN), MODERN, len(LINE) + 2, LINE + b"\nx"))
        lines = receiver.wait(6)
    # The end of the connection ends its last message.
    (half,) = [line for line in lines if line.endswith("half")]
    assert parse(half).host == where[0]
    lines.remove(half)
    assert lines == [LINE.decode(), MODERN.decode(), MODERN.decode(), LINE.decode(), "\tx"]


def test_a_unix_socket_takes_datagrams_of_everybody_and_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Receiver(f"unix://{path}") as receiver:
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert receiver.source.addresses == (f"unix://{path}",)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<38>Nov 23 10:00:00 app: local", str(path))
            sender.bind(str(tmp_path / "mine"))
            sender.sendto(LINE, str(path))
        local, said = receiver.wait(2)
    assert parse(local).host == socket.gethostname().partition(".")[0]
    assert parse(local).message == "local"
    assert said == LINE.decode()
    assert not path.exists()


def test_a_unix_datagram_longer_than_the_bound_is_cut_and_marked(tmp_path: Path) -> None:
    with Receiver(f"unix://{tmp_path}/log") as receiver, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(LINE + b"x" * 100_000, str(tmp_path / "log"))
        (line,) = receiver.wait(1)
    assert line.endswith(f"x [... {len(LINE) + 100_000 - 65536} bytes cut]")


def test_many_senders_of_one_turn_are_one_batch() -> None:
    receiver = Receiver("tcp://127.0.0.1:0")
    streams = [receiver.connect() for _ in range(20)]
    # All of it is there before anybody looks; connections are accepted in the first turn.
    for number, stream in enumerate(streams):
        stream.sendall(b"".join(line + b"\n" for line in numbered(f"s{number}", range(10))))
    with receiver:
        receiver.wait(200)
        assert len(receiver.batches) < 5
    for stream in streams:
        stream.close()


def test_datagrams_are_read_between_connections_and_not_after_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "AMONG", 4)
    order: list[str] = []
    for kind, name in ((Connection, "stream"), (datagrams.Datagrams, "box")):
        honest = kind.read
        monkeypatch.setattr(kind, "read", lambda *args, honest=honest, name=name: order.append(name) or honest(*args))
    receiver = Receiver("tcp://127.0.0.1:0", "udp://127.0.0.1:0")
    with ExitStack() as stack:
        for _ in range(12):
            # All of it is there before anybody looks.
            stack.enter_context(receiver.connect()).sendall(LINE + b"\n")
        with receiver:
            receiver.wait(12)
    assert [order.index("box"), order[:15].count("box")] == [3, 3]


def test_several_lines_of_one_message_are_one_record_whatever_they_say() -> None:
    evil = b"<38>Nov 23 10:00:00 web1 app: hello\n<38>Nov 23 10:00:00 db1 sshd[1]: forged"
    with Receiver("udp://127.0.0.1:0", "tcp://127.0.0.1:0") as receiver:
        receiver.datagrams(evil)
        receiver.wait(2)
        with receiver.connect() as stream:
            stream.sendall(b"%d %s" % (len(evil), evil))
        receiver.wait(4)
    assert [parse(line).host for line in receiver.lines] == ["web1", ""] * 2
    assert all(line.startswith("\t<38>") for line in receiver.lines[1::2])


def test_a_line_of_another_sender_is_never_the_continuation_of_one() -> None:
    receiver = Receiver("tcp://127.0.0.1:0", "udp://127.0.0.1:0")
    with receiver, receiver.connect() as good, receiver.connect() as evil:
        good.sendall(LINE + b"\n")
        receiver.wait(1)
        evil.sendall(b"\tCaused by: forged\n")
        receiver.wait(2)
        receiver.datagrams(b"\tCaused by: forged")
        receiver.wait(3)
    assert all(parse(line).host == "127.0.0.1" for line in receiver.lines[1:])


def test_a_message_without_header_says_when_it_came() -> None:
    class Clock:
        monotonic = staticmethod(time.monotonic)

        def time(self) -> float:
            return 1795431600.5

    with Receiver("udp://127.0.0.1:0", clock=Clock()) as receiver:
        receiver.datagrams(b"hello")
        (line,) = receiver.wait(1)
    assert line.startswith("<13>1 2026-11-2")
    assert line.endswith(" 127.0.0.1 - - - - hello")


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:514", "begin it with udp://, tcp://, tls:// or unix://"),
        ("127.0.0.1:514", "begin it with udp://"),
        ("udp://:514", "name an address; 0.0.0.0 is all of this machine's"),
        ("udp://127.0.0.1:70000", "[Pp]ort out of range"),
        ("tcp://127.0.0.1:514/log", "an address and a port are all it can have"),
        ("tcp://[::1:514", "IPv6"),
        ("unix://run/log", "whole path: unix:///run/burstmail/log"),
        ("unix:run/log", "whole path"),
        ("unix:///run/log?mode=9", "three or four digits"),
        ("unix:///run/log?mode=0660&owner=x", "nothing else"),
        ("unix:///" + "x" * 107, "at most 107 bytes"),
        ("tls://127.0.0.1:6514", r"TLS needs tls=TLS\(certificate=...\)"),
    ],
)
def test_a_url_that_cannot_be_understood_is_named_with_what_to_write(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        SyslogSource(url)
    assert repr(url) in str(caught.value)


def test_no_address_at_all_and_durations_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="name at least one address"):
        SyslogSource()
    with pytest.raises(ValueError, match="linger=-1: must be 0 seconds or more"):
        SyslogSource("udp://127.0.0.1:0", linger=-1)


def test_an_address_that_cannot_be_had_is_named_and_those_before_it_are_given_back(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(OSError, match=f"cannot listen on {url}: Address already in use: .*take another"):
            SyslogSource(f"unix://{tmp_path}/log", url)
    assert not (tmp_path / "log").exists()
    with pytest.raises(OSError, match="unix:///nowhere/log: No such file or directory: make the directory first"):
        SyslogSource("unix:///nowhere/log")
    with pytest.raises(OSError, match=r"cannot listen on udp://192\.0\.2\.1:0: Cannot assign .*: .*0\.0\.0\.0"):
        SyslogSource("udp://192.0.2.1:0")


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("udp://127.0.0.1:514", errno.EACCES, "Permission denied: ports below 1024 are root's; take another, or have"),
        ("unix:///run/log", errno.EACCES, "Permission denied: choose a directory that this user may write to"),
        ("tcp://127.0.0.1:514", errno.EMFILE, "Too many open files$"),
    ],
)
def test_what_can_be_done_about_it_is_said(monkeypatch: pytest.MonkeyPatch, url: str, code: int, words: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(places, "_bound", fail)
    monkeypatch.setattr(places, "_named", fail)
    with pytest.raises(OSError, match=f"cannot listen on {url}: {words}") as caught:
        SyslogSource(url)
    assert caught.value.errno == code


def test_ports_have_defaults_and_a_name_may_stand_for_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.PORTS == {"udp": 514, "tcp": 514, "tls": 6514}
    both = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", 0)), (socket.AF_INET6, 1, 6, "", ("::1", 0, 0, 0))]
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args) or [*both, both[0]])
    source = SyslogSource("tcp://name")
    assert asked == [("name", 514)]
    assert [url.rpartition(":")[0] for url in source.addresses] == ["tcp://127.0.0.1", "tcp://[::1]"]


def test_the_kernel_is_asked_for_a_large_buffer() -> None:
    (place,) = places.opened("udp://127.0.0.1:0")
    limit = int(Path("/proc/sys/net/core/rmem_max").read_text())
    # Linux doubles what is asked for, for its own book-keeping.
    assert place.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= min(limit, places.RECEIVE)
    place.close()


# --- the file of a unix socket -----------------------------------------------------------------------------------


def test_a_socket_that_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(path))
    with Receiver(f"unix://{path}?mode=0600") as receiver:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        subprocess.run(["logger", "--socket", path, "-t", "app", "hello"], check=True)
        receiver.wait(1)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_socket_that_somebody_reads_is_left_alone(tmp_path: Path, kind: socket.SocketKind) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, kind) as living:
        living.bind(str(path))
        if kind == socket.SOCK_STREAM:
            living.listen()
        with pytest.raises(OSError, match="another process listens there"):
            SyslogSource(f"unix://{path}")
        assert path.is_socket()


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "log"
    make(path)
    with pytest.raises(OSError, match=f"cannot listen on unix://{path}: there is something else that is no socket"):
        SyslogSource(f"unix://{path}")
    assert os.path.lexists(path)


def test_the_mode_is_given_to_the_socket_and_to_nothing_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "log", tmp_path / "shadow"
    other.touch(0o600)

    class Replaced(socket.socket):
        """Who may write to the directory is quick."""

        def bind(self, address: object) -> None:
            super().bind(address)  # type: ignore[arg-type]  # a path
            path.unlink()
            path.symlink_to(other)

    monkeypatch.setattr(places.socket, "socket", Replaced)
    with pytest.raises(OSError, match="somebody has put something else in its place"):
        SyslogSource(f"unix://{path}")
    assert stat.S_IMODE(other.stat().st_mode) == 0o600


def test_a_socket_that_is_not_ours_any_more_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Receiver(f"unix://{path}"):
        path.rename(tmp_path / "old")
        successor = SyslogSource(f"unix://{path}")
    assert path.exists()
    del successor
    gc.collect()
    assert not path.exists()


def test_a_strict_mode_is_never_wider_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def chmod(path: str, mode: int) -> None:
        modes.append(stat.S_IMODE(os.stat(path).st_mode))

    monkeypatch.setattr(os, "chmod", chmod)
    before = os.umask(0)
    try:
        SyslogSource(f"unix://{tmp_path}/log?mode=0600")
    finally:
        os.umask(before)
    assert modes == [0o600]


# --- sockets of somebody else's making ---------------------------------------------------------------------------


def test_sockets_that_are_handed_over_are_used_and_not_closed(tmp_path: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    local.bind(str(tmp_path / "stream"))
    local.listen()
    box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    box.bind(("127.0.0.1", 0))
    with Receiver(listening, local, box) as receiver:
        assert receiver.source.addresses[1] == f"unix://{tmp_path}/stream"
        with receiver.connect() as stream:
            stream.sendall(b"<38>Nov 23 10:00:00 web1 app: tcp\n")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.connect(str(tmp_path / "stream"))
            stream.sendall(b"<38>Nov 23 10:00:00 web1 app: unix\n")
        receiver.datagrams(b"<38>Nov 23 10:00:00 web1 app: udp")
        assert sorted(parse(line).message for line in receiver.wait(3)) == ["tcp", "udp", "unix"]
    del receiver
    gc.collect()
    for given in (listening, local, box):
        assert given.getsockname()
        given.close()
    assert (tmp_path / "stream").exists()


def test_a_socket_that_neither_listens_nor_takes_datagrams_is_refused() -> None:
    here, there = socket.socketpair()
    with here, there, pytest.raises(ValueError, match=f"socket {here.fileno()}: it neither listens"):
        SyslogSource(here)


# --- who is let in -----------------------------------------------------------------------------------------------


def test_senders_that_are_not_allowed_are_told_of_and_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    with Receiver("udp://127.0.0.1:0", "tcp://127.0.0.1:0", allow=("192.0.2.0/24",)) as receiver:
        receiver.datagrams(*[LINE] * 3)
        stream = receiver.connect()
        assert is_closed(stream)
        stream.close()
        until("log", lambda: len(caplog.records) >= 2)
    assert receiver.lines == []
    # One of each at once. The others are counted, and said at the end: no flood of them becomes a flood of the log.
    assert sorted(record.getMessage() for record in caplog.records) == [
        "network: connections of senders that are not allowed were refused, 1 times, the last time from 127.0.0.1",
        "network: datagrams of senders that are not allowed were ignored, 1 times, the last time from 127.0.0.1",
        "network: datagrams of senders that are not allowed were ignored, 2 times, the last time from 127.0.0.1",
    ]


def test_senders_that_are_allowed_are_heard(tmp_path: Path) -> None:
    with Receiver("udp://127.0.0.1:0", f"unix://{tmp_path}/log", allow=("127.0.0.0/8",)) as receiver:
        receiver.datagrams(LINE)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(LINE, str(tmp_path / "log"))
        assert receiver.wait(2) == [LINE.decode()] * 2


# --- the end -----------------------------------------------------------------------------------------------------


def test_closed_it_still_reads_what_has_arrived(tmp_path: Path) -> None:
    receiver = Receiver("udp://127.0.0.1:0", "tcp://127.0.0.1:0", f"unix://{tmp_path}/log", linger=0.2)
    with receiver.connect() as stream:
        stream.sendall(b"".join(line + b"\n" for line in numbered("tcp", range(20_000))) + b"<38>half")
        receiver.datagrams(*numbered("udp", range(100)))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(LINE, str(tmp_path / "log"))
        receiver.source.close()
        with receiver:
            lines = receiver.join()
    assert [line for line in lines if ": tcp" in line] == [line.decode() for line in numbered("tcp", range(20_000))]
    assert [line for line in lines if ": udp" in line] == [line.decode() for line in numbered("udp", range(100))]
    assert LINE.decode() in lines
    assert lines[-1].endswith("half")


def test_closed_it_tells_those_who_are_connected_and_reads_what_they_say_meanwhile() -> None:
    with Receiver("tcp://127.0.0.1:0", linger=5) as receiver, receiver.connect() as stream:
        stream.sendall(LINE + b"\n")
        receiver.wait(1)
        receiver.source.close()
        # It sees the end of the other side.
        assert is_closed(stream)
        stream.sendall(b"<38>Nov 23 10:00:00 web1 app: last words\n")
        stream.close()
        began = time.monotonic()
        assert parse(receiver.join()[-1]).message == "last words"
        assert time.monotonic() - began < 4


def test_closed_nobody_else_comes_in() -> None:
    with Receiver("tcp://127.0.0.1:0", linger=5) as receiver, receiver.connect() as stream:
        port = receiver.port("tcp")
        stream.sendall(LINE + b"\n")
        receiver.wait(1)
        receiver.source.close()
        assert is_closed(stream)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        stream.close()


def test_a_second_close_ends_it_although_a_sender_never_does() -> None:
    with Receiver("tcp://127.0.0.1:0", linger=3600) as receiver, receiver.connect() as stream:
        stream.sendall(LINE + b"\n")
        receiver.wait(1)
        receiver.source.close()
        receiver.end()


def test_a_sender_who_never_stops_does_not_keep_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstmail.sources.syslog.LONGEST", 0.3)
    stop = threading.Event()

    def chatter(stream: socket.socket) -> None:
        while not stop.wait(0.01):
            try:
                stream.sendall(LINE + b"\n")
            except OSError:
                return

    with Receiver("tcp://127.0.0.1:0", linger=3600) as receiver, receiver.connect() as stream:
        thread = threading.Thread(target=chatter, args=(stream,))
        thread.start()
        receiver.wait(1)
        began = time.monotonic()
        receiver.end()
        assert time.monotonic() - began < 3
        stop.set()
        thread.join()


def test_close_works_in_a_signal_handler() -> None:
    source = SyslogSource("udp://127.0.0.1:0")
    before = signal.signal(signal.SIGALRM, lambda *_: source.close())
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        assert list(source) == []
    finally:
        signal.signal(signal.SIGALRM, before)


def test_close_never_blocks_however_often_it_is_called() -> None:
    source = SyslogSource("udp://127.0.0.1:0")
    for _ in range(70_000):
        source.close()
    assert list(source) == []
    source.close()
    assert list(source) == []


def test_everything_is_given_back(tmp_path: Path) -> None:
    gc.collect()
    before = set(os.listdir("/proc/self/fd"))
    with Receiver("udp://127.0.0.1:0", "tcp://127.0.0.1:0", f"unix://{tmp_path}/log") as receiver:
        with receiver.connect() as stream:
            stream.sendall(LINE)
        receiver.wait(1)
        open_one = receiver.connect()
    open_one.close()
    del receiver
    never_read = SyslogSource("udp://127.0.0.1:0", f"unix://{tmp_path}/log")
    del never_read
    gc.collect()
    assert set(os.listdir("/proc/self/fd")) == before
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_stops_reading_leaves_nothing_open(tmp_path: Path) -> None:
    source = SyslogSource(f"unix://{tmp_path}/log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(LINE, str(tmp_path / "log"))
    batches = iter(source)
    next(batches)
    batches.close()  # type: ignore[attr-defined]  # it is a generator
    assert list(tmp_path.iterdir()) == []


# --- what goes wrong ---------------------------------------------------------------------------------------------


def test_a_reset_connection_costs_only_its_unfinished_message() -> None:
    with Receiver("tcp://127.0.0.1:0") as receiver:
        stream = receiver.connect()
        stream.sendall(LINE + b"\n<38>half")
        receiver.wait(1)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.close()
        assert receiver.wait(2)[1].endswith("half")
        with receiver.connect() as other:
            other.sendall(LINE + b"\n")
            receiver.wait(3)


def test_what_the_kernel_had_to_drop_is_told(caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver("udp://127.0.0.1:0")
    (place,) = receiver.source._places
    place.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    receiver.datagrams(*numbered("udp", range(200)))
    with receiver:
        receiver.wait(1)
        until("log", lambda: caplog.records)
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == (
        f"network: datagrams were lost, the kernel's buffer was full, {200 - len(receiver.lines)} times, "
        f"the last time at {place.url}"
    )


@pytest.mark.parametrize("size", [0, 1000])
def test_a_flood_of_datagrams_is_read_in_parts(size: int, caplog: pytest.LogCaptureFixture) -> None:
    """Or whoever sends as fast as we read would have us for himself."""
    (place,) = places.opened("udp://127.0.0.1:0")
    box = datagrams.Datagrams(place, Allowed(), 65536, lambda host: Origin(host, str), Complaints(SystemClock()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(50):
            sender.sendto(LINE[:10] + b"x" * (size - 10) if size else b"", place.socket.getsockname())
    assert box.read(10 * (size + 1)).count("\n") == (10 if size else 0)
    assert place.socket.recv(10, socket.MSG_PEEK) == LINE[: min(10, size)]
    place.close()


def test_a_kernel_that_cannot_say_what_it_dropped_is_not_asked_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "SO_MEMINFO", 9999)
    with Receiver("udp://127.0.0.1:0") as receiver:
        receiver.datagrams(LINE)
        receiver.wait(1)


def test_without_descriptors_the_worst_guest_goes_and_nothing_spins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(room, "PAUSE", 0.1)
    with Receiver("tcp://127.0.0.1:0") as receiver:
        good, idle = receiver.connect(), receiver.connect()
        good.sendall(LINE + b"\n")
        receiver.wait(1)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        late = socket.socket()
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, highest), hard))
        # All lower numbers are taken.
        taken = []
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        try:
            late.connect(("127.0.0.1", receiver.port("tcp")))
            late.sendall(LINE + b" late\n")
            assert is_closed(idle)
            receiver.wait(2)
        finally:
            for number in taken:
                os.close(number)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        good.sendall(LINE + b"\n")
        receiver.wait(3)
        for stream in (good, idle, late):
            stream.close()
    told = [record.getMessage() for record in caplog.records]
    assert any("no connection could be accepted (Too many open files), 1 times" in text for text in told)


def test_nothing_wakes_up_while_nobody_is_in_the_middle_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []
    honest = selectors.EpollSelector.select

    def select_(self: selectors.EpollSelector, timeout: float | None = None) -> object:
        waits.append(timeout)
        return honest(self, timeout)

    monkeypatch.setattr(selectors.EpollSelector, "select", select_)
    with Receiver("udp://127.0.0.1:0", "tcp://127.0.0.1:0") as receiver:
        with receiver.connect() as stream:
            stream.sendall(LINE + b"\n")
            receiver.wait(1)
            # Nor while somebody is who has said all; but one who has not finished is waited for with a limit.
            assert set(waits) == {None}
            stream.sendall(b"<38>half")
            until("wait", lambda: waits[-1] is not None and 59 < waits[-1] <= 60)
        until("wait", lambda: waits[-1] is None)


def test_200_connections_at_once_lose_and_repeat_nothing() -> None:
    count, lines = 200, 100
    with Receiver("tcp://127.0.0.1:0") as receiver:
        streams = [receiver.connect() for _ in range(count)]
        for number in range(lines):
            for which, stream in enumerate(streams):
                (line,) = numbered(f"s{which}", [number])
                stream.sendall(line + b"\n" if which % 2 else b"%d %s" % (len(line), line))
        for stream in streams:
            stream.close()
        receiver.wait(count * lines)
    wanted = [line.decode() for which in range(count) for line in numbered(f"s{which}", range(lines))]
    assert sorted(receiver.lines) == sorted(wanted)
    # Each sender's in their order.
    assert [line for line in receiver.lines if ": s7 " in line] == [
        line.decode() for line in numbered("s7", range(lines))
    ]


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys; from burstmail import SyslogSource, TLS; print('ssl' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
