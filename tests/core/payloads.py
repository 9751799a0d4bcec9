"""What an attacker writes into a log, where he writes it, and what the reader sees of it.

The table is the documentation of what hostile log lines can and cannot do: `docs/` quotes it. Bytes as a logger passes
them on; every payload goes through the Framer, so a `\\n` really is the end of a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from burstmail import Batch, Burst, Composer, Framer, Keep, Message
from burstmail.core.session import Session

# 2026-11-23 10:00:00 in UTC+01:00.
TEN = 1795424400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One attack."""

    name: str
    """What he tries."""
    raw: bytes
    """What he writes."""
    seen: tuple[str, ...]
    """The lines the reader sees, exactly; each is indented in the mail."""


def attack(name: str, raw: bytes | str, *seen: str) -> Payload:
    return Payload(name=name, raw=raw if isinstance(raw, bytes) else raw.encode(), seen=seen)


# In the text of a line.
LINES = [
    # Headers.
    attack("a header of his own", b"x\r\nBcc: evil@example.org", "x", "Bcc: evil@example.org"),
    attack("the same after a bare CR", b"x\rBcc: evil@example.org", "x\\x0dBcc: evil@example.org"),
    attack(
        "the same after what Python takes for line ends",
        "x\x0bA: a\x0cB: b\x1cC: c\x85D: d\u2028E: e\u2029F: f",
        "x\\x0bA: a\\x0cB: b\\x1cC: c\\x85D: d\\u2028E: e\\u2029F: f",
    ),
    attack("a folded header", b"x\r\n Bcc: evil@example.org", "x", " Bcc: evil@example.org"),
    attack("the end of the headers", b"x\r\n\r\n<h1>hello</h1>", "x", "", "<h1>hello</h1>"),
    # Encoded words (CVE-2024-6923).
    attack("a line end in an encoded word", b"=?utf-8?q?=0ABcc:_evil?= x", "=?utf-8?q?=0ABcc:_evil?= x"),
    attack("the same in base64", b"=?utf-8?b?CkJjYzogZXZpbA==?=", "=?utf-8?b?CkJjYzogZXZpbA==?="),
    attack("one put together from two", b"=?utf-8?q?a?= =?utf-8?q?=0D=0AB:?=", "=?utf-8?q?a?= =?utf-8?q?=0D=0AB:?="),
    attack("quoted-printable of his own", b"=0D=0A.=0D=0A=3Cb=3E soft=", "=0D=0A.=0D=0A=3Cb=3E soft="),
    # SMTP smuggling (CVE-2023-51764 and its like): the end of the mail, and another mail behind it.
    attack(
        "a second mail",
        b"x\r\n.\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<root>\r\nDATA\r\nhello\r\n.\r\nQUIT",
        *("x", ".", "MAIL FROM:<evil@example.org>", "RCPT TO:<root>", "DATA", "hello", ".", "QUIT"),
    ),
    attack("the same with bare LF", b"x\n.\nMAIL FROM:<evil@example.org>\n", "x", ".", "MAIL FROM:<evil@example.org>"),
    attack("the same with bare CR", b"x\r.\rMAIL FROM:<evil@example.org>", "x\\x0d.\\x0dMAIL FROM:<evil@example.org>"),
    attack("LF, dot, CRLF", b"x\n.\r\nMAIL", "x", ".", "MAIL"),
    attack("CR, dot, CRLF", b"x\r.\r\nMAIL", "x\\x0d.", "MAIL"),
    attack("CRLF, dot, CR", b"x\r\n.\rMAIL", "x", ".\\x0dMAIL"),
    attack("CRLF, NUL, dot, CRLF", b"x\r\n\x00.\r\nMAIL", "x", "\\x00.", "MAIL"),
    attack("more CR than one", b"x\r\r\n.\r\r\n", "x\\x0d", ".\\x0d"),
    # What mail(1), sendmail(8) and mailboxes act on.
    attack("a lone dot", b".\n..\n.hidden", ".", "..", ".hidden"),
    attack("tilde escapes of mail(1)", b"~! touch /tmp/pwned\n~r /etc/shadow", "~! touch /tmp/pwned", "~r /etc/shadow"),
    attack("the first line of another mail", b"From root Mon Nov 23 2026", "From root Mon Nov 23 2026"),
    attack("the same as mailboxes quote it", b">From root\n>>From root", ">From root", ">>From root"),
    attack("end of file", b"\x04\x1a", "\\x04\\x1a"),
    attack("a NUL", b"a\x00b", "a\\x00b"),
    # MIME.
    attack("a boundary", b"--=_0\r\nContent-Type: text/html", "--=_0", "Content-Type: text/html"),
    attack("the end of all parts", b"--=_0--\n----", "--=_0--", "----"),
    attack("uuencode and yEnc", b"begin 644 evil.exe\n=ybegin line=128", "begin 644 evil.exe", "=ybegin line=128"),
    # HTML.
    attack("a script", b"<script>alert(1)</script>", "<script>alert(1)</script>"),
    attack("a picture that reports who reads", b'<img src="http://e.example/x.png">', '<img src="http://e.example/x.png">'),
    attack("an event", b"\" onmouseover='alert(1)' x=`y`", "\" onmouseover='alert(1)' x=`y`"),
    attack("the end of what he stands in", b"</pre></td></table></body></html>", "</pre></td></table></body></html>"),
    attack("a style", b"</style><style>*{display:none}", "</style><style>*{display:none}"),
    attack("a comment", b"<!-- --> ]]> <?php ?> <![CDATA[", "<!-- --> ]]> <?php ?> <![CDATA["),
    attack("all that follows as text", b"<plaintext><xmp><textarea><title>", "<plaintext><xmp><textarea><title>"),
    attack("a character reference", b"&lt;b&gt; &#x202e; &nbsp &amp;amp;", "&lt;b&gt; &#x202e; &nbsp &amp;amp;"),
    attack("a template's field", b"$lines ${signature} $$ {count} %s %(x)s", "$lines ${signature} $$ {count} %s %(x)s"),
    attack("a link", b"https://e.example/?a=1&b=2 www.e.example", "https://e.example/?a=1&b=2 www.e.example"),
    attack("links by other names", b"javascript:alert(1) data:text/html,x", "javascript:alert(1) data:text/html,x"),
    # Terminals.
    attack("colours, a cleared screen, a title", b"\x1b[31m\x1b[2J\x1b]0;x\x07", "\\x1b[31m\\x1b[2J\\x1b]0;x\\x07"),
    attack("the same in one byte", "\x9b31m \x90q\x9c", "\\x9b31m \\x90q\\x9c"),
    attack("overwriting", b"evil\x08\x08\x08\x08good\x7f", "evil\\x08\\x08\\x08\\x08good\\x7f"),
    # Unicode.
    attack("the other direction", "user\u202egpj.exe\u202c", "user\\u202egpj.exe\\u202c"),
    attack("isolates", "a\u2066b\u2067c\u2068d\u2069\u061c", "a\\u2066b\\u2067c\\u2068d\\u2069\\u061c"),
    attack("nothing between letters", "ro\u200bo\u200ct\ufeff\u2060\xad", "ro\\u200bo\\u200ct\\ufeff\\u2060\\xad"),
    attack("letters that are not drawn", "a\u3164b\u115fc\uffa0d\u034f", "a\\u3164b\\u115fc\\uffa0d\\u034f"),
    attack("text in variation selectors", "a\ufe0fb\U000e0100", "a\\ufe0fb\\U000e0100"),
    attack("tags", "\U000e0041\U000e007f", "\\U000e0041\\U000e007f"),
    attack("private characters", "\ue000\U0010fffd", "\\ue000\\U0010fffd"),
    attack("no characters", "\uffff\U0001ffff", "\\uffff\\U0001ffff"),
    # Bytes.
    attack("no UTF-8", b"\xff\xfe \xc0\xae \xed\xa0\x80", "\\xff\\xfe \\xc0\\xae \\xed\\xa0\\x80"),
    attack("half a character", b"\xf0\x9f\x98", "\\xf0\\x9f\\x98"),
    # Forgeries: what looks like our sentences is indented; what looks like a line of the logger is a line, and is one.
    attack("our sentences", b"Shown: 1 line.\n[9 lines left out here]", "Shown: 1 line.", "[9 lines left out here]"),
    attack("our signature", b"-- \nburstmail 1.0 on web1", "-- ", "burstmail 1.0 on web1"),
    attack("our notes", b"Note: all is well.\n\nNext: no mail", "Note: all is well.", "", "Next: no mail"),
    attack("a line of another program", b"x\nNov 23 10:00:00 w sshd[1]: ok", "x", "Nov 23 10:00:00 w sshd[1]: ok"),
    attack("the same after CR, NEL, U+2028", "x\rNov 23 web1 y\x85z\u2028", "x\\x0dNov 23 web1 y\\x85z\\u2028"),
    attack("the same as rsyslog escapes it", b"x#012Nov 23 10:00:00 w sshd: ok", "x#012Nov 23 10:00:00 w sshd: ok"),
    attack("an escape of ours", b"\\x0a \\u202e", "\\x0a \\u202e"),
    attack("a severity", b"<0>all is lost\n<191>\n<192>x\n<38", "emerg   all is lost", "debug   ", "<192>x", "<38"),
]  # fmt: skip

