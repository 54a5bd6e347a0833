"""The catalogue of every language is whole: nothing missing, nothing stale, nothing half said."""

from __future__ import annotations

import itertools
import os

from babel.messages.catalog import Catalog

from casework.web.labels import ERRORS, LABELS
from casework.web.language import LANGUAGES, N_, preferred, said
from tests.unit.casework.web import catalogue

OTHERS = [lang for lang in LANGUAGES if lang != "en"]


def ids(catalog: Catalog) -> set[str]:
    return {str(message.id) for message in catalog if message.id}


def test_every_text_is_translated_and_none_is_stale() -> None:
    for domain in catalogue.DOMAINS:
        collected = domain.collected()
        assert len(ids(collected)) > 200
        for lang in OTHERS:
            if os.environ.get("REGTECH_UPDATE"):
                domain.update(lang)
            kept = domain.kept(lang)
            assert ids(collected) - ids(kept) == set(), "missing: REGTECH_UPDATE=1 adds them, empty"
            assert ids(kept) - ids(collected) == set(), "stale: REGTECH_UPDATE=1 takes them out"
            assert catalogue.empty(kept) == []


def test_what_is_filled_in_is_the_same_in_every_language() -> None:
    for domain, lang in itertools.product(catalogue.DOMAINS, OTHERS):
        for message in domain.kept(lang):
            if not message.id:
                continue
            english = message.id if isinstance(message.id, str) else " ".join(message.id)
            text = message.string or ""
            other = text if isinstance(text, str) else " ".join(text)
            assert catalogue.names_in(english) == catalogue.names_in(other), english


def test_words_of_codes_are_collected() -> None:
    collected = ids(catalogue.DOMAINS[0].collected())
    for words in LABELS.values():
        assert set(words.values()) <= collected
    for pair in ERRORS.values():
        assert set(pair) <= collected


def test_the_language_that_a_browser_wants() -> None:
    assert preferred("zh-CN,zh;q=0.9,en;q=0.8") == "zh"
    assert preferred("de,en;q=0.7,zh;q=0.3") == "en"
    assert preferred("fr;q=x,zh;q=0.1") == "zh"
    assert preferred("") == preferred("*") == "en"
    assert said({"en": "a", "zh": "b"}, "zh") == "b"
    assert said({"en": "a"}, "zh") == "a"
    assert said(None, "zh") == ""
    assert N_("x") == "x"
