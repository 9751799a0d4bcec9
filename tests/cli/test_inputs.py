"""Where lines come from, as the command line says it: what is made of it, what makes no sense, and real runs."""

from __future__ import annotations

import re
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import burstmail
from burstmail import StreamSource, SyslogSource
from burstmail.cli import inputs, options
from burstmail.cli.reading import Reading
from tests.cli.process import HASTY, catching, ended, follows, mails, run, running, shown, until


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What sources were made with; none is."""
    calls: list[tuple[Any, ...]] = []
    for name in ("FileSource", "JournalSource", "SyslogSource"):
        maker = lambda *given, _name=name, **named: calls.append((_name, given, named))  # noqa: E731 - one of three
        monkeypatch.setattr(burstmail, name, maker, raising=False)
    return calls


def given(*arguments: str) -> dict[str, Any]:
    found = options.parse(["--to", "root", *arguments])
    inputs.check_inputs(found)
    return found


def opened(found: dict[str, Any]) -> Reading:
    return Reading(inputs.inputs_of(found))


def test_without_a_word_standard_input_is_read() -> None:
    (source,) = opened(given()).sources
    assert isinstance(source, StreamSource)


def test_every_option_reaches_its_source(
    made: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("cert.pem", "key.pem", "ca.pem"):
        Path(file).touch()
    where = ("--file", "/var/log/a", "--file", "/var/log/b/*.log", "--journal", "--from-beginning")
    which = ("--journal-match", "_UID=0", "--journal-match", "A=b", "--journal-directory", "/var/log/journal/remote")
    who = ("--listen", "udp://[::1]:514", "--listen", "tls://[::1]:6514", "--allow", "::1", "--allow", "192.0.2.0/24")
    secret = ("--tls-cert", "cert.pem", "--tls-key", "key.pem", "--tls-client-ca", "ca.pem")
    opened(given(*where, *which, *who, *secret))
    tls = burstmail.TLS(certificate="cert.pem", key="key.pem", client_ca="ca.pem")
    matches = {"directory": "/var/log/journal/remote", "start": "beginning"}
    assert made == [
        ("FileSource", ("/var/log/a", "/var/log/b/*.log"), {"start": "beginning"}),
        (
            "SyslogSource",
            ("udp://[::1]:514", "tls://[::1]:6514"),
            {"tls": tls, "allow": ["::1", "192.0.2.0/24"]},
        ),
        ("JournalSource", ("_UID=0", "A=b"), matches),
    ]


def test_what_is_new_is_read_from_its_end(made: list[tuple[Any, ...]]) -> None:
    opened(given("--file", "/var/log/a", "--journal"))
    assert [named["start"] for _, _, named in made] == ["end", "end"]


def test_standard_input_is_read_beside_others_if_it_is_asked_for(made: list[tuple[Any, ...]]) -> None:
    assert len(opened(given("--file", "/var/log/a")).sources) == 1
    first, _ = opened(given("--file", "/var/log/a", "--stdin")).sources
    assert isinstance(first, StreamSource)


def test_what_systemd_passes_goes_where_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    listening, (one, other) = socket.create_server(("127.0.0.1", 0)), socket.socketpair()
    with listening, one, other:
        passed = [
            burstmail.Passed(name="burstmail.socket", stream=listening, listens=True),
            burstmail.Passed(name="connection", stream=one, listens=False),
        ]
        monkeypatch.setattr(burstmail, "activated", lambda: tuple(passed))
        found = opened(given("--listen", "systemd", "--listen", "udp://127.0.0.1:0"))
        syslog, stream = found.sources
        assert isinstance(syslog, SyslogSource) and isinstance(stream, StreamSource)
        assert len(syslog.addresses) == 2


def test_all_are_closed_together() -> None:
    class Closing:
        closed = 0

        def __iter__(self) -> Iterator[Any]:
            return iter(())

        def close(self) -> None:
            self.closed += 1

    sources = [Closing(), Closing()]
    made = iter(sources)
    Reading([inputs.Input(key=(name,), make=lambda: [next(made)]) for name in "ab"]).close()
    assert [source.closed for source in sources] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from-beginning",), "--from-beginning says where --file and --journal begin: add one of them"),
        (("--from-beginning", "--listen", "udp://[::1]:0"), "--from-beginning says where --file and --journal begin"),
        (("--journal-match", "_UID=0"), "--journal-match chooses entries of the journal: add --journal"),
        (("--journal-directory", "/x", "--file", "/y"), "--journal-directory says where the journal is: add --journal"),
        (("--allow", "::1", "--journal"), "--allow says whom to listen to: add --listen URL"),
        (("--tls-key", "/x", "--listen", "tls://[::1]:0"), "--tls-key belongs to a certificate: add --tls-cert FILE"),
        (("--tls-client-ca", "/x", "--listen", "systemd"), "--tls-client-ca belongs to a server with a certificate"),
        (("--tls-cert", "/x"), "--tls-cert is for --listen tls://ADDRESS:PORT, which is missing"),
        (("--tls-cert", "/x", "--listen", "tcp://[::1]:0"), "--tls-cert is for --listen tls://ADDRESS:PORT"),
        (("--listen", "tls://[::1]:0"), "--listen tls://[::1]:0 needs --tls-cert FILE"),
        (("--confirm", "--file", "/x"), "--confirm answers whoever writes to standard input: it goes with no other"),
        (("--confirm", "--stdin", "--journal"), "--confirm answers whoever writes to standard input"),
        (("--listen", "systemd"), "--listen systemd: systemd passed no sockets: start it from a .socket unit"),
        (("--listen", "http://[::1]:0"), "'http://[::1]:0': begin it with udp://, tcp://, tls:// or unix://"),
        (("--listen", "udp://192.0.2.1:5514"), "cannot listen on udp://192.0.2.1:5514"),
        (("--listen", "udp://[::1]:0", "--allow", "everybody"), "'everybody': no network"),
        (("--listen", "tls://[::1]:0", "--tls-cert", "/none"), "--tls-cert /none: No such file"),
        (("--journal", "--journal-match", "-x"), "-x"),
        (("--file", ""), "argument --file: '' is no path"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(arguments: tuple[str, ...], words: str) -> None:
    if "-x" in arguments:
        arguments = ("--journal", "--journal-match=-x")
    with pytest.raises(options.Misuse, match=re.escape(words)) as caught:
        opened(given(*arguments))
    assert "\n" not in str(caught.value)
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key", "--tls-client-ca"])
def test_a_file_of_tls_that_cannot_be_read_names_its_option(option: str, tmp_path: Path) -> None:
    (tmp_path / "there.pem").touch()
    secret = {"--tls-cert": str(tmp_path / "there.pem"), option: "nope.pem"}
    words = f"{option} nope.pem: No such file or directory: name a PEM file that this user may read"
    with pytest.raises(options.Misuse, match=f"^{re.escape(words)}$"):
        opened(given("--listen", "tls://[::1]:0", *(word for pair in secret.items() for word in pair)))


def test_a_unix_socket_without_a_directory_says_what_to_do() -> None:
    with pytest.raises(options.Misuse, match="^cannot listen on unix:///nodir/x: No such .*: make the directory first"):
        opened(given("--listen", "unix:///nodir/x"))


def test_a_directory_of_no_journals_is_told_of(
    made: list[tuple[Any, ...]], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    missing, empty, full, nested = (tmp_path / name for name in ("missing", "empty", "full", "nested"))
    for path in (full / "remote.journal", nested / "0123456789abcdef0123456789abcdef" / "system.journal"):
        path.parent.mkdir(parents=True)
        path.touch()
    empty.mkdir()
    for directory in (missing, empty, full, nested):
        opened(given("--journal", "--journal-directory", str(directory)))
    assert caplog.messages == [
        f"no journal files are found in {directory}: they are waited for" for directory in (missing, empty)
    ]
    assert len(made) == 4
    file = full / "remote.journal"
    with pytest.raises(options.Misuse, match=f"^--journal-directory {re.escape(str(file))} is no directory: name the"):
        opened(given("--journal", "--journal-directory", str(file)))


def test_what_belongs_together_is_taken() -> None:
    given("--listen", "systemd", "--tls-cert", "/x", "--tls-key", "/y", "--tls-client-ca", "/z", "--allow", "::1")
    given("--journal", "--journal-match", "_UID=0", "--journal-directory", "/x", "--from-beginning", "--stdin")
    given("--file", "/x", "--from-beginning")
    given("--stdin", "--confirm")


def test_a_file_that_is_not_there_is_waited_for_and_told_of(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    opened(given("--file", str(tmp_path / "there"), "--file", str(tmp_path / "*.log")))
    assert not caplog.messages
    opened(given("--file", str(tmp_path / "app.lgo")))
    assert caplog.messages == [f"there is no file {tmp_path / 'app.lgo'} yet: it is waited for"]


@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ((1024, 524288), (4096, 524288)),
        ((1024, 2048), (2048, 2048)),
        ((1024, resource.RLIM_INFINITY), (4096, resource.RLIM_INFINITY)),
        ((8192, 524288), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_files_and_connections_leave_each_other_descriptors(
    made: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[int, int],
    raised: tuple[int, int] | None,
) -> None:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda what: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda what, both: found.append(both))
    opened(given("--file", "/var/log/*.log"))
    opened(given("--listen", "udp://[::1]:0"))
    assert not found
    opened(given("--file", "/var/log/*.log", "--listen", "udp://[::1]:0"))
    assert set(found) == ({raised} if raised else set())


# Real runs


def test_a_wrong_source_is_a_wrong_option(tmp_path: Path) -> None:
    done = run("--to", "root", "--maildir", str(tmp_path), "--tls-cert", "x")
    assert (done.returncode, done.stderr.count(b"\n")) == (78, 1)


def _port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_lines_of_several_sources_are_one_stream_and_a_signal_ends_all(tmp_path: Path) -> None:
    port, path, box = _port(socket.SOCK_DGRAM), tmp_path / "log", tmp_path / "mail"
    places = ("--listen", f"udp://127.0.0.1:{port}", "--listen", f"unix://{path}", "--stdin")
    with running("--to", "root", "--maildir", str(box), *places, command=HASTY) as process:
        catching(process)
        until(path.exists)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>Nov 23 10:00:00 web1 a: by udp", ("127.0.0.1", port))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>Nov 23 10:00:01 a: by unix", str(path))
        assert process.stdin and process.stderr
        process.stdin.write(b"by standard input\n")
        # Its end ends none of the others.
        process.stdin.close()
        process.send_signal(signal.SIGTERM)
        status, seconds = ended(process)
        assert (status, process.stderr.read()) == (0, b"")
    assert seconds < 5
    assert not path.exists()
    (text,) = mails(box)
    assert {line.rpartition(" ")[2] for line in shown(text)} == {"udp", "unix", "input"}


def test_a_message_of_several_lines_goes_where_its_first_line_goes(tmp_path: Path) -> None:
    path, box = tmp_path / "log", tmp_path / "mail"
    sieve = ("--at-least", "err", "--key", "host,program", "--gap", "0.2s")
    with running("--to", "root", "--maildir", str(box), "--listen", f"unix://{path}", *sieve) as process:
        until(path.exists)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(path))
            sender.send(b"<11>Nov 23 10:00:00 web1 app: lost\n#0 abort\n#1 main")
            sender.send(b"<14>Nov 23 10:00:00 web1 app: fine\n#0 nothing")
        until(lambda: mails(box))
        process.terminate()
        ended(process)
    (text,) = mails(box)
    assert [line.split()[-1] for line in shown(text)] == ["lost", "abort", "main"]


def test_only_lines_that_count_are_mailed(tmp_path: Path) -> None:
    lines = b"".join(b"<%d>Nov 23 10:00:00 web1 sshd[1]: %s\n" % row for row in (
        (35, b"Failed one"), (38, b"Failed two"), (35, b"good"), (35, b"Failed probe"), (33, b"Failed three"),
    ))  # fmt: skip
    sieve = ("--at-least", "err", "--program", "ssh*", "--include", "Failed", "--exclude", "probe")
    done = run("--to", "root", "--maildir", str(tmp_path), *sieve, lines=lines)
    assert (done.returncode, done.stderr) == (0, b"")
    (text,) = mails(tmp_path)
    assert [line.rpartition(" ")[2] for line in shown(text)] == ["one", "three"]


def test_what_stays_below_a_threshold_is_mailed_by_nobody(tmp_path: Path) -> None:
    done = run("--to", "root", "--maildir", str(tmp_path), "--threshold", "3/5m", "--key", "host", lines=(
        b"Nov 23 10:00:00 web1 a: 1\n" * 3 + b"Nov 23 10:00:00 web2 a: 2\n" * 2
    ))  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert [len(shown(text)) for text in mails(tmp_path)] == [3]
    assert (
        run("--to", "root", "--maildir", str(tmp_path / "none"), "--threshold", "3/5m", lines=b"a\n" * 2).returncode
        == 0
    )
    assert mails(tmp_path / "none") == []


def test_a_stack_trace_is_one_record(tmp_path: Path) -> None:
    lines = b"ERROR: lost\nTraceback (most recent call last):\n  line 1\nKeyError: 7\nINFO: found\n"
    done = run("--to", "root", "--maildir", str(tmp_path), "--join", "--include", "KeyError", lines=lines)
    assert (done.returncode, done.stderr) == (0, b"")
    (text,) = mails(tmp_path)
    assert len(shown(text)) == 4


def test_an_urgent_line_does_not_wait_for_quiet(tmp_path: Path) -> None:
    with running("--to", "root", "--maildir", str(tmp_path), "--gap", "1h", "--urgent", "panic") as process:
        assert process.stdin
        process.stdin.write(b"fine\nkernel panic\n")
        until(lambda: mails(tmp_path))
    assert len(mails(tmp_path)) == 1


def test_a_file_is_read_on_where_it_was_through_a_rotation_while_nobody_read(tmp_path: Path) -> None:
    log, box = tmp_path / "app.log", tmp_path / "mail"
    log.write_text("old\n")
    follow = ("--to", "root", "--maildir", str(box), "--cool-down", "off", "--gap", "200ms", "--file", str(log))
    following = (*follow, "--state", str(tmp_path / "state"))
    with running(*following, stdin=subprocess.DEVNULL) as process:
        until(lambda: list((tmp_path / "state").glob("*/store.db")))
        until(lambda: follows(process.pid, log))
        _append(log, "one\n")
        until(lambda: mails(box))
        # Not asked to end: the position is kept with the lines, and not at the end.
        process.kill()
        process.wait()
    _append(log, "two\n")
    log.rename(tmp_path / "app.log.1")
    log.write_text("three\n")
    with running(*following, stdin=subprocess.DEVNULL) as process:
        until(lambda: len([line for text in mails(box) for line in shown(text)]) >= 3)
        process.terminate()
        assert ended(process)[0] == 0
    assert sorted(line for text in mails(box) for line in shown(text)) == ["one", "three", "two"]


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)
