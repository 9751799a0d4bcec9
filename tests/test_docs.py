"""What the documents say is so: every snippet runs, every option, default and link is compared with the code."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import burstmail
from burstmail.cli.configuration.proof import examine
from burstmail.cli.options import parse
from tests.cli.process import catching
from tests.core import payloads

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LOG = ROOT / "docs" / "examples" / "burst.log"
# What a new user may run and a test may not.
NOT_RUN = {
    "the tests cannot run themselves": 1,
    "changes the machine": 3,
    "takes minutes": 1,
}

# What a daemon's snippet is marked with, and an excerpt of a program in docs/examples.
DAEMON = "runs until SIGTERM"
EXCERPT = "part of: "

FAKE_SENDMAIL = f"""#!{sys.executable}
import sys
open("sent.mail", "a").write(" ".join(sys.argv[1:]) + "\\n" + sys.stdin.read())
"""
# Real ones come first in the list of usual places, and a document must not send real mail.
CUSTOMIZE = "import burstmail.sinks.sendmail as module\nmodule.PLACES = ({path!r},)\n"


@dataclass(frozen=True)
class Snippet:
    page: Path
    line: int
    language: str
    text: str
    note: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


FENCE = re.compile(
    r"(?:<!-- (?P<note>[^\n]*?) -->\n)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


def snippets(language: str) -> list[Any]:
    found = [snippet for snippet in read() if snippet.language == language]
    return [pytest.param(snippet, id=str(snippet)) for snippet in found]


def read() -> Iterator[Snippet]:
    for page in PAGES:
        source = page.read_text()
        for found in FENCE.finditer(source):
            line = source.count("\n", 0, found.start("text"))
            yield Snippet(page, line, found["language"], found["text"], found["note"] or "")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """An empty directory with what a clone has, no tests."""
    shutil.copy(ROOT / "README.md", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A PATH with this Python, a `burstmail` command and a sendmail that writes sent.mail where it runs."""
    place = tmp_path_factory.mktemp("bin")
    commands = {
        "sendmail": FAKE_SENDMAIL,
        "burstmail": f'#!/bin/sh\nexec {sys.executable} -m burstmail "$@"\n',
        "python3": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
    }
    for name, text in commands.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    (place / "sitecustomize.py").write_text(CUSTOMIZE.format(path=str(place / "sendmail")))
    package = str(Path(burstmail.__file__).parents[1])
    return {
        "PATH": f"{place}:{os.environ['PATH']}",
        "PYTHONPATH": f"{place}:{package}",
        "HOME": str(place),
        "STATE_DIRECTORY": str(place / "state"),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }


# A machine that tests may have its Python, or its clone, where no service can go, and `setup` tells of that.
IN_A_HOME = re.compile(r"^burstmail: \S+ cannot be run by the service, .*\n", re.MULTILINE)


