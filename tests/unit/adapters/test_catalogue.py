"""Catalogues of the same currencies share their arrays, but never columns or codes of words."""

from __future__ import annotations

import numpy as np

from regtech.adapters.ndjson.catalogue import LEAF_COLUMN, Catalogue, build_catalogue
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import Field, all_fields

CURRENCIES = {"EUR": (0, 2), "JPY": (1, 0)}
FIELDS = tuple(all_fields().values())


def made(fields: tuple[Field, ...], *before: str, kept: tuple[str, ...] = ()) -> Catalogue:
    symbols = Vocabulary()
    for word in before:
        symbols.code_of(word)
    return build_catalogue(fields, symbols, CURRENCIES, kept)


def codes(catalogue: Catalogue) -> list[int]:
    return [int(value) for value in catalogue.word_values[:, 0]]


def test_each_vocabulary_has_its_own_codes() -> None:
    first, second = made(FIELDS[:9]), made(FIELDS[:9], "one", "two")
    closed = next(k for k in range(len(first.word_values)) if codes(first)[k] != codes(second)[k])
    assert codes(second)[closed] == codes(first)[closed] + 2
    assert codes(made(FIELDS[:9])) == codes(first), "the second changed nothing of the first"
    assert first.words is second.words


def test_each_choice_of_fields_has_its_own_columns() -> None:
    few, many = made(FIELDS[:3]), made(FIELDS[::-1])
    assert set(few.leaves[:, LEAF_COLUMN].tolist()) == {-1, 0, 1, 2}
    assert many.leaves[:, LEAF_COLUMN].max() == len(FIELDS) - 1
    assert few.leaves[:, LEAF_COLUMN].max() == 2


def test_texts_that_are_kept_are_another_form() -> None:
    open_names, hashed = made(FIELDS, kept=("payer.name",)), made(FIELDS)
    assert not np.array_equal(open_names.leaves, hashed.leaves)
