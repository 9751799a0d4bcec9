"""A tally: all lines count, frequent patterns are never lost, and chunks make no difference."""

from __future__ import annotations

import json
import sys
from collections import Counter
from threading import Barrier, Thread
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burstmail.core.fields import SEVERITIES
from burstmail.core.patterns.masks import Masker
from burstmail.core.patterns.row import EXAMPLE, SEARCHED, VALUES, Row
from burstmail.core.patterns.tally import LIMIT, Pattern, Tally

WORDS = st.sampled_from(
    ["up", "down", "user", "root", "bob", "for", "from", "7", "77", "a7b", "10.0.0.7", "10.0.0.8", "0x7f", "cafe7", "("]
)
# Identifiers that are others, or no such, without their digits.
TWINS = st.lists(st.sampled_from(["x", "0x8422", "0x7", "abcd", "a1b1c1d1", "ab12cd", "ab", "7"]), max_size=2)
ANY = st.text(st.characters(exclude_characters="\n"), max_size=8)
TEXTS = (TWINS | st.lists(WORDS, max_size=6)).map(" ".join) | ANY
LINES = st.lists(TEXTS, max_size=30)
PIECES = st.lists(LINES, max_size=4)


def tally(*pieces: list[str], limit: int = LIMIT, start: int = 0) -> Tally:
    """Fed piece by piece, each a second later."""
    made = Tally(limit=limit)
    for second, lines in enumerate(pieces, start):
        made.add("".join(f"{line}\n" for line in lines), len(lines), float(second))
    return made


def total(made: Tally) -> int:
    return sum(pattern.count for pattern in made.patterns()) + made.other


def test_a_pattern_says_what_how_often_when_and_of_how_many() -> None:
    line = "Nov 23 10:00:00 web07 sshd[7]: Failed password for {} from 10.0.0.{} port {} ssh2"
    first = [line.format("root", number % 3, 4000 + number) for number in range(30)]
    found = tally(first, [line.format("bob", 9, 1), line.format("eve", 9, 1)]).patterns()
    assert found == [
        Pattern(
            text="Failed password for <*> from <ip> port <n> ssh<n>",
            program="sshd",
            count=32,
            first=0.0,
            last=1.0,
            examples=(first[0], line.format("eve", 9, 1)),
            noun="address",
            values=4,
            more=False,
        )
    ]


def test_names_that_tell_lines_apart_are_counted() -> None:
    found = tally([f"session closed for user {name}" for name in ("anna", "bob", "eve", "bob")]).patterns()
    assert [(pattern.text, pattern.noun, pattern.values) for pattern in found] == [
        ("session closed for user <*>", "name", 3)
    ]


def test_names_stay_counted_when_similar_shapes_have_become_one() -> None:
    made = Tally(limit=20)
    for number in range(100):
        name = "".join(chr(97 + int(digit)) for digit in str(1000 + number))
        made.add(f"session closed for user {name}\n", 1, 0.0)
    (pattern,) = made.patterns()
    assert (pattern.count, pattern.values, made.other) == (100, 100, 0)


def test_values_have_a_bound_and_it_is_said() -> None:
    made = tally([f"connect from 10.0.{number // 256}.{number % 256} ok" for number in range(2 * VALUES)])
    (pattern,) = made.patterns()
    assert (pattern.values, pattern.more) == (VALUES, True)


def test_an_address_is_looked_for_only_behind_what_stood_before_the_first() -> None:
    row = Row.of(b"from 10.0.0.1 ok", Masker(), 0, 0.0)
    row.take([b"from 10.0.0.1 ok", b"face off", b"from 10.0.0.2 ok"], [0, 1, 2], start=0, time=0.0, worst=8)
    row.take([b"from 10.0.0.3 ok"], [0], start=3, time=0.0, worst=8)
    assert (row.values, row.more) == ({"10.0.0.1", "10.0.0.2", "10.0.0.3"}, True)


def test_which_values_are_remembered_does_not_depend_on_chunks() -> None:
    lines = [f"connect from 10.0.{number * 7 % 256}.{number % 256} ok" for number in range(1000)]
    one = Tally()
    for line in lines:
        one.add(f"{line}\n", 1, 0.0)
        one.patterns()
    assert one == tally(lines)


