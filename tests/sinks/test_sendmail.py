"""The sendmail command: a script that ends, fails, hangs and floods in every way."""

from __future__ import annotations

import os
import resource
import signal
import stat
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from burstmail import DeliveryError, Message, PermanentDeliveryError, SendmailSink, TemporaryDeliveryError
from burstmail.sinks import sendmail
from tests.sinks.conftest import LINES

SOON = 0.3


@pytest.fixture
def script(tmp_path):
    def make(body: str, shebang: str = "#!/bin/sh\n") -> Path:
        path = tmp_path / "sendmail"
        path.write_text(f"{shebang}cd {tmp_path}\n{body}\n")
        path.chmod(0o755)
        return path

    return make


def failure(path: Path, message: Message, kind: type = TemporaryDeliveryError, **options) -> str:
    with pytest.raises(kind) as caught:
        SendmailSink(path, **options).send(message)
    told = str(caught.value)
    assert type(caught.value) is kind and told.isprintable() and str(path) in told
    return told


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    descriptors, before = os.listdir("/proc/self/fd"), children()
    yield
    assert len(os.listdir("/proc/self/fd")) == len(descriptors)
    # Other tests of the same run may have children of their own.
    assert children() <= before


def test_the_message_arrives_whole_with_unix_line_ends(script, message, tmp_path):
    path = script('cat > stdin; printf \'%s\\n\' "$0" "$@" > argv')
    assert SendmailSink(path).send(message) == {}
    assert (tmp_path / "stdin").read_bytes() == "".join(line + "\n" for line in LINES).encode()
    argv = [str(path), "-i", "-f", "ops@example.org", "--", "alice@example.org", "bob@example.org"]
    assert (tmp_path / "argv").read_text().splitlines() == argv


def test_no_sender_is_written_as_mail_servers_write_it(script, message, tmp_path):
    SendmailSink(script("printf '%s\\n' \"$@\" > argv")).send(replace(message, sender="", recipients=("a@b",)))
    assert (tmp_path / "argv").read_text().splitlines() == ["-i", "-f", "<>", "--", "a@b"]


def test_an_address_that_looks_like_an_option_is_none(script, message, tmp_path):
    path = script("cat > /dev/null; printf '%s\\n' \"$@\" > argv")
    SendmailSink(path).send(replace(message, sender="-t", recipients=("-C/etc/passwd", "a;reboot", "$(reboot)")))
    assert (tmp_path / "argv").read_text().split() == ["-i", "-f", "-t", "--", "-C/etc/passwd", "a;reboot", "$(reboot)"]


def test_a_large_message_arrives_whole(script, message, tmp_path):
    data = b"x" * 900 + b"\r\n"
    SendmailSink(script("cat > stdin")).send(replace(message, data=data * 10_000))
    assert (tmp_path / "stdin").read_bytes() == b"".join([b"x" * 900 + b"\n"] * 10_000)


@pytest.mark.parametrize("status", range(256))
def test_every_exit_status_means_something(script, message, status):
    path = script(f"exit {status}")
    message = replace(message, recipients=("alice@example.org",))
    if status == 0:
        assert SendmailSink(path).send(message) == {}
        return
    permanent = status in (64, 65, 67, 68)
    told = failure(path, message, PermanentDeliveryError if permanent else TemporaryDeliveryError)
    assert f"exited with {status}" in told


def told_of_each(path: Path, message: Message, **options) -> dict[str, tuple[type, str]]:
    outcome = SendmailSink(path, **options).send(message)
    return {name: (type(error), str(error)) for name, error in outcome.items()}


@pytest.mark.parametrize(
    ("status", "name"), [(64, "usage"), (65, "bad data"), (67, "no such user"), (68, "no such host")]
)
def test_one_refused_recipient_does_not_cost_the_others_their_mail(script, message, tmp_path, status, name):
    path = script(f'echo "$@" >> argv; case "$*" in *bob*) echo who is that >&2; exit {status};; esac; cat >> taken')
    error = f"{path} exited with {status} ({name}): who is that"
    assert told_of_each(path, message) == {"bob@example.org": (PermanentDeliveryError, error)}
    # All together first, as ever, and then each alone, with the whole mail.
    given = [line.partition("-- ")[2] for line in (tmp_path / "argv").read_text().splitlines()]
    assert given == ["alice@example.org bob@example.org", "alice@example.org", "bob@example.org"]
    assert (tmp_path / "taken").read_bytes() == message.data.replace(b"\r\n", b"\n")


def test_recipients_fail_each_in_its_own_way(script, message):
    path = script('case "$*" in *alice*bob*) exit 67;; *alice*) exit 75;; *) exit 68;; esac')
    assert told_of_each(path, message) == {
        "alice@example.org": (TemporaryDeliveryError, f"{path} exited with 75"),
        "bob@example.org": (PermanentDeliveryError, f"{path} exited with 68 (no such host)"),
    }


def test_a_refusal_of_all_names_each(script, message):
    told = told_of_each(script("exit 67"), message)
    assert [*told] == list(message.recipients)
    assert {kind for kind, _ in told.values()} == {PermanentDeliveryError}


