"""What is said to a service manager, on real datagram sockets."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from subprocess import run

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.cli import notify
from burstmail.cli.notify import Notifier
from burstmail.testing import ManualClock
from tests.cli.process import LONG, environment, mails, running
from tests.cli.process import run as burstmail_run

Listen = Callable[[str], socket.socket]


@pytest.fixture
def listen() -> Iterator[Listen]:
    opened = []

    def bound(address: str) -> socket.socket:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.append(manager)
        manager.bind(address)
        manager.setblocking(False)
        return manager

    yield bound
    for manager in opened:
        manager.close()


def told(manager: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


def test_each_state_is_one_datagram(tmp_path: Path, listen: Listen) -> None:
    manager = listen(str(tmp_path / "notify"))
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": str(tmp_path / "notify")}, clock=ManualClock(12.5))
    notifier.ready()
    notifier.reloading()
    notifier.ready()
    notifier.status("reads 3 files")
    notifier.alive()
    notifier.stopping()
    assert told(manager) == [
        "READY=1",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "READY=1",
        "STATUS=reads 3 files",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_an_abstract_socket_is_reached(listen: Listen) -> None:
    name = f"burstmail-test-{os.getpid()}"
    manager = listen(f"\0{name}")
    Notifier.from_environment({"NOTIFY_SOCKET": f"@{name}"}).ready()
    assert told(manager) == ["READY=1"]


def test_a_status_cannot_say_anything_else(tmp_path: Path, listen: Listen) -> None:
    manager = listen(str(tmp_path / "notify"))
    Notifier(str(tmp_path / "notify")).status("fine\nMAINPID=1\udcff" + "x" * 1000)
    (words,) = told(manager)
    assert words.startswith("STATUS=fine\\nMAINPID=1") and "\n" not in words and len(words) < 300


def test_the_moment_of_a_reload_is_the_kernels(tmp_path: Path, listen: Listen) -> None:
    manager = listen(str(tmp_path / "notify"))
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    Notifier(str(tmp_path / "notify")).reloading()
    moment = int(told(manager)[0].partition("MONOTONIC_USEC=")[2]) / 1e6
    assert before - 1e-5 <= moment <= time.clock_gettime(time.CLOCK_MONOTONIC) + 1e-5


def test_without_a_manager_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier.from_environment({"WATCHDOG_USEC": "1000000"})
    notifier.ready()
    notifier.alive()
    assert notifier.watchdog == inf
    assert not caplog.records


@pytest.mark.parametrize("address", ["vsock:2:1234", "relative", "@", "/", "@" + "x" * 200, "/" + "x" * 200])
def test_a_manager_that_is_not_there_is_told_of_once(address: str, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})
    notifier.ready()
    notifier.stopping()
    assert len(caplog.records) <= 1


def test_what_cannot_be_told_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier(str(tmp_path / "nobody"))
    with caplog.at_level(logging.WARNING):
        notifier.ready()
        notifier.stopping()
    assert caplog.messages == ["the service manager cannot be told READY=1: No such file or directory"]


def test_a_manager_that_does_not_read_is_not_waited_for_long(
    tmp_path: Path, listen: Listen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notify, "PATIENCE", 0.05)
    listen(str(tmp_path / "notify"))
    notifier = Notifier(str(tmp_path / "notify"))
    for _ in range(2000):
        notifier.alive()
        if caplog.records:
            break
    assert caplog.messages == ["the service manager cannot be told WATCHDOG=1: timed out"]


def test_children_inherit_none_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.setenv(name, f"/{name}")
    Notifier.from_environment()
    code = "import os; print([name for name in os.environ if 'NOTIFY' in name or 'WATCHDOG' in name])"
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("period", "process", "expected"),
    [
        ("30000000", "", 30.0),
        ("30000000", str(os.getpid()), 30.0),
        ("30000000", "1", inf),
        ("1", "", 1e-6),
        ("0", "", inf),
        ("-5", "", inf),
        ("1e6", "", inf),
        ("\u0663", "", inf),
        ("9" * 5000, "", inf),
        ("", "", inf),
    ],
)
def test_the_watchdog_asks_for_a_sign_of_life(period: str, process: str, expected: float) -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": period, "WATCHDOG_PID": process}
    assert Notifier.from_environment(environ).watchdog == expected
    assert environ == {}


@given(st.tuples(*[st.text(st.characters(exclude_characters="\0"), max_size=30)] * 3))
def test_no_environment_raises(values: tuple[str, str, str]) -> None:
    environ = dict(zip(("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"), values, strict=True))
    notifier = Notifier.from_environment(environ)
    assert notifier.watchdog > 0
    notifier.ready()


def heard(manager: socket.socket) -> str:
    manager.settimeout(LONG)
    return manager.recv(4096).decode()


def following(manager: socket.socket, wanted: str) -> list[str]:
    """What is told until this is, signs of life and counts left out."""
    found: list[str] = []
    while wanted not in found:
        found += [word for word in [heard(manager)] if not word.startswith(("WATCHDOG=", "STATUS="))]
    return found


def test_a_service_tells_of_its_life(tmp_path: Path, listen: Listen) -> None:
    manager = listen(str(tmp_path / "notify"))
    file = tmp_path / "alerts.toml"
    file.write_text(f'to = "root"\nmaildir = "{tmp_path}/mails"\nfile = "{tmp_path}/app.log"\n')
    asked = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    with running("run", "-c", str(file), env=environment(tmp_path / "state") | asked) as process:
        assert following(manager, "READY=1") == ["READY=1"]
        # Twice in each period.
        started = time.monotonic()
        while "WATCHDOG=1" not in [heard(manager)]:
            pass
        while "WATCHDOG=1" not in [heard(manager)]:
            pass
        assert time.monotonic() - started < 2
        for text in (file.read_text() + 'gap = "1s"\n', "gap = \n"):
            file.write_text(text)
            process.send_signal(signal.SIGHUP)
            began, ready = following(manager, "READY=1")
            # Also when nothing has come of it.
            assert began.startswith("RELOADING=1\nMONOTONIC_USEC=") and ready == "READY=1"
        process.send_signal(signal.SIGTERM)
        assert following(manager, "STOPPING=1") == ["STOPPING=1"]
        assert process.wait(LONG) == 0


def test_what_cannot_start_is_never_ready(tmp_path: Path, listen: Listen) -> None:
    manager = listen(str(tmp_path / "notify"))
    environ = environment() | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    assert burstmail_run("--to", "root", "--gap", "soon", env=environ).returncode == 78
    assert told(manager) == []


def test_no_sendmail_may_tell_in_our_name(tmp_path: Path, listen: Listen) -> None:
    listen(str(tmp_path / "notify"))
    mailer = tmp_path / "sendmail"
    mailer.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\ncat > /dev/null\n")
    mailer.chmod(0o755)
    environ = environment() | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    done = burstmail_run("--to", "root", "--sendmail", str(mailer), lines=b"disk failed\n", env=environ)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "environment").read_text()
    assert "PATH=" in text and "NOTIFY" not in text and "WATCHDOG" not in text


# The machine is busy just then: it takes a while from here to the first line that is read.
BUSY = """
import sys, time
from burstmail.cli import main, service

class Busy(service.Watchdog):
    def __enter__(self):
        time.sleep(1)
        return super().__enter__()

service.Watchdog = Busy
sys.exit(main(patience=0))
"""


def test_what_is_written_into_a_file_once_it_is_ready_is_read(tmp_path: Path, listen: Listen) -> None:
    manager = listen(str(tmp_path / "notify"))
    log, mail = tmp_path / "app.log", tmp_path / "mail"
    log.write_text("old\n")
    environ = environment(tmp_path / "state") | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    options = ("--to", "root", "--maildir", str(mail), "--file", str(log))
    with running(*options, command=[sys.executable, "-c", BUSY], env=environ) as process:
        assert following(manager, "READY=1") == ["READY=1"]
        with log.open("a") as file:
            file.write("new\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 0
    (text,) = mails(mail)
    assert "  new\n" in text and "old" not in text