def test_values_are_searched_for_in_the_first_lines() -> None:
    made = tally(*[["connect from 10.0.0.1 ok"] * 1000] * (SEARCHED // 1000), ["connect from 10.0.0.2 ok"])
    (pattern,) = made.patterns()
    assert (pattern.values, pattern.more) == (1, True)


def test_the_most_frequent_come_first() -> None:
    assert [pattern.count for pattern in tally(["a b", "c d", "c d", "e f"]).patterns()] == [2, 1, 1]


def test_a_single_line_is_its_own_example() -> None:
    assert tally(["only 1 line"]).patterns()[0].examples == ("only 1 line",)


def test_an_example_is_cut() -> None:
    (pattern,) = tally(["é" * EXAMPLE]).patterns()
    assert pattern.examples == ("é" * (EXAMPLE // 2),)


def test_a_users_masks_are_used() -> None:
    made = Tally(Masker(["[A-Z]{3}"]))
    made.add("code ABC here\ncode XYZ here\n", 2, 0.0)
    assert [pattern.text for pattern in made.patterns()] == ["code <masked> here"]


@given(st.lists(st.text(st.characters(exclude_characters="\n")), max_size=20), st.integers(2, 5))
def test_no_text_raises_and_all_lines_count(lines: list[str], limit: int) -> None:
    made = tally(lines, limit=limit)
    assert total(made) == made.count == len(lines)
    assert len(made.patterns()) <= limit


@given(PIECES, st.integers(2, 6))
def test_counts_add_up_when_shapes_have_to_go(pieces: list[list[str]], limit: int) -> None:
    made = tally(*pieces, limit=limit)
    assert total(made) == made.count == sum(map(len, pieces))
    assert total(Tally.restored(made.dump(), limit=2)) == made.count


@given(PIECES)
def test_it_makes_no_difference_how_lines_are_cut_into_chunks(pieces: list[list[str]]) -> None:
    one = Tally()
    for second, lines in enumerate(pieces):
        for line in lines:
            one.add(f"{line}\n", 1, float(second))
            one.patterns()
    assert one.patterns() == tally(*pieces).patterns()


@given(PIECES, PIECES)
def test_joining_is_counting_one_after_the_other(before: list[list[str]], after: list[list[str]]) -> None:
    first, second = tally(*before), tally(*after, start=len(before))
    both = first.join(second)
    assert both.patterns() == tally(*before, *after).patterns()
    assert (both.count, both.other) == (first.count + second.count, 0)
    # Neither has changed.
    assert first.patterns() == tally(*before).patterns()
    assert second.patterns() == tally(*after, start=len(before)).patterns()


@given(PIECES, PIECES, st.integers(2, 6))
def test_joined_counts_add_up_when_shapes_have_to_go(before: Any, after: Any, limit: int) -> None:
    both = tally(*before, limit=limit).join(tally(*after))
    assert total(both) == both.count == sum(map(len, before + after))
    assert len(both.patterns()) <= limit


@given(st.lists(TWINS.map(" ".join), max_size=12))
def test_no_restart_and_no_chunk_makes_another_row(lines: list[str]) -> None:
    whole, reborn = tally(lines), Tally()
    for line in lines:
        reborn.add(f"{line}\n", 1, 0.0)
        reborn.patterns()
        reborn = Tally.restored(json.loads(json.dumps(reborn.dump())))
    assert reborn == whole


@given(PIECES, PIECES)
def test_a_dumped_tally_goes_on_as_if_nothing_had_been(before: list[list[str]], after: list[list[str]]) -> None:
    made = tally(*before)
    again = Tally.restored(json.loads(json.dumps(made.dump())))
    for second, lines in enumerate(after, len(before)):
        for each in (made, again):
            each.add("".join(f"{line}\n" for line in lines), len(lines), float(second))
    assert again.patterns() == made.patterns()
    assert again.dump() == made.dump()


def test_what_an_address_stands_behind_may_begin_within_a_character() -> None:
    made = tally(["é" * 17 + " 192.0.2.7 failed"])
    made.patterns()
    again = Tally.restored(json.loads(json.dumps(made.dump())))
    for each in (made, again):
        each.add("é" * 17 + " 192.0.2.8 failed\n", 1, 1.0)
    assert [(pattern.count, pattern.values) for pattern in again.patterns()] == [(2, 2)]
    assert again == made


def test_a_pattern_is_as_bad_as_the_worst_of_its_lines() -> None:
    decoy = tally(["<7>disk 1 failed", "7<>disk 1 failed"], ["<2>disk 2 failed"] * 40, ["<6>disk 3 failed"])
    again = Tally.restored(json.loads(json.dumps(decoy.dump())))
    decoy.patterns()
    worked = Tally.restored(json.loads(json.dumps(decoy.dump())))
    for made in (decoy, again, worked, decoy.mapped(str), tally(["<7>disk 4 failed"]).join(decoy), decoy.top(1)):
        assert {pattern.severity for pattern in made.patterns() if pattern.count > 1} == {"crit"}
    assert [pattern.severity for pattern in tally(["disk failed", "fan failed"]).patterns()] == ["", ""]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["disk failed", "user bob", "user eve", "a7b"]))))