def test_a_temporary_failure_of_several_is_one(script, message, tmp_path):
    failure(script("echo >> runs; exit 75"), message)
    assert (tmp_path / "runs").read_text() == "\n"


def test_one_by_one_has_the_same_deadline(script, message):
    path = script('case "$*" in *alice*bob*) exit 67;; *) exec sleep 60;; esac')
    started = time.monotonic()
    told = told_of_each(path, message, timeout=SOON)
    assert time.monotonic() - started < 2
    assert {kind for kind, _ in told.values()} == {TemporaryDeliveryError}
    assert told["bob@example.org"][1] == f"{path}: no time was left of {SOON:g} s"


HARMLESS = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
STOPS = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


@pytest.mark.parametrize("number", sorted(int(name) for name in signal.valid_signals() - HARMLESS - STOPS))
def test_death_by_a_signal_is_temporary(script, message, number):
    # SIGPIPE and SIGXFSZ are ignored in Python: had the child inherited that, it would live.
    assert f"killed by signal {number}" in failure(script(f"ulimit -c 0; kill -{number} $$; exit 0"), message)


def test_what_it_says_is_in_the_error_on_one_line(script, message):
    path = script("cat > /dev/null; printf 'postdrop: \\033[31mwarning\\nsecond\\n' >&2; exit 75")
    assert failure(path, message) == f"{path} exited with 75: postdrop: \\x1b[31mwarning\\x0asecond"


def test_what_it_prints_goes_nowhere(script, message, capfd):
    SendmailSink(script("echo noise; echo more >&2")).send(message)
    assert capfd.readouterr() == ("", "")


def test_a_flood_of_words_is_read_and_mostly_forgotten(script, message):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = failure(script("head -c 50000000 /dev/zero | tr '\\0' x >&2; exit 75"), message)
    assert told.endswith("x" * sendmail.KEPT) and told.count("x" * 50) == sendmail.KEPT // 50
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize("status", [0, 75])
def test_ending_before_reading_is_judged_by_the_status(script, message, status):
    large = replace(message, data=b"x" * 5_000_000)
    path = script(f"exec <&-; exit {status}")
    if status:
        assert "exited with 75" in failure(path, large)
    else:
        assert SendmailSink(path).send(large) == {}


@pytest.mark.parametrize(
    "body",
    [
        "sleep 60",
        "cat > /dev/null; sleep 60",
        "exec 2>&- >&-; sleep 60",
        "trap '' TERM INT HUP; sleep 60",
        "yes >&2",
        "while :; do :; done",
        "kill -STOP $$",
    ],
)
def test_a_command_that_hangs_is_killed_at_the_deadline(script, message, body):
    start = time.monotonic()
    told = failure(script(body), message, timeout=SOON)
    assert SOON <= time.monotonic() - start < SOON + 2
    assert "still running after 0.3 s" in told


@pytest.mark.parametrize(
    "fault",
    [
        "exit 1",
        "exit 67",
        "exit 75",
        "exec <&-; exit 75",
        "kill -KILL $$",
        "kill -STOP $$",
        "cat > /dev/null; sleep 60",
        "head -c 1000000 /dev/zero >&2; exit 75",
        "yes >&2",
    ],
)
def test_after_a_fault_the_next_mail_gets_through(script, message, tmp_path, fault):
    sink = SendmailSink(script(f"if mkdir faulted 2> /dev/null; then {fault}; fi; cat > stdin"), timeout=1)
    message = replace(message, recipients=("alice@example.org",))
    with pytest.raises(DeliveryError):
        sink.send(message)
    # The machine may be busy.
    sink._timeout = 60
    assert sink.send(message) == {}
    assert (tmp_path / "stdin").read_bytes() == message.data.replace(b"\r\n", b"\n")


def test_after_it_could_not_be_run_the_next_mail_gets_through(script, message):
    path = script("exit 0")
    sink = SendmailSink(path)
    path.rename(path.with_name("away"))
    with pytest.raises(TemporaryDeliveryError, match="cannot run"):
        sink.send(message)
    path.with_name("away").rename(path)
    assert sink.send(message) == {}


def test_a_command_that_cannot_be_killed_is_left_alone_but_never_joined_by_another(
    script, message, tmp_path, monkeypatch
):
    def forbidden(pid: int, number: int) -> None:
        raise PermissionError

    path = script("exec 2>&-; echo $$ >> pids; test -e quick || sleep 60")
    sink = SendmailSink(path, timeout=SOON)
    monkeypatch.setattr(sendmail, "LEAVE", 0.2)
    start = time.monotonic()
    with monkeypatch.context() as powerless:
        # As when the command has become another user, which some mail servers' does.
        powerless.setattr(os, "kill", forbidden)
        powerless.setattr(os, "killpg", forbidden)
        with pytest.raises(TemporaryDeliveryError, match="still running after 0.3 s"):
            sink.send(message)
    assert time.monotonic() - start < SOON + 2
    (pid,) = map(int, (tmp_path / "pids").read_text().split())
    with pytest.raises(TemporaryDeliveryError, match=rf"earlier mail is still running \(pid {pid}\)"):
        sink.send(message)
    assert len((tmp_path / "pids").read_text().split()) == 1
    os.killpg(pid, signal.SIGKILL)
    (tmp_path / "quick").touch()
    sink._timeout = 60
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert sink.send(message) == {}
            break
        except TemporaryDeliveryError:
            time.sleep(0.01)
    assert len((tmp_path / "pids").read_text().split()) == 2


