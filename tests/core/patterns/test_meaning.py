"""Numbers that say what happened."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burstmail.core.patterns.masks import DIGITS, Masker, shown
from burstmail.core.patterns.meaning import KEPT, kept, kept_bytes, parted, worded
from burstmail.core.patterns.tally import Tally

STAYS = """
"GET /x HTTP/1.1" 404 153 | "GET /x HTTP/1.1" 4xx 153
"GET /x HTTP/2.0" 200 7 | "GET /x HTTP/2.0" 2xx 7
{"status":503,"err":0} | {"status":5xx,"err":0}
job exited with code 0. | job exited with code 0.
Exit status: 0, bye | Exit status: 0, bye
exitCode=0 rc=0 | exitCode=0 rc=0
dsn=4.4.1, status=deferred | dsn=4.4.1, status=deferred
scrub finished with 0 errors | scrub finished with 0 errors
0 of 12 disks failed | 0 of 12 disks failed
Failures: 0, Errors: 0 | Failures: 0, Errors: 0
status: 200 len: 1893 | status: 2xx len: 1893
status 404, Status Code=404, "code": 500 | status 4xx, Status Code=4xx, "code": 5xx
0 errors (0 warnings) | 0 errors (0 warnings)
"""


@pytest.mark.parametrize("row", STAYS.strip().splitlines())
def test_what_says_what_happened_stays(row: str) -> None:
    line, text = row.split(" | ")
    assert kept(line) != line
    assert kept(line).translate(KEPT) == text
    assert kept_bytes(line.encode()).count(b"\0") == sum(ord(char) in KEPT for char in kept(line))


@pytest.mark.parametrize(
    "line",
    [
        "job exited with code 137",
        "exit code 255 of 404",
        "code=exited, status=203/EXEC",
        "exit code 0x7",
        "status=20.0",
        "took 0 s, 200 lines",
        "port 200, error 7",
        "10 errors, 7 failed",
        "v1.0 errors",
        "codes 404",
        "because nuu code 238",
        "exit_status=238, exit status 404, exited with code=404",
    ],
)
def test_other_numbers_are_values(line: str) -> None:
    assert kept(line) == line and kept_bytes(line.encode()) == line.encode()


OPPOSITES = """
job 7 exited with code 0 | job 7 exited with code 1
10.0.0.1 "GET / HTTP/1.1" 200 7 | 10.0.0.1 "GET / HTTP/1.1" 503 7
request of anna done status=200 | request of anna done status=500
scrub of tank ended with 0 errors | scrub of tank ended with 4 errors
0 of 4 disks failed | 2 of 4 disks failed
message 7 to anna dsn=2.0.0 | message 7 to anna dsn=5.1.1
"""


@pytest.mark.parametrize("pair", OPPOSITES.strip().splitlines())
@pytest.mark.parametrize("apart", [False, True])
def test_what_differs_in_them_is_two_patterns(pair: str, apart: bool) -> None:
    one, two = pair.split(" | ")
    tally = Tally()
    for text in [f"{one}\n", f"{two}\n"] * 20 if apart else [f"{one}\n{two}\n" * 20]:
        tally.add(text, text.count("\n"), 0.0)
        assert len(tally.patterns()) <= 2
    assert [pattern.count for pattern in tally.patterns()] == [20, 20]
    assert {shown(Masker().shape(line)) for line in (one, two)} == {pattern.text for pattern in tally.patterns()}


PIECES = (
    "HTTP/1.1",
    '"',
    " ",
    "code",
    "exit",
    "status",
    "=",
    ": ",
    "0",
    "4",
    "200",
    "errors",
    "failed",
    ".",
    "dsn=",
    "of",
)


@given(st.lists(st.sampled_from([*PIECES, "rc", "with", "x", "\n", "err", "Errors", "_"]), max_size=14).map("".join))
@settings(max_examples=1000)
def test_lines_are_parted_where_something_stays(text: str) -> None:
    lines = text.encode().split(b"\n")
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        groups[line.translate(None, DIGITS)].append(place)
    parted(groups, lines)
    assert sorted(place for places in groups.values() for place in places) == list(range(len(lines)))
    for key, places in groups.items():
        for place in places:
            assert kept_bytes(lines[place]).translate(None, DIGITS) == key
            assert worded(lines[place], key) == kept_bytes(lines[place])
    assert kept_bytes(text.encode()) == b"\n".join(map(kept_bytes, lines))


def test_a_long_line_is_looked_at_too() -> None:
    lines = [b"x" * 300 + b" exit code 0", b"x" * 300 + b" exit code 1"]
    groups = defaultdict(list, {lines[0].translate(None, DIGITS): [0, 1]})
    parted(groups, lines)
    assert sorted(groups.values()) == [[0], [1]]
