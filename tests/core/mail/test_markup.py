"""Text in HTML: read back by the standard library's parser it is what it was, and nothing in it is a link."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.mail.markup import markup

MARKUP = st.text(st.sampled_from("<>&\"'/=:@. #;axäbrt日"))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain", "plain"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a & b &lt; \"c\" 'd'", "a &amp; b &amp;lt; &quot;c&quot; &#39;d&#39;"),
        ("https://evil.example/x", "https://<wbr>evil.<wbr>example/x"),
        ("root@example.org", "root@<wbr>example.<wbr>org"),
        ("www.évil.example", "www.<wbr>évil.<wbr>example"),
        # No address is made of numbers alone, and versions stay in one piece.
        ("192.0.2.1 v1.2 end. x", "192.0.2.1 v1.2 end. x"),
    ],
)
def test_text_becomes_this(text: str, made: str) -> None:
    assert markup(text) == made


@given(st.text() | MARKUP)
def test_nothing_but_breaks_is_markup_and_the_text_is_what_it_was(text: str) -> None:
    made = markup(text)
    bare = made.replace("<wbr>", "")
    assert not re.search("[<>\"']", bare)
    assert unescape(bare) == text


@given(MARKUP)
def test_what_a_mail_program_would_link_is_broken(text: str) -> None:
    pieces = markup(text).split("<wbr>")
    assert not any(re.search(r"://.|@.|\.[^\W\d]", piece) for piece in pieces)
