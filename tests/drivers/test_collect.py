"""collect(): what happens in a block, as a script uses it."""

from __future__ import annotations

import io
import itertools
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import burstmail
from burstmail import (
    Aggregator,
    Burst,
    CallbackSink,
    Collection,
    Composer,
    FileStore,
    IterableSource,
    Keep,
    MemoryStore,
    PermanentDeliveryError,
    TemporaryDeliveryError,
    collect,
    each,
)
from burstmail.drivers.captured import Handler
from burstmail.testing import ManualClock, RecordingSink
from tests.drivers.steps import at


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


def made(sink: RecordingSink, **more: Any) -> Collection:
    """A collection of a script."""
    return collect("root", **({"sink": sink, "name": "import.py"} | more))


def subject(sink: RecordingSink) -> str:
    (message,) = sink.messages
    return next(line for line in message.readable().splitlines() if line.startswith("Subject: "))[9:]


def test_what_a_block_says_is_one_mail(sink: RecordingSink) -> None:
    with made(sink) as log:
        log("one")
        log("two\nthree")
        log("")
        print("four", 5, file=log)
    assert [burst.head for burst in sink.bursts] == [("one", "two", "three", "", "four 5")]
    assert subject(sink) == "[burstmail] import.py: 5 lines: one"


def test_nothing_said_is_no_mail(sink: RecordingSink) -> None:
    with made(sink):
        pass
    assert sink.items == []


def test_an_exception_is_mailed_with_its_traceback_and_goes_on(sink: RecordingSink) -> None:
    with pytest.raises(ValueError, match="line 17"), made(sink, only_if_failed=True) as log:
        log("reading")
        raise ValueError("line 17")
    (burst,) = sink.bursts
    assert burst.head[:2] == ("reading", "Traceback (most recent call last):")
    assert burst.head[-1] == "ValueError: line 17"
    assert "    raise ValueError" in "\n".join(burst.head)
    assert subject(sink).startswith("[burstmail] import.py: ValueError: line 17, ")


def test_an_exception_without_words_or_with_many_lines_is_named_in_one(sink: RecordingSink) -> None:
    with pytest.raises(KeyError), made(sink):
        raise KeyError
    with pytest.raises(ValueError, match="a"), made(sink):
        raise ValueError("a\nb")
    assert [burst.outcome for burst in sink.bursts] == ["KeyError", "ValueError: a"]


@pytest.mark.parametrize("code", [None, 0])
def test_sys_exit_without_a_status_is_a_success(sink: RecordingSink, code: object) -> None:
    with pytest.raises(SystemExit), made(sink, only_if_failed=True) as log:
        log("all is well")
        sys.exit(code)  # type: ignore[arg-type]
    assert sink.items == []


def test_sys_exit_with_a_status_is_a_failure(sink: RecordingSink) -> None:
    with pytest.raises(SystemExit), made(sink, only_if_failed=True, clock=ManualClock()):
        sys.exit(3)
    assert [(burst.outcome, burst.count) for burst in sink.bursts] == [("exit status 3 after 0 s", 0)]


def test_sys_exit_with_words_is_a_failure_that_says_them(sink: RecordingSink) -> None:
    with pytest.raises(SystemExit), made(sink, clock=ManualClock()):
        sys.exit("no customers.csv")
    (burst,) = sink.bursts
    assert (burst.head, burst.outcome) == (("no customers.csv",), "exit status 1 after 0 s")


def test_a_success_is_mailed_only_if_that_is_wanted(sink: RecordingSink) -> None:
    with made(sink, only_if_failed=True) as log:
        log("all is well")
    assert sink.items == []
    assert log.statistics().lines_refused == 1


def test_a_block_may_say_itself_that_it_failed(sink: RecordingSink) -> None:
    with made(sink, only_if_failed=True) as log:
        log("web3 does not answer")
        log.failed("1 host missing")
    assert subject(sink) == "[burstmail] import.py: 1 host missing, 1 line: web3 does not answer"
    with made(sink, only_if_failed=True) as log:
        log.failed()
    assert [burst.outcome for burst in sink.bursts][1:] == ["failed"]


