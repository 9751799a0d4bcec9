"""One machine per key: order, crowding, and bounds."""

from __future__ import annotations

from math import inf

import pytest

from burstmail import Aggregator, Batch, CloseReason, Keep, Session, StateMismatch, Window, each, keyed

FIRST_LETTER = each(lambda line: line[:1])


def windows(keys: int = 3) -> Aggregator:
    return Aggregator(gap=5, key=FIRST_LETTER, keys=keys)


def test_each_key_has_its_own_window() -> None:
    stage = windows()
    stage.feed(Batch.of("a1\nb1\na2"), 0.0)
    stage.feed(Batch.of("b2"), 3.0)
    assert stage.deadline == 5.0
    assert [(burst.key, burst.head) for burst in stage.poll(20.0)] == [("a", ("a1", "a2")), ("b", ("b1", "b2"))]
    assert (stage.deadline, stage.held) == (inf, 0)


def test_keys_that_are_due_together_leave_in_the_order_they_opened() -> None:
    stage = windows()
    stage.feed(Batch.of("c\na\nb"), 0.0)
    stage.feed(Batch.of("b\nc\na"), 1.0)
    assert [burst.key for burst in stage.poll(9.0)] == ["c", "a", "b"]


def test_one_key_too_many_closes_the_least_recently_active_window() -> None:
    stage = windows(keys=2)
    stage.feed(Batch.of("a"), 0.0)
    stage.feed(Batch.of("b"), 1.0)
    stage.feed(Batch.of("a"), 2.0)
    (burst,) = stage.feed(Batch.of("c"), 3.0)
    assert (burst.key, burst.reason, stage.held) == ("b", CloseReason.CROWDED, 3)


def test_a_splitter_that_raises_leaves_everything_as_it_was() -> None:
    def picky(line: str) -> str:
        return str(int(line))

    stage = Aggregator(gap=5, key=each(picky))
    stage.feed(Batch.of("1"), 0.0)
    before = stage.dump()
    with pytest.raises(ValueError, match="invalid literal"):
        stage.feed(Batch.of("2\nno number"), 60.0)
    assert stage.dump() == before


def test_flush_and_drain_close_in_the_order_the_windows_opened() -> None:
    stage = windows()
    stage.feed(Batch.of("b\na"), 0.0)
    assert [(burst.key, burst.reason) for burst in stage.flush(1.0)] == [
        ("b", CloseReason.FLUSH),
        ("a", CloseReason.FLUSH),
    ]
    stage.feed(Batch.of("z"), 2.0)
    assert [burst.reason for burst in stage.drain(3.0)] == [CloseReason.END]


def test_over_the_budget_the_largest_window_sheds_its_middle() -> None:
    def shown_of(budget: int) -> int:
        stage = Aggregator(gap=5, key=FIRST_LETTER, keep=Keep(head=50, tail=50, bytes=10_000), budget=budget)
        stage.feed(Batch.of("b small"), 0.0)
        stage.feed(Batch.of(["a" * 90] * 400), 0.0)
        big, small = sorted(stage.flush(1.0), key=lambda burst: burst.key)
        assert (big.count, small.count, small.elided) == (400, 1, 0)
        assert big.excerpt.missing
        assert len(big.head) + len(big.tail) + big.elided == 400
        return len(big.head) + len(big.tail)

    # What would only be attached goes first, what is shown last.
    assert shown_of(20_000) == 100
    assert 0 < shown_of(8_000) < 100


def test_a_window_that_has_nothing_left_to_shed_closes() -> None:
    stage = Aggregator(gap=5, key=FIRST_LETTER, budget=1)
    (burst,) = stage.feed(Batch.of("a"), 0.0)
    assert (burst.count, burst.reason, stage.held) == (1, CloseReason.CROWDED, 0)


def test_many_keys_stay_within_the_budget() -> None:
    stage = Aggregator(gap=5, key=each(lambda line: line.split()[0]), budget=200_000)
    given = 0
    for number in range(500):
        given += sum(b.count for b in stage.feed(Batch.of([f"{number % 100} {'x' * 900}"] * 5), number / 1000))
    left = stage.flush(1.0)
    assert sum(len(line) for burst in left for line in (*burst.head, *burst.tail)) < 200_000
    assert (given + sum(burst.count for burst in left), stage.held) == (2500, 0)


def test_a_dumped_table_goes_on_where_it_was() -> None:
    stage = windows(keys=2)
    stage.feed(Batch.of("a\nb"), 0.0)
    twin = windows(keys=2)
    twin.load(stage.dump())
    assert twin.feed(Batch.of("c"), 1.0) == stage.feed(Batch.of("c"), 1.0)
    assert twin.poll(60.0) == stage.poll(60.0)


def test_a_state_that_names_a_key_twice_is_refused() -> None:
    stage = windows()
    stage.feed(Batch.of("a"), 0.0)
    name, version, serial, rows = stage.dump()
    with pytest.raises(StateMismatch, match="twice"):
        windows().load([name, version, serial, rows * 2])


def test_keyed_drains_any_machine_it_has_to_forget() -> None:
    stage = keyed(lambda key: Session(Window(gap=5), key=key), FIRST_LETTER, keys=1)
    stage.feed(Batch.of("a"), 0.0)
    assert [(burst.key, burst.reason) for burst in stage.feed(Batch.of("b"), 1.0)] == [("a", CloseReason.END)]


def test_a_key_may_be_given_as_field_names() -> None:
    stage = Aggregator(key="host, program")
    stage.feed(Batch.of("<38>Nov 23 10:00:00 web1 sshd[1]: x"), 0.0)
    assert [burst.key for burst in stage.flush(0.0)] == ["web1 sshd"]


@pytest.mark.parametrize("fault", [{"keys": 0}, {"budget": 0}])
def test_a_bad_bound_names_the_value(fault: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="=0: must be 1"):
        Aggregator(**fault)  # type: ignore[arg-type]