def test_a_status_that_somebody_else_collected_is_not_taken_for_success(script, message):
    def collect(*arguments: object) -> None:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    before = signal.signal(signal.SIGCHLD, collect)
    try:
        told = failure(script("exec 2>&-; sleep 0.2; exit 75"), message)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert "its exit status was lost" in told


def test_its_helpers_are_killed_with_it(script, message, tmp_path):
    failure(script("sleep 60 & echo $! > helper; echo $$ > self; sleep 60"), message, timeout=SOON)
    pids = [int((tmp_path / name).read_text()) for name in ("helper", "self")]
    deadline = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, pids))


def test_a_helper_left_behind_is_neither_waited_for_nor_killed(script, message, tmp_path):
    path = script("sleep 60 & echo $! > helper; echo delivered in the background >&2; exit 0")
    start = time.monotonic()
    assert SendmailSink(path).send(message) == {}
    assert time.monotonic() - start < 2
    helper = int((tmp_path / "helper").read_text())
    assert alive(helper)
    os.kill(helper, signal.SIGKILL)


def test_last_words_are_heard_although_a_helper_keeps_talking(script, message, tmp_path):
    told = failure(script("sleep 60 & echo $! > helper; echo no queue >&2; exit 71"), message)
    assert told.endswith("exited with 71: no queue")
    os.kill(int((tmp_path / "helper").read_text()), signal.SIGKILL)


def test_it_runs_in_a_group_of_its_own(script, message, tmp_path):
    SendmailSink(script("cut -d' ' -f1,5 /proc/$$/stat > group")).send(message)
    pid, group = (tmp_path / "group").read_text().split()
    assert pid == group


def test_it_inherits_no_descriptors(script, message, tmp_path):
    reader, writer = os.pipe()
    os.dup2(writer, 200, inheritable=True)
    SendmailSink(script("test -e /proc/$$/fd/200 && echo yes > inherited; exit 0")).send(message)
    for fd in (reader, writer, 200):
        os.close(fd)
    assert not (tmp_path / "inherited").exists()


def test_a_command_that_goes_away_is_temporary(script, message):
    path = script("exit 0")
    sink = SendmailSink(path)
    path.unlink()
    with pytest.raises(TemporaryDeliveryError, match=r"cannot run .*sendmail: No such file"):
        sink.send(message)


def test_a_command_the_system_cannot_run_is_temporary(script, message):
    assert "Exec format error" in failure(script("", shebang="\x7fELF"), message)


def test_an_address_no_argument_can_carry_is_permanent(script, message):
    told = failure(script("exit 0"), replace(message, recipients=("a\0b",)), PermanentDeliveryError)
    assert "null byte" in told


def test_ignored_children_are_not_taken_for_success(script, message):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with pytest.raises(TemporaryDeliveryError, match="SIGCHLD"):
            SendmailSink(script("exit 75")).send(message)
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("mode", [None, 0o644, "directory"])
def test_a_path_that_is_no_command_is_refused_at_once(tmp_path, mode):
    path = tmp_path / "sendmail"
    if mode == "directory":
        path.mkdir()
    elif mode is not None:
        path.write_text("#!/bin/sh\n")
        path.chmod(mode)
        assert not path.stat().st_mode & stat.S_IXUSR
    with pytest.raises(FileNotFoundError, match="no such command") as caught:
        SendmailSink(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_usual_places_come_before_the_path(script, monkeypatch, tmp_path):
    path = script("exit 0")
    monkeypatch.setattr(sendmail, "PLACES", ("/nonexistent/sendmail", str(path)))
    monkeypatch.setenv("PATH", "/nonexistent")
    assert repr(SendmailSink()) == f"SendmailSink({str(path)!r})"


def test_the_path_is_searched_last(script, monkeypatch, tmp_path):
    path = script("exit 0")
    monkeypatch.setattr(sendmail, "PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repr(SendmailSink()) == f"SendmailSink({str(path)!r})"


def test_a_machine_without_sendmail_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(sendmail, "PLACES", ())
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(FileNotFoundError, match="use SMTP or a Maildir"):
        SendmailSink()


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_that_is_none_is_refused(script, timeout):
    with pytest.raises(ValueError, match="timeout"):
        SendmailSink(script("exit 0"), timeout=timeout)


def test_without_memfd_a_temporary_file_serves(script, message, tmp_path, monkeypatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    SendmailSink(script("cat > stdin")).send(message)
    assert (tmp_path / "stdin").read_bytes() == message.data.replace(b"\r\n", b"\n")


def test_a_burst_without_a_composer_is_a_mistake(script, burst):
    with pytest.raises(TypeError, match="put a Composer before it"):
        SendmailSink(script("exit 0")).send(burst)
