"""FileStore: what MemoryStore does, across processes, kills and forks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Aggregator, Batch, Caps, Change, Entry, FileStore, MemoryStore, Saved, Store, StoreError, chain
from burstmail.stores import DELETE, FLUSH, LINES, RETRY
from burstmail.stores import sqlite as module
from burstmail.stores.rows import CORE, POSITION, TROUBLES
from burstmail.stores.tables import put, transaction

TEXT = "one\ntwo \u00e4\U0001f600\0\x1b\n"


def opened(store: Store) -> Saved:
    saved = store.open()
    assert saved
    return saved


def again(store: FileStore, place: Path) -> Saved:
    """What another process would find after this one was killed."""
    copy = place.parent / "copy"
    subprocess.run(["rm", "-rf", copy], check=True)
    subprocess.run(["cp", "-a", place, copy], check=True)
    other = FileStore(copy)
    try:
        return opened(other)
    finally:
        other.close()


def entry(id: int, text: str = TEXT, **more: object) -> Entry:
    return Entry(id=id, now=id + 0.25, wall=1e9 + id, count=text.count("\n"), text=text, **more)  # type: ignore[arg-type]


def test_what_was_written_comes_back(store: FileStore, place: Path) -> None:
    epoch = opened(store).epoch
    entries = [entry(1), entry(2, kind=FLUSH), entry(7, "x" * 100_000 + "\n"), entry(8, place=("file:/a\n", [1, "x"]))]
    entries += [entry(9, place=("file:/a", [2]), source="/ä\n"), entry(10, source="a name")]
    for one in entries:
        store.append(one)
    store.commit(Change(state=["s", 1.5, None, "\ud800"], outbox={"a/1": ["m"], "b/2": [2]}, dead={"a/0": ["d"]}))
    found = again(store, place)
    assert (found.epoch, found.journal, found.last) == (epoch, entries, 10)
    assert found.state == ["s", 1.5, None, "\ud800"]
    assert list(found.outbox.items()) == [("a/1", ["m"]), ("b/2", [2])]
    assert store.dead("a/0") == ["d"]
    assert store.dead("a/1") is None
    assert found.troubles == ()


def test_a_new_store_has_a_name_of_its_own(tmp_path: Path) -> None:
    stores = [FileStore(tmp_path / name) for name in "ab"]
    epochs = {opened(store).epoch for store in stores}
    assert len(epochs) == 2
    assert all(len(bytes.fromhex(epoch)) == 16 for epoch in epochs)
    for store in stores:
        store.close()


KEYS = st.sampled_from(["a/1", "a/2", "b/1"])
VALUES = st.one_of(st.none(), st.lists(st.integers() | st.text(max_size=3), max_size=3))
PLACES = st.none() | st.tuples(st.text("a\n\ud800", max_size=3), VALUES)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.text("ab\n\u00e4", max_size=5), PLACES, st.booleans()),
        st.tuples(st.just("stage"), st.sampled_from([LINES, FLUSH, RETRY, DELETE]), PLACES, st.booleans()),
        st.tuples(
            st.just("commit"),
            st.builds(
                Change,
                state=VALUES,
                position=st.integers(0, 12),
                outbox=st.dictionaries(KEYS, VALUES, max_size=2),
                dead=st.dictionaries(KEYS, VALUES, max_size=2),
                whole=st.booleans(),
            ),
            st.booleans(),
        ),
        st.tuples(st.sampled_from(["adopt", "sync", "open"])),
    ),
    max_size=12,
)


@given(OPERATIONS)
def test_it_does_what_the_store_in_memory_does(
    tmp_path_factory: pytest.TempPathFactory, operations: list[object]
) -> None:
    file, memory = FileStore(tmp_path_factory.mktemp("store")), MemoryStore()
    try:
        wanted, found = (list(run(store, operations)) for store in (memory, file))
        assert found == wanted
    finally:
        file.close()


def run(store: Store, operations: list[object]) -> Iterator[object]:
    """What the operations answer; opened again in between, and at the end."""
    last = opened(store).last
    for operation in [*operations, ("open",)]:
        match operation:
            case ("append", text, place, sync):
                last += 1
                store.append(entry(last, text, place=place), sync=sync)
            case ("stage", kind, place, sync):
                told = place if kind == LINES else None
                store.stage(Entry(kind=kind, wall=50.0, count=1, text="staged\n", place=told), sync=sync)
            case ("commit", change, sync):
                store.commit(change, sync=sync)
                last = max(last, change.position)
            case ("adopt",):
                adopted = store.adopt(last, 100.0, 60.0)
                last = max([last, *(one.id for one in adopted)])
                yield list(adopted)
            case ("sync",):
                store.sync()
            case ("open",):
                if isinstance(store, MemoryStore):
                    store.close()
                saved = opened(store)
                dead = [store.dead(key) for key in ("a/1", "a/2", "b/1")]
                yield saved.state, list(saved.journal), saved.outbox, saved.last, list(saved.troubles), dead


def test_rows_that_change_keep_their_place(store: FileStore) -> None:
    opened(store)
    store.commit(Change(outbox={"a/1": [1], "a/2": [2], "a/3": [3]}))
    store.commit(Change(outbox={"a/1": ["tried"], "a/2": None}))
    assert list(opened(store).outbox.items()) == [("a/1", ["tried"]), ("a/3", [3])]


def test_the_oldest_dead_letters_go(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEAD", 3)
    opened(store)
    for number in range(5):
        store.commit(Change(dead={f"d/{number}": [number]}))
    assert [key for key, _ in store.listing().dead] == ["d/2", "d/3", "d/4"]


def test_only_one_has_it(store: FileStore, place: Path) -> None:
    other = FileStore(place)
    opened(store)
    assert other.open() is None
    with pytest.raises(StoreError, match="is not open"):
        other.append(entry(1))
    store.close()
    store.close()
    opened(other)
    assert store.open() is None
    other.close()


def test_after_an_error_the_lock_is_kept_and_the_store_opens_again(
    store: FileStore, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(store)
    store.append(entry(1))

    def failing(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", failing)
        with pytest.raises(StoreError, match=f"^cannot write to the store {place}: No space left on device$"):
            store.append(entry(2))
    with pytest.raises(StoreError, match="is not open"):
        store.append(entry(2))
    assert FileStore(place).open() is None
    assert opened(store).journal == [entry(1)]


def test_half_a_write_is_taken_back(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(store)
    writev, calls = os.writev, []

    def short(fd: int, data: list[bytes]) -> int:
        calls.append(fd)
        if len(calls) == 1:
            return writev(fd, [b"".join(data)[:70]])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", short)
        with pytest.raises(StoreError):
            store.append(entry(1))
    found = opened(store)
    assert (found.journal, found.troubles) == ([], ())


def test_a_short_write_that_goes_on_is_whole(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(store)
    writev = os.writev
    monkeypatch.setattr(os, "writev", lambda fd, data: writev(fd, [b"".join(data)[:7]]))
    store.append(entry(1))
    assert opened(store).journal == [entry(1)]


def test_a_little_of_the_disk_is_left_to_others(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(store)
    fstatvfs = os.fstatvfs

    def nearly_full(fd: int) -> os.statvfs_result:
        found = list(fstatvfs(fd))
        found[3] = found[4] = 256 * 1024 // found[1] + 1
        return os.statvfs_result(found)

    monkeypatch.setattr(os, "fstatvfs", nearly_full)
    store.append(entry(1))
    with pytest.raises(StoreError, match="No space left"):
        store.append(entry(2, "x" * 10_000 + "\n"))


def test_the_journal_is_emptied_by_what_replaces_it(store: FileStore, place: Path) -> None:
    opened(store)
    for round_ in range(3):
        for id in range(1, 11):
            store.append(entry(round_ * 10 + id, "x" * 1000 + "\n"))
        store.commit(Change(state=[round_], position=round_ * 10 + 10))
        assert (place / "store.journal").stat().st_size == 0
        assert again(store, place).journal == []
    # In a store that need not survive a power cut, a short journal is left as it is.
    store.append(entry(31))
    store.commit(Change(state=[4], position=31), sync=False)
    assert (place / "store.journal").stat().st_size
    assert again(store, place).journal == []
    store.append(entry(32))
    assert again(store, place).journal == [entry(32)]


def test_a_flood_leaves_small_files(store: FileStore, place: Path) -> None:
    opened(store)
    text = "x" * 99 + "\n"
    for id in range(1, 201):
        store.append(entry(id, text * 5000))
        if id % 10 == 0:
            store.commit(Change(state=["s" * 100_000], position=id, outbox={"a/1": ["m" * 100_000]}), sync=False)
    assert sum(path.stat().st_size for path in place.iterdir()) < 12 << 20


@pytest.mark.parametrize("sync", [False, True])
def test_what_must_reach_the_disk_does(store: FileStore, monkeypatch: pytest.MonkeyPatch, sync: bool) -> None:
    opened(store)
    synced: list[str] = []
    fdatasync = os.fdatasync
    monkeypatch.setattr(
        os, "fdatasync", lambda fd: (synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))), fdatasync(fd))
    )
    store.append(entry(1), sync=sync)
    assert synced == ["store.journal"] * sync
    synced.clear()
    # The database syncs its own commits; entries that the state does not have are synced with it.
    store.commit(Change(state=[1]), sync=sync)
    assert synced == ["store.journal"] * sync
    synced.clear()
    store.sync()
    assert synced == ["store.journal"] + ["store.db-wal"] * (not sync)
    synced.clear()
    store.commit(Change(state=[2], position=1, whole=True), sync=sync)
    # The journal may go only after the state that has it is on the disk.
    assert synced == ["store.db-wal"] * (not sync)


def test_a_failed_sync_closes_the_files(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(store)
    store.append(entry(1))

    def failing(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        with pytest.raises(StoreError, match="cannot sync"):
            store.sync()
    with pytest.raises(StoreError, match="is not open"):
        store.sync()
    assert opened(store).journal == [entry(1)]


def test_what_others_stage_is_adopted_once_and_in_order(store: FileStore, place: Path) -> None:
    opened(store)
    store.append(entry(5))
    other = FileStore(place)
    for number in range(3):
        other.stage(Entry(wall=50.0 + number, count=1, text=f"{number}\n"))
    other.stage(Entry(kind=RETRY, text="a/1"))
    other.stage(Entry(kind=FLUSH, wall=200.0), sync=True)
    other.close()
    adopted = store.adopt(5, 1000.0, 60.0)
    assert [(one.id, one.kind, one.now, one.text) for one in adopted] == [
        (6, LINES, 990.0, "0\n"),
        (7, LINES, 991.0, "1\n"),
        (8, LINES, 992.0, "2\n"),
        (0, RETRY, 0.0, "a/1"),
        (9, FLUSH, 1000.0, ""),
    ]
    assert store.adopt(9, 1000.0, 60.0) == []
    store.append(entry(10))
    assert [one.id for one in again(store, place).journal] == [5, 6, 7, 8, 9, 10]
    store.commit(Change(position=8))
    assert [one.id for one in again(store, place).journal] == [9, 10]


def test_a_flood_that_was_staged_is_adopted_in_portions(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ADOPTED", 250)
    opened(store)
    for number in range(7):
        store.stage(Entry(count=1, text=f"{number}" * 99 + "\n"))
    last, portions = 0, []
    while adopted := store.adopt(last, 1.0, 1.0):
        last = adopted[-1].id
        portions.append([one.text[0] for one in adopted])
    assert portions == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_staging_makes_the_store_if_nobody_has(place: Path, store: FileStore) -> None:
    other = FileStore(place)
    other.stage(Entry(count=1, text="early\n"))
    opened(store)
    # The file was not replaced: the connection of before goes on.
    other.stage(Entry(count=1, text="late\n"))
    assert [one.text for one in store.adopt(0, 1.0, 1.0)] == ["early\n", "late\n"]
    other.close()


def test_files_that_were_taken_away_are_noticed(store: FileStore, place: Path) -> None:
    for name in ("store.db", "store.journal", "lock"):
        opened(store)
        (place / name).unlink()
        with pytest.raises(StoreError, match="have been removed or replaced"):
            store.adopt(0, 1.0, 1.0)
    opened(store)
    store.append(entry(1))
    assert opened(store).journal == [entry(1)]


def test_the_listing_counts_what_is_in_no_mail_yet(store: FileStore, place: Path) -> None:
    path = chain(Aggregator(key="host"), Caps())
    for second, host in ((0.0, "web1"), (10.0, "web1"), (20.0, "web2")):
        path.feed(Batch.of(f"<3>Nov 23 03:12:04 {host} kernel: x"), second)
    # Of three lines one has left, one is held by the cool-down, and one is in an open window.
    assert path.held == 2
    opened(store)
    assert FileStore(place).listing().held == 0
    store.commit(Change(position=1, state=["flow", 1, path.dump()]))
    assert FileStore(place).listing().held == 2


def test_the_listing_says_what_has_been_asked_for(store: FileStore, place: Path) -> None:
    opened(store)
    other = FileStore(place)
    for kind in (RETRY, DELETE):
        other.stage(Entry(kind=kind, text=f"/{kind}"))
    assert other.listing().asked == ["/retry"]
    store.adopt(0, 0.0, 0.0)
    assert other.listing().asked == []


def test_the_listing_needs_no_lock_and_changes_nothing(store: FileStore, place: Path) -> None:
    other = FileStore(place)
    with pytest.raises(StoreError, match=f"there is no store in {place}"):
        other.listing()
    opened(store)
    store.append(entry(1))
    store.append(entry(2))
    store.commit(Change(position=1, outbox={"a/1": ["m"]}, dead={"a/0": ["d"]}))
    other.stage(Entry(count=3, text="x\ny\nz\n"))
    before = (place / "store.journal").read_bytes()
    found = other.listing()
    assert (list(found.waiting), list(found.dead)) == ([("a/1", ["m"])], [("a/0", ["d"])])
    assert (found.entries, found.lines, found.staged, found.damage) == (1, 5, 1, "")
    assert (place / "store.journal").read_bytes() == before
    store.append(entry(3))
    other.close()


def test_a_child_process_does_not_keep_the_lock(store: FileStore, place: Path) -> None:
    opened(store)
    reader, writer = os.pipe()
    # What a sink does: a child, which may outlive us.
    with subprocess.Popen(["sleep", "60"]) as execed:
        if not (forked := os.fork()):
            os.close(writer)
            store.close()
            os.read(reader, 1)
            os._exit(0)
        try:
            other = FileStore(place)
            assert other.open() is None, "a forked process has let go of our lock"
            store.append(entry(1))
            store.close()
            assert opened(other).journal == [entry(1)], "a child still has the lock"
            other.close()
        finally:
            os.close(writer)
            os.close(reader)
            os.waitpid(forked, 0)
            execed.kill()


def test_a_thread_may_open_and_another_write(store: FileStore) -> None:
    thread = threading.Thread(target=store.open)
    thread.start()
    thread.join()
    store.append(entry(1))
    store.commit(Change(state=[1]))


def test_a_store_nobody_holds_lets_go(place: Path, store: FileStore) -> None:
    forgotten = FileStore(place)
    opened(forgotten)
    del forgotten
    opened(store)


WORKER = """
import sys
from burstmail import Change, Entry, FileStore, StoreError
store, name = FileStore(sys.argv[1]), sys.argv[2]
saved = store.open()
last = saved.last if saved else 0
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    line = Entry(wall=1.0, count=1, text=f"{name} {number}\\n")
    if saved is None:
        saved = store.open()
        last = saved.last if saved else 0
    if saved is None:
        store.stage(line)
    else:
        for entry in store.adopt(last, 1.0, 1.0):
            last = entry.id
        last += 1
        store.append(Entry(id=last, wall=1.0, count=1, text=line.text))
    if number % 20 == 19 and saved is not None:
        store.close()
        saved = None
