"""Batch -> Batch. What passes a filter goes on, and the rest is counted.

A Filter decides lines; filters are joined by `&`, `|` and `~`. It decides one line when called, and all records of a
batch at once with `lines`: the answers are the same, and the second is many times faster.
Limits: none; a filter remembers nothing. Whatever a user's function raises surfaces before anything has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .fields import Fields, parse
from .lines import Lines, Selection
from .model import Batch
from .stage import Instant, State, opened


class Filter:
    """Decides lines. For one of your own, write `__call__`; match, contains, at_least and where make the usual ones.

    >>> from burstmail import contains, match
    >>> usb = match(program="kernel") & contains("USB device|USB disconnect")
    >>> usb("Nov 23 12:00:00 web1 kernel: usb 1-1: USB disconnect, device number 4")
    True
    """

    # What decides faster is asked first, of lines whose headers have been read.
    cost = 3
    columns: frozenset[str] = frozenset()
    """Which columns of Lines it asks for."""

    def __call__(self, line: str) -> bool:
        """Whether the line passes: without its newline; or a record, with the newlines inside."""
        raise NotImplementedError

    def lines(self, view: Lines) -> Selection:
        """All records of a batch that pass."""
        return self.among(view, view.everything)

    def among(self, view: Lines, asked: Selection) -> Selection:
        """Those of the asked that pass."""
        return view.those(asked, lambda number: self(view.records[number]))

    def possible(self, view: Lines) -> bool:
        """Whether any record may pass, as far as a glance at the whole batch tells."""
        return True

    def narrowed(self, view: Lines, asked: Selection) -> Selection:
        """Fewer of the asked, and all of them that pass, as far as that costs less than to decide."""
        return asked

    def __and__(self, other: Filter) -> Filter:
        return _Every(self, other)

    def __or__(self, other: Filter) -> Filter:
        return _Any(self, other)

    def __invert__(self) -> Filter:
        return _Not(self)


class Judge(Filter):
    """Base of those that decide by the fields of a record."""

    def judge(self, fields: Fields) -> bool:
        """Whether a record with these fields passes."""
        raise NotImplementedError

    def __call__(self, line: str) -> bool:
        """Whether the line passes."""
        return self.judge(parse(line))

    def among(self, view: Lines, asked: Selection) -> Selection:
        """Those of the asked that pass."""
        return view.those(asked, lambda number: self.judge(view.fields(number)))


class _Several(Filter):
    def __init__(self, *parts: Filter) -> None:
        flat = [inner for part in parts for inner in (part.parts if isinstance(part, type(self)) else (part,))]
        self.parts: tuple[Filter, ...] = tuple(sorted(flat, key=lambda part: part.cost))
        self.cost = self.parts[-1].cost
        self.columns = frozenset[str]().union(*(part.columns for part in flat))


class _Every(_Several):
    def __call__(self, line: str) -> bool:
        return all(part(line) for part in self.parts)

    def among(self, view: Lines, asked: Selection) -> Selection:
        # When the headers have been read, they tell more for less.
        if not view.read:
            asked = self.narrowed(view, asked) if self.possible(view) else 0
        for part in self.parts:
            asked = part.among(view, asked) if asked else 0
        return asked

    def narrowed(self, view: Lines, asked: Selection) -> Selection:
        # Words of a message are rarer than what headers say.
        for part in reversed(self.parts):
            if view.few(asked):
                break
            asked = part.narrowed(view, asked)
        return asked

    def possible(self, view: Lines) -> bool:
        return all(part.possible(view) for part in self.parts)


class _Any(_Several):
    def __call__(self, line: str) -> bool:
        return any(part(line) for part in self.parts)

    def among(self, view: Lines, asked: Selection) -> Selection:
        found = 0
        for part in self.parts:
            if (rest := view.without(asked, found)) and part.possible(view):
                found |= part.among(view, rest)
        return found

    def possible(self, view: Lines) -> bool:
        return any(part.possible(view) for part in self.parts)


class _Not(Filter):
    def __init__(self, part: Filter) -> None:
        self.part = part
        self.cost = part.cost
        self.columns = part.columns

    def __call__(self, line: str) -> bool:
        return not self.part(line)

    def among(self, view: Lines, asked: Selection) -> Selection:
        return view.without(asked, self.part.among(view, asked))


class _Anything(Filter):
    """Passes every line: what is left when there is nothing to ask."""

    cost = 0

    def __call__(self, line: str) -> bool:
        return True

    def among(self, view: Lines, asked: Selection) -> Selection:
        return asked


ANYTHING: Filter = _Anything()
"""Passes every line."""


class _Where(Judge):
    cost = 5

    def __init__(self, function: Callable[[Fields], object]) -> None:
        self._function = function

    def judge(self, fields: Fields) -> bool:
        return bool(self._function(fields))


def where(function: Callable[[Fields], object]) -> Filter:
    """Lines for whose Fields the function says so: a Python call for each that all else has let pass."""
    return _Where(function)


class Admit(Instant[Batch, Batch]):
    """What passes the filter goes on, as it came; lines that do not are counted in `refused`.

    >>> from burstmail import Admit, Batch, contains
    >>> stage = Admit(~contains("DEBUG"))
    >>> [batch.lines for batch in stage.feed(Batch.of(["DEBUG a", "b"]), 0.0)], stage.refused
    ([['b']], 1)
    """

    def __init__(self, filter: Filter) -> None:
        self.filter = filter
        self.refused = 0
        # Lines below a threshold, that came before a batch of which nothing has passed: the next one tells of them.
        self._below = 0

    def feed(self, item: Batch, now: float) -> Sequence[Batch]:
        """The lines that pass: the batch itself if all do, and none if none does."""
        view = Lines(item, self.filter.columns)
        found = self.filter.lines(view)
        passed = view.take(found) if found else replace(item, text="", count=0)
        self.refused += item.count - passed.count
        if item.count and not passed.count:
            self._below += item.below
            return []
        below, self._below = item.below + self._below, 0
        if passed is item and below == item.below:
            return [item]
        return [replace(passed, place=item.place, below=below)]

    def dump(self) -> State:
        """What the next batch tells of."""
        return ["Admit", 1, self._below]

    def load(self, state: State) -> None:
        """The dumped stage's."""
        (self._below,) = opened(state, "Admit", 1)
