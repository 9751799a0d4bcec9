"""Burst -> identity. What makes a Message-ID that no other mail has, and every copy of this one."""

from __future__ import annotations

from ..model import Burst


def identity_of(burst: Burst) -> str:
    """The place of its first line in the stream, as 128 bits in hexadecimal.

    Never its text or its time: the same line every minute is not one event, and a second copy of a mail must be known
    by its Message-ID. Only a burst that no driver has numbered has nothing else to be told apart by.
    """
    from hashlib import sha256

    place: list[object] = [burst.epoch, burst.key, burst.seq, burst.gone, bool(burst.parts)]
    # Lines of one read are counted per key: two digests may begin with the same read, and then with other keys of it.
    place += [key for key, _ in burst.parts[:1]]
    # The same line may come by several routes: a mail of each.
    place += [["route", burst.route]] if burst.route else []
    if not burst.epoch:
        place += [burst.first, burst.closed, burst.count, burst.head, burst.tail]
    return sha256(ascii(place).encode()).hexdigest()[:32]
