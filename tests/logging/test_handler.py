"""BurstHandler: records in, one mail per burst out. Nobody waits, none is lost or mailed twice, no mail about mails."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from burstmail import (
    Aggregator,
    BurstHandler,
    CallbackSink,
    Composer,
    FileStore,
    MaildirSink,
    Pipeline,
    SendmailSink,
    SMTPSink,
    Whole,
    each,
)
from burstmail import logging as module
from burstmail.logging.recipe import sink_of
from burstmail.testing import RecordingSink


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger that nobody else knows of, pytest included; what hangs on it is closed."""
    logger = logging.Logger("tests.logging")
    yield logger
    for handler in logger.handlers:
        handler.close()


def text_of(sink: RecordingSink) -> str:
    return "\n".join(message.readable() for message in sink.messages)


def sent(logger: logging.Logger, **options: Any) -> tuple[RecordingSink, BurstHandler]:
    sink = RecordingSink()
    handler = BurstHandler("root", **{"sink": sink, "sender": "app@example.org"} | options)
    logger.addHandler(handler)
    return sink, handler


# What comes.


def test_records_that_come_together_are_one_mail(log: logging.Logger) -> None:
    sink, handler = sent(log)
    for number in range(3):
        log.warning("disk %d failed", number)
    assert not sink.messages
    handler.close()
    (message,) = sink.messages
    assert message.count == 3
    assert [line.split(": ", 1)[1] for line in message.burst.head] == [f"disk {number} failed" for number in range(3)]


def test_a_traceback_is_whole_and_part_of_its_record(log: logging.Logger) -> None:
    sink, handler = sent(log, key="level")
    try:
        {}["basket"]
    except KeyError:
        log.exception("order failed")
    log.info("another")
    handler.close()
    bursts = {burst.key: burst for burst in sink.bursts}
    assert set(bursts) == {"err", "info"}
    assert bursts["err"].head[1] == "\tTraceback (most recent call last):"
    assert bursts["err"].head[-1] == "\tKeyError: 'basket'"


def test_a_newline_in_a_message_fakes_no_record(log: logging.Logger) -> None:
    sink, handler = sent(log, key="level,logger")
    log.info("one\n<10>Nov 23 10:00:00 web1 sshd[1]: forged")
    handler.close()
    (burst,) = sink.bursts
    assert (burst.key, burst.count) == (f"info {log.name}", 2)


def test_mails_tell_of_level_and_logger(log: logging.Logger) -> None:
    sink, handler = sent(log, subject="{severity} {program}")
    log.error("x")
    handler.close()
    assert f"Subject: err {log.name}\n" in text_of(sink)


def test_loggers_can_have_mails_of_their_own(log: logging.Logger) -> None:
    sink, handler = sent(log, key="logger")
    for name in ("shop.orders", "shop.mail"):
        logger = logging.Logger(name)
        logger.addHandler(handler)
        logger.error("x")
    handler.close()
    assert sorted(burst.key for burst in sink.bursts) == ["shop.mail", "shop.orders"]


def test_a_key_can_be_a_splitter(log: logging.Logger) -> None:
    sink, handler = sent(log, key=each(lambda line: line[-1]))
    for text in ("1", "2", "1"):
        log.error("customer %s", text)
    handler.close()
    assert sorted((burst.key, burst.count) for burst in sink.bursts) == [("1", 2), ("2", 1)]


def test_a_formatter_makes_the_text(log: logging.Logger) -> None:
    sink, handler = sent(log)
    handler.setFormatter(logging.Formatter("%(message)s for %(user)s"))
    log.error("denied", extra={"user": "ann"})
    handler.close()
    assert sink.bursts[0].head[0].endswith(": denied for ann")


def test_urgent_records_do_not_wait(log: logging.Logger) -> None:
    sink, _ = sent(log, gap=3600, max_age=7200, urgent=logging.ERROR)
    log.warning("wait")
    log.error("now")
    wait_until(lambda: sink.messages)
    assert sink.bursts[0].urgent
    assert sink.bursts[0].count == 2