def test_the_last_word_about_the_end_counts(sink: RecordingSink) -> None:
    with made(sink) as log:
        log("a")
        log.failed("1 host missing")
        log.ended("mended", failed=False)
    assert [burst.outcome for burst in sink.bursts] == ["mended"]


def test_a_long_block_is_bounded_and_all_of_it_counted(sink: RecordingSink) -> None:
    with made(sink, keep=Keep(head=2, tail=2)) as log:
        for number in range(10000):
            log(f"record {number} is odd")
    (burst,) = sink.bursts
    assert burst.count == 10000
    assert (burst.head, burst.tail) == (
        ("record 0 is odd", "record 1 is odd"),
        ("record 9998 is odd", "record 9999 is odd"),
    )
    assert [pattern.count for pattern in burst.patterns] == [10000]


def test_the_mail_is_that_of_the_arguments(sink: RecordingSink) -> None:
    with collect(["root", "ops@example.org"], subject="{what}!", sink=sink, name="x") as log:
        log("a")
    with collect(Composer("bob", sender="al@example.org", host="example.org"), sink=sink) as log:
        log("a")
    first, second = sink.messages
    assert first.recipients == ("root", "ops@example.org")
    assert "Subject: x!\n" in first.readable()
    assert (second.recipients, second.sender) == (("bob",), "al@example.org")
    with pytest.raises(ValueError, match="subject='a': the Composer has one already"):
        collect(Composer("bob"), subject="a", sink=sink)


