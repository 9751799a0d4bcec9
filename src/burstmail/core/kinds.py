"""What somebody gives for a number, a text or a path -> a TypeError that names it, where it is none.

Python would say of a duration like "5s", from deep inside or days later, that '<' is not supported. True is a number
for Python, and nobody means it as one. Limits: none.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import Any, cast


def numbers(where: str = "", /, **given: object) -> None:
    """Raises TypeError for what is no number; `where` is the part, if its name says more than that of the parameter."""
    _each(where, given, "a number, as 20")


def counts(where: str = "", /, **given: object) -> None:
    """The same for what must be 1 at least: raises ValueError below that."""
    numbers(where, **given)
    for name, value in given.items():
        if not cast("float", value) >= 1:
            raise ValueError(f"{_named(where, name, value)}: must be 1 or more")


def seconds(where: str = "", /, **given: object) -> None:
    """The same for durations."""
    _each(where, given, "a number of seconds, as 0.5 or 60")


def spans(where: str = "", /, **given: object) -> None:
    """The same for durations that last: raises ValueError for none."""
    seconds(where, **given)
    for name, value in given.items():
        if not cast("float", value) > 0:
            raise ValueError(f"{_named(where, name, value)}: must be more than 0 seconds")


def texts(where: str = "", /, **given: object) -> None:
    """Raises TypeError for what is no text."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise TypeError(f"{_named(where, name, value)}: must be a text")


def paths(where: str = "", /, **given: object) -> None:
    """Raises TypeError for what is no path."""
    for name, value in given.items():
        if not (isinstance(value, str | bytes) or hasattr(value, "__fspath__")):
            raise TypeError(f"{_named(where, name, value)}: must be a path")


def zones(**given: object) -> None:
    """Raises TypeError for what is no time zone; None is the machine's."""
    for name, value in given.items():
        if not (value is None or hasattr(value, "utcoffset")):
            raise TypeError(f"{name}={value!r:.100}: must be a tzinfo, as ZoneInfo('Europe/Berlin')")


def of_kind(kind: type | UnionType, given: Iterable[object], words: str) -> None:
    """Raises TypeError with these words, in which `{!r}` stands for it, for the first that is of none of the kinds."""
    for value in given:
        if not isinstance(value, kind):
            raise TypeError(words.format(value))


def listed(given: object) -> list[Any]:
    """One, or all of several; a text is one."""
    return list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else [given]


def several(name: str, given: object) -> tuple[Any, ...]:
    """As a tuple. Raises TypeError for what is one, or none: a text is a sequence, too, of characters."""
    if isinstance(given, str):
        raise TypeError(f"{name}={given!r}: give several in a list, one as [{given!r}]")
    if not isinstance(given, Iterable):
        raise TypeError(f"{name}={given!r}: must be a list; () is none")
    return tuple(given)


def _each(where: str, given: dict[str, object], wanted: str) -> None:
    for name, value in given.items():
        # What others bring along (numpy, fractions) is as good as ours.
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise TypeError(f"{_named(where, name, value)}: must be {wanted}")


def _named(where: str, name: str, value: object) -> str:
    told = f"{name}={value!r:.100}"
    return f"{where}({told})" if where else told
