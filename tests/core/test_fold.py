"""Folding bursts, and items on their way through JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Burst, CloseReason, Excerpt, Item, Keep, Message
from burstmail.core.fold import dump_burst, dump_item, emptied, fold, restored_burst, restored_item, sources
from burstmail.core.patterns.tally import Tally

BURST = Burst(
    key="web1 sshd",
    excerpt=Excerpt.of(("ä",), ("z\x00",), count=7, keep=Keep(head=1, tail=1, bytes=99)),
    first=1.5,
    last=2.5,
    closed=3.5,
    time=4.5,
    reason=CloseReason.MAX_BYTES,
    epoch="e",
    seq=3,
    gone=2,
    bursts=4,
    waited=0.25,
    resume=9.0,
    parts=(("a", 3), ("", 4)),
)
MESSAGE = Message(id="<x@h>", sender="me@h", recipients=("a@h", "b@h"), data=bytes(range(256)), burst=BURST)


@pytest.mark.parametrize(
    "item", [BURST, replace(BURST, resume=None, parts=()), MESSAGE], ids=["digest", "burst", "mail"]
)
def test_an_item_comes_back_from_json_as_it_was(item: Item) -> None:
    assert restored_item(json.loads(json.dumps(dump_item(item)))) == item


@pytest.mark.parametrize("reason", CloseReason)
def test_every_reason_comes_back(reason: CloseReason) -> None:
    burst = replace(BURST, reason=reason)
    assert restored_burst(json.loads(json.dumps(dump_burst(burst)))) == burst


def test_a_clock_that_stepped_back_gives_no_negative_duration() -> None:
    older, newer = replace(BURST, first=100.0, last=110.0), replace(BURST, first=50.0, last=60.0)
    folded = fold(older, newer)
    assert (folded.first, folded.last) == (50.0, 110.0)


def test_a_fold_has_the_identity_of_the_older() -> None:
    folded = fold(BURST, replace(BURST, seq=9, gone=0, waited=7.0, resume=1.0))
    assert (folded.epoch, folded.seq, folded.gone, folded.waited) == ("e", 3, 2, 0.25)


def test_a_fold_over_a_restart_is_another_than_its_first_part_alone() -> None:
    # The first part may have been mailed by itself, when the store failed just before the end.
    folded = fold(BURST, replace(BURST, epoch="f"))
    assert folded.epoch == "e+f"
    assert fold(folded, replace(BURST, epoch="f")).epoch == "e+f"
    assert fold(folded, replace(BURST, epoch="g")).epoch == "e+g"


keys = st.sampled_from(["", "a", "b", *(f"k{number}" for number in range(70))])


@given(st.lists(keys, min_size=1, max_size=200))
def test_a_digests_sums_are_right_and_bounded(names: list[str]) -> None:
    whole, *rest = [replace(BURST, key=name, parts=(), bursts=1) for name in names]
    for burst in rest:
        whole = fold(whole, burst)
    assert whole.count == 7 * len(names)
    assert whole.bursts == len(names)
    assert sum(lines for _, lines in sources(whole)) == whole.count
    assert len(whole.parts) <= 51
    named = [key for key, _ in whole.parts]
    assert len(set(named)) == len(named)
    assert "" not in named[:-1]
    assert bool(whole.parts) == (len(set(names)) > 1)


def test_an_emptied_burst_is_still_that_burst() -> None:
    left = emptied(replace(BURST, notes=("a note",)))
    assert (left.key, left.epoch, left.seq, left.gone, left.first) == ("web1 sshd", "e", 3, 2, 1.5)
    assert (left.count, left.head, left.tail, left.parts, left.notes, left.tally.count) == (0, (), (), (), (), 0)


def test_patterns_of_both_are_in_a_fold() -> None:
    tally = Tally()
    tally.add("a 1\na 2\n", 2, 1.0)
    known = replace(BURST, tally=tally)
    for pair in ((known, BURST), (BURST, known)):
        folded = fold(*pair)
        assert [(pattern.text, pattern.count) for pattern in folded.patterns] == [("a <n>", 2)]
        assert folded.tally.count == folded.count == 14
        assert folded.tally.other == 12
