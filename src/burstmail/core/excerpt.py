"""Lines -> Excerpt. The first and last lines kept as one text with a gap in it, all counted.

What is shown, head and tail, is derived from what is kept. Folding two excerpts equals keeping their concatenation, so
nothing depends on where a cap or a batch happened to cut. Limits: those of Keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from .keep import Keep, ending, first_lines, last_lines, opening
from .packed import packed, unpacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """What is kept of some lines, and the count of all."""

    keep: Keep
    front: str
    """The first lines, each ended by a newline."""
    back: str
    """The last lines, behind the gap if there is one."""
    missing: int
    """Lines in the gap between front and back."""
    count: int
    """All lines."""
    size: int
    """Bytes of all lines in UTF-8, newlines included."""

    @classmethod
    def of(
        cls, first: Iterable[str], last: Iterable[str] = (), *, count: int | None = None, keep: Keep | None = None
    ) -> Excerpt:
        r"""An excerpt with these lines, without newlines in them; `count` of all, of which the rest is missing between.

        With no `count` nothing is missing. `size` is that of these lines. What is no character is escaped, as a batch
        does it: \udc80.
        """
        fronts, backs = list(first), list(last)
        texts = ("".join(f"{line}\n" for line in lines) for lines in (fronts, backs))
        front, back = (text.encode("utf-8", "backslashreplace").decode() for text in texts)
        known = len(fronts) + len(backs)
        count = known if count is None else count
        size = len(front.encode()) + len(back.encode())
        return cls(keep=keep or Keep(), front=front, back=back, missing=count - known, count=count, size=size)

    @property
    def head(self) -> tuple[str, ...]:
        """The first lines, as many as are shown."""
        end = opening(self.front, self.keep.head_bytes) if self.keep.head else 0
        return tuple(first_lines(self.front[:end], self.keep.head))

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, as many as are shown, none of which is in the head."""
        if not self.keep.tail:
            return ()
        text = self.back
        if not self.missing:
            text = self.front[sum(map(len, self.head)) + len(self.head) :] + text
        return tuple(last_lines(text[ending(text, self.keep.tail_bytes) :], self.keep.tail))

    @property
    def elided(self) -> int:
        """Lines between head and tail that are not shown."""
        return self.count - len(self.head) - len(self.tail)

    def log(self) -> tuple[str, int, str]:
        """All lines that are kept: text before the gap, how many lines are missing there, text after it."""
        return (self.front, self.missing, self.back) if self.missing else (self.front + self.back, 0, "")

    @property
    def whole(self) -> str:
        """All lines, if nothing is missing and nothing stands behind; else ''."""
        return "" if self.missing or self.back else self.front

    def join(self, other: Excerpt) -> Excerpt:
        """The excerpt of both, one after the other, under this one's Keep."""
        first, gap, rest = self.log()
        second, hole, last = other.log()
        if not gap:
            # Only what stands before the first gap can become front, and only what stands after the last one back.
            first += second
            end = opening(first, self.keep.front_bytes)
            front, rest = first[:end], first[end:]
        else:
            front, rest = first, rest + second
        if hole:
            rest = last
        rest = rest[ending(rest, self.keep.back_bytes) :]
        return self._with(front, rest, self.count + other.count, self.size + other.size)

    def _with(self, front: str, back: str, count: int, size: int) -> Excerpt:
        missing = count - front.count("\n") - back.count("\n")
        return replace(self, front=front, back=back, missing=missing, count=count, size=size)

    def mapped(self, function: Callable[[str], str]) -> Excerpt:
        """With `function(line)` for each line that is kept: one line, without a newline. The counts stay."""
        front, back = (
            "".join(f"{function(line)}\n" for line in text.split("\n")[:-1]) for text in (self.front, self.back)
        )
        return replace(self, front=front, back=back)

    def slim(self) -> Excerpt:
        """With no more than what is shown."""
        head, tail = self.head, self.tail
        if len(head) + len(tail) == self.count:
            return self
        front, back = ("".join(f"{line}\n" for line in lines) for lines in (head, tail))
        return self._with(front, back, self.count, self.size)

    def dump(self) -> list[Any]:
        """As JSON can carry it."""
        keep = [self.keep.head, self.keep.tail, self.keep.bytes, self.keep.log]
        return [keep, packed(self.front), packed(self.back), self.missing, self.count, self.size]

    @classmethod
    def restored(cls, state: list[Any]) -> Excerpt:
        """The dumped excerpt; also one that was dumped before there was a log, when it had the lines it showed."""
        if len(state) == 7:
            *old, first, last, count, size = state
            front, back = ("".join(f"{line}\n" for line in lines) for lines in (first, last))
            state = [[*old, Keep().log], front, back, count - len(first) - len(last), count, size]
        (head, tail, room, log), front, back, missing, count, size = state
        keep = Keep(head=head, tail=tail, bytes=room, log=log)
        front, back = unpacked(front), unpacked(back)
        return cls(keep=keep, front=front, back=back, missing=missing, count=count, size=size)
