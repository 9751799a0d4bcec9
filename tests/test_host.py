"""The machine's name and user: always fit for an address, whatever the machine says."""

from __future__ import annotations

import pwd
import socket
import threading
from types import SimpleNamespace

import pytest

from burstmail import host


def machine(monkeypatch, tmp_path, *, short="web1", mailname=None, full="web1"):
    path = tmp_path / "mailname"
    if mailname is not None:
        path.write_bytes(mailname)
    monkeypatch.setattr(host, "MAILNAME", str(path))
    monkeypatch.setattr(socket, "gethostname", lambda: short)
    monkeypatch.setattr(socket, "getfqdn", lambda name="": full)


def test_a_host_name_with_a_domain_is_taken_as_it_is(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path, short="Web1.Example.ORG", mailname=b"other.example.net\n")
    assert host.hostname() == "web1.example.org"


def test_mailname_comes_before_the_name_service(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path, mailname=b"mail.example.org\nsecond line\n", full="web1.example.net")
    assert host.hostname() == "mail.example.org"


def test_the_name_service_completes_a_short_name(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path, full="web1.example.net.")
    assert host.hostname() == "web1.example.net"


def test_a_short_name_alone_is_better_than_localhost_localdomain(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path, full="localhost.localdomain")
    assert host.hostname() == "web1"


@pytest.mark.parametrize("short", ["", "web_1", "wéb", "-web", "a" * 64, ".".join(["abcdefghi"] * 20), "web 1", "x\ny"])
def test_an_unusable_name_becomes_localhost(monkeypatch, tmp_path, short):
    machine(monkeypatch, tmp_path, short=short, mailname=b"\xff\xfe bad\n", full=short)
    assert host.hostname() == "localhost"


def test_a_silent_name_server_is_not_waited_for(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path)
    answered = threading.Event()
    monkeypatch.setattr(socket, "getfqdn", lambda name="": answered.wait(60) and "late.example.org")
    monkeypatch.setattr(host, "LOOKUP", 0.05)
    assert host.hostname() == "web1"
    answered.set()


def test_where_no_thread_can_be_started_any_more_nothing_is_looked_up(monkeypatch, tmp_path):
    def at_the_end(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    machine(monkeypatch, tmp_path, full="web1.example.net")
    monkeypatch.setattr(threading.Thread, "start", at_the_end)
    assert host.hostname() == "web1"


def test_the_default_sender_is_the_user_at_the_host(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path, short="web1.example.org")
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="mail-log"))
    assert host.default_sender() == "mail-log@web1.example.org"


@pytest.mark.parametrize("name", ["DOMAIN\\user", "-x", "a..b", "jürgen", "", "x" * 65, "a."])
def test_a_user_no_address_can_carry_becomes_burstmail(monkeypatch, tmp_path, name):
    machine(monkeypatch, tmp_path, short="web1.example.org")
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name=name))
    assert host.default_sender() == "burstmail@web1.example.org"


def test_a_user_without_an_entry_becomes_burstmail(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path, short="web1.example.org")

    def missing(uid):
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", missing)
    assert host.default_sender() == "burstmail@web1.example.org"


def test_this_machine_has_a_name_and_a_sender():
    user, _, domain = host.default_sender().partition("@")
    assert user and domain == host.hostname()
