"""The HTML of a mail, read by the standard library's parser: what is in it, what it says, and what it never has."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compose import burst
from test_report import report, session

from burstmail.core.keep import Keep
from burstmail.core.mail.look import STYLE, STYLES
from burstmail.core.mail.page import blocks, page
from burstmail.core.mail.report import Report
from burstmail.core.timeline import Timeline

VOID = {"meta", "col", "wbr", "br"}
# Nothing that loads, runs, links or takes input.
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "table", "colgroup", "col", "tr", "td"),
    *("h1", "h2", "p", "div", "span", "b", "wbr", "br", "tbody"),
}
ATTRIBUTES = {
    *("style", "class", "role", "cellpadding", "cellspacing", "border", "width", "align", "valign"),
    *("charset", "name", "content", "lang", "dir"),
}


class Reader(HTMLParser):
    """The tags in their order, and the text of each kind of element by class."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[tuple[str, str]] = []
        self.texts: list[tuple[list[str], str]] = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag not in VOID:
            self.open.append((tag, dict(attributes).get("class") or ""))
        if tag == "div" and self.open[:-1] and self.open[-2][1] == "l":
            self.texts.append((["row"], ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        classes = [name for _, kind in self.open for name in kind.split()]
        if "l" in classes:
            self.texts[-1] = (["row"], self.texts[-1][1] + data)
        else:
            self.texts.append((classes, data))

    @property
    def rows(self) -> list[str]:
        """The log lines."""
        return [text for kinds, text in self.texts if kinds == ["row"]]

    def text(self, kind: str) -> str:
        return "".join(text for kinds, text in self.texts if kind in kinds)


def read(found: Report) -> Reader:
    return Reader(page(found))


LINES = [f"<38>Nov 23 10:00:00 web1 sshd[{n}]: Failed password for root from 192.0.2.{n}" for n in range(30)]
FULL = replace(
    report(*LINES, "<34>disk failed", "<36>x", *LINES, keep=Keep(head=9, tail=9), attach=9999, notes=["Look: here."]),
    sources=(("web1 <b>", 40), ("(everything else)", 22)),
    other=1234,
    signature="burstmail on web1",
)


def test_the_page_says_what_the_text_says() -> None:
    found = read(FULL)
    assert found.text("h") == FULL.opening
    assert found.text("s") == "62 lines by what they sayLines from each sourceThe first 9 lines"
    assert found.text("gap") == "[44 lines left out here]"
    assert found.rows == [*FULL.head, *FULL.tail]
    assert found.text("t").endswith("each bar is 2 s, the highest 2 lines.")
    for fact in (*FULL.facts, FULL.attached, "Note: Look: here.", "web1 <b>", "(everything else)", "burstmail on web1"):
        assert fact in found.text("in")
    assert "crit 1 warning 1 info 60 " in found.text("in")
    assert "60sshd: Failed password for root from <ip>info, 30 addresses" in found.text("rows")
    assert "1,234other lines" in found.text("rows")


def test_nothing_in_it_loads_runs_or_leads_anywhere() -> None:
    found = read(FULL)
    assert set(found.tags) <= TAGS
    assert found.attributes <= ATTRIBUTES
    assert not re.search(r"url\(|@import|https?:|//|expression|javascript", page(FULL))


def test_the_title_is_the_first_sentence() -> None:
    """Where no element can be, a <wbr> would be shown as it is written."""
    made = page(Report.of(burst("x", key="</title><b>root@example.org & co")))
    title = made.partition("<title>")[2].partition("</title>")[0]
    assert unescape(title) == "1 line from </title><b>root@example.org & co in 38 s."


def test_what_is_seldom_stands_apart() -> None:
    lines = [f"{' '.join([chr(97 + n) * 4] * (5 + n))} {m}" for n in range(14) for m in range(40 - n)]
    found = read(report(*lines, "disk failed"))
    assert "by what they saySeldom" in found.text("s")
    assert "disk failed" in found.text("rows")


def test_an_example_stands_under_its_pattern() -> None:
    lines = [*(f"a {n}" for n in range(30)), "disk <b> 1", "disk <b> 2", *(f"a {n}" for n in range(30))]
    found = read(report(*lines, keep=Keep(head=2, tail=2)))
    assert found.text("x") == "e.g. disk <b> 1"


def test_a_plain_mail_is_a_plain_page() -> None:
    found = read(report("a"))
    assert found.rows == ["a"]
    assert found.text("s") + found.text("gap") + found.text("rows") + found.text("bars") == ""


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n"), max_size=40) | st.sampled_from(["<b>", "</div>", "&lt;", ""])
    )
)
def test_every_line_is_one_row_whatever_is_in_it(lines: list[str]) -> None:
    made = Report.of(session("x", *lines, "y"))
    assert read(made).rows == [*made.head, *made.tail]


