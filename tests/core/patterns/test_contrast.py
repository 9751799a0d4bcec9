"""Words that tell what happened, whatever their form, and names that only look like such."""

from __future__ import annotations

import pytest

from burstmail.core.patterns.contrast import headed, partly_telling, says_what, stated, telling
from burstmail.core.patterns.lexicon import SAYING, TELLING, TELLING_PARTS

TELLS = "up DOWN failed LINK_UP isReady hot-plug TaskStarted unreachable authentication in-use primary GET denied"
SILENT = "anna eth fred ahmed NavigationBar SettingsActivity root_local backup-server Netlogon www-data"


@pytest.mark.parametrize("word", TELLS.split())
def test_a_word_that_tells_does_so_in_any_form(word: str) -> None:
    assert telling(word)


@pytest.mark.parametrize("word", SILENT.split())
def test_a_name_tells_nothing(word: str) -> None:
    assert not telling(word)


def test_a_side_is_part_of_many_names() -> None:
    assert telling("backup") is telling("server-a") is False
    assert telling("server") and not partly_telling("server-a")


@pytest.mark.parametrize("word", ["denied", "Stopped", "stopping", "fails", "closing", "removed", "allowed"])
def test_a_word_is_known_by_what_it_comes_from(word: str) -> None:
    assert stated(word)


@pytest.mark.parametrize("word", ["billing", "reporting", "mohammed", "ss", "ed", "ied", "s"])
def test_an_ending_alone_does_not_state(word: str) -> None:
    assert not stated(word)


@pytest.mark.parametrize(
    ("name", "tells"),
    [("ConnectException", True), ("SCREEN_OFF", True), ("JobStarted", True), ("StopButton", False), ("shared", False)],
)
def test_what_is_put_together_is_what_its_last_part_says(name: str, tells: bool) -> None:
    assert headed(name) is tells


def test_nothing_heads_a_name_without_letters() -> None:
    assert not headed("__")


@pytest.mark.parametrize(
    ("field", "says"), [("status", True), ("eventName", True), ("error_code", True), ("user", False), ("svc", False)]
)
def test_some_fields_say_what_happened(field: str, says: bool) -> None:
    assert says_what(field) is says


def test_the_lists_are_lower_case_and_say_each_word_once() -> None:
    assert not TELLING & TELLING_PARTS
    assert all(word == word.lower() for word in TELLING | TELLING_PARTS | SAYING)
