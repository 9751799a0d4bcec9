"""`burstmail run -- COMMAND`, as cron runs it: real commands, real signals, real pipes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import resource
import signal
import stat
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import COMMAND, LONG, environment, mails, shown, until
from tests.cli.process import run as started


def run(place: Path, *words: str, options: tuple[str, ...] = (), **more: Any) -> subprocess.CompletedProcess[bytes]:
    """A job, with mail into a Maildir."""
    given = ("run", "--to", "root", "--maildir", str(place / "mail"), *options, "--", *words)
    return started(*given, command=COMMAND, **more)


def sh(place: Path, script: str, *options: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return run(place, "sh", "-c", script, options=options, **more)


def opening(mail: str) -> str:
    return mail.split("\n", 1)[0]


def subjects(place: Path) -> list[str]:
    found = sorted((place / "mail" / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    heads = [path.read_text().split("\n\n")[0].replace("\n ", " ") for path in found]
    return [re.findall("^Subject: (.*)$", head, re.MULTILINE)[0] for head in heads]


# How it ends.


def test_a_failure_is_one_mail_with_what_was_written_as_it_was_written(tmp_path: Path) -> None:
    done = sh(tmp_path, "for i in $(seq 20); do echo out $i; echo err $i >&2; done; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")
    (mail,) = mails(tmp_path / "mail")
    assert re.search(r"done; exit 3': exit status 3 after .*\. 40 lines from sh", mail)
    assert "".join(f"  out {number}\n  err {number}\n" for number in range(1, 21)) in mail
    assert re.fullmatch(r"\[burstmail\] sh: exit status 3 after .*, 40 lines: .*", subjects(tmp_path)[0])


def test_nothing_comes_of_a_quiet_success(tmp_path: Path) -> None:
    done = run(tmp_path, "true")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert mails(tmp_path / "mail") == []


def test_a_success_that_says_something_is_mailed(tmp_path: Path) -> None:
    assert run(tmp_path, "echo", "12 files").returncode == 0
    (mail,) = mails(tmp_path / "mail")
    assert opening(mail).startswith("echo '12 files': done after ")
    assert "\n  12 files\n" in mail


def test_jobs_that_left_nothing_are_one_line_of_the_queue(tmp_path: Path) -> None:
    jobs = [("echo", "a"), ("echo", "b"), ("true",)]
    for number, words in enumerate(jobs, 1):
        assert run(tmp_path, *words).returncode == 0
        listed = started("queue").stdout.decode().splitlines()
        assert len(listed) == 1
        assert listed[0].count("echo-") + listed[0].count("true-") == number
    assert listed[0].startswith("nothing is kept under echo-")
    assert listed[0].endswith("; no burstmail of these names runs")
    # What is left of one is told as ever.
    lost = ("run", "--to", "root", "--name", "lost", "--smtp", "smtp://127.0.0.1:9", "--", "echo", "c")
    assert started(*lost, command=COMMAND).returncode == 0
    first, *letter, last = started("queue").stdout.decode().splitlines()
    assert first.startswith("lost: 1 mail waiting, 0 dead; no burstmail of this name runs")
    assert "  waits  " in letter[0]
    assert last == listed[0]


def test_a_success_is_not_mailed_where_only_failures_are_wanted(tmp_path: Path) -> None:
    assert sh(tmp_path, "echo noise", "--only-if-failed").returncode == 0
    assert mails(tmp_path / "mail") == []
    assert sh(tmp_path, "echo noise; exit 1", "--only-if-failed").returncode == 1
    assert "\n  noise\n" in mails(tmp_path / "mail")[0]


def test_a_silent_failure_is_mailed(tmp_path: Path) -> None:
    assert run(tmp_path, "false").returncode == 1
    assert re.match(r"false: exit status 1 after .*\. No lines\.\n", mails(tmp_path / "mail")[0])


@pytest.mark.parametrize("own", [{}, {"LC_CTYPE": "C.UTF-8"}, {"LANG": "C"}])
def test_the_environment_is_what_it_would_be(tmp_path: Path, own: dict[str, str]) -> None:
    """In the C locale, so in every crontab, Python adds LC_CTYPE to its own (PEP 538)."""
    kept = {name: value for name, value in environment().items() if name != "LANG" and not name.startswith("LC_")}
    given = kept | own
    done = run(tmp_path, "env", "-0", options=("--tee",), env=given)
    assert dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if entry) == given


@pytest.mark.parametrize("status", [2, 127, 255])
def test_the_status_is_the_command_s(tmp_path: Path, status: int) -> None:
    assert sh(tmp_path, f"exit {status}").returncode == status


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGPIPE"])
def test_a_command_that_is_killed_has_the_status_a_shell_would_show(tmp_path: Path, name: str) -> None:
    number = getattr(signal, name)
    assert sh(tmp_path, f"kill -{number} $$").returncode == 128 + number
    assert f"killed by {name} after" in opening(mails(tmp_path / "mail")[0])


def test_a_signal_without_a_name_is_told_by_its_number(tmp_path: Path) -> None:
    number = signal.SIGRTMIN + 3
    assert sh(tmp_path, f"kill -{number} $$").returncode == 128 + number
    assert f"killed by signal {number} after" in opening(mails(tmp_path / "mail")[0])


def test_a_command_without_a_name_is_not_there(tmp_path: Path) -> None:
    """A variable that is not set, in a crontab: `-- "$JOB"`. As env(1) has it."""
    done = run(tmp_path, "", "--all")
    assert (done.returncode, done.stderr) == (127, b"")
    assert opening(mails(tmp_path / "mail")[0]).startswith("'' --all: cannot be run: No such file or directory")


def test_a_command_that_is_not_there_is_127_and_a_mail(tmp_path: Path) -> None:
    assert run(tmp_path, "no-such-command", "x").returncode == 127
    assert opening(mails(tmp_path / "mail")[0]).startswith("no-such-command x: cannot be run: No such file")


def test_a_command_that_cannot_be_executed_is_126_and_a_mail(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    assert run(tmp_path, str(tmp_path / "data")).returncode == 126
    assert "cannot be run: Permission denied" in opening(mails(tmp_path / "mail")[0])


def test_a_script_without_its_first_line_is_run_by_sh(tmp_path: Path) -> None:
    script = tmp_path / "job"
    script.write_text('echo "$1 $2"; exit 4\n')
    script.chmod(0o755)
    assert run(tmp_path, str(script), "a b", "c").returncode == 4
    assert "\n  a b c\n" in mails(tmp_path / "mail")[0]
    path = environment() | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert run(tmp_path, "job", "a b", "c", env=path).returncode == 4


# What it gets.


def test_standard_input_is_the_command_s(tmp_path: Path) -> None:
    assert run(tmp_path, "cat", lines=b"from outside\n").returncode == 0
    assert "\n  from outside\n" in mails(tmp_path / "mail")[0]


def test_standard_input_may_be_a_file_and_what_survives_is_kept_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("from a file\n")
    with (tmp_path / "in").open() as file:
        options = ("run", "--to", "root", "--smtp", "smtp://127.0.0.1:9", "--state", str(tmp_path / "s"))
        done = subprocess.run([*COMMAND, *options, "--", "cat"], stdin=file, timeout=LONG, capture_output=True)
    assert done.returncode == 0
    assert b"kept for the next start" in done.stderr
    assert [path.name[:4] for path in (tmp_path / "s").iterdir()] == ["cat-"]


def test_signals_are_as_they_were(tmp_path: Path) -> None:
    program = """if True:
        import signal
        print(sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))))
        for line in open("/proc/self/status"):
            if line.startswith("SigIgn"):
                # 32 and 33 are the C library's own.
                print(hex(int(line.split()[1], 16) & 0x7fffffff))
    """

    def begin() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGWINCH})
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    words = [sys.executable, "-c", program]
    plain = subprocess.run(words, capture_output=True, text=True, check=True, preexec_fn=begin).stdout
    run(tmp_path, *words, preexec_fn=begin)
    (mail,) = mails(tmp_path / "mail")
    assert "".join(f"  {line}\n" for line in plain.splitlines()) in mail


def test_descriptors_are_the_three_and_no_others(tmp_path: Path) -> None:
    sh(tmp_path, "ls -l /proc/self/fd | wc -l; [ /proc/self/fd/1 -ef /proc/self/fd/2 ] && echo one pipe")
    # The three, that of the directory, and the head of the list.
    assert "\n  5\n  one pipe\n" in mails(tmp_path / "mail")[0]


def test_closed_descriptors_confuse_nothing(tmp_path: Path) -> None:
    line = " ".join([*COMMAND, "run", "--to", "root", "--maildir", str(tmp_path / "mail"), "--", "sh", "-c"])
    done = subprocess.run(["sh", "-c", f"{line} 'echo out; echo err >&2; exit 3' <&- >&- 2>&-"], env=environment())
    assert done.returncode == 3
    assert "\n  out\n  err\n" in mails(tmp_path / "mail")[0]


# Signals.


def telling(place: Path, *, program: str = "") -> list[str]:
    """A command that writes the signals it gets, and ends on SIGTERM or when told to."""
    names = "SIGINT SIGHUP SIGQUIT SIGUSR1 SIGUSR2 SIGCONT SIGTERM"
    program = f"""
