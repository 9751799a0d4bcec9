"""One destination's way out: pauses that follow from the queue, what the next mail says, several at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import pytest

from burstmail import (
    Aggregator,
    Attempt,
    Batch,
    Burst,
    Caps,
    Composer,
    Flow,
    Instant,
    Limit,
    Message,
    PermanentDeliveryError,
    TemporaryDeliveryError,
    each,
)

DOWN = TemporaryDeliveryError("connection refused")
NO = PermanentDeliveryError("no such user")


def flow(*destinations: str) -> Flow:
    stages = Aggregator(gap=5, key=each(lambda line: line[0])), Caps(Limit(100, per=1), per_key=None)
    composer = Composer(to="ops@example.org", sender="me@example.org", host="example.org")
    return Flow(*stages, composer, destinations=destinations or ("",), epoch="e")


def fed(path: Flow, *lines: str, now: float) -> list[Attempt]:
    made = [*path.feed(path.stamp(Batch.of(lines), 1e9 + now), now)]
    return [*made, *path.poll(now + 5)]


def text(attempt: Attempt) -> str:
    assert isinstance(attempt.item, Message)
    return attempt.item.readable()


def test_while_a_destination_is_down_three_mails_wait_and_the_rest_is_one() -> None:
    path = flow()
    now = 0.0
    assert len(fed(path, "a", now=now)) == 1
    path.settle(DOWN, 5.0)
    for number in range(1, 200):
        now = number * 10.0
        if fed(path, f"{chr(97 + number % 7)} {number}", now=now):
            path.settle(DOWN, now + 5)
    assert path.statistics().waiting == 3
    assert path.statistics().lines_held == 200
    # It works again: three mails, and one for all that came meanwhile.
    out = list(path.poll(now + 3600))
    sent: list[Message] = []
    while out:
        assert isinstance(out[0].item, Message)
        sent.append(out[0].item)
        out, _ = path.settle({}, now + 3600)
    assert [mail.burst.count for mail in sorted(sent, key=lambda mail: mail.burst.seq)] == [1, 1, 1, 197]


def test_the_first_mail_made_after_an_outage_says_how_long_it_was() -> None:
    path = flow()
    fed(path, "a", now=0.0)
    path.settle(DOWN, 5.0)
    assert path.poll(1000.0)
    path.settle({}, 1000.0)
    (attempt,) = fed(path, "b", now=2000.0)
    assert isinstance(attempt.item, Message)
    outage = attempt.item.burst.outage
    assert outage is not None
    assert (outage.since, outage.until, outage.mails) == (1e9 + 5, 1e9 + 1000, 1)
    assert "Delivery was down from" in text(attempt)
    path.settle({}, 2005.0)
    (attempt,) = fed(path, "c", now=3000.0)
    assert "Delivery was down" not in text(attempt)


def test_a_refusal_that_is_soon_over_is_no_outage() -> None:
    path = flow()
    fed(path, "a", now=0.0)
    path.settle(DOWN, 5.0)
    path.poll(35.0)
    path.settle({}, 35.0)
    (attempt,) = fed(path, "b", now=100.0)
    assert isinstance(attempt.item, Message)
    assert attempt.item.burst.outage is None


def test_a_slow_destination_is_left_in_peace_until_an_hours_worth_waits() -> None:
    path = flow()
    for number in range(40):
        fed(path, f"{chr(97 + number % 26)} {number}", now=number * 10.0)
    assert path.statistics().waiting == 20


def test_one_destination_that_is_down_neither_delays_nor_repeats_the_others() -> None:
    path = flow("here", "there")
    got: list[Burst] = []
    for number in range(50):
        for attempt in fed(path, f"a {number}", now=number * 10.0):
            if attempt.destination == "here":
                assert isinstance(attempt.item, Message)
                got.append(attempt.item.burst)
                path.settle({}, number * 10.0 + 5, 0.0, "here")
            else:
                path.settle(DOWN, number * 10.0 + 5, 0.0, "there")
    assert [burst.count for burst in got] == [1] * 50
    assert path.statistics().waiting == 3


def test_two_destinations_never_share_a_message_id() -> None:
    path = flow("here", "there")
    here, there = fed(path, "a", now=0.0)
    assert isinstance(here.item, Message)
    assert isinstance(there.item, Message)
    assert here.item.id != there.item.id
    assert here.item.burst.head == there.item.burst.head


def test_a_note_is_told_once_to_every_destination() -> None:
    path = flow("here", "there")
    path.note("The store fails.")
    path.note("The store fails.")
    told = [text(attempt).count("The store fails.") for attempt in fed(path, "a", now=0.0)]
    assert told == [1, 1]


def test_a_dead_letter_is_reported_to_the_sender_in_a_mail_that_cannot_loop() -> None:
    path = flow()
    fed(path, "a", now=0.0)
    (notice,), (letter,) = path.settle(NO, 5.0)
    assert letter.error is NO
    assert isinstance(notice.item, Message)
    assert (notice.item.sender, notice.item.recipients, notice.item.count) == ("", ("me@example.org",), 0)
    # Nobody wants this one either: that is the end of it.
    more, letters = path.settle(NO, 6.0)
    assert (more, len(letters)) == ([], 1)
    assert path.poll(1e6) == []


def test_a_message_can_be_tried_at_once_and_removed() -> None:
    path = flow()
    fed(path, "a", now=0.0)
    path.settle(DOWN, 5.0)
    assert path.paths.retry("/9", 6.0) == []
    (again,) = path.paths.retry("/1", 6.0)
    assert again.number == 1
    path.settle(DOWN, 6.0)
    assert path.paths.remove("/1", 7.0) == []
    assert (path.statistics().waiting, path.deadline) == (0, inf)


def test_a_message_removed_while_it_is_tried_does_not_come_back() -> None:
    path = flow()
    fed(path, "a", now=0.0)
    path.paths.remove("/1", 5.0)
    assert path.settle(DOWN, 6.0) == ([], [])
    assert (path.statistics().waiting, path.statistics().dead, path.held) == (0, 1, 0)


def test_without_caps_everything_goes_straight_to_the_queue() -> None:
    path = Flow(Aggregator(gap=5), epoch="e")
    fed(path, "a", now=0.0)
    path.settle(DOWN, 5.0)
    path.note("note")
    for number in range(1, 9):
        fed(path, "a", now=number * 6.0)
    assert path.statistics().waiting == 9


def test_a_flow_of_no_stages_hands_on_what_it_is_given() -> None:
    path = Flow(epoch="e")
    (attempt,) = path.feed(path.stamp(Batch.of("a"), 1.0), 0.0)
    assert isinstance(attempt.item, Batch)
    path.settle({}, 0.0)
    assert (path.deadline, path.poll(10.0), path.flush(11.0), path.drain(12.0)) == (inf, [], [], [])


def test_a_flow_needs_a_destination() -> None:
    with pytest.raises(ValueError, match="name at least one"):
        Flow(destinations=())


class Stuck(Instant[Any, Any]):
    """A stage that is due and never done."""

    @property
    def deadline(self) -> float:
        return 5.0

    def poll(self, now: float) -> Sequence[Any]:
        return []


@pytest.mark.parametrize("stages", [[Stuck()], [Stuck(), Caps()]], ids=["in a path", "before the caps"])
def test_a_stage_that_breaks_the_progress_law_is_an_error_and_no_endless_loop(stages: list[Any]) -> None:
    with pytest.raises(RuntimeError, match="progress law"):
        Flow(*stages).poll(10.0)
