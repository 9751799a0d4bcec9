"""Lines with headers, and lines with what nearly is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

# As the systems write them, the examples of RFC 3164 section 5.4 and RFC 5424 section 6.5 first: what wrote it, the
# line, and what it says. What is not there is empty.
KNOWN: list[tuple[str, str, dict[str, Any]]] = [
    tuple(json.loads(line)) for line in (Path(__file__).parent / "data/headers.jsonl").read_text("utf-8").splitlines()
]

# Pieces of headers in likely and unlikely order come closer to the edges than any free text.
PIECES = st.sampled_from(
    [
        *("<34>", "<200>", "<7>", "1 ", "Nov 23 10:00:00", "2026-11-23T10:00:00.1Z", "-", " ", "web1", "::1", "su"),
        *("[1]", ":", "]", "[", "\r", "\t", "\x85", "\u2028", "é", 'x@1 a="b"', "h" * 255),
        *("45: ", "*", "%SYS-5-X", "2026", "Mon ", "[    1.000001]", "user.info", "<auth.err> ", "In(166)", "UTC"),
    ]
)
ODD = st.sampled_from([line for _, line, _ in KNOWN])
LINES = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    ODD,
    st.tuples(ODD, st.integers(0, 60), PIECES).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    ),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20),
    st.tuples(
        st.sampled_from(["", "<34>", "<34>1 ", "<9999>"]),
        st.sampled_from(["Nov 23 10:00:00 ", "2026-11-23T10:00:00,5+01:00 ", "- "]),
        st.sampled_from(["", "web1 ", "web2 ", "- ", "::1 ", "a: "]),
        st.sampled_from(["su[1]: ", "su: ", "su 1 - - ", "- - - - ", "su", "su[1] "]),
    ).map("".join),
)
