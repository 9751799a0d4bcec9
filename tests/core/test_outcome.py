"""A burst of something that has ended: what ran, how it ended, and what a mail says of both."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from typing import Any

import pytest

from burstmail import Batch, Burst, CloseReason, Composer, Excerpt, Message, Session
from burstmail.core.fold import dump_burst, fold, restored_burst

TEN = 1795424400.0


def ended(made: Burst, ran: str = "backup.sh --all", outcome: str = "exit status 3 after 2 min 5 s") -> Burst:
    """Lines of a command that has ended."""
    return replace(made, ran=ran, outcome=outcome)


def burst(*lines: str, **more: str) -> Burst:
    """Such lines, or none."""
    if lines:
        session = Session()
        session.feed(Batch.of(lines, time=TEN, source="/opt/backup.sh"), 0.0)
        return ended(session.close(1.0, CloseReason.END), **more)
    times = dict.fromkeys(("first", "last", "closed", "time"), TEN)
    place: dict[str, Any] = {"epoch": "e", "seq": 0, "gone": 0, "sources": (("backup.sh", 0),)}
    return ended(Burst(key="", excerpt=Excerpt.of(()), reason=CloseReason.END, **times, **place), **more)


def mail(made: Burst) -> Message:
    (message,) = Composer("root", sender="root@example.org", host="example.org", zone=UTC).feed(made, 0.0)
    return message


def text(made: Burst) -> str:
    return mail(made).readable().split("\n\n", 1)[1]


def subject(made: Burst) -> str:
    return next(line[9:] for line in mail(made).readable().splitlines() if line.startswith("Subject: "))


def test_how_it_ended_is_the_first_sentence_and_in_the_subject() -> None:
    made = burst("copying", "disk full")
    assert text(made).startswith("backup.sh --all: exit status 3 after 2 min 5 s. 2 lines from backup.sh.\n")
    assert subject(made) == "[burstmail] backup.sh: exit status 3 after 2 min 5 s, 2 lines: copying"


def test_no_lines_are_a_mail_too() -> None:
    made = burst()
    assert text(made) == (
        "backup.sh --all: exit status 3 after 2 min 5 s. No lines.\n\n"
        "Seen: 09:00:00, Mon 23 Nov 2026 (UTC).\n"
        "Shown: no lines, for there are none.\n\n"
        "-- \n" + text(made).rpartition("-- \n")[2]
    )
    assert subject(made) == "[burstmail] backup.sh: exit status 3 after 2 min 5 s"
    assert b"\r\nX-Burstmail: lines=0; shown=0; left-out=0; bursts=1\r\n" in mail(made).data


def test_an_end_of_nothing_that_has_a_name_begins_a_sentence() -> None:
    made = burst("a", ran="", outcome="end not seen")
    assert text(made).startswith("End not seen. 1 line from backup.sh.\n")


def test_a_command_without_a_known_end_is_named() -> None:
    assert text(burst("a", outcome="")).startswith("backup.sh --all. 1 line from backup.sh.\n")
    assert subject(burst("a", outcome="")) == "[burstmail] backup.sh: 1 line: a"


def test_a_command_names_itself_and_a_file_is_told_otherwise() -> None:
    assert "Read from:" not in text(burst("a"))
    assert "Read from: /opt/backup.sh." in text(burst("a", ran=""))


@pytest.mark.parametrize("name", ["ran", "outcome"])
def test_neither_can_say_more_than_one_line_or_be_what_it_is_not(name: str) -> None:
    made = burst("a", **{name: "x\n\nShown: nothing\x1b[2J\u202e" + "y" * 5000})
    body = text(made)
    assert "\nShown: nothing" not in body
    assert "\x1b" not in body
    assert "\u202e" not in body
    assert max(map(len, body.splitlines())) < 400
    assert "\n" not in subject(made)
    assert len(subject(made)) <= 150


@pytest.mark.parametrize("name", ["ran", "outcome"])
def test_a_secret_in_either_is_taken_out(name: str) -> None:
    made = burst("a", **{name: "curl https://bob:hunter2@example.org/ --password=hunter3"})
    data = mail(made).readable() + mail(made).data.decode()
    assert "hunter" not in data


@pytest.mark.parametrize("made", [burst("a", "b"), burst(), burst("a", ran="", outcome="")])
def test_both_survive(made: Burst) -> None:
    state = json.loads(json.dumps(dump_burst(made)))
    again = restored_burst(state)
    assert (again.ran, again.outcome, again.count) == (made.ran, made.outcome, made.count)
    assert dump_burst(again) == state


def test_what_was_dumped_before_there_was_such_a_thing_has_none() -> None:
    state = dump_burst(burst("a"))
    assert restored_burst([*state[:4], state[4][:-2], *state[5:]]).outcome == ""


def test_of_several_the_last_that_is_known_is_told() -> None:
    first, second = burst("a", outcome="done"), burst("b", outcome="exit status 1")
    assert fold(first, second).outcome == "exit status 1"
    assert fold(first, burst("b", ran="", outcome="")).outcome == "done"
    assert fold(first, burst("b", ran="", outcome="")).ran == "backup.sh --all"
    assert fold(first, burst()).count == 1


def edge(made: Burst) -> str:
    page = message_from_bytes(mail(made).data, policy=policy.default).get_body(("html",))
    assert page is not None
    found = re.search(r'<td class="in (t[ewi])"', page.get_content())
    assert found
    return found[1]


def test_a_failure_looks_like_an_error_whatever_its_lines_say() -> None:
    failure = replace(burst("<38>a"), failed=True)
    assert edge(failure) == edge(replace(burst(), failed=True)) == "te"
    assert edge(burst("<38>a")) == edge(burst()) == "ti"


def test_a_failure_survives_and_is_not_forgotten_beside_a_success() -> None:
    failure = replace(burst("a"), failed=True)
    state = json.loads(json.dumps(dump_burst(failure)))
    assert restored_burst(state).failed
    assert not restored_burst([*state[:4], state[4][:-1], *state[5:]]).failed
    assert fold(failure, burst("b")).failed and fold(burst("b"), failure).failed
    assert not fold(burst("a"), burst("b")).failed
