"""The queue in front of a sink: order, retry, giving up."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import pytest

from burstmail import (
    Attempt,
    Backoff,
    Batch,
    Burst,
    Message,
    Outbox,
    PermanentDeliveryError,
    Session,
    TemporaryDeliveryError,
)

DOWN = TemporaryDeliveryError("connection refused")
NO = PermanentDeliveryError("no such user")


def _closed(text: str) -> Burst:
    session = Session()
    session.feed(Batch.of(text), 0.0)
    (made,) = session.flush(0.0)
    return made


def message(name: str, *recipients: str) -> Message:
    return Message(
        id=f"<{name}@h>", sender="me@h", recipients=recipients or ("a@h",), data=name.encode(), burst=_closed(name)
    )


def names(attempts: Sequence[Attempt]) -> list[str]:
    return [attempt.item.id[1:-3] for attempt in attempts if isinstance(attempt.item, Message)]


def test_one_attempt_at_a_time_in_order() -> None:
    box = Outbox()
    assert names(box.feed(message("1"), 0.0)) == ["1"]
    assert names(box.feed(message("2"), 0.0)) == names(box.feed(message("3"), 0.0)) == []
    assert box.deadline == inf
    attempts, _ = box.settle({}, 1.0)
    assert names(attempts) == ["2"]
    attempts, _ = box.settle({}, 1.0)
    assert names(attempts) == ["3"]
    assert box.settle({}, 1.0) == ([], [])
    assert (box.sent, box.held, box.waiting, box.lines_out) == (3, 0, 0, 3)


def test_a_temporary_error_rests_the_destination_twice_as_long_each_time() -> None:
    box = Outbox(Backoff(first=30, factor=2, longest=100))
    box.feed(message("1"), 0.0)
    now, rests = 0.0, []
    for _ in range(4):
        box.settle(DOWN, now)
        rests.append(box.deadline - now)
        now = box.deadline
        assert names(box.poll(now)) == ["1"]
    assert rests == [30, 60, 100, 100]
    assert box.deferred == 4


def test_jitter_only_shortens_a_rest() -> None:
    assert Backoff().delay(1, 1.0) == 22.5
    assert Backoff().delay(1, 0.0) == 30.0
    assert Backoff().delay(10_000) == 1800.0


def test_new_mail_goes_before_one_that_has_failed() -> None:
    box = Outbox()
    box.feed(message("poison"), 0.0)
    box.settle(DOWN, 0.0)
    assert names(box.feed(message("new"), 1.0)) == []
    assert names(box.poll(30.0)) == ["new"]
    attempts, _ = box.settle({}, 30.0)
    assert names(attempts) == ["poison"]


def test_success_ends_the_rest_of_the_destination() -> None:
    box = Outbox()
    for name in "123":
        box.feed(message(name), 0.0)
    box.settle(DOWN, 0.0)
    assert names(box.poll(30.0)) == ["2"]
    attempts, _ = box.settle({}, 30.0)
    assert names(attempts) == ["3"]


def test_an_outcome_that_is_none_is_followed_by_no_other_attempt() -> None:
    box = Outbox()
    box.feed(message("1"), 0.0)
    with pytest.raises(AttributeError):
        box.settle(None, 0.0)  # type: ignore[arg-type]  # what no driver should hand on
    assert box.poll(3600.0) == []


def test_a_permanent_error_kills_the_message_and_not_the_destination() -> None:
    box = Outbox()
    box.feed(message("1"), 0.0)
    box.feed(message("2"), 0.0)
    attempts, dead = box.settle(NO, 0.0)
    assert names(attempts) == ["2"]
    assert [(letter.item, letter.error) for letter in dead] == [(message("1"), NO)]
    assert (box.dead, box.sent, box.lines_out) == (1, 0, 1)


def test_each_recipient_has_its_own_outcome() -> None:
    box = Outbox()
    box.feed(message("1", "ok@h", "gone@h", "later@h"), 0.0)
    attempts, dead = box.settle({"gone@h": NO, "later@h": DOWN, "stranger@h": NO}, 0.0)
    assert attempts == []
    assert [letter.item.recipients for letter in dead if isinstance(letter.item, Message)] == [("gone@h",)]
    # It answered, so others need not wait.
    assert names(box.feed(message("2"), 1.0)) == ["2"]
    box.settle({}, 1.0)
    (again,) = box.poll(30.0)
    assert isinstance(again.item, Message)
    assert (again.item.recipients, again.item.data, again.number) == (("later@h",), b"1", 2)
    box.settle({}, 31.0)
    assert (box.sent, box.dead, box.waiting) == (2, 1, 0)


def test_a_message_is_given_up_by_age() -> None:
    box = Outbox(give_up=100)
    box.feed(message("1"), 0.0)
    assert box.settle(DOWN, 0.0)[1] == []
    box.poll(60.0)
    box.settle(DOWN, 99.0)
    box.poll(500.0)
    attempts, dead = box.settle(DOWN, 500.0)
    assert (attempts, [letter.error for letter in dead], box.waiting) == ([], [DOWN], 0)


def test_a_burst_is_delivered_to_the_sink_itself() -> None:
    box = Outbox()
    item = _closed("x")
    assert box.feed(item, 0.0) == [Attempt(item, 1, key="/1")]
    box.settle(DOWN, 0.0)
    assert box.poll(30.0) == [Attempt(item, 2, key="/1")]
    _, dead = box.settle(NO, 30.0)
    assert [letter.item for letter in dead] == [item]


def test_drain_tries_every_message_once_more_whatever_rests() -> None:
    box = Outbox()
    for name in "123":
        box.feed(message(name), 0.0)
    box.settle(DOWN, 0.0)
    tried = names(box.drain(1.0))
    for _ in range(3):
        attempts, _ = box.settle(DOWN, 2.0)
        tried += names(attempts)
        if not attempts:
            break
    assert tried == ["2", "3", "1"]
    assert box.waiting == 3


def test_flush_ends_no_rest() -> None:
    box = Outbox()
    box.feed(message("1"), 0.0)
    box.settle(DOWN, 0.0)
    assert box.flush(1.0) == []


def test_settle_needs_an_attempt() -> None:
    with pytest.raises(RuntimeError, match="without an attempt"):
        Outbox().settle({}, 0.0)


def test_a_dumped_outbox_makes_the_attempt_under_way_again() -> None:
    box = Outbox()
    box.feed(message("1"), 0.0)
    box.feed(_closed("y"), 0.0)
    twin = Outbox()
    twin.load(box.dump())
    assert twin.poll(0.0) == [Attempt(message("1"), 1, key="/1")]
    assert twin.held == 2
    twin.settle(DOWN, 0.0)
    third = Outbox()
    third.load(twin.dump())
    assert third.deadline == twin.deadline == 30.0
    assert third.poll(30.0) == twin.poll(30.0) == [Attempt(_closed("y"), 1, key="/2")]


@pytest.mark.parametrize(
    ("fault", "name"),
    [({"first": 0}, "first"), ({"factor": 0.5}, "factor"), ({"longest": 1.0}, "longest"), ({"first": inf}, "first")],
)
def test_a_bad_backoff_names_the_value(fault: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=f"Backoff\\({name}="):
        Backoff(**fault)


def test_a_bad_give_up_names_the_value() -> None:
    with pytest.raises(ValueError, match="give_up=0"):
        Outbox(give_up=0)


def test_a_message_removed_while_it_is_tried_is_neither_sent_nor_dead_twice() -> None:
    for outcome in ({}, NO, DOWN):
        box = Outbox()
        box.feed(message("1"), 0.0)
        box.remove("/1")
        assert box.settle(outcome, 1.0) == ([], [])
        assert (box.sent, box.dead, box.waiting, box.lines_out) == (0, 1, 0, 1)


def test_only_the_message_asked_for_is_tried_at_once() -> None:
    box = Outbox()
    box.feed(message("1"), 0.0)
    box.feed(message("2"), 0.0)
    box.settle(DOWN, 0.0)
    assert names(box.retry("/2", 1.0)) == ["2"]


def test_only_the_message_asked_for_is_removed() -> None:
    box = Outbox()
    for name in "123":
        box.feed(message(name), 0.0)
    box.remove("/2")
    assert list(box.rows()) == ["/1", "/3"]
    assert list(box.changes()) == ["/1", "/2", "/3"]


def test_an_attempt_under_way_is_found_again_among_others() -> None:
    box = Outbox()
    for name in "12":
        box.feed(message(name), 0.0)
    twin = Outbox()
    for serial, row in enumerate(box.rows().values(), 1):
        twin.restore(serial, row, 0.0)
    twin.continue_trying(["/2"])
    assert twin.attempted == "/2"
