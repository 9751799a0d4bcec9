"""Word -> bool. Words that tell what happened, as against names of whom it happened to.

Two lines that differ in such a word mean different things ("link up", "link down"), and are never one pattern. A list
cannot know all; the endings of English participles find most of the rest, at the price of a user called mohammed.
"""

from __future__ import annotations

import re
from functools import lru_cache

# States, outcomes, deeds and their opposites; they tell also as a part of another word (LINK_UP, hot-plug).
_STATES = """
    up down on off yes no not none never without true false null nil ok okay good bad open close shut start stop begin
    finish done halt pause resume suspend hang freeze boot reboot restart reload reset shutdown poweroff startup idle
    busy ready wait alive dead live die died kill crash crashes panic oops abort quit exit fail fails failure failures
    fault faults faulty success successful successfully succeed succeeds pass passes error errors err warn warning
    warnings critical emergency fatal normal abnormal abnormally clean dirty healthy unhealthy broken corrupt lost found
    missing present absent gone old new valid invalid legal illegal known unknown wrong correct incorrect accept accepts
    reject rejects deny denies allow allows permit permits refuse refuses drop drops grant grants revoke forbid block
    blocks ban unban trust enable disable online offline active inactive passive standby connect disconnect reconnect
    attach detach mount unmount umount remount bind unbind load unload plug unplug insert eject install uninstall
    upgrade downgrade add remove delete create destroy set unset clear read write send sent receive recv login logout
    logon logoff signin signout join leave enter lock unlock acquire release alloc free allocate deallocate commit
    rollback encrypt decrypt match mismatch hit miss timeout timeouts expire stale stable unstable safe unsafe secure
    insecure available unavailable unable cannot can't isn't aren't wasn't won't hasn't didn't doesn't exception full
    empty complete incomplete optimal lose win won raise fall rise grow shrink ack nak nack syn fin rst reply degraded
    get put post head patch
"""
# Sorts, sides and places: they tell when they stand alone, but are parts of many names (root_local, backup-server).
_SORTS = """
    in out in-use init well alert notice info debug severe emerg crit left right primary secondary master slave leader
    follower candidate update make options push pull import export upload download rx tx src dst
    input output ingress egress inbound outbound upstream downstream local remote internal external source dest
    destination from to before after above below over under more less many few high low higher lower highest lowest hot
    cold warm cool max min maximum minimum first last end increase decrease half total all any some undo redo sync async
    verify sign retry retries again late early slow fast soft hard temporary permanent transient fixed hello bye welcome
    goodbye client server request response query answer public private possible impossible able can will must is are was
    were has had have does did parent child user group system kernel physical logical data instruction hardware software
    memory cpu disk network permission password publickey keyboard file directory address spare partially green yellow
    red orange ro rw writable tcp udp icmp
"""
_TELLING_PARTS = frozenset(_STATES.split())
_TELLING = frozenset(_SORTS.split())

# Whose values say what happened: status=sent, msg="slow query". Values of others are names or measures.
_FIELDS = """
    msg message event error err reason cause status state result outcome level severity lvl exception text description
    desc detail details title summary what answer reply verdict health code action op
"""
SAYING = frozenset(_FIELDS.split())

# "failed", "rejected", "starting", "reachable": shorter ones are names as easily (fred, ahmed).
_ENDING = re.compile("[a-z]{4,}(?:ed|ing|able|ible|less|ful|fully|ation|ction|ment|ness|ure|ally)")
# As the ending of a part: TaskStarted, but NavigationBar.
_PART_ENDING = re.compile("[a-z]{4,}(?:ed|able|ible|less)|[A-Z][a-z]{3,}ing|[A-Z]{4,}(?:ED|ING|ABLE|IBLE|LESS)")
_PARTS = re.compile("[A-Z]?[a-z']+|[A-Z]+(?![a-z])")


@lru_cache(maxsize=8192)
def telling(word: str) -> bool:
    """Whether the word, or a part of it (`LINK_UP`, `isReady`), may tell what happened."""
    plain = word.lower()
    return plain in _TELLING or _state(plain) or partly_telling(word)


def partly_telling(word: str, *, endings: bool = True) -> bool:
    """Whether a part of it may tell what happened."""
    return any(
        part.lower() in _TELLING_PARTS or (endings and len(part) > 5 and _PART_ENDING.search(part) is not None)
        for part in _PARTS.findall(word)
    )


def saying(text: str) -> bool:
    """Whether a word of the text may tell what happened."""
    return any(_state(word.lower()) or partly_telling(word) for word in text.split())


def stated(word: str) -> bool:
    """Whether the word is known to tell even as a part; an ending is not enough."""
    return word.lower() in _TELLING_PARTS


def _state(word: str) -> bool:
    return word in _TELLING_PARTS or _ENDING.fullmatch(word) is not None
