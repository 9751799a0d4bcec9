"""What cannot get through: every attack in `payloads`, every code point, and what Hypothesis makes up.

The oracle is `readback`: the standard library's parser, and a second opinion on what may be shown.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from email.utils import getaddresses

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from burstmail import Burst, Composer
from burstmail.core.address import address
from burstmail.core.subject import Subject, named
from tests.core import payloads
from tests.core.payloads import Payload, burst, composed
from tests.core.readback import lines, read, seen, shown, stays

EVERYTHING = range(sys.maxunicode + 1)
ANYTHING = st.text(st.characters(), max_size=80)
# Characters that mean something to a header, a mail, a page, a terminal or a parser; the odd ones among many.
ODD = "\u2028\u202e\ud800\u3164\u0301é日🙂\x85\x0b\x1c\x00\x1b"
HOSTILE = st.text(
    st.sampled_from(ODD + "=?utf8qQbB_0AD\r\n\t :;,<>@\"(&#'/x.[]-$%{}\\"),
    max_size=120,
)
SHORT = HOSTILE | ANYTHING
# What a syslog header takes for a name.
NAME = SHORT.map(lambda text: re.sub(r"[\s:\[\]]", "", text)[:120]).filter(lambda text: text not in ("", "-"))
ADDRESS = st.from_regex(r"\A[a-zé+@. \n\[\]|/-]{1,12}(@[a-zü.\[\]:0-9\u3002\r,-]{1,12})?\Z")
LONGEST = 150


def many(everyday: int) -> settings:
    """So many examples in a test: ten times as many in a full run."""
    return settings(max_examples=everyday * (10 if settings.get_current_profile_name() == "full" else 1))


def headline(item: Burst, **options: object) -> str:
    return read(composed(item, **options).data).subject


def squeezed(text: str) -> str:
    """Without what white space there is: a parser may join it where a header was folded."""
    return " ".join(text.split())


def decoded(text: str) -> str:
    """As a line comes: a surrogate is no UTF-8."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")


def one(text: str, limit: int) -> str:
    """A second opinion on `burstmail.core.escape.one_line`."""
    text = seen(text.replace("\t", " ")).replace("=?", "= ?")
    return (text if len(text) <= limit else text[: limit - 1] + "…").strip()


# --- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", [0, 1, 7])
@pytest.mark.parametrize("payload", payloads.LINES, ids=lambda payload: payload.name)
def test_the_reader_sees_what_the_table_says(payload: Payload, cuts: int) -> None:
    mail = read(composed(burst(payload.raw, cuts=cuts)).data)
    assert mail.lines == list(payload.seen)
    assert mail.counts == {"lines": len(payload.seen), "shown": len(payload.seen), "left-out": 0, "bursts": 1}
    assert tuple(map(shown, lines(payload.raw))) == payload.seen


def test_no_payload_changes_what_stands_around_it() -> None:
    plain = read(composed(burst(b"x\ny")).data).text.split("\n")
    for payload in payloads.LINES:
        text = read(composed(burst(b"x\n" + payload.raw.replace(b"\n", b" ").rstrip(b"\r") + b"\n")).data).text
        changed = [line for line in text.split("\n") if line not in plain]
        assert len(changed) == 1 and changed[0].startswith("  "), payload.name


@pytest.mark.parametrize(("name", "shown"), payloads.NAMES.items())
def test_a_name_in_the_subject_is_a_name(name: str, shown: str) -> None:
    mail = read(composed(burst(b"x", key=name)).data)
    assert shown in mail.subject
    assert mail.text.startswith(f"1 line from {shown}")


@pytest.mark.parametrize("text", payloads.ADDRESSES)
@pytest.mark.parametrize("which", ["to", "sender"])
def test_an_address_is_refused_in_one_line(which: str, text: str) -> None:
    with pytest.raises(ValueError, match="^address ") as caught:
        Composer(**{"to": "ops", which: text})  # type: ignore[arg-type]
    assert str(caught.value).isprintable()


# --- every code point there is -----------------------------------------------------------------------------------


def blocks(characters: Iterable[str], size: int) -> list[str]:
    text = "".join(characters)
    return [text[at : at + size] for at in range(0, len(text), size)]


