"""Notices of dead letters: who gets one, that none follows another, and that few come."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from typing import Any

import laws
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compose import BERLIN, TEN, burst, composed, content, parsed, ssh

from burstmail.core.compose import Composer
from burstmail.core.deliver import DeadLetter
from burstmail.core.echo import Echo
from burstmail.core.escape import visible
from burstmail.core.model import Batch, Burst, Message, Outage
from burstmail.core.notice import INTERVAL, RECIPIENTS, ROWS, Notices, echo_note
from burstmail.errors import DeliveryError, PermanentDeliveryError, StateMismatch, TemporaryDeliveryError

REFUSED = PermanentDeliveryError("550 5.1.1 <ops@example.org>: no such user")
DEFERRED = TemporaryDeliveryError("451 try again later")


def notices() -> Notices:
    return Notices(zone=BERLIN)


def mail(number: int = 1, *, lines: int = 9, **fields: Any) -> Message:
    message = composed(burst(*(ssh(line) for line in range(lines)), seq=number))
    return replace(message, **fields)


def letter(item: Message | Burst | None = None, error: DeliveryError = REFUSED, **fields: Any) -> DeadLetter:
    return DeadLetter(item=item or mail(), error=error, **fields)


def told(dead: DeadLetter) -> Message:
    (notice,) = notices().feed(dead, 0.0)
    return notice


def test_a_dead_letter_becomes_this_mail() -> None:
    notice = told(letter(others=("boss@example.org",), waited=259200.0, key="/4.1"))
    assert notice.data.decode() == (
        "From: log@web1.example.org\r\n"
        "To: boss@example.org\r\n"
        "Subject: [burstmail] not delivered: 1 mail, 9 lines\r\n"
        "Date: Thu, 26 Nov 2026 10:00:43 +0100\r\n"
        f"Message-ID: {notice.id}\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "X-Auto-Response-Suppress: All\r\n"
        "X-Burstmail: lines=0; undelivered=9; mails=1\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: text/plain; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
        "1 mail was not delivered, and will not be tried again.\r\n"
        "\r\n"
        "About: web1 sshd: 9 lines in 38 s\r\n"
        "To: ops@example.org\r\n"
        "First tried: 10:00:43, Mon 23 Nov 2026 (UTC+01:00); given up 3 d later.\r\n"
        "Error: 550 5.1.1 <ops@example.org>: no such user\r\n"
        "Key: 4.1\r\n"
        "\r\n"
        "With a state directory, `burstmail queue show KEY` shows it, `burstmail que=\r\n"
        "ue retry KEY` sends it again.\r\n"
        "\r\n"
        "--=20\r\n"
        "burstmail 0.1.0 on web1\r\n"
    )
    assert (notice.sender, notice.recipients, notice.count) == ("", ("boss@example.org",), 0)
    assert "; given up at once.\n" in content(told(letter()))
    assert "Key:" not in content(told(letter()))


# --- it cannot loop


def test_no_notice_follows_a_notice() -> None:
    stage = notices()
    (notice,) = stage.feed(letter(), 0.0)
    assert stage.feed(letter(notice), 1.0) == []
    assert (stage.deadline, stage.drain(1e6)) == (inf, [])


def test_where_notices_are_refused_the_next_comes_a_day_later() -> None:
    stage = notices()
    (notice,) = stage.feed(letter(), 0.0)
    stage.feed(letter(notice), 60.0)
    stage.feed(letter(), 61.0)
    assert stage.deadline == 60.0 + 86400
    # Somebody has taken this one.
    (second,) = stage.poll(86500.0)
    stage.feed(letter(replace(second, recipients=("a@h",)), others=("b@h",)), 86501.0)
    stage.feed(letter(), 86502.0)
    assert stage.deadline == 60.0 + 86400 + INTERVAL


def test_nothing_is_said_about_what_is_no_mail() -> None:
    stage = notices()
    assert stage.feed(letter(burst("a")), 0.0) == []
    assert stage.feed(letter(mail(sender="no address\n")), 0.0) == []
    assert stage.deadline == inf


def test_what_a_mail_server_logs_about_a_notice_is_an_echo() -> None:
    echo = Echo()
    notice = told(letter())
    echo.know(notice.id)
    assert echo.feed(Batch.of(f"postfix/cleanup[9]: 4F2A1C0: message-id={notice.id}"), 0.0) == []


def test_it_is_marked_as_made_by_a_machine() -> None:
    headers = parsed(told(letter()))
    assert (headers["Auto-Submitted"], headers["X-Auto-Response-Suppress"]) == ("auto-generated", "All")


# --- who gets it


@pytest.mark.parametrize(
    ("dead", "recipients"),
    [
        (letter(mail(recipients=("a@h",)), others=("b@h", "c@h")), ("b@h", "c@h")),
        # Nobody is left but the sender.
        (letter(mail()), ("log@web1.example.org",)),
        # A mail that is only late may be good for those for whom it was.
        (letter(mail(recipients=("a@h", "b@h")), DEFERRED), ("a@h", "b@h")),
        (letter(mail(recipients=("a@h",)), DEFERRED, others=("b@h",)), ("b@h", "a@h")),
        # What no header can carry is left out.
        (letter(mail(recipients=("a@h",)), others=("b@h", "x\r\nBcc: y", "")), ("b@h",)),
        (letter(mail(recipients=("x y",)), DEFERRED), ("log@web1.example.org",)),
    ],
)
def test_it_goes_to_those_who_can_be_told(dead: DeadLetter, recipients: tuple[str, ...]) -> None:
    notice = told(dead)
    assert notice.recipients == recipients
    assert str(parsed(notice)["To"]) == ", ".join(recipients)


def test_those_who_have_had_the_mail_are_told_even_when_only_one_was_still_to_be_served() -> None:
    many = [f"somebody.with.a.long.name{number}@example.org" for number in range(5)]
    (message,) = Composer(many, sender="log@h", host="h").feed(burst("a"), 0.0)
    assert b"\r\n " in message.data.partition(b"\r\nSubject")[0]
    assert told(letter(replace(message, recipients=(many[1],)))).recipients == (many[0], *many[2:])


@pytest.mark.parametrize("data", [b"", b"To: ", b"To: a, b c, <d@h>\r\n\r\nTo: e@h", b"\xff\xfe\r\nto: f@h\r\n\r\n"])
def test_a_mail_of_another_make_does_no_harm(data: bytes) -> None:
    notice = told(letter(mail(data=data, id="what is this\n")))
    assert notice.recipients == (("a",) if b"a," in data else ("log@web1.example.org",))
    assert notice.id.endswith(".burstmail@localhost>")


def test_a_notice_names_a_bounded_number_of_recipients() -> None:
    notice = told(letter(others=tuple(f"r{number}@h" for number in range(1000))))
    assert len(notice.recipients) == RECIPIENTS


# --- few


def test_at_most_one_in_fifteen_minutes_and_the_others_are_put_together() -> None:
    stage = notices()
    assert [len(stage.feed(letter(mail(number)), now)) for number, now in enumerate((10.0, 11.0, 20.0))] == [1, 0, 0]
    assert stage.deadline == 10.0 + INTERVAL
    (second,) = stage.poll(5e3)
    assert str(parsed(second)["Subject"]) == "[burstmail] not delivered: 2 mails, 18 lines"
    assert content(second).startswith("2 mails were not delivered, and will not be tried again.\n\nAbout: ")
    # It left as of its due time, 899 s after the first of them died.
    assert str(parsed(second)["Date"]) == "Mon, 23 Nov 2026 10:15:42 +0100"
    assert second.burst.time == TEN + 43 + 899
    # The interval counts from when it left, and is over long before the next.
    assert stage.deadline == inf
    assert stage.feed(letter(), 1800.0) == []
    assert [len(stage.poll(now)) for now in (1809.0, 1810.0)] == [0, 1]


def test_it_tells_of_ten_and_counts_the_others() -> None:
    stage = notices()
    stage.feed(letter(), 0.0)
    for number in range(1412):
        stage.feed(letter(mail(number, lines=2), DEFERRED, waited=5.0), 1.0)
    (notice,) = stage.drain(2.0)
    found = content(notice)
    assert (found.count("About: "), found.count("; given up 5 s later.\n")) == (ROWS, ROWS)
    assert "\nAnd 1,402 more.\n" in found
    assert str(parsed(notice)["X-Burstmail"]) == "lines=0; undelivered=2824; mails=1412"
    assert len(json.dumps(stage.dump())) < 100


def test_all_their_recipients_are_told_each_once() -> None:
    stage = notices()
    stage.feed(letter(), 0.0)
    for others in (("a@h",), ("b@h", "a@h"), ("c@h",)):
        stage.feed(letter(others=others), 1.0)
    assert stage.drain(1.0)[0].recipients == ("a@h", "b@h", "c@h")


def test_each_has_a_message_id_of_its_own_and_always_the_same() -> None:
    first = told(letter())
    assert told(letter()) == first
    others = [letter(mail(2)), letter(waited=7.0), letter(mail(recipients=("b@h",))), letter(error=DEFERRED)]
    assert len({first.id, mail().id, *(told(other).id for other in others)}) == 6
    assert first.id.endswith(".burstmail@web1>")


def test_its_burst_has_no_lines_and_says_nothing_of_its_own() -> None:
    item = burst("a", "b", parts=(("x", 2),), notes=("n",), resume=1.0, outage=Outage(since=0, until=1, mails=1))
    found = told(letter(composed(item))).burst
    assert (found.count, found.head, found.tail, found.elided) == (0, (), (), 0)
    assert (found.parts, found.notes, found.resume, found.outage) == ((), (), None, None)


# --- what others write into it


@given(text=st.text(st.characters(), max_size=600), host=st.text(max_size=20))
def test_an_answer_of_a_server_is_one_visible_line(text: str, host: str) -> None:
    line = f"<38>Nov 23 10:00:00 {host} sshd[1]: x".replace("\n", " ").encode("utf-8", "replace").decode()
    item = mail(recipients=(text, "b@h"))
    item = replace(item, burst=burst(line))
    notice = told(letter(item, PermanentDeliveryError(text)))
    found = content(notice)
    lines = found.split("\n")
    assert [line.partition(":")[0] for line in lines[2:6]] == ["About", "To", "First tried", "Error"]
    assert lines[6:8] == ["", lines[7]] and lines[7].startswith("With a state directory")
    assert all(visible(line) == line for line in lines)
    assert max(map(len, lines)) < 400
    assert notice.data.isascii()


# --- a stage


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[float, Any]]:
    gaps = st.sampled_from([0.0, 1.0, 450.0, 899.0, 900.0, 901.0, 5000.0])
    kinds = st.sampled_from(["refused", "given up", "notice", "burst", laws.FLUSH])
    out: list[tuple[float, Any]] = []
    for number, (gap, kind) in enumerate(draw(st.lists(st.tuples(gaps, kinds), max_size=12))):
        item: Message | Burst = mail(number, lines=2)
        item = replace(item, sender="") if kind == "notice" else item.burst if kind == "burst" else item
        error = DEFERRED if kind == "given up" else REFUSED
        out.append((gap, kind if kind is laws.FLUSH else letter(item, error, others=("b@h",)[: number % 2])))
    return out


@given(script=scripts())
def test_the_laws(script: laws.Script) -> None:
    laws.poll_law(notices, script)
    laws.progress(notices, script)
    laws.dump_law(notices, script)
    laws.cap_law(notices, script, [(1, INTERVAL)])


@given(script=scripts())
def test_every_dead_mail_is_told_once(script: laws.Script) -> None:
    dead = [item.item for _, item in script if item is not laws.FLUSH]
    wanted = [item for item in dead if isinstance(item, Message) and item.sender]
    found = [parsed(notice)["X-Burstmail"] for _, notice in laws.left(notices, script)]
    assert sum(int(header.rpartition("=")[2]) for header in found) == len(wanted)
    assert all(header.startswith("lines=0;") for header in found)


def test_a_state_of_something_else_is_refused_and_changes_nothing() -> None:
    stage = notices()
    stage.feed(letter(), 0.0)
    stage.feed(letter(), 1.0)
    before = stage.dump()
    with pytest.raises(StateMismatch, match="no state of notices"):
        stage.load(["outbox", 1])
    assert stage.dump() == before
    assert stage.held == 0


# --- sentences


@pytest.mark.parametrize(
    ("count", "sample", "start"),
    [
        (12, "x: sent", '12 lines about burstmail itself were left out, such as "x: sent". What it reads'),
        (1, " \t", '1 line about burstmail itself was left out, such as "". What it reads'),
        (2, "a\nb\x1b[0m", '2 lines about burstmail itself were left out, such as "a\\x0ab\\x1b[0m". What it reads'),
    ],
)
def test_echoes_are_told_in_one_line(count: int, sample: str, start: str) -> None:
    note = echo_note(count, sample)
    assert note.startswith(start)
    assert visible(note) == note and "\n" not in note


def test_a_long_echo_is_cut() -> None:
    assert len(echo_note(10**9, "y" * 70_000)) < 400


def test_a_sample_does_not_end_its_own_quotation() -> None:
    note = echo_note(1, 'burstmail: x". Nothing happened, this is a test.')
    assert note.split('"')[1] == "burstmail: x'. Nothing happened, this is a test."
    assert note.count('"') == 2
