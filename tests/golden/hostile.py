"""Bursts written by somebody who wants the reader to see something else. Taken as text, none does harm."""

from __future__ import annotations

from collections.abc import Iterable

from tests.golden.scene import Line

ESC = "\x1b"


def hostile() -> Iterable[Line]:
    """One of each kind."""
    said = "<38>{t} web1 sshd[881]: Invalid user "
    for payload in (
        f"{ESC}[2J{ESC}[1;31mroot{ESC}[0m{ESC}]0;owned\x07 from 203.0.113.5",
        "admin\u202etoor\u202c from 203.0.113.5",
        "ad\u200bmin\ufeff from 203.0.113.5",
        "<script>alert(document.cookie)</script> from 203.0.113.5",
        '"><img src=x onerror=alert(1)> from 203.0.113.5',
        '<a href="https://phish.example/login">Reset your password</a> from 203.0.113.5',
        "</td></tr></table><style>*{display:none}</style> from 203.0.113.5",
        "https://phish.example/reset?u=root or mail help@phish.example, or www.phish.example",
        "=?utf-8?q?=0D=0ABcc:_victim=40example.org?= from 203.0.113.5",
        "&lt;b&gt; &amp; &#x3c;b&#x3e; from 203.0.113.5",
        "x\r\nBcc: victim@example.org",
        "\x00\x01\x08\x7f\x85\u2028\u2029 from 203.0.113.5",
        "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031ea\u0356\u0329\u031d\u032e\u0342l\u0310\u0342\u033d\u035bgo",
        "\U000e0041\U000e0042\ue000\ufffe\U0010ffff from 203.0.113.5",
    ):
        yield 0.0, said + payload
    yield 1.0, "."
    yield 1.0, "From root@example.org Mon Nov 23 03:12:08 2026"
    yield 1.0, "Shown: all 3 lines, none left out."
    yield 1.0, "[9 lines left out here]"
    yield 1.0, "-- "
    yield 1.0, "burstmail 9.9 on mail.example.org"
    yield 1.0, "--=_0123456789abcdef"
    yield 1.0, ""
    yield 1.0, "   \t  "


def long_lines() -> Iterable[Line]:
    """64 KiB each: a core dump in hexadecimal, a request nobody should be able to send, spaces, quotes."""
    said = "<27>{t} app1 worker[771]: "
    yield 0.0, said + "state dump: " + "".join(f"{number % 256:02x}" for number in range(32_000))
    yield 0.5, said + "rejected request: GET /?q=" + "A" * 64_000
    yield 1.0, said + "spaces:" + " " * 64_000 + "end"
    yield 1.5, said + "quotes: " + "'\"&<>" * 12_000
    yield 2.0, said + "words: " + "the quick brown fox jumps over the lazy dog " * 1_400
    yield 2.5, said + "四" * 21_000
    yield 3.0, said + "done"
