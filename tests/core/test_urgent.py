"""An urgent line closes its window, almost at once. The laws are in test_laws.py, the reserve in test_cap.py."""

from __future__ import annotations

import json
from math import inf

import pytest

from burstmail import Aggregator, Batch, Caps, CloseReason, Composer, Join, Keep, Limit, chain, contains, each
from burstmail.core.urgent import Decide
from burstmail.core.window import URGENT

LETTER = each(lambda line: line[:1])


def panic(line: str) -> bool:
    return "panic" in line


def windows(urgent: Decide = panic, **more: object) -> Aggregator:
    return Aggregator(gap=5, urgent=urgent, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("urgent", [panic, contains("panic")], ids=["function", "filter"])
def test_a_window_closes_soon_after_its_first_urgent_line(urgent: Decide) -> None:
    stage = windows(urgent)
    stage.feed(Batch.of("a"), 0.0)
    assert stage.deadline == 5.0
    stage.feed(Batch.of(["b", "panic"]), 1.0)
    stage.feed(Batch.of("panic again"), 1.1)
    assert stage.deadline == 1.0 + URGENT
    (burst,) = stage.poll(9.0)
    assert (burst.count, burst.reason, burst.urgent, burst.closed) == (4, CloseReason.URGENT, True, 1.0 + URGENT)
    assert (stage.held, stage.deadline) == (0, inf)


def test_the_next_window_is_not_urgent_for_it() -> None:
    stage = windows()
    stage.feed(Batch.of("panic"), 0.0)
    (first,) = stage.feed(Batch.of("a"), 1.0)
    assert first.urgent
    (second,) = stage.poll(9.0)
    assert (second.reason, second.urgent) == (CloseReason.GAP, False)


def test_a_window_that_closes_for_another_reason_is_urgent_all_the_same() -> None:
    stage = windows(max_lines=2)
    first, second = stage.feed(Batch.of(["panic", "a", "b", "c", "d"]), 0.0)
    assert [(made.reason, made.urgent) for made in (first, second)] == [
        (CloseReason.MAX_LINES, True),
        (CloseReason.MAX_LINES, False),
    ]
    short = Aggregator(gap=0.1, urgent=panic)
    short.feed(Batch.of("panic"), 0.0)
    assert [(made.reason, made.urgent) for made in short.poll(1.0)] == [(CloseReason.GAP, True)]


def test_only_the_window_of_its_key_closes() -> None:
    stage = windows(key=LETTER)
    stage.feed(Batch.of(["a panic", "b"]), 0.0)
    assert [(made.key, made.urgent) for made in stage.poll(1.0)] == [("a", True)]
    assert [(made.key, made.urgent) for made in stage.poll(9.0)] == [("b", False)]


def test_a_record_is_urgent_for_any_of_its_lines() -> None:
    stage = chain(Join(), windows(lambda record: "at the disco" in record))
    stage.feed(Batch.of(["panic", "\tat the disco", "other"]), 0.0)
    assert [made.reason for made in stage.poll(1.0)] == [CloseReason.URGENT]


def test_a_function_that_raises_changes_nothing() -> None:
    def urgent(line: str) -> bool:
        return {"a": False}[line]

    stage = windows(urgent, key=LETTER)
    stage.feed(Batch.of("a"), 0.0)
    before = stage.dump()
    with pytest.raises(KeyError):
        stage.feed(Batch.of(["a", "b"]), 9.0)
    assert stage.dump() == before


def test_an_urgent_window_survives_a_restart() -> None:
    stage = windows()
    stage.feed(Batch(text="panic\n", count=1, below=3), 0.0)
    stage.feed(Batch.of("a panic"), 0.1)
    fresh = Aggregator(gap=5)
    fresh.load(json.loads(json.dumps(stage.dump())))
    assert fresh.deadline == URGENT
    (made,) = fresh.poll(9.0)
    assert (made.reason, made.urgent, made.below, made.alarm) == (CloseReason.URGENT, True, 3, "panic")


def test_the_first_urgent_line_is_kept_whatever_else_is_left_out() -> None:
    stage = windows(keep=Keep(head=1, tail=1, log=0))
    stage.feed(Batch.of(["a", "b", "panic 1", "panic 2", "c"]), 0.0)
    stage.feed(Batch.of("panic 3"), 0.1)
    (burst,) = stage.poll(1.0)
    assert (burst.alarm, burst.head, burst.tail) == ("panic 1", ("a",), ("panic 3",))
    stage.feed(Batch.of("x"), 2.0)
    assert stage.flush(3.0)[0].alarm == ""


def test_a_long_urgent_line_is_cut() -> None:
    stage = windows()
    stage.feed(Batch.of("panic" + "x" * 9000), 0.0)
    assert len(stage.flush(1.0)[0].alarm) == 4096


def test_an_empty_line_may_be_urgent_and_the_end_of_a_text_is_none() -> None:
    stage = Aggregator(gap=5, key=LETTER, urgent=lambda line: line == "")
    stage.feed(Batch.of(["", "a"]), 0.0)
    assert [(made.key, made.urgent) for made in stage.poll(9.0)] == [("", True), ("a", False)]


def test_a_fold_keeps_the_first_urgent_line() -> None:
    stage = chain(windows(), Caps(Limit(1, per=100), per_key=None))
    for moment, line in enumerate(["a", "b", "panic 1", "panic 2"]):
        stage.feed(Batch.of(line), moment * 10.0)
    (made,) = stage.drain(50.0)
    assert (made.bursts, made.alarm, made.urgent) == (3, "panic 1", True)


def test_its_mail_tells_of_the_urgent_line_first_and_hides_its_secrets() -> None:
    mails = Composer(to="ops@example.org", sender="me@example.org", host="example.org")
    stage = chain(windows(keep=Keep(head=2, tail=2, log=0)), mails)
    lines = [f"<30>Nov 23 12:00:00 vm dbapp: connection {number} reset" for number in range(20)]
    lines[9] = "<30>Nov 23 12:00:00 vm2 disk: panic, password=hunter2"
    stage.feed(Batch.of(lines), 0.0)
    (mail,) = stage.poll(1.0)
    text = mail.readable()
    assert "Subject: [burstmail] urgent: vm2" in text
    assert "panic, password=[redacted]" in " ".join(text.split("\n\n")[0].split())
    opening, news = text.split("\n\n")[1].split("\n")[0:3:2]
    assert opening.startswith("Urgent: 20 lines from ")
    assert news == "  panic, password=[redacted]"
    assert "hunter2" not in mail.data.decode() and "In-Reply-To" not in mail.data.decode()
