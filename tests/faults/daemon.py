"""burstmail behind a logger that waits for its word, under a fault; then started again without one.

The logger is rsyslog's omprog with confirmMessages: one line, one reply; after an error the same line again. So what it
was told is known: each line that was answered with OK must be in a mail in the end, and no line in two mails.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from email import message_from_bytes, policy
from pathlib import Path

from tests.cli.process import COMMAND, ENVIRONMENT, kept, text_of
from tests.faults.strace import NAMES, Fault, Trace, attached

LINES = ("first 1", "first 2", "second 1", "second 2", "third 1", "third 2")
# What has not come by then never will.
PATIENCE = 20.0
# How often the logger brings lines again, in all, and how long it waits before: 7 s. strace's faults hit each thread
# once, so a store that fails may fail again when it is tried after a second, and then works after two more.
AGAIN, PAUSE = 28, 0.25

Process = subprocess.Popen[bytes]


class Daemon:
    """One place, with a state directory and a Maildir; `live` runs burstmail there once."""

    def __init__(self, place: Path, *, state: Path | None = None, again: int = AGAIN) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place = place
        self.state, self.maildir, self.log = state or place / "state", place / "mail", place / "log"
        self.trace = Trace(place / "trace")
        self.acknowledged: list[str] = []
        self._again = again
        # Whether a mail must come while it runs; otherwise it may wait for the next run.
        self.prompt = True
        self.status: int | None = None

    @property
    def store(self) -> Path:
        """Where its files are."""
        return self.state / "faults"

    @property
    def files(self) -> list[Path]:
        """What a fault of the store's disk would hit."""
        return [self.state, self.store, *(self.store / name for name in NAMES)]

    @property
    def options(self) -> list[str]:
        """Small times, and no cap that would hold anything."""
        where = f"--to ops --from burstmail --maildir {self.maildir} --state {self.state} --name faults"
        return f"{where} --gap 30ms --cap 1000/s --cool-down off --backoff 50ms..100ms".split()

    @property
    def words(self) -> str:
        """What it logged."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def texts(self) -> dict[str, str]:
        """The text of each mail, by Message-ID."""
        return {id: text_of(mail) for id, mail in self._mails.items()}

    @property
    def mailed(self) -> list[str]:
        """All log lines in all mails."""
        return [line for mail in self._mails.values() for line in kept(mail)]

    @property
    def _mails(self) -> dict[str, bytes]:
        found = [path.read_bytes() for path in sorted((self.maildir / "new").glob("*"))]
        return {message_from_bytes(mail, policy=policy.default)["Message-ID"]: mail for mail in found}

    @contextmanager
    def running(self, words: Sequence[str] = (), *, more: Sequence[str] = ()) -> Iterator[Process]:
        """Run it behind `words`; killed after the block, or when all takes far too long."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        command = [*words, *COMMAND, *self.options, *more]
        with ExitStack() as stack:
            log = stack.enter_context(self.log.open("ab"))
            process = stack.enter_context(
                Process(command, bufsize=0, stderr=log, env=ENVIRONMENT, start_new_session=True, **pipes)
            )

            # A session of its own: what strace runs ends with strace.
            def end() -> None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

            stack.callback(end)
            watchdog = threading.Timer(3 * PATIENCE, end)
            watchdog.start()
            stack.callback(watchdog.cancel)
            yield process

    def live(
        self,
        words: Sequence[str] = (),
        *,
        lines: Sequence[str] = LINES,
        then: Callable[[Process], object] | None = None,
    ) -> None:
        """Run it on these lines, to its end; `then` happens after its first mail, or when that will not come."""
        with self.running(words, more=["--confirm"]) as process:
            self._speak(process, lines, then)
            assert process.stdin
            with suppress(BrokenPipeError):
                process.stdin.close()
            self.status = process.wait(PATIENCE)

    def restart(self, *lines: str) -> None:
        """Run it without a fault, on these lines or none: what is left must come out."""
        data = "".join(f"{line}\n" for line in lines).encode()
        with self.log.open("ab") as log:
            done = subprocess.run(
                [*COMMAND, *self.options], input=data, stderr=log, env=ENVIRONMENT, timeout=PATIENCE, check=False
            )
        assert done.returncode == 0, str(self)

    def must_have_mailed(self, lines: Sequence[str] | None = None) -> None:
        """Each acknowledged line, or all of these, in exactly one mail; and nothing looks like a bug."""
        mailed = self.mailed
        missing = set(self.acknowledged if lines is None else lines) - set(mailed)
        assert not missing, f"lost: {sorted(missing)}\n{self}"
        assert len(mailed) == len(set(mailed)), f"in two mails: {mailed}\n{self}"
        assert "Traceback" not in self.words and "bug" not in self.words, str(self)

    def watch(self, fault: Fault | None) -> Callable[[Process], object]:
        """For `live`: strace hits the thread that delivers, and no other."""

        def attach(process: Process) -> None:
            threads = sorted(int(name) for name in os.listdir(f"/proc/{process.pid}/task"))
            assert len(threads) > 1, str(self)
            command = attached(self.trace, threads[-1], fault)
            with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as tracer:
                assert tracer.stderr
                said = tracer.stderr.readline()
                assert b"attached" in said, said
                # It ends with the thread; nobody need wait for that.
                tracer.returncode = 0

        return attach

    def __str__(self) -> str:
        about = f"status {self.status}, acknowledged {self.acknowledged}, mailed {self.mailed}"
        return f"{self.place.name}: {about}\n{self.words[-3000:]}\n{str(self.trace)[-3000:]}"

    def _speak(self, process: Process, lines: Sequence[str], then: Callable[[Process], object] | None) -> None:
        """As omprog does: a line, its reply; and a burst, its mail."""
        assert process.stdout
        # The pipe keeps what was said before a kill.
        replies = (reply.decode().strip() for reply in process.stdout)
        if next(replies, "") != "OK":
            return
        for number, line in enumerate(lines):
            if not self._told(process, replies, line):
                return
            # The last burst is left open: it is the end of the input that closes it.
            if number % 2 and number < len(lines) - 2:
                self._wait_for_mail(process, line)
                if then and number == 1:
                    then(process)
                    self._again = AGAIN

    def _told(self, process: Process, replies: Iterator[str], line: str) -> bool:
        """One line, again after an error; whether there is anybody to go on with."""
        assert process.stdin
        while True:
            with suppress(BrokenPipeError):
                process.stdin.write(f"{line}\n".encode())
            reply = next(replies, "")
            if reply == "OK":
                self.acknowledged.append(line)
            if reply in ("OK", "") or not self._again:
                return reply != ""
            self._again -= 1
            time.sleep(PAUSE)

    def _wait_for_mail(self, process: Process, line: str) -> None:
        end = time.monotonic() + (PATIENCE if self.prompt else 0.5)
        while line in self.acknowledged and line not in self.mailed and process.poll() is None:
            if time.monotonic() > end:
                assert not self.prompt, f"no mail\n{self}"
                return
            time.sleep(0.01)
