"""Damaged files: it always opens, what is not damaged is there, and what is lost is told."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from burstmail import Change, Entry, FileStore, Saved
from burstmail.stores.journal import MARK
from burstmail.stores.pages import PAGE

MAILS = {f"m/{number}": [number, "z" * 3000] for number in range(8)}
# Of two lines each; the first four are in the state.
ENTRIES = [
    Entry(id=id, count=2, now=float(id), wall=1e9, text=f"line {id}\nother {'x' * 300} {id}\n") for id in range(1, 11)
]
ALL = [entry.id for entry in ENTRIES[4:]]

Damage = Callable[[Path], object]


@dataclass(frozen=True)
class Found:
    """What a damaged store still has."""

    saved: Saved
    staged: int
    words: str

    @property
    def ids(self) -> list[int]:
        return [entry.id for entry in self.saved.journal]

    @property
    def mails(self) -> int:
        """How many of the waiting mails; none is another than it was."""
        assert all(MAILS[key] == row for key, row in self.saved.outbox.items())
        return len(self.saved.outbox)


class Patients:
    """Two stores: one that was closed, and one whose process was killed, so that most is in the database's log."""

    def __init__(self, place: Path) -> None:
        self.place = place
        store = FileStore(place / "closed")
        assert store.open()
        store.commit(Change(state=["early"]))
        for entry in ENTRIES:
            store.append(entry)
        store.commit(Change(state=["s", "y" * 6000], position=4, outbox=MAILS, dead={"d/1": ["d" * 500]}))
        for number in range(3):
            store.stage(Entry(count=1, wall=1e9, text=f"staged {number}\n"))
        shutil.copytree(place / "closed", place / "killed")
        store.close()

    def after(self, which: str, name: str, damage: Damage) -> Found:
        """Damage a copy, open it, use it, and open it again."""
        copy = self.place / "patient"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.place / which, copy)
        damage(copy / name)
        store = FileStore(copy)
        try:
            saved = store.open()
            assert saved
            found = Found(saved, len(store.adopt(100, 1.0, 1.0)), " ".join(saved.troubles))
            store.append(Entry(id=2000, count=1, text="later\n"))
            store.commit(Change(state=["later"], position=2000))
            store.append(Entry(id=2001, count=1, text="last\n"))
            again = store.open()
        finally:
            store.close()
        assert again
        assert (again.state, [entry.id for entry in again.journal], list(again.troubles)) == (["later"], [2001], [])
        return found

    def places(self, which: str, name: str, step: int, config: pytest.Config) -> range:
        """Offsets into a file, fewer on an ordinary day."""
        return range(0, (self.place / which / name).stat().st_size, step if config.getoption("--full") else step * 23)


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patients]:
    yield Patients(tmp_path_factory.mktemp("patients"))


def cut(at: int) -> Damage:
    return lambda path: os.truncate(path, at)


def flip(at: int, bit: int) -> Damage:
    def flipped(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[at] ^= 1 << bit
        path.write_bytes(data)

    return flipped


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(50_000))


def nothing(path: Path) -> None:
    pass


@pytest.mark.parametrize("which", ["closed", "killed"])
def test_undamaged_it_has_everything(patients: Patients, which: str) -> None:
    found = patients.after(which, "store.db", nothing)
    assert (found.ids, found.mails, found.staged, found.words) == (ALL, 8, 3, "")
    assert found.saved.state == ["s", "y" * 6000]


def test_a_database_cut_off_anywhere_costs_nothing_of_the_journal(
    patients: Patients, pytestconfig: pytest.Config
) -> None:
    some, before = 0, 0
    for at in patients.places("closed", "store.db", 64, pytestconfig):
        found = patients.after("closed", "store.db", cut(at))
        assert set(ALL) <= set(found.ids), at
        assert "was damaged" in found.words, at
        assert found.mails >= before, "less is lost the later it is cut"
        before = found.mails
        some += found.mails > 0
    assert some


@pytest.mark.parametrize("which", ["closed", "killed"])
def test_a_flipped_bit_in_the_database_costs_a_page_at_most(
    patients: Patients, pytestconfig: pytest.Config, which: str
) -> None:
    dice, told = random.Random(which), 0
    for at in patients.places(which, "store.db", 41, pytestconfig):
        found = patients.after(which, "store.db", flip(at, dice.randrange(8)))
        lost = (8 - found.mails) + (3 - found.staged) + (found.saved.state != ["s", "y" * 6000])
        # All mails begin in one page, and a bit of the page itself can cost all of them; nothing else goes with them.
        assert lost <= 8, at
        assert set(ALL) <= set(found.ids), at
        assert found.words or not lost, at
        told += bool(found.words)
    assert told or which == "killed"