def test_the_severities_of_rows_are_those_of_their_lines(lines: list[tuple[int, str]]) -> None:
    pieces = [[f"<{number}>{text}" if number < 8 else text] for number, text in lines]
    for made in (tally(*pieces), tally([line for piece in pieces for line in piece])):
        found = [SEVERITIES.index(pattern.severity) for pattern in made.patterns() if pattern.severity]
        assert min(found, default=None) == made.worst


FAMILIES = st.sampled_from(
    [
        *(f"denied from C:\\u{name} C:\\k{name}" for name in "abcdefgh"),
        *("denied from 192.0.2.7 0x12", "denied from a@b.example 5", "denied from 192.0.2.7 7", "denied from bob 0x12"),
        *(f"session closed for user {name}" for name in ("anna", "bob", "eve", "7", "10.0.0.7")),
        *(f"<{number}>Nov 23 10:00:00 web07 sshd[7]: exit status {number}" for number in range(3)),
    ]
)
STEPS = st.lists(st.sampled_from(["work", "top", "mapped", "hidden", "twice", "shed", "dump", "skip"]), max_size=6)


def changed(made: Tally, step: str) -> Tally:
    """After one of the things that are done to a tally."""
    if step == "work":
        made.patterns()
    if step == "shed":
        # Nobody else may see it meanwhile: a copy, as a session's own.
        made = made.skipping(0).join(Tally())
        made.shed()
    changes: dict[str, Any] = {
        "top": lambda: made.top(5),
        "mapped": lambda: made.mapped(str),
        "hidden": lambda: made.mapped(lambda line: line.replace("user", "[redacted]"), lambda text, _: text[:14]),
        "twice": lambda: made.join(made),
        "dump": lambda: Tally.restored(json.loads(json.dumps(made.dump()))),
        "skip": lambda: made.skipping(3),
    }
    return changes[step]() if step in changes else made  # type: ignore[no-any-return]


@pytest.mark.parametrize("chunk", [1, 1000, 16 * 1024])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(FAMILIES | TEXTS, max_size=12), max_size=3), st.sampled_from([2, 3, 5, 400]), STEPS)
def test_rows_and_other_are_all_lines_whatever_is_done(
    chunk: int, monkeypatch: pytest.MonkeyPatch, pieces: list[list[str]], limit: int, steps: list[str]
) -> None:
    monkeypatch.setattr("burstmail.core.patterns.tally._CHUNK", chunk)
    made = tally(*pieces, limit=limit)
    for step in steps:
        before = made.count
        made = changed(made, step)
        assert total(made) == made.count == before * (2 if step == "twice" else 1) + (3 if step == "skip" else 0)
        assert len(made.patterns()) <= LIMIT


def test_templates_that_change_places_lose_no_lines() -> None:
    attack = [f"denied from C:\\u{number} C:\\k{number}" for number in range(3000)]
    made = tally(attack, ["denied from 192.0.2.7 0x12", "denied from a@b.example 5"] * 2)
    assert total(made) == total(made.mapped(str)) == total(made.mapped(str).mapped(str)) == 3004


def word(number: int) -> str:
    """A word of its own for each number: no two can be one."""
    return "".join(chr(97 + int(digit)) for digit in f"{number:06}")


@given(st.lists(st.integers(0, 400), min_size=1, max_size=300), st.integers(2, 30))
def test_frequent_shapes_are_never_lost(numbers: list[int], limit: int) -> None:
    # The less the number, the more frequent.
    lines = [f"{word(number * number // 400)}ed {word(number * number // 400)}ing" for number in numbers]
    made = Tally(limit=limit)
    for line in lines:
        made.add(line + "\n", 1, 0.0)
        made.patterns()
    kept = {pattern.text: pattern.count for pattern in made.patterns()}
    for line, count in Counter(lines).items():
        if count > 2 * len(lines) / limit + 1:
            assert kept[line] <= count
            assert count - kept[line] <= 2 * len(lines) / limit + 1


