"""python -m tests.cli.reference: writes the tables of docs/configuration.md anew, from the settings themselves."""

from __future__ import annotations

import re
from pathlib import Path

from burstmail.cli.settings import GROUPS, Setting

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
BEGIN = "<!-- from here on made by `python -m tests.cli.reference` -->\n"


def reference() -> str:
    """What stands behind the mark: a table for each group, in the order of the help."""
    text = ""
    for group in GROUPS:
        rows = [row(setting) for setting in group.settings if setting.filed]
        if rows:
            text += f"\n### {plain(group.title[:1].upper() + group.title[1:])}\n\n"
            text += "| key | value | in a route | what it does |\n|---|---|---|---|\n" + "".join(rows)
    return text


def row(setting: Setting) -> str:
    """A row about one setting."""
    what = re.sub(r"(?:; )?repeatable(: any of them)?", lambda found: "; any of them" if found[1] else "", setting.help)
    cells = [f"`{setting.name}`", value(setting), "yes" if setting.routed else "", plain(what)]
    return f"| {' | '.join(cells)} |\n".replace("|  |", "| |")


def value(setting: Setting) -> str:
    """What is written behind the key."""
    if setting.flag:
        return "`true`"
    if setting.choices:
        return ", ".join(f'`"{choice}"`' for choice in setting.choices)
    shown = setting.metavar + (", or a number" if setting.numeric and setting.metavar != "COUNT" else "")
    return f"{shown}, or a list of such" if setting.repeatable else shown


def plain(help: str) -> str:
    """Words about options as words about keys, in Markdown."""
    text = re.sub(r"([*_<|\[])", r"\\\1", help)
    # Between back quotes nothing stands for anything else.
    text = re.sub(r"`[^`]*`", lambda found: found[0].replace("\\", ""), text)
    return re.sub(r"--([a-z-]+[a-z])", r"`\1`", text)


def page() -> str:
    """The whole page, as it should be."""
    return PAGE.read_text().partition(BEGIN)[0] + BEGIN + reference()


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