store.close()
"""


def test_processes_that_race_for_the_lock_lose_nothing_and_write_nothing_twice(place: Path, store: FileStore) -> None:
    names, count = ("a", "b", "c"), 200
    command = [sys.executable, "-c", WORKER, str(place)]
    processes = [subprocess.Popen([*command, name, str(count)], stdout=subprocess.PIPE) for name in names]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    saved = opened(store)
    rest = store.adopt(saved.last, 1.0, 1.0)
    texts = [one.text for one in (*saved.journal, *rest)]
    assert sorted(texts) == sorted(f"{name} {number}\n" for name in names for number in range(count))
    assert len({one.id for one in (*saved.journal, *rest)}) == len(texts)


VICTIM = """
import sys
from burstmail import Change, Entry, FileStore
store = FileStore(sys.argv[1])
id = store.open().last
while True:
    id += 1
    store.append(Entry(id=id, count=1, text=f"{id} {'x' * (id * 7919 % 30000)}\\n"))
    print("in", id, flush=True)
    if id % 5 == 0:
        store.commit(Change(state=[id], position=id, outbox={f"m/{id}": [id], f"m/{id - 25}": None}), sync=id % 10 == 0)
        print("out", id, flush=True)
"""


@pytest.mark.parametrize("seed", range(12))
def test_killed_at_any_moment_it_has_all_that_was_written(place: Path, store: FileStore, seed: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", VICTIM, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said: list[tuple[str, int]] = []
    for line in process.stdout:
        said.append((line.split()[0], int(line.split()[1])))
        if len(said) >= 20 + seed * 13:
            break
    process.send_signal(signal.SIGKILL)
    said += [(line.split()[0], int(line.split()[1])) for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    saved = opened(store)
    last = max(id for kind, id in said if kind == "in")
    done = max(id for kind, id in said if kind == "out")
    # One more of each may be there, which was not told any more.
    assert saved.last in (last, last + 1)
    state = saved.state[0]
    assert state in (done, done + 5)
    assert [one.id for one in saved.journal] == list(range(state + 1, saved.last + 1))
    assert [row[0] for row in saved.outbox.values()] == list(range(max(5, state - 20), state + 1, 5))


@pytest.mark.parametrize(
    ("key", "value"),
    [(POSITION, [1, 2]), (POSITION, "x"), (POSITION, [None] * 3), (POSITION, None), (TROUBLES, 5), (TROUBLES, [5])],
)
def test_what_another_version_has_written_is_no_error(tmp_path: Path, key: str, value: object) -> None:
    store = FileStore(tmp_path / "store")
    store.open()
    store.append(Entry(id=1, now=1.0, wall=1.0, count=1, text="a\n"))
    store.commit(Change(state=["s"], position=0))
    assert store._db is not None
    with transaction(store._db):
        put(store._db, "core", CORE.index(key), key, value)
    store.close()
    saved = store.open()
    assert saved is not None
    assert (saved.state, [entry.text for entry in saved.journal]) == (["s"], ["a\n"])
    assert store.listing().lines == 1
    store.close()
