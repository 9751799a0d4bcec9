"""What is read: several inputs at once, one of which may fail, and others take the place of some."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from burstmail import Batch, Source
from burstmail.cli import reading
from burstmail.cli.beginning import Beginning
from burstmail.cli.inputs import Input
from burstmail.cli.options import Misuse
from burstmail.cli.reading import Reading
from tests.cli.process import until


class Fed:
    """A source that gives what it is handed, until it is closed."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.handed: queue.Queue[str | BaseException | None] = queue.Queue()
        self.closes = 0
        self.stubborn = stubborn

    def give(self, text: str | BaseException) -> None:
        self.handed.put(text)

    def close(self) -> None:
        self.closes += 1
        if self.closes > 1 or not self.stubborn:
            self.handed.put(None)

    def __iter__(self) -> Iterator[Batch]:
        while (given := self.handed.get(timeout=30)) is not None:
            if isinstance(given, BaseException):
                raise given
            yield Batch.of(given)


class Taking:
    """A pipeline that remembers its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def read(self, *sources: Source) -> None:
        for source in sources:
            for batch in source:
                self.lines += batch.lines


def made(*names: str, seats: str = "", opened: list[str] | None = None, **fixed: Fed) -> list[Input]:
    """Inputs of these names; each is a source of its own, or one that is given."""

    def maker(name: str) -> Callable[[], list[Source]]:
        def make() -> list[Source]:
            if opened is not None:
                opened.append(name)
            return [fixed[name] if name in fixed else Fed()]

        return make

    return [Input(key=(name,), make=maker(name), seats=frozenset(seats)) for name in names]


def refusing(name: str, *, seats: str = "", error: Exception | None = None) -> Input:
    def make() -> list[Source]:
        raise error or ValueError("no")

    return Input(key=(name,), make=make, seats=frozenset(seats))


class Running:
    """A Reading at work in a thread."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.reading, self.taking, self.error = Reading(inputs), Taking(), None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        # What changes before is another matter, and a test of its own.
        until(lambda: self.reading._pipeline is not None)

    def _run(self) -> None:
        try:
            self.reading.read(self.taking)
        except BaseException as error:
            self.error = error

    def ended(self) -> BaseException | None:
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.error

    def goes_on(self) -> bool:
        self.thread.join(0.05)
        return self.thread.is_alive()


def nothing() -> None:
    """What is committed."""


def test_all_are_read_to_their_end() -> None:
    a, b = Fed(), Fed()
    running = Running(made("a", "b", a=a, b=b))
    a.give("one")
    b.give("two")
    a.close()
    until(lambda: len(running.taking.lines) == 2)
    assert running.goes_on()
    b.close()
    assert running.ended() is None
    assert sorted(running.taking.lines) == ["one", "two"]


def test_one_that_fails_is_told_of_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    a, b = Fed(), Fed()
    running = Running(made("a", "b", a=a, b=b))
    a.give(OSError(5, "Input/output error"))
    until(lambda: "a source has ended, the others go on: [Errno 5] Input/output error" in caplog.messages)
    b.give("two")
    running.reading.close()
    assert str(running.ended()) == "[Errno 5] Input/output error"
    assert running.taking.lines == ["two"]


def test_the_only_one_that_fails_is_not_told_of_twice(caplog: pytest.LogCaptureFixture) -> None:
    a = Fed()
    a.give(OSError(5, "Input/output error"))
    assert isinstance(Running(made("a", a=a)).ended(), OSError)
    assert caplog.messages == []


def test_a_bug_ends_all() -> None:
    a, b = Fed(), Fed()
    running = Running(made("a", "b", a=a, b=b))
    b.give(RuntimeError("bug"))
    assert str(running.ended()) == "bug"
    assert a.closes == 1


