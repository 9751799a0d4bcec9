"""The whole path as one machine: stamps, counts, settling."""

from __future__ import annotations

from burstmail import Aggregator, Batch, Burst, Caps, Flow, Keep, Limit, PermanentDeliveryError


def flow() -> Flow:
    return Flow(Aggregator(gap=5, keep=Keep(head=1, tail=1)), Caps(Limit(1, per=60), per_key=None), epoch="e")


def test_reads_are_numbered_and_stamped() -> None:
    path = flow()
    first, second = path.stamp(Batch.of("a"), 100.0), path.stamp(Batch.of("b", time=50.0), 101.0)
    assert [(batch.seq, batch.epoch, batch.time) for batch in (first, second)] == [(1, "e", 100.0), (2, "e", 50.0)]


def test_every_line_is_held_or_out() -> None:
    path = flow()
    path.feed(path.stamp(Batch.of("a\nb\nc\nd"), 0.0), 0.0)
    assert (path.statistics().lines_in, path.statistics().lines_held, path.deadline) == (4, 4, 5.0)
    (attempt,) = path.poll(5.0)
    assert isinstance(attempt.item, Burst)
    assert path.paths.trying() == ["/1"]
    path.feed(path.stamp(Batch.of("e"), 6.0), 6.0)
    path.settle({}, 6.0)
    counts = path.statistics()
    assert (counts.lines_in, counts.lines_held, counts.lines_out, counts.lines_left_out) == (5, 1, 4, 2)
    assert (counts.bursts, counts.sent, counts.waiting) == (1, 1, 0)


def test_flush_respects_the_caps_and_drain_does_not() -> None:
    path = flow()
    for second in (0.0, 1.0):
        path.feed(path.stamp(Batch.of("x"), second), second)
        attempts = path.flush(second)
    assert attempts == []
    path.settle(PermanentDeliveryError("no"), 2.0)
    assert len(path.drain(3.0)) == 1
    assert path.statistics().dead == 1


def test_a_dumped_flow_goes_on_numbering_where_it_was() -> None:
    path = flow()
    path.feed(path.stamp(Batch.of("a"), 0.0), 0.0)
    stages = Aggregator(gap=5, keep=Keep(head=1, tail=1)), Caps(Limit(1, per=60), per_key=None)
    twin = Flow(*stages, epoch="other")
    twin.load(path.dump())
    assert twin.stamp(Batch.of("b"), 1.0) == path.stamp(Batch.of("b"), 1.0)
    assert twin.statistics().lines_in == 1
    assert twin.poll(5.0) == path.poll(5.0)
