"""What lines were read from: on every way through the core, and what a mail says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import (
    Admit,
    Aggregator,
    Batch,
    Burst,
    Composer,
    Join,
    Route,
    Routes,
    Session,
    Threshold,
    Window,
    by,
    chain,
    contains,
    each,
)
from burstmail.core.fold import dump_burst, emptied, fold, restored_burst
from burstmail.core.salvage import salvaged
from burstmail.core.shelf import dump_batch, leaving, restored_batch
from burstmail.core.whence import MOST, counted, restored

APP, OTHER = "/var/log/app.log", "/srv/other/app.log"


def lines(*texts: str, source: str = APP) -> Batch:
    return Batch.of(texts, time=1000.0, source=source)


def burst(*batches: Batch, **fields: Any) -> Burst:
    session = Session()
    for batch in batches:
        session.feed(batch, 0.0)
    (found,) = session.flush(1.0)
    return replace(found, **fields)


@given(st.lists(st.tuples(st.sampled_from(["", *map(str, range(30))]), st.integers(1, 9)), max_size=60))
def test_lines_by_name_add_up_and_are_bounded(parts: list[tuple[str, int]]) -> None:
    found = counted(parts)
    names = [name for name, _ in found]
    assert sum(count for _, count in found) == sum(count for _, count in parts)
    assert len(set(names)) == len(names) <= MOST + 1
    assert "" not in names[:-1]
    assert counted(found) == found
    assert restored(json.loads(json.dumps(found))) == found


def test_a_batch_keeps_its_source_however_it_is_parted() -> None:
    batch = lines("a x", "b y", "a z")
    parts = [*batch.split(1), *(part for _, part in each(lambda line: line[0])(batch))]
    parts += [part for _, part in by("host")(lines("Nov 23 12:00:00 web1 a: x", "Nov 23 12:00:00 web2 a: x"))]
    parts += Admit(contains("a")).feed(batch, 0.0)
    parts += [part for _, part in Routes(Route(contains("a"), Aggregator(), name="a")).split(batch)]
    assert [part.source for part in parts] == [APP] * 8


def test_a_batch_keeps_its_source_while_it_waits() -> None:
    threshold = Threshold(2, per=60)
    assert threshold.feed(lines("a"), 0.0) == []
    again = Threshold(2, per=60)
    again.load(json.loads(json.dumps(threshold.dump())))
    assert [part.source for part in again.feed(lines("b", source=OTHER), 5.0)] == [APP, OTHER]


def test_a_record_keeps_its_source_while_it_is_open() -> None:
    join = Join()
    join.feed(lines("a", "  b"), 0.0)
    again = Join()
    again.load(json.loads(json.dumps(join.dump())))
    assert [batch.source for batch in again.flush(0.5)] == [batch.source for batch in join.flush(0.5)] == [APP]


def test_a_record_goes_on_in_its_own_file_only() -> None:
    join = Join()
    join.feed(lines("a"), 0.0)
    join.feed(lines("b", source=OTHER), 0.0)
    join.feed(lines("  of a"), 0.1)
    assert [batch.lines for batch in join.flush(0.5)] == [["b"], ["a", "  of a"]]


@pytest.mark.parametrize("source", ["", APP])
def test_a_batch_comes_back_from_json_with_its_source(source: str) -> None:
    batch = Batch(text="a\n", count=1, time=5.0, epoch="e", seq=3, gone=2, late=1.0, joined=True, source=source)
    assert restored_batch(json.loads(json.dumps(dump_batch(batch)))) == batch
    assert leaving(batch, 0.0, 2.0).source == source


def test_a_batch_that_was_dumped_before_there_were_sources_has_none() -> None:
    assert restored_batch(["batch", 1, "a\n", 1, [5.0, "e", 3, 2], 0.0, False]).source == ""
    # And a version that knows of none reads what has none.
    assert dump_batch(lines("a", source=""))[4] == [1000.0, "", 0, 0]


def test_a_burst_says_how_many_lines_are_from_where() -> None:
    found = burst(lines("a", "b"), lines("c", source=""), lines("d", source=OTHER), lines("e"))
    assert found.sources == ((APP, 3), (OTHER, 1))
    assert found.count == 5


def test_each_burst_has_the_sources_of_its_own_lines() -> None:
    session = Session(Window(max_lines=2))
    out = [*session.feed(lines("a", "b", "c"), 0.0), *session.feed(lines("d", source=OTHER), 0.0)]
    assert [one.sources for one in out] == [((APP, 2),), ((APP, 1), (OTHER, 1))]


def test_a_window_comes_back_with_its_sources() -> None:
    session = Session()
    session.feed(lines("a"), 0.0)
    state = json.loads(json.dumps(session.dump()))
    again = Session()
    again.load(state)
    again.feed(lines("b", source=OTHER), 1.0)
    assert again.flush(2.0)[0].sources == ((APP, 1), (OTHER, 1))
    (found,) = salvaged(["key", 3, state], 5.0)
    assert found.sources == ((APP, 1),)


def test_a_window_of_before_there_were_sources_is_loaded_and_none_is_written_where_there_is_none() -> None:
    session = Session()
    session.feed(lines("a", source=""), 0.0)
    state: Any = session.dump()
    assert state[5] == [None, 0]
    again = Session()
    again.load(state)
    assert again.flush(2.0)[0].sources == ()


def test_a_fold_has_the_sources_of_both() -> None:
    one, two = burst(lines("a", "b")), burst(lines("c", source=OTHER), lines("d"))
    whole = fold(one, two)
    assert whole.sources == ((APP, 3), (OTHER, 1))
    assert restored_burst(json.loads(json.dumps(dump_burst(whole)))) == whole
    assert emptied(whole).sources == ()


def test_a_burst_of_before_there_were_sources_has_none() -> None:
    state = dump_burst(burst(lines("a")))
    state[4] = state[4][:8]
    assert restored_burst(state).sources == ()


def mail(*batches: Batch, **options: Any) -> str:
    (made,) = Composer("root", sender="me@h", host="h", **options).feed(burst(*batches), 0.0)
    return made.readable()


def test_a_mail_about_lines_without_headers_names_their_file() -> None:
    text = mail(lines("ERROR disk is full"))
    assert "Subject: [burstmail] app.log: 1 line: ERROR disk is full\n" in text
    assert "1 line from app.log." in text
    assert "Read from: /var/log/app.log." in text


def test_a_mail_about_several_files_says_how_many_lines_are_from_each() -> None:
    text = mail(lines("a b c d"), lines("e", "f g", source=OTHER), lines("h i", source=""))
    assert "Subject: [burstmail] app.log +2: 4 lines" in text
    assert "4 lines from app.log and 2 other sources." in text
    assert "Read from: /srv/other/app.log (2 lines), /var/log/app.log (1 line), elsewhere (1 line)." in text


def test_a_mail_about_many_files_names_some_and_counts_the_others() -> None:
    text = mail(*(lines("x y", source=f"/log/{number:02}") for number in range(MOST + 5)))
    assert f"Subject: [burstmail] {MOST}+ sources: 25 lines" in text
    assert "Read from: /log/00 (1 line), /log/01 (1 line), /log/02 (1 line), /log/03 (1 line), " in text
    assert "/log/04 (1 line), others (20 lines)." in text


def test_lines_that_say_whose_they_are_and_keys_are_named_first() -> None:
    text = mail(lines("Nov 23 12:00:00 web1 sshd[1]: hello"))
    assert "Subject: [burstmail] web1 sshd: 1 line: hello\n" in text
    assert "Read from: /var/log/app.log." in text
    stage = chain(Aggregator(key=each(lambda line: "db")), Composer("root", host="h"))
    stage.feed(lines("hello"), 0.0)
    (made,) = stage.flush(1.0)
    assert "Subject: [burstmail] db: 1 line: hello\n" in made.readable()


def test_a_path_is_as_hostile_as_a_line() -> None:
    text = mail(lines("x", source="/var/log/\nSubject: forged\x1b[31m/"))
    assert "\x1b" not in text and text.count("\nSubject: ") == 1
    assert "Read from: /var/log/\\x0aSubject: forged\\x1b[31m/." in text


def test_what_a_redact_hook_takes_out_is_not_in_the_name_of_a_file_either() -> None:
    text = mail(lines("x", source="/home/smith/app.log"), redact=[lambda line: line.replace("smith", "***")])
    assert "Read from: /home/***/app.log." in text and "smith" not in text


def test_mails_about_lines_of_different_files_are_different_topics() -> None:
    composer = Composer("root", sender="me@h", host="h")

    def topic(*batches: Batch) -> bytes:
        (made,) = composer.feed(burst(*batches), 0.0)
        return made.data.partition(b"References: ")[2].partition(b"\r\n")[0]

    none, app = topic(lines("a", source="")), topic(lines("b"))
    assert app == topic(lines("c", "d"), lines("e", source=OTHER)) != topic(lines("b", source=OTHER))
    assert none == topic(lines("f", source="")) != app
    header = "Nov 23 12:00:00 web1 sshd[1]: x"
    assert topic(lines(header)) == topic(lines(header, source=OTHER)) == topic(lines(header, source=""))
