"""What somebody gives for a number -> a TypeError that names it, where it is none.

Python would say of a duration like "5s", from deep inside or days later, that '<' is not supported. True is a number
for Python, and nobody means it as one. Limits: none.
"""

from __future__ import annotations


def numbers(where: str = "", /, **given: object) -> None:
    """Raises TypeError for what is no number; `where` is the part, if its name says more than that of the parameter."""
    _each(where, given, "a number, as 20")


def counts(where: str = "", /, **given: object) -> None:
    """The same for what must be 1 at least: raises ValueError below that."""
    numbers(where, **given)
    for name, value in given.items():
        if not value >= 1:  # type: ignore[operator]
            raise ValueError(f"{_named(where, name, value)}: must be 1 or more")


def seconds(where: str = "", /, **given: object) -> None:
    """The same for durations."""
    _each(where, given, "a number of seconds, as 0.5 or 60")


def spans(where: str = "", /, **given: object) -> None:
    """The same for durations that last: raises ValueError for none."""
    seconds(where, **given)
    for name, value in given.items():
        if not value > 0:  # type: ignore[operator]
            raise ValueError(f"{_named(where, name, value)}: must be more than 0 seconds")


def _each(where: str, given: dict[str, object], wanted: str) -> None:
    for name, value in given.items():
        # What others bring along (numpy, fractions) is as good as ours.
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise TypeError(f"{_named(where, name, value)}: must be {wanted}")


def _named(where: str, name: str, value: object) -> str:
    told = f"{name}={value!r:.100}"
    return f"{where}({told})" if where else told
