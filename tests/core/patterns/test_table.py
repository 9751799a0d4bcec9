from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

import pytest

from burstmail.core.patterns import table
from burstmail.core.patterns.tally import Tally

WORDS = ("alpha", "bravo", "cedar", "delta", "ember", "fjord", "gable")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many shapes were looked at, each time that those that are alike were looked for."""
    found: list[int] = []

    def merged(shapes: Iterable[str]) -> dict[str, tuple[str, str | None]]:
        listed = list(shapes)
        found.append(len(listed))
        return {shape: (shape, None) for shape in listed}

    monkeypatch.setattr(table, "merged", merged)
    return found


def different(count: int) -> Iterator[str]:
    return (" ".join(words) for _, words in zip(range(count), permutations(WORDS), strict=False))


def flood(tally: Tally, lines: Iterable[str]) -> Tally:
    for number, line in enumerate(lines):
        tally.add(f"{line}\n", 1, float(number))
        if number % 50 == 49:
            assert tally.other >= 0
    return tally


def test_where_nothing_is_alike_it_is_looked_for_more_and_more_seldom(looks: list[int]) -> None:
    tally = flood(Tally(limit=4), different(5000))
    # Room was made 2,500 times: at first each time twice as many lines had gone, and then once in 64 times.
    assert 20 < len(looks) < 100
    assert tally.other + sum(pattern.count for pattern in tally.patterns()) == 5000


def test_lines_of_many_shapes_cost_few_looks_each(looks: list[int]) -> None:
    flood(Tally(limit=40), different(5000))
    assert sum(looks) < 5000


def test_where_much_is_alike_no_line_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally(limit=40)
    for word in map("".join, permutations("bcdfgh")):
        tally.add(f"sshd: Failed password for invalid user {word} from 192.0.2.7\n", 1, 0.0)
    assert tally.other == 0
    assert [pattern.count for pattern in tally.patterns()] == [720]


def test_a_dumped_table_makes_room_as_the_other_does() -> None:
    lines = list(different(3000))
    whole, before = (flood(Tally(limit=8), lines[:1501]) for _ in range(2))
    after = Tally.restored(before.dump(), limit=8)
    assert flood(after, lines[1501:]) == flood(whole, lines[1501:])


def test_rows_that_a_hook_makes_the_same_are_one_and_lose_no_line() -> None:
    tally = Tally()
    tally.add("mounted alpha\n" * 3 + "stopped bravo again\n" * 2, 5, 1.0)
    assert len(tally.patterns()) == 2
    (pattern,) = tally.mapped(lambda line: "hidden", lambda text, example: "hidden").patterns()
    assert (pattern.text, pattern.count, pattern.examples) == ("hidden", 5, ("hidden",))