def test_the_name_is_the_script_s(sink: RecordingSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/jobs/night.py", "--all"])
    with collect("root", sink=sink) as log:
        log("a")
    assert subject(sink) == "[burstmail] night.py: 1 line: a"


def test_without_a_sink_it_is_sendmail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "sendmail"
    script.write_text(f"#!/bin/sh\nexec cat > {tmp_path}/mail\n")
    script.chmod(0o755)
    monkeypatch.setattr("burstmail.sinks.sendmail.PLACES", (str(script),))
    with collect("root", name="x") as log:
        log("a")
    assert "Subject: [burstmail] x: 1 line: a\n" in (tmp_path / "mail").read_text()


# Lines that are written in pieces.


def test_a_line_is_complete_with_its_newline_or_at_the_end(sink: RecordingSink) -> None:
    with made(sink) as log:
        assert log.write("a") == 1
        log.write("b\nc")
        log("between")
        log.flush()
        log.write("d")
    assert [burst.head for burst in sink.bursts] == [("ab", "between", "cd")]


def test_a_line_of_one_thread_is_not_torn_by_another(sink: RecordingSink) -> None:
    with made(sink) as log:
        log.write("one ")
        thread = threading.Thread(target=print, args=("other",), kwargs={"file": log})
        thread.start()
        thread.join()
        log.write("line\n")
    assert [burst.head for burst in sink.bursts] == [("other", "one line")]


def test_each_thread_has_lines_of_its_own(sink: RecordingSink) -> None:
    def write(name: str) -> None:
        for number in range(200):
            print(name, number, file=log)

    with made(sink, keep=Keep(head=800, tail=0)) as log:
        threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (burst,) = sink.bursts
    assert burst.count == 800
    assert sorted(burst.head) == sorted(f"{name} {number}" for name in "abcd" for number in range(200))


def test_what_no_mail_can_carry_is_escaped(sink: RecordingSink) -> None:
    with made(sink) as log:
        log("a\udc80")
        log.write("b\udc80\n")
        log.take(b"c\xff\n")
    assert [burst.head for burst in sink.bursts] == [("a\\udc80", "b\\udc80", "c\\xff")]


def test_an_endless_line_is_cut(sink: RecordingSink) -> None:
    with made(sink) as log:
        for _ in range(200):
            log.write("x" * 1000)
    (burst,) = sink.bursts
    assert burst.count == 1
    assert burst.excerpt.size < 70000


def test_a_source_is_read_to_its_end(sink: RecordingSink) -> None:
    with made(sink) as log:
        log.read(IterableSource(["a", "b"]))
    assert [burst.head for burst in sink.bursts] == [("a", "b")]


# What else is collected.


def test_output_is_collected_and_not_shown(sink: RecordingSink, capsys: pytest.CaptureFixture[str]) -> None:
    with made(sink, capture="output"):
        print("read")
        sys.stderr.write("odd: ")
        sys.stderr.write("line 17\n")
        sys.stdout.buffer.write(b"raw \xff\n")
        print("\udc80")
        assert not sys.stdout.isatty()
        with pytest.raises(OSError, match="fileno"):
            sys.stdout.fileno()
    print("after")
    assert [burst.head for burst in sink.bursts] == [("read", "odd: line 17", "raw \\xff", "\\udc80")]
    assert tuple(capsys.readouterr()) == ("after\n", "")


def test_output_without_streams_is_collected(sink: RecordingSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with made(sink, capture="output"):
        print("read")
    assert sys.stdout is None
    assert [burst.head for burst in sink.bursts] == [("read",)]


def test_log_records_are_collected_with_their_tracebacks(sink: RecordingSink) -> None:
    own = logging.getLogger("import")
    before = logging.getLogger().handlers[:]
    with made(sink, capture=["logging"]):
        own.warning("line %d", 17)
        own.debug("not asked for")
        try:
            raise ValueError("5 columns")
        except ValueError:
            own.exception("failed")
        logging.getLogger("burstmail").error("about the mail itself")
        logging.getLogger("burstmail.sub").error("likewise")
        logging.getLogger("burstmailer").error("somebody else's")
    (burst,) = sink.bursts
    assert burst.head[0] == "WARNING import: line 17"
    assert burst.head[1:3] == ("ERROR import: failed", "Traceback (most recent call last):")
    assert burst.head[-2:] == ("ValueError: 5 columns", "ERROR burstmailer: somebody else's")
    assert logging.getLogger().handlers == before


def test_a_record_that_cannot_be_taken_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(text: str) -> None:
        raise RuntimeError("closed")

    Handler(refuse).handle(logging.makeLogRecord({"msg": "line 17", "name": "import"}))
    assert "--- Logging error ---" in capsys.readouterr().err


def test_what_is_captured_is_given_back_after_an_exception(sink: RecordingSink) -> None:
    stream, handlers = sys.stdout, logging.getLogger().handlers[:]
    with pytest.raises(ValueError, match="x"), made(sink, capture=["output", "logging"]):
        raise ValueError("x")
    assert sys.stdout is stream
    assert logging.getLogger().handlers == handlers


def test_what_cannot_be_captured_is_named() -> None:
    with pytest.raises(ValueError, match="capture='stdout': there is 'output' and 'logging'"):
        collect("root", capture="stdout")


# Where it may be used.


def test_outside_of_the_block_it_takes_nothing(sink: RecordingSink) -> None:
    log = made(sink)
    with pytest.raises(RuntimeError, match="not open"):
        log("a")
    with pytest.raises(RuntimeError, match="not begun"):
        log.statistics()
    assert not log.kept
    with log:
        log("a")
    with pytest.raises(RuntimeError, match="not open"):
        log("b")
    with pytest.raises(RuntimeError, match="used already"):
        log.__enter__()
    assert [burst.head for burst in sink.bursts] == [("a",)]


def test_what_is_written_after_the_end_is_seen(sink: RecordingSink, capfd: pytest.CaptureFixture[str]) -> None:
    with made(sink, capture="output"):
        kept = sys.stderr
    kept.write("a thread of the script goes on\n")
    log = made(sink)
    print("too early", file=log)
    assert capfd.readouterr().err == "a thread of the script goes on\ntoo early\n"


def test_blocks_that_overlap_take_their_own_and_give_the_streams_back(capsys: pytest.CaptureFixture[str]) -> None:
    """The first ends first: it must not put its own end, or the second's beginning, in place for ever."""
    first, second = RecordingSink(), RecordingSink()
    before = sys.stdout, sys.stderr
    one, two = made(first, capture="output"), made(second, capture="output")
    one.__enter__()
    print("of the first")
    early = sys.stderr
    two.__enter__()
    print("of the second")
    one.__exit__(None, None, None)
    print("of the second, too")
    early.write("for whom stands here now\n")
    two.__exit__(None, None, None)
    print("of nobody")
    assert (sys.stdout, sys.stderr) == before
    assert [burst.head for burst in first.bursts] == [("of the first",)]
    assert [burst.head for burst in second.bursts] == [("of the second", "of the second, too")]
    assert capsys.readouterr() == ("of nobody\n", "for whom stands here now\n")


def test_a_stream_whose_reader_is_gone_stops_no_block(sink: RecordingSink, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    with made(sink, capture=["output", "output"]):
        print("a")
    assert [burst.head for burst in sink.bursts] == [("a",)]


def test_a_generator_that_is_left_early_has_not_failed(sink: RecordingSink) -> None:
    def generator() -> Iterator[int]:
        with made(sink, only_if_failed=True) as log:
            log("a")
            yield 1

    values = generator()
    next(values)
    values.close()
    assert not sink.items


def test_whoever_prints_as_a_block_ends_is_not_stopped_and_nothing_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    sink, printed, done = RecordingSink(), [0], threading.Event()
    logs = [made(sink)]

    def go_on() -> None:
        while not done.is_set():
            logs[-1].write("a\n")
            printed[0] += 1

    with logs[0]:
        thread = threading.Thread(target=go_on)
        thread.start()
        time.sleep(0.01)
    for _ in range(20):
        with made(sink) as log:
            logs.append(log)
            time.sleep(0.005)
    done.set()
    thread.join()
    shown = capfd.readouterr().err.splitlines()
    assert set(shown) <= {"a"}
    assert sum(burst.count for burst in sink.bursts) + len(shown) == printed[0]


FILES = {str(Path(burstmail.__file__).parent / "drivers" / name) for name in ("collect.py", "thread.py")}


def test_a_signal_handler_may_print_at_any_step(sink: RecordingSink) -> None:
    """It runs in the thread that takes lines in, in the middle of that."""
    for step in itertools.count():
        with made(sink) as log:
            more = at(step, partial(print, "b", file=log), partial(print, "handled", file=log), FILES)
        # print() writes twice: on a terminal, too, another may come between.
        text = "".join(line for burst in sink.bursts for line in burst.head)
        assert sorted(text) == sorted("bhandled" if more else "b"), f"step {step}"
        sink.items.clear()
        if not more:
            break
    assert step > 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_writes_to_standard_error_and_mails_nothing(tmp_path: Path) -> None:
    script = f"""
import os, sys, burstmail
def send(message):
    with open({str(tmp_path / "sent")!r}, "a") as file:
        file.write(message.readable())
with burstmail.collect("root", sink=burstmail.CallbackSink(send), name="x", capture="output") as log:
    print("parent")
    if not (pid := os.fork()):
        print("child")
        log("child, too")
    else:
        os.waitpid(pid, 0)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ | {"PYTHONPATH": str(Path(burstmail.__file__).parents[1])},
    )
    assert (done.returncode, done.stderr) == (0, "child\nchild, too\n")
    assert (tmp_path / "sent").read_text().count("Subject: [burstmail] x: 1 line: parent\n") == 1


# Delivery that fails, and what survives.


def test_mail_that_fails_for_now_is_lost_without_a_store_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    sink = RecordingSink([TemporaryDeliveryError("greylisted")] * 9)
    with caplog.at_level(logging.ERROR, logger="burstmail"), made(sink) as log:
        log("a")
    assert not log.kept
    assert "1 mail (1 line) not delivered at exit, and lost; last error: greylisted" in caplog.text


def test_mail_that_fails_for_now_is_kept_in_a_store_and_sent_by_the_next_run() -> None:
    store, clock = MemoryStore(), ManualClock()
    with made(RecordingSink([TemporaryDeliveryError("greylisted")]), store=store, clock=clock) as log:
        log("a")
    assert log.kept
    clock.advance(3600)
    sink = RecordingSink()
    with made(sink, store=store, clock=clock):
        pass
    assert [burst.head for burst in sink.bursts] == [("a",)]


def test_a_run_that_was_killed_is_mailed_by_the_next_one_under_a_word_of_its_own(tmp_path: Path) -> None:
    script = f"""
import os, burstmail
with burstmail.collect("root", store=burstmail.FileStore({str(tmp_path / "s")!r}), only_if_failed=True) as log:
    log("half of it")
    os.kill(os.getpid(), 9)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(burstmail.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", script], timeout=30, env=environment).returncode == -9
    sink = RecordingSink()
    with made(sink, store=FileStore(tmp_path / "s"), only_if_failed=True) as log:
        log("all is well")
    (burst,) = sink.bursts
    assert (burst.head, burst.outcome) == (("half of it",), "end not seen")
    assert burst.notes[0].startswith("These lines are of an earlier run")


def test_a_bug_in_a_sink_surfaces_at_the_end_but_not_over_the_block_s_own() -> None:
    def broken(item: object) -> None:
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"), made(CallbackSink(broken)) as log:  # type: ignore[arg-type]
        log("a")
    with pytest.raises(ValueError, match="own"), made(CallbackSink(broken)):  # type: ignore[arg-type]
        raise ValueError("own")


def test_a_stage_that_raises_at_the_end_costs_no_mail(sink: RecordingSink) -> None:
    def key(line: str) -> str:
        if "odd" in line:
            raise TypeError("a bug")
        return "k"

    stages = [Aggregator(key=each(key)), Composer("root")]
    with pytest.raises(TypeError, match="a bug"), Collection(*stages, sink=sink) as log:
        log("a")
        log.write("odd")
    assert [burst.head for burst in sink.bursts] == [("a",)]


def test_the_end_waits_no_longer_than_its_grace() -> None:
    release = threading.Event()
    log = made(CallbackSink(lambda item: release.wait(20)), grace=0.1)  # type: ignore[arg-type]
    with log:
        log("a")
    assert log.statistics().waiting == 1
    release.set()


def test_another_thread_may_end_the_waiting(tmp_path: Path) -> None:
    release, trying = threading.Event(), threading.Event()

    def hang(item: object) -> None:
        trying.set()
        release.wait(20)

    log = made(CallbackSink(hang), store=FileStore(tmp_path / "s"), grace=3600)  # type: ignore[arg-type]
    log.hurry()

    def hurry() -> None:
        trying.wait(20)
        log.hurry()
        assert log.kept
        release.set()

    thread = threading.Thread(target=hurry)
    thread.start()
    with log:
        log("a")
    thread.join()


def test_a_dead_letter_is_heard_of() -> None:
    dead: list[object] = []
    log = Collection(
        Aggregator(),
        Composer("root"),
        sink=RecordingSink([PermanentDeliveryError("no such user")]),
        on_dead=lambda item, error: dead.append(str(error)),
    )
    with log:
        log("a")
    assert dead == ["no such user"]


def test_an_aggregator_of_your_own_makes_mails_meanwhile() -> None:
    arrived = threading.Event()
    bursts: list[Burst] = []

    def take(burst: object) -> None:
        assert isinstance(burst, Burst)
        bursts.append(burst)
        arrived.set()

    with Collection(Aggregator(gap=0.1), sink=CallbackSink(take), name="x") as log:
        log("a")
        assert arrived.wait(20)
        log("b")
    assert [burst.outcome for burst in bursts] == ["still running", ""]
