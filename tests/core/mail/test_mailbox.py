"""Whatever a display name holds, there is one sender, and it is ours."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail.core.escape import one_line
from burstmail.core.mail.mailbox import mailbox
from burstmail.core.mail.mime import header

OURS = "log@web1.example.org"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", OURS),
        (" \t ", OURS),
        ("Web 1", f'"Web 1" <{OURS}>'),
        ('a "b" \\c', f'"a \\"b\\" \\\\c" <{OURS}>'),
        ("Büro", f"=?utf-8?b?QsO8cm8=?= <{OURS}>"),
        ("evil@example.org", f'"evil@example.org" <{OURS}>'),
        ("x\r\nBcc: evil@example.org", f'"x\\\\x0d\\\\x0aBcc: evil@example.org" <{OURS}>'),
        ("=?utf-8?q?evil?= <evil@example.org>,", f'"= ?utf-8?q?evil?= <evil@example.org>," <{OURS}>'),
    ],
)
def test_the_value_of_a_from_header(name: str, value: str) -> None:
    assert mailbox(name, OURS) == value


@given(st.text(max_size=90) | st.text(st.sampled_from('"\\<>@,;:()[]=?. \r\nä日\u202e'), max_size=40))
@example("日" * 90)
@example("a" * 59 + "é")
def test_any_name_gives_one_sender_with_that_name(name: str) -> None:
    raw = header("From", mailbox(name, OURS)).encode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    (found,) = message_from_bytes(raw + b"\r\n", policy=policy.default)["From"].addresses
    assert found.addr_spec == OURS
    # The standard library's parser keeps one blank of several, and one between two encoded words.
    assert "".join(found.display_name.split()) == "".join(one_line(name, 60).split())
