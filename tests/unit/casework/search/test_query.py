"""What is asked, as text, as plain data, and within bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.search.query import TERMS_MAX, TEXT_MAX, Field, How, Kind, SearchQuery
from regtech.errors import UsageError


def test_words_and_phrases() -> None:
    terms = SearchQuery('anna "berg  meier" O\'Neil "open').terms()
    assert [(term.tokens, term.quoted) for term in terms] == [
        (("anna",), False),
        (("berg", "meier"), True),
        (("o", "neil"), False),
        (("open",), True),
    ]
    assert terms[2].whole == "oneil"
    assert len(SearchQuery("anna Anna ANNA").terms()) == 1


def test_the_steps_of_a_word_go_from_the_best_to_the_least() -> None:
    (term,) = SearchQuery("berg").terms()
    made = [(step.score, step.field, step.how) for step in term.steps()]
    assert made[0] == (16, Field.IDS, How.WHOLE) and made[-1] == (1, Field.TEXT, How.NEAR)
    (quoted,) = SearchQuery('"berg"').terms()
    assert {step.how for step in quoted.steps()} == {How.WHOLE, How.PHRASE}


def test_bounds() -> None:
    assert len(SearchQuery(" ".join(f"w{n}" for n in range(TERMS_MAX))).terms()) == TERMS_MAX
    for text in ("x" * (TEXT_MAX + 1), " ".join(f"w{n}" for n in range(TERMS_MAX + 1)), "?"):
        with pytest.raises(UsageError):
            SearchQuery(text).terms()
    assert SearchQuery("").terms() == SearchQuery("  ").terms() == ()


QUERIES = st.builds(
    SearchQuery,
    text=st.text(max_size=20),
    kinds=st.lists(st.sampled_from(list(Kind)), max_size=2).map(tuple),
    states=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    open=st.sampled_from((None, True, False)),
    since_us=st.none() | st.integers(0, 2**60),
)


@given(QUERIES)
def test_a_query_survives_being_plain_data(query: SearchQuery) -> None:
    assert SearchQuery.of(query.as_dict()) == query


@pytest.mark.parametrize(
    "document",
    [
        {"txt": "a"},
        {"text": 7},
        {"kinds": "case"},
        {"kinds": ["person"]},
        {"states": [1]},
        {"open": "yes"},
        {"since_us": "2026"},
    ],
)
def test_what_is_no_query_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SearchQuery.of(document)
