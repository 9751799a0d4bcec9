"""Echoes of burstmail's own mail: what is one, what only looks like one, and that none is hidden."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import laws
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compose import burst, composed

from burstmail.core.aggregate import Aggregator
from burstmail.core.echo import IDS, SAMPLE, Echo
from burstmail.core.flow import Flow
from burstmail.core.model import Batch, Burst
from burstmail.core.stage import Stage
from burstmail.errors import StateMismatch

DIGITS = "0123456789abcdef" * 2
ID = f"<{DIGITS}.burstmail@web1.example.org>"

OWN = [
    "<38>Nov 23 10:00:00 web1 burstmail[812]: sent 3 mails",
    "Nov 23 10:00:00 web1 burstmail: no pid",
    "Nov 23 10:00:00 burstmail[812]: no host",
    "2026-11-23T10:00:00.123456+01:00 web1 burstmail[812]: an ISO stamp",
    "<30>1 2026-11-23T10:00:00Z web1 burstmail 812 - - RFC 5424",
]
# As Postfix, Exim, sendmail and OpenSMTPD log a Message-ID.
LOGGED = [
    f"<22>Nov 23 10:00:00 web1 postfix/cleanup[9]: 4F2A1C0: message-id={ID}",
    f"Nov 23 10:00:00 web1 exim[9]: 1abc-0002-3d <= root@web1 U=root P=local S=812 id={ID[1:-1]}",
    f"Nov 23 10:00:00 web1 sendmail[9]: xANA0: from=root, size=812, nrcpts=1, msgid={ID}, relay=root@localhost",
    f"a line without a header {ID}",
    f"{ID[1:-1]} in front",
    f"another first: {'f' * 32}.burstmail@web1 and then {ID}",
]
OTHERS = [
    "Nov 23 10:00:00 web1 sshd[8]: Failed password for invalid user burstmail from 192.0.2.7",
    "Nov 23 10:00:00 burstmail sshd[8]: a host of that name",
    "Nov 23 10:00:00 web1 burstmail2[8]: another program",
    "Nov 23 10:00:00 web1 sshd[8]: burstmail[812]: a name in the text",
    "burstmail[812]: without a stamp",
    f"Nov 23 10:00:00 web1 sshd[8]: Failed password for {'f' * 32}.burstmail@web1.example.org",
    f"Nov 23 10:00:00 web1 sshd[8]: {DIGITS}@web1.example.org",
    f"Nov 23 10:00:00 web1 sshd[8]: {DIGITS[1:]}.burstmail@web1.example.org",
    f"Nov 23 10:00:00 web1 sshd[8]: a.burstmail@b {DIGITS}",
    ".burstmail@",
    "",
]


def echo(program: str = "burstmail") -> Echo:
    made = Echo(program)
    made.know(ID)
    return made


def passed(stage: Echo, *lines: str) -> list[str]:
    return [line for batch in stage.feed(Batch.of(lines), 0.0) for line in batch.lines]


@pytest.mark.parametrize("line", [*OWN, *LOGGED])
def test_an_echo_is_taken_out(line: str) -> None:
    stage = echo()
    assert stage.feed(Batch.of(line), 0.0) == []
    assert stage.take() == (1, line[:SAMPLE])


@pytest.mark.parametrize("line", OTHERS)
def test_a_word_in_a_line_is_no_echo(line: str) -> None:
    stage = echo()
    batch = Batch.of([line])
    assert stage.feed(batch, 0.0) == [batch]
    assert (stage.taken, stage.count) == (0, 0)


def test_other_lines_of_the_batch_pass_in_order_under_its_own_stamps() -> None:
    stage = echo()
    batch = replace(Batch.of(["a", OWN[0], "b", LOGGED[0], "c"], time=7.0), epoch="e", seq=3, gone=1)
    assert stage.feed(batch, 0.0) == [replace(batch, text="a\nb\nc\n", count=3)]


def test_a_batch_without_echoes_is_handed_on_as_it_is() -> None:
    stage = echo()
    for batch in (Batch.of("nothing\nof ours"), Batch.of(OTHERS)):
        (same,) = stage.feed(batch, 0.0)
        assert same is batch


def test_the_mail_that_is_composed_is_recognised() -> None:
    stage = Echo()
    message = composed(burst("disk failed"))
    line = f"Nov 23 10:00:00 web1 postfix/cleanup[9]: 4F2A1C0: message-id={message.id}"
    assert passed(stage, line) == [line]
    stage.know(message.id)
    assert passed(stage, line) == []


@pytest.mark.parametrize("id", ["<1@web1>", "", "<abc.burstmail@web1>", f"<{DIGITS}@web1>", ".burstmail@"])
def test_an_id_of_another_make_is_not_recognised_and_does_no_harm(id: str) -> None:
    stage = Echo()
    stage.know(id)
    line = f"Nov 23 10:00:00 web1 postfix/cleanup[9]: 4F2A1C0: message-id={id}"
    assert passed(stage, line, id) == [line, id]


def test_what_was_taken_is_told_once_and_counted_for_ever() -> None:
    stage = echo()
    passed(stage, "a", *OWN)
    passed(stage, *LOGGED)
    assert (stage.taken, stage.count) == (11, 11)
    assert stage.take() == (11, OWN[0])
    assert stage.take() == (0, "")
    passed(stage, LOGGED[3])
    assert stage.take() == (1, LOGGED[3])
    assert stage.count == 12


def test_only_the_last_hundred_ids_are_kept() -> None:
    stage = echo()
    ids = [f"<{number:032x}.burstmail@web1>" for number in range(IDS)]
    for id in ids[:-1]:
        stage.know(id)
    # Sent again: it counts as new.
    stage.know(ID)
    stage.know(ids[-1])
    assert passed(stage, ids[0], ID, *ids[1:]) == [ids[0]]
    assert len(stage.dump()[2]) == IDS


def test_the_line_that_is_shown_is_cut() -> None:
    stage = echo()
    passed(stage, OWN[0] + "x" * 70_000)
    assert stage.take() == (1, (OWN[0] + "x" * 70_000)[:SAMPLE])


@pytest.mark.parametrize("program", ["mailer", "burstmail-web", "my.burst"])
def test_another_program_has_its_own_name(program: str) -> None:
    stage = echo(program)
    line = f"Nov 23 10:00:00 web1 {program}[812]: sent"
    assert passed(stage, line, OWN[0], LOGGED[0]) == [OWN[0]]


def test_without_a_name_only_ids_count() -> None:
    assert passed(echo(""), *OWN, *LOGGED, *OTHERS) == [*OWN, *OTHERS]


def test_it_survives_a_restart() -> None:
    stage = echo()
    passed(stage, OWN[0], "a")
    fresh = Echo()
    fresh.load(json.loads(json.dumps(stage.dump())))
    assert fresh.dump() == stage.dump()
    assert passed(fresh, LOGGED[0]) == []
    assert (fresh.take(), fresh.count) == ((2, OWN[0]), 2)
    with pytest.raises(StateMismatch, match="no state of echo"):
        fresh.load(["caps", 1])
    assert fresh.count == 2


PIECES = st.sampled_from(
    [
        *OWN,
        *LOGGED,
        *OTHERS,
        "burstmail",
        "burstmai",
        ".burstmail@",
        DIGITS,
        "<38>",
        "Nov 23 10:00:00 ",
        " ",
        "[",
        ":",
        "ä",
    ]
)
lines = st.lists(
    st.lists(PIECES | st.text(st.characters(blacklist_categories=["Cs"]), max_size=9), max_size=4), max_size=8
)


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[float, Any]]:
    texts = [["".join(line).replace("\n", " ") for line in draw(lines)] for _ in range(draw(st.integers(0, 4)))]
    return [(1.0, replace(Batch.of(text), epoch="e", seq=seq)) for seq, text in enumerate(texts, 1)]


@given(script=scripts())
def test_poll_law_progress_and_dump(script: laws.Script) -> None:
    laws.poll_law(echo, script)
    laws.progress(echo, script)
    laws.dump_law(echo, script)


@given(script=scripts())
def test_no_line_is_lost_changed_or_moved(script: laws.Script) -> None:
    whole, single = echo(), echo()
    for _, batch in script:
        out = passed(whole, *batch.lines)
        # The batch law: line by line, the same lines pass.
        assert out == [line for line in batch.lines if passed(single, line)]
        assert len(out) + whole.take()[0] == batch.count
        rest = iter(batch.lines)
        assert all(line in rest for line in out)


def test_it_is_a_stage() -> None:
    stage: Stage[Batch, Batch] = Echo()
    assert [*stage.poll(1.0), *stage.flush(1.0), *stage.drain(1.0)] == []
    assert stage.held == 0


HOSTILE = {
    "names": "burstmail" * 7000,
    "marks": ".burstmail@" * 6000,
    "digits": DIGITS * 2000,
    "letters": "b" * 65536,
    "lines": "burstmail\n" * 6000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_batch_costs_no_more_than_a_few_scans(text: str) -> None:
    from time import process_time

    stage = echo()
    for number in range(IDS):
        stage.know(f"<{number:032x}.burstmail@web1>")
    batch = Batch.of(text)
    start = process_time()
    stage.feed(batch, 0.0)
    assert process_time() - start < 0.5


def test_a_day_of_echoes_starts_no_burst_and_is_told_in_the_next_one() -> None:
    flow = Flow(Aggregator(gap=5), epoch="e")
    for second in range(0, 86400, 10):
        assert flow.feed(flow.stamp(Batch.of(f"Nov 23 10:00:00 web1 burstmail[812]: {second}"), 1.0), second) == []
        assert flow.held == 0
    fresh = Flow(Aggregator(gap=5))
    state = json.dumps(flow.dump())
    assert len(state) < 2000
    fresh.load(json.loads(state))
    fresh.feed(fresh.stamp(Batch.of(["disk failed", OWN[0]]), 86400.0), 86400.0)
    (attempt,) = fresh.poll(86500.0)
    assert isinstance(attempt.item, Burst)
    assert (attempt.item.head, attempt.item.count) == (("disk failed",), 1)
    (note,) = attempt.item.notes
    assert note.startswith(
        '8,641 lines about burstmail itself were left out, such as "Nov 23 10:00:00 web1 burstmail[812]: 0".'
    )
    fresh.settle({}, 86500.0)
    fresh.feed(fresh.stamp(Batch.of("again"), 86500.0), 86500.0)
    (attempt,) = fresh.poll(86600.0)
    assert isinstance(attempt.item, Burst)
    assert attempt.item.notes == ()