def test_every_code_point_in_a_text_is_shown_or_spelled_out() -> None:
    # A surrogate is no UTF-8: it comes as bytes that are none. LF ends a line, and so does CR LF.
    for block in blocks(map(chr, EVERYTHING), 4096):
        raw = b"".join(piece.encode("utf-8", "surrogatepass") + b"|\n" for piece in blocks(block.replace("\n", ""), 32))
        mail = read(composed(burst(raw)).data)
        assert mail.lines == [seen(line) for line in lines(raw)], hex(ord(block[0]))


def test_every_code_point_in_a_subject_is_shown_or_spelled_out() -> None:
    # Escapes are plain letters: what is new to a header is what stays as it is.
    for block in blocks(filter(stays, map(chr, EVERYTHING)), 78):
        assert squeezed(f"[burstmail] {one(block, 80)}: 1 line") in squeezed(headline(burst(b"x", key=block)))
    plain, template = burst(b"x"), Subject("{key}")
    names = named(plain)
    for block in blocks(filter(lambda char: not stays(char), map(chr, EVERYTHING)), 8):
        subject = template.of(replace(plain, key=block), names, None)
        assert subject == one(block, 80) and subject.isascii()


# --- what Hypothesis makes up ------------------------------------------------------------------------------------


@many(5000)
@given(template=SHORT, key=SHORT)
@example(template=" ", key="=")
@example(template="?=?", key="=?")
@example(template="日" * 300, key="日" * 300)
@example(template="a" + " " * 190 + "b", key="x" * 400)
def test_any_subject_is_one_line_of_what_it_says(template: str, key: str) -> None:
    literal = template.replace("{", "{{").replace("}", "}}")
    assert headline(burst(b"x", key=key), subject=literal + "{key}") == one(template + (one(key, 80) or "log"), LONGEST)


@many(5000)
@given(raw=st.binary(max_size=200) | SHORT.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"x" * 75 + b"From root")
@example(b"x" * 76 + b".\n" + b"x" * 75 + b".\n" + b"x" * 74 + b".\n.")
@example(b" \t" * 60)
@example(b"=" * 200)
def test_any_bytes_become_the_lines_they_are(raw: bytes) -> None:
    raw = raw or b"\n"
    mail = read(composed(burst(raw)).data)
    assert mail.lines == list(map(shown, lines(raw)))


@many(5000)
@given(host=NAME, program=NAME, message=SHORT)
@example(host="=?utf-8?q?=0ABcc:_evil?=", program="\r\rBcc", message="=?")
@example(host="日=", program="?=", message="")
def test_any_ident_is_a_name(host: str, program: str, message: str) -> None:
    raw = f"<38>Nov 23 10:00:00 {host} {program}[1]: {message}".encode("utf-8", "surrogatepass")
    mail = read(composed(burst(raw)).data)
    assert mail.lines[0].startswith(seen(f"info    Nov 23 10:00:00 {decoded(host)} {decoded(program)}[1]: "))
    name = one(one(decoded(host), 40) + " " + one(decoded(program), 40), LONGEST)
    assert squeezed(f"[burstmail] {name}: ") in squeezed(mail.subject)


@many(2500)
@given(ADDRESS | SHORT, ADDRESS | SHORT)
def test_any_address_is_refused_or_one_address(to: str, sender: str) -> None:
    for text in (to, sender):
        try:
            found = address(text)
        except ValueError as error:
            assert str(error).isprintable() and str(error).startswith("address ")
            continue
        message = composed(burst(b"x"), to=text, sender=found)
        mail = read(message.data)
        assert getaddresses([mail.headers["To"]]) == [("", found)] == getaddresses([mail.headers["From"]])
        assert (message.recipients, message.sender) == ((found,), found)
        assert found.isascii() and found.isprintable() and found[0] not in "-|/" and found.count("@") <= 1
        assert not set(found) & set(' ,;:<>()"\\') or found.endswith("]")


@many(2500)
@given(st.lists(SHORT, min_size=1, max_size=5), st.lists(st.tuples(SHORT, st.integers(1, 9)), max_size=5))
def test_any_note_and_any_source_is_one_line(notes: list[str], parts: list[tuple[str, int]]) -> None:
    mail = read(composed(replace(burst(b"x"), notes=tuple(notes), parts=tuple(parts))).data)
    told = [line for line in mail.text.split("\n") if line.startswith("Note: ")]
    assert list(map(squeezed, told)) == [squeezed(f"Note: {one(note, 500)}") for note in notes]
    for key, count in parts:
        assert squeezed(f"{count}  {one(key, 60)}") in squeezed(mail.text) or not key
