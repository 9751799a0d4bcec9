"""What cannot get through: every attack in `payloads`, and what Hypothesis makes up, as subject, line, name or address.

The oracle is `readback`: the standard library's parser, and a second opinion on what may be shown. Each text is
generated 20,000 times over all (200,000 in a full run): 2,500 in each of the eight places marked with `many`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from burstmail import Burst, Composer
from burstmail.core.address import address
from burstmail.core.fold import dump_item
from tests.core import payloads
from tests.core.payloads import Payload, burst, composed
from tests.core.readback import Read, lines, mailboxes, one, read, seen, shown

ANYTHING = st.text(st.characters(), max_size=80)
# Characters that mean something to a header, a mail, a page, a terminal or a parser; the odd ones among many.
ODD = "\u2028\u202e\ud800\u3164\u0301é日🙂\x85\x0b\x1c\x00\x1b"
HOSTILE = st.text(st.sampled_from(ODD + "=?utf8qQbB_0AD\r\n\t :;,<>@\"(&#'/x.[]-$%{}\\"), max_size=120)
TEXT = HOSTILE | ANYTHING
BYTES = TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=200)
# What a syslog header takes for a name.
NAME = TEXT.map(lambda text: re.sub(r"[\s:\[\]]", "", text)[:120]).filter(lambda text: text not in ("", "-"))
ADDRESS = TEXT | st.from_regex(r"\A[a-zé+@. \n\[\]|/=?-]{1,12}(@[a-zü.\[\]:0-9\u3002\r,-]{1,12})?\Z")
# Every wrap there can be: what stands at the end or the start of a line on the wire must not matter to anybody.
TAILS = [b" ", b"\t", b".", b"From x", b"From ", b"=", b". ", b"\t.\r."]
WRAPS = b"".join(b"x" * width + tail + b"\n" for width in range(60, 81) for tail in TAILS)
# Characters in a subject.
LONGEST = 150

many = settings(max_examples={"full": 25_000, "brief": 250}.get(settings.get_current_profile_name(), 2_500))


def mail(item: Burst, **options: Any) -> Read:
    """Its mail, and that both views show the same lines."""
    found = read(composed(item, **{"redact": (), **options}).data)
    assert found.page is None or found.page.lines == found.lines
    return found


def squeezed(text: str) -> str:
    """Without what white space there is: names are joined by a space, and may end in one."""
    return " ".join(text.split())


def decoded(text: str) -> str:
    """As a line comes: a surrogate is no UTF-8."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")


# --- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", [0, 1, 7])
@pytest.mark.parametrize("payload", payloads.LINES, ids=lambda payload: payload.name)
def test_the_reader_sees_what_the_table_says(payload: Payload, cuts: int) -> None:
    found = mail(burst(payload.raw, cuts=cuts))
    assert found.lines == list(payload.seen)
    assert found.counts == {"lines": len(payload.seen), "shown": len(payload.seen), "left-out": 0, "bursts": 1}
    assert tuple(map(shown, lines(payload.raw))) == payload.seen


def test_no_payload_changes_what_stands_around_it() -> None:
    plain = mail(burst(b"x\ny"))
    assert plain.page
    for payload in payloads.LINES:
        line = payload.raw.replace(b"\n", b" ").rstrip(b"\r")
        found = mail(burst(b"x\n" + line + b"\n"))
        changed = [row for row in found.text.split("\n") if row not in plain.text.split("\n")]
        assert changed == [f"  {found.lines[1]}"] or line.startswith(b"<0>"), payload.name
        assert found.page
        assert line.startswith(b"<0>") or {**found.page.texts, "l": []} == {**plain.page.texts, "l": []}, payload.name


def test_no_payload_leaves_the_attachment_behind_another_one() -> None:
    raw = b"\n".join(payload.raw for payload in payloads.LINES)
    # A line that is cut in the mail is whole in what is attached.
    found = mail(burst(raw + b"\n" + b"x" * 3000))
    assert found.log == "".join(f"  {seen(line)}\n" for line in [*lines(raw), "x" * 3000])