# As the name of a program, a host or a key, or as the whole message of one line: what stands of it in the subject.
NAMES = {
    "=?utf-8?q?=0ABcc:_evil?=": "= ?utf-8?q?=0ABcc:_evil?=",
    "x\r\nBcc: evil@example.org": "x\\x0d\\x0aBcc: evil@example.org",
    "a\tb": "a b",
    "\x1b[31mred": "\\x1b[31mred",
    "\u202egpj.exe": "\\u202egpj.exe",
    "a\u2028b\u2029c\x85d": "a\\u2028b\\u2029c\\x85d",
    "日本=?語": "日本= ?語",
    "\ud83d": "\\ud83d",
    "{count} {0.__class__} %s $lines": "{count} {0.__class__} %s $lines",
    '"evil" <evil@example.org>, b@example.org': '"evil" <evil@example.org>, b@example.org',
    "(comment": "(comment",
    "==??utf-8": "== ??utf-8",
}

# As an address: refused in one line, whatever it is meant to be.
ADDRESSES = [
    *("-t", "-C/etc/passwd", "-OQueueDirectory=/tmp", "-bs@example.org", "--", "|/bin/sh", "/etc/passwd"),
    *("a@b.example,c@d.example", "a@b.example c@d.example", "a@b.example;c@d.example", "a,b", "group:a@b.example;"),
    *("a@b.example\r\nBcc: evil@d.example", "a@b.example\n", "a@b.example\rx", "a\x00@b.example", "a@b.example\u2028"),
    *("Ops <a@b.example>", "<a@b.example>", "<>", '"a b"@c.example', '"a\r\nBcc: x"@c.example', "a(comment)@b.example"),
    *("a@b.example>\r\nRCPT TO:<c@d.example", "a@b.example> SIZE=1", "a@[127.0.0.1]x", "@relay.example:a@b.example"),
    *("a@b@c.example", "a@", "@b.example", "", " ", "a@-b.example", "a@b..example", "a@b.example.", ".a@b.example"),
    *("=?utf-8?q?a?=\t@b.example", "ä@b.example", "a@b\u202e.example", "a@b.example\u202d", "a\u200b@b.example"),
]  # fmt: skip


