"""The operations page is complete and true: every line of the log, every file, signal and exit status is on it."""

from __future__ import annotations

import ast
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import burstmail
from burstmail import __main__
from burstmail.cli import channel, commands, manners, options, place, queue, status, trial
from burstmail.stores import place as files
from burstmail.stores import sqlite

PACKAGE = Path(burstmail.__file__).parent
TEXT = (Path(__file__).resolve().parent.parent / "docs" / "operations.md").read_text()
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# Options that are wrong and an input that cannot be read: each explains itself, and none is like the other.
SELF_EXPLAINING = {"cli/status.py"}
DIRECTIVE = re.compile(r"%[a-z]")
# What stands for a directive on the page.
PLACE = "[A-Z]+"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the page, without the table's own head."""
    text = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|--")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found][1:]


TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
# Names of the whole package that stand for a text; importing one does not change it.
TEXTS = {
    ast.unparse(node.targets[0]): node.value
    for tree in TREES.values()
    for node in tree.body
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
}


def messages() -> Iterator[tuple[str, str]]:
    """(file, format) of everything that is logged."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and is_logging(node.func):
                yield path, message(node)


def is_logging(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return False
    # `Parser.error` and the like log nothing.
    return "logger" in ast.unparse(function.value).lower()


def message(call: ast.Call) -> str:
    """The format of a call, or the constant that stands for it."""
    said = [TEXTS.get(ast.unparse(argument), argument) for argument in call.args]
    assert isinstance(said[0], ast.Constant), f"{ast.unparse(call)}: say it in a literal, so that it can be documented"
    whole = said[1] if said[0].value == "%s" and isinstance(said[1], ast.Constant) else said[0]
    return str(whole.value)


MESSAGES = [(path, text) for path, text in messages() if text != "%s" or path not in SELF_EXPLAINING]
ROWS = rows("The log")


def is_documented(text: str, cell: str) -> bool:
    pattern = PLACE.join(re.escape(part) for part in DIRECTIVE.split(text))
    return re.fullmatch(f"`{pattern}`", cell) is not None


@pytest.mark.parametrize(("path", "text"), MESSAGES)
def test_every_line_of_the_log_is_on_the_page_with_what_to_do(path: str, text: str) -> None:
    found = [row for row in ROWS if is_documented(text, row[0])]
    assert found, f"{path} logs {text!r}: add it to the table in docs/operations.md, %s and %d as words in capitals"
    assert all(len(row) == 2 and len(row[1]) > 10 for row in found)


def test_the_page_has_no_line_that_is_not_logged() -> None:
    own = "%d log lines could not be written"
    assert own.removeprefix("%d") in (PACKAGE / "cli" / "channel.py").read_text()
    logged = [text for _, text in MESSAGES] + [own]
    assert [row[0] for row in ROWS if not any(is_documented(text, row[0]) for text in logged)] == []


def test_every_exit_status_is_on_the_page() -> None:
    written = {int(row[0]) for row in rows("Exit status")}
    assert written == {
        status.OK,
        status.BUG,
        status.UNREADABLE,
        status.UNDELIVERED,
        status.MISUSE,
        queue.NO_SUCH,
        queue.ALARM,
        trial.INTERRUPTED,
    }
    assert __main__.INTERRUPTED == trial.INTERRUPTED
    assert queue.UNREADABLE == status.UNREADABLE
    assert 127 not in written


def test_every_signal_is_on_the_page() -> None:
    written = {name for row in rows("Signals") for name in row[0].split(", ")}
    assert written == {number.name for number in (*manners.STOP, signal.SIGHUP, signal.SIGUSR1)}


def test_every_file_is_on_the_page() -> None:
    written = " ".join(row[0] + row[1] for row in rows("Files"))
    names = [files.DATABASE, *(files.DATABASE + end for end in files.COMPANIONS), files.JOURNAL]
    names += ["lock", "door", "log", "log.1"]
    assert [name for name in names if not re.search(rf"[/`]{re.escape(name)}`", written)] == []
    assert f"`DIR/NAME/{files.DATABASE}.damaged-1`" in written
    assert f"`DIR/NAME/{files.JOURNAL}.damaged-1`" in written
    assert f"up to `-{files.DAMAGED}`" in written
    assert f"`DIR/{place.STARTUP}/log`" in written
    assert f"{channel.FILE_BYTES // 1024} KiB" in written
    assert place.SYSTEM in TEXT
    assert f"{sqlite.DEAD:,} dead letters" in TEXT


def test_every_action_of_the_queue_is_on_the_page() -> None:
    written = " ".join(row[0] for row in rows("The queue"))
    actions = [action for action in commands.ACTIONS if action != "list"]
    assert [action for action in actions if not re.search(rf"queue {action}[ `]", written)] == []


def test_what_makes_a_name_is_on_the_page() -> None:
    text = TEXT.split("\n## Names\n", 1)[1].split("\n## ", 1)[0]
    written = {name: option.removeprefix("--") for option, name in _names().items()}
    assert [name for name in place.IDENTITY if f"`--{written[name]}`" not in text] == []


def _names() -> dict[str, str]:
    """The name under which each option is found."""
    actions = options._mailing()._actions
    return {word: action.dest for action in actions for word in action.option_strings if word[:2] == "--"}
