"""The public doors: these names and no others, each with a docstring that says what it is."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import burstmail
import burstmail.testing

ERRORS = "BurstmailError StateMismatch StoreError DeliveryError TemporaryDeliveryError PermanentDeliveryError"
CLOCKS = "Clock SystemClock Clocked"
NOUNS = (
    "Batch Burst CloseReason Message Attempt Item DeadLetter Keep Excerpt State Outage Tally Pattern Timeline Report"
)
FILTERS = "Filter ANYTHING match contains at_least where criteria Admit"
SHAPE = "Stage Instant chain keyed Keyed"
STEPS = (
    "Framer Aggregator Session Window Caps Limit CoolDown Composer Outbox Backoff Flow Fields by each "
    "Route Routes Threshold Join"
)
EDGES = (
    "Pipeline AsyncPipeline Collection collect Statistics RouteStatistics Resumable "
    "Sink Step SendmailSink SMTPSink CallbackSink MaildirSink FallbackSink Source StreamSource "
    "SyslogLimits SyslogSource TLS "
    "FileSource IterableSource hostname default_sender Store Entry Change Saved MemoryStore FileStore "
    "JournalSource Passed activated standard_input "
    "BurstHandler Whole"
)
NAMES = " ".join([ERRORS, CLOCKS, NOUNS, FILTERS, SHAPE, STEPS, EDGES]).split()
FAKES = ["Delivery", "ManualClock", "RecordingSink", "Simulation"]
# Aliases of types, which cannot carry a docstring of their own.
ALIASES = {"Item", "State"}


def public(module: object) -> set[str]:
    return {
        name
        for name in dir(module)
        if not name.startswith("_") and not inspect.ismodule(getattr(module, name)) and name != "annotations"
    }


def test_the_public_names_are_these() -> None:
    assert public(burstmail) == set(NAMES)


def test_a_star_brings_them_all() -> None:
    found: dict[str, object] = {}
    exec("from burstmail import *", found)
    assert set(found) - {"__builtins__"} == set(NAMES)


def test_the_fakes_are_public_too() -> None:
    module = burstmail.testing
    own = {name for name in public(module) if getattr(vars(module)[name], "__module__", "") == module.__name__}
    assert own == set(FAKES)


OBJECTS = [(name, getattr(burstmail, name)) for name in NAMES if name not in ALIASES and hasattr(burstmail, name)]
OBJECTS += [(name, getattr(burstmail.testing, name)) for name in FAKES]


def written(thing: object) -> str:
    """The docstring someone wrote; not the signature a dataclass makes, nor one inherited from a builtin."""
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else getattr(thing, "__doc__", None)
    made = inspect.isclass(thing) and dataclasses.is_dataclass(thing) and (text or "").startswith(f"{thing.__name__}(")
    return "" if made else (text or "").strip()


@pytest.mark.parametrize(("name", "thing"), OBJECTS, ids=[name for name, _ in OBJECTS])
def test_a_public_name_says_what_it_is(name: str, thing: object) -> None:
    assert written(thing)


def members(thing: type) -> list[tuple[str, object]]:
    """Methods and properties by their public names, those that burstmail's own bases give included."""
    found = {}
    for base in reversed(thing.__mro__):
        if base.__module__.startswith("burstmail"):
            found |= {name: value for name, value in vars(base).items() if not name.startswith("_")}
    return [(name, value) for name, value in found.items() if documentable(value)]


def documentable(value: object) -> bool:
    return inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod)


METHODS = [
    (f"{name}.{member}", value) for name, thing in OBJECTS if inspect.isclass(thing) for member, value in members(thing)
]


@pytest.mark.parametrize(("name", "method"), METHODS, ids=[name for name, _ in METHODS])
def test_a_public_method_says_what_it_does(name: str, method: object) -> None:
    assert written(method)


@pytest.mark.parametrize(("name", "thing"), OBJECTS, ids=[name for name, _ in OBJECTS])
def test_public_signatures_are_fully_annotated(name: str, thing: object) -> None:
    functions = [thing] if inspect.isfunction(thing) else []
    if inspect.isclass(thing):
        functions = [value for _, value in members(thing) if inspect.isfunction(value)]
    for function in functions:
        signature = inspect.signature(function)
        bare = [
            parameter.name
            for parameter in list(signature.parameters.values())[inspect.isclass(thing) :]
            if parameter.annotation is parameter.empty
        ]
        assert not bare and signature.return_annotation is not signature.empty, f"{function.__qualname__}{signature}"


# mypy sees what users see only if every name is re-exported on purpose and py.typed is in the wheel.
def test_type_checkers_see_every_name(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is installed on one Python only")
    script = tmp_path / "user.py"
    script.write_text(f"from burstmail import {', '.join(NAMES)}\nfrom burstmail.testing import {', '.join(FAKES)}\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(script)]
    where = Path(burstmail.__file__).parents[1]
    # mypy finds what is installed by itself, and refuses to be told of it.
    env = os.environ | ({} if where.name == "site-packages" else {"MYPYPATH": str(where)})
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stdout


def test_the_version_has_one_source() -> None:
    settings = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert "version" not in settings["project"]
    assert burstmail.__version__.count(".") == 2


def test_there_is_no_dependency_at_run_time() -> None:
    settings = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert settings["project"]["dependencies"] == []


def test_what_a_type_checker_reads_is_what_is_loaded() -> None:
    tree = ast.parse(Path(burstmail.__file__).read_text())
    read = {
        alias.name: f"burstmail.{node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    assert read == {name: f"burstmail.{module}" for name, module in burstmail._HOMES.items()}
    assert all(getattr(burstmail, name) is getattr(importlib.import_module(home), name) for name, home in read.items())


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    with pytest.raises(AttributeError, match="module 'burstmail' has no attribute 'Pipelines'"):
        burstmail.__getattr__("Pipelines")


def test_importing_the_package_loads_none_of_its_parts() -> None:
    code = "import sys, burstmail; print(*(name for name in sys.modules if name.startswith('burstmail')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "burstmail\n"
