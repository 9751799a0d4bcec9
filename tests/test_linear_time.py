"""No regular expression takes super-linear time on any line: each one that src compiles, wherever it does.

A process of its own records what `re` is asked for while everything is imported and used; that no place was missed is
checked against the source. Each pattern then meets long repetitions of all that could make it go back, at the one place
where most of them are used; and where they search as well, on what and how much of it, the whole path shows.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from time import process_time
from typing import Any

import pytest

import burstmail
from burstmail import Aggregator, Batch, Composer

PACKAGE = Path(burstmail.__file__).parent

RECORDER = r"""
import importlib, json, pkgutil, re, sys
found, honest = {}, re._compile

def recording(pattern, flags):
    frame = sys._getframe(1)
    while "/re/" in frame.f_code.co_filename or frame.f_code.co_filename.endswith("/re.py"):
        frame = frame.f_back
    name = frame.f_code.co_filename
    if "/burstmail/" in name and not isinstance(pattern, re.Pattern):
        text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
        found[text, int(flags), isinstance(pattern, bytes)] = None
        places.add((name, frame.f_lineno))
    return honest(pattern, flags)

places = set()
re._compile = recording
import burstmail
for module in pkgutil.walk_packages(burstmail.__path__, "burstmail."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

from burstmail import Batch, by
from burstmail.core.fields import parse
from burstmail.core.follow import Status
from burstmail.core.generations import Found, generation, ordered
from burstmail.core.patterns.masks import Masker
from burstmail.core.mail.redact import Redactor
from burstmail.core.mail import redactions
for forms in redactions._FORMS.values():
    for _, form, _ in forms:
        redactions._pattern(form)
from burstmail.sinks import conversation, smtp
lines = "<38>1 2026-11-23T10:00:00Z h p - - - x\n<38>Nov 23 10:00:00 h p[1]: password=x ftp://a:b@c Bearer eyJ\nx\n"
for names in (("host",), ("program",), ("pid",), ("severity",), ("facility",), ("host", "program"), ("host", "pid")):
    by(*names)(Batch.of(lines))
    by(*names)(Batch.of(lines.splitlines()[1]))
    by(*names)(Batch.of("plain"))
for line in (*lines.splitlines(), "45: *Mar  1 18:46:11: %SYS-5-X: y", "1795435200.500000 web1 su: x"):
    parse(line).time(0.0)
from dataclasses import replace
from burstmail import each
for splitter in (each(str), by("host", "program"), by("host"), by("severity", "pid")):
    list(splitter(replace(Batch.of(lines + "<38>1 - h p - - - y"), joined=True)))
    list(splitter(replace(Batch.of("<38>1 - h p - - - y\nNov 23 10:00:00 h p: x"), joined=True)))
Masker(["x"])
ordered([Found(name="a.1", status=Status(device=1, inode=1, size=1, time=1), generation=generation("a", "a.1"))])
CALLS
print(json.dumps([[*map(list, found)], sorted(places)]))
"""

# Where a pattern is made of the user's own, or the text is none of a log line's but of an option, and short.
OPTIONS = {"sinks/smtp.py", "sinks/conversation.py", "host.py", "cli/values.py"}

PIECES = [
    *(
        "a",
        "A",
        "1",
        "a1",
        "1a",
        "A1b",
        "aB3",
        "0x",
        "0xf",
        "f:",
        "::",
        "1:",
        "1.",
        "1.1.1.1",
        "1.1.1.1 ",
        "a.",
        "a.b@",
    ),
    *("a@", "@", "a-", "-", "1-", "/", "/a", "a/", "a://", "://", "a=1 ", "a=", "=", ":", ": ", " ", "\t", "a ", "  a"),
    *(
        "'",
        '"',
        "a'",
        "\\",
        '\\"',
        '["',
        "[a ",
        "[",
        "]",
        "(",
        ")",
        "((",
        "<",
        "<1",
        ">",
        ",",
        ", ",
        ";",
        "{",
        "}",
        "%",
    ),
    *(
        "=?",
        "?=",
        "=?a?q?",
        "_",
        "+",
        "+1",
        "~",
        "*",
        "#",
        "&",
        "|",
        "!",
        ".",
        "..",
        "...",
        "\x1b[",
        "\x00",
        "ä",
        "\u202e",
    ),
    *(
        "password=",
        "password: ",
        "password='",
        "token=a ",
        "secret ",
        "pwd",
        "Bearer ",
        "Authorization: ",
        "a:b@",
        "a:b",
    ),
    *(
        "https://a:",
        "https://a:b",
        "eyJ",
        "eyJa.",
        "Nov 23 10:00:00 ",
        "45: ",
        "%A-",
        "Mon ",
        "A/0",
        "2026-11-23T10:00:00",
        "<38>1 - - ",
        "at a.b(",
        "\ue004",
    ),
    *(
        "passwd",
        "api_key=",
        "--password ",
        "x.service",
        "user-1.",
        "Jan 1 ",
        "10:00:00",
        "1,1",
        "aa:aa:",
        "aa-aa-",
        "\n",
        "a\n",
    ),
]


@lru_cache(maxsize=1)
def recorded() -> tuple[list[tuple[str, int, bool]], list[tuple[str, int]]]:
    calls = "Redactor(('urls', 'passwords', 'tokens')); " + "".join(
        f"run = Redactor(({name!r},)); " for name in ("urls", "passwords", "tokens")
    )
    program = RECORDER.replace("CALLS", calls + EXTRA)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    patterns, places = json.loads(done.stdout)
    return [(text, flags, raw) for text, flags, raw in patterns], [(name, line) for name, line in places]


EXTRA = """
from burstmail import Aggregator
from burstmail import Composer
bursts = Aggregator()
bursts.feed(Batch.of(lines), 0.0)
(burst,) = bursts.flush(1.0)
Composer(to='ops@example.org', sender='a@example.org', host='example.org').feed(burst, 1.0)
burst.patterns
from burstmail import Join
text = ["x", "a.b.CError: x", "Traceback (most recent call last):", "  x", "x: y", "goroutine 1 [x]:", "z"]
for join in (Join(more="x"), Join(begin="x")):
    join.feed(Batch.of(text), 0.0)
from burstmail.core.severity import level_of
level_of(b"*Mar  1 18:46:11.123: %LINK-3-UPDOWN: x")
from burstmail import contains, match
from burstmail.core.lines import Lines
asked = match(program=["a*b", "?*a*:*1*"], host="*a?a*", severity="*") & contains("usb x*+y", ignore_case=True)
for joined in (False, True):
    for text in (lines, lines * 9 + "[1.000000] x\\n<13>x\\n", lines.splitlines()[1] + "\\n"):
        view = Lines(Batch(text=text, count=text.count("\\n"), joined=joined))
        view.ring, view.column("message"), asked.lines(view)
"""


def test_every_place_that_makes_a_pattern_was_seen() -> None:
    seen = {(Path(name).resolve(), line) for name, line in recorded()[1]}
    missed = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if not isinstance(node.func.value, ast.Name) or node.func.value.id != "re":
                continue
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            known = any((path.resolve(), line) in seen for line in lines)
            if not known and str(path.relative_to(PACKAGE)) not in OPTIONS:
                missed.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert not missed, f"add what reaches {missed} to the recorder"


@pytest.mark.parametrize("size", [65536, pytest.param(1 << 20, marks=pytest.mark.full)])
def test_no_pattern_goes_back_over_what_it_has_seen(size: int) -> None:
    slow = [found for text, flags, raw in recorded()[0] if (found := _slowest(text, flags, raw, size, PIECES))]
    assert not slow, "\n".join(slow)


def test_a_pattern_that_goes_back_is_caught() -> None:
    assert "'a'" in _slowest("a*a*b", 0, False, 32768, ["a"])
    assert _slowest("a*+b", 0, False, 65536, ["a"]) == ""


FEW = ["a", "a1", "1.", "a.", "::", "'", " a", "password=", "https://a:", "=?"]


@pytest.mark.parametrize("pieces", [FEW, pytest.param(PIECES, marks=pytest.mark.full)], ids=["few", "all"])
def test_a_line_of_a_mebibyte_becomes_a_mail_in_little_time(pieces: list[str]) -> None:
    slow = {piece: spent for piece in pieces if (spent := _mailed(piece, 1 << 20)) > 8}
    assert not slow


def _mailed(piece: str, size: int) -> float:
    """Seconds from one line, with each form of header, to a mail."""
    line = (piece * size)[:size].replace("\n", " ")
    headers = ("", "<38>Nov 23 10:00:00 web1 sshd[7]: ", "<38>1 2026-11-23T10:00:00Z web1 sshd 7 - - ")
    began = process_time()
    bursts = Aggregator(key="host,program,pid")
    bursts.feed(Batch.of([f"{header}{line}" for header in headers]), 0.0)
    composer = Composer(to="ops@example.org", sender="me@example.org", host="example.org")
    for burst in bursts.flush(1.0):
        composer.feed(burst, 1.0)
    return process_time() - began


def _slowest(text: str, flags: int, raw: bool, size: int, pieces: list[str]) -> str:
    """What takes more than its share of time, if anything does: a microsecond a character is far above all others."""
    pattern: Any = re.compile(text.encode("latin-1") if raw else text, flags)
    for piece in pieces:
        # From small to large: what grows with the square is seen before it takes minutes.
        for length in (256, 4096, size):
            line = (piece * length)[:length] + "\x01"
            subject = line.encode("utf-8", "surrogatepass") if raw else line
            began = process_time()
            pattern.match(subject)
            if (spent := process_time() - began) > 0.02 + 1e-6 * length:
                return f"{spent:.2f} s for {length} characters of {piece!r}: {text[:200]}"
    return ""
