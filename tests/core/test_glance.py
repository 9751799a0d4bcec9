"""Where in a chunk a text is found: what each record says by itself, unless that is in many."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from burstmail import Batch, contains
from burstmail.core.columns import MESSAGE
from burstmail.core.glance import MANY, Glance
from burstmail.core.lines import Lines

LINES = st.lists(st.text("ab \t", max_size=4), max_size=40)


@example(["x", " a", "a", "\tb a"], True, "a")
@given(LINES, st.booleans(), st.sampled_from(["a", "ab", "b ", " ", "\t", "ba", "aaaa"]))
def test_a_text_is_where_the_records_have_it(lines: list[str], joined: bool, text: str) -> None:
    chunk = "".join(f"{line}\n" for line in lines)
    records = Lines(Batch(text=chunk, count=len(lines), joined=joined)).records
    having = [number for number, record in enumerate(records) if text in record]
    glance = Glance(chunk, records, joined)
    assert glance.records(text) == (having if len(having) <= MANY else None)
    assert glance.any([text]) == bool(having)


def test_nothing_is_everywhere_and_no_record_has_the_end_of_another() -> None:
    glance = Glance("a\nb\n", ["a", "b"], False)
    assert glance.records("") is glance.records("a\nb") is None


def test_an_expression_sees_of_a_record_no_more_than_its_first_4096_characters() -> None:
    for end in ("x", "\n x"):
        seen, unseen = (f"Nov 23 12:00:00 web1 app: {'a' * room}{end}\n" for room in (MESSAGE - len(end), MESSAGE))
        text = (seen + unseen) * 20
        view = Lines(Batch(text=text, count=text.count("\n"), joined=True))
        assert view.take(contains("x", "y").lines(view)).text == seen * 20
