"""Burst -> Burst. What must not be mailed is taken out of each line before anything is made of them.

Rewritten are the lines that are kept, the urgent one, texts and examples of patterns, the key, names of a digest's
parts and of sources, and notes. A hook that fails on a line takes it out of the mail, for it may be there to keep a
secret. No hook sees a pattern: where one changes its example, the pattern's text is made anew from what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from ..kinds import several
from ..model import Burst
from ..patterns.masks import Masker
from ..words import plural
from .redactions import REDACTED, hiding, hidings
from .redactions import REDACTIONS as REDACTIONS

Hook: TypeAlias = Callable[[str], str]


class Redactor:
    """What takes secrets out.

    Args:
        hooks: names of REDACTIONS, and functions that take one line and give one; applied in this order.

    Raises ValueError for an unknown name, TypeError for what is neither.
    """

    def __init__(self, hooks: Iterable[str | Hook] = REDACTIONS) -> None:
        given = several("redact", hooks)
        for hook in given:
            if isinstance(hook, str) and hook not in REDACTIONS:
                raise ValueError(f"redact: there is no {hook!r}; known by name are {', '.join(REDACTIONS)}")
            if not isinstance(hook, str) and not callable(hook):
                raise TypeError(f"redact: {hook!r} is neither a name nor a function that takes a line")
        self._names = [hook for hook in given if isinstance(hook, str)]
        self._built_in = [hiding(name) for name in self._names]
        self._hooks = [hiding(hook) if isinstance(hook, str) else hook for hook in given]
        self._own = len(self._names) < len(given)

    def burst(self, burst: Burst) -> tuple[Burst, tuple[str, ...]]:
        """The burst without its secrets, and what the reader has to know of that, in sentences."""
        if not self._hooks:
            return burst, ()
        run = _Run(self._hooks)
        first, missing, last = burst.excerpt.log()
        # Nobody needs to look at each line for what is in none of them; but nobody knows what another's hook looks for.
        kept = run if self._own else _Run(hidings(self._names, first + last))
        excerpt = burst.excerpt.mapped(kept.line) if kept.hooks else burst.excerpt
        failed = run.failed
        redacted = replace(
            burst,
            excerpt=excerpt,
            # Where all lines are kept, the patterns know of no others.
            tally=burst.tally.mapped(run.line, self._pattern(run)) if kept.hooks or missing else burst.tally,
            key=_name(burst.key, run.line),
            parts=tuple((_name(key, run.line), count) for key, count in burst.parts),
            sources=tuple((_name(source, run.line), count) for source, count in burst.sources),
            # It need not be among the lines that are kept.
            alarm=burst.alarm and run.line(burst.alarm),
            # A command may have a password among its words.
            ran=burst.ran and run.line(burst.ran),
            outcome=burst.outcome and run.line(burst.outcome),
            # One of them may quote a line.
            notes=tuple(filter(None, map(run.line, burst.notes))),
        )
        return redacted, run.told(failed)

    def _pattern(self, run: _Run) -> Callable[[str, str], str]:
        """What becomes of a pattern's text, by its example: whatever the text says, the example says too."""
        built_in = _Run(self._built_in).line

        def rewrite(text: str, example: str) -> str:
            if self._own and (left := run.line(example)) != built_in(example):
                return Masker().shape(left).rpartition("\n")[2]
            return built_in(text)

        return rewrite


class _Run:
    """The hooks, for one burst."""

    def __init__(self, hooks: Iterable[Hook]) -> None:
        self.hooks = list(hooks)
        self._errors: dict[str, None] = {}
        self.failed = 0
        """How often one has raised."""

    def line(self, line: str) -> str:
        """What the hooks leave of the line, as one line that a mail can carry."""
        try:
            for hook in self.hooks:
                line = _one(hook(line))
        except (Exception, SystemExit) as error:  # whatever somebody else's function may raise
            name = type(error).__name__
            self._errors[name] = None
            self.failed += 1
            return f"[not shown: the redact hook raised {name}]"
        return line

    def told(self, lines: int) -> tuple[str, ...]:
        """What it has raised, and on how many lines of those that are kept."""
        if not self._errors:
            return ()
        what = f"{plural(lines, 'line')} {'is' if lines == 1 else 'are'}" if lines else "patterns, names or notes are"
        return (f"the redact hook raised {', '.join(self._errors)}: {what} not shown",)


def _one(line: object) -> str:
    if not isinstance(line, str):
        raise TypeError(f"a redact hook must give a str, not {type(line).__name__}")
    return line.encode("utf-8", "backslashreplace").decode().replace("\n", "\\x0a")


def _name(name: str, rewrite: Hook) -> str:
    """No name at all means another thing: the key of everything else."""
    return name and (rewrite(name) or REDACTED)
