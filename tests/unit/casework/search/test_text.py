"""What counts as a word, and as the same word."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.search.text import (
    TOKEN_MAX,
    alone,
    compact,
    may_be_near,
    near,
    pieces,
    placed_tokens,
    sealed,
    tokens,
    without_one,
)

LETTERS = st.text(alphabet="abcdeй伟", max_size=7)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("  -- !", []),
        ("Anna Berg", ["anna", "berg"]),
        ("O'Neil-Smith", ["o", "neil", "smith"]),
        ("ＡＢＣ１２３", ["abc123"]),
        ("Straße", ["strasse"]),
        ("Ёлка Йод", ["елка", "иод"]),
        ("Jose\u0301 José", ["jose", "jose"]),
        ("ﬁne", ["fine"]),
        ("北京bank有限", ["北", "京", "bank", "有", "限"]),
        ("한국 은행", ["한", "국", "은", "행"]),
        ("İstanbul", ["istanbul"]),
        ("x" * 100, ["x" * TOKEN_MAX]),
        ("a_b", ["a", "b"]),
        ("²³", ["23"]),
        ("𠮷野", ["𠮷", "野"]),
    ],
)
def test_tokens(text: str, wanted: list[str]) -> None:
    assert tokens(text) == wanted
    assert [token for token, _, _ in placed_tokens(text)] == wanted


@given(st.text())
def test_places_lie_in_the_text_in_order(text: str) -> None:
    last = 0
    for token, start, end in placed_tokens(text):
        assert 0 <= start < end <= len(text)
        assert start >= last or alone(token)  # one sign may fold into several
        last = start
    assert tokens(text) == [token for token, _, _ in placed_tokens(text)]


@given(st.text())
def test_folding_is_done_once(text: str) -> None:
    folded = " ".join(tokens(text))
    assert tokens(folded) == tokens(text)
    assert tokens(unicodedata.normalize("NFD", "Müller Ёж")) == tokens("müller ёж")


@given(st.text())
def test_tokens_hold_nothing_that_a_query_language_reads(text: str) -> None:
    for token in tokens(text):
        assert token and not set(token) & set(" \t\r\n\"'()*:^+-{}[]\\/¦")
        assert all(unicodedata.category(sign)[0] in "LNM" for sign in token)


def _distance(a: str, b: str) -> int:
    """Optimal string alignment, by the book."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            rows[i][j] = min(
                rows[i - 1][j] + 1,
                rows[i][j - 1] + 1,
                rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(LETTERS, LETTERS)
def test_near_is_a_distance_of_at_most_one(a: str, b: str) -> None:
    assert near(a, b) == (_distance(a, b) <= 1)
    if near(a, b):
        # So that an index of words with a sign left out finds it.
        assert without_one(a) & without_one(b)


def test_short_words_and_numbers_have_no_typos() -> None:
    assert may_be_near("anna") and may_be_near("петр")
    for token in ("ann", "a1234", "1234", "伟", "x" * 25):
        assert not may_be_near(token)


def test_numbers() -> None:
    assert compact("DE89 3704-0044") == "de8937040044"
    assert pieces("12345") == ["123", "234", "345"] and pieces("12") == []
    assert sealed("110101 1990") == sealed("1101011990") != sealed("1101011991")
    assert "1101011990" not in sealed("1101011990")
