"""Filters: the same answer for one line and for a whole batch, by whatever way; and what Admit lets pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import laws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import ANYTHING, Admit, Batch, Fields, Filter, StateMismatch, at_least, contains, match, where
from burstmail.core.admit import Judge
from burstmail.core.columns import COLUMNS, MESSAGE
from burstmail.core.fields import parse
from burstmail.core.lines import Lines

KERNEL = "<4>Nov 23 12:00:00 web1 kernel: usb 1-1: USB disconnect, device number 4"
FAILED = "<38>Nov 23 12:00:00 web1 sshd[77]: Failed password for root"
OPENED = '<38>1 2026-11-23T12:00:00Z web2 login 9 ID47 [meta sequenceId="17" x="a\\]b"] \ufeffsession opened'
PLAIN = "  no header at all, kernel or not"


def passing(filter: Filter, lines: list[str], **more: Any) -> list[str]:
    """What passes of a batch; and each line by itself says the same."""
    batch = Batch(text="".join(f"{line}\n" for line in lines), count=len(lines), **more)
    # All columns, and no more than it asks for, as Admit does it.
    for view in (Lines(batch), Lines(batch, filter.columns)):
        found = view.take(filter.lines(view)).lines if filter.lines(view) else []
        assert found == [line for line in lines if filter(line)]
    return found


# What a header says.


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        ({"program": "kernel"}, [KERNEL]),
        ({"program": ["sshd", "login"]}, [FAILED, OPENED]),
        ({"program": "*n*"}, [KERNEL, OPENED]),
        ({"program": "?shd"}, [FAILED]),
        ({"program": "Kernel"}, []),
        ({"program": "kern"}, []),
        ({"program": ""}, [PLAIN]),
        ({"host": "web1"}, [KERNEL, FAILED]),
        ({"host": "web*", "program": "login"}, [OPENED]),
        ({"pid": "7?"}, [FAILED]),
        ({"facility": "kern"}, [KERNEL]),
        ({"facility": ["auth*", "local7"]}, [FAILED, OPENED]),
        ({"severity": "info"}, [FAILED, OPENED]),
        ({"severity": ["warn", "error"]}, [KERNEL]),
        ({"data": {"meta.sequenceId": "1*"}}, [OPENED]),
        ({"data": {"meta.x": "a]b"}}, [OPENED]),
        ({"data": {"meta.sequenceId": ["2", "3"]}}, []),
        ({"data": {"meta.other": "*"}}, []),
        ({"data": {"origin.sequenceId": "*"}}, []),
        ({"data": {"meta.sequenceId": "17", "meta.x": "b"}}, []),
    ],
)
def test_match_asks_what_the_header_says(asked: dict[str, Any], passes: list[str]) -> None:
    lines = [KERNEL, FAILED, OPENED, PLAIN]
    assert passing(match(**asked), lines) == passes
    # Many more lines go another way.
    assert passing(match(**asked), lines * 30) == passes * 30 if len(passes) < 2 else True
    assert set(passing(match(**asked), lines * 30)) == set(passes)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "match: name at least one of host, program"),
        ({"program": []}, "program: name at least one"),
        ({"facility": "kernel"}, "facility 'kernel': use kern, user, mail"),
        ({"severity": ["err", "bad"]}, "severity 'bad': use emerg, alert"),
        ({"data": {"meta": "1"}}, "data 'meta': write SD-ID.PARAM-NAME"),
        ({"data": {".x": "1"}}, "data '.x': write SD-ID.PARAM-NAME"),
        ({"data": {"meta.": "1"}}, "data 'meta.': write SD-ID.PARAM-NAME"),
        ({"data": {"meta.x": []}}, "data 'meta.x': name at least one"),
        ({"data": {}}, "match: name at least one"),
    ],
)
def test_what_match_cannot_mean_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        match(**asked)


def test_a_name_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match="pid: 7 is no string"):
        match(pid=[7])  # type: ignore[list-item]  # what a user may do


def test_at_least_counts_from_emerg() -> None:
    lines = [f"<{8 + severity}>Nov 23 12:00:00 h p: x" for severity in range(8)]
    assert passing(at_least("warning"), [*lines, PLAIN]) == lines[:5]
    assert passing(at_least("warn"), lines * 9) == lines[:5] * 9
    assert passing(at_least("emerg"), lines) == lines[:1]
    for wrong in ("*", "warnings", "e*", ""):
        with pytest.raises(ValueError, match="at_least '.*': use emerg, alert"):
            at_least(wrong)


def test_a_level_without_a_priority_counts_as_well() -> None:
    lines = ["kern  :err   : [12345.678901] usb 1-1: no", "Jan  1 00:00:12 host user.notice root: hello", PLAIN]
    lines.append("*Mar  1 18:46:11.123: %SYS-4-CONFIG_I: Configured from console")
    assert passing(at_least("err"), lines * 20) == lines[:1] * 20
    assert passing(match(severity="warning"), lines * 20) == lines[3:] * 20
    assert passing(match(facility="user"), lines * 20) == lines[1:2] * 20


def test_the_ring_buffer_is_the_kernels_though_it_does_not_say_so() -> None:
    lines = ["[12345.678901] usb 1-1: USB disconnect", "<6>[    1.000000] hello", FAILED]
    assert passing(match(program="kernel"), lines * 20) == lines[:2] * 20
    assert passing(match(program="kernel"), [FAILED] * 20) == []
    assert passing(match(program="kernel"), [*[FAILED] * 20, lines[1]]) == [lines[1]]


# What a message says.


def test_contains_searches_the_message_and_not_the_header() -> None:
    lines = [KERNEL, FAILED, OPENED, PLAIN]
    assert passing(contains("web|sshd|kernel"), lines) == [PLAIN]
    assert passing(contains("^usb"), lines) == [KERNEL]
    assert passing(contains("^Failed .*root$"), lines * 20) == [FAILED] * 20
    assert passing(contains("77"), lines * 20) == []
    assert passing(contains("Failed", "opened$"), lines) == [FAILED, OPENED]
    assert passing(contains("^session opened$"), lines * 20) == [OPENED] * 20
    assert passing(contains("sequenceId"), lines * 20) == []
    # Whoever asks for the message alone does not get the pid with it.
    assert passing(contains("^Failed"), lines * 20) == [FAILED] * 20
    assert passing(contains("77]"), lines * 20) == []
    assert passing(contains("failed|USB DISC", ignore_case=True), lines * 20) == [KERNEL, FAILED] * 20


@pytest.mark.parametrize("end", ["x", "[0-9]"])
@pytest.mark.parametrize("header", ["", "<38>Nov 23 12:00:00 web1 sshd[77]: "])
@pytest.mark.parametrize("many", [1, 50])
def test_an_expression_sees_no_more_than_the_first_4096_characters(end: str, header: str, many: int) -> None:
    sign = "x" if end == "x" else "7"
    seen, unseen = header + "a" * (MESSAGE - 1) + sign, header + "a" * MESSAGE + sign
    assert passing(contains(end), [seen, unseen] * many) == [seen] * many
    assert passing(contains("a$"), [seen, unseen] * many) == [unseen] * many


def test_letters_outside_ascii_may_be_others_when_case_does_not_matter() -> None:
    # U+017F is a lower-case s, U+212A the sign of kelvin.
    lines = ["pa\u017f\u017fword", "PASSWORD", "\u212aelvin", "other"]
    assert passing(contains("password|kelvin", ignore_case=True), lines * 9) == lines[:3] * 9
    assert passing(contains("pa\u017fsword", ignore_case=True), lines[1:] * 9) == lines[1:2] * 9


@pytest.mark.parametrize(
    ("expressions", "said"),
    [
        ((), "contains: name at least one regular expression"),
        (("ok", "a(b"), "contains 'a(b': missing ), unterminated subpattern at character 2"),
        (("*",), "contains '*': nothing to repeat at character 1"),
        (("a{99999999999999999999}",), "contains 'a{9"),
    ],
)
def test_a_bad_expression_is_named_with_its_place(expressions: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        contains(*expressions)


def test_an_expression_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match="contains: b'a' is no string"):
        contains(b"a")  # type: ignore[arg-type]  # what a user may do


# Together.


def test_filters_compose() -> None:
    lines = [KERNEL, FAILED, OPENED, PLAIN]
    usb = match(program="kernel") & contains("USB device|USB disconnect")
    assert passing(usb, lines) == [KERNEL]
    assert passing(usb | match(host="web2"), lines) == [KERNEL, OPENED]
    assert passing(~usb & ~match(program="login") & ANYTHING, lines) == [FAILED, PLAIN]
    assert passing(~ANYTHING, lines) == []
    assert passing(where(lambda fields: fields.pid.isdigit() and int(fields.pid) > 9), lines) == [FAILED]


def test_a_function_is_asked_only_of_what_all_else_lets_pass() -> None:
    asked: list[str] = []

    def even(fields: Fields) -> bool:
        asked.append(fields.program)
        return True

    view = Lines(Batch.of([KERNEL, FAILED, OPENED]))
    (where(even) & match(program="login")).lines(view)
    assert asked == ["login"]


def test_an_exception_of_the_function_passes_through_and_changes_nothing() -> None:
    stage = Admit(match(program="sshd") & where(lambda fields: 1 // 0 > 0))
    assert stage.feed(Batch.of(KERNEL), 0.0) == []
    before = (stage.refused, stage.dump())
    with pytest.raises(ZeroDivisionError):
        stage.feed(Batch.of([KERNEL, FAILED]), 1.0)
    assert (stage.refused, stage.dump()) == before


class Odd(Filter):
    """As a user may write one."""

    def __call__(self, line: str) -> bool:
        return len(line) % 2 == 1


def test_a_filter_of_ones_own_needs_only_to_decide_lines() -> None:
    lines = ["a", "ab", "abc"]
    assert passing(Odd(), lines) == ["a", "abc"]
    assert passing(Odd() & contains("b"), lines * 40) == ["abc"] * 40
    with pytest.raises(NotImplementedError):
        Filter()("x")


# The same answer by every way.

WORDS = [
    "USB disconnect",
    "Failed",
    "kernel",
    "sshd",
    "web1",
    "opened",
    "",
    "x",
    "K",
    "\u212a",
    "\ufeff",
    '[meta a="1"]',
    "- -",
]
HEADERS = [
    "<4>Nov 23 12:00:00 web1 kernel:",
    "<38>Nov 23 12:00:00 web1 sshd[77]:",
    "Nov 23 12:00:00 sshd:",
    "<38>1 2026-11-23T12:00:00Z web2 login 9 ID47",
    "<165>1 - - - - -",
    "<13>",
    "[12345.678901]",
    "kern  :err   : [12345.678901]",
    "*Mar  1 18:46:11.123: %SYS-5-CONFIG_I:",
    "Jan  1 00:00:12 host user.notice root:",
    "<189>45: web1: Nov 23 12:00:00: %LINK-3-UPDOWN:",
    "",
]
PIECES = [*WORDS, *HEADERS, " ", "[", "]", '"', "\\", ":", "\t", "<7>", "aa"]
LINES = st.one_of(
    st.builds("{} {}".format, st.sampled_from(HEADERS), st.sampled_from(WORDS)),
    st.builds("{} {} {}".format, st.sampled_from(HEADERS), st.sampled_from(WORDS), st.sampled_from(WORDS)),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20),
)
NAMES = st.sampled_from(["kernel", "sshd", "web1", "*", "k*", "?shd", "*e*", "login", "", "*-5-*", "root", "77", "n?n"])
SEVERITIES = st.sampled_from(["emerg", "err", "warning", "notice", "info", "debug"])
EXPRESSIONS = st.sampled_from(
    [
        "USB disconnect",
        "USB|Failed",
        "^opened",
        "x$",
        "k",
        "[KF]a?",
        "(?i)usb",
        "a+",
        "web1|^$",
        "",
        r"\bFailed\b",
        ":",
        " ",
    ]
)
SIMPLE: st.SearchStrategy[Filter] = st.one_of(
    st.builds(lambda name: match(program=name), NAMES),
    st.builds(lambda name, other: match(host=[name, other]), NAMES, NAMES),
    st.builds(lambda name: match(pid=name), NAMES),
    st.builds(lambda name: match(facility=name), st.sampled_from(["kern", "auth", "local*", "user"])),
    st.builds(lambda name: match(severity=name), SEVERITIES),
    st.builds(at_least, SEVERITIES),
    st.builds(lambda name: match(data={"meta.a": name}), st.sampled_from(["1", "*", "2"])),
    st.builds(contains, EXPRESSIONS),
    st.builds(lambda one, other: contains(one, other, ignore_case=True), EXPRESSIONS, EXPRESSIONS),
    st.just(where(lambda fields: bool(fields.pid))),
    st.just(ANYTHING),
    st.just(Odd()),
)
FILTERS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=5,
)


@given(st.lists(LINES, max_size=12), st.lists(FILTERS, min_size=1, max_size=4), st.sampled_from([1, 9]), st.booleans())
def test_a_batch_and_its_lines_are_told_the_same(
    lines: list[str], filters: list[Filter], times: int, warm: bool
) -> None:
    lines = lines * times
    wanted = frozenset[str]().union(*(filter.columns for filter in filters))
    view = Lines(Batch(text="".join(f"{line}\n" for line in lines), count=len(lines)), wanted)
    if warm:
        view.column("program")
    for filter in filters:
        found = list(view.numbers(filter.lines(view)))
        assert found == [number for number, line in enumerate(lines) if filter(line)]


@given(st.lists(LINES, min_size=1, max_size=12), FILTERS, st.sampled_from([1, 9]))
def test_a_record_is_decided_as_a_whole(lines: list[str], filter: Filter, times: int) -> None:
    lines = lines * times
    view = Lines(Batch(text="".join(f"{line}\n" for line in lines), count=len(lines), joined=True), filter.columns)
    found = list(view.numbers(filter.lines(view)))
    assert found == [number for number, record in enumerate(view.records) if filter(record)]
    assert "".join(f"{record}\n" for record in view.records) == view.batch.text


@given(st.lists(LINES, min_size=1, max_size=12), st.booleans(), st.sets(st.sampled_from(COLUMNS)))
def test_columns_are_what_the_fields_say(lines: list[str], joined: bool, asked: set[str]) -> None:
    view = Lines(Batch(text="".join(f"{line}\n" for line in lines), count=len(lines), joined=joined), asked)
    for number, record in enumerate(view.records):
        fields = parse(record)
        wanted = [fields.host or "-", fields.program or "-", fields.pid or "-", fields.message[:MESSAGE]]
        for name, text in zip(COLUMNS[1:], wanted, strict=True):
            if name in asked:
                found = view.column(name)[number]
                assert (found if name == "message" else found or "-") == text


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("every", [1, 2, 5, 10, 30, 150, 301])
@pytest.mark.parametrize(
    "filter",
    [
        contains("USB"),
        contains("USB dis", "Failed"),
        contains("zzz|USB|yyy"),
        contains("USB .*4$"),
        contains("usb", ignore_case=True),
        contains("usb|kernel", ignore_case=True) & contains("USB"),
        match(program="kernel"),
        match(program="kern*") & contains("USB") & at_least("warning"),
        match(host="web1") & contains("USB|Failed"),
        match(program="kernel") & contains("aaa|usb 1"),
        match(program="kernel") & contains("Failed|password"),
        match(program="kernel") | (match(program="sshd") & contains("nothing")),
    ],
)
def test_however_many_pass_they_are_the_same(filter: Filter, every: int, joined: bool) -> None:
    lines = [KERNEL if number % every == 0 else FAILED for number in range(300)]
    for first in (None, match(program="*"), contains("Failed")):
        view = Lines(Batch(text="".join(f"{line}\n" for line in lines), count=300, joined=joined))
        if first:
            first.lines(view)
        assert list(view.numbers(filter.lines(view))) == [n for n, line in enumerate(lines) if filter(line)]
        if joined and filter.lines(view):
            assert view.take(filter.lines(view)).lines == [line for line in lines if filter(line)]


def test_whoever_decides_by_fields_says_how() -> None:
    with pytest.raises(NotImplementedError):
        Judge()("x")


# Views.


def test_a_view_takes_records_in_order_and_keeps_the_rest_of_the_batch() -> None:
    text = "a\n\tb\nc\nd\n  e\n"
    batch = Batch(text=text, count=5, joined=True, place=("p", 1), below=3, seq=4, epoch="e", time=9.0)
    view = Lines(batch)
    assert view.records == ["a\n\tb", "c", "d\n  e"]
    odd = view.those(view.everything, lambda number: number != 1)
    part = view.take(odd)
    assert (part.text, part.count, part.place, part.below, part.seq) == ("a\n\tb\nd\n  e\n", 4, None, 3, 4)
    assert view.take(view.everything) is batch
    rest = view.without(view.everything, odd)
    assert view.without(odd, rest) == odd and view.without(odd, view.everything) == 0
    assert list(view.numbers(rest)) == [1] and view.empty(view.both(rest, odd)) and not view.empty(rest)


def test_a_column_of_many_different_texts_is_decided_as_well() -> None:
    lines = [f"Nov 23 12:00:00 h p[{number}]: x" for number in range(400)]
    assert passing(match(pid="1*"), lines) == [line for line in lines if "[1" in line]


# The stage.


def test_what_does_not_pass_is_counted_and_the_rest_goes_on() -> None:
    stage = Admit(contains("a"))
    batch = Batch(text="a\nb\nab\n", count=3, place=("p", 1), below=2, seq=4, epoch="e", time=9.0)
    (passed,) = stage.feed(batch, 0.0)
    assert (passed.lines, passed.place, passed.below, passed.seq, passed.epoch) == (["a", "ab"], ("p", 1), 2, 4, "e")
    assert stage.refused == 1
    batch = Batch.of("aa")
    assert stage.feed(batch, 1.0)[0] is batch
    assert stage.feed(Batch.of(["b", "c"]), 1.0) == [] and stage.refused == 3


def test_a_batch_of_which_all_pass_is_not_made_anew() -> None:
    batch = Batch.of([KERNEL] * 50)
    assert Admit(match(program="kernel")).feed(batch, 0.0)[0] is batch


def test_a_position_without_lines_goes_on() -> None:
    batch = Batch(text="", count=0, place=("p", 1))
    assert Admit(contains("a")).feed(batch, 0.0) == [batch]


def test_lines_below_a_threshold_are_told_of_by_the_next_batch_that_passes() -> None:
    stage = Admit(contains("a"))
    assert stage.feed(Batch(text="b\n", count=1, below=3), 0.0) == []
    fresh = Admit(contains("a"))
    fresh.load(stage.dump())
    (passed,) = fresh.feed(Batch(text="a\n", count=1, below=4), 1.0)
    assert passed.below == 7
    assert [batch.below for batch in fresh.feed(Batch.of("a"), 2.0)] == [0]
    with pytest.raises(StateMismatch):
        fresh.load(["Caps", 1, 0])


SCRIPT = [(0.5, Batch.of(["a1", "b1"])), (1.0, laws.FLUSH), (0.0, Batch.of(["c", "d"])), (2.0, Batch.of("a2"))]


@pytest.mark.parametrize("law", [laws.poll_law, laws.progress, laws.dump_law])
def test_admit_keeps_the_laws(law: Callable[..., None]) -> None:
    law(lambda: Admit(contains("a")), SCRIPT)


def test_admit_keeps_the_order() -> None:
    laws.order(lambda: Admit(contains("a")), SCRIPT, lambda line: "")