def test_a_flipped_bit_in_the_log_costs_a_page_at_most(patients: Patients, pytestconfig: pytest.Config) -> None:
    dice = random.Random(3)
    # The last one alone looks like what a process wrote that was killed before it was done.
    last = (patients.place / "killed" / "store.db-wal").stat().st_size - PAGE - 24
    for at in patients.places("killed", "store.db-wal", 53, pytestconfig):
        found = patients.after("killed", "store.db-wal", flip(at, dice.randrange(8)))
        lost = (8 - found.mails) + (3 - found.staged) + (found.saved.state != ["s", "y" * 6000])
        # All mails begin in one page, and a bit of the page itself can cost all of them; nothing else goes with them.
        assert lost <= 8, at
        # Without its position, the journal is read from its beginning: better twice than not at all.
        assert found.ids == ALL or (found.words and set(ALL) < set(found.ids)), at
        assert found.words or not lost or at >= last, at


def test_a_log_cut_off_anywhere_is_a_store_of_earlier(patients: Patients, pytestconfig: pytest.Config) -> None:
    states = []
    for at in patients.places("killed", "store.db-wal", 64, pytestconfig):
        found = patients.after("killed", "store.db-wal", cut(at))
        assert set(ALL) <= set(found.ids), at
        assert found.mails in (0, 8), "half a transaction"
        states.append(found.mails)
    assert states == sorted(states)


@pytest.mark.parametrize("which", ["closed", "killed"])
def test_a_journal_cut_off_anywhere_keeps_what_is_before(
    patients: Patients, pytestconfig: pytest.Config, which: str
) -> None:
    data = (patients.place / which / "store.journal").read_bytes()
    ends = [at for at in range(len(data)) if data[at:].startswith(MARK)]
    for at in patients.places(which, "store.journal", 7, pytestconfig):
        found = patients.after(which, "store.journal", cut(at))
        assert found.ids == ALL[: len(found.ids)], at
        assert (found.mails, found.staged) == (8, 3)
        # Cut between two entries, it is a journal like any other: nothing shows that there was more.
        assert "was cut off" in found.words or at in ends, at


@pytest.mark.parametrize("which", ["closed", "killed"])
def test_a_flipped_bit_in_the_journal_costs_an_entry_at_most(
    patients: Patients, pytestconfig: pytest.Config, which: str
) -> None:
    dice, told = random.Random(which), 0
    for at in patients.places(which, "store.journal", 3, pytestconfig):
        found = patients.after(which, "store.journal", flip(at, dice.randrange(8)))
        lost = set(ALL) - set(found.ids)
        assert len(lost) <= 1, at
        if lost:
            assert "with 2 lines, could not be read" in found.words or "2 lines, was cut off" in found.words, at
            told += 1
        assert all(entry in ENTRIES for entry in found.saved.journal), at
    assert told


