"""The reference is complete and true: options, defaults, names and fields are compared with the code."""

from __future__ import annotations

import argparse
import importlib
import inspect
from pathlib import Path
from typing import Any

import burstmail
from burstmail.cli import options, values

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "reference.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the reference, without the table's own head."""
    text = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found if not line.startswith("|--")]
    return cells[1:]


def options_written() -> dict[str, list[str]]:
    return {row[0].strip("`").split(" ")[0]: row for row in rows("Options")}


def actions(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {next(name for name in action.option_strings if name[:2] == "--"): action for action in parser._actions}


def test_the_option_table_is_the_parser() -> None:
    written = options_written()
    parser = actions(options._mailing())
    assert list(written) == list(parser)
    for name, row in written.items():
        metavar = parser[name].metavar
        assert row[0] == (f"`{name} {metavar}`" if metavar and parser[name].nargs != 0 else f"`{name}`")
        assert len(row) == 3 and len(row[2]) > 10, f"{name}: say why"


def default(owner: Any, name: str) -> Any:
    return inspect.signature(owner).parameters[name].default


# How an option's text becomes the value that the library's default must equal.
OPTIONS = {
    "--gap": lambda text: values.duration(text) == default(burstmail.Window, "gap"),
    "--max-age": lambda text: values.duration(text) == default(burstmail.Window, "max_age"),
    "--keep": lambda text: values.keep(text) == burstmail.Keep(),
    "--cap": lambda text: tuple(map(values.cap, text.split(" and "))) == limits().LIMITS,
    "--cool-down": lambda text: values.cool_down(text) == limits().PER_KEY,
    "--backoff": lambda text: values.backoff(text) == burstmail.Backoff(),
    "--give-up": lambda text: values.duration(text) == default(burstmail.Pipeline, "give_up"),
    "--grace": lambda text: values.duration(text) == default(burstmail.Pipeline, "grace"),
    "--sync": lambda text: text == default(burstmail.Pipeline, "sync"),
    "--redact": lambda text: tuple(text.split(",")) == default(burstmail.Composer, "redact"),
    "--attach": lambda text: int(text) == default(burstmail.Composer, "attach"),
    "--subject": lambda text: text == default(burstmail.Composer, "subject"),
}


def limits() -> Any:
    return importlib.import_module("burstmail.core.cap")


def test_defaults_of_options_are_the_library_s() -> None:
    written = {name: row[1].replace("`", "") for name, row in options_written().items()}
    for name, same in OPTIONS.items():
        assert same(written[name]), f"{name}: {written[name]}"
    for name, said in written.items():
        action = actions(options._mailing())[name]
        if name not in OPTIONS and said not in ("none", "required"):
            assert said in (action.help or "") or "where" in said, name


def test_defaults_of_parts_are_the_code_s() -> None:
    written = {(row[0].strip("`"), row[1].strip("`")): row[2].strip("`") for row in rows("Defaults of the parts")}
    for (part, name), said in written.items():
        assert repr(default(getattr(burstmail, part), name)) == said, f"{part}({name})"
    for part in sorted({part for part, _ in written}):
        code = inspect.signature(getattr(burstmail, part)).parameters.values()
        given = {parameter.name for parameter in code if parameter.default is not inspect.Parameter.empty}
        assert given == {name for owner, name in written if owner == part}, part


def test_the_reference_names_every_public_name() -> None:
    public = [name for name in vars(burstmail) if not name.startswith("_") and name != "annotations"]
    names = [name for name in public if not inspect.ismodule(getattr(burstmail, name))]
    names += ["ManualClock", "RecordingSink", "Simulation", "Delivery"]
    assert [name for name in names if f"`{name}" not in TEXT] == []


def test_the_reference_names_every_subject_field() -> None:
    from burstmail.core.mail.subject import FIELDS

    assert [name for name in FIELDS if f"`{{{name}}}`" not in TEXT] == []
