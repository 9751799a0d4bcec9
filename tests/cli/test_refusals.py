"""What the parts refuse: all of it at once, each blamed on the setting without which it would be taken."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from burstmail import Keep, Limit
from burstmail.cli.refusals import Refusal, refusals


def found(**options: Any) -> list[tuple[str | None, int | None]]:
    """The setting and the route of each refusal."""
    return [(one.setting, one.route) for one in refusals({"to": ["root"], "print": True} | options)]


def test_what_is_right_is_taken() -> None:
    assert found() == []
    assert found(routes=[{"name": "a", "match": {}}, {"name": "b", "match": {"program": "x"}}]) == []


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"gap": 0.0}, ["gap"]),
        ({"gap": 0.0, "max_lines": 0}, ["gap", "max_lines"]),
        ({"to": ["a b"]}, ["to"]),
        ({"to": ["a b"], "sender": "c d", "subject": "{nonsense}"}, ["sender", "subject", "to"]),
        ({"key": "colour"}, ["key"]),
        ({"key": "colour", "threshold": (10, 60.0)}, ["key"]),
        ({"include": ["("]}, ["include"]),
        ({"at_least": "bad", "include": ["("], "exclude": [")"]}, ["at_least", "exclude", "include"]),
        ({"urgent": ["x"], "caps": [Limit(1, 60.0)]}, ["caps"]),
        ({"masks": ["x"], "patterns": False}, ["masks"]),
        ({"files": ["/x\0y"]}, ["files"]),
        ({"listen": ["udp://127.0.0.1:514", "unix:///x?mode=9"]}, ["listen"]),
        ({"listen": ["udp://127.0.0.1:514"], "allow": ["everybody"]}, ["allow"]),
        ({"from_beginning": True}, ["from_beginning"]),
        ({"journal": True, "journal_matches": ["x"]}, ["journal_matches"]),
        ({"smtp": "http://x"}, ["smtp"]),
        ({"smtp": "smtp://me@mail.example.org"}, ["smtp"]),
        ({"password": "x"}, ["password"]),
        ({"give_up": 0.0}, ["give_up"]),
        ({"confirm": True}, ["confirm"]),
        ({"tee": True}, ["tee"]),
        ({"tls_key": "/x"}, ["tls_key"]),
    ],
)
def test_the_setting_at_fault_is_named(options: dict[str, Any], settings: list[str]) -> None:
    if "journal" in options and not _journalctl():
        pytest.skip("no journalctl")
    assert sorted(str(setting) for setting, _ in found(**options)) == settings


def _journalctl() -> bool:
    return any(os.access(os.path.join(place, "journalctl"), os.X_OK) for place in os.environ["PATH"].split(":"))


def test_a_route_is_blamed_for_what_it_says_itself() -> None:
    routes = [{"name": "a", "gap": 0.0}, {"name": "b", "key": "colour"}, {"name": "c", "to": ["a b"]}]
    assert found(routes=routes) == [("gap", 0), ("key", 1), ("to", 2)]


def test_what_all_routes_have_from_the_top_is_told_once() -> None:
    assert found(gap=0.0, routes=[{"name": "a"}, {"name": "b"}, {"name": "c", "gap": 1.0}]) == [("gap", None)]


def test_what_does_not_go_together_is_blamed_where_it_is_said() -> None:
    assert found(urgent=["x"], routes=[{"name": "a"}, {"name": "b", "caps": [Limit(1, 60.0)]}]) == [("caps", 1)]
    assert found(caps=[Limit(1, 60.0)], routes=[{"name": "a"}, {"name": "b", "urgent": ["x"]}]) == [("caps", None)]


def test_criteria_are_looked_at() -> None:
    assert found(routes=[{"name": "a", "match": {"program": []}}]) == [("match", 0)]


def test_certificates_are_read(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("none")
    options = {"listen": ["tls://127.0.0.1:6514"], "tls_cert": str(tmp_path / "cert.pem")}
    assert found(**options) == [("tls_cert", None)]


def test_nothing_is_opened_or_written(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        where = {"maildir": str(tmp_path / "mail"), "listen": [f"tcp://127.0.0.1:{port}", f"unix://{tmp_path}/s"]}
        assert refusals({"to": ["root"], **where, "files": [str(tmp_path / "*.log")], "keep": Keep()}) == []
        assert os.listdir(tmp_path) == []
        server.settimeout(0.05)
        refusals({"to": ["root"], "smtp": f"smtp://127.0.0.1:{port}"})
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_refusal_says_what_to_do() -> None:
    (one,) = refusals({"to": ["root"], "print": True, "gap": 0.0})
    assert one == Refusal(words="gap=0.0: must be 0.001 seconds or more, and finite", setting="gap")