import signal, sys
def got(number, frame):
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(5)
for name in {names.split()!r}:
    signal.signal(getattr(signal, name), got)
open({str(place / "ready")!r}, "w").close()
{program}
while True:
    signal.pause()
"""
    return [sys.executable, "-c", program]


class Started:
    """A job in the background."""

    def __init__(self, place: Path, *words: str, options: tuple[str, ...] = (), **more: Any) -> None:
        given = ["run", "--to", "root", "--maildir", str(place / "mail"), *options, "--", *words]
        more = {"env": environment(), "stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE} | more
        self.process = subprocess.Popen([*COMMAND, *given], **more)

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


PASSED = ["SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT"]


def test_signals_are_passed_on_and_it_waits_for_the_end(tmp_path: Path) -> None:
    with Started(tmp_path, *telling(tmp_path), options=("--tee",), stdout=subprocess.PIPE) as process:
        until((tmp_path / "ready").exists)
        assert process.stdout
        for name in [*PASSED, "SIGTERM"]:
            process.send_signal(getattr(signal, name))
            assert process.stdout.readline() == f"{name}\n".encode()
        assert process.wait(LONG) == 5
    (mail,) = mails(tmp_path / "mail")
    assert "exit status 5" in opening(mail)
    assert "".join(f"  {name}\n" for name in [*PASSED, "SIGTERM"]) in mail


def test_what_the_command_sends_does_not_come_back(tmp_path: Path) -> None:
    program = "import os, time; os.kill(os.getppid(), signal.SIGUSR1); time.sleep(0.5); sys.exit(6)"
    with Started(tmp_path, *telling(tmp_path, program=program)) as process:
        assert process.wait(LONG) == 6
    assert "SIGUSR1" not in mails(tmp_path / "mail")[0].split("Shown:")[1]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def stopped(pid: int) -> bool:
    return state(pid) == "T"


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_stop_is_passed_on_stops_us_too_and_both_go_on(tmp_path: Path) -> None:
    # In a group of its own, as a shell with job control does it: else the kernel ignores stops.
    script = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; exit 3"
    with Started(tmp_path, "sh", "-c", script, process_group=0) as process:
        until(lambda: children(process.pid))
        (command,) = children(process.pid)
        process.send_signal(signal.SIGTSTP)
        until(lambda: stopped(process.pid) and stopped(command))
        (tmp_path / "go").touch()
        process.send_signal(signal.SIGCONT)
        assert process.wait(LONG) == 3


def test_a_command_that_others_have_stopped_does_not_stop_us(tmp_path: Path) -> None:
    with Started(tmp_path, "sh", "-c", "kill -STOP $$; exit 3") as process:
        until(lambda: children(process.pid) and stopped(children(process.pid)[0]))
        time.sleep(0.2)
        assert not stopped(process.pid)
        os.kill(children(process.pid)[0], signal.SIGCONT)
        assert process.wait(LONG) == 3


def test_what_a_terminal_sends_comes_once(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal}

    def become_its_foreground() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with Started(
        tmp_path,
        *telling(tmp_path),
        options=("--tee",),
        start_new_session=True,
        preexec_fn=become_its_foreground,
        **streams,
    ) as process:
        until((tmp_path / "ready").exists)
        os.write(master, b"\x03")
        shown_there: list[str] = []
        until(lambda: shown_there.append(seen(master)) or "SIGINT" in "".join(shown_there))
        time.sleep(0.3)
        process.terminate()
        assert process.wait(LONG) == 5
    os.close(master)
    os.close(terminal)
    assert shown(mails(tmp_path / "mail")[0]) == ["SIGINT", "SIGTERM"]


def seen(master: int) -> str:
    os.set_blocking(master, False)
    try:
        return os.read(master, 65536).decode()
    except (BlockingIOError, OSError):
        return ""


# Children that stay.


def test_a_child_that_is_silent_holds_nobody_up(tmp_path: Path) -> None:
    begun = time.monotonic()
    done = sh(tmp_path, "echo begun; sleep 25 & echo $! > " + str(tmp_path / "pid") + "; exit 3")
    assert (done.returncode, time.monotonic() - begun < 4.5) == (3, True)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert ", a child of it goes on. 1 line from sh." in opening(mails(tmp_path / "mail")[0])


def test_what_a_child_writes_in_the_same_breath_is_there(tmp_path: Path) -> None:
    # As soon as the command is gone; a sleep of any length could be longer than we wait, on a busy machine.
    assert sh(tmp_path, "(while kill -0 $$; do :; done 2> /dev/null; echo late) & exit 3").returncode == 3
    (mail,) = mails(tmp_path / "mail")
    assert "\n  late\n" in mail
    assert "goes on" not in mail


@pytest.mark.full
def test_a_child_that_talks_on_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    begun = time.monotonic()
    done = sh(tmp_path, "(for i in $(seq 200); do echo talk || exit; sleep 0.1; done) & exit 3")
    assert done.returncode == 3
    assert 4 < time.monotonic() - begun < 15
    assert ", a child of it goes on" in opening(mails(tmp_path / "mail")[0])


def test_a_command_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert sh(tmp_path, "echo a; exec >&- 2>&-; sleep 1; exit 3").returncode == 3
    took = time.monotonic() - begun
    assert took > 1
    (told,) = re.findall(r"exit status 3 after ([0-9.]+) s\b", opening(mails(tmp_path / "mail")[0]))
    assert 1 <= float(told) <= round(took, 1)


# Passing on.


def test_output_is_passed_on_as_it_came_if_asked_for(tmp_path: Path) -> None:
    done = sh(tmp_path, r"printf 'a\000\377\r\nno end'; echo err >&2", "--tee")
    assert (done.stdout, done.stderr) == (b"a\x00\xff\r\nno enderr\n", b"")
    assert len(mails(tmp_path / "mail")) == 1


def test_much_output_is_passed_on_whole_to_whom_reads_slowly(tmp_path: Path) -> None:
    given = ("--to", "root", "--maildir", str(tmp_path / "mail"), "--tee", "--", "head", "-c", "3000000", "/dev/zero")
    with subprocess.Popen([*COMMAND, "run", *given], env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout
        time.sleep(1.5)
        assert len(process.stdout.read()) == 3000000
        assert process.wait(LONG) == 0


def test_the_command_goes_on_where_nobody_reads_what_is_passed_on(tmp_path: Path) -> None:
    given = ("--to", "root", "--maildir", str(tmp_path / "mail"), "--tee", "--", "sh", "-c")
    script = "for i in $(seq 1000); do echo line $i; done; exit 3"
    with subprocess.Popen([*COMMAND, "run", *given, script], env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(LONG) == 3
    assert "1,000 lines" in opening(mails(tmp_path / "mail")[0])


# Mail that fails, is slow, or was cut off.


def sendmail(place: Path, script: str) -> Path:
    path = place / "sendmail"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def job(place: Path, script: str, *options: str, mailer: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    given = ("run", "--to", "root", "--sendmail", str(sendmail(place, mailer)), "--state", str(place / "s"), *options)
    return started(*given, "--", "sh", "-c", script, command=COMMAND, **more)


def test_mail_that_fails_is_kept_and_the_status_stays(tmp_path: Path) -> None:
    done = job(tmp_path, "echo a; exit 3", mailer="exit 75")
    assert done.returncode == 3
    assert b"not delivered at exit, and kept for the next start" in done.stderr
    told = started("queue", "--state", str(tmp_path / "s"), command=COMMAND).stdout.decode()
    assert re.match(r"sh-[0-9a-f]{6}: 1 mail waiting", told)
    # What is kept leaves with the next run, when its time has come: here an operator asks for it.
    started("queue", "retry", "--all", "--state", str(tmp_path / "s"), command=COMMAND)
    assert job(tmp_path, "echo a; exit 3", mailer=f"cat >> {tmp_path}/sent").returncode == 3
    sent = (tmp_path / "sent").read_text()
    assert len(re.findall("^Message-ID: ", sent, re.MULTILINE)) == 2


def test_a_state_directory_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = sh(tmp_path, "echo a; exit 3", "--state", str(tmp_path / "file"))
    assert done.returncode == 3
    assert b"the store fails, going on in memory" in done.stderr
    assert "\n  a\n" in mails(tmp_path / "mail")[0]


def test_without_a_state_directory_mail_that_fails_is_lost_and_the_status_stays(tmp_path: Path) -> None:
    done = job(tmp_path, "echo a; exit 3", "--state", "none", mailer="exit 75")
    assert done.returncode == 3
    assert b"not delivered at exit, and lost" in done.stderr


def test_the_command_is_not_slowed_by_mail(tmp_path: Path) -> None:
    # Each line is a mail of its own, and no mail ends: a full pipe would stop the command at 64 KiB.
    script = f"""
    echo first; sleep 1
    head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 99; touch {tmp_path}/over; sleep 0.1
    """
    begun = time.monotonic()
    options = ("--gap", "0.2s", "--cap", "1000/s", "--cool-down", "off", "--grace", "0.1s")
    done = job(tmp_path, script, *options, mailer=f"cat > /dev/null; echo >> {tmp_path}/tries; sleep 25")
    assert done.returncode == 0
    assert (tmp_path / "over").stat().st_mtime - (tmp_path / "tries").stat().st_mtime < 8
    assert time.monotonic() - begun < 20


def test_a_stop_while_mail_is_delivered_ends_it_soon_and_keeps_the_mail(tmp_path: Path) -> None:
    given = [
        "run",
        "--to",
        "root",
        "--sendmail",
        str(sendmail(tmp_path, 'cat > /dev/null; touch "$0.tried"; sleep 25')),
    ]
    given += ["--state", str(tmp_path / "s"), "--", "sh", "-c", "echo a; exit 3"]
    with subprocess.Popen([*COMMAND, *given], stderr=subprocess.PIPE) as process:
        until((tmp_path / "sendmail.tried").exists)
        for _ in range(2):
            process.terminate()
            time.sleep(0.2)
        begun = time.monotonic()
        assert process.wait(LONG) == 3
        assert time.monotonic() - begun < 3
    told = started("queue", "--state", str(tmp_path / "s"), command=COMMAND).stdout.decode()
    assert "1 mail waiting" in told


def test_one_stop_while_mail_is_delivered_leaves_it_four_seconds(tmp_path: Path) -> None:
    mailer = 'cat > /dev/null; touch "$0.tried"; sleep 1; touch "$0.sent"'
    given = ["run", "--to", "root", "--sendmail", str(sendmail(tmp_path, mailer))]
    given += ["--state", str(tmp_path / "s"), "--", "sh", "-c", "echo a; exit 3"]
    with subprocess.Popen([*COMMAND, *given]) as process:
        until((tmp_path / "sendmail.tried").exists)
        process.terminate()
        assert process.wait(LONG) == 3
    assert (tmp_path / "sendmail.sent").exists()


def test_what_a_run_wrote_that_was_killed_is_mailed_by_the_next(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "s"), "--only-if-failed")
    flag = tmp_path / "go"
    with Started(tmp_path, "sh", "-c", f"[ -e {flag} ] || {{ echo half; sleep 25; }}", options=state) as process:
        until(lambda: any(b"half" in path.read_bytes() for path in (tmp_path / "s").rglob("store.journal")))
        (command,) = children(process.pid)
        process.kill()
    os.kill(command, signal.SIGKILL)
    flag.touch()
    done = sh(tmp_path, f"[ -e {flag} ] || {{ echo half; sleep 25; }}", *state)
    assert (done.returncode, done.stderr) == (0, b"")
    (mail,) = mails(tmp_path / "mail")
    assert opening(mail) == "End not seen. 1 line from sh."
    assert "\n  half\n" in mail
    assert "Note: These lines are of an earlier run that was killed" in mail


def test_runs_that_overlap_mail_what_is_their_own(tmp_path: Path) -> None:
    script = f"echo run $$; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exit $(cat {tmp_path}/status)"
    (tmp_path / "status").write_text("3")
    state = ("--state", str(tmp_path / "s"))
    jobs = [Started(tmp_path, "sh", "-c", script, options=state) for _ in range(3)]
    until(lambda: len(list((tmp_path / "s").glob("*/store.journal"))) == 3)
    until(lambda: all(b"run" in path.read_bytes() for path in (tmp_path / "s").glob("*/store.journal")))
    assert sorted(path.name[9:] for path in (tmp_path / "s").iterdir()) == ["", ".2", ".3"]
    (tmp_path / "go").touch()
    assert [started.process.wait(LONG) for started in jobs] == [3, 3, 3]
    for one in jobs:
        one.__exit__()
    found = mails(tmp_path / "mail")
    assert len(found) == 3
    assert all(re.search(r": exit status 3 after [^.]*(\.\d s)?\. 1 line from sh\.", mail) for mail in found)


def test_what_a_run_that_overlapped_left_behind_is_mailed_by_any_other(tmp_path: Path) -> None:
    script = f"echo run $$; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    state = ("--state", str(tmp_path / "s"))
    with (
        Started(tmp_path, "sh", "-c", script, options=state) as first,
        Started(tmp_path, "sh", "-c", script, options=state) as second,
    ):
        until(lambda: sum(b"run" in path.read_bytes() for path in (tmp_path / "s").glob("*/store.journal")) == 2)
        for process in (first, second):
            process.kill()
            process.wait()
        (tmp_path / "go").touch()
    assert sh(tmp_path, script, *state).returncode == 0
    assert sorted(map(opening, mails(tmp_path / "mail")))[:2] == ["End not seen. 1 line from sh."] * 2


# Configuration.


def test_a_file_says_what_options_say_and_routes(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        f'name = "service"\nto = "root"\nmaildir = "{tmp_path}/mail"\nfile = "/var/log/none"\n'
        '[[route]]\nname = "disks"\nmatch = { contains = "disk" }\nsubject = "disks: {summary}"\n'
        '[[route]]\nname = "rest"\nsubject = "rest: {summary}"\n'
    )
    given = ("run", "-c", str(tmp_path / "c.toml"), "--state", str(tmp_path / "s"), "--", "sh", "-c")
    done = started(*given, "echo disk full; echo other; exit 3", command=COMMAND)
    assert (done.returncode, done.stderr) == (3, b"")
    told = [re.sub("after .*,", "after a while,", subject) for subject in subjects(tmp_path)]
    assert sorted(told) == [f"{name}: exit status 3 after a while, 1 line" for name in ("disks", "rest")]
    # The service has a place of its own.
    assert [path.name[:3] for path in (tmp_path / "s").iterdir()] == ["sh-"]


def test_a_file_that_is_broken_does_not_stop_the_command(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('to = "root"\nkepe = "3+3"\n')
    given = ("run", "-c", str(tmp_path / "c.toml"), "--", "sh", "-c")
    done = started(*given, "echo out; echo err >&2; exit 3", command=COMMAND)
    assert (done.returncode, done.stdout) == (3, b"out\n")
    first, second, third = done.stderr.decode().splitlines()
    assert f"{tmp_path}/c.toml:2: " in first
    assert second == "burstmail: the command runs all the same, but nothing of it is mailed"
    assert third == "err"
    assert started(*given, "exit 0", command=COMMAND).returncode == 78
    assert started(*given[:-2], "no-such-command", command=COMMAND).returncode == 127


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--only-if-faild",), "there is no option '--only-if-faild'"),
        (("--file", "x"), "--file has no place here: the lines are those of the command behind --"),
        (("--stdin",), "--stdin has no place here"),
        (("--confirm",), "--confirm has no place here"),
    ],
)
def test_a_wrong_command_line_runs_nothing(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    done = sh(tmp_path, f"touch {tmp_path}/ran", *options)
    assert done.returncode == 78
    assert words in done.stderr.decode()
    assert not (tmp_path / "ran").exists()


def test_a_missing_command_is_asked_for(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (78, b"burstmail: behind -- stands the command: which?\n")


def test_the_word_run_goes_without_saying(tmp_path: Path) -> None:
    assert started("--to", "root", "--print", "--", "sh", "-c", "exit 3", command=COMMAND).returncode == 3
    assert b"there is no command 'rum'" in started("rum", "--to", "root", "--", "true", command=COMMAND).stderr


def test_a_second_dash_dash_is_the_command_s(tmp_path: Path) -> None:
    assert run(tmp_path, "echo", "--", "a").returncode == 0
    assert "\n  -- a\n" in mails(tmp_path / "mail")[0]


def test_with_a_gap_there_are_mails_while_it_runs(tmp_path: Path) -> None:
    # It goes on when the first mail is there: on a busy machine, a second may be no gap.
    waits = f"for i in $(seq 200); do ls {tmp_path}/mail/new/* && break; sleep 0.1; done > /dev/null 2>&1"
    done = sh(tmp_path, f"echo one; {waits}; echo two; exit 3", "--gap", "0.3s", "--cool-down", "off")
    assert done.returncode == 3
    first, second = sorted(mails(tmp_path / "mail"), key=lambda mail: "two" in mail.split("Shown:")[1])
    assert ": still running. 1 line from sh" in opening(first)
    assert ": exit status 3 after" in opening(second)


@pytest.mark.full
def test_a_long_silence_ends_no_burst(tmp_path: Path) -> None:
    assert sh(tmp_path, "echo one; sleep 6; echo two").returncode == 0
    assert "\n  one\n  two\n" in mails(tmp_path / "mail")[0]


def test_an_urgent_line_is_mailed_at_once(tmp_path: Path) -> None:
    with Started(tmp_path, "sh", "-c", "echo PANIC; sleep 25", options=("--urgent", "PANIC")) as process:
        until(lambda: mails(tmp_path / "mail"))
        assert ": still running. Urgent: 1 line" in opening(mails(tmp_path / "mail")[0])
        process.terminate()
        assert process.wait(LONG) == 128 + signal.SIGTERM


def test_a_failure_is_told_whatever_filters_leave_of_it(tmp_path: Path) -> None:
    assert sh(tmp_path, "echo noise; exit 3", "--include", "ERROR").returncode == 3
    assert ". No lines." in opening(mails(tmp_path / "mail")[0])


def test_runs_without_a_cap_are_not_held_back(tmp_path: Path) -> None:
    for _ in range(4):
        assert run(tmp_path, "false", options=("--state", str(tmp_path / "s"))).returncode == 1
    assert len(mails(tmp_path / "mail")) == 4


def test_a_cool_down_holds_for_all_runs(tmp_path: Path) -> None:
    for _ in range(3):
        options = ("--state", str(tmp_path / "s"), "--cool-down", "1h..1h")
        assert run(tmp_path, "false", options=options).returncode == 1
    assert len(mails(tmp_path / "mail")) == 1


def test_the_mail_calls_it_by_the_name_it_is_given(tmp_path: Path) -> None:
    assert sh(tmp_path, "exit 3", "--name", "backup").returncode == 3
    assert subjects(tmp_path)[0].startswith("[burstmail] backup: exit status 3 after ")


def test_what_it_keeps_is_private_and_named_for_the_command(tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "s"))
    run(tmp_path, "/bin/echo", "a", options=options)
    run(tmp_path, "/bin/echo", "a", options=options)
    run(tmp_path, "/bin/echo", "b", options=options)
    run(tmp_path, "/bin/echo", "b", options=(*options, "--name", "mine"))
    names = sorted(path.name for path in (tmp_path / "s").iterdir())
    assert [re.sub("[0-9a-f]{6}", "#", name) for name in names] == ["echo-#", "echo-#", "mine"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "s").iterdir()} == {0o700}


def test_a_secret_on_the_command_line_is_not_mailed(tmp_path: Path) -> None:
    run(tmp_path, "sh", "-c", "exit 3", "--password=hunter2", "https://bob:hunter3@example.org/")
    (mail,) = (tmp_path / "mail" / "new").iterdir()
    assert "hunter" not in mail.read_text()


@pytest.mark.full
def test_memory_is_bounded_however_much_is_written(tmp_path: Path) -> None:
    script = "seq 20000000; echo the end"
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert sh(tmp_path, script).returncode == 0
    (mail,) = mails(tmp_path / "mail")
    assert "20,000,001 lines" in opening(mail)
    assert "\n  the end\n" in mail
    assert max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) < 150_000
