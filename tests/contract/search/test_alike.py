"""Every backend answers as the plain reading in memory does, whatever is asked of whatever."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from casework.cases.scope import Role, Scope
from casework.search.document import Document
from casework.search.fts import matching
from casework.search.fts.index import FtsIndex
from casework.search.memory import MemoryIndex
from casework.search.ports import SearchIndex, SearchPage
from casework.search.query import Kind, SearchQuery
from casework.search.text import sealed
from regtech.clock import ManualClock
from tests.contract.search.support import OPERATOR, SERVICE, SUPERVISOR, fill, institution

WORDS = (
    "anna", "ana", "hanna", "berg", "berger", "bergs", "smith", "smiht", "Иванов", "Иваноф",
    "Пётр", "张伟", "张伟强", "伟", "强张", "有限公司", "北京公司有限", "é", "Müller",
    "o'neil", "A-1", "62220",
)  # fmt: skip
NUMBERS = ("6222021234", "6222 0212", "DE89-3704", "abc", "ab", "0212345", "K7")
TENANTS = ("BANK-A", "BANK-B", "BANK-C", "")
SCOPES = (
    SERVICE,
    SUPERVISOR,
    OPERATOR,
    institution("BANK-A"),
    institution("BANK-A", "BANK-B"),
    Scope("x", frozenset({Role.SUPERVISOR}), frozenset({"CN"}), frozenset({"BANK-A", "BANK-B"})),
    Scope("y", frozenset({Role.AUDITOR}), None, frozenset({"BANK-C", ""})),
)


def _some(draw: random.Random, values: tuple[str, ...], most: int) -> tuple[str, ...]:
    return tuple(draw.choice(values) for _ in range(draw.randrange(most + 1)))


def _phrase(draw: random.Random) -> str:
    return draw.choice((" ", "-", ", ", "")).join(draw.choices(WORDS, k=draw.randrange(1, 4)))


def _document(draw: random.Random, number: int, version: int) -> Document:
    return Document(
        id=f"d{number}",
        kind=draw.choice(tuple(Kind)),
        subject=f"C-{number:03d}",
        version=version,
        full=draw.random() < 0.8,
        restricted=draw.random() < 0.5,
        gone=draw.random() < 0.05,
        jurisdiction=draw.choice(("CN", "EU")),
        tenants=tuple(dict.fromkeys(_some(draw, TENANTS, 2))),
        theme=draw.choice(("", "lending")),
        state=draw.choice(("", "new", "closed")),
        queue=draw.choice(("cn", "eu")),
        severity=draw.choice(("low", "high")),
        open=draw.random() < 0.7,
        at_us=draw.randrange(5),
        names=tuple(_phrase(draw) for _ in range(draw.randrange(3))),
        numbers=_some(draw, NUMBERS, 2),
        text=tuple(_phrase(draw) for _ in range(draw.randrange(2))),
        notes=tuple(_phrase(draw) for _ in range(draw.randrange(2))),
        sealed=tuple(sealed(value) for value in _some(draw, NUMBERS, 1)),
    )


def _query(draw: random.Random) -> SearchQuery:
    words = []
    for _ in range(draw.choice((0, 1, 1, 1, 1, 2, 2, 3))):
        word = draw.choice((*WORDS, *NUMBERS, "c-0", "C-007", "021", "3704"))
        cut = draw.randrange(4)
        if cut == 1 and len(word) > 3:
            word = word[: draw.randrange(2, len(word))]
        elif cut == 2 and len(word) > 3:
            at = draw.randrange(len(word) - 1)
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        words.append(f'"{word} {draw.choice(WORDS)}"' if draw.random() < 0.1 else word)
    text = " ".join(words)
    if draw.random() < 0.6:
        return SearchQuery(text)
    return SearchQuery(
        text,
        kinds=tuple(draw.sample(tuple(Kind), draw.choice((0, 1, 2)))),
        jurisdictions=draw.choice(((), (), ("CN",))),
        states=draw.choice(((), (), ("new",), ("new", "closed"))),
        tenants=draw.choice(((), (), ("BANK-A",), ("BANK-A", ""))),
        open=draw.choice((None, None, True, False)),
        since_us=draw.choice((None, 1)),
        until_us=draw.choice((None, 3)),
    )


def _walk(index: SearchIndex, scope: Scope, query: SearchQuery, limit: int) -> list[SearchPage]:
    pages = [index.search(scope, query, limit=limit)]
    while pages[-1].after is not None:
        pages.append(index.search(scope, query, after=pages[-1].after, limit=limit))
    return pages


@pytest.mark.parametrize("seed", range(2))
def test_reading_through_what_may_be_found_gives_what_asking_for_words_gives(
    seed: int, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan for words that very many have, where few documents may be found."""
    monkeypatch.setattr(matching, "RARE", 0)
    monkeypatch.setattr(matching, "WORTH", 0)
    with closing(FtsIndex(tmp_path / "search.db", clock)) as index:
        _all_alike(index, seed)


@pytest.mark.parametrize("seed", range(6))
def test_all_pages_of_all_questions_are_those_of_the_plain_reading(
    index: SearchIndex, seed: int
) -> None:
    _all_alike(index, seed)


def _all_alike(index: SearchIndex, seed: int) -> None:
    draw = random.Random(seed)
    plain = MemoryIndex()
    documents = [_document(draw, n, draw.randrange(1, 4)) for n in range(60)]
    later = [_document(draw, draw.randrange(70), draw.randrange(1, 6)) for _ in range(40)]
    for each in (plain, index):
        fill(each, documents)
        for start in range(0, len(later), 7):
            each.write(later[start : start + 7])
        each.refresh()
    matched = 0
    for _ in range(120):
        query, scope, limit = _query(draw), draw.choice(SCOPES), draw.choice((3, 7, 50))
        wanted = _walk(plain, scope, query, limit)
        given = _walk(index, scope, query, limit)
        shown = (query, scope)
        assert [page.hits for page in given] == [page.hits for page in wanted], shown
        assert {page.total for page in given} == {page.total for page in wanted}, shown
        assert [page.facets for page in given] == [page.facets for page in wanted], shown
        # Whatever is found shows where, as far as it may be shown.
        matched += sum(bool(hit.highlights) for page in given for hit in page.hits)
        if query.text:
            assert all(hit.highlights for page in given for hit in page.hits), shown
    assert matched > 100
