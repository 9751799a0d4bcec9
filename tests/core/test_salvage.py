"""What waits in a stage before the windows is found in a state that fits no stage. More of it is in test_recall.py."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

import pytest

from burstmail import Aggregator, Batch, Caps, CloseReason, Join, Limit, Session, StateMismatch, Threshold
from burstmail.core.older import session
from burstmail.core.salvage import salvaged
from burstmail.core.shelf import dump_batch


def test_lines_that_wait_for_a_threshold_are_salvaged() -> None:
    stage = Threshold(5, per=60)
    stage.feed(Batch(text="a\nb\n", count=2, time=100.0, epoch="e", seq=7, gone=3), 0.0)
    stage.feed(Batch(text="c\n", count=1, time=130.0, epoch="e", seq=8), 30.0)
    (found,) = salvaged(["x", [json.loads(json.dumps(stage.dump()))]], 50.0)
    assert (*found.head, *found.tail) == ("a", "b", "c")
    assert (found.first, found.epoch, found.seq, found.gone, found.bursts) == (100.0, "e", 7, 3, 2)


def test_records_that_are_open_are_salvaged() -> None:
    stage = Join()
    stage.feed(Batch(text="a\n b\n", count=2, time=100.0), 0.0)
    (found,) = salvaged(stage.dump(), 50.0, "usb")
    assert (found.head, found.count, found.route) == (("a", " b"), 2, "usb")


def test_what_caps_held_has_waited_until_now() -> None:
    # By key, and as a digest.
    for keys in ("aaa", "abc"):
        caps = Caps(Limit(1, per=3600), per_key=None, separate=1)
        for key, seconds in zip(keys, (0.0, 100.0, 160.0), strict=True):
            window = Session(key=key)
            window.feed(Batch(text="a\n", count=1, time=1000.0 + seconds), seconds)
            caps.feed(window.close(seconds, CloseReason.GAP), seconds)
        state: Any = json.loads(json.dumps(caps.dump()))
        (found,) = salvaged(["x", [state]], 700.0)
        assert (found.bursts, found.waited, found.time) == (2, 600.0, 1700.0)
        # Times that make no sense say nothing.
        row: Any = state[6] or state[5][0][1:]
        assert salvaged([row[0], 100.0, 160.0, 160.0], 700.0)[0].waited == 600.0
        for times in (
            [100.0, 160.0],
            [-inf, 0.0, 0.0],
            [nan, 0.0, 0.0],
            [200.0, 160.0, 0.0],
            [10**400, 0, 0],
            [[], "", None],
        ):
            assert salvaged([row[0], *times], 700.0)[0].waited == 0.0


def test_what_only_looks_like_a_batch_is_none() -> None:
    row = dump_batch(Batch.of(["a", "b"]))
    assert [burst.count for burst in salvaged(row, 0.0)] == [2]
    for place, value in ((1, 2), (2, "a\n"), (2, None), (3, "2"), (4, []), (4, ["x", "e", 1, 0])):
        assert salvaged([*row[:place], value, *row[place + 1 :]], 0.0) == []


def test_a_window_whose_version_is_damaged_is_salvaged_as_one_of_today() -> None:
    window = Aggregator(gap=5)
    window.feed(Batch(text="a\n", count=1, below=4), 0.0)
    state: Any = window.dump()[3][0][2]
    for version in (3, 77, None):
        (found,) = salvaged(["session", version, *state[2:]], 0.0)
        assert (found.count, found.below) == (1, 4)


def test_a_window_of_the_version_before_is_read_as_one_of_today() -> None:
    old = ["session", 2, [1.0, 2.0, 100.0], ["e", 1, 0], "kept", "tally", "timeline"]
    assert session(old) == [
        *("session", 3, [1.0, 2.0, 2.0, 100.0, 100.0], ["e", 1, 0], "kept", [None, 0], "tally", "timeline")
    ]
    for other in (None, [], ["session", 3, 1], ["session", 2], old[:6], ["other", 2, *old[2:]]):
        assert session(other) is other
    with pytest.raises(StateMismatch):
        Session().load(old[:6])
