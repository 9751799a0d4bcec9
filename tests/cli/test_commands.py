"""The first word of a command line: which command it is, and what a misspelt one is told."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from inspect import signature

import pytest

from burstmail.cli import COMMANDS, WORDS, usage
from tests.cli.process import COMMAND, run


@pytest.mark.parametrize("word", sorted(COMMANDS))
def test_each_command_is_a_module_with_a_function(word: str) -> None:
    command = import_module(f"burstmail.cli.{COMMANDS[word]}").command
    assert len(signature(command).parameters) == 1
    assert word in usage.USAGE


@pytest.mark.parametrize("word", WORDS)
def test_each_command_has_a_help(word: str) -> None:
    done = run(word, "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: burstmail")


@pytest.mark.parametrize("word", [word for word in WORDS if word != "run"])
def test_a_misspelt_command_is_told_what_was_meant(word: str) -> None:
    done = run(word[:-1] + "x", "--to", "root", lines=b"a line\n")
    assert (done.returncode, done.stdout) == (78, b"")
    expected = (
        f"burstmail: there is no command '{word[:-1]}x': did you mean `burstmail {word}`? (see burstmail --help)\n"
    )
    assert done.stderr.decode() == expected


@pytest.mark.parametrize("word", sorted(COMMANDS))
def test_a_misspelt_option_of_each_is_one_line_and_does_not_wait(word: str) -> None:
    more = ["journald"] if word == "setup" else ["FILE"] if word == "bundle" else ["--to", "root"]
    done = run(word, *more, "--too-many", command=COMMAND)
    assert (done.returncode, done.stdout) == (78, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"--too-many" in done.stderr


def test_run_is_what_it_does_without_a_word() -> None:
    given = ("--to", "root", "--from", "me@example.org", "--print")
    shown = [run(*word, *given, lines=b"a line\n") for word in ((), ("run",))]
    assert [done.returncode for done in shown] == [0, 0]
    body = [done.stdout.split(b"\n\n", 1)[1] for done in shown]
    assert b"a line" in body[0] and body[0].split(b"\n")[0] == body[1].split(b"\n")[0]


def test_what_belongs_to_a_command_is_refused_without_one() -> None:
    for word in ("run", "check"):
        done = run(word, "--to", "root", "--print", "--tee")
        assert done.returncode == 78
        assert done.stderr == b"burstmail: --tee belongs to `burstmail run ... -- COMMAND`\n" or word == "check"
        assert b"--tee belongs to `burstmail run ... -- COMMAND`" in done.stderr


def test_a_bug_in_a_command_is_shown_whole() -> None:
    code = "import sys; from burstmail.cli import main, check; check.examine = None; sys.exit(main())"
    done = run("check", "--to", "root", command=[sys.executable, "-c", code])
    assert done.returncode == 70
    assert done.stderr.startswith(b"burstmail: this is a bug\n  Traceback")


def test_nobody_has_to_read_what_a_command_says() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run("check", "--to", "root", stdout=writing, stderr=writing, capture_output=False)
    finally:
        os.close(writing)
    assert done.returncode == 0
