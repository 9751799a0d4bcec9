"""Where the files lie: whose they are, what they may be, and what is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from burstmail import Change, Entry, FileStore, StoreError
from burstmail.stores import place as module
from burstmail.stores.place import Place

FILES = ("store.db", "store.db-wal", "store.db-shm", "store.journal", "lock", "door")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def refusal(store: FileStore) -> str:
    """Why it does not open: one line that names the place."""
    with pytest.raises(StoreError) as caught:
        store.open()
    words = str(caught.value)
    assert "\n" not in words
    return words


def test_directories_and_files_are_for_the_owner_only(store: FileStore, place: Path) -> None:
    before = os.umask(0)
    try:
        assert store.open()
        store.append(Entry(id=1, count=1, text="x\n"))
    finally:
        os.umask(before)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == dict.fromkeys(FILES, 0o600)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (place.parent, place)] == [0o700, 0o700]


def test_files_that_others_could_read_are_closed_to_them(store: FileStore, place: Path) -> None:
    assert store.open()
    store.close()
    for path in place.iterdir():
        path.chmod(0o644)
    assert store.open()
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_directory_that_others_can_write_to_is_refused(store: FileStore, place: Path, mode: int) -> None:
    place.mkdir(parents=True)
    place.chmod(mode)
    assert refusal(store) == f"{place} is writable for others: chmod go-w, or choose another directory"
    place.chmod(0o750)
    assert store.open()


def test_so_is_one_that_others_could_replace(store: FileStore, place: Path) -> None:
    place.mkdir(parents=True)
    place.parent.chmod(0o777)
    assert "writable for all" in refusal(store)
    # Like /tmp: what is in it, only its owner can rename.
    place.parent.chmod(0o1777)
    assert store.open()


def test_a_link_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("elsewhere")
    words = refusal(FileStore(tmp_path / "link"))
    assert words == f"{tmp_path / 'link'} is a symbolic link: remove it, or choose another directory"
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("name", [*FILES, "store.db.new", "store.db.damaged-1"])
def test_links_are_not_followed(store: FileStore, place: Path, tmp_path: Path, name: str) -> None:
    place.mkdir(parents=True, mode=0o700)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (place / name).symlink_to(victim)
    if name in FILES:
        assert f"{place / name} is a symbolic link" in refusal(store)
    else:
        assert store.open()
    assert victim.read_text() == "precious"
    assert stat.S_IMODE(victim.stat().st_mode) != 0o600


@pytest.mark.parametrize("name", FILES)
def test_second_names_are_refused(store: FileStore, place: Path, tmp_path: Path, name: str) -> None:
    assert store.open()
    store.close()
    path = place / name
    path.touch(0o600)
    os.link(path, tmp_path / "second")
    assert f"{path} has a second name (a hard link)" in refusal(store)


@needs_root
@pytest.mark.parametrize("name", ["", *FILES])
def test_what_belongs_to_somebody_else_is_refused(store: FileStore, place: Path, name: str) -> None:
    assert store.open()
    store.close()
    path = place / name
    if name:
        path.touch(0o600)
    os.chown(path, 12345, 12345)
    assert refusal(store) == f"{path} belongs to user 12345, not {os.geteuid()}: run as that user, or chown it"


@pytest.mark.parametrize("name", ["lock", "door"])
def test_a_lock_that_is_no_file_is_refused(store: FileStore, place: Path, name: str) -> None:
    (place / name).mkdir(parents=True)
    place.chmod(0o700)
    assert refusal(store) == f"{place / name} is no file: remove it"


def test_what_the_system_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(FileStore(tmp_path / "file")) == (
        f"{tmp_path / 'file'} is no directory: remove it, or choose another directory"
    )
    assert refusal(FileStore(tmp_path / "file" / "name")).startswith(f"cannot use the directory {tmp_path}/file/name: ")
    assert "File name too long" in refusal(FileStore(tmp_path / ("x" * 300)))


def test_what_is_no_file_is_moved_aside_from_the_databases_place(store: FileStore, place: Path) -> None:
    place.mkdir(parents=True, mode=0o700)
    os.mkfifo(place / "store.db")
    saved = store.open()
    assert saved
    assert "it is no file" in saved.troubles[0]
    assert (place / "store.db.damaged-1").is_fifo()


def test_a_door_that_stays_locked_is_not_waited_for_without_end(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIES", 3)
    one, other = FileStore(place), Place(place)
    other.prepare()
    with other.door(), pytest.raises(StoreError, match="door has been locked for 5 s"):
        one.stage(Entry(count=1, text="x\n"))
    one.stage(Entry(count=1, text="x\n"))
    one.close()


def test_three_damaged_files_are_kept_and_the_oldest_is_replaced(store: FileStore, place: Path) -> None:
    kept = []
    for number in range(5):
        if number:
            (place / "store.db").write_text(f"garbage {number}")
        saved = store.open()
        assert saved
        kept += [words.split(" is kept as ")[1].split(";")[0] for words in saved.troubles]
        store.commit(Change(state=[number]))
        store.close()
    names = [f"{place}/store.db.damaged-{number}" for number in (1, 2, 3, 1)]
    assert kept == names
    assert [Path(name).read_text() for name in names[1:]] == ["garbage 2", "garbage 3", "garbage 4"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_in_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(StoreError, match="belongs to user 65534"):
        FileStore(tmp_path / "theirs" / "state").open()
