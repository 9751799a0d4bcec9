"""Words that say what a message is about, and words that announce a name. English, as log messages are.

No list can know all of them: contrast.py and reasons.py go by the forms of words as well.
"""

from __future__ import annotations

# States, outcomes, deeds and their opposites; they tell also as a part of another word (LINK_UP, hot-plug).
_STATES = """
    up down on off yes no not none never without true false null nil ok okay good bad open close shut start stop
    begin finish done halt pause resume suspend hang freeze boot reboot restart reload reset shutdown poweroff
    startup idle busy ready wait alive dead live die died kill crash crashes panic oops abort quit exit fail fails
    failure failures fault faults faulty success successful successfully succeed succeeds pass passes error errors
    err warn warning warnings critical emergency fatal normal abnormal abnormally clean dirty healthy unhealthy
    broken corrupt lost found missing present absent gone old new valid invalid legal illegal known unknown wrong
    correct incorrect accept accepts reject rejects deny denies allow allows permit permits refuse refuses drop
    drops grant grants revoke forbid block blocks ban unban trust enable disable online offline active inactive
    passive standby connect disconnect reconnect attach detach mount unmount umount remount bind unbind load unload
    plug unplug insert eject install uninstall upgrade downgrade add remove delete create destroy set unset clear
    read write send sent receive recv login logout logon logoff signin signout join leave enter lock unlock acquire
    release alloc free allocate deallocate commit rollback encrypt decrypt match mismatch hit miss timeout timeouts
    expire stale stable unstable safe unsafe secure insecure available unavailable unable cannot can't isn't aren't
    wasn't won't hasn't didn't doesn't exception full empty complete incomplete optimal raise fall rise grow shrink
    ack nak nack syn fin rst reply degraded get put post head patch
"""
# Sorts, sides and places: they tell when they stand alone, but are parts of many names (root_local, backup-server).
_SORTS = """
    in out in-use init well alert notice info debug severe emerg crit left right primary secondary master slave
    leader follower candidate update make options push pull import export upload download rx tx src dst input output
    ingress egress inbound outbound upstream downstream local remote internal external source dest destination from
    to before after above below over under more less many few high low higher lower highest lowest hot cold warm
    cool max min maximum minimum first last end increase decrease half total all any some undo redo sync async
    verify sign retry retries again late early slow fast soft hard temporary permanent transient fixed hello bye
    welcome goodbye client server request response query answer public private possible impossible able can will
    must is are was were has had have does did parent child user group system kernel physical logical data
    instruction hardware software memory cpu disk network permission password publickey keyboard file directory
    address spare partially green yellow red orange ro rw writable tcp udp icmp
"""
# Fields whose values say what happened: status=sent, msg="slow query". Those of others are names or measures.
_FIELDS = """
    msg message event error err reason cause status state result outcome level severity lvl exception text
    description desc detail details title summary what answer reply verdict health code action op cmd command method
    phase stage mode kind type
"""
# What announces somebody; and somebody, or something, or nothing at all.
_PERSONS = "user username account ruser login"
_THINGS = """
    for by from on of via to host hostname node device dev disk drive interface iface domain file directory module
    process program service unit job task session name server client peer group container image volume partition
    table database queue channel bus vlan bridge filesystem driver pool zone comm
"""

TELLING_PARTS = frozenset(_STATES.split())
TELLING = frozenset(_SORTS.split())
SAYING = frozenset(_FIELDS.split())
PERSONS = frozenset(_PERSONS.split())
THINGS = frozenset(_THINGS.split())
ANNOUNCING = PERSONS | THINGS
# Before a value: "Account Name: anna".
LABELS = ANNOUNCING | {"id"}
