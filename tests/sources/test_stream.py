"""Real descriptors: pipes, files, terminals, sockets; and close() from wherever it comes."""

from __future__ import annotations

import fcntl
import gc
import os
import pty
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from burstmail import StreamSource

# Long enough to be noticed by whoever runs the tests, if close() should not cut it short.
FOR_EVER = 3600.0


class Pipe:
    """Both ends of a pipe."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()

    def write(self, data: bytes) -> None:
        assert os.write(self.into, data) == len(data)

    def end(self) -> None:
        os.close(self.into)
        self.into = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    for fd in (made.out, made.into):
        if fd >= 0:
            os.close(fd)


@pytest.fixture
def on_alarm() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Have a real signal handler call a function, in the middle of whatever goes on."""

    def arm(function: Callable[[], object]) -> None:
        signal.signal(signal.SIGALRM, lambda *_: function())
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    before = signal.getsignal(signal.SIGALRM)
    yield arm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def soon(function: Callable[[], object]) -> None:
    timer = threading.Timer(0.05, function)
    timer.daemon = True
    timer.start()


def lines(source: StreamSource) -> list[str]:
    return [line for batch in source for line in batch.lines]


def test_one_read_is_one_batch(pipe: Pipe) -> None:
    source = iter(StreamSource(pipe.out))
    pipe.write(b"one\ntwo\n")
    assert next(source).lines == ["one", "two"]
    pipe.write(b"three\n")
    assert next(source).lines == ["three"]
    pipe.end()
    assert list(source) == []


def test_the_last_line_needs_no_newline(pipe: Pipe) -> None:
    pipe.write(b"one\ntwo")
    pipe.end()
    assert lines(StreamSource(pipe.out)) == ["one", "two"]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [(b"", []), (b"\n", [""]), (b"a\nb", ["a", "b"]), (b"\xff\0\x1b[1m\rx\r\n", ["\\xff\0\x1b[1m\rx"])],
)  # fmt: skip
def test_a_file_is_read_to_its_end(tmp_path: Path, data: bytes, wanted: list[str]) -> None:
    path = tmp_path / "log"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert lines(StreamSource(file)) == wanted