@pytest.mark.parametrize("which", ["closed", "killed"])
@pytest.mark.parametrize("name", ["store.db", "store.db-wal", "store.db-shm", "store.journal"])
@pytest.mark.parametrize("damage", ["garbage", "empty", "directory", "missing"])
def test_whatever_is_in_a_files_place_it_opens(patients: Patients, which: str, name: str, damage: str) -> None:
    def directory(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.mkdir()
        (path / "something").touch()

    kinds: dict[str, Damage] = {
        "garbage": garbage,
        "empty": lambda path: path.write_bytes(b""),
        "directory": directory,
        "missing": lambda path: path.unlink(missing_ok=True),
    }
    found = patients.after(which, name, kinds[damage])
    assert name == "store.journal" or set(ALL) <= set(found.ids)
    assert name != "store.journal" or (found.mails, found.staged) == (8, 3)
    if damage == "directory":
        assert found.words


def test_a_message_that_quotes_the_damage_is_no_error_of_its_own(patients: Patients) -> None:
    data = (patients.place / "closed" / "store.db").read_bytes()
    # SQLite says which table's definition is malformed, in bytes that are no text.
    found = patients.after("closed", "store.db", flip(data.index(b"outboxoutbox") + 1, 7))
    assert (found.mails, found.ids, found.staged) == (8, ALL, 3)
    assert "was damaged" in found.words


def test_a_table_that_is_another_than_it_was_is_noticed(patients: Patients) -> None:
    data = (patients.place / "closed" / "store.db").read_bytes()
    # "INTEGES PRIMARY KEY" is no error to SQLite, but then no row has a number.
    found = patients.after("closed", "store.db", flip(data.index(b"outbox(id INTEGER") + 16, 0))
    assert (found.mails, found.ids, found.staged) == (8, ALL, 3)
    assert "was damaged" in found.words


def test_a_damaged_log_is_kept_with_its_database(patients: Patients) -> None:
    patients.after("killed", "store.db-wal", flip(32 + 24 + 100, 0))
    log = (patients.place / "killed" / "store.db-wal").stat().st_size
    assert (patients.place / "patient" / "store.db.damaged-1-wal").stat().st_size == log


def test_who_only_stages_follows_a_file_that_was_replaced(patients: Patients) -> None:
    holder, other = FileStore(patients.place / "followed"), FileStore(patients.place / "followed")
    assert holder.open()
    other.stage(Entry(count=1, text="early\n"))
    holder._suspicion = "it looks odd"
    assert holder.open()
    other.stage(Entry(count=1, text="late\n"))
    assert [entry.text for entry in holder.adopt(0, 1.0, 1.0)] == ["early\n", "late\n"]
    for store in (holder, other):
        store.close()


def test_the_words_say_what_is_lost(patients: Patients) -> None:
    found = patients.after("closed", "store.db", cut(30_000))
    assert " was damaged (" in found.words
    assert " and is kept as " in found.words
    assert "store.db.damaged-1; of what was in it, this could not be read: " in found.words
    assert "waiting mails" in found.words
    found = patients.after("closed", "store.db", garbage)
    assert "an unknown number of waiting mails" in found.words
    assert "the state of open windows and caps" in found.words


def test_damage_met_while_it_is_open_is_mended_at_the_next(patients: Patients) -> None:
    """SQLite finds what is wrong with a page when it reads it; then it is no use to go on with the file."""
    store = FileStore(patients.place / "live")
    saved = store.open()
    assert saved
    store.append(ENTRIES[0])
    store._suspicion = "database disk image is malformed"
    found = store.open()
    assert found
    assert found.journal == [ENTRIES[0]]
    assert "malformed" in found.troubles[0]
    assert "all that was in it could be read" in found.troubles[0]
    # Numbers that are lost may have been used: they are not used again under the same name.
    assert found.epoch != saved.epoch
    # Told until somebody has taken it over.
    assert (store.open() or saved).troubles
    store.commit(Change(state=[1]))
    again = store.open()
    assert again
    assert list(again.troubles) == []
    store.close()


def test_a_crash_between_the_renamings_is_gone_on_from(patients: Patients) -> None:
    copy = patients.place / "renaming"
    shutil.copytree(patients.place / "closed", copy)
    shutil.copy(copy / "store.db", copy / "store.db.new")
    (copy / "store.db").rename(copy / "store.db.damaged-1")
    store = FileStore(copy)
    saved = store.open()
    assert saved
    assert (len(saved.outbox), list(saved.troubles)) == (8, [])
    store.close()
    # Half a draft is none.
    (copy / "store.db").rename(copy / "store.db.new")
    cut(9000)(copy / "store.db.new")
    saved = store.open()
    assert saved
    assert len(saved.outbox) == 0
    assert not (copy / "store.db.new").exists()
    store.close()


def test_a_journal_that_knows_more_than_the_database_is_believed(patients: Patients) -> None:
    place = patients.place / "older"
    store = FileStore(place)
    assert store.open()
    store.append(ENTRIES[0])
    store.close()
    shutil.copy(place / "store.db", patients.place / "backup")
    assert store.open()
    store.commit(Change(state=["new"], position=1, whole=True))
    store.append(ENTRIES[1])
    store.close()
    shutil.copy(patients.place / "backup", place / "store.db")
    saved = store.open()
    assert saved
    assert saved.journal == [ENTRIES[1]]
    assert "the last changes of the store" in saved.troubles[0]
    store.close()