def test_which_level_is_urgent_can_be_any(log: logging.Logger) -> None:
    sink, handler = sent(log, gap=3600, max_age=7200, urgent=45)
    log.error("wait")
    time.sleep(0.5)
    assert not sink.messages
    log.log(45, "now")
    wait_until(lambda: sink.messages)
    handler.close()
    assert sink.bursts[0].alarm.endswith(": now")


def test_caps_hold(log: logging.Logger) -> None:
    sink, handler = sent(log, gap=0.01, caps=[[2, 3600]], cool_down=None, urgent=None)
    for number in range(10):
        log.error("x %d", number)
        handler.flush()
    wait_until(lambda: len(sink.messages) == 2)
    handler.close()
    # The last one gives up what was held.
    assert [message.count for message in sink.messages] == [1, 1, 8]


def test_for_what_is_urgent_one_mail_is_kept(log: logging.Logger) -> None:
    sink, handler = sent(log, caps=[(2, 3600)], cool_down=None)
    for number in range(5):
        log.error("x %d", number)
        handler.flush()
    wait_until(lambda: len(sink.messages) == 1)
    log.critical("down")
    wait_until(lambda: len(sink.messages) == 2)
    assert sink.bursts[1].urgent


def test_flush_mails_what_is_open(log: logging.Logger) -> None:
    sink, handler = sent(log, gap=3600, max_age=7200)
    log.error("x")
    handler.flush()
    wait_until(lambda: sink.messages)


def test_after_close_another_record_begins_anew(log: logging.Logger) -> None:
    sink, handler = sent(log)
    log.error("one")
    handler.close()
    log.error("two")
    handler.close()
    assert [burst.count for burst in sink.bursts] == [1, 1]


