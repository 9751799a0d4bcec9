"""Message -> message. Who sent it, and when, if it does not say so itself (RFC 3164 section 4.3).

As a relay would: a message without PRI is of user.notice, one without a time stamp gets one, one without a host its
sender's address. It then has a header that can be read, begins with `<`, and never looks like the continuation of
another sender's message. What says who it is from is not touched, whether that is true or not: nobody can know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .fields import parse
from .forms import PRIORITY

# RFC 3164 section 4.3.3: what a message without PRI gets, user.notice. What no priority can be (192 and more, or with
# zeros in front) is none, and with it in front a line would have no header, and could be taken for another's.
_USER = "<13>"
_PRI = f"<(?:{PRIORITY})>"
# The program's name in front of a message (RFC 3164 section 4.1.3): where the host should stand.
_TAG = r"[^ \n:\[]{1,128}+(?:\[[^ \n\]]{0,64}+\]:?+|:)(?=[ \n]|\Z)"
_STAMP = "[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]{8} "
_SAID = rf"{_PRI}(?:1 |{_STAMP}(?!{_TAG})|[0-9]{{4}}-)"
# Whoever says it, which is nearly everybody, costs 0.2 microseconds a line.
_ALL = re.compile(rf"(?:{_SAID}.*+\n)*+")
_ONE = re.compile(_SAID)
_HOSTLESS = re.compile(rf"({_PRI}|){_STAMP}(?={_TAG})")
_SPLIT = re.compile(rf"({_PRI}|)({_TAG}|)")


class Origin:
    """Where messages come from: `host` is an address or a name, `stamp` gives the time as RFC 3339 writes it."""

    def __init__(self, host: str, stamp: Callable[[], str]) -> None:
        self._host = host
        self._stamp = stamp

    def of(self, message: str) -> str:
        """One message that says where it is from; only its first line is looked at."""
        if _ONE.match(message):
            return message
        if found := _HOSTLESS.match(message):
            return f"{found[0]}{self._host} {message[found.end() :]}"
        fields = parse(message.partition("\n")[0])
        if fields.program or fields.host:
            return message
        found = _SPLIT.match(message)
        assert found is not None, "every part of the pattern is optional"
        # With a tag, as RFC 3164 has it; without one, in the format that can say that there is none.
        form = "{} {} " if found[2] else "1 {} {} - - - - "
        return (found[1] or _USER) + form.format(self._stamp(), self._host) + message[found.end(1) :]

    def of_all(self, text: str) -> str:
        """The same for the messages of one chunk of a connection, each a line; empty ones are none.

        A line that begins with a space or tab goes on with the line before it, and is left alone behind one.
        """
        end = _ALL.match(text).end()  # type: ignore[union-attr]  # it matches, if only nothing
        return text if end == len(text) else text[:end] + "".join(self._told(text[end:], bool(end)))

    def _told(self, text: str, behind: bool) -> Iterator[str]:
        for line in text.split("\n")[:-1]:
            if line:
                yield (line if behind and line[0] in " \t" else self.of(line)) + "\n"
                behind = True