def run(command: list[str], where: Path, environment: dict[str, str]) -> str:
    with LOG.open() as lines:
        done = subprocess.run(
            command, cwd=where, env=environment, stdin=lines, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not IN_A_HOME.sub("", done.stderr), done.stderr
    return done.stdout


# The examples read an empty directory instead of the journal of whoever tries them, and that is told of.
NO_JOURNALS = b"burstmail: no journal files are found in .: they are waited for\n"


def until_sigterm(command: list[str], where: Path, environment: dict[str, str]) -> None:
    """Run a daemon, see that it is up, and that it ends in good order and has nothing to complain of."""
    with subprocess.Popen(
        command, cwd=where, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            catching(process)
            # Its own handler is there a moment before everything else is.
            time.sleep(1)
            process.terminate()
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, errors.replace(NO_JOURNALS, b"")) == (0, b"")


@pytest.mark.parametrize("snippet", snippets("sh"))
def test_shell_snippets_run(snippet: Snippet, clone: Path, environment: dict[str, str]) -> None:
    if snippet.note.startswith("not run: "):
        assert snippet.note.removeprefix("not run: ") in NOT_RUN
        return
    if snippet.note == DAEMON:
        return until_sigterm(["bash", "-euc", snippet.text], clone, environment)
    assert run(["bash", "-euo", "pipefail", "-c", snippet.text], clone, environment)


def test_the_rescue_of_another_name_delivers_what_the_caps_hold(clone: Path, environment: dict[str, str]) -> None:
    (recipe,) = (snippet.text for snippet in read() if "queue retry --all" in snippet.text and snippet.language == "sh")
    (name,) = set(re.findall(r"--name (\S+)", recipe))
    for line in ("one", "two", "three"):
        command = f"echo {line} | burstmail --name {name} --to root 2> /dev/null"
        run(["bash", "-euo", "pipefail", "-c", command], clone, environment)
    assert "2 lines open or held" in run(["burstmail", "queue"], clone, environment)
    told = run(["bash", "-euo", "pipefail", "-c", recipe], clone, environment)
    assert told == f"{name}: 0 mails waiting, 0 dead; no burstmail of this name runs\n"
    mails = (clone / "sent.mail").read_text()
    assert all(f"\n  {line}\n" in mails for line in ("one", "two", "three"))


def test_few_shell_snippets_are_not_run() -> None:
    known = [snippet.note for snippet in read() if snippet.note != DAEMON and not snippet.note.startswith(EXCERPT)]
    notes = [note.removeprefix("not run: ") for note in known if note]
    assert {note: notes.count(note) for note in notes} == NOT_RUN


# A session (>>>) runs with its page.
PROGRAMS = [param for param in snippets("python") if ">>> " not in param.values[0].text]


@pytest.mark.parametrize("snippet", PROGRAMS)
def test_python_snippets_run(snippet: Snippet, tmp_path: Path, environment: dict[str, str]) -> None:
    if snippet.note.startswith(EXCERPT):
        assert snippet.text in (ROOT / "docs" / "examples" / snippet.note.removeprefix(EXCERPT)).read_text()
        return
    if "def test_" in snippet.text:
        names: dict[str, Any] = {}
        exec(compile(snippet.text, str(snippet), "exec"), names)
        tests = [function for name, function in names.items() if name.startswith("test_")]
        assert tests
        for function in tests:
            function()
        return
    (tmp_path / "script.py").write_text(snippet.text)
    if snippet.note == DAEMON:
        return until_sigterm([sys.executable, "script.py"], tmp_path, environment)
    printed = run([sys.executable, "script.py"], tmp_path, environment)
    assert printed or "print" not in snippet.text


@pytest.mark.parametrize("page", [page for page in PAGES if ">>> " in page.read_text()], ids=lambda page: page.name)
def test_sessions_say_what_is_written(page: Path) -> None:
    # Blank out the fences: they end no example for doctest.
    text = re.sub(r"^```.*$", "", page.read_text(), flags=re.MULTILINE)
    parsed = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(parsed, out=said.append)
    assert results.attempted and not results.failed, "".join(said)


def test_what_hostile_lines_do_is_what_the_tests_say() -> None:
    assert payloads.table() in (ROOT / "docs" / "hostile-lines.md").read_text()


MODULES = [name for _, name, _ in pkgutil.walk_packages(burstmail.__path__, "burstmail.") if "__main__" not in name]


@pytest.mark.parametrize("name", MODULES)
def test_sessions_in_docstrings_say_what_is_written(name: str) -> None:
    assert not doctest.testmod(importlib.import_module(name)).failed


def directives(text: str) -> list[str]:
    """The lines of a configuration without comments and layout."""
    lines = (line.split("  #")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("snippet", snippets("conf"))
def test_configuration_is_that_of_a_tested_example(snippet: Snippet) -> None:
    wanted = directives(snippet.text)
    examples = [directives(path.read_text()) for path in sorted((ROOT / "docs" / "examples").glob("*.conf"))]
    starts = [example[at : at + len(wanted)] for example in examples for at in range(len(example))]
    assert wanted
    assert wanted in starts


@pytest.mark.parametrize("snippet", snippets("toml"))
def test_configuration_files_have_nothing_wrong(snippet: Snippet, tmp_path: Path) -> None:
    if snippet.note.startswith(EXCERPT):
        assert snippet.text in (ROOT / "docs" / "examples" / snippet.note.removeprefix(EXCERPT)).read_text()
        return
    (tmp_path / "burstmail.toml").write_text(snippet.text)
    given = parse(["-c", str(tmp_path / "burstmail.toml"), "--print"])
    assert examine(given).problems == ()


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "examples").glob("*.toml")), ids=lambda path: path.name)
def test_example_files_have_nothing_wrong(path: Path) -> None:
    found = examine(parse(["-c", str(path), "--print"]))
    assert (found.problems, found.warnings) == ((), ())


def test_every_fence_is_of_a_kind_that_is_tested() -> None:
    assert {snippet.language for snippet in read()} <= {"sh", "python", "conf", "text", "toml"}
    # A fence the expression above does not see would not be tested.
    assert sum(page.read_text().count("\n```") for page in PAGES) == 2 * len(list(read()))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_example_burst_uses_documentation_addresses_only() -> None:
    addresses = set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", LOG.read_text()))
    assert addresses
    # RFC 5737.
    assert all(address.startswith(("192.0.2.", "198.51.100.", "203.0.113.")) for address in addresses)


def test_files_that_are_named_are_there() -> None:
    package = Path(burstmail.__file__).parent
    for page in PAGES:
        for name in re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", page.read_text()):
            core = package / "core"
            places = (ROOT, ROOT / "src" / "burstmail", package, core, core / "mail", core / "patterns")
            assert name == "watch.py" or any((place / name).is_file() for place in places), f"{page.name}: {name}"
