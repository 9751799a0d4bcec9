"""Report -> text or HTML of somebody's own: a template of the standard library's kind, or a function.

`$name` and `${name}` stand for fields, `$$` for a dollar (string.Template). Fields are those of a subject, and ready
blocks, each as the default mail has it; in HTML all are escaped. Whatever comes out is made safe to receive once more.
A template is checked when it is made; only a function can fail later, and what is to be done then is the caller's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from ..escape import one_line, visible
from . import letter, page
from .markup import markup
from .report import Report
from .subject import FIELDS

if TYPE_CHECKING:
    from string import Template

View: TypeAlias = Callable[[Report], str]

# Enough of an error to know it by.
WORDS = 100
# In the order in which the default mail has them. `lines` and `severity` are no subject's fields here.
BLOCKS = (
    *("opening", "severity", "timeline", "facts", "attachment", "notes", "sources", "patterns", "lines"),
    *("head", "gap", "tail", "left_out", "signature"),
)


class _Templated(ABC):
    """What both kinds have in common."""

    kind: ClassVar[str]

    def __init__(self, source: str | View) -> None:
        """Raises ValueError for an unknown field or a lone `$`, TypeError for what is neither text nor a function."""
        if not isinstance(source, str) and not callable(source):
            raise TypeError(f"{self.kind} template: must be a text or a function of a report, not {source!r}")
        self._make = self._filled(source) if isinstance(source, str) else source

    def of(self, report: Report) -> str:
        """The text of the report, safe to receive. Raises what a function raises; TypeError when it gives no text."""
        made = self._make(report)
        if not isinstance(made, str):
            raise TypeError(f"the {self.kind} template must give a str, not {type(made).__name__}")
        lines = made.replace("\r\n", "\n").removesuffix("\n").split("\n")
        return "".join(f"{visible(line)}\n" for line in lines)

    def _filled(self, source: str) -> View:
        template = _checked(source, self.kind)
        wanted = set(template.get_identifiers())

        def fill(report: Report) -> str:
            known = self._blocks(report) if wanted & set(BLOCKS) else {}
            fields = {name: self._value(FIELDS[name], report) for name in wanted - set(BLOCKS)}
            return template.substitute(known | fields)

        return fill

    def _value(self, field: Callable[..., str], report: Report) -> str:
        return visible(field(report.burst, report.names, report.zone))

    @abstractmethod
    def _blocks(self, report: Report) -> dict[str, str]:
        """The blocks of the default mail's view."""


class TextTemplate(_Templated):
    """The plain text of a mail, from a template or a function of a Report."""

    kind = "text"

    def _blocks(self, report: Report) -> dict[str, str]:
        return letter.blocks(report)


class PageTemplate(_Templated):
    """The HTML of a mail, from a template or a function of a Report; the text of the template itself is HTML."""

    kind = "HTML"

    def _blocks(self, report: Report) -> dict[str, str]:
        return page.blocks(report)

    def _value(self, field: Callable[..., str], report: Report) -> str:
        return markup(super()._value(field, report))


def failure(kind: str, error: BaseException) -> str:
    """What the reader is told when a template ("text" or "HTML") could not be used."""
    try:
        words = one_line(str(error), WORDS)
    except Exception:  # it is somebody else's error, too
        words = ""
    return f"the {kind} template raised {type(error).__name__}{words and f' ({words})'}: the default is used"


def _checked(source: str, kind: str) -> Template:
    from string import Template

    template = Template(source)
    if not source.strip():
        raise ValueError(f"{kind} template: it is empty; leave it out for the default")
    if not template.is_valid():
        raise ValueError(f"{kind} template: a lone $ in it; a dollar is written $$, a field $name or ${{name}}")
    known = {*FIELDS, *BLOCKS}
    for name in template.get_identifiers():
        if name not in known:
            raise ValueError(f"{kind} template: ${name} is no field; there are {' '.join(sorted(known))}")
    return template
