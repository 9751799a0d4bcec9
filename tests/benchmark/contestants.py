"""Who runs, and on what."""

from __future__ import annotations

import random
import shutil
import sys
from dataclasses import dataclass, field
from multiprocessing import Process
from pathlib import Path
from statistics import median

SRC = Path(__file__).resolve().parents[2] / "src"
BARE = "import sys\nn = 0\nfor line in sys.stdin:\n    n += 1\n"

# The shell script burstmail began as; it stops at the end of input, where the original would spin.
SHELL = """
while :; do
    if read -t 5 line; then echo "$line" >> "$0"; elif [ $? -gt 128 ]; then rm -f "$0"; else exit 0; fi
done
"""

# What one would write with the standard library: records gathered, formatted when the buffer is full.
MEMORY_HANDLER = """
import io, logging, logging.handlers, sys
target = logging.StreamHandler(io.StringIO())
log = logging.getLogger("lines")
log.propagate = False
log.setLevel(logging.INFO)
log.addHandler(logging.handlers.MemoryHandler(1000, logging.CRITICAL, target))
for line in sys.stdin:
    log.info("%s", line.rstrip())
    if target.stream.tell() > 1 << 20:
        target.stream = io.StringIO()
"""

# The same idea as an SEC rule: gather in a context, report it after 5 s of quiet.
SEC = """
type=Single
ptype=TValue
pattern=TRUE
context=!BURST
continue=TakeNext
desc=open
action=create BURST 5 (report BURST /bin/cat > /dev/null)

type=Single
ptype=RegExp
pattern=(.*)
desc=gather
action=add BURST $1; set BURST 5
"""


TEXTS = (
    ("sshd[{}]", "Failed password for invalid user {} from 203.0.113.{} port {} ssh2"),
    ("sshd[{}]", "Disconnected from invalid user {} 203.0.113.{} port {} [preauth]"),
    ("kernel", "[{}.118205] sd {}:0:0:0: [sdb] I/O error, sector {} op 0x0"),
    ("CRON[{}]", "({}) CMD (/usr/local/sbin/check-{} --quiet --limit {})"),
    ("postfix/smtpd[{}]", "connect from unknown[198.51.100.{}]; lost connection {} of {}"),
    ("nginx[{}]", "upstream {} timed out while reading from 192.0.2.{}, request 'GET /{}'"),
)


@dataclass
class Row:
    """One contestant and what was measured."""

    name: str
    command: list[str]
    lines: int
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    cpu_ratios: list[float] = field(default_factory=list)
    peak: int = 0
    mails: Path | None = None
    aim: float = 0.0
    state: Path | None = None
    read: int = 0
    written: int = 0
    # What sends the lines, when they do not come by a pipe; it gets the files as arguments.
    sender: list[str] | None = None
    # An expression for the lines that are in the mails, when not all are.
    told: str = ""

    def figures(self) -> dict[str, object]:
        middle = median(self.seconds)
        return {
            "name": self.name,
            "lines": self.lines,
            "seconds": middle,
            "lines_per_second": self.lines / middle,
            "cpu_seconds": median(self.cpu),
            "ratio_to_bare_loop": median(self.ratios),
            "cpu_ratio_to_bare_loop": median(self.cpu_ratios),
            "peak_mib": self.peak / 2**20,
            "stored": self.state is not None,
            "bytes_written_per_byte_read": self.written / self.read if self.read else 0.0,
            "all_seconds": self.seconds,
        }


def generate(path: Path, lines: int, hosts: int) -> None:
    """Syslog lines of about 100 bytes: `hosts` hosts, five programs. Fifty thousand different ones, over and over."""
    # In a process of its own: a child starts with its parent's peak, and this one's would show as everybody's.
    child = Process(target=write, args=(path, lines, hosts))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"cannot write {path}")


def write(path: Path, lines: int, hosts: int) -> None:
    draw = random.Random(1)
    block = []
    for number in range(min(lines, 50_000)):
        tag, text = draw.choice(TEXTS)
        text = text.format(*(draw.randrange(256) for _ in range(3)))
        stamp = f"Nov 23 10:{number // 60 % 60:02d}:{number % 60:02d}"
        block.append(f"<38>{stamp} web{draw.randrange(hosts) + 1} {tag.format(draw.randrange(1000, 32768))}: {text}\n")
    with path.open("w") as file:
        for start in range(0, lines, len(block)):
            file.writelines(block[: lines - start])


def first(path: Path, lines: int, work: Path) -> Path:
    """A file with the first lines of another."""
    part = work / f"first-{lines}"
    if not part.exists():
        with path.open() as file, part.open("w") as out:
            out.writelines(line for _, line in zip(range(lines), file, strict=False))
    return part


def burstmail(mails: Path, *options: str) -> list[str]:
    # Without a store unless the options say otherwise: then what the caps hold at the end is mailed, and counted.
    command = [sys.executable, "-m", "burstmail", "--to", "root", "--maildir", str(mails), "--state", "none"]
    return [*command, *options]


def stored(name: str, work: Path, lines: int, *options: str, aim: float) -> Row:
    """With a store. The caps are wide: what they hold at the end would stay in it, and not be counted."""
    mails, state = (work / f"{kind}{len(options)}" for kind in ("kept", "state"))
    caps = ("--cap", "1000/s", "--cool-down", "off", "--state", str(state))
    return Row(name, burstmail(mails, *options, *caps), lines, mails=mails, aim=aim, state=state)


def contestants(lines: int, work: Path) -> list[Row]:
    python, few = sys.executable, max(1, lines // 100)
    rule, buffer = work / "burst.sec", work / "buffer"
    rule.write_text(SEC)
    plain, keyed, bare, split = (work / name for name in ("plain", "keyed", "bare", "split"))
    key, without = ("--key", "host,program"), "--no-patterns"
    rows = [
        Row("for line in sys.stdin", [python, "-I", "-c", BARE], lines),
        Row("wc -l", ["wc", "-l"], lines),
        Row("burstmail --no-patterns", burstmail(bare, without), lines, mails=bare, aim=0.7),
        Row("burstmail", burstmail(plain), lines, mails=plain),
        Row("burstmail --no-patterns --key host,program", burstmail(split, without, *key), lines, mails=split),
        Row("burstmail --key host,program", burstmail(keyed, *key), lines, mails=keyed, aim=0.15),
        stored("burstmail --state DIR", work, lines, aim=0.3),
        stored("burstmail --state DIR --key host,program", work, lines, "--key", "host,program", aim=0.15),
        Row("logging MemoryHandler", [python, "-I", "-c", MEMORY_HANDLER], max(1, lines // 10)),
    ]
    if bash := shutil.which("bash"):
        rows.append(Row("bash: read -t 5, echo >>", [bash, "-c", SHELL, str(buffer)], few))
    if sec := shutil.which("sec"):
        rows.append(Row("SEC, one context", [sec, f"-conf={rule}", "-input=-", "-notail"], max(1, lines // 10)))
    return rows
