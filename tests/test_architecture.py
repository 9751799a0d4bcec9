"""The order of the house: imports run downward only, the core is pure, and one file reads clocks (docs/design.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import burstmail

PACKAGE = Path(burstmail.__file__).parent

# Lowest first; a module imports only from lines above its own. What stands on one line does not know its neighbours.
LAYERS = [
    ["errors"],
    ["core.kinds"],
    [
        *(
            "core.address",
            "core.backoff",
            "core.details",
            "core.escape",
            "core.follow",
            "core.forms",
            "core.stamps",
            "core.mail.look",
            "core.mail.markup",
            "core.mail.mime",
        ),
        *("core.patterns.lexicon", "core.patterns.meaning", "core.words"),
    ],
    ["core.generations"],
    ["core.heirs"],
    [
        *("core.patterns.contrast", "core.allowed", "core.fields", "core.guests", "core.keep", "core.packed"),
        *("core.timeline", "core.traces", "core.window"),
    ],
    ["core.columns", "core.excerpt", "core.glance", "core.journal", "core.rows"],
    ["core.patterns.masks", "core.mail.redactions", "core.severity"],
    ["core.collector", "core.patterns.naming", "core.patterns.row", "core.patterns.tokens"],
    ["core.patterns.reasons"],
    ["core.patterns.alike"],
    ["core.patterns.merge"],
    ["core.patterns.table"],
    ["core.patterns.tally"],
    ["core.model"],
    ["core.lines", "core.split", "core.stage", "core.statistics"],
    ["core.admit", "core.literals", "core.whole", "core.wildcard"],
    ["core.contains", "core.match"],
    ["core.criteria"],
    ["core.bounds", "core.older", "core.urgent", "core.whence"],
    ["core.remarks"],
    [
        *("core.mail.attachment", "core.chain", "core.fold", "core.keyed", "core.limits", "core.mail.redact"),
        *("core.mail.identity", "core.mail.room", "core.mail.sentences", "core.session"),
        *("core.key", "core.recent", "core.shelf"),
    ],
    ["core.hold", "core.record"],
    ["core.mail.overview"],
    ["core.mail.news"],
    ["core.mail.subject"],
    ["core.mail.topic"],
    ["core.mail.report"],
    ["core.mail.letter"],
    ["core.mail.page"],
    ["clock", "core.waiting", "host"],
    ["core.health", "core.mail.mailbox", "core.mail.template"],
    [
        *("core.accept", "core.aggregate", "core.cap", "core.compose", "core.deliver"),
        *("core.echo", "core.join", "core.salvage", "core.threshold"),
    ],
    ["core.entries", "core.notice", "core.octets", "core.origin", "core.route"],
    ["core.heads", "core.lane", "core.layout"],
    ["core.path"],
    ["core.paths", "core.recall"],
    ["core.counts"],
    ["core.flow"],
    ["sinks", "sources", "stores"],
    [
        *("drivers.aio.patience", "drivers.aio.worker", "drivers.later", "drivers.places", "drivers.readers"),
        "drivers.sender",
    ],
    ["drivers.aio.calls", "drivers.ledger", "drivers.outcomes", "drivers.replay"],
    ["drivers.buried"],
    ["drivers.engine"],
    ["drivers.aio.desk", "drivers.aio.readers"],
    ["drivers", "testing"],
    ["logging"],
    ["cli"],
    ["__main__"],
]
RANKS = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# What would let the core act, wait, or answer differently the second time.
IMPURE = {
    "asyncio", "concurrent", "io", "logging", "multiprocessing", "os", "pathlib", "queue", "random", "secrets",
    "select", "selectors", "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "hash", "id"}

CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"}
NOW = {"now", "utcnow", "today"}

HEAVY = ["asyncio", "smtplib", "email", "ssl", "sqlite3", "subprocess"]


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__") or "burstmail", path


MODULES = dict(modules())


def layer(name: str) -> str:
    """The entry of LAYERS that a module belongs to: itself, or the package it is in."""
    while name and name not in RANKS:
        name = name.rpartition(".")[0]
    return name


def imports(name: str, path: Path) -> Iterator[str]:
    """Absolute names of all that a module imports, functions included; burstmail's own begin with its name."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from resolved(node, package if package != "burstmail" else "")


