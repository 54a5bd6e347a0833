"""Salted commitments: hidden values are proved, and only the right value fits."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.cases.chain import MARK, commitment
from casework.cases.commitments import Committed, Opening, commit, reopened
from regtech.errors import InputError


def salts() -> Callable[[], bytes]:
    numbers = itertools.count(1)
    return lambda: hashlib.sha256(str(next(numbers)).encode()).digest()


PAYMENT = {"id": "T1", "payer": {"id": "P1", "name": "王芳"}, "accounts": ["1", "2"], "memo": None}


def test_graded_values_are_replaced_and_the_rest_stays() -> None:
    graded = {"/payer/name", "/accounts/1", "/memo"}
    committed = commit(PAYMENT, graded.__contains__, salts())
    assert committed.content["payer"]["id"] == "P1"
    assert committed.content["accounts"][0] == "1"
    assert "王芳" not in str(committed.content)
    assert {opening.at for opening in committed.openings} == graded
    name = next(o for o in committed.openings if o.at == "/payer/name")
    expected = hashlib.sha256(name.salt + '"王芳"'.encode()).hexdigest()
    assert committed.content["payer"]["name"] == {MARK: expected}


def test_a_key_with_a_slash_or_tilde_has_its_pointer() -> None:
    committed = commit({"a/b": {"c~d": "secret"}}, "/a~1b/c~0d".__eq__, salts())
    assert [opening.value for opening in committed.openings] == ["secret"]
    assert reopened(committed) == {"a/b": {"c~d": "secret"}}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), values, max_size=5), st.integers(0, 2**32))
def test_opening_everything_gives_the_document_again(document: dict[str, Any], seed: int) -> None:
    def graded(at: str) -> bool:
        return hashlib.sha256(f"{seed}{at!r}".encode()).digest()[0] % 2 == 0

    assert reopened(commit(document, graded, salts())) == document


def test_another_value_or_salt_does_not_fit() -> None:
    committed = commit(PAYMENT, "/payer/name".__eq__, salts())
    true = committed.openings[0]
    for false in (
        Opening(true.at, true.salt, "王方"),
        Opening(true.at, bytes(32), true.value),
    ):
        with pytest.raises(InputError, match="not the one committed to"):
            reopened(Committed(committed.content, (false,)))


def test_an_opening_without_a_place_is_refused() -> None:
    committed = commit(PAYMENT, "/payer/name".__eq__, salts())
    stray = Opening("/payer/id", bytes(32), "P1")
    with pytest.raises(InputError, match="no commitment at /payer/id"):
        reopened(Committed(committed.content, (*committed.openings, stray)))


def test_without_its_opening_a_value_stays_hidden() -> None:
    committed = commit(PAYMENT, "/payer/name".__eq__, salts())
    assert reopened(Committed(committed.content))["payer"]["name"].keys() == {MARK}


@pytest.mark.parametrize("document", [{MARK: "x"}, {"payer": {"name": {MARK: "x", "y": 1}}}])
@pytest.mark.parametrize("graded", [False, True])
def test_a_document_cannot_bring_its_own_commitments(document: Any, graded: bool) -> None:
    with pytest.raises(InputError, match="only commitments may have"):
        commit(document, lambda at: graded, salts())


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(b"salt", "value")