def test_a_boundary_cannot_be_met_by_one_who_knows_it() -> None:
    cut = b"\n" + b"x" * 3000
    plain = composed(burst(b"x" + cut)).data
    boundaries = re.findall(rb'boundary="([^"]+)"', plain)
    assert len(boundaries) == 2
    for boundary in boundaries:
        raw = b"--%s--\n--%s\r\nContent-Type: text/html\n\n<script>\n--%s--" % (boundary, boundary, boundary)
        # The identity of a burst is its place in the stream, so the boundary is the same.
        assert b'boundary="%s"' % boundary in composed(burst(raw + cut)).data
        found = mail(burst(raw + cut))
        assert found.lines[:-1] == list(map(seen, lines(raw))) and len(found.types) == 5


@pytest.mark.parametrize(("name", "shown"), payloads.NAMES.items())
def test_a_name_is_a_name(name: str, shown: str) -> None:
    found = mail(burst(b"x", key=name), name=name)
    assert shown in found.subject
    assert found.headers["From"].endswith(" <log@web1.example.org>")
    assert found.text.startswith(f"1 line from {shown}")
    assert found.page and found.page.title == found.page["h"][0] == found.text.split("\n")[0]


@pytest.mark.parametrize("text", payloads.ADDRESSES)
@pytest.mark.parametrize("which", ["to", "sender"])
def test_an_address_is_refused_in_one_line(which: str, text: str) -> None:
    options: dict[str, Any] = {"to": "ops", which: text}
    with pytest.raises(ValueError, match="^address ") as caught:
        Composer(**options)
    assert str(caught.value).isprintable()


# --- what Hypothesis makes up ------------------------------------------------------------------------------------


@many
@given(template=TEXT, key=TEXT)
@example(template=" ", key="=")
@example(template="?=?", key="=?")
@example(template="日" * 300, key="日" * 300)
@example(template="a" + " " * 140 + "b", key="x" * 400)
@example(template="x" * 70 + ": " + "y" * 70 + ":", key="z")
def test_any_subject_is_one_line_of_what_it_says(template: str, key: str) -> None:
    literal = template.replace("{", "{{").replace("}", "}}")
    found = mail(burst(b"x", key=key), subject=literal + "{key}", html=False)
    assert found.subject == one(template + (one(key, 80) or "log"), LONGEST)


@many
@given(raw=BYTES)
@example(WRAPS)
@example(b" \t" * 60)
@example(b"=" * 200)
@example("e\u0301\u0301\u0301\u0301\u0301\u0301".encode())
def test_any_bytes_become_the_lines_they_are(raw: bytes) -> None:
    raw = raw or b"\n"
    assert mail(burst(raw)).lines == list(map(shown, lines(raw)))


@many
@given(host=NAME, program=NAME, message=TEXT)
@example(host="=?utf-8?q?=0ABcc:_evil?=", program="\r\rBcc", message="=?")
@example(host="日=", program="?=", message="")
def test_any_ident_is_a_name(host: str, program: str, message: str) -> None:
    raw = f"<38>Nov 23 10:00:00 {host} {program}[1]: {message}".encode("utf-8", "surrogatepass")
    found = mail(burst(raw), html=False)
    assert found.lines[0].startswith(seen(f"info    Nov 23 10:00:00 {decoded(host)} {decoded(program)}[1]: "))
    name = one(one(decoded(host), 40) + " " + one(decoded(program), 40), LONGEST)
    assert squeezed(f"[burstmail] {name}: ") in squeezed(found.subject)


@many
@given(to=ADDRESS, sender=ADDRESS)
def test_any_address_is_refused_or_one_address(to: str, sender: str) -> None:
    for text in (to, sender):
        try:
            valid = address(text)
        except ValueError as error:
            assert str(error).isprintable() and str(error).startswith("address ")
            continue
        message = composed(burst(b"x"), to=text, sender=valid, html=False)
        found = read(message.data)
        assert getaddresses([found.headers["To"]]) == [("", valid)] == getaddresses([found.headers["From"]])
        assert (message.recipients, message.sender) == ((valid,), valid)
        assert valid.isascii() and valid.isprintable() and valid[0] not in "-|/" and valid.count("@") <= 1
        assert not set(valid.partition("@")[0]) & set(' ,;:<>()[]"\\')