def burst(raw: bytes, *, key: str = "", keep: Keep | None = None, cuts: int = 0, pace: float = 0.0) -> Burst:
    """The bytes' burst, by way of the Framer and a window.

    They come in reads of `cuts` bytes (0: all at once), one every `pace` seconds.
    """
    framer, session = Framer(), Session(keep=keep, key=key)
    reads = [raw[at : at + cuts] for at in range(0, len(raw), cuts)] if cuts else [raw]
    for place, data in enumerate(reads):
        for batch in framer.feed(data, 0.0):
            assert not session.feed(stamped(batch), place * pace)
    for batch in framer.drain(0.0):
        session.feed(stamped(batch), len(reads) * pace)
    (made,) = session.drain(len(reads) * pace)
    return made


def stamped(batch: Batch) -> Batch:
    return Batch(text=batch.text, count=batch.count, time=TEN, epoch="e", seq=1)


def composed(item: Burst, **options: Any) -> Message:
    """Its mail, always the same."""
    fixed = {"to": "ops@example.org", "sender": "log@web1.example.org", "host": "web1.example.org"}
    (message,) = Composer(**{**fixed, **options}).feed(item, 0.0)
    return message


def table() -> str:
    """The payloads as Markdown, for the documentation: `python -m tests.core.payloads`."""
    rows = ["| what he tries | what he writes | what the reader sees |", "|---|---|---|"]
    for payload in LINES:
        written = repr(payload.raw)[2:-1].replace("\\'", "'")
        seen = "<br>".join(f"`{_cell(line)}`" if line.strip() else "(an empty line)" for line in payload.seen)
        rows.append(f"| {payload.name} | `{_cell(written)}` | {seen} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    # Neither can be escaped inside a code span of a table everywhere; what is meant is plain.
    return text.replace("|", "¦").replace("`", "´")


if __name__ == "__main__":
    print(table(), end="")
