"""SIGHUP with a configuration file: what is open leaves as it was meant, and all that follows as the file says now."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from burstmail.cli.options import Misuse
from burstmail.cli.reload import Reload
from tests.cli.process import LONG, catching, ended, environment, follows, mails, run, running, shown, until

# Nothing waits: what is read is mailed soon, however many mails there have been.
SOON = 'gap = "50ms"\ncool-down = "off"\ncap = "10000/min"\nstate = "state"\n'.replace("50ms", "0.05s")
IN_FORCE = b"the new configuration is in force"
REFUSED = b"the new configuration is refused, and the old one stays in force: "


class Service:
    """burstmail with a file that can be written anew."""

    def __init__(self, place: Path, process: subprocess.Popen[bytes]) -> None:
        self.place, self.process = place, process
        self.told = b""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr
        while chunk := os.read(self.process.stderr.fileno(), 65536):
            self.told += chunk

    def hang_up(self, answer: bytes = IN_FORCE) -> None:
        """SIGHUP, until it is answered."""
        before = self.told.count(answer)
        self.process.send_signal(signal.SIGHUP)
        until(lambda: self.told.count(answer) > before)

    def feed(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())

    def lines(self, box: str = "mail") -> list[str]:
        return [line for text in mails(self.place / box) for line in shown(text)]

    def end(self) -> int:
        self.process.terminate()
        return ended(self.process)[0]


@contextmanager
def service(place: Path, text: str, *options: str, **more: object) -> Iterator[Service]:
    written(place, text)
    with running("run", "-c", str(place / "alerts.toml"), *options, **more) as process:
        # It has read the file, then.
        until(lambda: list((place / "state").glob("*/store.db")))
        yield Service(place, process)


def written(place: Path, text: str) -> None:
    (place / "alerts.toml").write_text(SOON + text)


def to(box: str) -> str:
    return f'to = "{box}@example.org"\nmaildir = "{box}"\n'


def test_what_is_open_leaves_as_it_was_and_the_rest_as_it_is_now(tmp_path: Path) -> None:
    with service(tmp_path, to("mail"), "--gap", "1h", "--max-age", "2h") as one:
        one.feed("open")
        until(lambda: b"lines_in=1" in _counts(one))
        written(tmp_path, to("other"))
        one.hang_up()
        until(lambda: one.lines() == ["open"])
        one.feed("after")
        assert one.end() == 0
        assert (one.lines(), one.lines("other")) == (["open"], ["after"])


def _counts(one: Service) -> bytes:
    one.process.send_signal(signal.SIGUSR1)
    time.sleep(0.05)
    return one.told


ROUTES = """
[[route]]
name = "disks"
match = { contains = "disk" }
to = "disks@example.org"

