"""One mail per burst: what the person woken by it reads, and what no log line can do to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail.core.address import address
from burstmail.core.aggregate import Aggregator
from burstmail.core.compose import Composer
from burstmail.core.escape import visible
from burstmail.core.excerpt import Excerpt
from burstmail.core.keep import Keep
from burstmail.core.model import Batch, Burst, CloseReason, Message
from burstmail.core.session import Session, Window
from burstmail.errors import StateMismatch
from tests.core.readback import read

BERLIN = timezone(timedelta(hours=1))
# 2026-11-23 10:00:00 in Berlin.
TEN = 1795424400.0
NAMES = [
    *("From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "X-Burstmail", "MIME-Version", "Content-Type"),
]
ANYTHING = st.text(st.characters(), max_size=80)
HOSTILE = st.text(st.sampled_from("=?utf8qb_0AD\r\n\t [].-<>38:;\x1b\x85\u2028\u202eä日\ud800x"), max_size=60)


def ssh(number: int, host: str = "web1", program: str = "sshd") -> str:
    return f"<38>Nov 23 10:00:00 {host} {program}[{number}]: Failed password for root"


def burst(*lines: str, keep: Keep | None = None, **fields: Any) -> Burst:
    keep = keep or Keep(head=2, tail=1)
    head, rest = lines[: keep.head], lines[keep.head :]
    tail = rest[max(0, len(rest) - keep.tail) :]
    excerpt = Excerpt.of(head, tail, count=fields.pop("count", len(lines)), keep=keep)
    times = {"first": TEN, "last": TEN + 38, "closed": TEN + 43, "time": TEN + 43}
    made: dict[str, Any] = {"key": "", "reason": CloseReason.GAP, "epoch": "e", "seq": 1, "gone": 0, **times, **fields}
    return Burst(excerpt=excerpt, **made)


def composer(**options: Any) -> Composer:
    return Composer("ops@example.org", **{"sender": "log@web1.example.org", "host": "web1", "zone": BERLIN, **options})


def composed(item: Burst, **options: Any) -> Message:
    (message,) = composer(**options).feed(item, 0.0)
    return message


def parsed(message: Message) -> EmailMessage:
    mail = message_from_bytes(message.data.replace(b"\r\n", b"\n"), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def content(message: Message) -> str:
    """The text of the mail."""
    return view(message, "plain")


def view(message: Message, kind: str) -> str:
    part = parsed(message).get_body((kind,))
    assert isinstance(part, EmailMessage)
    # Base64 carries line ends as they are on the wire (RFC 2045 section 6.8).
    return str(part.get_content()).replace("\r\n", "\n")


def text(item: Burst, **options: Any) -> str:
    return content(composed(item, **options))


def subject(item: Burst, **options: Any) -> str:
    return str(parsed(composed(item, **options))["Subject"])


def test_a_burst_becomes_this_mail() -> None:
    item = burst(*(ssh(number) for number in range(9)), count=1412, resume=TEN + 103)
    message = composed(item, html=False, threads=False, attach=0)
    assert message.data.decode() == (
        "From: log@web1.example.org\r\n"
        "To: ops@example.org\r\n"
        "Subject: [burstmail] web1 sshd: 1,412 lines in 38 s: Failed password for root\r\n"
        "Date: Mon, 23 Nov 2026 10:00:43 +0100\r\n"
        f"Message-ID: {message.id}\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "X-Auto-Response-Suppress: All\r\n"
        "X-Burstmail: lines=1412; shown=3; left-out=1409; bursts=1\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: text/plain; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
        "1,412 lines from web1 sshd in 38 s.\r\n"
        "\r\n"
        "First line: 10:00:00, Mon 23 Nov 2026 (UTC+01:00).\r\n"
        "Last line: 10:00:38; then it was quiet for 5 s.\r\n"
        "Next: no further mail about this before 10:01:43. Lines that come until the=\r\n"
        "n are held and counted, not lost.\r\n"
        "Shown: 3 of 1,412 lines: the first 2 and the last 1. Left out: 1,409.\r\n"
        "\r\n"
        "  info    Nov 23 10:00:00 web1 sshd[0]: Failed password for root\r\n"
        "  info    Nov 23 10:00:00 web1 sshd[1]: Failed password for root\r\n"
        "[1,409 lines left out here]\r\n"
        "  info    Nov 23 10:00:00 web1 sshd[8]: Failed password for root\r\n"
        "\r\n"
        "--=20\r\n"
        "burstmail 0.1.0 on web1\r\n"
    )
    assert (message.sender, message.recipients, message.count) == ("log@web1.example.org", ("ops@example.org",), 1412)


def types(message: Message) -> list[str]:
    return [part.get_content_type() for part in parsed(message).walk()]


LONG = burst("a" * 3000, "b")
BOTH = ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("item", "options", "expected"),
    [
        (burst("a"), {}, BOTH),
        (burst("a"), {"html": False}, ["text/plain"]),
        (LONG, {}, ["multipart/mixed", *BOTH, "application/gzip"]),
        (LONG, {"html": False}, ["multipart/mixed", "text/plain", "application/gzip"]),
        (LONG, {"attach": 0}, BOTH),
    ],
)
def test_a_mail_has_these_parts(item: Burst, options: dict[str, Any], expected: list[str]) -> None:
    message = composed(item, **options)
    assert types(message) == expected
    assert read(message.data).types == expected


def test_the_boundaries_of_a_mail_are_its_own_and_always_the_same() -> None:
    message = composed(LONG)
    name = message.id[1:33]
    outer, inner = (part.get_boundary() for part in parsed(message).walk() if part.is_multipart())
    assert (outer, inner) == (f"=_m{name}", f"=_a{name}")
    assert message == composed(LONG)


def test_text_and_html_come_from_the_same_report() -> None:
    message = composed(burst("<b>disk</b> failed"))
    assert "  <b>disk</b> failed\n" in content(message)
    assert ">&lt;b&gt;disk&lt;/b&gt; failed</div" in view(message, "html")


def test_what_the_text_cannot_show_is_attached() -> None:
    found = read(composed(LONG).data)
    assert found.log == "  " + "a" * 3000 + "\n  b\n"
    assert "\nAttached: burst.log.gz has all 2 lines.\n" in found.text


DEAR = "😀@" * 300


@pytest.mark.parametrize(
    "text", ["😀" * 500, "日本" * 125, "&" * 120, "@" * 1000, "\x1b" * 250, "ä=" * 125, "x", "From " * 50]
)
@pytest.mark.parametrize("count", [2, 60, 900])
def test_a_mail_is_never_so_large_that_it_is_cut_off(text: str, count: int) -> None:
    """Everything at once: notes, sources, a key, recipients, patterns and lines, all as dear as can be."""
    session = Session(Window(gap=5, max_age=1e9), key=DEAR)
    for n in range(count):
        line = f"<34>{text}{' '.join([chr(97 + n % 13) * 4] * (n % 13 + 1))}"
        session.feed(Batch.of(line, time=TEN + n), float(n))
    (item,) = session.flush(count)
    parts = tuple((f"{DEAR[:120]}{n}", 9) for n in range(30))
    item = replace(item, parts=parts, notes=tuple(f"{DEAR}{n}" for n in range(7)))
    people = [f"person{n}@long-name-of-a-host.example.org" for n in range(50)]
    (message,) = Composer(people, sender="root", host="h", attach=0).feed(item, 0.0)
    assert len(message.data) < 100_000


def test_a_display_name_stands_before_the_sender() -> None:
    found = parsed(composed(burst("a"), name='burst "mail" ä'))["From"].addresses
    assert [(one.display_name, one.addr_spec) for one in found] == [('burst "mail" ä', "log@web1.example.org")]


def test_mails_of_one_key_and_day_refer_to_the_same_topic() -> None:
    one, other = (parsed(composed(item)) for item in (burst("a", key="k"), burst("b", key="k", seq=2)))
    assert one["References"] == one["In-Reply-To"] == other["References"]
    assert one["References"] not in (one["Message-ID"], other["Message-ID"])
    assert parsed(composed(burst("a", key="l")))["References"] != one["References"]
    alone = parsed(composed(burst("a"), threads=False))
    assert "References" not in alone and "In-Reply-To" not in alone


def test_secrets_are_taken_out_of_all_that_is_mailed() -> None:
    item = burst("login https://root:hunter2@example.org/", key="https://root:hunter2@example.org/")
    message = composed(item, subject="{key}")
    assert "hunter2" not in message.readable() + view(message, "html") + repr(message.burst.excerpt)
    # Redaction may change; which mail it is may not.
    open = composed(item, subject="{key}", redact=())
    assert "hunter2" in open.readable()
    assert open.id == message.id
    assert parsed(open)["References"] == parsed(message)["References"]


def broken(line: object) -> str:
    raise KeyError(line)


def test_a_hook_that_raises_costs_no_mail_and_shows_no_line() -> None:
    found = text(burst("secret"), redact=[broken])
    assert "secret" not in found
    assert "\nNote: the redact hook raised KeyError: 1 line is not shown\n" in found
    assert "\nShown: 1 line, none left out. Hidden: 1 line, see the note.\n" in found


def test_templates_of_your_own_make_both_views() -> None:
    message = composed(burst("a < b"), text="$count of $what\n$lines", html="<p>$count</p>$lines")
    assert content(message) == "1 of log\n  a < b\n"
    assert view(message, "html").startswith("<p>1</p><div class=")
    assert "a &lt; b" in view(message, "html")


def leaving(line: object) -> str:
    raise SystemExit("bye")


@pytest.mark.parametrize("error", [broken, leaving])
@pytest.mark.parametrize("kind", ["text", "html"])
def test_a_template_that_raises_costs_no_mail(kind: str, error: Callable[[object], str]) -> None:
    message = composed(burst("a"), **{kind: error})
    name = "KeyError" if error is broken else "SystemExit"
    note = f"Note: the {'HTML' if kind == 'html' else 'text'} template raised {name} ("
    assert f"\n{note}" in content(message)
    assert content(message).count(": the default is used\n") == 1
    assert f"template raised {name} (" in view(message, "html")
    assert "\n  a\n" in content(message)


def test_the_view_that_could_be_made_tells_of_the_one_that_could_not() -> None:
    message = composed(burst("a"), text="$notes", html=leaving)
    assert content(message) == "Note: the HTML template raised SystemExit (bye): the default is used\n"
    message = composed(burst("a"), text=leaving, html="$notes")
    assert "the text template raised SystemExit (bye): the default is used" in view(message, "html")


def test_a_template_that_makes_too_much_of_it_is_not_used() -> None:
    found = read(composed(burst("a"), text=lambda report: "x" * 200_000).data)
    note = "the template made a mail of more than 100,000 bytes: the default is used"
    assert f"\nNote: {note}\n" in found.text


def test_a_long_list_of_recipients_takes_room_from_the_lines() -> None:
    item = burst(*("x" * 150 for _ in range(400)), keep=Keep(head=400, tail=0))
    people = [f"person{number}@long-domain-name.example.org" for number in range(900)]
    (message,) = Composer(people, sender="root", host="h").feed(item, 0.0)
    assert read(message.data).counts["shown"] < read(composed(item).data).counts["shown"] < 400


def test_the_burst_of_a_mail_has_no_more_lines_than_it_may_show() -> None:
    lines = [f"{number:04} {'x' * 60}" for number in range(900)]
    session = Session(keep=Keep(head=5, tail=5))
    session.feed(Batch.of(lines, time=TEN), 0.0)
    (item,) = session.flush(1.0)
    slim = composed(item).burst
    assert (slim.head, slim.tail, slim.count) == (item.head, item.tail, 900)
    assert len(slim.excerpt.log()[0]) < 1000 < len(item.excerpt.log()[0])


def test_a_negative_size_of_the_attachment_is_refused() -> None:
    with pytest.raises(ValueError, match="attach=-1: must be 0 or more bytes; 0 is none"):
        composer(attach=-1)


def test_a_message_id_can_be_told_from_any_others() -> None:
    id = composed(burst("a")).id
    assert re.fullmatch(r"<[0-9a-f]{32}\.burstmail@web1>", id)
    # RFC 5322 section 3.6.4: dot-atom-text on both sides.
    assert address(id.strip("<>")) == id.strip("<>")


def test_a_single_line_is_told_in_few_words() -> None:
    found = text(burst("disk failed", last=TEN, closed=TEN + 5))
    assert found.startswith(
        "1 line.\n\nReceived: 10:00:00, Mon 23 Nov 2026 (UTC+01:00); then it was quiet for 5 s.\n"
        "Shown: 1 line, none left out.\n\n  disk failed\n\n-- \n"
    )
    assert subject(burst("disk failed", last=TEN)) == "[burstmail] log: 1 line: disk failed"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (CloseReason.GAP, "then it was quiet for 5 s."),
        (CloseReason.MAX_AGE, "it was still going on when this mail was cut after 43 s."),
        (CloseReason.MAX_LINES, "more was coming: this mail was cut at its limit of lines."),
        (CloseReason.MAX_BYTES, "more was coming: this mail was cut at its limit of size."),
        (CloseReason.CROWDED, "more may follow: this mail was sent early, because many other sources were busy."),
        (CloseReason.FLUSH, "more may follow: this mail was sent early, as asked for."),
        (CloseReason.END, "then the input ended."),
    ],
)
def test_the_mail_says_why_it_came_when_it_came(reason: CloseReason, words: str) -> None:
    assert f"\nLast line: 10:00:38; {words}\n" in text(burst("a", "b", reason=reason))


def test_a_folded_mail_says_what_it_stands_for() -> None:
    folded = burst("a", "b", count=4312, bursts=12, waited=847.0, first=TEN - 800, reason=CloseReason.MAX_AGE)
    assert "\nPut together: 12 bursts, the first held back for 14 min, to keep mails few.\n" in text(folded)
    # How old the last of several bursts was is not known.
    assert "; it was still going on when this mail was cut.\n" in text(folded)
    assert subject(folded) == "[burstmail] folded: log: 4,312 lines in 12 bursts, 14 min: a"
    assert subject(replace(folded, first=TEN, last=TEN)) == "[burstmail] folded: log: 4,312 lines in 12 bursts: a"


def test_a_mail_that_had_to_wait_alone_says_so() -> None:
    assert "\nLate: held back for 40 s, to keep mails few.\n" in text(burst("a", waited=40.0))
    assert "held back" not in text(burst("a", waited=0.5))


def test_days_are_named_where_they_differ() -> None:
    late = burst("a", "b", last=TEN + 86400, time=TEN + 86410, closed=TEN + 86405, resume=TEN + 2 * 86400)
    assert "\nFirst line: 10:00:00, Mon 23 Nov 2026 (UTC+01:00).\n" in text(late)
    assert "\nLast line: 10:00:00, Tue 24 Nov 2026; then" in text(late)
    assert " before 10:00:00, Wed 25 Nov 2026. Lines" in text(late)


@pytest.mark.parametrize("resume", [None, TEN, TEN + 43])
def test_open_caps_are_not_mentioned(resume: float | None) -> None:
    assert "Next:" not in text(burst("a", resume=resume))


def test_after_the_end_nothing_more_is_promised() -> None:
    assert "Next:" not in text(burst("a", resume=TEN + 99, reason=CloseReason.END))


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (Keep(head=2, tail=1), "Shown: 3 of 5 lines: the first 2 and the last 1. Left out: 2.\n"),
        (Keep(head=2, tail=0), "Shown: 2 of 5 lines: the first 2. Left out: 3.\n"),
        (Keep(head=0, tail=2), "Shown: 2 of 5 lines: the last 2. Left out: 3.\n"),
        (Keep(head=5, tail=0), "Shown: all 5 lines, none left out.\n"),
    ],
)
def test_shown_and_left_out_add_up(keep: Keep, words: str) -> None:
    found = text(burst("a", "b", "c", "d", "e", keep=keep))
    assert words in found
    marks = re.findall(r"(?m)^\[(\d+) lines left out here\]$", found)
    assert len(re.findall(r"(?m)^  [a-e]$", found)) + sum(map(int, marks)) == 5


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("<0>a", "  emerg   a"),
        ("<38>a", "  info    a"),
        ("<191>a", "  debug   a"),
        ("<164>1 2026-11-23T10:00:00Z h p - - - x", "  warning 1 2026-11-23T10:00:00Z h p - - - x"),
        ("<192>a", "  <192>a"),
        ("<038>a", "  <038>a"),
        ("<>a", "  <>a"),
        ("a <38>b", "  a <38>b"),
        ("\ttabs stay", "  \ttabs stay"),
        ("\x1b[2Jgone\r\x00\u202e", "  \\x1b[2Jgone\\x0d\\x00\\u202e"),
        ("", "  "),
    ],
)
def test_a_line_is_shown_indented_escaped_and_with_its_severity(line: str, shown: str) -> None:
    assert text(burst(line)).split("\n\n")[2] == shown


@pytest.mark.parametrize("forged", ["[1,000 lines left out here]", "-- ", "Shown: all 9 lines, none left out."])
def test_no_line_can_pass_for_a_sentence_of_the_mail(forged: str) -> None:
    lines = text(burst(forged)).split("\n")
    assert lines.count("  " + forged) == 1
    assert lines.count(forged) == (forged == "-- ")


def test_a_digest_names_its_sources_most_lines_first() -> None:
    parts = (("web1 sshd", 12), ("db2\x1b postgres", 4100), ("", 7))
    found = text(burst("a", count=4119, bursts=9, waited=60.0, parts=parts))
    assert found.startswith("4,119 lines from 2+ sources in 38 s.\n")
    table = "  4,100  db2\\x1b postgres\n     12  web1 sshd\n      7  (everything else)\n"
    assert f"\n\nLines from each source:\n{table}\n  a\n" in found


def test_a_long_digest_adds_up_what_it_does_not_name() -> None:
    parts = tuple((f"host{number:02}", 100 - number) for number in range(22))
    found = text(burst("a", parts=parts))
    assert found.startswith("1 line from 22 sources")
    assert "\n   81  host19\n  159  (2 other sources)\n\n" in found
    assert "host20" not in found


def test_a_digest_of_nameless_lines_has_at_least_one_source() -> None:
    assert subject(burst("a", parts=(("", 1),)), subject="{what}") == "1+ sources"


@pytest.mark.parametrize(
    ("lines", "what", "sentence"),
    [
        ([ssh(1)], "web1 sshd", ' from web1 sshd (key "orders")'),
        ([ssh(1), ssh(2, "web2"), ssh(3, "web2")], "web2 +1 sshd", ' from web2 and 1 other host, sshd (key "orders")'),
        (
            [ssh(1, program="cron"), ssh(2, program="su"), ssh(3)],
            "web1 cron +2",
            ' from web1 cron and 2 other programs (key "orders")',
        ),
        (["<38>Nov 23 10:00:00 sshd[1]: no host"], "sshd", ' from sshd (key "orders")'),
        (["no syslog"], "orders", " from orders"),
        (["no syslog", ssh(1)], "web1 sshd", ' from web1 sshd (key "orders")'),
    ],
)
def test_what_a_mail_is_about_comes_from_its_lines(lines: list[str], what: str, sentence: str) -> None:
    item = burst(*lines, key="orders")
    assert subject(item, subject="{what}") == what
    assert re.match(rf"\d lines?{re.escape(sentence)} in 38 s\.\n", text(item))


def test_the_key_is_told_where_the_names_do_not() -> None:
    assert text(burst(ssh(1), key="orders")).startswith('1 line from web1 sshd (key "orders") in 38 s.\n')
    assert text(burst(ssh(1), key="web1")).startswith("1 line from web1 sshd in 38 s.\n")
    assert text(burst("x", key=" \t")).startswith("1 line in 38 s.\n")


def test_every_field_of_the_template_is_filled() -> None:
    fields = ["what", "host", "program", "key", "count", "lines", "duration", "bursts", "summary", "reason"]
    fields += ["first", "last"]
    template = "{{" + "|".join(f"{{{name}}}" for name in fields) + "}}"
    item = burst(ssh(1), key="k", count=1412, bursts=3)
    assert subject(item, subject=template) == (
        "{web1 sshd|web1|sshd|k|1,412|1,412 lines|38 s|3|1,412 lines in 3 bursts, 38 s|gap|10:00:00|10:00:38}"
    )
    bare = "|".join(f"{{{name}}}" for name in fields[:4])
    assert subject(burst("x"), subject=bare) == "log|unknown|unknown|log"
    digest = burst("x", parts=(("a", 1), ("b", 1)))
    assert subject(digest, subject=bare) == "2 sources|2 sources|2 sources|2 sources"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{nope}", r"\{nope\} is no field; there are \{what\} \{host\}"),
        ("{what.upper}", r"is no field"),
        ("{what[0]}", r"is no field"),
        ("{what!r}", r"write \{what\} alone"),
        ("{what:>9999999999}", r"write \{what\} alone"),
        ("{}", r"\{\} is no field"),
        ("{", "a literal brace is written twice"),
        (" ", "empty"),
    ],
)
def test_a_template_with_anything_else_is_refused_at_once(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        composer(subject=template)
    assert "\n" not in str(caught.value)


def test_pieces_of_a_subject_cannot_join_to_more_than_their_sum() -> None:
    joined = composed(burst("x", key="?utf-8?q?=0ABcc:_evil?="), subject="={key}\n")
    assert b"\r\nSubject: = ?utf-8?q?=0ABcc:_evil?=\\x0a\r\n" in joined.data
    assert len(subject(burst("x", key="k" * 500), subject="{key} " * 9)) == 150


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": []}, "at least one recipient"),
        ({"to": "a@b\nBcc: c@d"}, "address"),
        ({"to": ["ok@example.org", "-x"]}, "address '-x'"),
        ({"to": "a@b", "sender": "a b"}, "address 'a b'"),
        ({"to": "a@b", "host": "a>b"}, "host 'a>b': not a valid name"),
    ],
)
def test_bad_addresses_and_names_are_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Composer(**options)
    assert "\n" not in str(caught.value)


def test_several_recipients_are_all_in_the_header_and_none_twice() -> None:
    people = [f"person{number}@long-domain-name.example.org" for number in range(9)]
    (message,) = Composer([*people, people[0]], sender="root", host="h").feed(burst("a"), 0.0)
    assert message.recipients == tuple(people)
    assert [found.addr_spec for found in parsed(message)["To"].addresses] == people
    assert max(map(len, message.data.split(b"\r\n"))) <= 78


def test_sender_and_host_are_the_machines_own_by_default() -> None:
    (message,) = Composer("root").feed(burst("a"), 0.0)
    assert re.fullmatch(r"[^@]+@[^@]+", message.sender)
    assert message.id.endswith(message.sender.partition("@")[2] + ">")


def test_a_message_is_readable_at_a_terminal() -> None:
    # A regression: CRLF of the wire, decoded from base64 or not, reached the terminal.
    for line in ("disk failed", "日本語 " * 20):
        found = composed(burst(line)).readable()
        assert found.startswith(
            "From: log@web1.example.org\nTo: ops@example.org\nSubject: [burstmail] log: 1 line in 38 s: "
        )
        assert f"\n\n  {line}\n\n-- \nburstmail 0.1.0 on web1\n" in found
        assert "\r" not in found


@given(st.lists(HOSTILE | ANYTHING, min_size=1, max_size=6), HOSTILE | ANYTHING)
@example(
    ["=?utf-8?q?=0ABcc:_evil?= x", "<38>Nov 23 10:00:00 =?u?q?=0AA: =?u?q?=0AB: x"], "=?utf-8?q?=0ABcc:_evil?= x\n"
)
@example(["<38>Nov 23 10:00:00 h\u3000\xa0 p\xa0: x"], "\u3000")
def test_no_byte_of_a_line_or_key_becomes_a_header(lines: list[str], key: str) -> None:
    # No line that is read has a newline or a lone surrogate.
    lines = Batch.of(lines).lines
    item = burst(*lines, key=key, keep=Keep(head=200, tail=0))
    message = composed(item, subject="{what} {host} {program} {key}")
    mail = parsed(message)
    assert mail.keys() == NAMES
    assert message.data.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", message.data)
    body = content(message)
    for line in lines:
        assert "  " + visible(line) in body or re.match("<[0-9]+>", line)
    severe = any(re.match("<(1?[0-9]?[0-9])>", line) for line in lines)
    assert len(body.split("\n")) - len(lines) in ((10, 11) if severe else (10,))
    read(message.data)
    assert composed(item, subject="{what} {host} {program} {key}") == message


def message_id(item: Burst) -> str:
    return composed(item).id


def test_the_same_place_in_the_stream_is_the_same_message() -> None:
    item = burst("a", "b")
    later = replace(item, first=TEN + 1, closed=TEN + 50, time=TEN + 60, excerpt=burst("c").excerpt)
    assert message_id(item) == message_id(later)


@pytest.mark.parametrize(
    "change", [{"epoch": "f"}, {"seq": 2}, {"gone": 1}, {"key": "k"}, {"parts": (("a", 1),)}, {"epoch": ""}]
)
def test_another_place_is_another_message(change: dict[str, Any]) -> None:
    assert message_id(burst("a")) != message_id(replace(burst("a"), **change))


def test_two_digests_that_begin_with_the_same_read_are_two_messages() -> None:
    one, other = (burst("a", parts=parts) for parts in ((("k", 1), ("l", 1)), (("l", 1), ("k", 1))))
    assert message_id(one) != message_id(other)


@pytest.mark.parametrize("change", [{"first": TEN + 1}, {"closed": TEN}, {"excerpt": burst("c").excerpt}])
def test_bursts_nobody_numbered_are_told_apart_by_what_they_are(change: dict[str, Any]) -> None:
    unnumbered = burst("a", epoch="", seq=0)
    assert message_id(unnumbered) != message_id(replace(unnumbered, **change))


def test_it_holds_nothing_and_has_a_state_of_its_own() -> None:
    machine = composer()
    assert (machine.held, machine.poll(9.0), machine.flush(9.0), machine.drain(9.0)) == (0, [], [], [])
    machine.load(machine.dump())
    with pytest.raises(StateMismatch):
        machine.load(["Caps", 1])


def test_what_came_at_once_has_no_duration() -> None:
    """Two reads microseconds apart: "2 lines", not "2 lines in less than 0.1 s"."""
    stage = Aggregator()
    stage.feed(Batch.of("a", time=1.0), 0.0)
    stage.feed(Batch.of("b", time=1.0), 0.0001)
    (burst,) = stage.flush(1.0)
    composer = Composer(to="ops@example.org", sender="me@example.org", host="example.org")
    text = composer.feed(burst, 1.0)[0].readable()
    assert "Subject: [burstmail] log: 2 lines: a\n" in text
    assert "\n2 lines.\n" in text


@pytest.mark.parametrize(
    ("key", "parts", "what"),
    [("", (), "about this before"), ("web1", (), "about this alone before"), ("", (("a", 1),), "any of these before")],
)
def test_the_promise_names_what_it_is_about(key: str, parts: tuple[tuple[str, int], ...], what: str) -> None:
    """A digest may carry lines of a key before that key's own time has come."""
    assert what in text(replace(burst("x", resume=TEN + 103), key=key, parts=parts)).replace("\n", " ")