def test_what_is_the_same_goes_on_untouched() -> None:
    a, b, c = Fed(), Fed(), Fed()
    running = Running(made("a", "b", a=a, b=b))
    b.give("of b")
    until(lambda: running.taking.lines == ["of b"])
    opened: list[str] = []
    running.reading.change(made("a", "c", opened=opened, c=c), nothing)
    assert (a.closes, b.closes, opened) == (0, 1, ["c"])
    a.give("of a")
    c.give("of c")
    until(lambda: len(running.taking.lines) == 3)
    running.reading.close()
    assert running.ended() is None


def test_what_gives_way_is_read_to_its_end_before_another_begins() -> None:
    order: list[str] = []

    class Slow(Fed):
        def __iter__(self) -> Iterator[Batch]:
            yield from super().__iter__()
            order.append("a has ended")

    class Next(Fed):
        def __iter__(self) -> Iterator[Batch]:
            order.append("b begins")
            return super().__iter__()

    running = Running(made("a", a=Slow()))
    running.reading.change(made("b", b=Next()), lambda: order.append("new stages"))
    until(lambda: len(order) == 3)
    assert order == ["new stages", "a has ended", "b begins"]
    assert running.goes_on()
    running.reading.close()
    assert running.ended() is None


def test_one_that_does_not_end_is_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LEAVING", 0.05)
    a = Fed(stubborn=True)
    running = Running(made("a", a=a))
    until(lambda: running.taking.lines == [] and running.goes_on())
    running.reading.change(made("b"), nothing)
    assert a.closes == 2
    running.reading.close()
    assert running.ended() is None


def test_one_that_never_ends_is_not_read_twice_and_keeps_nobody_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LEAVING", 0.05)

    class Deaf(Fed):
        def close(self) -> None:
            self.closes += 1

    a, opened = Deaf(), list[str]()
    running = Running(made("a", "b", a=a))
    changing = threading.Thread(target=running.reading.change, args=(made("b", "c", opened=opened), nothing))
    changing.start()
    until(lambda: a.closes == 2)
    a.give("of a, still")
    until(lambda: running.taking.lines == ["of a, still"])
    assert changing.is_alive()
    running.reading.close()
    changing.join(30)
    assert a.closes == 3
    # What was opened for it has not begun.
    assert (opened, len(running.reading.sources)) == (["c"], 1)
    a.handed.put(None)
    assert running.ended() is None


@pytest.mark.parametrize("fails", ["input", "commit"])
def test_what_is_refused_changes_nothing(fails: str) -> None:
    a = Fed()
    running = Running(made("a", a=a))

    def commit() -> None:
        if fails == "commit":
            raise Misuse("no")

    new = refusing("b") if fails == "input" else made("b")[0]
    with pytest.raises(Misuse, match="no"):
        running.reading.change([new], commit)
    assert a.closes == 0
    a.give("still read")
    until(lambda: running.taking.lines == ["still read"])
    running.reading.close()
    assert running.ended() is None


def test_an_address_changes_hands_only_when_it_is_free() -> None:
    a = Fed()
    closed: list[int] = []
    new = Input(key=("b",), make=lambda: (closed.append(a.closes), [Fed()])[1], seats=frozenset("x"))
    running = Running(made("a", a=a, seats="x"))
    running.reading.change([new], nothing)
    assert closed == [1]
    running.reading.close()
    assert running.ended() is None


def test_an_address_that_cannot_change_hands_is_read_as_before(caplog: pytest.LogCaptureFixture) -> None:
    opened: list[str] = []
    running = Running(made("a", seats="x", opened=opened))
    running.reading.change([refusing("b", seats="x", error=OSError(98, "Address already in use"))], nothing)
    assert opened == ["a", "a"]
    assert caplog.messages == ["an input cannot be changed, and is read as before: Address already in use"]
    assert running.goes_on()
    # With the next change, that is what is there.
    running.reading.change(made("b", seats="x", opened=opened), nothing)
    assert opened == ["a", "a", "b"]
    running.reading.close()
    assert running.ended() is None


