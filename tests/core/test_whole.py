from __future__ import annotations

from burstmail import Admit, Aggregator, Batch, Whole, at_least, chain

RECORDS = Batch.of(["<11>Nov 23 10:00:00 web1 app[7]: lost", "\tTraceback:", "<14>Nov 23 10:00:01 web1 app[7]: fine"])


def test_lines_that_go_on_share_the_fate_of_their_record() -> None:
    (passed,) = chain(Whole(), Admit(at_least("err"))).feed(RECORDS, 0.0)
    assert passed.lines == RECORDS.lines[:2]


def test_they_belong_to_the_window_of_their_record() -> None:
    windows = chain(Whole(), Aggregator(key="severity"))
    windows.feed(RECORDS, 0.0)
    assert {burst.key: burst.count for burst in windows.drain(0.0)} == {"err": 2, "info": 1}


def test_nothing_waits_and_nothing_else_changes() -> None:
    stage = Whole()
    (batch,) = stage.feed(RECORDS, 0.0)
    assert batch.text == RECORDS.text
    assert stage.feed(batch, 0.0) == [batch]
    assert stage.held == 0


def test_where_no_line_goes_on_they_are_lines() -> None:
    for lines, joined in ((["a b", "c\td"], False), (["a", " b"], True), (["a", "\tb"], True)):
        (batch,) = Whole().feed(Batch.of(lines), 0.0)
        assert (batch.lines, batch.joined) == (lines, joined)
