"""The HTML view in a real Chromium: nothing runs, nothing is fetched, nothing sticks out, all can be read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.attacks import ELSEWHERE, RUN
from tests.browser.chromium import measured
from tests.browser.conftest import Measure
from tests.browser.pages import PAGES, Page
from tests.golden.scenes import SCENES

pytestmark = pytest.mark.browser

# A telephone held upright, a tablet or a pane beside a list of mails, and a window.
WIDTHS = (375, 600, 1000)
SCHEMES = ("light", "dark")
VIEWS = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]

# What a page is made of; whatever else a browser finds in it came in with a line.
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "span", "b", "br", "wbr"),
    *("table", "tbody", "colgroup", "col", "tr", "td"),
}
ATTRIBUTES = {
    *("charset", "class", "content", "dir", "lang", "name", "role", "style"),
    *("align", "border", "cellpadding", "cellspacing", "valign", "width"),
}

every_view = pytest.mark.parametrize(("width", "scheme"), VIEWS)


def by_page(found: Measure, width: int, scheme: str, name: str) -> dict[str, Any]:
    """One kind of finding, for the pages that have any."""
    return {page.name: one[name] for page, one in zip(PAGES, found(width, scheme).pages, strict=True) if one[name]}


@every_view
def test_no_script_runs(found: Measure, width: int, scheme: str) -> None:
    assert not by_page(found, width, scheme, "ran")


@every_view
def test_no_request_leaves(found: Measure, width: int, scheme: str) -> None:
    assert not found(width, scheme).asked


@every_view
def test_nothing_sticks_out_or_is_cut_off(found: Measure, width: int, scheme: str) -> None:
    assert {one["scrollWidth"] for one in found(width, scheme).pages} == {width}
    for kind in ("out", "beyond", "cut"):
        assert not by_page(found, width, scheme, kind)


@every_view
def test_every_word_has_a_contrast_of_4_5_or_more(found: Measure, width: int, scheme: str) -> None:
    # WCAG 2.1, 1.4.3.
    assert not by_page(found, width, scheme, "faint")
    assert not by_page(found, width, scheme, "hidden")
    assert min(one["smallest"] for one in found(width, scheme).pages) >= 12


@every_view
def test_night_and_day_are_those_of_the_reader(found: Measure, width: int, scheme: str) -> None:
    assert {one["dark"] for one in found(width, scheme).pages} == {scheme == "dark"}
    # As bright as it is asked for: 0 is black, 1 is white.
    bright = [one["brightness"] for one in found(width, scheme).pages]
    assert max(bright) < 0.05 if scheme == "dark" else min(bright) > 0.8


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_mail_program_that_drops_the_style_sheet_shows_it_as_well(scheme: str) -> None:
    # Gmail does in some of its readers, and for mail of other providers.
    bare = [re.sub(r"(?s)<style>.*</style>", "", page.html) for page in PAGES[: len(SCENES)]]
    for page, one in zip(PAGES, measured(bare, width=375, scheme=scheme).pages, strict=False):
        assert one["scrollWidth"] == 375 and not one["beyond"], page.name
        assert not one["faint"] and not one["hidden"], page.name


def test_a_page_is_made_of_nothing_but_text_tables_and_colours(found: Measure) -> None:
    for page, one in zip(PAGES, found(375, "light").pages, strict=True):
        assert set(one["elements"]) <= ELEMENTS, page.name
        assert set(one["attributes"]) <= ATTRIBUTES, page.name
        assert one["links"] == one["scripts"] == 0, page.name


def rows(text: str) -> list[str]:
    """The rows of a text that are not empty, without blanks at their ends."""
    return [row.rstrip() for row in text.split("\n") if row.strip()]


def the_lines(page: Page) -> list[str]:
    """The log lines as the text view shows them; they stand last in it, and only they are indented there."""
    body = page.text.partition("\n\n-- \n")[0]
    return [row[2:] if row.startswith("  ") else row for row in body.rpartition("\n\n")[2].split("\n")]


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[page.name for page in PAGES])
def test_the_reader_sees_the_lines_exactly_as_the_text_view_has_them(found: Measure, number: int) -> None:
    page, shown = PAGES[number], rows(found(1000, "light").pages[number]["text"])
    expected = rows("\n".join(the_lines(page)))
    assert expected
    assert shown[-1 - len(expected) : -1] == expected


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[page.name for page in PAGES])
def test_the_reader_is_told_all_that_the_text_view_tells(found: Measure, number: int) -> None:
    page, shown = PAGES[number], found(1000, "light").pages[number]["text"]
    words = " ".join(shown.split())
    told = page.text.partition("\n\n")[2].partition("\n\n-- \n")[0].split("\n")
    for sentence in told:
        if sentence and not sentence.startswith((" ", "Worst: ", "Severity: ")):
            assert " ".join(sentence.rstrip(":").split()) in words
    worst = next((row for row in told if row.startswith("Worst: ")), "")
    for severity, count in re.findall(r"\b([a-z]+) \(?([0-9,]*[0-9])", worst.replace("no severity", "")):
        assert f"{severity} {count}" in words


# --- and a page that is not safe is found out -----------------------------------------------------------------------


def unsafe(body: str, style: str = "") -> dict[str, Any]:
    found = measured([f"<!DOCTYPE html><style>{style}</style><body>{body}</body>"], width=375, scheme="light")
    return {**found.pages[0], "asked": found.asked}


@pytest.mark.parametrize(
    "body",
    [
        f"<script>{RUN}</script>",
        f"<img src=x onerror={RUN}>",
        f"<svg onload={RUN}>",
        f'<iframe src="javascript:parent.{RUN}"></iframe>',
        f"<input autofocus onfocus={RUN}>",
    ],
)
def test_a_script_that_runs_is_noticed(body: str) -> None:
    assert unsafe(f"text {body}")["ran"]


@pytest.mark.parametrize(
    "body",
    [
        f'<img src="{ELSEWHERE}/pixel.gif">',
        f'<link rel="stylesheet" href="{ELSEWHERE}/s.css">',
        f'<p style="background: url({ELSEWHERE}/b.png)">x</p>',
        f'<iframe src="{ELSEWHERE}/"></iframe>',
        '<script src="http://127.0.0.1:8099/x.js"></script>',
    ],
)
def test_a_request_is_noticed(body: str) -> None:
    assert any(re.search(r"elsewhere|127\.0\.0\.1:8099", asked) for asked in unsafe(f"text {body}")["asked"])


def test_what_sticks_out_is_noticed() -> None:
    wide = unsafe("<p>" + "A" * 200 + "</p>")
    assert wide["scrollWidth"] > 375 and wide["beyond"]
    assert unsafe('<div style="overflow: hidden; width: 100px">' + "A" * 200 + "</div>")["cut"]


def test_what_can_hardly_be_read_is_noticed() -> None:
    assert unsafe("faint", "body { color: #999; background: #fff }")["faint"]
    assert not unsafe("clear", "body { color: #666; background: #fff }")["faint"]
    assert unsafe("on glass", "body { color: rgb(0 0 0 / 40%) }")["faint"]
    assert unsafe("gone", "body { opacity: 0.3 }")["hidden"]
