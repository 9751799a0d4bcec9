"""Settings -> words. Criteria, times and amounts as a person says them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Longest first; what is a whole number of one is said in that.
UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))
# Below this, seconds are what people compare.
SECONDS = 120
FIELDS = {"host": "host", "program": "program", "pid": "process", "facility": "facility", "severity": "severity"}


def span(seconds: float) -> str:
    """How long: "5 seconds", "15 minutes", "1 hour 30 minutes"."""
    if seconds < SECONDS or seconds != int(seconds):
        return counted(seconds, "second")
    parts: list[str] = []
    left = int(seconds)
    for size, unit in UNITS:
        whole, left = divmod(left, size)
        parts += [counted(whole, unit)] if whole else []
    return " ".join([*parts, *([counted(left, "second")] if left else [])])


def each(seconds: float) -> str:
    """A time in which something may happen so often: "a minute", "in 15 minutes"."""
    for size, unit in (*UNITS, (1, "second")):
        if seconds == size:
            return f"an {unit}" if unit == "hour" else f"a {unit}"
    return f"in {span(seconds)}"


def counted(count: float, noun: str) -> str:
    """A number and its noun."""
    return f"{count:,g} {noun}{'s' * (count != 1)}" if count < 1e6 else f"{count:,.0f} {noun}s"


def several(words: Sequence[str], last: str = "and") -> str:
    """Words in a row: "a", "a and b", "a, b and c"."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def criteria_in_words(criteria: Mapping[str, Any]) -> str:
    """What lines have, of criteria as criteria() takes them: "program sshd or su and host web1"; '' for nothing."""
    clauses = [clause for key in criteria for clause in _clauses(key, criteria)]
    # What is an alternative ends where the comma stands.
    return (", and " if any(" or " in clause for clause in clauses) else " and ").join(clauses)


def _clauses(key: str, criteria: Mapping[str, Any]) -> list[str]:
    value = criteria[key]
    if key in FIELDS:
        return [f"{FIELDS[key]} {several(_texts(value), 'or')}"]
    if key == "at_least":
        return [f"severity {value} or worse"]
    if key == "contains":
        case = " (any case)" if criteria.get("ignore_case") else ""
        return [f"{several([_quoted(text) for text in _texts(value)], 'or')}{case} in the message"]
    if key == "data":
        return [f"{name} {several(_texts(texts), 'or')}" for name, texts in value.items()]
    return [_group(key, value)] if key in ("any", "all", "not") else []


def _group(key: str, value: Any) -> str:
    tables = [value] if isinstance(value, Mapping) else value
    inner = [criteria_in_words(one) or "anything" for one in tables]
    joined = (" and " if key == "all" else " or ").join(_bracketed(one) if len(inner) > 1 else one for one in inner)
    return f"not {_bracketed(joined)}" if key == "not" else f"({joined})" if len(inner) > 1 else joined


def _bracketed(words: str) -> str:
    return f"({words})" if " and " in words or " or " in words else words


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _quoted(text: str) -> str:
    return f'"{text}"'
