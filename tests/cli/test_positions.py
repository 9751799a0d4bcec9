"""Every key of any TOML has its line, and what is no TOML ends the search and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.cli.configuration.positions import Place, positions

PLAIN = ["1", "-0.5", "1979-05-27 07:32:00", "07:32:00", "1979-05-27T07:32:00.5-07:00", "true", "0x1F", "inf", "6e+23"]
STRINGS = [
    *('""', "''", '""""""', "''''''", '"a # b = [ { \\" c, ]"', "'it = \"x\" # \\'", '"\\u00e4\\n"', '"\\\\"'),
    *('"""a\n""b"" # \\"\n"""""', "'''\n''x'' # ]\n'''''", '"""\\\n   x\\\\"""', "'''\\'''", '""""quoted""""'),
]
KEYS = ["{}", '"{}"', "'{}'", '"a b.{}"', "'{} # = ['", '"\\u00e4{}"', "{}-x_1", '"{} \\" "']
BETWEEN = ["", " ", "\t", "\n", "\r\n  ", " # ] } \" '''\n", "\n\n"]
BEFORE = ["", "  ", "\n", '# comment [x] = """\n', "\r\n", "\t# '''\n\n"]
BEHIND = ["\n", " # c = 1\n", "\r\n", "  \n\n"]


@dataclass
class Writer:
    """Writes valid TOML, and down which line everything comes to stand on."""

    draw: Any
    text: str = ""
    lines: dict[Place, int] = field(default_factory=dict)
    names: int = 0

    def put(self, *texts: str) -> None:
        self.text += self.draw(st.sampled_from(texts))

    def mark(self, place: Place) -> Place:
        self.lines.setdefault(place, self.text.count("\n") + 1)
        return place

    def key(self, table: Place) -> Place:
        """A new key, and where it leads; it may have dots."""
        for _ in range(self.draw(st.integers(0, 2))):
            table = self.part(table)
            self.put(".", " . ", ".\t")
        return self.part(table)

    def part(self, table: Place) -> Place:
        self.names += 1
        written = self.draw(st.sampled_from(KEYS)).format(f"k{self.names}")
        self.text += written
        return self.mark((*table, next(iter(tomllib.loads(f"{written} = 1")))))

    def value(self, place: Place, depth: int) -> None:
        kind = self.draw(st.integers(0, 5 if depth else 3))
        if kind < 2:
            return self.put(*PLAIN)
        if kind < 4:
            return self.put(*STRINGS)
        count = self.draw(st.integers(0, 3))
        if kind == 4:
            self.text += "["
            for number in range(count):
                self.put(*BETWEEN)
                self.value(self.mark((*place, number)), depth - 1)
                self.put(*BETWEEN)
                self.text += "," if number + 1 < count else self.draw(st.sampled_from(["", ","]))
            self.put(*BETWEEN)
            self.text += "]"
            return None
        self.text += "{ "
        for number in range(count):
            inner = self.key(place)
            self.put("=", " = ")
            self.value(inner, depth - 1)
            self.text += " , " if number + 1 < count else " "
        self.text += "}"
        return None

    def statements(self, table: Place) -> None:
        for _ in range(self.draw(st.integers(0, 3))):
            self.put(*BEFORE)
            place = self.key(table)
            self.put("=", " = ", "\t=\t")
            self.value(place, 3)
            self.put(*BEHIND)


@st.composite
def documents(draw: Any) -> tuple[str, dict[Place, int]]:
    writer = Writer(draw)
    writer.statements(())
    for number in range(draw(st.integers(0, 3))):
        name = f"t{number}"
        if draw(st.booleans()):
            writer.put(*BEFORE)
            writer.mark((name,))
            writer.mark((name, "sub"))
            header = draw(st.sampled_from(["[{}.sub]", "[ {} . sub ]", '["{}"."sub"]', "['{}'.sub]"]))
            writer.text += header.format(name)
            writer.put(*BEHIND)
            writer.statements((name, "sub"))
            continue
        for at in range(draw(st.integers(1, 3))):
            writer.put(*BEFORE)
            writer.mark((name,))
            writer.mark((name, at))
            writer.text += f"[[{name}]]"
            writer.put(*BEHIND)
            writer.statements((name, at))
            for inner in range(draw(st.integers(0, 2))):
                writer.mark((name, at, "inner"))
                writer.mark((name, at, "inner", inner))
                writer.text += f"[[ {name}.inner ]]\n"
                writer.statements((name, at, "inner", inner))
    return writer.text, writer.lines


