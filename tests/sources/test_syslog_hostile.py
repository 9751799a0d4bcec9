"""Senders who mean harm: memory stays bounded, and a good sender does not even notice."""

from __future__ import annotations

import json
import os
import random
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

import burstmail
from burstmail import SyslogLimits
from burstmail.sources import room
from tests.sinks.certificates import Authority
from tests.sources.receiving import PATIENCE, Receiver, is_closed, numbered, until

LINE = b"<38>Nov 23 10:00:00 web1 sshd[812]: Failed password\n"
# What a process with a thousand connections may weigh more than one with none, in KiB.
ROOM = 32 * 1024


class Outside:
    """A SyslogSource in a process of its own, whose memory can be measured. It counts the numbered lines."""

    def __init__(self, *urls: str, **options: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps([urls, options])],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(burstmail.__file__).parents[1])},
        )
        assert self._process.stdout
        self.ports = json.loads(self._process.stdout.readline())
        self.before = self.memory()

    def memory(self) -> int:
        """KiB that are resident."""
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0])

    def processor(self) -> float:
        """Seconds it has computed."""
        fields = self._fields()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sleeps(self) -> bool:
        """Whether it waits for something, and not for a processor."""
        return self._fields()[0] == "S"

    def _fields(self) -> list[str]:
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()

    def connect(self, which: int = 0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[which]), PATIENCE)

    def end(self) -> dict[str, list[int]]:
        """The numbers of each good sender."""
        self._process.send_signal(signal.SIGTERM)
        out, _ = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0
        found: dict[str, list[int]] = json.loads(out)
        return found

    def __enter__(self) -> Outside:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


