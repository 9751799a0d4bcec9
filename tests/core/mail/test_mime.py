"""The bytes of a mail, read back by the standard library's parser: what goes in comes out, and nothing else."""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail.core.escape import one_line, visible
from burstmail.core.mail.mime import header, rendered

ANYTHING = st.text(st.characters())
HOSTILE = st.text(st.sampled_from('=?utf8qQbB_0AD\r\n\t \x0b\x1c\x85\u2028\u202e:;,<>@"(äé日🙂\ud800x.'), max_size=120)
EVIL = "=?utf-8?q?=0ABcc:_evil?= x\r\nBcc: evil@example.org\n\n.\r\n"


def checked(data: bytes) -> bytes:
    assert data.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert max(map(len, data.split(b"\r\n"))) <= 998
    return data


def decoded(data: bytes) -> tuple[list[str], str, str]:
    mail = message_from_bytes(checked(data).replace(b"\r\n", b"\n"), policy=policy.default)
    assert not mail.defects
    return mail.keys(), str(mail["Subject"]), mail.get_content().replace("\r\n", "\n")


@given(HOSTILE | ANYTHING, HOSTILE | ANYTHING)
@example(EVIL, EVIL)
@example("日" * 300, "日" * 300)
def test_subject_and_text_come_back_and_no_header_more(subject: str, text: str) -> None:
    line, body = one_line(subject).strip(), visible(text) + "\n"
    names, found, content = decoded(rendered([("From", "a@b"), ("Subject", line)], body))
    assert names == ["From", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]
    # The parser of the standard library joins encoded words by itself; it drops white space around a few odd ones.
    assert found.split() == line.split()
    assert content == body


def test_every_character_there_is_survives_or_is_escaped() -> None:
    text = "".join(visible("".join(map(chr, range(at, at + 64)))) + "\n" for at in range(0, sys.maxunicode + 1, 64))
    assert decoded(rendered([("Subject", "x")], text))[2] == text
    # What is escaped is plain ASCII: only characters that stay as they are can be new to a header.
    kept = [char for char in map(chr, range(sys.maxunicode + 1)) if char.isprintable() or visible(char) == char]
    for at in range(0, len(kept), 180):
        line = one_line("".join(kept[at : at + 180])).strip()
        assert decoded(rendered([("Subject", line)], ""))[1].split() == line.split()


def test_a_long_header_is_folded_at_spaces() -> None:
    folded = header("Subject", "word " * 39 + "end")
    assert max(map(len, folded.split("\r\n"))) <= 78
    assert folded.replace("\r\n", "") == "Subject: " + "word " * 39 + "end"


def test_runs_of_spaces_are_kept() -> None:
    assert header("Subject", "a" + " " * 100 + "b").replace("\r\n", "") == "Subject: a" + " " * 100 + "b"


def test_a_header_without_a_value_is_still_one() -> None:
    assert header("Subject", "") == "Subject:\r\n"


def test_a_word_too_long_to_fold_stays_whole() -> None:
    assert header("Message-ID", "<" + "x" * 200 + ">") == "Message-ID: <" + "x" * 200 + ">\r\n"


def test_encoded_words_are_cut_between_characters() -> None:
    lines = header("Subject", "größe 日本 " * 15).rstrip().split("\r\n")
    assert len(lines) > 2
    assert max(map(len, lines)) <= 76
    assert all(re.fullmatch(r"(Subject:)? =\?utf-8\?b\?[A-Za-z0-9+/=]+\?=", line) for line in lines)


@pytest.mark.parametrize("value", ["a\nBcc: b", "a\rb", "a\x00", "a\x85b", "a\u2028b", "a\ud800"])
def test_a_header_refuses_what_could_end_it(value: str) -> None:
    with pytest.raises(ValueError, match="'Subject': its value must be one line of visible characters"):
        header("Subject", value)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("", "quoted-printable"),
        ("plain\n", "quoted-printable"),
        ("größe und Gewicht\n", "quoted-printable"),
        ("日本語\n" * 9, "base64"),
    ],
)
def test_the_shorter_encoding_is_taken(text: str, encoding: str) -> None:
    mail = message_from_bytes(checked(rendered([], text)).replace(b"\r\n", b"\n"), policy=policy.default)
    assert mail["Content-Transfer-Encoding"] == encoding
    assert mail.get_content().replace("\r\n", "\n") == text


def test_line_ends_inside_base64_are_those_of_the_wire() -> None:
    # RFC 2045 section 6.8: a text is brought to its canonical form, CRLF, before it is encoded.
    body = rendered([], "日本\n語\n").split(b"\r\n\r\n", 1)[1]
    assert b64decode(body).decode() == "日本\r\n語\r\n"


def test_body_lines_are_short_and_no_line_is_a_lone_dot() -> None:
    body = rendered([], ".\nFrom here\n" + "x" * 5000 + " \n\t\n" + "日" * 900 + "\n.\n").split(b"\r\n\r\n", 1)[1]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert b"." not in body.split(b"\r\n")
