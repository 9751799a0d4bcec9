"""Mail addresses: the plain forms pass, each way to smuggle something in does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.address import address

LABEL = "d" * 63


@pytest.mark.parametrize(
    "text",
    [
        "root",
        "ops@example.org",
        "ops+disk.full@mail.sub.example.org",
        "o'brien_x!#$%&*/=^?`{|}~-@example.org",
        "root@localhost",
        "root@[127.0.0.1]",
        "root@4711",
        "a%b!c@example.org",
        "root@[IPv6:2001:db8::1]",
        "u" * 64 + "@example.org",
        f"u@{LABEL}.{LABEL}.{LABEL}.{'e' * 60}",
        "1@2.example",
    ],
)
def test_plain_addresses_pass_unchanged(text: str) -> None:
    assert address(text) == text


def test_a_domain_of_other_scripts_becomes_ascii() -> None:
    assert address("ops@bücher.example") == "ops@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ops@",
        "@example.org",
        "-Cfile",
        "|/bin/sh",
        "|sh@example.org",
        "/etc/passwd",
        "/var/mail/x@example.org",
        ":include:/etc/passwd",
        "\\root",
        "root%evil.example",
        "evil!root",
        "-ops@example.org",
        "a b@example.org",
        " ops@example.org",
        "ops@example.org ",
        "ops@example.org\n",
        "ops\n@example.org",
        "ops@example.org\r\nBcc: evil@example.org",
        "root\x00",
        "a@example.org,b@example.org",
        "a@example.org;b@example.org",
        "a,b",
        "Ops <ops@example.org>",
        "<ops@example.org>",
        '"ops"@example.org',
        "ops(comment)@example.org",
        "a@b@example.org",
        ".ops@example.org",
        "ops.@example.org",
        "o..ps@example.org",
        "öps@example.org",
        "öps",
        "ops@-example.org",
        "ops@example-.org",
        "ops@example..org",
        "ops@example.org.",
        "ops@exam_ple.org",
        "ops@[127.0.0.1",
        "ops@[1.2.3.٤]",
        "ops@[::1]",
        "ops@[256.0.0.1]",
        "ops@[1.2.3]",
        "ops@[01.2.3.4]",
        "ops@[IPv6:127.0.0.1]",
        "ops@[IPv6:::::]",
        "ops@192.0.2.1",
        "ops@ex%ample.org",
        "ops@fa\u00df.example",
        "ops@\u03b1\u03c2.example",
        "ops@a\u200db.example",
        "ops@example.org\uff0cbcc",
        "ops@example.org\u2024evil.org/",
        "=?utf-8?q?a?=",
        "=?utf-8?q?a?=@example.org",
        "ops@=?utf-8?q?a?=",
        "ops@ex\u00a0ample.org",
        "ops@" + "ü" * 64 + ".org",
        "ops@ü..org",
        "u" * 65 + "@example.org",
        "u" * 65,
        f"ops@{'d' * 64}.org",
        f"ops@{LABEL}.{LABEL}.{LABEL}.{LABEL}",
        f"u@{LABEL}.{LABEL}.{LABEL}.{'e' * 61}",
    ],
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="^address ") as caught:
        address(text)
    assert str(caught.value).isprintable()


@given(st.text() | st.from_regex(r"\A[a-zé@. \n\[\]-]{1,12}@[a-zü.\[\]:0-9\u3002-]{1,12}\Z"))
def test_what_passes_is_plain_ascii_with_one_at_at_most(text: str) -> None:
    try:
        found = address(text)
    except ValueError:
        return
    assert found.isascii()
    assert found.isprintable()
    assert found.count("@") <= 1
    assert not set(found) & set(' ,;<>()"\\')
    assert not found.startswith("-")
    assert address(found) == found
