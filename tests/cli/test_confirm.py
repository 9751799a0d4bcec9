"""The replies to rsyslog: what is said when, with a pipeline that remembers what it was given and a disk that fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from burstmail import Aggregator, Batch, CallbackSink, MemoryStore, Pipeline, StoreError
from burstmail.cli.confirm import Replies, confirm
from tests.cli.process import ended, mails, run, running, shown


class Disk:
    """A pipeline as far as confirm sees it: what was fed, what of it has reached the disk, and why it does not."""

    def __init__(self) -> None:
        self.fed: list[str] = []
        self.kept: list[str] = []
        self.error = ""

    def feed(self, batch: Batch) -> None:
        self.fed += batch.lines

    def sync(self) -> None:
        if self.error:
            raise StoreError(self.error)
        self.kept = list(self.fed)


def replies_to(disk: Any) -> Replies:
    return Replies(disk)


class Messages:
    """A source whose reader is watched: it says which replies had come when each message was taken."""

    def __init__(self, descriptor: int, *texts: str) -> None:
        self._descriptor = descriptor
        self._texts = texts
        self.heard: list[bytes] = []

    def __iter__(self) -> Iterator[Batch]:
        for text in self._texts:
            self.heard.append(os.read(self._descriptor, 1000))
            yield Batch.of(text)
        self.heard.append(b"")

    def close(self) -> None:
        raise AssertionError("rsyslog ends the input, nobody else")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    # A reply that is missing fails the test instead of holding it up.
    os.set_blocking(ends[0], False)
    yield ends
    for end in ends:
        os.close(end)


def test_the_first_reply_says_that_we_listen_and_each_message_gets_one(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    disk: Any = Disk()
    source = Messages(reader, "one", "two\nand its second line", "three")
    confirm(source, disk, writer)
    assert source.heard == [b"OK\n", b"OK\n", b"OK\n", b""]
    assert os.read(reader, 1000) == b"OK\n"
    assert disk.kept == ["one", "two", "and its second line", "three"]


def test_a_message_is_on_the_disk_before_its_reply() -> None:
    disk = Disk()
    for number in range(3):
        assert replies_to(disk).to(Batch.of(f"line {number}")) == "OK"
        assert disk.kept[-1] == f"line {number}"


def test_what_could_not_be_kept_is_refused_and_told_of_once_when_it_comes_again() -> None:
    disk = Disk()
    replies = replies_to(disk)
    assert replies.to(Batch.of("before")) == "OK"
    disk.error = "the disk is full"
    for _ in range(3):
        assert replies.to(Batch.of("during")) == "Error: the disk is full"
    disk.error = ""
    assert replies.to(Batch.of("during")) == "OK"
    assert replies.to(Batch.of("after")) == "OK"
    assert disk.kept == ["before", "during", "after"]


def test_from_the_start_too_what_waits_is_taken_in_once() -> None:
    disk = Disk()
    replies = replies_to(disk)
    disk.error = "read-only"
    for _ in range(3):
        assert replies.to(Batch.of("first")).startswith("Error")
    assert disk.fed == ["first"]
    disk.error = ""
    assert replies.to(Batch.of("first")) == "OK"
    assert disk.kept == ["first"]


def test_a_line_like_an_earlier_one_is_a_line_of_its_own() -> None:
    disk = Disk()
    replies = replies_to(disk)
    assert replies.to(Batch.of("link down")) == "OK"
    disk.error = "the disk is full"
    assert replies.to(Batch.of("link down")).startswith("Error")
    disk.error = ""
    # The second, again; and a third.
    assert replies.to(Batch.of("link down")) == "OK"
    assert replies.to(Batch.of("link down")) == "OK"
    assert disk.kept == ["link down"] * 3


def test_a_refused_message_that_does_not_come_again_hides_no_later_one() -> None:
    disk = Disk()
    replies = replies_to(disk)
    replies.to(Batch.of("first"))
    disk.error = "the disk is full"
    replies.to(Batch.of("given up"))
    disk.error = ""
    assert replies.to(Batch.of("another")) == "OK"
    assert replies.to(Batch.of("given up")) == "OK"
    assert disk.kept == ["first", "given up", "another", "given up"]


def test_the_marks_of_transactions_are_answered_and_are_no_lines() -> None:
    disk = Disk()
    replies = replies_to(disk)
    for text in ("BEGIN TRANSACTION", "one", "BEGIN TRANSACTION", "two", "COMMIT TRANSACTION"):
        assert replies.to(Batch.of(text)) == "OK"
    assert disk.kept == ["one", "two"]


def test_a_message_of_a_transaction_is_on_the_disk_before_its_own_reply() -> None:
    disk = Disk()
    replies = replies_to(disk)
    replies.to(Batch.of("BEGIN TRANSACTION"))
    assert replies.to(Batch.of("one")) == "OK"
    assert disk.kept == ["one"]
    disk.error = "the disk is full"
    # An error at a mark would make rsyslog try again without a pause.
    assert replies.to(Batch.of("BEGIN TRANSACTION")) == "OK"
    assert replies.to(Batch.of("two")) == "Error: the disk is full"
    assert replies.to(Batch.of("COMMIT TRANSACTION")) == "OK"
    disk.error = ""
    replies.to(Batch.of("BEGIN TRANSACTION"))
    assert replies.to(Batch.of("two")) == "OK"
    assert disk.kept == ["one", "two"]


def test_marks_between_messages_that_come_together_are_left_out() -> None:
    disk = Disk()
    text = "BEGIN TRANSACTION\none\n\ntwo\nCOMMIT TRANSACTION\nBEGIN TRANSACTION\nthree"
    assert replies_to(disk).to(Batch.of(text)) == "OK"
    assert disk.kept == ["one", "", "two", "three"]


def test_without_transactions_anybody_may_log_a_mark() -> None:
    disk = Disk()
    replies = replies_to(disk)
    lines = ["one", "BEGIN TRANSACTION", "COMMIT TRANSACTION", "two"]
    assert [replies.to(Batch.of(line)) for line in lines] == ["OK"] * 4
    assert disk.kept == lines


def test_an_error_is_one_short_line_of_ascii(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    disk: Any = Disk()
    disk.error = "no\nOK\n\u2028 ä \udcff" + "x" * 9000
    confirm(Messages(reader, "one"), disk, writer)
    reply = os.read(reader, 10_000)
    assert reply.startswith(b"Error: no OK \\xe4 \\udcffxxx")
    assert reply.endswith(b"\n") and reply.count(b"\n") == 1
    # omprog.c: RESPONSE_LINE_BUFFER_SIZE.
    assert len(reply) < 4096


def test_lines_are_wanted_even_if_nobody_hears_the_replies() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    disk: Any = Disk()
    lines = [Batch.of("one"), Batch.of("two")]

    class Two:
        def __iter__(self) -> Iterator[Batch]:
            return iter(lines)

        def close(self) -> None: ...

    try:
        confirm(Two(), disk, writer)
    finally:
        os.close(writer)
    assert disk.kept == ["one", "two"]


def test_a_message_that_meets_a_bug_is_not_confirmed() -> None:
    disk = Disk()

    def feed(batch: Batch) -> None:
        raise RuntimeError("a bug")

    disk.feed = feed  # type: ignore[method-assign] # what a pipeline does whose thread has ended
    with pytest.raises(RuntimeError, match="a bug"):
        replies_to(disk).to(Batch.of("one"))


# --- with all its parts ------------------------------------------------------------------------------------------


class Full(MemoryStore):
    """A store whose disk is full for a while."""

    full = False

    def sync(self) -> None:
        if self.full:
            raise StoreError("the disk is full")


def test_a_pipeline_tells_once_of_what_was_refused_and_came_again() -> None:
    store, told = Full(), []
    with Pipeline(Aggregator(), sink=CallbackSink(lambda burst: told.extend(burst.head)), store=store) as pipeline:
        replies = Replies(pipeline)
        said = [replies.to(Batch.of("one"))]
        store.full = True
        said += [replies.to(Batch.of("two")) for _ in range(3)]
        store.full = False
        said += [replies.to(Batch.of("two")), replies.to(Batch.of("three"))]
    refused = "Error: the disk is full"
    assert said == ["OK", refused, refused, refused, "OK", "OK"]
    assert told == ["one", "two", "three"]


def conversation(process: subprocess.Popen[bytes], *messages: bytes) -> list[bytes]:
    """What is said first, and to each message."""
    assert process.stdin and process.stdout
    said = [process.stdout.readline()]
    for message in messages:
        process.stdin.write(message)
        said.append(process.stdout.readline())
    return said


def test_what_was_confirmed_is_told_of_after_a_kill(tmp_path: Path) -> None:
    options = ["--to", "root", "--maildir", str(tmp_path / "mails"), "--state", str(tmp_path / "state"), "--confirm"]
    with running(*options) as process:
        assert conversation(process, b"one\n", b"two\nof two lines\n", b"three\n") == [b"OK\n"] * 4
        process.kill()
        process.wait()
    assert run(*options).stdout == b"OK\n"
    (text,) = mails(tmp_path / "mails")
    assert shown(text) == ["one", "two", "of two lines", "three"]


def test_transactions_end_in_a_mail_without_marks(tmp_path: Path) -> None:
    options = ["--to", "root", "--maildir", str(tmp_path / "mails"), "--state", str(tmp_path / "state"), "--confirm"]
    with running(*options) as process:
        said = conversation(process, b"BEGIN TRANSACTION\n", b"one\n", b"COMMIT TRANSACTION\n")
        assert process.stdin and process.stdout
        process.stdin.close()
        status, _ = ended(process)
        assert (said, process.stdout.read(), status) == ([b"OK\n"] * 4, b"", 0)
    (text,) = mails(tmp_path / "mails")
    assert shown(text) == ["one"]


def test_a_second_burstmail_confirms_what_the_first_will_mail(tmp_path: Path) -> None:
    options = ["--to", "root", "--maildir", str(tmp_path / "mails"), "--state", str(tmp_path / "state"), "--confirm"]
    options += ["--cool-down", "off", "--cap", "1000/s"]
    with running(*options) as first:
        # rsyslog starts one for each thread that works on its queue.
        assert conversation(first, b"one\n") == [b"OK\n"] * 2
        with running(*options) as second:
            assert conversation(second, b"two\n", b"three\n") == [b"OK\n"] * 3
            second.kill()
            second.wait()
        assert first.stdin
        first.stdin.close()
        assert ended(first)[0] == 0
    # It looks once a second for what others have left; what came later waits for the next start.
    assert run(*options).returncode == 0
    assert sorted(line for text in mails(tmp_path / "mails") for line in shown(text)) == ["one", "three", "two"]