PROGRAM = """
import json, re, signal, sys
from burstmail import TLS, SyslogLimits, SyslogSource
urls, options = json.loads(sys.argv[1])
tls = TLS(**options.pop("tls")) if "tls" in options else None
source = SyslogSource(*urls, tls=tls, limits=SyslogLimits(**options))
signal.signal(signal.SIGTERM, lambda *_: source.close())
print(json.dumps([int(url.rpartition(":")[2]) for url in source.addresses]), flush=True)
seen = {}
for batch in source:
    for who, number in re.findall("app: (good[0-9]*) number ([0-9]+)", batch.text):
        seen.setdefault(who, []).append(int(number))
print(json.dumps(seen))
"""


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """Enough for a thousand connections, here and in the process that is started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if wanted < 2500:
        pytest.skip(f"{hard} descriptors are too few: raise `ulimit -n`")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def settled(outside: Outside) -> float:
    """What it has computed once it has nothing more to do."""
    before = -1.0
    while before < (now := outside.processor()) or not outside.sleeps():
        before = now
        time.sleep(0.2)
    return now


class Good:
    """A good sender: every message whole, some now and some later."""

    def __init__(self, stream: socket.socket, name: str = "good") -> None:
        self._stream = stream
        self._name = name
        self.sent = 0

    def say(self, count: int = 10) -> None:
        lines = numbered(self._name, range(self.sent, self.sent + count))
        self._stream.sendall(b"".join(line + b"\n" for line in lines))
        self.sent += count

    def close(self) -> None:
        self._stream.close()


def test_a_thousand_who_say_nothing_cost_little_and_push_out_only_each_other() -> None:
    with Outside("tcp://127.0.0.1:0", per_address=1000) as outside, ExitStack() as stack:
        good = Good(stack.enter_context(outside.connect()))
        good.say()
        silent = [stack.enter_context(outside.connect()) for _ in range(1200)]
        good.say()
        until("one who was closed", lambda: is_closed(silent[0], 0.01))
        assert not is_closed(silent[-1], 0.01)
        # One who comes now is heard as well.
        late = Good(stack.enter_context(outside.connect()), "good2")
        late.say()
        good.say()
        grown = outside.memory() - outside.before
        # Nobody says anything: nothing is computed.
        spent = settled(outside)
        time.sleep(0.5)
        assert outside.processor() == spent
        good.close()
        late.close()
        assert outside.end() == {"good": list(range(30)), "good2": list(range(10))}
        assert grown < ROOM
        print(f"1,000 silent connections: {grown} KiB")


def test_lines_without_end_are_held_within_the_budget() -> None:
    with Outside("tcp://127.0.0.1:0", per_address=1000, unfinished=2**22) as outside, ExitStack() as stack:
        good = Good(stack.enter_context(outside.connect()))
        good.say()
        flood = [stack.enter_context(outside.connect()) for _ in range(300)]
        for number, stream in enumerate(flood):
            # 300 times 128 KiB: what is behind the bound is not kept, and what is kept is too much.
            with suppress(OSError):
                stream.sendall(b"%s%s" % (b"" if number % 2 else b"9999999 ", b"<38>" + b"x" * 131072))
            if not number % 50:
                good.say()
        until("one who was closed", lambda: any(is_closed(stream, 0.001) for stream in flood))
        good.say()
        grown = outside.memory() - outside.before
        good.close()
        assert outside.end() == {"good": list(range(good.sent))}
        assert grown < ROOM
        print(f"300 lines without end: {grown} KiB")


def test_a_byte_at_a_time_is_ended_and_good_senders_are_not_slowed() -> None:
    # So long that a busy machine, too, hears five bytes of each.
    with Receiver("tcp://127.0.0.1:0", limits=SyslogLimits(message=2.4)) as receiver, ExitStack() as stack:
        drips = [stack.enter_context(receiver.connect()) for _ in range(50)]
        good = Good(stack.enter_context(receiver.connect()))
        gone: set[int] = set()
        end = time.monotonic() + 10
        while len(gone) < len(drips) and time.monotonic() < end:
            for number, stream in enumerate(drips):
                try:
                    stream.send(b"x")
                except OSError:
                    gone.add(number)
            good.say(1)
            time.sleep(0.05)
        assert len(gone) == len(drips)
        good.say()
        until("good lines", lambda: sum(": good" in line for line in receiver.lines) == good.sent)
    heard = [line for line in receiver.lines if ": good" in line]
    assert heard == [line.decode() for line in numbered("good", range(good.sent))]
    # What they said is told too, as what it is.
    assert sum(line.endswith("xxxxx") for line in receiver.lines) == len(drips)


@pytest.mark.parametrize(
    "lie",
    [
        *(b"99999999999999999999 <38>x", b"-1 <38>x", b"0 <38>x", b"007 <38>x", b"1000000 <38>x", b"3 <38>longer"),
        *(b"5", b"5 ", b"1 <1 <1 <1 <", b" ", b"\0" * 10_000, b"\n" * 10_000, b"4 <38>" * 5000, b"9" * 70_000),
    ],
)
def test_lengths_that_lie_harm_only_the_liar(lie: bytes) -> None:
    with Receiver("tcp://127.0.0.1:0", limits=SyslogLimits(message=0.3)) as receiver, ExitStack() as stack:
        good = Good(stack.enter_context(receiver.connect()))
        good.say()
        liar = stack.enter_context(receiver.connect())
        liar.sendall(lie)
        good.say()
        receiver.wait(20)
        # It is ended when its message does not end; or there is nothing unfinished.
        with suppress(OSError):
            liar.shutdown(socket.SHUT_WR)
        assert is_closed(liar)
        good.say()
        until("good lines", lambda: sum(": good" in line for line in receiver.lines) == 30)
    heard = [line for line in receiver.lines if ": good" in line]
    assert heard == [line.decode() for line in numbered("good", range(30))]


def test_garbage_on_every_way_in_disturbs_nobody(tmp_path: Path) -> None:
    chance = random.Random(7)
    urls = ("udp://127.0.0.1:0", "tcp://127.0.0.1:0", f"unix://{tmp_path}/log")
    with Receiver(*urls) as receiver, ExitStack() as stack:
        good = Good(stack.enter_context(receiver.connect()))
        local = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        for _ in range(200):
            garbage = chance.randbytes(chance.choice((0, 1, 10, 1000)))
            receiver.datagrams(garbage)
            local.sendto(garbage, str(tmp_path / "log"))
            with receiver.connect() as stream:
                stream.sendall(garbage)
            good.say(1)
        until("good lines", lambda: sum(": good" in line for line in receiver.lines) == 200)
    for batch in receiver.batches:
        assert batch.text.encode()
        assert batch.count == batch.text.count("\n") > 0
    heard = [line for line in receiver.lines if ": good" in line]
    assert heard == [line.decode() for line in numbered("good", range(200))]


def test_connections_that_come_and_go_all_the_time_leave_nothing_behind() -> None:
    with Outside("tcp://127.0.0.1:0") as outside, ExitStack() as stack:
        good = Good(stack.enter_context(outside.connect()))
        for number in range(2000):
            with socket.create_connection(("127.0.0.1", outside.ports[0])) as stream:
                if number % 3:
                    stream.sendall(b"<38>half")
                if number % 2:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if not number % 100:
                good.say()
        grown = outside.memory() - outside.before
        good.close()
        assert outside.end() == {"good": list(range(good.sent))}
        assert grown < 8 * 1024
        print(f"2,000 connections that came and went: {grown} KiB")


def test_handshakes_that_stop_are_bounded_too(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.server("server")
    files = {"certificate": str(tmp_path / "server.pem"), "key": str(tmp_path / "server.key")}
    urls = ("tls://127.0.0.1:0", "tcp://127.0.0.1:0")
    with Outside(*urls, tls=files, per_address=1000, handshake=600) as outside, ExitStack() as stack:
        good = Good(stack.enter_context(outside.connect(1)))
        good.say()
        for number in range(1200):
            stream = stack.enter_context(outside.connect(0))
            with suppress(OSError):
                stream.sendall(hello(authority) if number % 2 else b"\x16\x03\x01\x02\x00\x01")
            if not number % 100:
                good.say()
        good.say()
        grown = outside.memory() - outside.before
        good.close()
        assert outside.end() == {"good": list(range(good.sent))}
        assert grown < 3 * ROOM
        print(f"1,000 handshakes that stopped: {grown} KiB")


def hello(authority: Authority) -> bytes:
    """The first message of a handshake."""
    import ssl

    out = ssl.MemoryBIO()
    talk = ssl.create_default_context(cafile=authority.ca).wrap_bio(ssl.MemoryBIO(), out, server_hostname="127.0.0.1")
    with suppress(ssl.SSLWantReadError):
        talk.do_handshake()
    return out.read()


def test_one_address_cannot_take_all_places() -> None:
    limits = SyslogLimits(connections=40, per_address=20)
    with Receiver("tcp://0.0.0.0:0", limits=limits) as receiver, ExitStack() as stack:
        # Of another address, and silent for longest of all.
        first = stack.enter_context(socket.socket())
        first.bind(("127.0.0.2", 0))
        first.connect(("127.0.0.1", receiver.port("tcp")))
        many = [stack.enter_context(receiver.connect()) for _ in range(60)]
        until("those who were closed", lambda: all(is_closed(stream, 0.01) for stream in many[:40]))
        assert not any(is_closed(stream, 0.001) for stream in many[40:])
        first.sendall(LINE)
        receiver.wait(1)


def test_those_who_come_leave_descriptors_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(room, "SPARE", soft - 20)
    with Receiver("tcp://127.0.0.1:0") as receiver, ExitStack() as stack:
        many = [stack.enter_context(receiver.connect()) for _ in range(40)]
        until("those who were closed", lambda: all(is_closed(stream, 0.01) for stream in many[:20]))
        assert not any(is_closed(stream, 0.001) for stream in many[20:])
        many[-1].sendall(LINE)
        receiver.wait(1)


def test_one_who_is_idle_is_told_and_still_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver("tcp://127.0.0.1:0", limits=SyslogLimits(idle=0.2)) as receiver, receiver.connect() as stream:
        stream.sendall(LINE)
        receiver.wait(1)
        # The end of the other side, but not of this one.
        assert is_closed(stream)
        stream.sendall(LINE)
        receiver.wait(2)
        assert select.select([stream], [], [], 0)[0]


def test_one_who_does_not_go_when_told_is_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("burstmail.core.guests.FAREWELL", 0.2)
    with Receiver("tcp://127.0.0.1:0", limits=SyslogLimits(idle=0.1)) as receiver, receiver.connect() as stream:
        until("log", lambda: "it was silent for too long" in caplog.text)
        with pytest.raises(OSError):
            while True:
                stream.sendall(LINE)


@pytest.mark.full
def test_200_connections_with_a_thousand_lines_each_lose_and_repeat_nothing() -> None:
    with Outside("tcp://127.0.0.1:0") as outside, ExitStack() as stack:
        senders = [Good(stack.enter_context(outside.connect()), f"good{number}") for number in range(200)]
        for _ in range(100):
            for sender in senders:
                sender.say()
        for sender in senders:
            sender.close()
        assert outside.end() == {f"good{number}": list(range(1000)) for number in range(200)}
