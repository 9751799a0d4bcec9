"""What goes along in burst.log.gz: all that was kept, as safe to read as the mail, in as many bytes as may be."""

from __future__ import annotations

import gzip
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.escape import visible
from burstmail.core.excerpt import Excerpt
from burstmail.core.mail.attachment import attachment, packed
from burstmail.core.patterns.tally import Pattern, Tally


def text(data: bytes) -> str:
    return gzip.decompress(data).decode()


def shown(lines: list[str]) -> list[str]:
    return [f"  {visible(line)}" for line in lines]


def noise(count: int) -> list[str]:
    """Lines that no packer makes shorter."""
    random = Random(4)
    return [random.randbytes(100).hex() for _ in range(count)]


def test_all_kept_lines_are_in_it() -> None:
    found = attachment(Excerpt.of(["a", "b", "c"]), 1000)
    assert found.data
    assert (text(found.data), found.head + found.tail) == ("  a\n  b\n  c\n", 3)


def test_the_gap_is_told() -> None:
    found = attachment(Excerpt.of(["a", "b"], ["y"], count=1003), 1000)
    assert found.data
    assert text(found.data) == "  a\n  b\n[1,000 lines left out here]\n  y\n"
    assert (found.head, found.tail) == (2, 1)


def test_it_can_be_read_at_a_terminal() -> None:
    found = attachment(Excerpt.of(["\x1b[2J\r\u202e", "ä\tb"]), 1000)
    assert found.data
    assert text(found.data) == "  \\x1b[2J\\x0d\\u202e\n  ä\tb\n"


def test_the_same_lines_are_the_same_bytes() -> None:
    """RFC 1952 section 2.3.1: no name, and a time of 0, which is none."""
    data = packed(["a"], 0, [], [])
    assert data == packed(["a"], 0, [], [])
    assert data[:2] == b"\x1f\x8b"
    assert (data[3], data[4:8]) == (0, b"\0\0\0\0")


def test_what_is_too_large_loses_its_middle() -> None:
    lines = noise(1000)
    found = attachment(Excerpt.of(lines), 30_000)
    assert found.data and len(found.data) <= 30_000
    assert found.head == found.tail == 125
    assert text(found.data).split("\n") == [*shown(lines[:125]), "[750 lines left out here]", *shown(lines[-125:]), ""]


def test_a_gap_grows_where_it_is() -> None:
    lines = noise(600)
    found = attachment(Excerpt.of(lines[:400], lines[400:], count=700), 30_000)
    assert found.data
    assert (found.head, found.tail) == (100, 50)
    assert text(found.data).split("\n") == [*shown(lines[:100]), "[550 lines left out here]", *shown(lines[-50:]), ""]


def test_what_cannot_fit_is_not_attached() -> None:
    assert attachment(Excerpt.of(noise(2)), 50).data == b""
    assert attachment(Excerpt.of(noise(1)), 50).data == b""


@given(
    st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=40), min_size=1),
    st.integers(1, 400),
)
def test_what_it_says_it_has_is_what_it_has(lines: list[str], limit: int) -> None:
    found = attachment(Excerpt.of(lines), limit)
    if not found.data:
        assert found.size > limit
        return
    assert len(found.data) <= limit
    rows = text(found.data).split("\n")[:-1]
    assert rows[: found.head] == shown(lines[: found.head])
    assert rows[len(rows) - found.tail :] == shown(lines[len(lines) - found.tail :])
    missing = len(lines) - found.head - found.tail
    assert len(rows) == found.head + found.tail + (missing > 0)


def test_no_line_can_pass_for_a_gap() -> None:
    found = attachment(Excerpt.of(["[9 lines left out here]"]), 1000)
    assert text(found.data) == "  [9 lines left out here]\n"


def patterns(*lines: str) -> list[Pattern]:
    tally = Tally()
    for number, line in enumerate(lines):
        tally.add(f"{line}\n", 1, float(number))
    return tally.patterns()


def test_behind_the_lines_stands_one_of_each_pattern_that_is_missing() -> None:
    known = patterns("a 1", "b\x1b happened 1", "b\x1b happened 2", "long " + "x" * 3000, "c 2", "c 3", "a 2", "e 9 f")
    found = attachment(Excerpt.of(["a 1", "long " + "x" * 3000], ["c 3", "e 9 f"], count=9), 1000, known)
    assert text(found.data).split("\n")[-4:] == [
        *("  e 9 f", "[one line of each pattern that is not above]", "  b\\x1b happened 1", ""),
    ]
    assert (found.head, found.tail, found.more) == (2, 2, 1)
    assert attachment(Excerpt.of(["a 1"]), 1000, known).more == 0
