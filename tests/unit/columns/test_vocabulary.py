"""Strings and codes: order, exactness, growth, snapshots."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.columns import vocabulary
from regtech.columns.vocabulary import Vocabulary
from regtech.errors import InternalError, SnapshotError


def test_the_example_in_the_module_holds() -> None:
    assert doctest.testmod(vocabulary).failed == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40)))
def test_codes_are_dense_in_order_of_first_appearance(texts: list[str]) -> None:
    words = Vocabulary()
    distinct = list(dict.fromkeys(texts))
    assert [words.code_of(t) for t in texts] == [distinct.index(t) for t in texts]
    assert words.texts(range(len(distinct))) == distinct
    assert [words.find(t) for t in texts] == [distinct.index(t) for t in texts]


def test_strings_that_differ_little_are_told_apart() -> None:
    base = ["", "\0", "\0\0", "a" * 8, "a" * 9, "a" * 16, "a" * 17, "a" * 24, "a" * 25, "a" * 4096]
    texts = base + [t[:-1] + "b" for t in base[3:]] + ["b" + t[1:] for t in base[3:]]
    words = Vocabulary()
    assert words.codes_of(texts).tolist() == list(range(len(texts)))
    assert [words.find(t) for t in texts] == list(range(len(texts)))
    assert words.find("a" * 15) == -1


def test_growth_keeps_every_code() -> None:
    words = Vocabulary()
    texts = [f"account-{k:08d}-{k * k}" for k in range(40_000)]
    for k, text in enumerate(texts):
        assert words.code_of(text) == k
        # Also while entries are on their way from the old table to the new one.
        assert words.find(texts[k // 2]) == k // 2
        assert words.find(text + "?") == -1
    assert [words.find(text) for text in texts] == list(range(40_000))
    assert words.text(39_999) == texts[-1]


def test_a_snapshot_holds_everything() -> None:
    words = Vocabulary()
    texts = [f"{k}" * (k % 30) + f"-{k}" for k in range(20_000)]
    words.codes_of(texts)
    arrays = words.export_arrays()
    words.code_of("later")
    again = Vocabulary.from_arrays(arrays)
    assert len(again) == 20_000 and again.find("later") == -1
    assert [again.find(t) for t in texts[::501]] == list(range(0, 20_000, 501))
    assert again.code_of("new") == 20_000
    for name, array in Vocabulary.from_arrays(arrays).export_arrays().items():
        np.testing.assert_array_equal(array, arrays[name])


def test_a_damaged_snapshot_is_refused() -> None:
    words = Vocabulary()
    words.codes_of(["ab", "cd"])
    good = words.export_arrays()
    for offsets in ([0, 2, 5], [0, 3, 2, 4], [1, 2, 4], []):
        with pytest.raises(SnapshotError):
            Vocabulary.from_arrays({**good, "offsets": np.array(offsets, np.int64)})
    twice = {"arena": np.frombuffer(b"abab", np.uint8), "offsets": good["offsets"]}
    with pytest.raises(SnapshotError, match="twice"):
        Vocabulary.from_arrays(twice)


def test_limits_are_errors() -> None:
    words = Vocabulary()
    with pytest.raises(ValueError, match="4097 bytes"):
        words.code_of("x" * 4097)
    assert words.find("x" * 4097) == -1
    with pytest.raises(UnicodeEncodeError):
        words.code_of("\ud800")
    for code in (-1, 0):
        with pytest.raises(IndexError):
            words.text(code)


def test_words_of_one_vocabulary_go_into_another_with_their_codes() -> None:
    first, second = Vocabulary(), Vocabulary()
    for words in (first, second):
        words.codes_of(["CN", "DE"])
    texts = ["", "é" * 40, "中国", *(f"K{n}" for n in range(30_000))]
    first.codes_of(texts)
    second.extend(*first.since(2))
    assert second.texts(range(len(second))) == first.texts(range(len(first)))
    assert second.find("K29999") == first.find("K29999") == len(first) - 1
    second.extend(*first.since(len(first)))
    assert len(second) == len(first)


def test_words_that_are_known_already_are_refused() -> None:
    first, second = Vocabulary(), Vocabulary()
    first.codes_of(["CN", "DE"])
    second.code_of("DE")
    with pytest.raises(InternalError, match="not the same"):
        second.extend(*first.since(0))
