"""Line -> whether it passes."""

from __future__ import annotations

from .lines import Lines, Selection


class Filter:
    """Decides lines."""

    def __call__(self, line: str) -> bool:
        """One line, without its newline."""
        raise NotImplementedError

    def lines(self, view: Lines) -> Selection:
        """All records of a batch."""
        return frozenset(n for n, record in enumerate(view.records) if self(record[:-1]))
