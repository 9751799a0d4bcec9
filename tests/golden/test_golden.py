"""The mails of real-looking bursts are what they were when somebody last looked at them."""

from __future__ import annotations

from difflib import unified_diff

import pytest

from burstmail.core.escape import visible
from tests.golden.scene import EXPECTED, INPUTS, Scene, mail, page, played, text
from tests.golden.scenes import SCENES

HOW = "look at it, and keep it with `python -m tests.golden --write`"

each = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)


def same(found: str, scene: Scene, kind: str) -> None:
    file = EXPECTED / f"{scene.name}.{kind}"
    expected = file.read_text("utf-8") if file.exists() else ""
    rows = unified_diff(expected.split("\n"), found.split("\n"), "as it was", "as it is", lineterm="", n=1)
    assert found == expected, f"{scene.name}.{kind} has changed: {HOW}\n" + "\n".join(list(rows)[:40])


@each
def test_the_text_is_as_it_was_found_good(scene: Scene) -> None:
    same(text(scene), scene, "txt")


@each
def test_the_page_is_as_it_was_found_good(scene: Scene) -> None:
    same(page(scene), scene, "html")


@each
def test_the_text_can_be_shown_on_any_terminal(scene: Scene) -> None:
    assert all(visible(line) == line for line in text(scene).split("\n"))


@each
def test_no_mail_is_cut_by_its_reader(scene: Scene) -> None:
    # Gmail cuts at 102 kB; what is attached does not count.
    for message in played(scene):
        attached = sum(len(part.as_bytes()) for part in mail(scene).iter_attachments())
        assert len(message.data) - attached < 100_000


def test_there_are_bursts_of_many_kinds() -> None:
    assert len({scene.name for scene in SCENES}) == len(SCENES) >= 20


def test_nothing_is_expected_or_read_that_no_scene_is_about() -> None:
    names = {scene.name for scene in SCENES}
    assert {file.stem for file in EXPECTED.iterdir()} == names
    assert {file.stem for file in INPUTS.iterdir()} <= names


def test_a_mail_that_has_changed_is_told_with_what_has_changed() -> None:
    scene = SCENES[0]
    with pytest.raises(AssertionError, match=r"(?s)has changed: look at it.*\+Lines from nowhere"):
        same(text(scene) + "\nLines from nowhere", scene, "txt")