def test_a_flood_of_different_lines_takes_bounded_memory() -> None:
    made = Tally()
    for start in range(0, 6000, 200):
        lines = [f"{word(number)} {word(number * 7)} {'x' * 2000}" for number in range(start, start + 200)]
        made.add("".join(f"{line}\n" for line in lines), len(lines), 0.0)
    assert len(made.patterns()) <= LIMIT
    assert total(made) == 6000
    assert made.weight < 4 * 1024 * 1024
    assert len(json.dumps(made.dump())) < 4 * 1024 * 1024


def test_what_is_remembered_has_a_bound() -> None:
    lines = [f"{word(number)}ed {word(number * 7)}ing {'x' * 900}" for number in range(300)]
    made = tally(*[lines] * 3)
    assert [pattern.count for pattern in made.patterns()] == [3] * 300
    assert made.weight < 2 * 1024 * 1024


def test_shedding_gives_memory_back_and_loses_no_line() -> None:
    made = tally([f"{word(number)}ed {word(number * 7)}ing" for number in range(300)])
    before = made.patterns() and made.weight
    made.shed()
    assert total(made) == 300
    assert made.weight < before


@pytest.mark.parametrize("piece", ["a", "1", "a1", ":", "'", " a", "a@", "a.", "a://", "-", "(", "1:", "/a", "a=1 "])
def test_a_line_of_a_mebibyte_takes_little_time(piece: str) -> None:
    line = (piece * 2**20)[: 2**20] + "\n"
    began = process_time()
    made = Tally()
    made.add(2 * line, 2, 0.0)
    assert [pattern.count for pattern in made.patterns()] == [2]
    # Seconds would be squared time: it takes a tenth of one.
    assert process_time() - began < 2


def test_threads_that_read_one_tally_see_all_of_it() -> None:
    found: list[int] = []
    barrier = Barrier(4)

    def read(made: Tally) -> None:
        barrier.wait()
        found.append(total(made))

    def dump(made: Tally) -> None:
        barrier.wait()
        found.append(total(Tally.restored(json.loads(json.dumps(made.dump())))))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(40):
            made = tally([f"x word{number} {chr(97 + number % 26) * 3} failed" for number in range(60)])
            threads = [Thread(target=what, args=(made,)) for what in (read, read, dump, dump)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert found == [60] * 160


def test_a_reader_changes_nothing_that_another_has() -> None:
    made = tally(["a b", "c d"])
    seen = made._seen
    made.patterns()
    assert (len(seen.waiting), seen.table.rows, seen.table.other) == (1, {}, 0)
    assert made._seen is not seen and len(made._seen.table.rows) == 2


def test_a_tally_is_equal_by_what_it_counts_and_tells_little() -> None:
    made, same = tally(["a 1", "a 2"]), tally(["a 1"]).join(tally(["a 2"], start=0))
    assert (made == same, hash(made) == hash(same), made == tally(["a 1"]), made == "a") == (True, True, False, False)
    assert repr(made) == "<Tally of 2 lines>"


def test_a_dump_with_fewer_lines_than_it_says_is_refused() -> None:
    state = tally(["a", "b"]).dump()
    with pytest.raises(ValueError, match="a tally with 1 lines instead of 2"):
        Tally.restored([*state[:-1], "a\n"])


def test_tallies_that_have_been_looked_at_join_row_by_row() -> None:
    first, second = tally(["a b", "c d"], ["c d"]), tally(["<3>e f", "c d"], start=2)
    assert first.patterns() and second.patterns()
    both = first.join(second)
    assert both.patterns() == tally(["a b", "c d"], ["c d"], ["<3>e f", "c d"]).patterns()
    assert (both.count, both.severities, total(first), total(second)) == (5, {3: 1}, 3, 2)


@given(PIECES, PIECES, st.integers(2, 6))
def test_joined_rows_and_other_are_all_lines(before: list[list[str]], after: list[list[str]], limit: int) -> None:
    first, second = tally(*before, limit=limit), tally(*after, limit=3)
    both = (total(first), total(second)) and first.join(second)
    assert total(both) == both.count == first.count + second.count


def test_a_tally_restored_under_a_smaller_limit_loses_no_line() -> None:
    made = tally([f"{word(number)}ed {word(number * 7)}ing" for number in range(9)])
    assert total(made) == 9
    again = Tally.restored(json.loads(json.dumps(made.dump())), limit=4)
    assert total(again) == 9 and again.other


def test_a_limit_must_leave_room_for_two() -> None:
    with pytest.raises(ValueError, match="limit=1"):
        Tally(limit=1)
