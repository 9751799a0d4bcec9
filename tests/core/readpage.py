"""A page read back by the standard library's parser: what its reader sees, and that nothing else is in it.

What a real browser makes of it is looked at in `tests/browser`.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

# All there is on a page of ours, and none of it can run, load or lead anywhere.
TAGS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "colgroup", "col"}
TAGS |= {"div", "p", "h1", "h2", "b", "span", "wbr", "br"}
EMPTY = {"meta", "col", "wbr", "br"}
ATTRIBUTES = {"lang", "dir", "charset", "name", "content", "class", "style", "width", "role", "align", "valign"}
ATTRIBUTES |= {"cellpadding", "cellspacing", "border"}
# In a style: what loads, runs, covers what is around it, or comes from a line.
FORBIDDEN = re.compile(r"url|@import|expression|javascript|behaviou?r|position|content:|[\\<&]", re.I)
# What mail programs make a link of by themselves. A <wbr> is a gap in what they look for.
LINKED = re.compile(r"://[^\0]|@[^\0]|\.(?=[^\W\d])")


class Page(HTMLParser):
    """What is on it, by the class of the elements. AssertionError for what should not be there."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        # Nothing but references means anything in it (HTML 13.2.5.2), which not every Python knows.
        self.title = unescape(source.split("<title>", 1)[1].split("</title>", 1)[0])
        self.texts: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self._styles: list[str] = []
        assert source.startswith("<!DOCTYPE html>\n<html ") and source.endswith("</body></html>\n")
        self.feed(source)
        self.close()
        assert not self._open
        assert not [style for style in self._styles if FORBIDDEN.search(style)]

    @property
    def lines(self) -> list[str]:
        """The log lines."""
        return self.texts.get("l", [])

    def __getitem__(self, name: str) -> list[str]:
        return self.texts.get(name, [])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        values = dict(attrs)
        assert len(values) == len(attrs) and set(values) <= ATTRIBUTES, attrs
        self._styles.append(values.get("style") or "")
        name = values.get("class") or ""
        inside = self._open[-1] if self._open else ("", "")
        if tag == "wbr":
            self._add("\0")
        elif tag == "br":
            # An empty line is as high as others.
            assert inside[1] == "line" and not self.texts["l"][-1]
        elif inside[1] == "l" and tag == "div":
            # A line of its own, whatever marks it.
            self.texts.setdefault("l", []).append("")
            self._open.append((tag, "line"))
        elif tag not in EMPTY:
            if tag != "div" or name != "l":
                self.texts.setdefault(name, []).append("")
            self._open.append((tag, name))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop()[0] == tag, tag

    def handle_data(self, data: str) -> None:
        tag, name = self._open[-1] if self._open else ("", "")
        if tag == "style":
            self._styles.append(data)
        elif name == "line":
            self._add(data)
        elif data.strip() and tag != "title":
            assert name != "l", data
            self._add(data)

    def _add(self, data: str) -> None:
        name = self._open[-1][1]
        self.texts["l" if name == "line" else name][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    handle_pi = handle_comment

    def handle_decl(self, decl: str) -> None:
        assert decl == "DOCTYPE html"


def page(source: str) -> Page:
    """The page: no accidental link in it, and its lines are lines."""
    made = Page(source)
    for name, texts in made.texts.items():
        for text in texts:
            assert not LINKED.search(text.removeprefix("e.g. ")), text
        made.texts[name] = [text.replace("\0", "") for text in texts]
    assert all("\n" not in line for line in made.lines)
    return made
