"""Items of any iterable become batches; none that was taken is lost."""

from __future__ import annotations

from collections.abc import Iterator

from burstmail import Batch, IterableSource


def test_each_item_is_one_batch_that_nobody_has_stamped() -> None:
    assert list(IterableSource(["one", "two\n", b"three"])) == [
        Batch(text="one\n", count=1),
        Batch(text="two\n", count=1),
        Batch(text="three\n", count=1),
    ]


def test_an_item_may_hold_several_lines_or_an_empty_one() -> None:
    source = IterableSource(["a\nb", b"c\r\nd\n", "", b""])
    assert [batch.lines for batch in source] == [["a", "b"], ["c", "d"], [""], [""]]


def test_text_and_bytes_give_the_same_lines() -> None:
    items = ["a\r\n", "b\0\x1b\x0c", "€" * 30_000]
    batches = list(IterableSource(items))
    assert batches == list(IterableSource([item.encode() for item in items]))
    assert [batch.text for batch in batches[:2]] == ["a\n", "b\0\x1b\x0c\n"]


def test_a_line_is_bounded() -> None:
    (batch,) = IterableSource(["x" * 70_000])
    assert batch.text == "x" * 65536 + " [... 4464 bytes cut]\n"


def test_what_no_mail_can_carry_is_escaped() -> None:
    assert [batch.text for batch in IterableSource(["\udcff", b"\xff"])] == ["\\udcff\n", "\\xff\n"]


def test_nothing_gives_nothing() -> None:
    assert list(IterableSource([])) == []


def test_close_ends_before_the_next_item_is_taken() -> None:
    items = iter(["a", "b", "c"])
    source = IterableSource(items)
    for batch in source:
        assert batch.text == "a\n"
        source.close()
    assert list(items) == ["b", "c"]


def test_an_item_that_was_being_made_when_close_came_is_not_lost() -> None:
    def made() -> Iterator[str]:
        yield "a"
        source.close()
        yield "b"
        raise AssertionError("asked for more after close()")

    source = IterableSource(made())
    assert [batch.text for batch in source] == ["a\n", "b\n"]


def test_closed_before_it_begins_it_takes_nothing() -> None:
    items = iter(["a"])
    source = IterableSource(items)
    source.close()
    source.close()
    assert list(source) == []
    assert list(items) == ["a"]
