"""burstmail as its users run it: a process of its own, with real pipes and signals."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import burstmail

# The package under test, be it a checkout or an installed wheel.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(burstmail.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
COMMAND = [sys.executable, "-m", "burstmail"]
# The same without the wait that keeps supervisors calm.
HASTY = [sys.executable, "-c", "import sys; from burstmail.cli import main; sys.exit(main(patience=0))"]
# Far more than the 5 seconds a stop may take, far less than a hang.
LONG = 30


def environment(state: Path | None = None) -> dict[str, str]:
    """With a state directory: this one, or that of the test."""
    return ENVIRONMENT | {"STATE_DIRECTORY": str(state or os.environ["STATE_DIRECTORY"])}


def run(
    *options: str, lines: bytes = b"", command: list[str] = HASTY, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run to the end on these lines."""
    more = {"input": lines, "capture_output": True, "env": environment()} | more
    return subprocess.run([*command, *options], timeout=LONG, check=False, **more)


@contextmanager
def running(*options: str, command: list[str] = COMMAND, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run while the block does; stdin, stdout and stderr are pipes."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([*command, *options], **(pipes | {"env": environment(), "bufsize": 0} | more)) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for the end: the status and the seconds it took."""
    started = time.monotonic()
    return process.wait(LONG), time.monotonic() - started


def until(condition: Any) -> None:
    """Wait for something another process does; fails when it does not."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def catching(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has its signal handlers: what is sent before is not its business."""
    until(lambda: _caught(process.pid) >> 14 & 1)


def _caught(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("SigCgt:")[1].split()[0], 16)


def follows(pid: int, path: Path) -> bool:
    """Whether it has the file open to read it: it knows where it ends, and what is written from now on is new."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            # What is only looked at is open with O_PATH for a moment.
            flags = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text().split("flags:")[1].split()[0]
            if os.path.realpath(link) == os.path.realpath(path) and not int(flags, 8) & os.O_PATH:
                return True
    return False


def mails(maildir: Path) -> list[str]:
    """The texts of the mails delivered, oldest first."""
    # Their names begin with the second only.
    new = maildir / "new"
    found = sorted(new.iterdir(), key=lambda path: path.stat().st_mtime_ns) if new.exists() else []
    return [text_of(path.read_bytes()) for path in found]


def text_of(data: bytes) -> str:
    """The text of a mail, without its second view in HTML, in which every line stands once more."""
    body = message_from_bytes(data, policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def shown(text: str) -> list[str]:
    """The log lines in a mail's text: what is indented by two spaces, and stands in none of the tables before it."""
    lines = text.rpartition("\n\n-- \n")[0].split("\n")
    start = max((at for at, line in enumerate(lines) if not line), default=-1)
    return [line[2:] for line in lines[start + 1 :] if line.startswith("  ")]


def kept(data: bytes) -> list[str]:
    """The log lines of a mail as they were kept: of what its text cuts short or leaves out, all is in a file."""
    files = [part.get_content() for part in message_from_bytes(data, policy=policy.default).iter_attachments()]
    if not files:
        return shown(text_of(data))
    # Behind the lines it may have one of each pattern that they are not of.
    text = gzip.decompress(files[0]).decode().partition("\n[one line of each pattern")[0]
    return [line[2:] for line in text.split("\n") if line.startswith("  ")]
