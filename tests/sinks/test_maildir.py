"""A Maildir: complete files, private, once each."""

from __future__ import annotations

import errno
import mailbox
import os
from dataclasses import replace

import pytest

from burstmail import MaildirSink, TemporaryDeliveryError


def mode(path) -> int:
    return path.stat().st_mode & 0o777


def test_the_message_is_one_private_file_with_unix_line_ends(message, tmp_path):
    box = tmp_path / "deep" / "outbox"
    assert MaildirSink(box).send(message) == {}
    (file,) = (box / "new").iterdir()
    assert file.read_bytes() == message.data.replace(b"\r\n", b"\n")
    assert mode(file) == 0o600
    assert [mode(folder) for folder in (box, box / "tmp", box / "new", box / "cur")] == [0o700] * 4
    assert list((box / "tmp").iterdir()) == list((box / "cur").iterdir()) == []


def test_a_mail_reader_finds_it(message, tmp_path):
    MaildirSink(tmp_path / "box").send(message)
    (mail,) = mailbox.Maildir(tmp_path / "box", create=False)
    assert mail["Subject"] == "[burstmail] web1 sshd: 3 lines"


def test_the_same_message_twice_is_one_file(message, tmp_path):
    sink = MaildirSink(tmp_path / "box")
    sink.send(message)
    sink.send(replace(message, recipients=("bob@example.org",)))
    assert len(list((tmp_path / "box" / "new").iterdir())) == 1


def test_other_messages_are_other_files(message, tmp_path):
    sink = MaildirSink(tmp_path / "box")
    sink.send(message)
    sink.send(replace(message, id="<other@web1.example.org>"))
    sink.send(replace(message, burst=replace(message.burst, time=message.burst.time + 1)))
    assert len(list((tmp_path / "box" / "new").iterdir())) == 3


@pytest.mark.parametrize(
    "id", ["<../../../evil@x>", "<a/b:2,S@x>", "<.hidden@x>", "<" + "x" * 300 + "@x>", "<\x00\n@x>"]
)
def test_no_message_id_leads_out_of_the_folder(message, tmp_path, id):
    MaildirSink(tmp_path / "box").send(replace(message, id=id))
    (file,) = (tmp_path / "box" / "new").iterdir()
    assert file.name.startswith("1000000005.") and not set(file.name) & set("/:\0\n")
    assert os.listdir(tmp_path) == ["box"]


def test_an_existing_maildir_keeps_its_mode(message, tmp_path):
    mailbox.Maildir(tmp_path / "box", create=True)
    (tmp_path / "box").chmod(0o750)
    MaildirSink(tmp_path / "box").send(message)
    assert mode(tmp_path / "box") == 0o750


def test_a_draft_left_by_a_crash_is_in_nobodys_way(message, tmp_path):
    sink = MaildirSink(tmp_path / "box")
    sink.send(message)
    (file,) = (tmp_path / "box" / "new").iterdir()
    (tmp_path / "box" / "tmp" / file.name).write_text("half a m")
    sink.send(message)
    assert file.read_bytes() == message.data.replace(b"\r\n", b"\n")
    assert os.listdir(tmp_path / "box" / "tmp") == []


def test_a_link_put_in_the_way_is_not_followed(message, tmp_path):
    sink = MaildirSink(tmp_path / "box")
    sink.send(message)
    (file,) = (tmp_path / "box" / "new").iterdir()
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "box" / "tmp" / file.name).symlink_to(tmp_path / "victim")
    sink.send(message)
    assert (tmp_path / "victim").read_text() == "precious"
    assert not file.is_symlink()


def test_file_and_folder_are_on_the_disk_before_it_counts(message, tmp_path, monkeypatch):
    synced, real = [], os.fsync

    def fsync(fd):
        synced.append(os.path.relpath(os.readlink(f"/proc/self/fd/{fd}"), tmp_path).split("/")[:2])
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    sink = MaildirSink(tmp_path / "box")
    sink.send(message)
    assert synced == [["box"], ["."], ["box", "tmp"], ["box", "new"]]
    synced.clear()
    sink.send(message)
    assert synced == [["box", "tmp"], ["box", "new"]]


def test_a_full_disk_is_temporary_and_leaves_no_half_mail(message, tmp_path, monkeypatch):
    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sink = MaildirSink(tmp_path / "box")
    sink.send(message)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TemporaryDeliveryError, match=r"cannot deliver into Maildir .*box: No space left on device"):
        sink.send(replace(message, id="<other@x>"))
    assert os.listdir(tmp_path / "box" / "tmp") == []
    assert len(os.listdir(tmp_path / "box" / "new")) == 1


def test_a_path_that_cannot_be_a_folder_is_temporary(message, tmp_path):
    (tmp_path / "box").write_text("a file")
    with pytest.raises(TemporaryDeliveryError, match="Not a directory"):
        MaildirSink(tmp_path / "box").send(message)
    with pytest.raises(TemporaryDeliveryError):
        MaildirSink("/proc/nowhere/box").send(message)


def test_the_representation_names_the_path(tmp_path):
    assert repr(MaildirSink(tmp_path)) == f"MaildirSink({str(tmp_path)!r})"


def test_a_burst_without_a_composer_is_a_mistake(burst, tmp_path):
    with pytest.raises(TypeError, match="put a Composer before it"):
        MaildirSink(tmp_path).send(burst)