@settings(max_examples=many.max_examples // 10)
@given(notes=st.lists(TEXT, min_size=1, max_size=5), parts=st.lists(st.tuples(TEXT, st.integers(1, 9)), max_size=5))
def test_any_note_and_any_source_is_one_line(notes: list[str], parts: list[tuple[str, int]]) -> None:
    found = mail(replace(burst(b"x"), notes=tuple(notes), parts=tuple(parts)))
    told = [line for line in found.text.split("\n") if line.startswith("Note: ")]
    assert list(map(squeezed, told)) == [squeezed(f"Note: {one(note, 500)}") for note in notes]
    for key, count in parts:
        assert squeezed(f"{count}  {one(key, 60)}") in squeezed(found.text) or not key


@settings(max_examples=many.max_examples // 10)
@given(name=TEXT, sender=st.sampled_from(["log@web1.example.org", "root"]))
def test_any_display_name_is_a_name_and_no_address(name: str, sender: str) -> None:
    data = composed(burst(b"x"), name=name, sender=sender, html=False).data
    read(data)
    line = data.split(b"\r\nTo: ")[0].decode()
    assert mailboxes(line) == [(one(name, 60), sender)]


@settings(max_examples=many.max_examples // 10)
@given(made=TEXT, raw=BYTES)
@example(made="\r\n.\r\nFrom root\n\x1b[2J\ud800", raw=b"x")
def test_whatever_a_template_or_a_hook_gives_is_safe(made: str, raw: bytes) -> None:
    item = burst(raw or b"\n")
    text = read(composed(item, text=lambda report: made, html=False, redact=()).data).text
    rows = made.replace("\r\n", "\n").removesuffix("\n").split("\n")
    assert text == "".join(f"{seen(row)}\n" for row in rows)
    hidden = mail(item, redact=[lambda line: made])
    assert set(hidden.lines) == {shown(made.replace("\n", "\\x0a"))}


# --- what is in no part of a mail --------------------------------------------------------------------------------

SECRET = "hunter2-S3cret"
TELLING = [
    f"https://ops:{SECRET}@db.example/x?token={SECRET}",
    f"login password={SECRET} ok",
    f'{{"user": "ops", "password": "{SECRET}"}}',
    f"Authorization: Bearer {SECRET}.{SECRET}.{SECRET}",
]


@pytest.mark.parametrize("telling", TELLING)
@pytest.mark.parametrize("count", [1, 3000])
def test_a_secret_is_nowhere_in_a_mail_nor_in_what_is_kept_of_it(telling: str, count: int) -> None:
    # As a line, in a pattern and its examples, as a key, as the name of a part, in what is attached.
    raw = "".join(f"<38>Nov 23 10:00:00 web1 app[{place}]: {telling} {place}\n" for place in range(count)).encode()
    item = burst(raw, key=telling)
    for made in (item, replace(item, parts=((telling, count),))):
        message = composed(made)
        assert SECRET.encode() not in message.data
        found = read(message.data)
        assert found.page and "[redacted]" in found.text and "[redacted]" in found.page.lines[0]
        views = [found.text, found.log, found.page.title, str(found.page.texts)]
        assert SECRET not in "".join([*found.headers.values(), *views])
        assert SECRET not in str(dump_item(message)) + message.readable() + repr(message)
        assert SECRET in read(composed(made, redact=()).data).text


def test_a_readable_mail_does_nothing_to_a_terminal() -> None:
    for payload in payloads.LINES:
        text = composed(burst(payload.raw, key="\x1b[2J\u202e"), name="\x9b").readable()
        assert text.replace("\n", "").replace("\t", "").isprintable(), payload.name