@pytest.mark.parametrize(
    ("line", "edge"), [("<0>a", "e"), ("<3>a", "e"), ("<4>a", "w"), ("<5>a", None), ("a", None), ("err a", None)]
)
def test_a_severe_line_is_marked(line: str, edge: str | None) -> None:
    made = page(Report.of(burst("x", line, "x")))
    assert re.findall("<div class=([a-z]+)>", made) == ([edge] if edge else [])
    # The mark is that of the line also where lines are left out.
    left = page(Report.of(session(*"abcdefg", line, keep=Keep(head=2, tail=2))))
    assert re.findall("<div class=([a-z]+)>", left) == ([edge] if edge else [])


def test_bars_are_as_high_as_their_counts() -> None:
    made = replace(report("a"), timeline=Timeline(width=1.0, start=0, counts=(1, 0, 50, 100)))
    found = blocks(made)["timeline"]
    assert re.findall(r"<td>(?:<div style=\"border-bottom:(\d+)px)?", found) == ["1", "", "22", "44"]
    # A few of them are no walls.
    assert "max-width:56px" in found


def test_shares_are_of_the_most_frequent() -> None:
    shares = [int(width) for width in re.findall(r"width:(\d+)%\"", blocks(FULL)["patterns"])]
    assert shares == [100, 1, 1]


def test_a_sentence_with_a_colon_in_it_has_no_label() -> None:
    made = blocks(replace(FULL, facts=("Delivery was down (3 h): 3 mails.", "Shown: 1 line.")))["facts"]
    assert [re.sub("<[^>]*>", "", label) for label in re.findall(r"<span.*?</span>", made)] == ["Shown:"]


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colors(rule: str) -> dict[str, str]:
    return dict(re.findall(r"(?:^|;|\{)(color|background):(#[0-9a-f]{6})", rule))


NIGHT = dict(re.findall(r"([^{}]+)\{([^{}]+)\}", STYLE.partition("dark){")[2].replace("!important", "")))


@pytest.mark.parametrize("kind", ["e", "w", "i"])
def test_chips_are_readable_by_day_and_by_night(kind: str) -> None:
    for rule in (STYLES[kind], NIGHT[f".{kind}"]):
        pair = colors(rule)
        assert contrast(pair["color"], pair["background"]) >= 4.5


@pytest.mark.parametrize("kind", ["in", "q", "d", "r", "a", "z"])
def test_words_are_readable_by_day_and_by_night(kind: str) -> None:
    night = {name: rule for names, rule in NIGHT.items() for name in names.split(",") if "color" in colors(rule)}
    assert contrast(colors(STYLES[kind])["color"], colors(STYLES["card"])["background"]) >= 4.5
    assert contrast(colors(night[f".{kind}"])["color"], colors(NIGHT[".card"])["background"]) >= 4.5


def test_the_worst_message_stands_below_the_severities() -> None:
    lines = ["x", "<34>a.b <c>", *(f"<38>{chr(97 + n) * 4}" for n in range(20))]
    found = page(report(*lines))
    assert found.index(">crit 1<") < found.index(">a.<wbr>b &lt;c&gt;</p>") < found.index("First line:")


def test_one_line_before_the_gap_is_the_first_line() -> None:
    assert ">The first line<" in page(report(*"abc", keep=Keep(head=1, tail=1)))