@given(documents())
def test_every_key_has_its_line(written: tuple[str, dict[Place, int]]) -> None:
    text, lines = written
    read = tomllib.loads(text)
    assert positions(text).lines == lines
    assert set(places(read, ())) <= set(lines)


def places(value: Any, place: Place) -> Iterator[Place]:
    """All there are in what tomllib made of it."""
    if place:
        yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*place, number))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("# to = 1", {}),
        ("a = 1", {("a",): 1}),
        ("\n\na.b = 1\na.c = 2\n", {("a",): 3, ("a", "b"): 3, ("a", "c"): 4}),
        ("[a.b]\n[a]\nx = 1", {("a",): 1, ("a", "b"): 1, ("a", "x"): 3}),
        ("[[r]]\n[r.m]\nx = 1\n[[r]]\n[r.m]\nx = 1", {
            ("r",): 1, ("r", 0): 1, ("r", 0, "m"): 2, ("r", 0, "m", "x"): 3,
            ("r", 1): 4, ("r", 1, "m"): 5, ("r", 1, "m", "x"): 6,
        }),
        ("r = [{ a = 1 },\n{ a = 1 }]", {("r",): 1, ("r", 0): 1, ("r", 0, "a"): 1, ("r", 1): 2, ("r", 1, "a"): 2}),
        ('s = """\n[x]\ny = 1\n"""\nz = 1', {("s",): 1, ("z",): 5}),
    ],
)  # fmt: skip
def test_lines(text: str, lines: dict[Place, int]) -> None:
    tomllib.loads(text)
    assert positions(text).lines == lines


@pytest.mark.parametrize(
    ("text", "last", "twice"),
    [
        ("a = 1\n\nb = [1,\n", ("b",), None),
        ("a = 1\nb = 2\na", ("a",), (1, 3)),
        ("[a]\nx = 1\n[a]", ("a",), (1, 3)),
        ("a = 1\n= 2", ("a",), None),
        ("a = { b = 1, b", ("a", "b"), None),
    ],
)
def test_of_what_is_no_toml_the_last_key_is_known(text: str, last: Place, twice: tuple[int, int] | None) -> None:
    found = positions(text)
    assert found.last[: len(last)] == last
    assert found.twice == twice


@given(documents(), st.data())
def test_nothing_is_looked_for_behind_what_cannot_be(written: tuple[str, dict[Place, int]], data: Any) -> None:
    text, _ = written
    at = data.draw(st.integers(0, len(text)))
    put = data.draw(st.sampled_from(["", '"', "'", "'''", "[", "]", "}", "=", "\0", "\\", "[["]))
    torn = text[:at] + put + text[at:]
    found = positions(torn).lines
    assert all(1 <= line <= torn.count("\n") + 1 for line in found.values())


@given(st.text(alphabet="ab.= \n\"'[]{},#\\0", max_size=200))
def test_any_text_has_lines_or_none(text: str) -> None:
    lines = positions(text).lines
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(places(read, ())) <= set(lines)


@pytest.mark.parametrize("piece", ["[", "{", "a.", "a=[", '"', '"""', "'''", '\\"', "[[a]]\n", "a={b=", "#", " ", "1,"])
def test_deep_and_long_texts_are_read_to_their_end(piece: str) -> None:
    for text in (piece * (200_000 // len(piece)), "x = " + piece * (200_000 // len(piece))):
        positions(text)
