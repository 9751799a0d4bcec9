"""File -> its tables and the line of each key. What keeps it from being TOML is told, as far as more can be found.

A value without its quotes is the most frequent mistake there is; it is told, and read on as if they were there.
Limits: 1 MiB; a file larger than that is no work of a person.
"""

from __future__ import annotations

import os
import re
import select
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .positions import Place, positions
from .problem import Invalid, Problem

BYTES = 1 << 20
# Seconds without a word from a pipe: whoever writes a configuration into one has begun by then.
SILENCE = 5.0
# What a pipe gives can be had once, and is asked for again: to tell of what is wrong with it, and at SIGHUP.
_PIPED: dict[tuple[int, int], bytes] = {}
# Each mistake that is mended costs another look at the whole.
MENDED = 20
# What tomllib says of text without quotes, and of such that begins like a number.
UNQUOTED = ("no TOML: invalid value", "no TOML: expected newline or end of document after a statement")
# What to do, by what tomllib says.
MEANT = {
    "Illegal character '\\n'": "a quote in this line does not end",
    "Expected '=' after": 'a line is KEY = "VALUE", [[route]] or a comment',
    "Invalid statement": 'a line is KEY = "VALUE", [[route]] or a comment',
    "Invalid value": "text stands in quotes",
    "Unescaped": "write expressions and paths in single quotes: '...'",
}

_WHERE = re.compile(r" \(at (?:line ([0-9]++), column ([0-9]++)|end of document)\)$")
_NUMBER = re.compile(r"[0-9_]{4300}")
# One key and one plain word or more: to put it in quotes changes nothing around it.
_UNQUOTED = re.compile(
    r"([ \t]*+[A-Za-z0-9_.-]++[ \t]*+=[ \t]*+)([^\s\"'\[\]{}#\\=][^\"'\[\]{}#\\]*+)(#.*+)?", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says."""

    path: str
    tables: dict[str, Any]
    lines: dict[Place, int]
    problems: list[Problem] = field(default_factory=list)
    """What is no TOML, where it was clear what was meant."""


def document(path: str) -> Document:
    """Read a file. Raises Invalid where no more can be told than that it cannot be read."""
    text = _text(path)
    problems: list[Problem] = []
    for _ in range(MENDED):
        if (line := positions(text).deep) is not None:
            raise Invalid([*problems, Problem(path=path, line=line, words="nests too deep: no setting does")])
        tables, problem, offset = _loaded(path, text)
        if problem is None:
            return Document(path=path, tables=tables, lines=positions(text).lines, problems=problems)
        mended = _mended(text, offset) if problem.words.startswith(UNQUOTED) else None
        if mended is None:
            raise Invalid([*problems, problem])
        text, meant = mended
        problems.append(Problem(path=path, line=problem.line, words=f"text stands in quotes: {meant}"))
    raise Invalid(problems)


def _text(path: str) -> str:
    try:
        data = _data(path)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise Invalid([Problem(path=path, line=None, words=f"cannot be read: {reason}")]) from None
    if len(data) > BYTES:
        words = f"is larger than {BYTES:,} bytes, so it is no configuration: name the right file"
        raise Invalid([Problem(path=path, line=None, words=words)])
    try:
        # Lines end as Python's own reader ends them.
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        words = f"byte {data[error.start]:#04x} is not UTF-8: save the file in that encoding"
        raise Invalid([Problem(path=path, line=line, words=words)]) from None


def _data(path: str) -> bytes:
    """All that a file holds, or a pipe gives; of one that is too large, as much as shows it."""
    if "\0" in path:
        # Pythons have different words for it.
        raise ValueError("embedded null byte")
    # Without O_NONBLOCK a named pipe would hold us up until somebody writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        pipe = stat.S_ISFIFO(found.st_mode)
        before = _PIPED.get((found.st_dev, found.st_ino)) if pipe else None
        try:
            data = _rest(descriptor, SILENCE if before is None else 0.0, pipe=pipe)
        except TimeoutError:
            if before is None:
                raise
            return before
        if pipe:
            _PIPED[found.st_dev, found.st_ino] = data
        return data
    finally:
        os.close(descriptor)


def _rest(descriptor: int, patience: float, *, pipe: bool) -> bytes:
    data, ended = b"", not pipe
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    while len(data) <= BYTES:
        piece = None
        with suppress(BlockingIOError):
            piece = os.read(descriptor, BYTES + 1 - len(data))
        # A pipe is at its end without a writer, and so is one into which nobody has written yet.
        if piece == b"" and (data or ended):
            break
        data += piece or b""
        if not piece:
            if not (events := poller.poll(patience * 1000)):
                raise TimeoutError(f"nothing has come from it for {SILENCE:g} s: name a file, or write into this pipe")
            # Whoever has opened it to write is gone again.
            ended = ended or not events[0][1] & select.POLLIN
    return data


def _loaded(path: str, text: str) -> tuple[dict[str, Any], Problem | None, int]:
    """The tables; or what is wrong, and where in the text."""
    import tomllib

    try:
        return tomllib.loads(text), None, 0
    except tomllib.TOMLDecodeError as error:
        words, offset = _placed(text, str(error))
    except ValueError:
        # Python reads no number of more than 4,300 digits.
        found = _NUMBER.search(text)
        words, offset = "a number is too long", found.start() if found else len(text)
    line, place, words = _about(text, offset, words)
    return {}, Problem(path=path, line=line, place=place, words=words), offset


def _placed(text: str, message: str) -> tuple[str, int]:
    """What tomllib says, without the place; and that, as an offset."""
    found = _WHERE.search(message)
    words = message[: found.start()] if found else message
    if not found or found[1] is None:
        return words, len(text)
    start = 0
    for _ in range(int(found[1]) - 1):
        start = text.find("\n", start) + 1
    return words, start + int(found[2]) - 1


def _about(text: str, offset: int, words: str) -> tuple[int, Place, str]:
    """The line that a mistake is in, the key it is about, and what to say."""
    line = text.count("\n", 0, offset) + 1
    before = positions(text[:offset])
    place = before.last
    while place and isinstance(place[-1], int):
        place = place[:-1]
    name = ".".join(part for part in place if isinstance(part, str))
    if words.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate")):
        first, second = before.twice or (before.lines.get(place, line), line)
        return second, place, f"{name} is there twice: the first time in line {first}"
    if offset >= len(text) and place and not words.startswith("Expected '='"):
        # An open bracket or quote takes all that follows: the mistake is where it begins.
        line = before.lines[place]
        return line, place, f"{name}: what begins here does not end: {words[:1].lower()}{words[1:]}"
    meant = next((meant for said, meant in MEANT.items() if words.startswith(said)), "")
    column = offset - text.rfind("\n", 0, offset)
    return line, place, f"no TOML: {words[:1].lower()}{words[1:]}, at column {column}{meant and '; '}{meant}"


def _mended(text: str, offset: int) -> tuple[str, str] | None:
    """The text with the value in this place in quotes, and the line as it is then; None where that is not it."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    found = _UNQUOTED.fullmatch(text, start, end)
    if found is None or not found[2].isprintable():
        return None
    meant = f'{found[1]}"{found[2].rstrip()}"'
    return f"{text[:start]}{meant}{text[end:]}", " ".join(meant.split())
