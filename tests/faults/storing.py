"""A life of a FileStore, operation by operation, in a process that can be killed; and what each leaves in the store.

    python storing.py DIR        says `done N` after each operation that returned

The oracle is MemoryStore: the same operations, and nothing can go wrong. After a StoreError the life goes on as a
pipeline does it: open again, and the operation that failed is in the store wholly or not at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from burstmail import Change, Entry, FileStore, MemoryStore, Saved, Store, StoreError

# More pages than one, so that half of an entry is something.
LONG = "0123456789abcdef" * 1500 + "\n"
KEYS = ("mail/1", "mail/2", "mail/3", "dead/1")
# A fault that has passed must be over after so many attempts: SQLite itself has none to spare.
PATIENCE = 4

Operation = Callable[[Store], object]


def lines(id: int, text: str) -> Entry:
    return Entry(id=id, now=float(id), wall=1000.0 + id, count=text.count("\n"), text=text)


def staged(text: str) -> Entry:
    return replace(lines(7, text), id=0, now=0.0)


OPERATIONS: Sequence[Operation] = (
    lambda store: store.append(lines(1, "one\n")),
    lambda store: store.append(lines(2, "two\n" + LONG), sync=True),
    lambda store: store.commit(Change(state=["s", 1, LONG], position=1, outbox={"mail/1": ["m", 1, LONG]})),
    lambda store: store.append(lines(3, "three\n")),
    lambda store: store.sync(),
    lambda store: store.commit(Change(outbox={"mail/1": None, "mail/2": ["m", 2]}, dead={"dead/1": ["d", LONG]})),
    lambda store: store.stage(staged("staged\n"), sync=True),
    lambda store: store.stage(staged("staged " + LONG)),
    lambda store: store.adopt(3, 20.0, 1020.0),
    lambda store: store.commit(Change(state=["s", 2], position=4), sync=False),
    lambda store: store.append(lines(6, LONG * 4)),
    lambda store: store.stage(staged("left\n")),
    lambda store: store.commit(
        Change(state=["s", 3, LONG * 3], position=6, outbox={"mail/3": ["m", 3]}, dead={"dead/1": None}, whole=True)
    ),
    lambda store: store.append(lines(7, "seven\n"), sync=True),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds, as far as it must be the same."""

    saved: Saved
    dead: Sequence[object]
    staged: int

    @classmethod
    def of(cls, store: FileStore | MemoryStore) -> Contents | None:
        """None when somebody else has the store."""
        saved = store.open()
        if saved is None:
            return None
        # Tuple or list, dict or mapping: the protocol leaves it open.
        plain = replace(saved, epoch="", troubles=(), journal=list(saved.journal), outbox=dict(saved.outbox))
        staged = len(store._staged) if isinstance(store, MemoryStore) else store.listing().staged
        return cls(plain, [store.dead(key) for key in KEYS], staged)


def expected() -> list[Contents]:
    """The contents before the first operation, after it, and so on."""
    store = MemoryStore()
    found = []
    for operation in (lambda store: None, *OPERATIONS):
        operation(store)
        copy = deepcopy(store)
        contents = Contents.of(copy)
        assert contents
        found.append(contents)
    return found


def main(directory: str) -> None:
    store = FileStore(directory)
    opened(store)
    say("open")
    wanted = expected()
    for number, operation in enumerate(OPERATIONS, 1):
        try:
            operation(store)
        except StoreError as error:
            say(f"failed {number}: {error}")
            again(store, operation, opened(store), wanted[number - 1 : number + 1])
        say(f"done {number}")
    store.close()
    say("end")


def opened(store: FileStore) -> Contents:
    """Open it, again and again for a while."""
    for _ in range(PATIENCE):
        try:
            contents = Contents.of(store)
        except StoreError as error:
            say(f"no store: {error}")
            continue
        if contents is None:
            sys.exit("somebody has the lock")
        return contents
    store.close()
    say("gave up")
    sys.exit(3)


def again(store: FileStore, operation: Operation, found: Contents, allowed: Sequence[Contents]) -> None:
    """An operation failed: all of it is in the store, or nothing, and then it is tried again."""
    if found not in allowed:
        sys.exit(f"neither before nor after: {found}")
    if found == allowed[1] and allowed[0] != allowed[1]:
        return
    try:
        operation(store)
    except StoreError as error:
        say(f"failed again: {error}")
        store.close()
        sys.exit(3)


def say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