[[route]]
name = "rest"
"""


def test_routes_come_and_go(tmp_path: Path) -> None:
    with service(tmp_path, to("mail")) as one:
        one.feed("disk one")
        until(lambda: one.lines() == ["disk one"])
        written(tmp_path, to("mail") + ROUTES)
        one.hang_up()
        one.feed("disk two")
        one.feed("three")
        until(lambda: len(one.lines()) == 3)
        heads = [path.read_text().split("\n\n")[0] for path in (tmp_path / "mail" / "new").iterdir()]
        assert sum("To: disks@example.org" in head for head in heads) == 1
        written(tmp_path, to("mail"))
        one.hang_up()
        one.feed("disk four")
        until(lambda: len(one.lines()) == 4)
        assert one.end() == 0
    assert sorted(one.lines()) == ["disk four", "disk one", "disk two", "three"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gpa = 5\n", [b"gpa: there is no such key: did you mean gap?"]),
        ("to = ]\n", [b"alerts.toml:5: "]),
        ('password-file = "nothing"\n', [b"alerts.toml:7: password-file: "]),
        ('listen = "tls://127.0.0.1:0"\n', [b"tls-cert"]),
        ('include = "("\nkey = "colour"\n', [b"alerts.toml:7: include", b"alerts.toml:8: key"]),
    ],
)
def test_a_broken_one_changes_nothing_and_is_told_whole(tmp_path: Path, text: str, told: list[bytes]) -> None:
    with service(tmp_path, to("mail")) as one:
        written(tmp_path, text if text.startswith("to") else to("other") + text)
        one.hang_up(REFUSED)
        one.feed("still")
        until(lambda: one.lines() == ["still"])
        # All that is told of one reload is told before anything of the next.
        written(tmp_path, to("other"))
        one.hang_up()
        one.feed("anew")
        assert one.end() == 0
        assert one.lines("other") == ["anew"]
    problems = [line for line in one.told.split(b"\n") if REFUSED in line]
    assert len(problems) == len(told)
    assert all(words in line for words, line in zip(told, problems, strict=True))


def test_what_is_open_is_mailed_whatever_the_file_says_now(tmp_path: Path) -> None:
    with service(tmp_path, to("mail"), "--gap", "1h", "--max-age", "2h") as one:
        one.feed("open")
        until(lambda: b"lines_in=1" in _counts(one))
        written(tmp_path, "gpa = 5\n")
        one.hang_up(REFUSED)
        until(lambda: one.lines() == ["open"])
        assert one.end() == 0


def test_a_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    with service(tmp_path, to("mail")) as one:
        (tmp_path / "alerts.toml").unlink()
        one.hang_up(REFUSED)
        one.feed("still")
        assert one.end() == 0
        assert one.lines() == ["still"]


def test_followed_files_lose_and_repeat_no_line(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.log", "b.log")]
    for file in files:
        file.touch()
    ways = ['file = "a.log"\n', 'file = ["a.log", "b.log"]\n', 'file = ["a.log", "*.log"]\n']
    stop = threading.Event()
    count = 0

    def write() -> None:
        nonlocal count
        with files[0].open("a", buffering=1) as file:
            while not stop.is_set():
                file.write(f"line {count}\n")
                count += 1
                time.sleep(0.002)

    with service(tmp_path, to("mail") + "max-age = 0.2\nkeep = '20000+0'\n" + ways[0]) as one:
        until(lambda: follows(one.process.pid, files[0]))
        writer = threading.Thread(target=write)
        writer.start()
        for turn in range(1, 9):
            written(tmp_path, to("mail") + "max-age = 0.2\nkeep = '20000+0'\n" + ways[turn % 3])
            one.hang_up()
        stop.set()
        writer.join()
        until(lambda: len(one.lines()) >= count)
        assert one.end() == 0
    assert sorted(one.lines(), key=lambda line: int(line.split()[-1])) == [f"line {number}" for number in range(count)]


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_connections_of_an_address_that_stays_go_on(tmp_path: Path) -> None:
    first, second = _free(), _free()
    with service(tmp_path, to("mail") + f'listen = ["tcp://127.0.0.1:{first}"]\n') as one:
        with socket.create_connection(("127.0.0.1", first)) as kept:
            kept.sendall(b"one\n")
            until(lambda: len(one.lines()) == 1)
            written(tmp_path, to("mail") + f'listen = ["tcp://127.0.0.1:{first}", "tcp://127.0.0.1:{second}"]\n')
            one.hang_up()
            kept.sendall(b"two\n")
            with socket.create_connection(("127.0.0.1", second)) as new:
                new.sendall(b"three\n")
                until(lambda: len(one.lines()) == 3)
            # And away with it again.
            written(tmp_path, to("mail") + f'listen = ["tcp://127.0.0.1:{first}"]\n')
            one.hang_up()
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", second))
            kept.sendall(b"four\n")
            until(lambda: len(one.lines()) == 4)
        assert one.end() == 0


def test_an_address_is_opened_anew_where_others_are_let_in(tmp_path: Path) -> None:
    port = _free()
    listen = to("mail") + f'listen = "tcp://127.0.0.1:{port}"\n'
    with service(tmp_path, listen + 'allow = "192.0.2.0/24"\n') as one:
        written(tmp_path, listen + 'allow = "127.0.0.0/8"\n')
        one.hang_up()
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(b"let in\n")
            until(lambda: any("let in" in line for line in one.lines()))
        assert one.end() == 0


def test_an_address_may_become_every_address_of_its_port(tmp_path: Path) -> None:
    port = _free()
    with service(tmp_path, to("mail") + f'listen = "tcp://127.0.0.1:{port}"\n') as one:
        written(tmp_path, to("mail") + f'listen = "tcp://0.0.0.0:{port}"\n')
        one.hang_up()
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(b"still heard\n")
            until(lambda: any("still heard" in line for line in one.lines()))
        assert one.end() == 0


def test_an_address_that_somebody_else_has_changes_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as theirs, service(tmp_path, to("mail")) as one:
        port = theirs.getsockname()[1]
        written(tmp_path, to("other") + f'listen = "tcp://127.0.0.1:{port}"\nstdin = true\n')
        one.hang_up(REFUSED)
        assert b"Address already in use" in one.told
        one.feed("still")
        assert one.end() == 0
        assert one.lines() == ["still"]


def test_what_needs_a_restart_is_named_and_the_rest_is_in_force(tmp_path: Path) -> None:
    with service(tmp_path, to("mail") + 'name = "one"\n') as one:
        written(tmp_path, to("other").replace("maildir", 'name = "two"\nsync = "batch"\nmaildir'))
        one.hang_up(b"what has changed of name, sync needs a restart")
        one.feed("anew")
        assert one.end() == 0
        assert one.lines("other") == ["anew"]
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["one"]


def test_what_the_command_line_says_still_wins(tmp_path: Path) -> None:
    with service(tmp_path, to("mail"), "--maildir", str(tmp_path / "mine"), "--to", "me@example.org") as one:
        written(tmp_path, to("other"))
        one.hang_up()
        one.feed("anew")
        assert one.end() == 0
        assert one.lines("mine") == ["anew"]
    assert not (tmp_path / "other").exists()


def test_who_confirms_goes_on_confirming(tmp_path: Path) -> None:
    with service(tmp_path, to("mail") + "confirm = true\n") as one:
        assert one.process.stdout
        assert one.process.stdout.readline() == b"OK\n"
        written(tmp_path, to("other"))
        one.hang_up(b"what has changed of confirm needs a restart")
        one.feed("anew")
        assert one.process.stdout.readline() == b"OK\n"
        # It answers whoever writes to standard input, and to nobody else.
        written(tmp_path, to("other") + "journal = true\n")
        one.hang_up(REFUSED)
        assert b"--confirm answers whoever writes to standard input" in one.told
        assert one.end() == 0
        assert one.lines("other") == ["anew"]


def test_one_that_comes_while_another_is_under_way_is_obeyed_after_it() -> None:
    looks: list[int] = []
    goes_on = threading.Event()

    class Idle:
        """Whoever has nothing to do here."""

        def __getattr__(self, name: str) -> Any:
            return lambda *given, **named: None

    def look() -> dict[str, Any]:
        looks.append(len(looks))
        goes_on.wait(LONG)
        raise Misuse("nothing is right")

    idle: Any = Idle()
    hang_up = Reload(look, {}, idle, idle, notifier=idle, manners=idle)
    for _ in range(3):
        hang_up()
        until(lambda: looks)
    goes_on.set()
    until(lambda: len(looks) == 2)
    hang_up()
    until(lambda: len(looks) == 3)


def test_without_a_file_it_only_flushes(tmp_path: Path) -> None:
    box = str(tmp_path / "mail")
    with running("run", "--to", "root", "--maildir", box, "--gap", "1h", "--max-age", "2h") as process:
        catching(process)
        one = Service(tmp_path, process)
        one.feed("open")
        until(lambda: b"lines_in=1" in _counts(one))
        process.send_signal(signal.SIGHUP)
        until(lambda: one.lines() == ["open"])
        assert one.end() == 0
    assert b"configuration" not in one.told


def test_many_at_once_are_obeyed_and_no_line_is_lost(tmp_path: Path) -> None:
    with service(tmp_path, to("mail")) as one:
        for number in range(40):
            one.feed(f"line {number}")
            written(tmp_path, to("mail") + (ROUTES if number % 2 else ""))
            one.process.send_signal(signal.SIGHUP)
        assert one.end() == 0
    # A file that was just being written is one without recipients.
    assert sorted(one.lines(), key=lambda line: int(line.split()[-1])) == [f"line {number}" for number in range(40)]
    assert b"bug" not in one.told


@pytest.mark.full
def test_under_load_each_line_is_counted_once(tmp_path: Path) -> None:
    lines, text = 200_000, to("mail") + "max-age = 0.5\n"
    with service(tmp_path, text) as one:
        writer = threading.Thread(target=_flood, args=(one, lines))
        writer.start()
        turns = 0
        while writer.is_alive():
            turns += 1
            written(tmp_path, text + ROUTES.replace('"disk"', '"[02468]$"') * (turns % 2))
            one.hang_up()
        assert one.process.stdin
        one.process.stdin.close()
        assert ended(one.process)[0] == 0
    assert turns >= 2
    counts = [re.search("([0-9,]+) lines?", body) for body in mails(tmp_path / "mail")]
    assert sum(int(found[1].replace(",", "")) for found in counts if found) == lines


def _flood(one: Service, lines: int) -> None:
    assert one.process.stdin
    for first in range(0, lines, 500):
        data = "".join(f"Nov 23 12:00:00 web1 app[7]: request number {at}\n" for at in range(first, first + 500))
        view = memoryview(data.encode())
        while view:
            view = view[one.process.stdin.write(view) :]


def test_asked_to_end_while_it_reloads_it_ends_in_time(tmp_path: Path) -> None:
    (tmp_path / "a.log").touch()
    with service(tmp_path, to("mail") + 'file = "a.log"\nstdin = true\n') as one:
        one.feed("one")
        for number in range(5):
            written(tmp_path, to("mail") + f'file = ["a.log", "b{number}.log"]\nstdin = true\n')
            one.process.send_signal(signal.SIGHUP)
        one.process.terminate()
        status, seconds = ended(one.process)
        assert status == 0
        assert seconds < 6
        assert one.lines() == ["one"]


def test_the_service_manager_hears_of_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(LONG)
        where = environment() | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with service(tmp_path, to("mail"), env=where) as one:
            assert manager.recv(1000) == b"READY=1"
            for text, answer in ((to("mail"), IN_FORCE), ("gpa = 1\n", REFUSED)):
                written(tmp_path, text)
                one.hang_up(answer)
                assert manager.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
                assert manager.recv(1000) == b"READY=1"
            assert one.end() == 0
            assert manager.recv(1000) == b"STOPPING=1"


def test_a_password_is_read_again(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("one\n")
    secret.chmod(0o600)
    text = 'to = "root@example.org"\nsmtp = "smtp://me@127.0.0.1:9"\npassword-file = "password"\n'
    with service(tmp_path, text) as one:
        secret.chmod(0o644)
        one.hang_up(REFUSED)
        assert b"can be read or written by others" in one.told
        secret.chmod(0o600)
        one.hang_up()
        assert one.end() == 0
    assert b"one\n" not in one.told


def test_a_restart_goes_on_where_a_reload_was(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with service(tmp_path, to("mail") + "stdin = true\n") as one:
        written(tmp_path, to("mail") + 'file = "a.log"\n')
        one.hang_up()
        until(lambda: follows(one.process.pid, log))
        log.write_text("one\n")
        until(lambda: one.lines() == ["one"])
        assert one.end() == 0
    with log.open("a") as file:
        file.write("two\n")
    with service(tmp_path, to("mail") + 'file = "a.log"\n') as one:
        until(lambda: one.lines() == ["one", "two"])
        assert one.end() == 0


def test_a_first_configuration_that_is_broken_is_told_whole(tmp_path: Path) -> None:
    written(tmp_path, "gpa = 1\nkyey = 2\nto = 'root'\n")
    done = run("run", "-c", str(tmp_path / "alerts.toml"), lines=b"x\n")
    assert (done.returncode, done.stdout) == (78, b"")
    told = done.stderr.decode().splitlines()
    assert [line.split(": ")[:2] for line in told][:2] == [
        ["burstmail", f"{tmp_path}/alerts.toml:5"],
        ["burstmail", f"{tmp_path}/alerts.toml:6"],
    ]