def resolved(node: ast.ImportFrom, package: str) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        parts = ["burstmail", *filter(None, package.split("."))]
        parts = parts[: len(parts) - node.level + 1]
        base = ".".join([*parts, node.module] if node.module else parts)
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield inner if inner.partition(".")[2] in MODULES else base


def own(name: str, path: Path) -> set[str]:
    # Not by the last part: there is a logging of ours, and one of Python's.
    inner = [found.removeprefix("burstmail.") for found in imports(name, path) if found.startswith("burstmail.")]
    return {layer(found) for found in inner if found in MODULES} - {"", layer(name)}


@pytest.mark.parametrize("name", [name for name in MODULES if layer(name)])
def test_imports_run_downward_only(name: str) -> None:
    rank = RANKS[layer(name)]
    upward = {found for found in own(name, MODULES[name]) if RANKS[found] >= rank}
    assert not upward, f"{name} imports {sorted(upward)}, which stand beside or above it in LAYERS"


def test_every_module_has_its_place() -> None:
    packages = ("burstmail", "core", "core.mail", "core.patterns")
    homeless = [name for name in MODULES if not layer(name) and name not in packages]
    assert not homeless, f"add {homeless} to LAYERS"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("core.")])
def test_the_core_is_pure(name: str) -> None:
    roots = {found.partition(".")[0] for found in imports(name, MODULES[name])}
    assert not roots & IMPURE
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(MODULES[name].read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & IMPURE_CALLS


def clock_readings(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [f"from time import {alias.name}" for alias in node.names if alias.name in CLOCKS]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            spelled = f"{node.value.id}.{node.attr}"
            if (node.value.id == "time" and node.attr in CLOCKS) or (
                node.value.id in ("datetime", "date") and node.attr in NOW
            ):
                found.append(spelled)
        elif isinstance(node, ast.Attribute) and node.attr in NOW and ast.unparse(node.value).startswith("datetime."):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("name", [name for name in MODULES if name != "clock"])
def test_nothing_but_clock_reads_a_clock(name: str) -> None:
    assert clock_readings(MODULES[name].read_text()) == []


@pytest.mark.parametrize(
    "line",
    ["time.monotonic()", "time.time()", "datetime.now(tz)", "datetime.datetime.now()", "from time import monotonic"],
)
def test_a_clock_reading_would_be_seen(line: str) -> None:
    assert clock_readings(line)


def test_importing_burstmail_loads_nothing_heavy() -> None:
    code = f"import sys, burstmail; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", MODULES)
def test_files_stay_small_enough_to_read(name: str) -> None:
    assert code_lines(MODULES[name].read_text()) <= (150 if name.startswith("core.") else 250)


def code_lines(source: str) -> int:
    """Lines that are neither blank, nor comment, nor docstring: prose is free."""
    prose: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in lines if line.strip() and line.strip()[0] != "#" and number not in prose)


@pytest.mark.parametrize("name", MODULES)
def test_every_file_opens_with_what_it_is(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text())
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("name", MODULES)
def test_functions_stay_short_and_flat(name: str) -> None:
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert statements(node) <= 25, f"{node.name}() has more than 25 lines"
            assert depth(node) <= 3, f"{node.name}() nests more than 3 deep"


def statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without its docstring: prose is free."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def depth(node: ast.AST) -> int:
    """How deep blocks nest inside a node; an elif is as deep as its if."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        chained = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        block = isinstance(child, ast.If | ast.For | ast.While | ast.With | ast.Try) and not chained
        deepest = max(deepest, depth(child) + block)
    return deepest