def test_an_address_that_is_lost_is_told_of_and_not_taken_for_an_end(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([[Fed()], ValueError("gone")])

    def make() -> list[Source]:
        found: Any = next(times)
        if isinstance(found, Exception):
            raise found
        return list(found)

    running = Running([Input(key=("a",), make=make, seats=frozenset("x"))])
    running.reading.change([refusing("b", seats="x")], nothing)
    assert caplog.messages[1:] == ["an input is lost until the next reload: gone"]
    assert isinstance(running.ended(), OSError)


def test_what_has_failed_is_tried_again_and_what_has_ended_is_not() -> None:
    a, b = Fed(), Fed()
    opened: list[str] = []
    inputs = [*made("a", opened=opened, a=a), *made("b", opened=opened, b=b), *made("c", opened=opened)]
    running = Running(inputs)
    a.give(OSError(5, "Input/output error"))
    b.close()
    until(lambda: len(running.reading.sources) == 2)
    running.reading.change(made("a", "b", "c", opened=opened), nothing)
    assert opened == ["a", "b", "c", "a"]
    running.reading.close()
    assert isinstance(running.ended(), OSError)


def test_who_is_asked_to_end_changes_nothing_any_more() -> None:
    a = Fed(stubborn=True)
    running = Running(made("a", a=a))
    running.reading.close()
    with pytest.raises(Misuse, match="about to end"):
        running.reading.change(made("b"), nothing)
    running.reading.close()
    assert running.ended() is None
    with pytest.raises(Misuse, match="about to end"):
        running.reading.change(made("b"), nothing)


def test_asked_to_end_while_it_changes_it_begins_nothing_new() -> None:
    b = Fed()
    running = Running(made("a"))
    running.reading.change(made("b", b=b), running.reading.close)
    b.give("never read")
    assert running.ended() is None
    assert running.taking.lines == []


def test_what_changes_before_the_first_line_is_read_as_changed() -> None:
    b = Fed()
    idle = Reading(made("a"))
    idle.change(made("b", b=b), nothing)
    b.give("of b")
    b.close()
    taking = Taking()
    idle.read(taking)
    assert taking.lines == ["of b"]


def test_its_threads_are_not_waited_for_at_exit() -> None:
    running = Running(made("a", "b"))
    until(lambda: any(thread.name == "reading" for thread in threading.enumerate()))
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "reading")
    running.reading.close()
    assert running.ended() is None


class Following(Fed):
    """A source that goes on where it was."""

    places: Callable[[], Mapping[str, Any] | None] = dict

    def resume(self, places: Callable[[], Mapping[str, Any] | None]) -> None:
        self.places = places


def test_it_has_begun_with_the_first_batch_of_files() -> None:
    files, other, taking = Following(), Fed(), Taking()
    said: list[tuple[str, ...]] = []
    inputs = [
        Input(key=("other",), make=lambda: [other]),
        Input(key=("files",), make=lambda: [Beginning(files)]),
    ]
    both = Reading(inputs)
    thread = threading.Thread(target=both.read, args=(taking, lambda: said.append(tuple(taking.lines))))
    thread.start()
    other.give("a")
    until(lambda: taking.lines == ["a"])
    assert said == []
    files.give("b")
    files.give("c")
    until(lambda: len(taking.lines) == 3)
    both.close()
    thread.join(30)
    assert said == [("a",)]


def test_without_files_it_has_begun_at_once() -> None:
    source, said = Fed(), list[str]()
    source.give("a")
    source.close()
    Reading(made("a", a=source)).read(Taking(), lambda: said.append("begun"))
    assert said == ["begun"]


def test_files_that_another_process_reads_keep_nobody_waiting() -> None:
    files, said = Following(), list[str]()
    source = Beginning(files)
    source.then = lambda: said.append("begun")
    source.resume(lambda: None)
    assert said == []
    assert files.places() is None
    assert files.places() is None
    assert said == ["begun"]


def test_files_that_cannot_be_read_keep_nobody_waiting() -> None:
    files, said = Following(), list[str]()
    source = Beginning(files)
    source.then = lambda: said.append("begun")
    files.give(OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        next(iter(source))
    assert said == ["begun"]