class Closing:
    """Closes its descriptor when nobody holds it any more, as files do."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        return self.fd

    def __del__(self) -> None:
        os.close(self.fd)


def test_a_file_that_only_the_source_holds_stays_open(pipe: Pipe) -> None:
    source = StreamSource(Closing(os.dup(pipe.out)))
    gc.collect()
    pipe.write(b"one\n")
    pipe.end()
    assert lines(source) == ["one"]


def test_a_non_blocking_descriptor_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.out, False)
    soon(lambda: (pipe.write(b"late\n"), pipe.end()))
    assert lines(StreamSource(pipe.out)) == ["late"]


def test_readiness_that_turns_out_false_is_waited_over(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals, read = [BlockingIOError()], os.read

    def reluctant(fd: int, size: int) -> bytes:
        if fd == pipe.out and refusals:
            raise refusals.pop()
        return read(fd, size)

    monkeypatch.setattr(os, "read", reluctant)
    pipe.write(b"one\n")
    pipe.end()
    assert lines(StreamSource(pipe.out)) == ["one"]


def test_a_signal_that_is_not_meant_for_it_disturbs_nothing(
    pipe: Pipe, on_alarm: Callable[[Callable[[], object]], None]
) -> None:
    on_alarm(lambda: (pipe.write(b"from the handler\n"), pipe.end()))
    assert lines(StreamSource(pipe.out)) == ["from the handler"]


def test_a_socket_and_a_high_descriptor_work() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft <= 1100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1200, hard))
    here, there = socket.socketpair()
    with here, there:
        high = fcntl.fcntl(here.fileno(), fcntl.F_DUPFD, 1100)
        there.sendall(b"one\ntwo")
        there.shutdown(socket.SHUT_WR)
        assert high >= 1100
        assert lines(StreamSource(high)) == ["one", "two"]
        os.close(high)


def test_a_terminal_that_goes_away_is_an_end() -> None:
    ours, theirs = pty.openpty()
    os.write(theirs, b"typed\n")
    source = iter(StreamSource(ours))
    assert next(source).lines == ["typed"]
    os.close(theirs)
    assert list(source) == []
    os.close(ours)


def test_a_read_error_of_a_file_is_no_end() -> None:
    # Nothing is mapped at address 0: a regular file that answers EIO.
    with open("/proc/self/mem", "rb", buffering=0) as memory, pytest.raises(OSError, match="cannot read descriptor"):
        list(StreamSource(memory))


def test_an_unreadable_descriptor_is_named(pipe: Pipe, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=f"cannot read descriptor {pipe.into}: Bad file descriptor$"):
        list(StreamSource(pipe.into))
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(IsADirectoryError, match=f"cannot read descriptor {folder}: Is a directory$"):
        list(StreamSource(folder))
    os.close(folder)
    with pytest.raises(OSError, match=f"cannot read descriptor {folder}: Bad file descriptor$"):
        list(StreamSource(folder))


def test_half_a_line_before_a_read_error_is_not_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = socket.create_connection(server.getsockname())
        here, _ = server.accept()
    with here:
        source = iter(StreamSource(here))
        there.sendall(b"whole\nhalf")
        assert next(source).lines == ["whole"]
        # Closing with a linger of 0 resets the connection.
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        there.close()
        assert next(source).lines == ["half"]
        with pytest.raises(ConnectionResetError, match=f"cannot read descriptor {here.fileno()}"):
            next(source)


def test_closed_by_another_thread_it_ends_although_the_writer_never_does(pipe: Pipe) -> None:
    source = StreamSource(pipe.out, linger=0.01)
    soon(source.close)
    assert lines(source) == []


def test_closed_by_a_signal_handler_it_ends_although_the_writer_never_does(
    pipe: Pipe, on_alarm: Callable[[Callable[[], object]], None]
) -> None:
    pipe.write(b"one\nhalf a line")
    source = StreamSource(pipe.out, linger=0.01)
    on_alarm(source.close)
    assert lines(source) == ["one", "half a line"]


def test_closed_it_still_reads_what_is_in_the_pipe(pipe: Pipe) -> None:
    fcntl.fcntl(pipe.into, fcntl.F_SETPIPE_SZ, 2**18)
    count = 20_000
    pipe.write(b"".join(b"line %d\n" % number for number in range(count)))
    source = StreamSource(pipe.out, linger=0.01)
    source.close()
    assert lines(source) == [f"line {number}" for number in range(count)]


def test_closed_it_reads_to_the_end_of_a_writer_that_needs_a_moment(pipe: Pipe) -> None:
    source = StreamSource(pipe.out, linger=FOR_EVER)
    source.close()
    soon(lambda: (pipe.write(b"last words\n"), pipe.end()))
    assert lines(source) == ["last words"]


def test_a_second_close_ends_the_lingering(pipe: Pipe) -> None:
    source = StreamSource(pipe.out, linger=float("inf"))
    source.close()
    soon(source.close)
    assert lines(source) == []


def test_a_second_close_ends_it_although_lines_never_stop() -> None:
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        source = StreamSource(writer.stdout, linger=FOR_EVER)
        batches = iter(source)
        source.close()
        assert {line for _ in range(5) for line in next(batches).lines} == {"y"}
        source.close()
        # Nothing but the half line that was read already.
        assert sum(batch.count for batch in batches) <= 1
        writer.stdout.close()


def test_half_a_line_that_was_read_survives_a_second_close(pipe: Pipe) -> None:
    source = StreamSource(pipe.out)
    batches = iter(source)
    pipe.write(b"one\nhalf")
    assert next(batches).lines == ["one"]
    source.close()
    source.close()
    assert [batch.lines for batch in batches] == [["half"]]


def test_close_never_blocks_however_often_it_is_called(pipe: Pipe) -> None:
    source = StreamSource(pipe.out)
    for _ in range(70_000):
        source.close()
    assert lines(source) == []
    source.close()


def test_the_descriptor_stays_open_and_its_own_are_given_back(pipe: Pipe) -> None:
    gc.collect()
    before = set(os.listdir("/proc/self/fd"))
    source = StreamSource(pipe.out, linger=0)
    source.close()
    assert lines(source) == []
    assert set(os.listdir("/proc/self/fd")) > before
    del source
    gc.collect()
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("linger", [-1.0, float("nan")])
def test_a_linger_that_is_no_duration_is_refused(linger: float) -> None:
    with pytest.raises(ValueError, match=f"linger={linger}: must be 0 seconds or more"):
        StreamSource(0, linger=linger)


HUGE_LINE = """
import resource
from burstmail import StreamSource
usage = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = usage()
batches = list(StreamSource(0))
print([(batch.count, len(batch.text), batch.text[65536:]) for batch in batches], usage() - before)
"""


def test_a_line_of_100_mib_from_a_pipe_is_cut_in_little_memory() -> None:
    with subprocess.Popen(["head", "-c", str(100 * 2**20), "/dev/zero"], stdout=subprocess.PIPE) as writer:
        done = subprocess.run(
            [sys.executable, "-c", HUGE_LINE], stdin=writer.stdout, capture_output=True, text=True, check=True
        )
        assert writer.stdout is not None
        writer.stdout.close()
    told, _, grown = done.stdout.rpartition(" ")
    mark = f" [... {100 * 2**20 - 65536} bytes cut]\n"
    assert told == str([(1, 65536 + len(mark), mark)])
    # In KiB.
    assert int(grown) < 4096


def test_reads_are_joined_while_there_is_more(tmp_path: Path) -> None:
    text = "".join(f"line {number} {'x' * 90}\n" for number in range(4000)) + "half"
    (tmp_path / "lines").write_text(text)
    with (tmp_path / "lines").open() as file:
        batches = list(StreamSource(file))
    assert "".join(batch.text for batch in batches) == text + "\n"
    # Two reads each: what store and core do once for a batch, they do half as often; and memory stays bounded.
    assert len(batches) == len(text) // 131072 + 2
    assert max(len(batch.text) for batch in batches) < 131072 + 100


def test_a_line_is_not_kept_back_to_be_joined(pipe: Pipe) -> None:
    batches = iter(StreamSource(pipe.out))
    for line in ("one", "two"):
        pipe.write(f"{line}\n".encode())
        # The writer is still there: this would wait for it for ever.
        assert next(batches).lines == [line]


def test_what_was_joined_before_an_error_is_not_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("x\n" * 100_000)
    read, calls = os.read, iter([True, True, False])

    def failing(fd: int, size: int) -> bytes:
        if not size or next(calls):
            return read(fd, size)
        raise OSError(5, "Input/output error")

    with (tmp_path / "lines").open() as file:
        batches = iter(source := StreamSource(file))
        monkeypatch.setattr(os, "read", failing)
        counts = []
        with pytest.raises(OSError, match="cannot read descriptor"):
            counts.extend(batch.count for batch in batches)
        assert sum(counts) == 65536, source
