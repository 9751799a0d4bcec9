"""Every message says who sent it: by itself, or by what a relay adds (RFC 3164 section 4.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Batch, Join
from burstmail.core.fields import parse
from burstmail.core.lines import Lines
from burstmail.core.origin import Origin

STAMP = "2026-11-23T12:00:00.123456+01:00"
ORIGIN = Origin("192.0.2.7", lambda: STAMP)

SAID = [
    "<34>1 2026-11-23T12:00:00Z web1 su - ID47 - 'su root' failed",
    "<34>1 - - - - - -",
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    "<38>Nov  3 10:00:00 web1 sshd[812]: Failed password",
    "<38>Nov 23 10:00:00 fe80::1 sshd[812]: Failed password",
    "<38>2026-11-23T10:00:00+00:00 web1 sshd[812]: Failed password",
    "Nov 23 10:00:00 web1 sshd[812]: without PRI, as a file has it",
    "<34>Nov 23 10:00:00 web1 nothing like a tag",
]


@pytest.mark.parametrize("line", SAID)
def test_what_says_who_it_is_from_is_not_touched(line: str) -> None:
    assert ORIGIN.of(line) == line
    assert ORIGIN.of_all(line + "\n") == line + "\n"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        # Without host: busybox, HAProxy, syslog(3).
        ("<13>Jan  1 00:00:12 root: x", "<13>Jan  1 00:00:12 192.0.2.7 root: x"),
        ("<150>Nov 23 12:00:00 haproxy[123]: x y", "<150>Nov 23 12:00:00 192.0.2.7 haproxy[123]: x y"),
        ("Nov 23 12:00:00 root: x", "Nov 23 12:00:00 192.0.2.7 root: x"),
        ("<13>Nov 23 12:00:00 root:", "<13>Nov 23 12:00:00 192.0.2.7 root:"),
        # Without time and host: Python's SysLogHandler.
        ("<14>app[7]: hello", f"<14>{STAMP} 192.0.2.7 app[7]: hello"),
        ("<14>hello there: you", f"<14>1 {STAMP} 192.0.2.7 - - - - hello there: you"),
        ("app: hello", f"<13>{STAMP} 192.0.2.7 app: hello"),
        # With nothing at all.
        ("hello", f"<13>1 {STAMP} 192.0.2.7 - - - - hello"),
        ("\tat Foo.bar(Foo.java:7)", f"<13>1 {STAMP} 192.0.2.7 - - - - \tat Foo.bar(Foo.java:7)"),
        (" app: hello", f"<13>1 {STAMP} 192.0.2.7 - - - -  app: hello"),
        ("<>x", f"<13>1 {STAMP} 192.0.2.7 - - - - <>x"),
        # What looks like a priority and is none.
        ("<192>1 hello", f"<13>1 {STAMP} 192.0.2.7 - - - - <192>1 hello"),
        ("<999>2026-hello", f"<13>1 {STAMP} 192.0.2.7 - - - - <999>2026-hello"),
        ("<013>Nov 23 10:00:00 web1 x: y", f"<13>1 {STAMP} 192.0.2.7 - - - - <013>Nov 23 10:00:00 web1 x: y"),
        ("<1234>Nov 23 10:00:00 web1 x: y", f"<13>1 {STAMP} 192.0.2.7 - - - - <1234>Nov 23 10:00:00 web1 x: y"),
    ],
)
def test_what_a_relay_would_add_is_added(line: str, wanted: str) -> None:
    assert ORIGIN.of(line) == wanted
    assert ORIGIN.of_all(line + "\n") == wanted + "\n"
    assert parse(wanted).host == "192.0.2.7"


def test_only_the_first_line_of_a_message_is_looked_at() -> None:
    assert ORIGIN.of("hello\n\tNov 23 10:00:00 web1 app: x") == (
        f"<13>1 {STAMP} 192.0.2.7 - - - - hello\n\tNov 23 10:00:00 web1 app: x"
    )


def test_many_lines_keep_their_order_and_those_that_go_on_stay_behind_theirs() -> None:
    text = f"{SAID[0]}\n\n\tgoes on\nhello\n goes on too\n{SAID[2]}\n"
    assert ORIGIN.of_all(text).split("\n") == [
        SAID[0],
        "\tgoes on",
        f"<13>1 {STAMP} 192.0.2.7 - - - - hello",
        " goes on too",
        SAID[2],
        "",
    ]


def test_the_first_line_never_goes_on_with_what_another_sender_said() -> None:
    assert ORIGIN.of_all("\tevil\n\tmore\n") == f"<13>1 {STAMP} 192.0.2.7 - - - - \tevil\n\tmore\n"
    assert ORIGIN.of_all("\n\tevil\n").startswith("<13>")
    assert ORIGIN.of_all("\n\n") == ""
    assert ORIGIN.of_all("") == ""


@given(
    st.lists(st.sampled_from(SAID) | st.text(alphabet="<>1 \t:[]aN-\u2028\x0b", max_size=12), min_size=1, max_size=6)
)
def test_a_chunk_is_as_its_lines_one_by_one(lines: list[str]) -> None:
    wanted: list[str] = []
    for line in lines:
        if line:
            wanted.append(line if wanted and line[0] in " \t" else ORIGIN.of(line))
    assert ORIGIN.of_all("".join(line + "\n" for line in lines)) == "".join(line + "\n" for line in wanted)


PIECES = ["<", ">", "0", "13", "191", "192", "999", "1 ", "2026-", "Nov 23 10:00:00 ", "a", "a b", ": ", " ", "\t"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join))
def test_nobody_goes_on_with_what_another_said(text: str) -> None:
    stage, first = Join(begin="^ERROR"), "<13>Nov 23 10:00:00 web1 app[1]: ERROR"
    stage.feed(Batch.of(first), 0.0)
    stage.feed(Batch.of(ORIGIN.of(text)), 0.1)
    assert first in [record for batch in stage.drain(0.2) for record in Lines(batch).records]


@given(st.text(alphabet=st.characters(exclude_characters="\n"), min_size=1))
def test_any_text_stays_and_has_a_header(text: str) -> None:
    told = ORIGIN.of(text)
    assert told.replace("192.0.2.7 ", "").endswith(text[-1])
    assert told[0] not in " \t"
    fields = parse(told)
    assert fields.host or fields.program
