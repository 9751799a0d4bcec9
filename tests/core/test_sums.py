"""Conservation in the mail's own text: what it says of its lines adds up, for every burst; and it is never too large.

The numbers are read out of the text as a person reads them, not taken from a Report.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from burstmail import Burst, Keep
from burstmail.core.fold import fold
from burstmail.core.model import Outage
from tests.core.payloads import TEN, burst, composed
from tests.core.readback import Read, read

SHOWN = re.compile(
    r"Shown: (?:(?:all )?(?P<all>[\d,]+) lines?, none left out\.|(?P<some>[\d,]+) of (?P<of>[\d,]+) lines?: "
    r"(?:the first (?P<first>[\d,]+))?(?: and )?(?:the last (?P<last>[\d,]+))?\. Left out: (?P<out>[\d,]+)\.)"
    r"(?: Cut short: (?P<cut>[\d,]+) lines?\.)?(?: Hidden: [\d,]+ lines?, see the note\.)?"
)
ATTACHED = re.compile(
    r"Attached: burst\.log\.gz has (?:(?:all|the) (?P<all>[\d,]+) lines?(?: in full)?|(?P<some>[\d,]+) of the "
    r"(?P<of>[\d,]+) lines?: (?:the first (?P<first>[\d,]+))?(?: and )?(?:the last (?P<last>[\d,]+))?"
    r"(?:; and one line of each of (?P<more>[\d,]+) other patterns?)?)\."
)


def number(text: str | None) -> int:
    return int((text or "0").replace(",", ""))


def ours(mail: Read, start: str) -> str:
    """The one sentence of ours that begins so; '' if there is none. A log line is indented, and so are names."""
    found = [line for section in mail.sections[:-1] for line in section if line.startswith(start)]
    assert len(found) <= 1
    return "".join(found)


def rows(mail: Read, heading: str) -> list[int]:
    """The counts in the table below the heading; none if it is not there."""
    for section in mail.sections[:-1]:
        if section[0].endswith(heading) and not section[0].startswith(" "):
            width = len(re.match(r"  ( *[\d,]+)  ", section[1])[1])  # type: ignore[index]
            counts = [row[2 : 2 + width] for row in section[1:] if row != "Seldom:"]
            return [number(count) for count in counts if count.strip()]
    return []


def check(mail: Read, item: Burst) -> None:
    """All sums there are."""
    count = item.count
    said = SHOWN.fullmatch(ours(mail, "Shown: "))
    assert said and number(said["all"] or said["of"]) == count
    shown, out = number(said["all"] or said["some"]), number(said["out"])
    assert shown + out == count and shown == len(mail.lines)
    assert said["all"] or number(said["first"]) + number(said["last"]) == shown
    assert mail.counts == {"lines": count, "shown": shown, "left-out": out, "bursts": item.bursts}
    gaps = [line for line in mail.sections[-1] if not line.startswith("  ")]
    assert [number(gap[1:].split()[0]) for gap in gaps] == [out] * bool(out)
    assert not out or mail.sections[-1].index(gaps[0]) == number(said["first"])
    assert number(mail.text.split(" ")[0]) == count
    tables(mail, item)
    attachment(mail, count)
    if mail.page:
        assert mail.page.lines == mail.lines
        assert [number(gap[1:].split()[0]) for gap in mail.page["gap"]] == [out] * bool(out)


def tables(mail: Read, item: Burst) -> None:
    patterns, sources = rows(mail, "by what they say:"), rows(mail, "Lines from each source:")
    assert not patterns or sum(patterns) == item.count
    assert sum(sources) == sum(lines for _, lines in item.parts)
    severity = ours(mail, "Severity: ")
    worst = ours(mail, "Worst: ") or (severity if "(" in severity else "")
    assert not worst or sum(map(number, re.findall(r"(?<= |\()[\d,]+(?=[ ,.])", worst))) == item.count
    all_of = re.fullmatch(
        r"Severity: [a-z]+(?:, all ([\d,]+) lines)?\.",
        "Severity: x." if "(" in severity else severity or "Severity: x.",
    )
    assert all_of and number(all_of[1]) in (0, item.count)


def attachment(mail: Read, count: int) -> None:
    said = ATTACHED.fullmatch(ours(mail, "Attached: "))
    assert bool(said) == bool(mail.log) == ("application/gzip" in mail.types)
    if not said:
        return
    attached = mail.log.split("\n")[:-1]
    if said["more"]:
        more = attached[-1 - number(said["more"]) :]
        assert more[0] == "[one line of each pattern that is not above]"
        attached = attached[: -len(more)]
    assert all(line.startswith("  ") for line in attached if not line.endswith(" left out here]"))
    assert number(said["all"] or said["of"]) == count
    if said["all"]:
        assert len(attached) == count
        return
    first, last = number(said["first"]), number(said["last"])
    assert first + last == number(said["some"]) == len(attached) - 1
    left = count - first - last
    assert attached[first] == f"[{left:,} line{'s' if left > 1 else ''} left out here]"


PIECES = ["Failed password for root", "link up", "x", "\x00\x1b[31m", "日本語", "<b>&amp;</b>", "a@b.example", "[9]"]
PIECES += ["Shown: all 1 line, none left out.", "\u202e", "  12  other lines", "\tat x.Y(Y.java:1)", "=?", "-- ", ""]
LINE = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "<38>Nov 23 10:00:00 web1 sshd[1]: ", "<2>", "Nov 23 10:00:00 w2 kernel: "]),
    st.sampled_from(PIECES),
    st.sampled_from(["", " {0}", " {0} from 10.0.0.{1}", " {1}"]),
)
KEEPS = st.builds(
    Keep,
    head=st.integers(1, 6) | st.just(200),
    tail=st.integers(0, 6) | st.just(200),
    bytes=st.sampled_from([1, 400, 65536]),
    log=st.sampled_from([0, 2000, 1048576]),
)


@st.composite
def bursts(draw: st.DrawFn) -> Burst:
    """One, or several that a cap has folded, of one key or of some."""
    single = st.builds(one, st.lists(LINE, min_size=1, max_size=4), st.integers(1, 300), KEEPS, KEYS, st.booleans())
    return reduce(fold, draw(st.lists(single, min_size=1, max_size=3)))


KEYS = st.sampled_from(["", "web1", "web2", "\x1b[1m 5  x", "日本", "Lines from each source:"])


def one(shapes: list[str], count: int, keep: Keep, key: str, slow: bool) -> Burst:
    shaped = (shapes[place % len(shapes)].replace("{0}", str(place)) for place in range(count))
    text = "".join(line.replace("{1}", str(place % 7)) + "\n" for place, line in enumerate(shaped))
    return burst(text.encode(), key=key, keep=keep, cuts=1000 * slow, pace=0.7)


@settings(max_examples={"full": 3000, "brief": 30}.get(settings.get_current_profile_name(), 300))
@given(item=bursts(), attach=st.sampled_from([0, 150, 600, 1_000_000]), html=st.booleans(), redact=st.booleans())
def test_what_a_mail_says_of_its_lines_adds_up(item: Burst, attach: int, html: bool, redact: bool) -> None:
    mail = read(composed(item, attach=attach, html=html, **({} if redact else {"redact": ()})).data)
    check(mail, item)


# --- and the mail is small ---------------------------------------------------------------------------------------

# One byte of UTF-8 or four, one character on the wire or twelve, one in HTML or more.
UNITS = ["a", " ", "\t", "=", ".", "@", "://", "&", '"', "<", ".a", "\x00", "\x1b[", "é", "日", "🙂", "\u202e"]
UNITS += ["e\u0301", "\U000e0041", "From ", "a.b@c://", "'\"", "\U0010ffff"]
# Characters of a line, and lines.
SIZES = [(1, 3000), (79, 1000), (700, 200), (1999, 50), (2001, 50), (70_000, 9)]
HEADS = ["", "<34>Nov 23 10:00:00 web1 sshd[1]: ", "<34>Nov 23 10:00:00 {} "]


def large(unit: str, other: str, size: tuple[int, int], head: str) -> Burst:
    """All of it as long as it can be, by itself and in what it becomes."""
    width, count = size
    start = head.format(60 * other.strip())
    lines = (f"{start}{(unit if place % 3 else other) * (width // len(unit) + 1)} {place}" for place in range(count))
    raw = "".join(f"{line}\n" for line in lines).encode()
    return burst(raw, key=other * 300, cuts=len(raw) // 50 + 1, pace=0.2)


@settings(max_examples=1000 if settings.get_current_profile_name() == "full" else 30)
@example(unit="é", other="日", size=(1, 3000), head=HEADS[1], parts=40, notes=9, html=True, people=1)
@example(unit="a", other="a", size=(1, 3000), head=HEADS[2], parts=0, notes=0, html=True, people=50)
@given(
    unit=st.sampled_from(UNITS),
    other=st.sampled_from(UNITS),
    size=st.sampled_from(SIZES),
    head=st.sampled_from(HEADS),
    parts=st.sampled_from([0, 40]),
    notes=st.sampled_from([0, 9]),
    html=st.booleans(),
    people=st.sampled_from([1, 50]),
)
def test_a_mail_stays_below_100_000_bytes(
    unit: str, other: str, size: tuple[int, int], head: str, parts: int, notes: int, html: bool, people: int
) -> None:
    item = replace(
        large(unit, other, size, head),
        parts=tuple((f"{place}{other * 99}", 1) for place in range(parts)),
        notes=tuple(f"{place}{unit * 600}" for place in range(notes)),
    )
    to = [f"someone-{place}@{'mail' * 9}.example.org" for place in range(people)]
    mail = read(composed(item, to=to, html=html, redact=()).data)
    assert mail.lines
    if not item.parts:
        check(mail, item)


@pytest.mark.parametrize("unit", ['"', "日", "🙂", "a.b@c://", "\x00"])
def test_nor_with_everything_at_once(unit: str) -> None:
    shapes = [f"{chr(97 + place % 26) * 9} {unit * 4} " * 16 for place in range(30)]
    names = [f"<34>Nov 23 10:00:00 {unit * 30}{place} prog{place}{unit * 20}[1]:" for place in range(30)]
    raw = "".join(f"{names[n % 30]} {shapes[n % 30]}{n} 10.0.0.{n % 250}\n" for n in range(1500)).encode()
    item = replace(
        burst(raw, key=unit * 300, cuts=len(raw) // 60 + 1, pace=0.5),
        parts=tuple((f"{place}{unit * 99}", 30) for place in range(50)),
        notes=tuple(f"{place}{unit * 600}" for place in range(9)),
        outage=Outage(since=TEN - 9e6, until=TEN, mails=99_999),
        resume=TEN + 1e6,
        bursts=99,
        waited=1e6,
        paused=5e5,
    )
    to = [f"someone-{place}@{'mail' * 9}.example.org" for place in range(40)]
    check(read(composed(item, redact=(), name=unit * 80, to=to).data), item)
