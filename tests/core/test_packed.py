"""Long text is compressed on its way into a state, and what is damaged there is told."""

from __future__ import annotations

import pytest

from burstmail.core.packed import packed, unpacked


@pytest.mark.parametrize("text", ["", "a\n", "ä\n" * 5000])
def test_text_comes_back(text: str) -> None:
    assert unpacked(packed(text)) == text
    assert len(str(packed(text))) < 5000


@pytest.mark.parametrize("damaged", [["AAAA"], [7], ["!"], [], ["a", "b"]])
def test_what_is_damaged_is_a_value_error(damaged: list[str]) -> None:
    with pytest.raises(ValueError):
        unpacked(damaged)
