"""How far a source has come survives with the lines it came with, and not without them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from burstmail import (
    Aggregator,
    Batch,
    Burst,
    CallbackSink,
    FileStore,
    Item,
    IterableSource,
    MemoryStore,
    Pipeline,
    StoreError,
)
from burstmail.core.flow import Flow
from burstmail.drivers.engine import Engine
from burstmail.drivers.places import NAMES, Places
from burstmail.stores import Entry, Saved, Store
from burstmail.testing import ManualClock


def placed(text: str, position: object, name: str = "file:/log") -> Batch:
    lines = Batch.of(text) if text else Batch(text="", count=0)
    return Batch(text=lines.text, count=lines.count, place=(name, position))


class Counting:
    """A source of numbered lines that says where it is, and goes on from there."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.asked = 0
        self._places: Callable[[], Mapping[str, Any] | None] = dict

    def resume(self, places: Callable[[], Mapping[str, Any] | None]) -> None:
        self._places = places

    def __iter__(self) -> Iterator[Batch]:
        while (places := self._places()) is None:
            self.asked += 1
            yield Batch(text="", count=0)
        for number in range(places.get("count", 0), self.end):
            yield placed(f"line {number}", number + 1, "count")

    def close(self) -> None:
        self.end = 0


def collected(store: Store, *sources: Any) -> list[str]:
    lines: list[str] = []

    def take(item: Item) -> None:
        assert not isinstance(item, Batch)
        lines.extend(item.head)  # type: ignore[union-attr]  # no Composer: bursts

    Pipeline(Aggregator(), sink=CallbackSink(take), store=store).run(*sources)
    return lines


@pytest.mark.parametrize("make", [lambda path: MemoryStore(), FileStore])
def test_a_second_run_goes_on_where_the_first_ended(make: Callable[[Path], Store], tmp_path: Path) -> None:
    store = make(tmp_path / "state")
    assert collected(store, Counting(3)) == ["line 0", "line 1", "line 2"]
    assert collected(store, Counting(5)) == ["line 3", "line 4"]


def test_what_is_in_the_journal_only_is_known_as_well(tmp_path: Path) -> None:
    pipeline = Pipeline(Aggregator(), sink=CallbackSink(print), store=FileStore(tmp_path / "state"))
    pipeline.feed(placed("a", [7, "x"]))
    pipeline.feed(placed("", [8, "x"]))
    # What a kill would leave.
    copytree(tmp_path / "state", tmp_path / "copy")
    pipeline.close(0)
    assert known(FileStore(tmp_path / "copy")) == {"file:/log": [8, "x"]}


def test_a_name_that_is_given_up_is_forgotten(tmp_path: Path) -> None:
    pipeline = Pipeline(Aggregator(), sink=CallbackSink(print), store=FileStore(tmp_path / "state"))
    pipeline.feed(placed("a", 1))
    pipeline.feed(placed("a", 2, "file:/other"))
    pipeline.feed(placed("", None))
    pipeline.close(0)
    assert known(FileStore(tmp_path / "state")) == {"file:/other": 2}


def test_places_survive_a_state_of_which_nothing_else_fits() -> None:
    saved = Saved(
        epoch="e", state=[1, 0.0, 0.0, ["another version"], {"a": 1, "b": 2}], journal=[Entry(place=("b", 3))]
    )
    places = Places()
    places.become(saved)
    assert places.known == {"a": 1, "b": 3}


def test_what_was_read_while_the_store_failed_is_newer_than_what_is_in_it() -> None:
    places = Places()
    places.note(("a", 9))
    places.add(Saved(epoch="e", state=[1, 0.0, 0.0, None, {"a": 1, "b": 2}]))
    assert places.known == {"a": 9, "b": 2}


@pytest.mark.parametrize("state", [None, [], 7, [1, 0.0, 0.0, None], [1, 0.0, 0.0, None, ["no", "mapping"]]])
def test_a_state_without_places_has_none(state: Any) -> None:
    places = Places()
    places.become(Saved(epoch="e", state=state))
    assert places.known == {}


def test_names_are_bounded_and_the_oldest_go() -> None:
    places = Places()
    for number in range(NAMES + 2):
        places.note((str(number), number))
    places.note(("2", 0))
    places.note(("new", 0))
    assert len(places.known) == NAMES
    assert "2" in places.known and "3" not in places.known


def test_a_source_waits_while_another_process_has_the_store(tmp_path: Path) -> None:
    first = Pipeline(Aggregator(), sink=CallbackSink(print), store=FileStore(tmp_path / "state"))
    first.feed(placed("line 0", 1, "count"))
    source = Counting(2)
    thread = threading.Thread(target=lambda: lines.extend(collected(FileStore(tmp_path / "state"), source)))
    lines: list[str] = []
    thread.start()
    while not source.asked:
        thread.join(0.01)
    first.close()
    thread.join(30)
    # The first line was in the first one's open window, and left with its end.
    assert lines == ["line 1"]


