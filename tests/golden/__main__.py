"""python -m tests.golden: the mails of all scenes, to be looked at or to be kept.

  --write            writes what is expected anew: look at `git diff` before you keep it
  --text             prints the text views
  --screenshots DIR  pictures of all HTML views there, 375 and 1000 pixels wide, light and dark (needs Chromium)
  --pictures         writes those of the documentation anew
  --only NAME        this scene alone; can be repeated
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.browser.chromium import measured, screenshot
from tests.golden.palette import smaller
from tests.golden.scene import EXPECTED, Scene, page, text
from tests.golden.scenes import EXAMPLE, SCENES

WIDTHS = (375, 1000)
# A picture that is higher says nothing more.
HIGHEST = 4000

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "pictures"
# By file: the scene, pixels, and whether it is day. As much as a reader sees at once.
PICTURES = {
    "phone-by-day": ("ssh-brute-force", 375, 960, "light"),
    "phone-by-night": ("ssh-brute-force", 375, 960, "dark"),
    "README": ("example", 800, 800, "light"),
    "few-lines": ("disk-errors", 800, 800, "light"),
    "digest": ("cron-on-30-hosts", 800, 760, "dark"),
    "hostile-lines": ("hostile-lines", 800, 780, "light"),
    "left-out": ("long-lines", 800, 780, "light"),
}


def write(scenes: list[Scene]) -> None:
    EXPECTED.mkdir(exist_ok=True)
    for scene in scenes:
        (EXPECTED / f"{scene.name}.txt").write_text(text(scene), "utf-8")
        (EXPECTED / f"{scene.name}.html").write_text(page(scene), "utf-8")


def pictures(scenes: list[Scene], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        found = measured([page(scene) for scene in scenes], width=width, scheme="light").pages
        for scene, one in zip(scenes, found, strict=True):
            for scheme in ("light", "dark"):
                file = target / f"{scene.name}-{width}-{scheme}.png"
                screenshot(page(scene), file, width=width, height=min(one["height"], HIGHEST), scheme=scheme)
                print(file)


def documentation() -> None:
    DOCUMENTATION.mkdir(exist_ok=True)
    for file, (name, width, height, scheme) in PICTURES.items():
        scene = next(scene for scene in (*SCENES, EXAMPLE) if scene.name == name)
        target = DOCUMENTATION / f"{file}.png"
        screenshot(page(scene), target, width=width, height=height, scheme=scheme)
        target.write_bytes(smaller(target.read_bytes()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description="The mails of all scenes.")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--screenshots", type=Path, metavar="DIR")
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--only", action="append", metavar="NAME", choices=[scene.name for scene in SCENES])
    options = parser.parse_args()
    scenes = [scene for scene in SCENES if not options.only or scene.name in options.only]
    if options.write:
        write(scenes)
    if options.text:
        print("\n\n".join(map(text, scenes)))
    if options.pictures:
        documentation()
    if options.screenshots:
        pictures(scenes, options.screenshots)


main()
