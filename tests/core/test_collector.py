from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.collector import _Run
from burstmail.core.keep import ending, opening

CHUNKS = st.lists(st.text("aé\n", max_size=12).map(lambda text: text + "\n"), min_size=1, max_size=6)


@given(CHUNKS, st.integers(0, 60))
def test_chunks_are_cut_as_one_text_would_be(chunks: list[str], room: int) -> None:
    text, whole = "".join(chunks), len("".join(chunks).encode()) <= room
    first, last = _Run.of(chunks), _Run.of(chunks)
    first.first(room)
    last.last(room)
    assert first.text == (text if whole else text[: opening(text, room)])
    assert last.text == (text if whole else text[ending(text, room) :])
    for run in (first, last):
        assert (run.size, run.count) == (len(run.text.encode()), run.text.count("\n"))