def test_a_flood_is_all_counted_and_few_mails(log: logging.Logger) -> None:
    sink, handler = sent(log)
    threads = [threading.Thread(target=lambda: [log.error("x %d", n) for n in range(250)]) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.close()
    assert sum(message.count for message in sink.messages) == 5000
    assert len(sink.messages) == 1


# Nobody waits, and nothing is raised.


def test_a_sink_that_hangs_holds_up_nobody(log: logging.Logger) -> None:
    free = threading.Event()
    sink = CallbackSink(lambda item: free.wait(30))
    handler = BurstHandler("root", sink=sink, gap=0.01, grace=0.1)
    log.addHandler(handler)
    log.error("x")
    time.sleep(0.3)
    start = time.monotonic()
    for _ in range(1000):
        log.error("x")
    assert time.monotonic() - start < 2
    free.set()


class Bad:
    def __str__(self) -> str:
        raise ValueError("no text")


def test_a_record_that_cannot_be_formatted_is_no_error_of_the_program(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    sink, handler = sent(log)
    log.error("%s", Bad())
    log.error("%d", "x")
    log.error("fine")
    handler.close()
    assert sink.bursts[0].count == 1
    assert capsys.readouterr().err.count("--- Logging error ---") == 2


class Deep:
    def __str__(self) -> str:
        raise RecursionError


def test_records_for_which_there_is_no_stack_are_counted(log: logging.Logger) -> None:
    sink, handler = sent(log)
    log.error("%s", Deep())
    log.error("fine")
    handler.close()
    assert "1 record of logging could not be taken" in text_of(sink)


def test_a_record_may_be_logged_while_one_is_formatted(log: logging.Logger) -> None:
    class Chatty:
        def __str__(self) -> str:
            log.error("inner")
            return "outer"

    sink, handler = sent(log)
    log.error("%s", Chatty())
    handler.close()
    assert [line.rpartition(" ")[2] for line in sink.bursts[0].head] == ["inner", "outer"]


def test_filters_decide_and_may_replace(log: logging.Logger) -> None:
    sink, handler = sent(log)
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    log.error("secret")
    log.error("open")
    if sys.version_info >= (3, 12):
        handler.addFilter(lambda record: logging.makeLogRecord(vars(record) | {"msg": "replaced"}))
    log.error("other")
    handler.close()
    words = [line.rpartition(" ")[2] for line in sink.bursts[0].head]
    assert words == ["open", "replaced" if sys.version_info >= (3, 12) else "other"]


def test_a_filter_that_raises_is_no_error_of_the_program(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    sink, handler = sent(log)
    handler.addFilter(lambda record: 1 / (record.levelno - logging.ERROR) != 0)
    log.error("odd")
    log.warning("fine")
    handler.close()
    assert sink.bursts[0].count == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_records_over_the_capacity_are_counted_and_told(log: logging.Logger) -> None:
    sink, handler = sent(log, capacity=2000)
    for _ in range(500):
        log.error("x" * 100)
    handler.close()
    assert "records of logging could not be taken" in text_of(sink)
    assert sum(message.count for message in sink.messages) < 500


def test_what_exceptions_say_counts_while_it_waits(log: logging.Logger) -> None:
    """A traceback is made into lines later; the text of its exceptions is there all the time."""
    sink, free = RecordingSink(), threading.Event()

    def pipeline() -> Pipeline:
        free.wait(20)
        return Pipeline(Whole(), Aggregator(), Composer("root", sender="app@example.org"), sink=sink)

    handler = BurstHandler(pipeline=pipeline, capacity=300_000)
    log.addHandler(handler)
    for _ in range(10):
        try:
            try:
                raise ExceptionGroup("several", [OSError("x" * 100_000)])
            except ExceptionGroup as error:
                raise KeyError("y") from error
        except KeyError:
            log.exception("failed")
    free.set()
    handler.close()
    assert "8 records of logging could not be taken" in text_of(sink)


# No mail about mails.


def run(script: str, *arguments: str | Path, status: int = 0, before: str = "") -> str:
    """What it says on standard error."""
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", before + PRELUDE + script]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    assert not done.stdout
    return done.stderr


PRELUDE = """
import atexit, logging, multiprocessing, os, signal, sys, threading, time
from burstmail.logging import BurstHandler

log = logging.getLogger("app")

def configure(**options):
    sink = f"maildir:{sys.argv[1]}" if sys.argv[1:] else None
    logging.getLogger().addHandler(BurstHandler("root", **{"sink": sink} | options))

def until(done):
    for _ in range(2000):
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("not within 20 s")

def taken():
    # The lines in the pipeline, and in its store.
    feeder = logging.getLogger().handlers[0]._feeder
    return feeder._pipeline.statistics().lines_in if feeder._pipeline else 0

"""


def mails(maildir: Path) -> list[str]:
    """The texts of all mails."""
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in maildir.glob("new/*")]
    return [body.get_content() for mail in found if (body := mail.get_body(("plain",)))]


def test_what_a_delivery_logs_is_no_mail_and_said_once() -> None:
    script = """
class Noisy:
    def send(self, item):
        assert item.count == 1, item.count
        logging.getLogger("smtp.client").error("cannot connect")
        from burstmail import TemporaryDeliveryError
        raise TemporaryDeliveryError("the server is down")

configure(sink=Noisy(), gap=0.1, grace=0.5)
log.error("x")
time.sleep(1)
"""
    said = run(script)
    assert said.count("cannot connect") == 1
    assert said.count("try 1 failed for all: the server is down") == 1
    assert said.count("1 mail (1 line) not delivered at exit, and lost") == 1


def test_complaints_are_said_once_and_no_hints() -> None:
    script = """
configure(sink="/bin/true")
for number in range(5):
    logging.getLogger("burstmail").warning("try %d", number)
logging.getLogger("burstmail.x").info("a hint")
"""
    assert run(script) == "try 0\n"


def test_different_complaints_are_bounded() -> None:
    script = """
configure(sink="/bin/true")
for number in range(1000):
    logging.getLogger("burstmail").warning(f"try {number}")
"""
    assert run(script).count("try") == module.COMPLAINTS


def test_what_another_handler_writes_is_not_said_twice(log: logging.Logger, tmp_path: Path) -> None:
    script = """
logging.basicConfig(format="console: %(message)s")
configure()
logging.getLogger("burstmail").error("trouble")
"""
    assert run(script, tmp_path / "mails") == "console: trouble\n"


def test_threads_that_are_not_burstmails_are_heard(log: logging.Logger) -> None:
    sink, handler = sent(log)
    thread = threading.Thread(target=log.error, args=("x",), name="worker")
    thread.start()
    thread.join()
    handler.close()
    assert sink.bursts[0].count == 1


# The end.


def test_what_was_logged_last_is_mailed_at_exit(tmp_path: Path) -> None:
    assert run("configure(); log.error('the end')", tmp_path / "mails") == ""
    (mail,) = mails(tmp_path / "mails")
    assert ": the end\n" in mail


def test_an_exception_that_ends_the_program_is_mailed(tmp_path: Path) -> None:
    script = """
configure()
sys.excepthook = lambda *error: log.critical("fell over", exc_info=error)
1 / 0
"""
    run(script, tmp_path / "mails", status=1)
    (mail,) = mails(tmp_path / "mails")
    assert "ZeroDivisionError: division by zero" in mail


def test_a_record_logged_at_exit_is_mailed_though_no_thread_can_start(tmp_path: Path) -> None:
    assert run("configure(); atexit.register(log.error, 'said at exit')", tmp_path / "mails") == ""
    (mail,) = mails(tmp_path / "mails")
    assert ": said at exit\n" in mail


def test_what_comes_after_the_end_is_said_on_standard_error(tmp_path: Path) -> None:
    # What is registered before logging is imported is called after logging.shutdown().
    before = "import atexit; atexit.register(lambda: log.error('too late'))"
    assert run("configure(); log.error('in time')", tmp_path / "mails", before=before) == "too late\n"
    (mail,) = mails(tmp_path / "mails")
    assert "too late" not in mail


def test_the_end_waits_no_longer_than_the_grace(tmp_path: Path) -> None:
    script = """
class Sink:
    def send(self, item):
        time.sleep(60)

configure(sink=Sink(), grace=0.5)
log.error("x")
"""
    start = time.monotonic()
    run(script)
    assert time.monotonic() - start < 10


def test_a_new_configuration_closes_the_old_handler(tmp_path: Path) -> None:
    script = """
import logging.config
for n in (1, 2):
    handler = {"class": "burstmail.logging.BurstHandler", "to": ["root", "ops"], "sink": f"maildir:{sys.argv[1]}"}
    logging.config.dictConfig({"version": 1, "handlers": {"mail": handler}, "root": {"handlers": ["mail"]}})
    # Of the one before no thread is left.
    until(lambda: threading.active_count() == 1)
    logging.error("under %d", n)
    until(lambda: taken() == 1)
"""
    assert run(script, tmp_path / "mails") == ""
    assert len(mails(tmp_path / "mails")) == 2


# Other processes.


def test_a_forked_process_has_a_pipeline_of_its_own(tmp_path: Path) -> None:
    script = """
configure()
log.error("parent before")
for n in range(4):
    if not os.fork():
        log.error("child %d", n)
        if n % 2:
            sys.exit()
        logging.shutdown()
        os._exit(0)
    os.wait()
log.error("parent after")
"""
    assert run(script, tmp_path / "mails") == ""
    found = mails(tmp_path / "mails")
    assert len(found) == 5
    for text, times in {"parent before": 1, "parent after": 1, **{f"child {n}": 1 for n in range(4)}}.items():
        assert sum(mail.count(f": {text}\n") for mail in found) == times
    assert sum("parent before" in mail and "parent after" in mail for mail in found) == 1


def test_a_child_that_logs_nothing_mails_nothing(tmp_path: Path) -> None:
    run("configure(); log.error('x'); os.fork() and os.wait()", tmp_path / "mails")
    assert len(mails(tmp_path / "mails")) == 1


def test_to_fork_in_the_middle_of_a_flood_stops_nobody(tmp_path: Path) -> None:
    script = """
configure(gap=0.05, max_age=0.1)
stop = threading.Event()
def flood():
    while not stop.is_set():
        log.error("parent")
        time.sleep(0.001)
threads = [threading.Thread(target=flood) for _ in range(4)]
for thread in threads:
    thread.start()
for n in range(20):
    if not (pid := os.fork()):
        signal.alarm(20)
        log.error("child %d", n)
        logging.shutdown()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
"""
    assert run(script, tmp_path / "mails") == ""
    found = mails(tmp_path / "mails")
    for n in range(20):
        (mail,) = [mail for mail in found if f": child {n}\n" in mail]
        assert "parent" not in mail


def test_processes_of_every_kind_mail_what_they_log(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        PRELUDE
        + """
def work(method, n):
    if method != "fork":
        configure()
    log.error("%s %d", method, n)

if __name__ == "__main__":
    configure()
    log.error("parent")
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        processes = [context.Process(target=work, args=(method, n)) for n in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.starmap(work, [("fork", 7), ("fork", 8)])
        pool.close()
        pool.join()
"""
    )
    command = [sys.executable, "-W", "ignore", str(script), str(tmp_path / "mails")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    text = "".join(mails(tmp_path / "mails"))
    wanted = ["parent", "fork 7", "fork 8"] + [
        f"{kind} {n}" for kind in ("fork", "spawn", "forkserver") for n in (0, 1)
    ]
    assert {word: text.count(f": {word}\n") for word in wanted} == dict.fromkeys(wanted, 1)


def test_workers_of_a_server_that_loads_the_program_first(tmp_path: Path) -> None:
    # As gunicorn --preload does it.
    script = """
configure()
log.error("loading")
pids = []
heard, ready = os.pipe()
def leave(*_):
    sys.exit(0)
for n in range(3):
    pid = os.fork()
    if pid:
        pids.append(pid)
        continue
    signal.signal(signal.SIGTERM, leave)
    log.error("worker %d", n)
    os.write(ready, b"x")
    while True:
        time.sleep(1)
for pid in pids:
    assert os.read(heard, 1)
for pid in pids:
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0)[1] == 0
"""
    assert run(script, tmp_path / "mails") == ""
    text = "".join(mails(tmp_path / "mails"))
    assert all(text.count(f": {words}\n") == 1 for words in ("loading", "worker 0", "worker 1", "worker 2"))


# With a state directory.


def lines_in(maildir: Path) -> int:
    found = [message_from_bytes(path.read_bytes()) for path in maildir.glob("new/*")]
    return sum(int(mail["X-Burstmail"].partition(";")[0].removeprefix("lines=")) for mail in found)


WORKERS = """
pids = []
for n in range(4):
    time.sleep(0.02 * n)
    if not (pid := os.fork()):
        for number in range(50):
            log.error("worker %d: %d", n, number)
            time.sleep(0.01)
        sys.exit()
    pids.append(pid)
for pid in pids:
    assert os.waitpid(pid, 0)[1] == 0
"""


def test_processes_that_share_a_state_share_their_mails(tmp_path: Path) -> None:
    # A burst that no machine is too slow for, and ends with the parent.
    script = f"""
configure(state=sys.argv[2], gap=60, max_age=600)
log.error("loading")
until(lambda: taken() == 1)
{WORKERS}
until(lambda: taken() == 201)
"""
    assert run(script, tmp_path / "mails", tmp_path / "state") == ""
    assert len(mails(tmp_path / "mails")) == 1
    assert lines_in(tmp_path / "mails") == 201


def test_whoever_of_those_that_share_a_state_has_it_first_nothing_is_lost(tmp_path: Path) -> None:
    # Forked before the store is open, while it is opened, and after: any of them may have it, end, and leave the rest.
    script = f"""
configure(state=sys.argv[2], gap=1)
log.error("loading")
{WORKERS}
"""
    assert run(script, tmp_path / "mails", tmp_path / "state") == ""
    # They share their caps, too: by these, one mail may leave in a minute.
    assert len(mails(tmp_path / "mails")) <= 1
    script = """
import re
from pathlib import Path
configure(state=sys.argv[2], gap=0.1, caps=[[100, 60]], cool_down=None)
log.error("the next start")
found = lambda: [re.search(rb"lines=([0-9]+)", path.read_bytes()) for path in Path(sys.argv[1]).glob("new/*")]
until(lambda: sum(int(lines[1]) for lines in found()) >= 202)
"""
    assert run(script, tmp_path / "mails", tmp_path / "state") == ""
    assert lines_in(tmp_path / "mails") == 202


def test_what_a_killed_process_had_is_mailed_by_the_next(tmp_path: Path) -> None:
    script = """
configure(state=sys.argv[2], gap=30)
log.error("before")
until(lambda: taken() == 1)
os.kill(os.getpid(), signal.SIGKILL)
"""
    run(script, tmp_path / "mails", tmp_path / "state", status=-signal.SIGKILL)
    run("configure(state=sys.argv[2]); log.error('after')", tmp_path / "mails", tmp_path / "state")
    (mail,) = mails(tmp_path / "mails")
    assert ": before\n" in mail
    assert ": after\n" in mail


def test_a_child_does_not_keep_its_parents_store(tmp_path: Path) -> None:
    script = """
configure(state=sys.argv[2])
log.error("before")
until(lambda: taken() == 1)
if child := os.fork():
    open(sys.argv[3], "w").write(str(child))
    os.kill(os.getpid(), signal.SIGKILL)
# Who waits for the parent's last words does not wait for these.
os.closerange(0, 3)
time.sleep(60)
"""
    child = tmp_path / "child"
    run(script, tmp_path / "mails", tmp_path / "state", child, status=-signal.SIGKILL)
    store = FileStore(tmp_path / "state")
    try:
        assert store.open() is not None
    finally:
        store.close()
        os.kill(int(child.read_text()), signal.SIGKILL)


def test_a_handler_may_be_made_while_another_thread_forks(
    log: logging.Logger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A set that grows while it is read raises; a fork must not come to grief on that, or hold nothing."""
    _, handler = sent(log, state=tmp_path)
    log.error("x")
    handler.flush()
    tries = iter([RuntimeError("Set changed size during iteration")])

    class Growing(set[BurstHandler]):
        def __iter__(self) -> Iterator[BurstHandler]:
            for error in tries:
                raise error
            return super().__iter__()

    monkeypatch.setattr(module, "_HANDLERS", Growing([handler]))
    module._before_fork()
    try:
        assert len(module._FORKING.held) == 1
    finally:
        module._after_fork()


def test_two_threads_may_fork_at_once(tmp_path: Path) -> None:
    script = """
configure(state=sys.argv[2])
log.error("parent")
time.sleep(0.3)
def fork():
    for n in range(10):
        if not (pid := os.fork()):
            os._exit(0)
        os.waitpid(pid, 0)
threads = [threading.Thread(target=fork) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
log.error("parent still")
"""
    run(script, tmp_path / "mails", tmp_path / "state")
    assert lines_in(tmp_path / "mails") == 2


@pytest.mark.parametrize("state", [True, False])
@pytest.mark.parametrize("sink", ["maildir:{}", "smtp://127.0.0.1:1", "/bin/false"])
def test_its_threads_import_nothing(sink: str, state: bool, tmp_path: Path) -> None:
    # A process that forks meanwhile would have half of a module.
    script = """
configure(sink=sys.argv[1], state=sys.argv[2] if sys.argv[2:] else None, gap=0.05, grace=0.2)
before = {*sys.modules}
log.error("one\\ntwo")
time.sleep(0.5)
for n in range(2000):
    log.error("%d %s", n, "x" * 100)
logging.shutdown()
assert not {*sys.modules} - before, {*sys.modules} - before
"""
    run(script, sink.format(tmp_path / "mails"), *[tmp_path / "state"] * state)


# What it is given.


def test_a_pipeline_of_ones_own(log: logging.Logger) -> None:
    sink = RecordingSink()
    composer = Composer(to="root", sender="app@example.org")
    handler = BurstHandler(pipeline=lambda: Pipeline(Whole(), Aggregator(), composer, sink=sink))
    log.addHandler(handler)
    for number in (1, 2):
        log.error("x %d", number)
        handler.close()
    assert len(sink.messages) == 2


def test_a_pipeline_that_is_given_can_be_used_once(log: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    sink = RecordingSink()
    handler = BurstHandler(pipeline=Pipeline(Aggregator(), sink=sink))
    log.addHandler(handler)
    log.error("one")
    handler.close()
    log.error("two")
    handler.close()
    assert [burst.count for burst in sink.bursts] == [1]
    assert "give a function" in caplog.text


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"sink": "smtp://mail.example.org"}, SMTPSink),
        ({"sink": "smtps://app@mail.example.org", "password": "p"}, SMTPSink),
        ({"sink": "maildir:mails"}, MaildirSink),
        ({"sink": "/bin/true"}, SendmailSink),
    ],
)
def test_sinks_in_words(given: dict[str, Any], kind: type) -> None:
    assert isinstance(sink_of(given["sink"], given.get("password")), kind)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "name a recipient"),
        ({"to": "a b"}, "a b"),
        ({"to": "root", "key": "loger"}, "key='loger': use one or more of logger, level, host"),
        ({"to": "root", "gap": "5s"}, "gap='5s': write seconds"),
        ({"to": "root", "max_age": None}, "max_age=None: write seconds"),
        ({"to": "root", "gap": 0}, "gap=0"),
        ({"to": "root", "caps": [(0, 60)]}, "count=0"),
        ({"to": "root", "caps": (3, 60)}, "caps=(3, 60): write pairs"),
        ({"to": "root", "caps": 3}, "caps=3: write pairs"),
        ({"to": "root", "caps": [(3, "1m")]}, "write pairs of a count and seconds"),
        ({"to": "root", "cool_down": (0, 1)}, "first=0"),
        ({"to": "root", "cool_down": 60}, "cool_down=60: write the first and the longest"),
        ({"to": "root", "cool_down": (60, 120, 900)}, "write the first and the longest"),
        ({"to": "root", "urgent": "CRITCAL"}, "urgent='CRITCAL'"),
        ({"to": "root", "sink": "smtp://u:p@host"}, "password"),
        ({"to": "root", "sink": "smpt://host"}, "write smtp://HOST"),
        ({"to": "root", "password": "p"}, "sink='smtp://USER@HOST'"),
        ({"to": "root", "subject": "{programm}"}, "programm"),
    ],
)
def test_what_is_wrong_is_said_at_once(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        BurstHandler(**{"sink": None if "password" in given else "maildir:mails"} | given)


def test_what_was_refused_is_no_trouble_at_the_end() -> None:
    script = """
try:
    configure(urgent="LOUD")
except ValueError as error:
    kept = error
"""
    assert run(script) == ""


def test_a_level_can_be_a_name(log: logging.Logger) -> None:
    sink, handler = sent(log, level="ERROR", urgent="ERROR")
    log.warning("x")
    log.error("y")
    handler.close()
    assert sink.bursts[0].count == 1
    assert sink.bursts[0].urgent


def wait_until(done: Callable[[], object]) -> None:
    for _ in range(500):
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("not within 5 s")