# A store that fails at the start: only it knows how far they were.


class Blind(MemoryStore):
    """It cannot be opened so many times."""

    def __init__(self, fails: int) -> None:
        super().__init__()
        self.fails = fails

    def open(self) -> Saved | None:
        if self.fails:
            self.fails -= 1
            raise StoreError("no space left on device")
        return super().open()


def engine_of(store: Store) -> tuple[Engine, ManualClock]:
    clock = ManualClock()
    engine = Engine(Flow(Aggregator()), clock, store=store)
    engine.start()
    return engine, clock


def errors(engine: Engine, caplog: pytest.LogCaptureFixture) -> int:
    engine.logger.tell()
    return caplog.text.count("the store cannot say how far files and the journal were read")


def test_who_wants_to_go_on_waits_for_a_store_that_fails_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    store = Blind(0)
    assert collected(store, Counting(3)) == ["line 0", "line 1", "line 2"]
    store.fails = 3
    engine, clock = engine_of(store)
    assert engine.places() is None
    for _ in range(20):
        clock.advance(1)
        engine.poll()
    assert engine.places() == {"count": 3}
    assert not errors(engine, caplog)


def test_it_is_not_waited_for_longer_than_half_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    engine, clock = engine_of(Blind(1000))
    clock.advance(29.9)
    engine.poll()
    assert engine.places() is None and not errors(engine, caplog)
    clock.advance(0.2)
    assert [engine.places(), engine.places()] == [{}, {}]
    assert errors(engine, caplog) == 1


def test_a_store_that_fails_later_is_no_reason_to_wait(caplog: pytest.LogCaptureFixture) -> None:
    store = Blind(0)
    engine, _ = engine_of(store)
    engine.feed(placed("line", 7))
    store.commit = fail  # type: ignore[method-assign]
    engine.flush()
    assert engine.places() == {"file:/log": 7}
    assert not errors(engine, caplog)


def fail(*_: object, **more: object) -> None:
    raise StoreError("no space left on device")


# Several sources.


def test_several_sources_feed_one_pipeline() -> None:
    lines = collected(MemoryStore(), Counting(50), IterableSource(f"other {number}" for number in range(50)))
    assert sorted(lines) == sorted([*(f"line {n}" for n in range(50)), *(f"other {n}" for n in range(50))])


def test_one_that_cannot_be_read_any_more_does_not_end_the_others(caplog: pytest.LogCaptureFixture) -> None:
    failing = IterableSource(fails(OSError("cannot read descriptor 7")))
    rest = Counting(3)
    with pytest.raises(OSError, match="descriptor 7"):
        collected(MemoryStore(), failing, rest)
    assert "a source has ended, the others go on: cannot read descriptor 7" in caplog.text
    assert rest.end == 3


def test_a_bug_in_one_ends_all_and_surfaces() -> None:
    gate = threading.Event()

    class Endless(Counting):
        def __iter__(self) -> Iterator[Batch]:
            gate.wait(30)
            yield from ()

        def close(self) -> None:
            gate.set()

    with pytest.raises(ZeroDivisionError):
        collected(MemoryStore(), Endless(1), IterableSource(fails(ZeroDivisionError())))
    assert gate.is_set()


def test_no_source_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="sources: name at least one"):
        collected(MemoryStore())


def fails(error: Exception) -> Iterator[str]:
    yield "before"
    raise error


def known(store: Store) -> Mapping[str, Any]:
    """What a source is told that begins with this store."""
    seen: list[Mapping[str, Any] | None] = []

    class Asking(Counting):
        def __iter__(self) -> Iterator[Batch]:
            seen.append(self._places())
            yield from ()

    collected(store, Asking(0))
    assert seen[0] is not None
    return seen[0]


@pytest.mark.parametrize("make", [lambda path: MemoryStore(), FileStore])
def test_what_lines_were_read_from_survives_with_them(make: Callable[[Path], Store], tmp_path: Path) -> None:
    store = make(tmp_path / "state")
    first = Engine(Flow(Aggregator(gap=60)), ManualClock(), store=store)
    first.start()
    first.feed(Batch.of("a", source="/log/a"))
    # Killed: what it has read is in the journal only.
    store.close()
    second = Engine(Flow(Aggregator(gap=60)), ManualClock(1.0), store=store)
    second.start()
    second.feed(Batch.of("b", source="/log/b"))
    (attempt,) = second.end()
    second.close()
    assert isinstance(attempt.item, Burst)
    assert attempt.item.sources == (("/log/a", 1), ("/log/b", 1))
