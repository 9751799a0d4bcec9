"""Criteria: a mapping is the filter that one would write; what it cannot mean is named with its place."""

from __future__ import annotations

import re
from typing import Any

import pytest

from burstmail import Filter, at_least, contains, criteria, match

LINES = [
    "<4>Nov 23 12:00:00 web1 kernel: usb 1-1: USB disconnect",
    "<38>Nov 23 12:00:00 web1 sshd[77]: Failed password for root",
    "<38>Nov 23 12:00:00 test1 sshd[78]: failed password for root",
    '<38>1 2026-11-23T12:00:00Z web2 login 9 ID47 [meta n="17"] opened',
    "no header",
]


@pytest.mark.parametrize(
    ("mapping", "filter"),
    [
        ({}, match(host="*")),
        ({"program": "kernel"}, match(program="kernel")),
        ({"program": ["sshd", "login"]}, match(program=["sshd", "login"])),
        ({"host": "web?", "pid": "7*"}, match(host="web?", pid="7*")),
        ({"facility": "kern"}, match(facility="kern")),
        ({"severity": ["info", "err"]}, match(severity=["info", "err"])),
        ({"at_least": "warning"}, at_least("warning")),
        ({"data": {"meta.n": "1*"}}, match(data={"meta.n": "1*"})),
        ({"contains": "Failed|USB"}, contains("Failed|USB")),
        ({"contains": ["Failed", "USB"]}, contains("Failed", "USB")),
        ({"contains": "FAILED", "ignore_case": True}, contains("failed", ignore_case=True)),
        ({"contains": "FAILED", "ignore_case": False}, contains("FAILED")),
        ({"not": {"host": "web*"}}, ~match(host="web*")),
        ({"not": [{"host": "web*"}, {"host": ""}]}, ~(match(host="web*") | match(host=""))),
        ({"any": [{"program": "kernel"}, {"contains": "open"}]}, match(program="kernel") | contains("open")),
        ({"all": [{"program": "sshd"}, {"contains": "Failed"}]}, match(program="sshd") & contains("Failed")),
        ({"program": "sshd", "not": {"any": [{"host": "test*"}]}}, match(program="sshd") & ~match(host="test*")),
    ],
)
def test_a_mapping_is_the_filter_one_would_write(mapping: dict[str, Any], filter: Filter) -> None:
    made = criteria(mapping)
    assert [line for line in LINES if made(line)] == [line for line in LINES if filter(line)]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"progam": "x"}, "progam: did you mean program?"),
        ({"xyz": "x"}, "xyz: unknown; use host, program, pid"),
        ({1: "x"}, "1: unknown"),
        ({"any": [{}, {"progam": "x"}]}, "any[1].progam: did you mean program?"),
        ({"not": {"all": [{"contians": "x"}]}}, "not.all[0].contians: did you mean contains?"),
        ({"not": [{"host": 7}]}, "not[0].host: 7 is no string and no list of strings"),
        ({"program": ["a", 1]}, "program: ['a', 1] is no string"),
        ({"program": {}}, "program: {} is no string"),
        ({"program": []}, "program: program: name at least one"),
        ({"severity": "loud"}, "severity: severity 'loud': use emerg"),
        ({"at_least": ["err"]}, "at_least: ['err'] is no string"),
        ({"at_least": "loud"}, "at_least: at_least 'loud': use emerg"),
        ({"data": "meta.n"}, "data: 'meta.n' is no table of SD-ID.PARAM-NAME and text"),
        ({"data": {"meta": "x"}}, "data: data 'meta': write SD-ID.PARAM-NAME"),
        ({"contains": "a(b"}, "contains: contains 'a(b': missing ), unterminated subpattern at character 2"),
        ({"contains": "a", "ignore_case": "yes"}, "contains: ignore_case is 'yes': use true or false"),
        ({"ignore_case": True}, "ignore_case: goes with contains, which is missing"),
        ({"any": []}, "any: [] is no list of tables with at least one in it"),
        ({"any": {}}, "any: {} is no list of tables"),
        ({"all": ["x"]}, "all[0]: 'x' is no table of criteria"),
        ({"not": "x"}, "not: 'x' is no list of tables"),
        ([], "criteria: [] is no table of criteria"),
    ],
)
def test_what_a_mapping_cannot_mean_is_named_with_its_place(mapping: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        criteria(mapping)
    assert str(caught.value).startswith(said)


def test_nesting_has_an_end() -> None:
    mapping: dict[str, Any] = {"host": "x"}
    for _ in range(30):
        mapping = {"not": mapping}
    criteria(mapping)
    for _ in range(1000):
        mapping = {"not": mapping}
    with pytest.raises(ValueError, match="nests deeper than 32 levels"):
        criteria(mapping)
